"""The probe within a run: which images it looks at, and how a measurement becomes records."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import nn

from backend.measurements.records import LayerRow, SpectrumRow
from backend.measurements.service import PAPER_CRITERION, PAPER_THRESHOLD
from backend.runs.specification import ProbeSpecification
from backend.spectra.criteria import dimensionality
from backend.spectra.precision import resolved
from worker.probe.maps import LayerSpectrum
from worker.probe.measurement import Measurement
from worker.probe.probe import EigenspectrumProbe
from worker.recorder import Recorder
from worker.training.data import ExampleSet, ProbeImages

_log = logging.getLogger(__name__)


def make_probe(
    model: nn.Module,
    examples: ExampleSet,
    specification: ProbeSpecification,
    should_stop: Callable[[], bool],
) -> EigenspectrumProbe:
    """Return the probe over the first of the validation examples."""
    return EigenspectrumProbe(
        model,
        ProbeImages(examples, specification.images),
        maps=specification.maps,
        layers=specification.layers,
        batch_size=specification.batch_size,
        batch_statistics=specification.batch_statistics,
        tf32=specification.tf32,
        should_stop=should_stop,
    )


def layer_rows(probe: EigenspectrumProbe) -> list[LayerRow]:
    """Return the probed maps as records."""
    return [LayerRow(x.order, x.name, x.map, x.stage, x.width) for x in probe.layers]


def spectrum_rows(spectra: Sequence[LayerSpectrum]) -> list[SpectrumRow]:
    """Return a measurement as records; dimensionalities are counted before the eigenvalues lose precision."""
    return [
        SpectrumRow(
            layer=s.layer.order,
            eigenvalues=s.eigenvalues,
            dimensionality=int(dimensionality(s.eigenvalues, PAPER_CRITERION, PAPER_THRESHOLD)),
            trace=s.trace,
            lambda_1=s.lambda_1,
            images=s.images,
            positions=s.positions,
        )
        for s in spectra
    ]


@dataclass(frozen=True)
class _Pending:
    iteration: int
    measurement: Measurement
    adding: float
    """Seconds that training stood still."""


class Snapshots:
    """A run's measurements, recorded in their order; at most one is under way.

    With `beside` the spectra are taken in a side thread while training goes on: where the model trains on a GPU.
    On a CPU both would only share its cores.
    """

    def __init__(self, probe: EigenspectrumProbe, recorder: Recorder, beside: bool) -> None:
        self._probe, self._recorder, self._beside = probe, recorder, beside
        self._pending: _Pending | None = None

    def take(self, iteration: int) -> None:
        """Measure the model as it is now. Raises `NonFiniteSpectrum`, `ProbeOutOfMemory` and `ProbeStopped`."""
        self.finish()
        began = time.perf_counter()
        if self._beside:
            measurement = self._probe.start()
            self._pending = _Pending(iteration, measurement, time.perf_counter() - began)
        else:
            self._record(iteration, self._probe.measure(), time.perf_counter() - began)

    def record_if_done(self) -> None:
        """Record what is ready, without waiting."""
        if self._pending is not None and self._pending.measurement.done():
            self.finish()

    def finish(self) -> None:
        """Wait for what is under way and record it."""
        pending, self._pending = self._pending, None
        if pending is not None:
            self._record(pending.iteration, pending.measurement.result(), pending.adding)

    def _record(self, iteration: int, spectra: Sequence[LayerSpectrum], seconds: float) -> None:
        self._recorder.spectra(iteration, spectrum_rows(spectra), seconds)
        _log.info("iteration %d: probed %d layers in %.1f s of training", iteration, len(spectra), seconds)
        warning = rounding_warning(spectra)
        if warning:
            _log.warning("iteration %d: %s", iteration, warning)


def rounding_warning(spectra: Sequence[LayerSpectrum]) -> str:
    """Return a sentence if some λ_1 is so large that the paper's threshold lies below float32's floor, else nothing."""
    hidden = [s for s in spectra if not resolved(PAPER_THRESHOLD, s.lambda_1)]
    if not hidden:
        return ""
    worst = max(hidden, key=lambda s: s.lambda_1)
    return (
        f"in {len(hidden)} layers λ1 is so large, up to {worst.lambda_1:.3g} in {worst.layer.name}, that eigenvalues "
        f"about {PAPER_THRESHOLD:g} are float32's rounding: read them by the relative criterion"
    )
