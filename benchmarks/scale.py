"""How large everything is that is measured: in full, or so small that only the code is tried."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import torch

from backend.architectures.widths import standard_widths
from backend.runs.schedule import snapshot_iterations
from backend.runs.specification import ProbeSpecification, RunSpecification, TrainingSpecification
from benchmarks.dashboard.spectra import Amount

BACKBONE = "resnet50"
TINY_OUTER, TINY_INNER = 16, 8
"""Channels of a block's output and inside a block, where only the code is tried."""


@dataclass(frozen=True)
class Body:
    """ResNet-50 without its head, on `images` square images of a side of `size` pixels."""

    size: int = 256
    images: int = 2
    tiny: bool = False


@dataclass(frozen=True)
class Training:
    """A detector's training: Faster R-CNN, ResNet-50 and FPN, on generated images (height, width)."""

    height: int = 256
    width: int = 256
    batch_size: int = 4
    probe_images: int = 2
    iterations: int = 100
    every: int = ProbeSpecification().every
    amp: Literal["off", "bf16"] = "off"
    device: Literal["cpu", "cuda"] = "cpu"
    tiny: bool = False

    def specification(self) -> RunSpecification:
        """Return the run's specification: the defaults of the product but for what is named here."""
        model: dict[str, Any] = {"backbone": BACKBONE, "widths": tiny_widths() if self.tiny else None}
        schedule = {
            "iterations": self.iterations,
            "batch_size": self.batch_size,
            "image_size": min(self.height, self.width),
            "warmup": min(self.iterations, TrainingSpecification().warmup),
            "amp": self.amp,
        }
        probe = {"images": self.probe_images, "every": self.every}
        return RunSpecification.model_validate(
            {"dataset_id": 1, "model": model, "training": schedule, "probe": probe}
        )

    @property
    def snapshots(self) -> int:
        """How often the probe looks."""
        return len(snapshot_iterations(self.iterations, self.every))

    def __str__(self) -> str:
        precision = "bfloat16 autocast" if self.amp == "bf16" else "float32"
        size = f"images of {self.height} x {self.width}"
        return f"Faster R-CNN, ResNet-50 and FPN, {self.iterations} iterations on {size}, {precision}"


@dataclass(frozen=True)
class Scale:
    """Sizes and numbers of rounds of every part."""

    body: Body = Body()
    body_rounds: int = 7
    readout_rounds: int = 5
    training: Training = Training()
    training_rounds: int = 2
    speed_iterations: int = 4
    speed_rounds: int = 15
    memory_probe_images: tuple[int, ...] = (2, 16, 64)
    memory_rounds: int = 1
    gpu_training: Training = Training(
        800, 1333, probe_images=ProbeSpecification().images, amp="bf16", device="cuda"
    )
    gpu_batches: tuple[int, ...] = (4, 8)
    gpu_rounds: int = 3
    gpu_memory_rounds: int = 1
    gpu_body_images: int = 32
    gpu_body_batch: int = 8
    matrix_side: int = 8192
    matrix_rounds: int = 9
    decompositions: tuple[int, ...] = (256, 512, 1024, 2048)
    pages: Amount = field(default_factory=Amount)
    pages_rounds: int = 5

    @property
    def has_gpu(self) -> bool:
        """Whether the device that the GPU's parts are to run on is here."""
        return self.gpu_training.device == "cpu" or torch.cuda.is_available()

    def with_rounds(self, rounds: int) -> Scale:
        """Return the same with as many rounds for every part."""
        changes: dict[str, Any] = {f.name: rounds for f in fields(self) if f.name.endswith("rounds")}
        return replace(self, **changes)


def quick() -> Scale:
    """Return sizes that try the code in seconds; the GPU's parts run on the CPU."""
    training = Training(64, 64, 1, iterations=2, tiny=True)
    return Scale(
        body=Body(64, tiny=True),
        body_rounds=1,
        readout_rounds=1,
        training=training,
        training_rounds=1,
        speed_iterations=2,
        speed_rounds=1,
        memory_probe_images=(2,),
        memory_rounds=1,
        gpu_training=replace(training, width=96, amp="bf16"),
        gpu_batches=(1,),
        gpu_rounds=1,
        gpu_body_images=2,
        gpu_body_batch=1,
        matrix_side=64,
        matrix_rounds=1,
        decompositions=(16,),
        pages=Amount(2, 10, 40, 30),
        pages_rounds=1,
    )


def tiny_widths() -> dict[str, int]:
    """Return widths of a ResNet-50 detector that keep its shape, bottlenecks included."""
    widths = {"stem": TINY_INNER}
    for name in standard_widths("faster_rcnn", BACKBONE):
        widths.setdefault(name, TINY_INNER if "." in name else TINY_OUTER)
    return widths
