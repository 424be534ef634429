"""What a run is to do: the API's body, the form's source and the trainer's orders are this one model."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from backend.runs.contradictions import contradictions
from backend.texts import storable
from backend.weights.colours import Input

Architecture = Literal["faster_rcnn", "mask_rcnn", "retinanet", "classifier"]
BackboneName = Literal["resnet18", "resnet34", "resnet50", "resnet101"]
LARGEST = 2**31 - 1
"""Of ids and iterations: the databases' columns hold no more."""
Norm = Literal["frozen_batch", "batch", "sync_batch", "group"]
MapKind = Literal["conv", "norm", "act", "block", "fpn", "rpn", "box_head", "mask_head", "retina_head"]
PROPOSAL_KINDS: frozenset[str] = frozenset({"box_head", "mask_head"})
"""Kinds of map whose positions are the proposals' and not the image's."""


REFERENCE_SIDES = (800, 1333)
"""Shorter and longest side of an image in pixels, as detectors have used them on COCO since Faster R-CNN with FPN."""


def longest_side(image_size: int) -> int:
    """Return what an image's longer side may be, in pixels, where its shorter one is `image_size`."""
    shorter, longest = REFERENCE_SIDES
    return round(longest / shorter * image_size)


class Part(BaseModel):
    """Base of every part: unknown fields are refused, never ignored, and so is what JSON cannot hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelSpecification(Part):
    """The detector."""

    architecture: Architecture = Field("faster_rcnn", description="What is trained.")
    backbone: BackboneName = Field("resnet50", description="The residual network below it.")
    norm: Norm = Field(
        "batch", description="Normalisation in the backbone; compare runs only where it is the same."
    )
    stride_in_1x1: bool = Field(
        False,
        description="Stride of a bottleneck's first block in its 1x1 convolution (Caffe, Detectron2's MSRA weights) "
        "instead of its 3x3 (torchvision).",
    )
    widths: dict[str, Annotated[int, Field(ge=1, le=8192)]] | None = Field(
        None,
        description="Channels by group: `stem`, `layer1` … `layer4` (block outputs), `layer1.0.conv1` (in a block), "
        "`fpn`, `box_head`, `mask_head`, `retina_head`; what is not named keeps the standard width.",
        max_length=1000,
    )


class ImageNetInit(Part):
    """Start from torchvision's ImageNet weights."""

    kind: Literal["imagenet"] = "imagenet"


class ScratchInit(Part):
    """Start from random weights (He, Zhang, Ren, Sun 2015 for the backbone)."""

    kind: Literal["scratch"] = "scratch"


class RunInit(Part):
    """Start from another run's checkpoint."""

    kind: Literal["run"] = "run"
    run_id: int = Field(description="The run whose weights are taken.", ge=1, le=LARGEST)
    iteration: int | None = Field(
        None,
        description="Which checkpoint; empty means its last, which is waited for while that run is under way.",
        ge=0,
        le=LARGEST,
    )


class FileInit(Part):
    """Start from a file of weights under the data root."""

    kind: Literal["file"] = "file"
    file: str = Field(
        description="Name below the data root, such as `weights/resnet50.pth`.", min_length=1, max_length=400
    )
    input: Input | None = Field(
        None, description="What its network was fed; empty means rgb, where the names do not fit both."
    )


Init = Annotated[ImageNetInit | ScratchInit | RunInit | FileInit, Field(discriminator="kind")]


class TrainingSpecification(Part):
    """The schedule: SGD with momentum, linear warm-up and step decay."""

    iterations: int = Field(1000, description="Updates of the weights.", ge=1, le=1_000_000_000)
    batch_size: int = Field(4, description="Images per update.", ge=1, le=1024)
    lr: float = Field(0.005, description="Learning rate after warm-up.", gt=0, le=100)
    momentum: float = Field(0.9, description="Of SGD.", ge=0, lt=1)
    weight_decay: float = Field(
        1e-4, description="Of every weight that is neither a norm's nor a bias.", ge=0, le=1
    )
    warmup: int = Field(
        100,
        description="Iterations over which the rate rises linearly; a tenth of a short training where it is not named.",
        ge=0,
        le=LARGEST,
    )
    milestones: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (), description="Iterations at which the rate falls to a tenth.", max_length=100
    )
    amp: Literal["off", "bf16", "fp16"] = Field(
        "off", description="Autocast of the forward pass; fp16 scales the loss and needs a GPU."
    )
    clip_norm: float | None = Field(
        None, description="Gradient norm above which gradients are scaled down.", gt=0
    )
    image_size: int = Field(
        800,
        description="Shorter side of an image in pixels; the longer is at most 1333/800 of it.",
        ge=32,
        le=4096,
    )
    image_size_min: int | None = Field(
        None,
        description="Scale jitter: each training image's shorter side is drawn between this and image_size; empty "
        "keeps image_size.",
        ge=32,
        le=4096,
    )
    flip: bool = Field(True, description="Mirror half of the training images left to right.")
    group_by_aspect: bool = Field(
        True, description="Put upright and wide images into batches of their own, so that less is padded."
    )
    trainable_stages: int = Field(
        5,
        description="Of the backbone, counted from its end; 5 trains all, 3 freezes stem and layer1.",
        ge=0,
        le=5,
    )
    seed: int = Field(0, description="Of weights, data order and sampling.", ge=0, le=2**31 - 1)

    @model_validator(mode="before")
    @classmethod
    def _short_warmup(cls, data: Any) -> Any:
        """Let a training that is short and names no warm-up have one that fits it."""
        iterations = data.get("iterations") if isinstance(data, dict) else None
        if type(iterations) is int and "warmup" not in data:
            return {**data, "warmup": min(100, max(0, iterations // 10))}
        return data

    @field_validator("milestones")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError("milestones must rise, each named once")
        return value


class ProbeSpecification(Part):
    """What of the eigenspectra is logged, and when."""

    images: int = Field(
        64, description="Validation images in the probe set; 0 turns the probe off.", ge=0, le=10_000
    )
    every: int = Field(
        100,
        description="Iterations between snapshots, after the early ones at 0, 1, 2, 5, 10, 20, 50, …",
        ge=1,
        le=LARGEST,
    )
    maps: tuple[MapKind, ...] = Field(
        ("act", "block", "fpn", "rpn", "box_head", "mask_head", "retina_head"),
        description="Kinds of map; those that the model has not are passed over.",
        min_length=1,
        max_length=20,
    )
    layers: str = Field(
        "", description="Regular expression that a layer's name must match; empty takes all.", max_length=200
    )
    batch_size: int | None = Field(
        None,
        description="Images per forward pass of the probe; empty takes as many as fit. Halved where a GPU has no room.",
        ge=1,
        le=256,
    )
    batch_statistics: Literal["running", "probe"] = Field(
        "running",
        description="Batch norm's statistics while probing: its running ones, or the probe set's own.",
    )
    tf32: bool = Field(
        False,
        description="TF32 instead of float32 in the probe's convolutions and products on a GPU: faster, and counts "
        "above 1e-3 are then no longer exact.",
    )

    @field_validator("layers")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(
                f"'{value}' is no regular expression ({error}); mend it or leave it empty"
            ) from None
        return value


class ResourcesSpecification(Part):
    """What the run may use and when its turn comes."""

    gpus: int | None = Field(
        None,
        description="So many GPUs are demanded, and share each batch; 0 forbids them, empty takes one where there is "
        "one and says so in the log.",
        ge=0,
        le=64,
    )
    priority: int = Field(0, description="Higher goes first.", ge=-1000, le=1000)


class RunSpecification(Part):
    """A run, whole."""

    name: Annotated[str, AfterValidator(storable)] = Field(
        "", description="Empty gives one from the model and its initialisation.", max_length=200
    )
    tags: tuple[Annotated[str, Field(min_length=1, max_length=60), AfterValidator(storable)], ...] = Field(
        (), description="For finding it again.", max_length=20
    )
    dataset_id: int = Field(description="A registered dataset.", ge=1, le=LARGEST)
    model: ModelSpecification = ModelSpecification()
    init: Init = ScratchInit()
    training: TrainingSpecification = TrainingSpecification()
    probe: ProbeSpecification = ProbeSpecification()
    evaluate_every: int = Field(
        0, description="Iterations between evaluations; 0 evaluates at the end only.", ge=0, le=LARGEST
    )
    checkpoint_every: int = Field(
        0,
        description="Iterations between checkpoints; 0 writes one at the end and on stop.",
        ge=0,
        le=LARGEST,
    )
    checkpoint_keep: tuple[Literal["best", "snapshots"], ...] = Field(
        ("best",),
        description="Checkpoints kept beside the last: the one of the best evaluation, and one at each snapshot of "
        "the spectra.",
        max_length=10,
    )
    checkpoint_budget: float = Field(
        20.0,
        description="Gigabytes that a run's checkpoints may take; beyond, the oldest of its snapshots go first, never "
        "the last.",
        gt=0,
        le=100_000,
    )
    resources: ResourcesSpecification = ResourcesSpecification()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = contradictions(self)
        if problems:
            # One line each: `http.errors` shows every one at its field.
            raise ValueError("\n".join(problems))
        return self
