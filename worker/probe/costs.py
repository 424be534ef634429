"""What ways to a spectrum cost. Estimates that choose between exact ways; no result depends on them."""

from __future__ import annotations

FLOAT64 = 2.0
"""Of a float64 multiply-add, in float32 ones."""

REDUCTION = 4.0
"""Of a symmetric eigenvalue problem of side k, in multiply-adds over k³ / 3: LAPACK's reduction to a tridiagonal is
half bound by memory. Measured on two cores: 7 at 512 rows, 4 at 1024, 3.5 at 2048."""


def products(width: int, positions: int) -> int:
    """Return the multiply-adds of a symmetric (C, C) product over N positions: N C (C + 1) / 2."""
    return positions * width * (width + 1) // 2


def adding(width: int, positions: int | None) -> float:
    """Return the cost of adding a map up over all images; of keeping its positions where they are few."""
    if positions is None:
        # Proposals have no maps derived from them that would have to be weighed against their own.
        return 0.0
    return float(width * positions if positions <= width else products(width, positions))


def eigenvalues(width: int, positions: int | None) -> float:
    """Return the cost of the eigenvalues of a map's covariance."""
    side = width if positions is None else min(width, positions)
    gram = 0 if side == width else FLOAT64 * products(side, width)
    return gram + _decomposition(side)


def deriving(width: int, inputs: int, positions: int | None, mixes: bool) -> float:
    """Return the cost of the eigenvalues of a map of this width derived from one that is added up, of `inputs`.

    `mixes` says that channels are mixed on the way, and not only scaled and shifted.
    """
    if not mixes:
        return width * width + eigenvalues(width, positions)
    if positions is not None and positions <= inputs:
        side = min(width, positions)
        return FLOAT64 * (
            width * inputs * positions + products(side, max(width, positions))
        ) + _decomposition(side)
    side = min(width, inputs + 1)
    triangle = width * inputs * inputs if side < width else 0
    return FLOAT64 * (triangle + side * inputs * inputs + side * side * inputs) + _decomposition(side)


def _decomposition(side: int) -> float:
    return FLOAT64 * REDUCTION * side**3 / 3
