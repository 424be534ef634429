"""What eigenvalues cost, once all is added up, against delve's read-out of a third of the maps."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.models import BODY_MAPS, random_images, settled_body
from benchmarks.rival import Rival
from benchmarks.rounds import Measure, interleaved, timed
from benchmarks.rows import Part, alone, compared
from benchmarks.scale import Scale
from worker.probe.probe import EigenspectrumProbe

AGAINST_DELVE = 1 / 3
STRIDE = 32
"""Of the coarsest maps, in pixels."""


def measure(scale: Scale) -> Part:
    """Measure the read-out of few images and of so many that no covariance lacks rank for want of positions."""
    body, size = settled_body(scale.body), scale.body.size
    few = EigenspectrumProbe(body, random_images(scale.body.images, size, size), maps=BODY_MAPS)
    widest = max(layer.width for layer in few.layers)
    enough = widest // (size // STRIDE) ** 2 + 1
    many = EigenspectrumProbe(body, random_images(enough, size, size), maps=BODY_MAPS)
    with TemporaryDirectory() as folder:
        rival = Rival(body, Path(folder))
        rival.forward(torch.stack(random_images(scale.body.images, size, size)))
        maps, delve = (
            f"all eigenvalues of {len(few.layers)} maps",
            f"delve's add_saturations, {rival.maps} maps",
        )
        first, second = f"{maps}, {scale.body.images} images", f"{maps}, {enough} images"
        measures = {delve: timed(rival.read), first: _read(few), second: _read(many)}
        seconds = interleaved(measures, scale.readout_rounds)
    rows = (
        alone(delve, seconds[delve]),
        compared(first, seconds[first], delve, seconds[delve], AGAINST_DELVE),
        compared(second, seconds[second], delve, seconds[delve], None),
    )
    configuration = (
        f"ResNet-50's body, images of {size} x {size}, after adding up. With {enough} images every map has more "
        "positions than channels, so that none is cheap for want of them; delve's cost does not depend on images."
    )
    return Part("Reading out", configuration, rows)


def _read(probe: EigenspectrumProbe) -> Measure:
    """Return a measure of reading out what has been added up anew, for what was read before may remember."""

    def seconds() -> float:
        moments = probe.accumulate()
        began = time.perf_counter()
        probe.read(moments)
        return time.perf_counter() - began

    return seconds
