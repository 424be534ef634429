"""Settings of a run that cannot hold together, each said in one sentence before anything is queued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.architectures.maps import MAP_KINDS
from backend.architectures.widths import body_widths

MOST_SNAPSHOTS = 100_000
"""Of one run: their list, and every figure of them, has to fit into memory."""

if TYPE_CHECKING:
    from backend.runs.specification import (
        ModelSpecification,
        ProbeSpecification,
        RunSpecification,
        TrainingSpecification,
    )


def contradictions(specification: RunSpecification) -> list[str]:
    """Return one sentence for each pair of settings that cannot both hold."""
    return [
        *_schedule_contradictions(specification.training),
        *_init_contradictions(specification),
        *_probe_contradictions(specification.model, specification.probe),
        *_snapshot_contradictions(specification),
        *_resource_contradictions(specification),
    ]


def _schedule_contradictions(training: TrainingSpecification) -> list[str]:
    found: list[str] = []
    if training.warmup > training.iterations:
        found.append(
            f"training.warmup ({training.warmup}) exceeds training.iterations ({training.iterations}); "
            "shorten the warm-up"
        )
    if training.milestones and training.milestones[-1] >= training.iterations:
        found.append(
            f"training.milestones names iteration {training.milestones[-1]}, but training ends at "
            f"{training.iterations}; remove it or train longer"
        )
    if training.image_size_min is not None and training.image_size_min > training.image_size:
        found.append(
            f"training.image_size_min ({training.image_size_min}) exceeds training.image_size "
            f"({training.image_size}); make it smaller or leave it empty"
        )
    return found


def _init_contradictions(specification: RunSpecification) -> list[str]:
    model, kind = specification.model, specification.init.kind
    stages = specification.training.trainable_stages
    rules = [
        (
            model.norm == "frozen_batch" and kind == "scratch",
            "model.norm frozen_batch cannot be trained from scratch, since its statistics never move; "
            "take batch, sync_batch or group",
        ),
        (
            stages < 5 and kind == "scratch",
            f"training.trainable_stages {stages} would freeze random weights; set it to 5 to start from scratch",
        ),
        (
            model.norm == "group" and kind == "imagenet",
            "model.norm group cannot start from ImageNet, since torchvision has no such weights; take batch, "
            "sync_batch or frozen_batch, or start from scratch",
        ),
        (
            model.stride_in_1x1 and model.backbone in ("resnet18", "resnet34"),
            f"model.stride_in_1x1 has no meaning for {model.backbone}, which has no bottlenecks; turn it off",
        ),
        (
            model.stride_in_1x1 and kind == "imagenet",
            "model.stride_in_1x1 does not fit torchvision's ImageNet weights, which have their stride in the 3x3; turn "
            "it off",
        ),
        (
            bool(body_widths(model.widths)) and kind == "imagenet",
            f"model.widths of {', '.join(body_widths(model.widths))} do not fit ImageNet's weights, which have the "
            "standard ones; leave them out or start from scratch",
        ),
    ]
    return [sentence for holds, sentence in rules if holds]


def _probe_contradictions(model: ModelSpecification, probe: ProbeSpecification) -> list[str]:
    kinds = MAP_KINDS[model.architecture]
    if not probe.images or any(kind in kinds for kind in probe.maps):
        return []
    return [
        f"probe.maps {', '.join(probe.maps)} are none that a {model.architecture} has; take some of "
        f"{', '.join(kinds)}, or probe.images 0 for none"
    ]


def _snapshot_contradictions(specification: RunSpecification) -> list[str]:
    probe, iterations = specification.probe, specification.training.iterations
    snapshots = iterations // probe.every
    if not probe.images or snapshots <= MOST_SNAPSHOTS:
        return []
    return [
        f"probe.every ({probe.every}) would take {snapshots:,} snapshots in {iterations:,} iterations, and a run has "
        f"{MOST_SNAPSHOTS:,} at most; make it {-(-iterations // MOST_SNAPSHOTS):,} or more"
    ]


def _resource_contradictions(specification: RunSpecification) -> list[str]:
    training, gpus = specification.training, specification.resources.gpus
    found: list[str] = []
    if gpus and training.batch_size % gpus:
        found.append(
            f"training.batch_size ({training.batch_size}) cannot be shared evenly by {gpus} GPUs; make it a multiple "
            "of resources.gpus"
        )
    if training.amp == "fp16" and gpus == 0:
        found.append(
            "training.amp fp16 needs a GPU, which resources.gpus 0 forbids; take bf16 or off, or allow a GPU"
        )
    return found
