"""Files for people: written whole or not at all, and never over another one unasked."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from backend.errors import InvalidInput, Unavailable


def demand_new(file: Path, *, force: bool) -> None:
    """Refuse, before anything is made, a file that exists or cannot be written."""
    if file.is_dir():
        raise InvalidInput(f"{file} is a folder; name a file")
    if not file.parent.is_dir():
        raise InvalidInput(f"there is no folder {file.parent}; make it first, or name another")
    if file.exists() and not force:
        raise InvalidInput(
            f"{file} exists; name another file, or write over it with --force (in Python force=True)"
        )


def write_whole(file: Path, content: bytes, *, force: bool = False) -> Path:
    """Write a file and return its path; what goes wrong leaves nothing behind."""
    demand_new(file, force=force)
    temporary = file.with_name(f".eigenscope-{secrets.token_hex(6)}")
    try:
        with temporary.open("xb") as opened:
            opened.write(content)
        _place(temporary, file, force=force)
    except OSError as error:
        raise Unavailable(f"{file} cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)
    return file


def _place(temporary: Path, file: Path, *, force: bool) -> None:
    if force:
        os.replace(temporary, file)
        return
    try:
        # A link fails where the file exists: of two that write at once, the second is refused.
        os.link(temporary, file)
    except FileExistsError:
        raise InvalidInput(
            f"{file} exists; name another file, or write over it with --force (in Python force=True)"
        ) from None
    except OSError:
        # A file system without links.
        os.replace(temporary, file)


def _exists(file: Path) -> InvalidInput:
    return InvalidInput(
        f"{file} exists; name another file, or write over it with --force (in Python force=True)"
    )
