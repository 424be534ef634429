"""Second moments of a map, added up image by image where the model runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from worker.probe.moments import BLOCK, MatrixMoments, PositionMoments

STRIP = {"cpu": BLOCK, "cuda": 4 * BLOCK}
"""Rows of a covariance computed at once; smaller strips waste less of a product's lower triangle."""

CHUNK = 8192
"""Positions of one float32 product: where it adds one after another, as a GPU may, rounding grows with their number.
Between chunks the sum is float64."""


class Covariance:
    """Σ = (1/n) Σ_i (1/N_i) Σ_p F_{i,p} F_{i,p}ᵀ of one map: uncentred, each image counting the same.

    The products are float32 (float64 for a float64 map), over a part of an image or a few small ones of one size;
    their sum is float64. An image without positions, such as one without proposals, contributes nothing and is not
    counted.

    `width` is C; `device` is where the maps are. Holds one (C, C) float64 matrix there, and with `with_mean` the mean
    over positions and images, added up in float64 from float32 sums per image.
    """

    def __init__(self, width: int, device: torch.device, with_mean: bool = False) -> None:
        self.images = 0
        self.positions = 0
        self.device = device
        self._strip = STRIP.get(device.type, width)
        self._upper = torch.zeros(width, width, dtype=torch.float64, device=device)
        self._mean = torch.zeros(width, dtype=torch.float64, device=device)
        self._with_mean = with_mean

    def add(self, images: Iterable[Tensor]) -> None:
        """Add images, each given by its positions, shape (C, N_i)."""
        present = [positions for positions in images if positions.shape[1]]
        for positions, weight in _merged(present):
            self._add_products(positions, weight)
        self.images += len(present)
        self.positions += sum(positions.shape[1] for positions in present)

    def finite(self) -> Tensor:
        """Return whether all is, as a tensor: a square that is not stands on the diagonal."""
        return torch.isfinite(self._upper.diagonal()).all()

    def moments(self) -> MatrixMoments:
        """Return the moments, on the CPU, on their way from a GPU; on a CPU the matrix is handed over, not copied."""
        upper, mean = to_host(self._upper).numpy(), to_host(self._mean).numpy()
        return MatrixMoments(upper, mean, self.images, self.positions)

    def _add_products(self, positions: Tensor, weight: float) -> None:
        """Add X Xᵀ in strips that start at the diagonal: torch has no product of a matrix with itself.

        numpy has one, but its threads and torch's get in each other's way, and even on one thread all 155 maps of a
        ResNet-50 took 1.5 times as long with it.
        """
        exact = positions if positions.dtype == torch.float64 else positions.float()
        for chunk in torch.split(exact, CHUNK, dim=1):
            for start in range(0, len(chunk), self._strip):
                stop = start + self._strip
                self._upper[start:stop, start:].add_(chunk[start:stop] @ chunk[start:].T, alpha=weight)
        if self._with_mean:
            self._mean.add_(exact.sum(1), alpha=weight)


class Positions:
    """The positions themselves of a map that has few of them: no more memory than its covariance, and exact.

    Holds copies of the map, float32 (float64 for a float64 map), where the model runs.
    """

    def __init__(self, width: int, device: torch.device) -> None:
        self.images = 0
        self.positions = 0
        self.device = device
        self._width = width
        self._columns: list[Tensor] = []

    def add(self, images: Iterable[Tensor]) -> None:
        """Add images, each given by its positions, shape (C, N_i)."""
        for positions in images:
            count = positions.shape[1]
            if count:
                exact = positions if positions.dtype == torch.float64 else positions.float()
                self._columns.append(exact.clone(memory_format=torch.contiguous_format))
                self.images += 1
                self.positions += count

    def finite(self) -> Tensor:
        """Return whether all is, as a tensor."""
        # A sum is not finite if a number is not, and a tenth of the time that looking at each takes.
        finite = [torch.isfinite(columns.sum()) for columns in self._columns]
        return torch.stack(finite).all() if finite else torch.ones((), dtype=torch.bool, device=self.device)

    def moments(self) -> PositionMoments:
        """Return the moments, on the CPU or on their way there."""
        columns = [to_host(columns).numpy() for columns in self._columns]
        return PositionMoments(self._width, columns)


Accumulator = Covariance | Positions


def to_host(tensor: Tensor) -> Tensor:
    """Return the tensor on the CPU: itself, or a copy through pinned memory that is under way."""
    if tensor.device.type != "cuda":
        return tensor.cpu()
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)


def _merged(images: Sequence[Tensor]) -> Iterable[tuple[Tensor, float]]:
    """Yield positions (C, N) to be multiplied at once and their weight.

    Small images of one size go together: a product of few positions has little to do per matrix that it fills.
    """
    together: list[Tensor] = []
    for positions in images:
        if together and not _fits(positions, together):
            yield _joined(together)
            together = []
        together.append(positions)
    if together:
        yield _joined(together)


def _fits(positions: Tensor, together: Sequence[Tensor]) -> bool:
    count = positions.shape[1]
    return count == together[0].shape[1] and (len(together) + 1) * count <= CHUNK // 2


def _joined(images: Sequence[Tensor]) -> tuple[Tensor, float]:
    weight = 1.0 / images[0].shape[1]
    return (images[0] if len(images) == 1 else torch.cat(list(images), dim=1)), weight


def valid_positions(maps: Tensor, sizes: Sequence[tuple[int, int]]) -> list[Tensor]:
    """Return each image's positions (C, h w) from maps (B, C, H, W), without padding.

    `sizes` holds each image's valid (h, w) in this map, at the top left.
    """
    return [image[:, :height, :width].flatten(1) for image, (height, width) in zip(maps, sizes, strict=True)]


def proposal_positions(rows: Tensor, counts: Sequence[int]) -> list[Tensor]:
    """Return each image's positions (C, N_i …) from all images' proposals, of shape (Σ N_i, C, …)."""
    return [part.movedim(1, 0).flatten(1) for part in torch.split(rows, list(counts))]
