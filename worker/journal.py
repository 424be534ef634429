"""What could not be delivered, kept in order in a file of the run's folder until it can be.

The file is `journal-TOKEN.bin`: eight bytes that name the format, then one record after the other: its length and its
CRC-32 (each 4 bytes, little-endian), then that many bytes. It is only ever appended to, and emptied when all of it was
delivered. A record that was torn by a crash fails its check: it and what follows it are ignored.

The token is the run's revision when its trainer began, so that a later trainer's is larger. Who begins takes the
newest file over and removes the others; a trainer that was cut off and goes on writing then writes into a file without
a name, which nobody will ever read.
"""

from __future__ import annotations

import os
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path

FORMAT = b"EIGJRNL1"
HEAD = 8
"""Bytes before each record's own."""


class Journal:
    """An append-only file of records, and the place up to which they were delivered. Not for several threads."""

    def __init__(self, folder: Path, token: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = path_of(folder, token)
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        self._places: deque[tuple[int, int]] = deque()
        """Where the records begin that were not delivered, and how long they are."""
        self.bytes = 0
        self._write(FORMAT)

    def __len__(self) -> int:
        return len(self._places)

    def append(self, record: bytes) -> None:
        """Keep a record. Raises `OSError` where there is no room; what was written of it is taken away again."""
        place = self.bytes + HEAD
        self._write(_head(record) + record)
        self._places.append((place, len(record)))

    def first(self) -> bytes:
        """Return the oldest record that was not delivered."""
        place, length = self._places[0]
        return os.pread(self._file, length, place)

    def drop_first(self) -> None:
        """Note that the oldest was delivered; with the last of them the file becomes empty."""
        self._places.popleft()
        if not self._places:
            os.ftruncate(self._file, len(FORMAT))
            self.bytes = len(FORMAT)

    def close(self) -> None:
        """Remove the file if all of it was delivered; otherwise it stays for the next trainer."""
        if not self._places:
            self._path.unlink(missing_ok=True)
        os.close(self._file)

    def discard(self) -> None:
        """Forget all of it: the run is another's, or gone."""
        self._places.clear()

    def _write(self, content: bytes) -> None:
        written = 0
        try:
            while written < len(content):
                written += os.pwrite(self._file, content[written:], self.bytes + written)
        except OSError:
            os.ftruncate(self._file, self.bytes)
            raise
        self.bytes += written


def path_of(folder: Path, token: int) -> Path:
    """Return where the journal of the trainer with this token lies."""
    return folder / f"journal-{token:012d}.bin"


def left_behind(folder: Path) -> list[Path]:
    """Return the journals of earlier trainers, oldest first."""
    return sorted(folder.glob("journal-*.bin"))


def records(path: Path) -> Iterator[bytes]:
    """Yield a journal's records in their order, up to the first that is torn; nothing of a file of another format."""
    with path.open("rb") as file:
        if file.read(len(FORMAT)) != FORMAT:
            return
        while len(head := file.read(HEAD)) == HEAD:
            record = file.read(int.from_bytes(head[:4], "little"))
            if _head(record) != head:
                return
            yield record


def _head(record: bytes) -> bytes:
    return len(record).to_bytes(4, "little") + zlib.crc32(record).to_bytes(4, "little")
