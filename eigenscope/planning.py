"""A run's probe planned before the run: its model built without training, its images known by their sizes only."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from backend.runs.specification import RunSpecification
from worker.probe.plan import Plan
from worker.probe.probe import EigenspectrumProbe
from worker.training.detectors import build_model

Size = tuple[int, int]
"""(height, width) in pixels, as an image's file has it."""


def plan_probe(specification: RunSpecification, sizes: Sequence[Size]) -> Plan:
    """Return the plan of a run's probe over images of these sizes. Raises `InvalidInput` as the run would."""
    probe, training = specification.probe, specification.training
    # The number of categories changes no map that is probed.
    model = build_model(specification.model, 1, training.image_size, training.seed)
    images = [torch.empty(3, *size, device="meta") for size in sizes]
    return EigenspectrumProbe(model, images, maps=probe.maps, layers=probe.layers).plan
