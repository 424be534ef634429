"""The maps of a real detector, and spectra for them that look like real ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.measurements.records import LayerRow, SpectrumRow
from backend.runs.footprint import selected_maps
from backend.runs.specification import RunSpecification
from benchmarks.dashboard.spectra import THRESHOLD

NARROWEST = 4


def detector_layers(most: int, narrower: int) -> list[LayerRow]:
    """Return the maps that are measured by default of Faster R-CNN with ResNet-50 and FPN, and norms up to `most`."""
    kinds = {"maps": ["act", "block", "norm", "fpn", "rpn", "box_head"]}
    specification = RunSpecification.model_validate({"dataset_id": 1, "probe": kinds})
    maps = selected_maps(specification)
    # Norms fill up what the default leaves: a width plan needs all others.
    usual = [one for one in maps if one.kind != "norm"]
    chosen = {one.name for one in [*usual, *(one for one in maps if one.kind == "norm")][:most]}
    return [
        LayerRow(k, one.name, one.kind, one.name.partition(".")[0], max(NARROWEST, one.width // narrower))
        for k, one in enumerate(one for one in maps if one.name in chosen)
    ]


def snapshot(
    layers: Sequence[LayerRow], number: int, of: int, images: int, positions: int
) -> list[SpectrumRow]:
    """Return the spectra of all layers at one of `of` snapshots: dimensionalities that grow with training."""
    rng = np.random.default_rng(number)
    rows = []
    for layer in layers:
        cut = max(2.0, layer.width * (0.1 + 0.7 * ((number + 1) / of) ** 0.4))
        j = np.arange(1, layer.width + 1, dtype=np.float32)
        noise = np.exp(rng.normal(0.0, 0.03, layer.width))
        values = -np.sort(-4.0 * j**-1.2 * np.exp(-((j / cut) ** 3)) * noise).astype(np.float32)
        count = int((values > THRESHOLD).sum())
        rows.append(
            SpectrumRow(layer.order, values, count, float(values.sum()), float(values[0]), images, positions)
        )
    return rows
