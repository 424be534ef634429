"""Your own model and your own training loop, watched by Eigenscope.

Record into a running server, into a database, or into a file:

    python docs/examples/own_loop.py --server http://127.0.0.1:8000
    python docs/examples/own_loop.py --database sqlite:///var/eigenscope.db
    python docs/examples/own_loop.py --file own_loop.arrows
"""

from __future__ import annotations

import argparse
import os
from collections import deque
from typing import Any

import torch
from torch import Tensor, nn

from backend.runs.schedule import snapshot_iterations
from eigenscope import (
    DatabaseRecorder,
    EigenspectrumProbe,
    FileRecorder,
    Recorder,
    RecordingStopped,
    ServerRecorder,
)

ITERATIONS = 60
EVERY = 20
BATCH_SIZE = 16
LR = 3e-3
SIZE = 32


class Gated(nn.Module):
    """A convolution whose output is scaled, channel by channel, by a gate of its own mean."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(4, out)
        self.act = nn.SiLU()
        self.gate = nn.Linear(out, out)

    def forward(self, images: Tensor) -> Tensor:
        """Return maps of half the size."""
        maps = self.act(self.norm(self.conv(images)))
        gates = torch.sigmoid(self.gate(maps.mean((2, 3))))
        return maps * gates[:, :, None, None]


class Net(nn.Module):
    """No ResNet: three gated convolutions and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(Gated(1, 16), Gated(16, 32), Gated(32, 64))
        self.head = nn.Linear(64, 2)

    def forward(self, images: Tensor) -> Tensor:
        """Return two logits an image."""
        return self.head(self.body(images).mean((2, 3)))


def blobs(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return images (count, 1, SIZE, SIZE) of one bright square, and whether it lies in the left half."""
    images = 0.2 * torch.randn(count, 1, SIZE, SIZE, generator=generator)
    corners = torch.randint(0, SIZE - 8, (count, 2), generator=generator)
    for image, (top, left) in zip(images, corners.tolist(), strict=True):
        image[0, top : top + 8, left : left + 8] += 1
    return images, (corners[:, 1] < (SIZE - 8) // 2).long()


def recorder_of(arguments: argparse.Namespace) -> Recorder:
    """Return the recorder that was asked for."""
    about: dict[str, Any] = {
        "name": "my own loop",
        "tags": ("example",),
        "iterations": ITERATIONS,
        "init": "scratch",
        "settings": {"optimiser": "AdamW", "lr": LR, "batch_size": BATCH_SIZE},
    }
    if arguments.server:
        # Where the server has a token, take it from the environment and not from the command line.
        return ServerRecorder(arguments.server, token=os.environ.get("EIGENSCOPE_TOKEN"), **about)
    if arguments.database:
        return DatabaseRecorder(arguments.database, **about)
    return FileRecorder(arguments.file, **about)


def train(recorder: Recorder) -> None:
    """Train; the spectra are taken in a side thread while the next iterations go on."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = Net()
    optimiser = torch.optim.AdamW(model.parameters(), lr=LR)
    images, _ = blobs(16, generator)
    probe = EigenspectrumProbe(model, list(images), maps=("conv", "norm", "act"))
    recorder.layers(probe.layers)

    due = snapshot_iterations(ITERATIONS, EVERY)
    under_way = deque([(0, probe.start())])
    for iteration in range(1, ITERATIONS + 1):
        images, labels = blobs(BATCH_SIZE, generator)
        loss = nn.functional.cross_entropy(model(images), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        recorder.metrics(iteration, {"loss": loss})
        if iteration in due:
            under_way.append((iteration, probe.start()))
        while under_way and (under_way[0][1].done() or iteration == ITERATIONS):
            measured_at, measurement = under_way.popleft()
            recorder.spectra(measured_at, measurement.result())
    print(f"the last loss is {loss.item():.3f}")


def main() -> None:
    """Train and say where the recording is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("--server", help="address of a running Eigenscope")
    target.add_argument("--database", help="SQLAlchemy URL of its database")
    target.add_argument("--file", help="a file to make")
    arguments = parser.parse_args()
    try:
        with recorder_of(arguments) as recorder:
            train(recorder)
    except RecordingStopped as stopped:
        # Somebody pressed Cancel, or deleted the run. Save what you need here.
        print(f"stopped: {stopped}")
        return
    if isinstance(recorder, ServerRecorder):
        print(f"look at {arguments.server}/runs/{recorder.run_id}")


if __name__ == "__main__":
    main()
