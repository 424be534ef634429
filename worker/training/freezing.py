"""Which stages of the backbone train; said aloud, since a silent answer has cost others weeks (torchvision #2164)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from torch import nn

from backend.runs.start import StagePart
from worker.training.detectors import BODY

STAGES: dict[str, tuple[str, ...]] = {
    "stem": ("conv1", "bn1"),
    "layer1": ("layer1",),
    "layer2": ("layer2",),
    "layer3": ("layer3",),
    "layer4": ("layer4",),
}
"""The backbone's stages in network order, with the modules of each."""

PARTS = {
    "backbone.fpn.": "fpn",
    "rpn.": "rpn",
    "roi_heads.box_": "box_head",
    "roi_heads.mask_": "mask_head",
    "head.": "retina_head",
}
"""What a detector has beyond its backbone, by the beginning of its parameters' names."""


@dataclass(frozen=True, slots=True)
class FreezeReport:
    """Stages of the backbone that train and that are frozen, and the parameters of the whole model in both."""

    trained: tuple[str, ...]
    frozen: tuple[str, ...]
    trained_parameters: int
    frozen_parameters: int
    parts: list[StagePart]
    """The same for every part of the model, the backbone's stages first."""

    def __str__(self) -> str:
        frozen = ", ".join(self.frozen) or "nothing"
        return (
            f"training {self.trained_parameters:,} parameters (backbone: {', '.join(self.trained) or 'nothing'}, "
            f"and the rest of the model); frozen: {frozen} ({self.frozen_parameters:,} parameters)"
        )


def freeze(model: nn.Module, trainable_stages: int) -> FreezeReport:
    """Let the last `trainable_stages` (0 … 5) of the backbone train, with all that follows it; freeze the others.

    Returns what the parameters themselves say afterwards. Raises AssertionError when that is not what was asked
    for, and ValueError for a number that is no count of stages.
    """
    if not 0 <= trainable_stages <= len(STAGES):
        raise ValueError(f"trainable_stages is {trainable_stages}; take 0 to {len(STAGES)}")
    first = len(STAGES) - trainable_stages
    frozen = tuple(STAGES)[:first]
    model.requires_grad_(True)
    for module in _modules(model, frozen):
        module.requires_grad_(False)
    report = _report(model)
    expected = _with_parameters(model, tuple(STAGES)[first:]), _with_parameters(model, frozen)
    if (report.trained, report.frozen) != expected:
        raise AssertionError(f"asked to freeze {frozen}, but {report}")
    return report


def train_mode(model: nn.Module) -> None:
    """Put the model into training mode, except the frozen stages.

    A batch norm there would otherwise go on moving its statistics under frozen weights.
    """
    model.train()
    for module in _modules(model, _report(model).frozen):
        module.eval()


def body_of(model: nn.Module) -> nn.Module:
    """Return the residual network of a detector, or the classifier itself."""
    return model.get_submodule(BODY.rstrip(".")) if hasattr(model, "backbone") else model


def _modules(model: nn.Module, stages: tuple[str, ...]) -> Iterator[nn.Module]:
    body = body_of(model)
    for stage in stages:
        for name in STAGES[stage]:
            yield body.get_submodule(name)


def _with_parameters(model: nn.Module, stages: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(s for s in stages if any(True for m in _modules(model, (s,)) for _ in m.parameters()))


def _report(model: nn.Module) -> FreezeReport:
    trained: list[str] = []
    frozen: list[str] = []
    for stage in STAGES:
        flags = {p.requires_grad for module in _modules(model, (stage,)) for p in module.parameters()}
        if len(flags) > 1:
            raise AssertionError(f"{stage} is frozen in part")
        (trained if True in flags else frozen).append(stage)
    sizes = {
        flag: sum(p.numel() for p in model.parameters() if p.requires_grad is flag) for flag in (True, False)
    }
    return FreezeReport(tuple(trained), tuple(frozen), sizes[True], sizes[False], _parts(model))


def _parts(model: nn.Module) -> list[StagePart]:
    """Return what trains and what does not, part by part, in network order."""
    found: dict[tuple[str, bool], int] = {}
    for name, parameter in model.named_parameters():
        key = (_part_of(name), parameter.requires_grad)
        found[key] = found.get(key, 0) + parameter.numel()
    return [StagePart(name=name, parameters=count, trains=trains) for (name, trains), count in found.items()]


def _part_of(parameter: str) -> str:
    """Return the stage of the backbone that a parameter belongs to, or else the module of the detector."""
    within = parameter.removeprefix(BODY)
    first = within.partition(".")[0]
    stage = next((stage for stage, modules in STAGES.items() if first in modules), None)
    return stage or next((part for start, part in PARTS.items() if within.startswith(start)), first)
