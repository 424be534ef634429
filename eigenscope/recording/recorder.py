"""What every recorder does: it takes layers, spectra and scalars, and says how the training ended."""

from __future__ import annotations

import logging
import math
import operator
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

from pydantic import BaseModel, ValidationError

from backend.errors import Conflict, EigenscopeError, InvalidInput
from backend.http.errors import as_sentence, field_errors
from backend.measurements import recording
from backend.measurements.recording import Measured, Record
from backend.measurements.records import WALL_SECONDS, LayerRow
from backend.runs.recorded import (
    MOST_POINTS,
    Ending,
    FinishRequest,
    InitKind,
    MetricPoint,
    RecordingDescription,
    RecordingRequest,
)
from backend.runs.recordings import RecordingStopped

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
"""Scalars are collected for so long, so that a training which says some each iteration is not held up."""
LONGEST_ERROR = 2000

Setting = str | int | float | bool | None
Model = TypeVar("Model", bound=BaseModel)


class ProbedMap(Protocol):
    """One map, as the probe describes it (`worker.probe.maps.ProbedLayer`)."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def map(self) -> str: ...  # noqa: D102
    @property
    def stage(self) -> str: ...  # noqa: D102
    @property
    def width(self) -> int: ...  # noqa: D102
    @property
    def order(self) -> int: ...  # noqa: D102


class Recorder(Protocol):
    """What a training loop may ask of any recorder; `with` ends the recording as the block ends."""

    def layers(self, layers: Sequence[ProbedMap]) -> None:
        """Begin the recording with the maps that will be measured: `probe.layers`. Once, before all else."""

    def spectra(self, iteration: int, spectra: Sequence[Measured]) -> None:
        """Write one measurement, whole; `iteration` counts updates of the weights, 0 is before any."""

    def metrics(self, iteration: int, values: Mapping[str, Any]) -> None:
        """Note scalars of one iteration: anything that `float` takes; NaN and infinity are kept as missing."""

    def finish(self, status: Ending = "succeeded", error: str | None = None) -> None:
        """Say how the training ended; nothing can be written afterwards."""

    def __enter__(self) -> Self:
        """Return the recorder."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish: succeeded, or failed with the exception's sentence; cancelled where a person stopped it."""


class BaseRecorder(ABC):
    """Checks what it is given and collects scalars; a subclass writes. Not for several threads at once.

    A write that fails raises, and leaves the recording as it was: the same call may be made again. Raises
    `InvalidInput` for numbers that do not fit the layers, and `RecordingStopped` once the run was cancelled or
    deleted.
    """

    def __init__(
        self,
        name: str,
        tags: Sequence[str],
        iterations: int,
        init: InitKind,
        settings: Mapping[str, Setting] | None,
    ) -> None:
        self._description = checked(
            RecordingDescription,
            name=name,
            tags=tuple(tags),
            iterations=iterations,
            init={"kind": init},
            settings=dict(settings or {}),
        )
        self._layers: dict[str, LayerRow] = {}
        self._points: list[MetricPoint] = []
        self._began = self._flushed_at = time.monotonic()
        self._ended = False

    def layers(self, layers: Sequence[ProbedMap]) -> None:
        """Begin the recording with the maps that will be measured: `probe.layers`. Once, before all else."""
        if self._layers or self._ended:
            raise Conflict("this recorder has its layers already; make another one for another run")
        fields = ("order", "name", "map", "stage", "width")
        plain = [{field: getattr(layer, field) for field in fields} for layer in layers]
        request = checked(RecordingRequest, **self._description.model_dump(), layers=plain)
        self._begin(request)
        self._layers = {layer.name: LayerRow(**layer.model_dump()) for layer in request.layers}

    def spectra(self, iteration: int, spectra: Sequence[Measured]) -> None:
        """Write one measurement, whole; `iteration` counts updates of the weights, 0 is before any."""
        self._demand_open()
        records = recording.measured(_whole(iteration), spectra)
        recording.rows(records, self._layers)
        self.flush()
        self._write_spectra(records)

    def metrics(self, iteration: int, values: Mapping[str, Any]) -> None:
        """Note scalars of one iteration: anything that `float` takes; NaN and infinity are kept as missing.

        When that was is noted with each write, as `wall_seconds` since the recorder was made, unless it is given.
        """
        self._demand_open()
        numbers = {name: _number(name, value) for name, value in values.items()}
        self._points.append(checked(MetricPoint, iteration=_whole(iteration), values=numbers))
        if time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            if WALL_SECONDS not in numbers:
                passed = {WALL_SECONDS: time.monotonic() - self._began}
                self._points.append(MetricPoint(iteration=_whole(iteration), values=passed))
            self.flush()

    def flush(self) -> None:
        """Write the scalars noted since the last time."""
        while self._points:
            part = self._points[:MOST_POINTS]
            self._write_metrics(part)
            del self._points[: len(part)]
        self._flushed_at = time.monotonic()

    def finish(self, status: Ending = "succeeded", error: str | None = None) -> None:
        """Say how the training ended; nothing can be written afterwards."""
        self._demand_open()
        request = checked(FinishRequest, status=status, error=error)
        self.flush()
        self._write_end(request)
        self._ended = True
        self._close()

    def __enter__(self) -> Self:
        """Return the recorder."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish: succeeded, or failed with the exception's sentence; cancelled where a person stopped it."""
        try:
            if self._layers and not self._ended:
                self._finish_after(error)
        finally:
            self._ended = True
            self._close()

    def _finish_after(self, error: BaseException | None) -> None:
        if error is None:
            self.finish()
            return
        stopped = isinstance(error, RecordingStopped | KeyboardInterrupt)
        if isinstance(error, RecordingStopped):
            self._points.clear()
        try:
            if stopped:
                self.finish("cancelled")
            else:
                self.finish("failed", _sentence(error))
        except RecordingStopped:
            # The run is gone: nobody wants to know how it ended.
            pass
        except EigenscopeError as second:
            # The first error is what the person must see; this one only says that its end is not on record.
            _log.warning("how the recording ended could not be written: %s", second)

    def _demand_open(self) -> None:
        if self._ended:
            raise Conflict("this recording has ended; make another recorder for another run")
        if not self._layers:
            raise Conflict("a recording begins with its layers; call recorder.layers(probe.layers) first")

    @abstractmethod
    def _begin(self, request: RecordingRequest) -> None:
        """Write what the recording is."""

    @abstractmethod
    def _write_spectra(self, records: Sequence[Record]) -> None:
        """Write the spectra of one measurement, all or none."""

    @abstractmethod
    def _write_metrics(self, points: Sequence[MetricPoint]) -> None:
        """Write scalars, all or none."""

    @abstractmethod
    def _write_end(self, request: FinishRequest) -> None:
        """Write how it ended."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of what is open; may be called again."""


def checked(model: type[Model], **values: Any) -> Model:
    """Return the model of these values; what is wrong is one sentence that begins with its name."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problems = field_errors(error.errors())
        raise InvalidInput("; ".join(as_sentence(problem) for problem in problems[:5])) from None


def _whole(iteration: Any) -> int:
    try:
        return operator.index(iteration)
    except TypeError:
        raise InvalidInput(f"an iteration is a whole number, not {iteration!r}") from None


def _number(name: str, value: Any) -> float | None:
    try:
        # A tensor's `item` is its number, without the warning that `float` gives of one which takes gradients.
        number = float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        raise InvalidInput(f"the metric '{name}' is a {type(value).__name__}, not a number") from None
    return number if math.isfinite(number) else None


def _sentence(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    words = lines[0] if lines else ""
    if not isinstance(error, EigenscopeError):
        words = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return words.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST_ERROR]
