"""Between adding up and eigenvalues: moments on their way from a GPU, and spectra taken beside training."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

import torch

from worker.probe.accumulate import Accumulator
from worker.probe.affine import Parameters, compose, parameters
from worker.probe.errors import NonFiniteSpectrum
from worker.probe.maps import LayerSpectrum, MapName
from worker.probe.moments import Moments
from worker.probe.plan import Chain, Plan


@dataclass(eq=False)
class Accumulated:
    """All of one measurement that its spectra are made from, on the CPU, for the weights as they were.

    `moments` holds those of the plan's sources, and `parameters` those of each layer's chain. Copies from a GPU may
    still be under way until `ready`.
    """

    moments: dict[MapName, Moments]
    parameters: dict[str, list[Parameters]]
    copied: torch.cuda.Event | None

    def ready(self) -> None:
        """Wait for the copies."""
        if self.copied is not None:
            self.copied.synchronize()

    def spectrum(self, chain: Chain) -> LayerSpectrum:
        """Return a layer's spectrum."""
        layer, moments = chain.layer, self.moments[chain.source.name]
        step = compose(self.parameters[layer.name]) if chain.steps else None
        found = moments.spectrum(layer.width, step)
        return LayerSpectrum(
            layer=layer,
            eigenvalues=found.eigenvalues,
            trace=found.trace,
            lambda_1=float(found.eigenvalues[0]),
            images=moments.images,
            positions=moments.positions,
        )


def collect(plan: Plan, accumulators: Mapping[MapName, Accumulator]) -> Accumulated:
    """Copy the chains' parameters, and take the moments to the CPU, from a GPU without waiting for them.

    Raises `NonFiniteSpectrum` naming the first layer that holds NaN or infinity, or is made by weights that do.
    """
    made_by = {chain.layer.name: parameters(chain.modules) for chain in plan.chains if chain.steps}
    flags = torch.stack([accumulator.finite() for accumulator in accumulators.values()]).tolist()
    finite = dict(zip(accumulators, flags, strict=True))
    for chain in plan.chains:
        weights = made_by.get(chain.layer.name, [])
        if not (finite[chain.source.name] and all(part.finite() for part in weights)):
            raise NonFiniteSpectrum(chain.layer.name)
    moments = {name: accumulator.moments() for name, accumulator in accumulators.items()}
    copied = None
    if any(accumulator.device.type == "cuda" for accumulator in accumulators.values()):
        copied = torch.cuda.Event()  # type: ignore[no-untyped-call]
        copied.record()
    return Accumulated(moments, made_by, copied)


class Measurement:
    """Spectra that are being taken in a side thread."""

    def __init__(self, future: Future[list[LayerSpectrum]]) -> None:
        self._future = future

    def done(self) -> bool:
        """Return whether `result` would not wait."""
        return self._future.done()

    def result(self) -> list[LayerSpectrum]:
        """Return the spectra once they are there; raises what taking them raised."""
        return self._future.result()

    def wait(self) -> None:
        """Wait for the end, whatever it is."""
        self._future.exception()
