"""Which images of the probe set are run together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch

from backend.errors import InvalidInput
from worker.probe.maps import MapName
from worker.probe.networks import Shape, Size

PIXELS_ON_CPU = 512 * 1024
"""Of a batch: more make nothing faster there, and maps of this size still lie in the caches in parts."""

LIVE_MAPS = 8
"""How many maps as large as the largest are taken to be in a GPU's memory at once, buffers of convolutions included."""

AT_MOST = 64
FREE_SHARE = 0.5
FLOAT32_BYTES = 4


class Batches:
    """The images' indices in groups of one input size each, for padding would differ with what else is in a batch.

    `size` is the number of images run together; it may be halved, for good. Raises `InvalidInput` below 1.
    """

    def __init__(self, sizes: Sequence[Size], size: int) -> None:
        if size < 1:
            raise InvalidInput(f"probe.batch_size must be at least 1, not {size}")
        self.size = size
        groups: dict[Size, list[int]] = {}
        for index, one in enumerate(sizes):
            groups.setdefault(one, []).append(index)
        self._groups = list(groups.values())

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the indices of one batch after another."""
        for group in self._groups:
            for start in range(0, len(group), self.size):
                yield group[start : start + self.size]

    def halve(self) -> bool:
        """Run half as many images together; return whether that was possible."""
        if self.size == 1:
            return False
        # More than the largest group was never run.
        self.size = max(1, min(self.size, max(len(group) for group in self._groups)) // 2)
        return True


def fitting_size(device: torch.device, sizes: Sequence[Size], shapes: Mapping[MapName, Shape]) -> int:
    """Return how many images to run together: on a GPU as many as half its free memory takes, by an estimate.

    `sizes` are the images' input sizes in pixels, `shapes` are the maps' of the first of them.
    """
    largest = max(height * width for height, width in sizes)
    if device.type != "cuda":
        return max(1, min(AT_MOST, PIXELS_ON_CPU // largest))
    free, _ = torch.cuda.mem_get_info(device)
    idle = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    elements = max(math.prod(shape) for shape in shapes.values()) * largest / (sizes[0][0] * sizes[0][1])
    room = FREE_SHARE * (free + idle) / (LIVE_MAPS * FLOAT32_BYTES * elements)
    return max(1, min(AT_MOST, int(room)))
