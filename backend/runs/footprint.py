"""What a run will leave on disk and hold in memory: counted from its layers and tensors before it is launched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from backend.architectures.description import Description
from backend.architectures.probed import ProbedMap, probed_maps
from backend.architectures.tensors import tensor_shapes
from backend.errors import InvalidInput
from backend.runs.patterns import holding
from backend.runs.specification import ModelSpecification, RunSpecification
from backend.weights.plan import COUNTER

FLOAT_BYTES, COUNTER_BYTES = 4, 8
"""Weights, momenta and eigenvalues are float32; a norm's counter of batches is an integer."""
TENSOR_BYTES, MOMENTUM_BYTES, RANDOM_BYTES = 340, 310, 12_000
"""What torch's file format adds to each tensor of a model and of its optimiser, and the state of random generators."""
GIGABYTE = 1e9
STAGES = ("stem", "layer1", "layer2", "layer3", "layer4")


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes: of all eigenvalues, of the checkpoints at the run's end, and of what training holds beside activations."""

    layers: int
    spectra: int
    checkpoints: int
    training: int


def footprint(
    specification: RunSpecification, description: Description, classes: int, snapshots: int
) -> Footprint:
    """Return what the run takes. Raises `InvalidInput` where the probe's settings select no map."""
    maps = selected_maps(specification) if specification.probe.images else []
    model = specification.model
    trained = trained_parameters(description, specification.training.trainable_stages)
    return Footprint(
        layers=len(maps),
        spectra=FLOAT_BYTES * snapshots * sum(one.width for one in maps),
        checkpoints=_checkpoints(specification, weights_bytes(model, classes), trained, snapshots),
        training=FLOAT_BYTES * (description.parameters + 2 * trained),
    )


def selected_maps(specification: RunSpecification) -> Sequence[ProbedMap]:
    """Return the maps that the probe measures."""
    model, probe = specification.model, specification.probe
    found = probed_maps(model.architecture, model.backbone, model.widths)
    kinds = [one for one in found if one.kind in probe.maps]
    named = frozenset(holding(probe.layers, [one.name for one in kinds], "probe.layers"))
    chosen = [one for one in kinds if one.name in named]
    if not chosen:
        raise InvalidInput(
            f"probe.layers '{probe.layers}' is in the name of none of the {len(kinds)} layers of probe.maps, such as "
            f"{', '.join(one.name for one in kinds[:3])}; mend it or leave it empty"
        )
    return chosen


def trained_parameters(description: Description, trainable_stages: int) -> int:
    """Return how many parameters train where the backbone's first stages are frozen."""
    frozen = STAGES[: len(STAGES) - trainable_stages]
    return sum(stage.parameters for stage in description.stages if stage.name not in frozen)


def weights_bytes(model: ModelSpecification, classes: int) -> int:
    """Return the size of a file of the network's weights."""
    shapes = tensor_shapes(model.architecture, model.backbone, model.norm, model.widths, classes)
    numbers = sum(
        (COUNTER_BYTES if COUNTER in key else FLOAT_BYTES) * prod(shape) for key, shape in shapes.items()
    )
    return numbers + TENSOR_BYTES * len(shapes)


def last_bytes(model: ModelSpecification, weights: int, trained: int) -> int:
    """Return the size of the last checkpoint, which holds a momentum for each parameter that trains."""
    shapes = tensor_shapes(model.architecture, model.backbone, model.norm, model.widths, classes=1)
    parameters = sum(1 for key in shapes if COUNTER not in key and "running_" not in key)
    return weights + FLOAT_BYTES * trained + MOMENTUM_BYTES * parameters + RANDOM_BYTES


def _checkpoints(specification: RunSpecification, weights: int, trained: int, snapshots: int) -> int:
    """Return what lies there at the end: the last, the best, and one for each snapshot, within the budget."""
    keep = specification.checkpoint_keep
    # The best and a snapshot may be the same file; that of the last snapshot often is.
    others = snapshots if "snapshots" in keep else int("best" in keep)
    last = last_bytes(specification.model, weights, trained)
    budget = specification.checkpoint_budget * GIGABYTE
    fitting = max(0, int((budget - last) // weights))
    return last + weights * min(others, fitting)
