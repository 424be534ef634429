"""Records into a file of this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path

from backend.errors import Conflict, Unavailable
from backend.measurements.recording import Record
from backend.runs.recorded import FinishRequest, InitKind, MetricPoint, RecordingRequest
from eigenscope.recording import layout
from eigenscope.recording.recorder import BaseRecorder, Setting


class FileRecorder(BaseRecorder):
    """Appends a recording to a file, by custom named `.arrows`; see `layout` for what it holds.

    A measurement is on the disk when `spectra` returns. Raises `Conflict` where the file exists, unless `append`:
    then a recording of the same description and layers goes on in it, such as that of a training which goes on from
    its checkpoint, and a tail that a crash cut off is removed first. Of what is written twice the later counts.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        append: bool = False,
        name: str,
        tags: Sequence[str] = (),
        iterations: int = 0,
        init: InitKind = "unknown",
        settings: Mapping[str, Setting] | None = None,
    ) -> None:
        super().__init__(name, tags, iterations, init, settings)
        self._path = Path(path)
        self._append = append
        self._file: FileIO | None = None
        self._length = 0
        if not append and self._path.exists():
            raise self._exists()

    def _begin(self, request: RecordingRequest) -> None:
        if self._append and self._path.exists():
            self._go_on(request)
            return
        try:
            self._file = FileIO(self._path, "xb")
        except FileExistsError:
            raise self._exists() from None
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be made: {error.strerror}") from None
        self._write(layout.head(request))

    def _exists(self) -> Conflict:
        return Conflict(
            f"{self._path} exists already; name another file, or give append=True to go on with its recording"
        )

    def _go_on(self, request: RecordingRequest) -> None:
        found = layout.read_whole(self._path)
        fields = type(request).model_fields
        other = [field for field in fields if getattr(found.request, field) != getattr(request, field)]
        if other:
            raise Conflict(
                f"{self._path} holds a recording with another {' and '.join(other)}; name another file for this one"
            )
        try:
            self._file = FileIO(self._path, "rb+")
            self._file.truncate(found.length)
            self._file.seek(found.length)
        except OSError as error:
            raise Unavailable(f"{self._path} cannot be written: {error.strerror}") from None
        self._length = found.length

    def _write_spectra(self, records: Sequence[Record]) -> None:
        self._write(layout.spectra(records))

    def _write_metrics(self, points: Sequence[MetricPoint]) -> None:
        self._write(layout.metrics(points))

    def _write_end(self, request: FinishRequest) -> None:
        self._write(layout.end(request) + layout.END_OF_STREAM)

    def _write(self, content: bytes) -> None:
        file = self._file
        assert file is not None  # noqa: S101 - the base class writes only after it began
        rest = memoryview(content)
        try:
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except OSError as error:
            # Half a batch in the middle would hide all that follows it.
            with suppress(OSError):
                file.truncate(self._length)
                file.seek(self._length)
            raise Unavailable(f"{self._path} cannot be written: {error.strerror}") from None
        self._length += len(content)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
