"""The tables of docs/models.md, every model's size by us, by torch and as published: `python -m benchmarks.sizes`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from torchvision.models import get_model_weights

from backend.architectures.describe import describe
from backend.architectures.description import Description
from backend.architectures.maps import MAP_KINDS
from backend.architectures.widths import NECK_AND_HEADS
from backend.runs.specification import Architecture, BackboneName, ModelSpecification
from benchmarks.counts import built, macs, parameters

COCO, IMAGENET = 90, 1000
"""Categories as torchvision numbers them: COCO's 80 have numbers up to 90."""
DETECTORS_SIDE, CLASSIFIERS_SIDE = 800, 224
PUBLISHED = {
    "resnet18": ("classifier", "resnet18", "IMAGENET1K_V1"),
    "resnet34": ("classifier", "resnet34", "IMAGENET1K_V1"),
    "resnet50": ("classifier", "resnet50", "IMAGENET1K_V1"),
    "resnet101": ("classifier", "resnet101", "IMAGENET1K_V1"),
    "fasterrcnn_resnet50_fpn": ("faster_rcnn", "resnet50", "COCO_V1"),
    "maskrcnn_resnet50_fpn": ("mask_rcnn", "resnet50", "COCO_V1"),
    "retinanet_resnet50_fpn": ("retinanet", "resnet50", "COCO_V1"),
}
"""Architecture, backbone and weights of torchvision's models that are ours too."""

PAGE = Path(__file__).resolve().parents[1] / "docs" / "models.md"
BEGIN = "<!-- from here on written by make docs -->\n"
GROUPS = """
## Width groups and maps

`model.widths` sets channels by group, and the probe logs maps by kind. All have the groups `stem`, `layer1` … `layer4`
(the outputs of a stage's blocks, tied by the residual sums) and `layer1.0.conv1` (inside a block; in bottlenecks also
`.conv2`).

"""
SIZES = """
## Parameters and MACs

Computed without torch (`backend.architectures`), beside torch's own counts of the built network: `numel`, and half of
what `torch.utils.flop_counter.FlopCounterMode` finds. MACs are the multiply-accumulate operations of convolutions and
fully connected layers for one image: 800x800 pixels in a detector, 224x224 in a classifier. Box heads see 1,000
proposals and mask heads 100 detections, the most that torchvision gives them in evaluation. Parameters are those with
any norm but `frozen_batch`, whose constants are none; detectors tell 90 categories apart (the numbers of COCO's go up
to that), classifiers 1,000.

"""
PUBLISHED_HEAD = """
## Against the published numbers

What torchvision's weights tell of themselves (`num_params` and `_ops` in their `meta`; the latter counts a
multiply-accumulate once, at the same image sizes), against ours with the norm that they have: `batch` in classifiers,
`frozen_batch` in detectors.

"""
PUBLISHED_FOOT = """
All are equal but for one. torchvision counts while the detector runs on an image of noise; its number for Mask R-CNN is
that for Faster R-CNN, as it is where nothing is detected and the mask head sees nothing. Ours is {without} G without
the mask head, to whose 100 detections belong {mask_head} G.
"""


@dataclass(frozen=True)
class Sized:
    """A model's parameters and MACs by us and by torch."""

    architecture: str
    backbone: str
    parameters: int
    backbone_parameters: int
    macs: int
    torch_parameters: int
    torch_macs: int


def sized(architecture: Architecture, backbone: BackboneName) -> Sized:
    """Count a model with the standard widths both ways."""
    classes, side = _setting(architecture)
    ours = describe(architecture, backbone, "batch", False, None, classes, side, side)
    network = built(ModelSpecification(architecture=architecture, backbone=backbone), classes)
    whole, _ = parameters(network)
    counted = macs(network, side, side)
    return Sized(architecture, backbone, ours.parameters, ours.backbone_parameters, ours.macs, whole, counted)


def write_tables(page: Path, models: Sequence[Sized]) -> None:
    """Replace what stands after the page's mark. Raises ValueError where that is missing."""
    prose, mark, _ = page.read_text(encoding="utf-8").partition(BEGIN)
    if not mark:
        raise ValueError(f"{page.name} has no place for the tables: put back the line {BEGIN!r}")
    page.write_text(prose + BEGIN + tables(models), encoding="utf-8")


def tables(models: Sequence[Sized]) -> str:
    """Return all that follows the mark, in Markdown."""
    groups = [
        (
            f"`{name}`",
            _listed(f"`{group}` {width}" for group, width in heads.items()),
            _listed(MAP_KINDS[name]),
        )
        for name, heads in NECK_AND_HEADS.items()
    ]
    sizes = [
        (
            f"`{one.architecture}`",
            f"`{one.backbone}`",
            f"{one.parameters:,}",
            f"{one.torch_parameters:,}",
            f"{one.backbone_parameters:,}",
            _giga(one.macs),
            _giga(one.torch_macs),
        )
        for one in models
    ]
    size_columns = ("architecture", "backbone", "parameters", "torch", "in the backbone", "G MACs", "torch")
    published_columns = ("torchvision's model", "parameters", "ours", "G MACs", "ours")
    return "".join(
        (
            GROUPS,
            _table(("architecture", "groups beyond those, and their width", "kinds of map"), groups),
            SIZES,
            _table(size_columns, sizes, numbers_from=2),
            PUBLISHED_HEAD,
            _table(published_columns, [_published_row(name) for name in PUBLISHED], numbers_from=1),
            _published_foot(),
        )
    )


def _setting(architecture: str) -> tuple[int, int]:
    return (IMAGENET, CLASSIFIERS_SIDE) if architecture == "classifier" else (COCO, DETECTORS_SIDE)


def published(name: str) -> tuple[dict[str, Any], Description]:
    """Return what torchvision's weights tell of one of `PUBLISHED`, and how we describe the same model."""
    architecture, backbone, version = PUBLISHED[name]
    norm = "batch" if architecture == "classifier" else "frozen_batch"
    classes, side = _setting(architecture)
    ours = describe(architecture, backbone, norm, False, None, classes, side, side)
    return get_model_weights(name)[version].meta, ours


def _published_row(name: str) -> tuple[str, ...]:
    theirs, ours = published(name)
    parameters_here = (f"{theirs['num_params']:,}", f"{ours.parameters:,}")
    return (f"`{name}`", *parameters_here, f"{theirs['_ops']:.3f}", _giga(ours.macs))


def _published_foot() -> str:
    _, ours = published("maskrcnn_resnet50_fpn")
    (head,) = (stage.macs for stage in ours.stages if stage.name == "mask_head")
    return PUBLISHED_FOOT.format(mask_head=_giga(head), without=_giga(ours.macs - head))


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int | None = None) -> str:
    first = len(columns) if numbers_from is None else numbers_from
    rule = ["---" if number < first else "---:" for number in range(len(columns))]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (columns, rule, *rows))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def _giga(number: int) -> str:
    return f"{number / 1e9:.3f}"


def all_models() -> list[Sized]:
    """Count every architecture on every backbone."""
    return [sized(one, backbone) for one in get_args(Architecture) for backbone in get_args(BackboneName)]


if __name__ == "__main__":
    write_tables(PAGE, all_models())
