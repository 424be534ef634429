"""Intrinsic dimensionality: how many dimensions a spectrum says that its feature map uses, by seven criteria."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Criterion = Literal[
    "absolute",
    "relative",
    "variance",
    "degrees_of_freedom",
    "effective_rank",
    "participation_ratio",
    "stable_rank",
]
Floats = NDArray[np.float64]
Eigenvalues = NDArray[np.floating[Any]]


def dimensionality(eigenvalues: ArrayLike, criterion: Criterion, threshold: float | None = None) -> Floats:
    """Return the dimensionality of each spectrum, shape (...), float64, for `eigenvalues` of shape (..., C).

    Each spectrum is descending, along the last axis. `threshold` is the criterion's τ, share or λ; None takes its
    default, and a criterion without threshold ignores it. All arithmetic is float64, whatever the input's type.

    The edges, alike for all criteria: a negative eigenvalue, which a covariance has from rounding only, counts
    as zero; a spectrum without a positive eigenvalue has dimensionality 0; one with a NaN or infinity has NaN.

    Raises ValueError for an unknown criterion, a threshold outside its range, or an empty spectrum.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"there is no criterion '{criterion}'; take one of {', '.join(CRITERIA)}")
    values = np.asarray(eigenvalues)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError("a spectrum needs at least one eigenvalue along its last axis")
    info = CRITERIA[criterion]
    chosen = info.default_threshold if threshold is None else threshold
    if chosen is not None and info.default_threshold is not None:
        _check_threshold(info, chosen)
    # An infinite spectrum divides infinity by itself on its way to the NaN promised above.
    with np.errstate(invalid="ignore"):
        result = _MEASURES[criterion](values, np.float64(chosen if chosen is not None else 0.0))
    return np.where(np.isfinite(values).all(axis=-1), result, np.nan)


@dataclass(frozen=True)
class CriterionInfo:
    """A criterion as people read it; `integer` says whether it counts eigenvalues."""

    name: Criterion
    label: str
    description: str
    formula: str
    default_threshold: float | None
    integer: bool
    fraction: bool = False
    """Whether the threshold is a fraction, at most 1."""


def absolute(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return d(τ) = #{j : λ_j > τ} (Shinya, Simo-Serra, Suzuki 2019, arXiv 1909.04021, with τ = 1e-3)."""
    # A float64 scalar makes numpy compare in float64 without a float64 copy of a float32 array.
    return _count(eigenvalues > threshold)


def relative(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return #{j : λ_j > τ λ_1}: the numerical rank, free of the map's scale."""
    limit = threshold * eigenvalues.max(axis=-1, keepdims=True).astype(np.float64)
    return _count(eigenvalues > np.maximum(limit, 0.0))


def variance(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return min{k : Σ_{j≤k} λ_j ≥ s Σ_j λ_j}, the leading components that hold the share s (Jolliffe 2002, §6.1.1).

    At s = 1, trailing eigenvalues too small to change the sum in float64 are not counted.
    """
    held = np.cumsum(_scaled(eigenvalues), axis=-1)
    total = held[..., -1]
    short = np.count_nonzero(held < threshold * total[..., None], axis=-1)
    return np.where(total > 0, short + 1, 0).astype(np.float64)


def degrees_of_freedom(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return N(λ) = Σ_j λ_j / (λ_j + λ) (spectral pruning: Suzuki et al. 2018, arXiv 1808.08558)."""
    positive = np.maximum(eigenvalues, np.float64(0))
    return np.asarray((positive / (positive + threshold)).sum(axis=-1))


def effective_rank(eigenvalues: Eigenvalues, _threshold: np.float64) -> Floats:
    """Return exp(−Σ_j p_j ln p_j), p_j = λ_j / Σλ, with 0 ln 0 = 0 (Roy, Vetterli 2007; RankMe, arXiv 2210.02885)."""
    scaled = _scaled(eigenvalues)
    total = scaled.sum(axis=-1, keepdims=True)
    shares = _ratio(scaled, total)
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy = -np.einsum("...j,...j->...", shares, logarithms)
    return np.where(total[..., 0] > 0, np.exp(entropy), 0.0)


def participation_ratio(eigenvalues: Eigenvalues, _threshold: np.float64) -> Floats:
    """Return (Σλ)² / Σλ² (Gao et al. 2017, doi 10.1101/214262)."""
    scaled = _scaled(eigenvalues)
    return _ratio(scaled.sum(axis=-1) ** 2, np.einsum("...j,...j->...", scaled, scaled))


def stable_rank(eigenvalues: Eigenvalues, _threshold: np.float64) -> Floats:
    """Return Σλ / λ_1, the stable rank of the map itself (Rudelson, Vershynin 2007, arXiv math/0503442)."""
    scaled = _scaled(eigenvalues)
    return _ratio(scaled.sum(axis=-1), scaled.max(axis=-1))


def _scaled(eigenvalues: Eigenvalues) -> Floats:
    """Return the spectrum over its λ_1, negatives as zero, so that sums and squares neither over- nor underflow."""
    positive = np.maximum(eigenvalues, np.float64(0))
    top = positive.max(axis=-1, keepdims=True)
    return _ratio(positive, top)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """Return the quotient, 0 where the denominator is."""
    quotient = np.zeros_like(numerator)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def _count(mask: NDArray[np.bool_]) -> Floats:
    return np.asarray(np.count_nonzero(mask, axis=-1), dtype=np.float64)


def _check_threshold(info: CriterionInfo, threshold: float) -> None:
    if not (np.isfinite(threshold) and threshold > 0):
        raise ValueError(f"the threshold of '{info.name}' must be above 0, not {threshold}")
    if info.fraction and threshold > 1:
        raise ValueError(f"the threshold of '{info.name}' is a fraction and at most 1, not {threshold}")


_MEASURES: Mapping[str, Callable[[Eigenvalues, np.float64], Floats]] = MappingProxyType(
    {
        "absolute": absolute,
        "relative": relative,
        "variance": variance,
        "degrees_of_freedom": degrees_of_freedom,
        "effective_rank": effective_rank,
        "participation_ratio": participation_ratio,
        "stable_rank": stable_rank,
    }
)

_ALL = (
    CriterionInfo(
        "absolute",
        "Above a fixed level",
        "Eigenvalues above a fixed threshold τ: the paper's intrinsic dimensionality.",
        "#{j : λⱼ > τ}",
        1e-3,
        integer=True,
    ),
    CriterionInfo(
        "relative",
        "Above a share of the largest",
        "Eigenvalues above τ times the largest one; scaling the map changes nothing.",
        "#{j : λⱼ > τ λ₁}",
        1e-3,
        integer=True,
        fraction=True,
    ),
    CriterionInfo(
        "variance",
        "Holding a share of the trace",
        "The fewest leading eigenvalues that together hold this share of the trace.",
        "min{k : Σ_{j≤k} λⱼ ≥ s Σⱼ λⱼ}",
        0.99,
        integer=True,
        fraction=True,
    ),
    CriterionInfo(
        "degrees_of_freedom",
        "Degrees of freedom",
        "A soft count in which an eigenvalue equal to λ counts one half; the measure of spectral pruning.",
        "Σⱼ λⱼ / (λⱼ + λ)",
        1e-3,
        integer=False,
    ),
    CriterionInfo(
        "effective_rank",
        "Effective rank",
        "The exponential of the entropy of the eigenvalues' shares of the trace.",
        "exp(−Σⱼ pⱼ ln pⱼ), pⱼ = λⱼ / Σλ",
        None,
        integer=False,
    ),
    CriterionInfo(
        "participation_ratio",
        "Participation ratio",
        "C for C equal eigenvalues and 1 for a single one; large eigenvalues weigh most.",
        "(Σλ)² / Σλ²",
        None,
        integer=False,
    ),
    CriterionInfo(
        "stable_rank",
        "Stable rank",
        "The trace over the largest eigenvalue; never above the rank.",
        "Σλ / λ₁",
        None,
        integer=False,
    ),
)

CRITERIA: Mapping[str, CriterionInfo] = MappingProxyType({info.name: info for info in _ALL})
"""Every criterion by name, in the order in which a page offers them."""
