"""A plain torchvision classifier: its eigenspectra before and while it trains, recorded to a file.

Run it as `python docs/examples/classifier.py`; it needs no download and ends within seconds on a CPU.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from eigenscope import EigenspectrumProbe, FileRecorder, Recording, read_recording

CLASSES = 4
SIZE = 64
UPDATES = (0, 1, 2, 5, 10)


def gratings(count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return images (count, 3, SIZE, SIZE) of stripes in CLASSES directions, and the directions' numbers."""
    labels = torch.randint(CLASSES, (count,), generator=generator)
    angles = labels * math.pi / CLASSES
    phases = 2 * math.pi * torch.rand(count, generator=generator)
    y, x = torch.meshgrid(torch.linspace(-1, 1, SIZE), torch.linspace(-1, 1, SIZE), indexing="ij")
    along = x * angles.cos()[:, None, None] + y * angles.sin()[:, None, None]
    stripes = torch.sin(12 * along + phases[:, None, None])
    noise = 0.3 * torch.randn(count, 3, SIZE, SIZE, generator=generator)
    return stripes[:, None] + noise, labels


def main() -> None:
    """Train, measure, record, and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, nargs="?", default=Path("classifier.arrows"))
    file = parser.parse_args().file

    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(0)
    model = resnet18(num_classes=CLASSES)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)

    # The probe set is fixed: the same images at every measurement, so that only the weights change.
    probe_images, _ = gratings(32, generator)
    probe = EigenspectrumProbe(model, list(probe_images), maps=("block",), layers="layer[123]")

    settings = {"lr": 0.02, "momentum": 0.9, "batch_size": 8}
    with FileRecorder(
        file, name="resnet18", iterations=UPDATES[-1], init="scratch", settings=settings
    ) as recorder:
        recorder.layers(probe.layers)
        recorder.spectra(0, probe.measure())
        for iteration in range(1, UPDATES[-1] + 1):
            images, labels = gratings(8, generator)
            loss = nn.functional.cross_entropy(model(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            recorder.metrics(iteration, {"loss": loss.item()})
            if iteration in UPDATES:
                recorder.spectra(iteration, probe.measure())

    print_dimensionalities(read_recording(file))


def print_dimensionalities(recording: Recording) -> None:
    """Print how many eigenvalues of each layer exceed 0.001, by iteration."""
    print(
        f"{'layer':12}{'width':>7}{'positions a channel':>21}"
        + "".join(f"{f'after {i}':>9}" for i in UPDATES)
    )
    for name, spectra in recording.spectra.items():
        width, positions = spectra.layer.width, spectra.positions[-1]
        counts = "".join(f"{count:>9}" for count in spectra.dimensionality)
        print(f"{name:12}{width:>7}{positions / width:>21.1f}{counts}")
    print("Below 8 positions a channel a count reads low: give the probe more images, or larger ones.")


if __name__ == "__main__":
    main()
