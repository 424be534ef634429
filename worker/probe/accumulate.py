"""Covariances summed image by image, and their eigenvalues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Covariance:
    """Σ = (1/n) Σ_i (1/N_i) Σ_p F_{i,p} F_{i,p}ᵀ of one map: uncentred, each image counting the same.

    The products are float32 (float64 for a float64 map), one per image; their sum is float64. An image without
    positions, such as one without proposals, contributes nothing and is not counted in n.

    `width` is C; `device` is where the maps are. Holds one (C, C) float64 matrix there.
    """

    def __init__(self, width: int, device: torch.device) -> None:
        self.images = 0
        self.positions = 0
        self._sum = torch.zeros(width, width, dtype=torch.float64, device=device)

    def add(self, images: Iterable[Tensor]) -> None:
        """Add images, each given by its positions, shape (C, N_i)."""
        for positions in images:
            count = positions.shape[1]
            if count:
                self._sum.add_(gram(positions), alpha=1.0 / count)
                self.images += 1
                self.positions += count

    def matrix(self) -> NDArray[np.float64]:
        """Return Σ, shape (C, C); zero if no image had a position."""
        total: NDArray[np.float64] = self._sum.cpu().numpy()
        return total / max(self.images, 1)


def gram(positions: Tensor) -> Tensor:
    """Return X Xᵀ, shape (C, C), for X of shape (C, N), in X's precision, at least float32."""
    exact = positions if positions.dtype == torch.float64 else positions.float()
    if exact.device.type != "cpu":
        return exact @ exact.T
    # numpy computes one triangle of X @ X.T and mirrors it; torch has no such product.
    values = exact.numpy()
    with np.errstate(all="ignore"):
        return torch.from_numpy(values @ values.T)


def valid_positions(maps: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Return each image's positions (C, h w) from maps (B, C, H, W), without padding.

    `sizes` holds each image's valid (h, w) in this map, at the top left.
    """
    return [image[:, :height, :width].flatten(1) for image, (height, width) in zip(maps, sizes, strict=True)]


def proposal_positions(rows: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Return each image's positions (C, N_i) from the rows (Σ N_i, C) of all images' proposals."""
    return [part.T for part in torch.split(rows, list(counts))]


def eigenvalues(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the eigenvalues of a symmetric (C, C) matrix, shape (C,), descending, none changed after LAPACK."""
    values: NDArray[np.float64] = np.linalg.eigvalsh(covariance).astype(np.float64, copy=False)
    return values[::-1].copy()
