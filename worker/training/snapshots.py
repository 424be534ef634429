"""The probe within a run: which images it looks at, and how a measurement becomes records."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import nn

from backend.measurements.records import LayerRow, SpectrumRow
from backend.runs.specification import ProbeSpecification
from backend.spectra.criteria import dimensionality
from worker.probe.maps import LayerSpectrum
from worker.probe.probe import EigenspectrumProbe
from worker.training.data import ExampleSet, probe_images

PAPER_THRESHOLD = 1e-3
"""τ of the intrinsic dimensionality d(τ) (Shinya, Simo-Serra, Suzuki 2019)."""


def make_probe(
    model: nn.Module,
    examples: ExampleSet,
    specification: ProbeSpecification,
    should_stop: Callable[[], bool],
) -> EigenspectrumProbe:
    """Return the probe over the first of the validation examples."""
    return EigenspectrumProbe(
        model,
        probe_images(examples, specification.images),
        maps=specification.maps,
        layers=specification.layers,
        batch_size=specification.batch_size,
        batch_statistics=specification.batch_statistics,
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
            dimensionality=int(dimensionality(s.eigenvalues, "absolute", PAPER_THRESHOLD)),
            trace=s.trace,
            lambda_1=s.lambda_1,
            images=s.images,
            positions=s.positions,
        )
        for s in spectra
    ]
