"""Covariances summed image by image, and their eigenvalues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

STRIP = 128
"""Rows of a covariance computed at once; smaller strips waste less of a product's lower triangle."""


class Covariance:
    """Σ = (1/n) Σ_i (1/N_i) Σ_p F_{i,p} F_{i,p}ᵀ of one map: uncentred, each image counting the same.

    The products are float32 (float64 for a float64 map), one per image; their sum is float64. An image without
    positions, such as one without proposals, contributes nothing and is not counted in n.

    `width` is C; `device` is where the maps are. Holds one (C, C) float64 matrix there.
    """

    def __init__(self, width: int, device: torch.device) -> None:
        self.images = 0
        self.positions = 0
        self._upper = torch.zeros(width, width, dtype=torch.float64, device=device)

    def add(self, images: Iterable[Tensor]) -> None:
        """Add images, each given by its positions, shape (C, N_i)."""
        for positions in images:
            count = positions.shape[1]
            if count:
                self._add_products(positions, 1.0 / count)
                self.images += 1
                self.positions += count

    def matrix(self) -> NDArray[np.float64]:
        """Return Σ, shape (C, C); zero if no image had a position."""
        upper: NDArray[np.float64] = np.triu(self._upper.cpu().numpy())
        return np.asarray((upper + np.triu(upper, 1).T) / max(self.images, 1))

    def _add_products(self, positions: Tensor, weight: float) -> None:
        """Add X Xᵀ in strips that start at the diagonal: torch has no product of a matrix with itself.

        numpy has one, but its threads and torch's get in each other's way, and even on one thread all 155 maps of a
        ResNet-50 took 1.5 times as long with it.
        """
        exact = positions if positions.dtype == torch.float64 else positions.float()
        for start in range(0, exact.shape[0], STRIP):
            stop = start + STRIP
            self._upper[start:stop, start:].add_(exact[start:stop] @ exact[start:].T, alpha=weight)


def valid_positions(maps: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Return each image's positions (C, h w) from maps (B, C, H, W), without padding.

    `sizes` holds each image's valid (h, w) in this map, at the top left.
    """
    return [image[:, :height, :width].flatten(1) for image, (height, width) in zip(maps, sizes, strict=True)]


def proposal_positions(rows: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Return each image's positions (C, N_i) from the rows (Σ N_i, C) of all images' proposals."""
    return [part.T for part in torch.split(rows, list(counts))]


def eigenvalues(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the eigenvalues of a symmetric (C, C) matrix, shape (C,), descending, as LAPACK gives them."""
    values: NDArray[np.float64] = np.linalg.eigvalsh(covariance).astype(np.float64, copy=False)
    return values[::-1].copy()
