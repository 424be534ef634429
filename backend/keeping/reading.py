"""Reads an archive of anybody's: nothing of it is believed before its shape, names and checksums are checked."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from backend import migration
from backend.errors import Conflict, InvalidInput
from backend.keeping.manifest import FORMAT, VERSION, Manifest
from backend.keeping.writing import CHUNK, MANIFEST

LARGEST_MANIFEST = 256 * 2**20
ENCRYPTED = 0x1
BROKEN = (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OverflowError, OSError)
"""What Python's zip reader raises for bytes that are no archive."""


class Archive:
    """An archive that is open; `manifest` says what is in it. `check` must have passed before anything is used."""

    def __init__(self, path: Path, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path, self.manifest, self._zip = path, manifest, file

    def names(self, folder: str) -> list[str]:
        """Return the members below a folder, in the manifest's order."""
        return [name for name in self.manifest.members if name.startswith(folder)]

    def __contains__(self, name: str) -> bool:
        return name in self.manifest.members

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Yield a member's bytes."""
        with self._zip.open(name) as file:
            yield file

    def copy(self, name: str, target: Path) -> None:
        """Write a member to a new file and check it on the way."""
        with target.open("xb") as written:
            self._read(name, written)

    def check(self) -> None:
        """Read everything once; raises `InvalidInput` naming the first member that is not what the manifest says."""
        for name in self.manifest.members:
            self._read(name, None)

    def _read(self, name: str, target: IO[bytes] | None) -> None:
        found, size = hashlib.sha256(), 0
        try:
            with self._zip.open(name) as file:
                while block := file.read(CHUNK):
                    found.update(block)
                    size += len(block)
                    if target is not None:
                        target.write(block)
        except BROKEN as error:
            if isinstance(error, OSError) and target is not None:
                raise
            raise _damaged(self.path, f"its part {name} cannot be read") from None
        wanted = self.manifest.members[name]
        if size != wanted.bytes or found.hexdigest() != wanted.sha256:
            raise _damaged(self.path, f"its part {name} is not the one that was written")


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open an archive; raises `InvalidInput` unless its shape is one that this program writes, and `Conflict` for one
    of a newer program."""
    try:
        file = zipfile.ZipFile(path)
    except FileNotFoundError:
        raise InvalidInput(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InvalidInput(f"{path} is a folder; name the archive in it") from None
    except PermissionError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None
    except BROKEN:
        raise _damaged(path, "it has no end that a zip file has") from None
    with file:
        yield Archive(path, file, _manifest(path, file))


def _manifest(path: Path, file: zipfile.ZipFile) -> Manifest:
    entries = file.infolist()
    try:
        (entry,) = (one for one in entries if one.filename == MANIFEST)
        if entry.file_size > LARGEST_MANIFEST:
            raise InvalidInput(f"{path}: its manifest is larger than any")
        _demand_plain(path, entry)
        content = file.read(entry)
    except BROKEN:
        raise _damaged(path, "its manifest cannot be read") from None
    manifest = _validated(path, content)
    _demand_agreement(path, entries, manifest)
    _demand_known(path, manifest)
    return manifest


def _validated(path: Path, content: bytes) -> Manifest:
    _demand_old_enough(path, content)
    try:
        manifest = Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:120]
        raise InvalidInput(
            f"{path} is no archive of Eigenscope's that this program can read: its manifest's "
            f"{where!r}: {first['msg'][:200]!r}; take one that `eigenscope export` or `backup` wrote"
        ) from None
    return manifest


def _demand_old_enough(path: Path, content: bytes) -> None:
    """Refuse the manifest of a newer format, whose further fields this program cannot judge."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise _damaged(path, "its manifest is no JSON") from None
    version = found.get("version") if isinstance(found, dict) and found.get("format") == FORMAT else None
    if isinstance(version, int) and version > VERSION:
        raise Conflict(
            f"{path} was made by a newer Eigenscope (archive format {version}, this program reads {VERSION}); "
            "upgrade the program"
        )


def _demand_agreement(path: Path, entries: list[zipfile.ZipInfo], manifest: Manifest) -> None:
    """Refuse members beyond the manifest, twice, linked, packed or of another size."""
    found: set[str] = set()
    for entry in entries:
        _demand_plain(path, entry)
        if entry.filename in found:
            raise InvalidInput(f"{path}: it holds {entry.filename!r:.120} twice; take another copy")
        found.add(entry.filename)
    missing = set(manifest.members) - found
    if missing:
        raise _damaged(path, f"its part {min(missing)} is missing")
    # Parts that lie one over another would make a small file cost a large one's reading.
    if sum(member.bytes for member in manifest.members.values()) > path.stat().st_size:
        raise _damaged(path, "its parts are said to be larger than the file")
    beyond = found - set(manifest.members) - {MANIFEST}
    if beyond:
        raise InvalidInput(
            f"{path}: it holds {min(beyond)!r:.120}, which its manifest does not name; it is not as it was written"
        )


def _demand_plain(path: Path, entry: zipfile.ZipInfo) -> None:
    mode = entry.external_attr >> 16
    linked = mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)
    packed = entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size
    if linked or packed or entry.flag_bits & ENCRYPTED:
        raise InvalidInput(
            f"{path}: its part {entry.filename!r:.120} is a link, packed or encrypted, which no archive of "
            "Eigenscope's is"
        )


def _demand_known(path: Path, manifest: Manifest) -> None:
    if manifest.migration not in migration.known():
        raise Conflict(
            f"{path} was made by a newer Eigenscope (migration {manifest.migration}, this program knows "
            f"{migration.newest()}); upgrade the program"
        )


def _damaged(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"{path} is damaged or cut off: {why}; take another copy")
