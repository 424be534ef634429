"""Writes an archive: a zip file without compression, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from backend.errors import Conflict, Unavailable
from backend.keeping.manifest import Manifest, Member

MANIFEST = "manifest.json"
CHUNK = 2**20


class _Hashed:
    """A member under way, which counts and hashes what is written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._hash, self._bytes = file, hashlib.sha256(), 0

    def write(self, content: bytes) -> int:
        self._hash.update(content)
        self._bytes += len(content)
        return self._file.write(content)

    def member(self) -> Member:
        return Member(bytes=self._bytes, sha256=self._hash.hexdigest())


class ArchiveWriter:
    """An archive under way beside its place; it takes its name when `finish` has written the manifest.

    Members are written one after the other. Raises `Conflict` where a file of that name is there already.
    """

    def __init__(self, path: Path, replace: bool = False) -> None:
        if path.exists() and not replace:
            raise Conflict(f"{path} is there already; name another file or remove that one")
        self._path, self._replace = path, replace
        self._members: dict[str, Member] = {}
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
        except OSError as error:
            raise Unavailable(f"{path} cannot be written: {error.strerror}; name another place") from None
        self._temporary = Path(name)
        self._file = os.fdopen(handle, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_STORED, allowZip64=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Leave nothing behind unless it was finished; a full disk is one sentence."""
        with suppress(OSError, ValueError):
            self._zip.close()
        with suppress(OSError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise Unavailable(
                f"{self._path} cannot be written: {error.strerror}; free disk or name another place"
            ) from None

    @contextmanager
    def member(self, name: str) -> Iterator[Any]:
        """Yield what a member's bytes are written to."""
        # A date of its own would make two archives of the same runs differ.
        with self._zip.open(zipfile.ZipInfo(name), "w", force_zip64=True) as file:
            hashed = _Hashed(file)
            yield hashed
        self._members[name] = hashed.member()

    def add_file(self, name: str, path: Path) -> None:
        """Add a file as it lies there."""
        with path.open("rb") as source, self.member(name) as target:
            while block := source.read(CHUNK):
                target.write(block)

    @property
    def members(self) -> dict[str, Member]:
        """The members that are whole so far."""
        return dict(self._members)

    def finish(self, manifest: Manifest) -> int:
        """Write the manifest and give the archive its name; return its size in bytes."""
        self._zip.writestr(zipfile.ZipInfo(MANIFEST), manifest.model_dump_json(indent=1))
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        size = os.fstat(self._file.fileno()).st_size
        if self._replace:
            self._temporary.replace(self._path)
            return size
        try:
            # A link fails where the file exists: nobody's archive is overwritten.
            os.link(self._temporary, self._path)
        except FileExistsError:
            raise Conflict(f"{self._path} was made just now; name another file") from None
        except OSError:
            self._temporary.replace(self._path)
        return size
