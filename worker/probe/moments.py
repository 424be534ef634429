"""What is known of a map once its images have passed: a matrix of second moments, or the positions themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from worker.probe.affine import AffineMap

Floats = NDArray[np.float64]

BLOCK = 128
"""Side of the blocks on the diagonal of an added-up matrix that are whole; above them all is, below nothing."""


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Eigenvalues (C,), float64, descending, and the trace of the covariance that they are of."""

    eigenvalues: Floats
    trace: float


@dataclass(frozen=True, eq=False)
class MatrixMoments:
    """n Σ, of which `upper` (C, C) holds the upper triangle and the blocks on the diagonal; n times the `mean` (C,)."""

    upper: Floats
    mean: Floats
    images: int
    positions: int

    def spectrum(self, width: int, step: AffineMap | None) -> Spectrum:
        """Return the spectrum of the map, or of what the step makes of it; `width` is the number of eigenvalues."""
        if step is None:
            return spectrum_of(self.upper, width, 1.0 / self._n)
        narrow = _narrowed(step, width, self.upper.shape[0])
        return spectrum_of(self._covariance_after(narrow), width)

    @property
    def _n(self) -> int:
        return max(self.images, 1)

    @cached_property
    def _whole(self) -> Floats:
        """n Σ, whole: its lower triangle written in place, for a second matrix would double what a probe needs."""
        for start in range(0, len(self.upper), BLOCK):
            self.upper[start : start + BLOCK, :start] = self.upper[:start, start : start + BLOCK].T
        return self.upper

    def _covariance_after(self, step: AffineMap) -> Floats:
        """Return M Σ Mᵀ + M m bᵀ + b mᵀ Mᵀ + b bᵀ for x → M x + b, where M is the step's matrix, its rows scaled."""
        result = self._whole if step.matrix is None else step.matrix @ self._whole @ step.matrix.T
        result = result / self._n
        if step.scale is not None:
            result = step.scale[:, None] * result * step.scale
        # Without an image, or a position in any, there is no x to be shifted.
        if step.shift is not None and self.images:
            mean = self.mean / self._n
            moved = mean if step.matrix is None else step.matrix @ mean
            moved = moved if step.scale is None else step.scale * moved
            cross = np.outer(moved, step.shift)
            result = result + cross + cross.T + np.outer(step.shift, step.shift)
        return np.asarray(result)


@dataclass(frozen=True, eq=False)
class PositionMoments:
    """The positions (C, N_i) of each image, of which all together have not much more than C.

    Σ = (1/n) Σ_i (1/N_i) X_i X_iᵀ has the rank of their number at most, and the same eigenvalues as a matrix of that
    size. The positions are float32 where the map is, and float64 in all that is done with them.
    """

    width: int
    columns: Sequence[Floats]

    @property
    def images(self) -> int:
        """Number of images that have positions."""
        return len(self.columns)

    @property
    def positions(self) -> int:
        """Number of positions of all images together."""
        return sum(columns.shape[1] for columns in self.columns)

    def spectrum(self, width: int, step: AffineMap | None) -> Spectrum:
        """Return the spectrum of the map, or of what the step makes of it; `width` is the number of eigenvalues."""
        columns = _through(step, *self._weighed)
        rows, count = columns.shape
        return spectrum_of(columns.T @ columns if count < rows else columns @ columns.T, width)

    @cached_property
    def _weighed(self) -> tuple[Floats, Floats]:
        """All positions, each times the root of its weight 1 / (n N_i), and these roots: Σ = Y Yᵀ."""
        counts = [columns.shape[1] for columns in self.columns]
        roots = np.concatenate(
            [np.zeros(0), *(np.full(count, (self.images * count) ** -0.5) for count in counts)]
        )
        return np.concatenate([np.zeros((self.width, 0)), *self.columns], axis=1) * roots, roots


def _through(step: AffineMap | None, columns: Floats, ones: Floats) -> Floats:
    """Return what the step makes of columns (C, P), where `ones` (P,) are what a column of ones has become."""
    if step is None:
        return columns
    columns = columns if step.matrix is None else step.matrix @ columns
    columns = columns if step.scale is None else step.scale[:, None] * columns
    return columns if step.shift is None else columns + np.outer(step.shift, ones)


Moments = MatrixMoments | PositionMoments


def spectrum_of(matrix: Floats, width: int, factor: float = 1.0) -> Spectrum:
    """Return the spectrum of `factor` times a symmetric matrix (k, k), of which the upper triangle is read.

    Its eigenvalues, as LAPACK gives them, are those of the covariance; the width - k others are zero.
    """
    values = np.zeros(width)
    if len(matrix):
        values[: len(matrix)] = np.linalg.eigvalsh(matrix, UPLO="U")
    return Spectrum(np.sort(values)[::-1] * factor, float(np.trace(matrix)) * factor)


def _narrowed(step: AffineMap, width: int, inputs: int) -> AffineMap:
    """Return a step of as few outputs as its inputs (one more with a shift) whose spectrum is the same but for zeros.

    With B = [M b] = Q R, Q orthonormal, the map B (x, 1) has the covariance Q (R S Rᵀ) Qᵀ, where S is that of (x, 1);
    Q is not needed.
    """
    rank = inputs + (step.shift is not None)
    if step.matrix is None or width <= rank:
        return step
    matrix = step.matrix if step.scale is None else step.scale[:, None] * step.matrix
    if step.shift is None:
        return AffineMap(_triangle(matrix))
    triangle = _triangle(np.column_stack([matrix, step.shift]))
    return AffineMap(np.ascontiguousarray(triangle[:, :-1]), None, np.ascontiguousarray(triangle[:, -1]))


def _triangle(matrix: Floats) -> Floats:
    """Return a triangle R of RᵀR = BᵀB for B (C, k), k < C: by Cholesky, and by QR where B lacks rank k.

    Cholesky takes a quarter of the time. Its error in RᵀR is float64's rounding of ‖B‖², as that of QR is, and it is
    RᵀR that the eigenvalues of R S Rᵀ depend on.
    """
    try:
        return np.asarray(np.linalg.cholesky(matrix.T @ matrix).T)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.qr(matrix, mode="r"))
