"""What adding up costs, against a forward pass and against delve. Eigenvalues are `readout`'s."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from benchmarks.models import BODY_MAPS, random_images, settled_body
from benchmarks.rival import Rival
from benchmarks.rounds import interleaved, timed
from benchmarks.rows import Part, alone, compared
from benchmarks.scale import Scale
from worker.probe.probe import EigenspectrumProbe

AGAINST_FORWARD = 2.5
AGAINST_DELVE = 0.6
FORWARD = "forward pass"


def measure(scale: Scale) -> Part:
    """Measure one pass over the probe's images, without and with looking at the maps."""
    body, images = (
        settled_body(scale.body),
        random_images(scale.body.images, scale.body.size, scale.body.size),
    )
    batch = torch.stack(images)
    straight, short = (
        EigenspectrumProbe(body, images, maps=BODY_MAPS, shortcuts=shortcuts) for shortcuts in (False, True)
    )
    with TemporaryDirectory() as folder:
        rival = Rival(body, Path(folder))
        maps, delve = f"all {len(short.layers)} maps", f"delve, {rival.maps} maps"
        plain, quick = f"{maps}, each added up", f"{maps}, with shortcuts"

        def forward() -> None:
            with torch.no_grad():
                body(batch)

        actions = {
            FORWARD: forward,
            plain: straight.accumulate,
            quick: short.accumulate,
            delve: lambda: rival.forward(batch),
        }
        seconds = interleaved({name: timed(action) for name, action in actions.items()}, scale.body_rounds)
    rows = (
        alone(FORWARD, seconds[FORWARD]),
        compared(plain, seconds[plain], FORWARD, seconds[FORWARD]),
        compared(quick, seconds[quick], FORWARD, seconds[FORWARD], AGAINST_FORWARD),
        compared(delve, seconds[delve], FORWARD, seconds[FORWARD]),
        compared(quick, seconds[quick], delve, seconds[delve], AGAINST_DELVE),
    )
    size = f"{scale.body.images} images of {scale.body.size} x {scale.body.size}"
    configuration = f"ResNet-50's body in evaluation mode on the CPU, {size}; no eigenvalues."
    return Part("Adding up", configuration, rows)
