"""The formulas of the criteria: each maps spectra (..., C) to one float64 number each, shape (...).

Spectra are descending along the last axis; a negative eigenvalue counts as zero. `criteria` names, bounds and
offers these functions; docs/criteria.md compares them.

What limits all of them: the covariance is uncentred, so that λ_1 is mostly the map's mean and every measure relative
to λ_1 or to the trace follows the mean. With fewer positions than channels the rest of the spectrum is zero, and
below about 8 positions per channel it falls too fast. A map may lack rank by construction: a bottleneck's last
convolution has at most a quarter of its C channels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Eigenvalues = NDArray[np.floating[Any]]


def absolute(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return d(τ) = #{j : λ_j > τ} (Shinya, Simo-Serra, Suzuki 2019, arXiv 1909.04021, with τ = 1e-3).

    Limits: it depends on the map's scale, a map times s having eigenvalues times s², and so on the norm layers
    before it. It counts noise as soon as the noise exceeds τ: float32 rounding does for λ_1 above 8388
    (`precision.resolved`).
    """
    return _above(eigenvalues, threshold)


def relative(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return #{j : λ_j > τ λ_1}, the numerical rank of Σ (Golub, Van Loan 2013, §5.4.1): free of the map's scale.

    Limits: a large mean raises λ_1 and with it the threshold, and the count falls although the other directions are
    as they were.
    """
    limit = threshold * eigenvalues.max(axis=-1, keepdims=True).astype(np.float64)
    return _above(eigenvalues, np.maximum(limit, 0.0))


def variance(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return min{k : Σ_{j≤k} λ_j ≥ s Σ_j λ_j}, the leading components that hold the share s (Jolliffe 2002, §6.1.1).

    At s = 1, trailing eigenvalues too small to change the sum in float64 are not counted.

    Limits: the share counts the mean, which alone can hold 0.9 of an uncentred trace; s then acts as a stricter share
    of the rest. Directions of little variance are not seen, however many there are.
    """
    held = np.cumsum(_scaled(eigenvalues), axis=-1)
    total = held[..., -1]
    short = np.count_nonzero(held < threshold * total[..., None], axis=-1)
    return np.where(total > 0, short + 1, 0).astype(np.float64)


def degrees_of_freedom(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return N(λ) = Σ_j λ_j / (λ_j + λ) (spectral pruning: Suzuki et al. 2018, arXiv 1808.08558).

    Limits: it depends on the map's scale as `absolute` does. A long tail below λ adds up: ten eigenvalues of λ/10
    count 0.9.
    """
    positive = np.maximum(eigenvalues, np.float64(0))
    return np.asarray((positive / (positive + threshold)).sum(axis=-1))


def effective_rank(eigenvalues: Eigenvalues, _threshold: np.float64) -> Floats:
    """Return exp(−Σ_j p_j ln p_j), p_j = λ_j / Σλ, with 0 ln 0 = 0: the effective rank of Σ (Roy, Vetterli 2007).

    RankMe (Garrido et al. 2022, arXiv 2210.02885) takes that of the features, whose singular values are √λ: on the same
    map it reads higher.

    Limits: where the mean holds most of the trace little entropy is left, and the number stays near 1 whatever the
    other directions do.
    """
    scaled = _scaled(eigenvalues)
    total = scaled.sum(axis=-1, keepdims=True)
    shares = _ratio(scaled, total)
    logarithms = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    entropy = -np.einsum("...j,...j->...", shares, logarithms)
    return np.where(total[..., 0] > 0, np.exp(entropy), 0.0)


def participation_ratio(eigenvalues: Eigenvalues, _threshold: np.float64) -> Floats:
    """Return (Σλ)² / Σλ² (Gao et al. 2017, doi 10.1101/214262, of a centred covariance).

    Limits: the square lets the largest eigenvalues decide. A mean that holds the share q of the trace keeps it below
    1/q²; it tells how many directions dominate, not how many are used.
    """
    scaled = _scaled(eigenvalues)
    return _ratio(scaled.sum(axis=-1) ** 2, np.einsum("...j,...j->...", scaled, scaled))


def stable_rank(eigenvalues: Eigenvalues, _threshold: np.float64) -> Floats:
    """Return Σλ / λ_1, the stable rank of the map itself (Rudelson, Vershynin 2007, arXiv math/0503442).

    Limits: it is one over the share of λ_1 and no more. A mean that holds 0.9 of the trace makes it 1.1.
    """
    scaled = _scaled(eigenvalues)
    return _ratio(scaled.sum(axis=-1), scaled.max(axis=-1))


def power_law(eigenvalues: Eigenvalues, threshold: np.float64) -> Floats:
    """Return the slope α of λ_j ∝ j^−α: least squares of ln λ_j on ln j over the ranks with λ_j > τ λ_1.

    Stringer et al. 2019 (doi 10.1038/s41586-019-1346-5) and α-ReQ (Agrawal et al. 2022) fit centred covariances over a
    window of ranks chosen by hand, such as 11 to 500. Here τ ends the window where the spectrum sinks into
    rounding, so that one rule serves maps of 64 and of 2048 channels. All ranks weigh the same.

    It is no dimensionality: a smaller α means more dimensions, 0 a flat spectrum, and C is no bound. Undefined, and
    NaN, with fewer than two such ranks.

    Limits: a number comes out whether or not the spectrum is a power law; a spectrum that bends down, or breaks off
    for want of rank, reads steep, and steeper the smaller τ is. The first ranks lie far out in ln j and pull: leaving
    out λ_1, the mean, lowers α by 0.06 (median of 28 maps of a ResNet-50; at most 0.16).
    """
    scaled = _scaled(eigenvalues)
    used = scaled > threshold
    ranks = np.log(np.arange(1, scaled.shape[-1] + 1, dtype=np.float64))
    logarithms = np.log(scaled, out=np.zeros_like(scaled), where=used)
    count = np.maximum(np.count_nonzero(used, axis=-1, keepdims=True), 1)
    centred = np.where(used, ranks - (used @ ranks)[..., None] / count, 0.0)
    spread = np.einsum("...j,...j->...", centred, centred)
    slope = np.full(spread.shape, np.nan)
    # Negated before the sum: equal eigenvalues have the slope 0 and not -0.
    np.divide(np.einsum("...j,...j->...", centred, -logarithms), spread, out=slope, where=spread > 0)
    return slope


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


def _above(eigenvalues: Eigenvalues, limit: Floats | np.float64) -> Floats:
    """Return how many eigenvalues exceed the limit, compared as in float64."""
    bound = _largest_not_above(limit) if eigenvalues.dtype == np.float32 else limit
    mask = eigenvalues > bound
    # Bits in bytes, and their counts: counting along an axis of booleans takes twice as long.
    return np.asarray(np.bitwise_count(np.packbits(mask, axis=-1)).sum(axis=-1, dtype=np.int64), np.float64)


def _largest_not_above(limit: Floats | np.float64) -> NDArray[np.float32]:
    """Return the largest float32 that is not above the limit: a float32 exceeds the one just where the other."""
    with np.errstate(over="ignore"):
        single = np.asarray(limit, np.float32)
    return np.where(single > limit, np.nextafter(single, np.float32(-np.inf)), single)
