"""Decoded images, kept in memory where all of them fit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from backend.datasets.annotations import Image as ImageEntry
from backend.errors import InvalidInput

MEMORY_BYTES = 512 * 2**20
CHANNELS = 3


class ImageStore:
    """Reads a dataset's images as uint8 (3, H, W), RGB; each one once, if all of them take at most 512 MiB."""

    def __init__(self, folder: Path, entries: Iterable[ImageEntry]) -> None:
        self._folder = folder
        self._entries = {entry.id: entry for entry in entries}
        size = sum(CHANNELS * entry.width * entry.height for entry in self._entries.values())
        self.in_memory = size <= MEMORY_BYTES
        self._decoded: dict[int, Tensor] = {}

    def read(self, image_id: int) -> Tensor:
        """Return one image, not to be written to. Raises `InvalidInput` naming a file that cannot be used."""
        if image_id in self._decoded:
            return self._decoded[image_id]
        image = decode(self._folder, self._entries[image_id])
        if self.in_memory:
            self._decoded[image_id] = image
        return image


def decode(folder: Path, entry: ImageEntry) -> Tensor:
    """Return the image of an entry as uint8 (3, H, W); grey images get three equal channels."""
    try:
        with Image.open(folder / entry.file_name) as file:
            if file.mode.startswith(("I", "F")):
                raise InvalidInput(
                    f"image {entry.file_name} has more than 8 bits a channel; convert it to 8 bits"
                )
            pixels = np.array(file.convert("RGB"))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise InvalidInput(
            f"image {entry.file_name} cannot be read ({error}); restore it and resume the run"
        ) from None
    if pixels.shape != (entry.height, entry.width, CHANNELS):
        raise InvalidInput(
            f"image {entry.file_name} has {pixels.shape[1]} x {pixels.shape[0]} pixels, but its annotation file "
            f"says {entry.width} x {entry.height}; correct either and register the dataset again"
        )
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
