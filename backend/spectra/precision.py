"""Which eigenvalues a covariance of float32 products can tell from rounding."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

EPSILON: Final = float(np.finfo(np.float32).eps)
"""2⁻²³, the step from 1 to the next float32."""


def float32_floor(lambda_1: ArrayLike) -> NDArray[np.float64]:
    """Return the size below which eigenvalues cannot be told from rounding, 2⁻²³ λ_1, of the shape of `lambda_1`.

    It holds for a covariance whose products F Fᵀ are float32, one product per image, and whose sum over the images
    is float64. Each entry of a product is rounded in proportion to itself, so that the error scales with λ_1 and
    reaches every eigenvalue: those that should be zero come out as large as this, of either sign.

    The factor is measured, for torch's products on a CPU against float64, over maps with means up to 10⁴ times
    their deviations, ReLU maps and maps without a mean, C from 64 to 512. In units of 2⁻²³ λ_1, the worst error
    below λ_1 was 0.01 to 1 at 10³ to 1.6 x 10⁴ positions an image; at 10⁵ positions 0.1 to 3.5 for one image and
    0.25 to 0.85 for the mean of eight. It grows with the positions and falls with the images and with C.

    It says where rounding can begin, and is no bound. Maps of an untrained ResNet-50, with λ_1 of 4 x 10³ and of
    5 x 10⁵, had 0.003 units, and the same counts above 1e-3 as in float64. A map that is constant over its
    positions, to the last bits of a float32, has errors that do not average out: 4 to 22 units. A product that adds
    position after position, instead of in blocks, has 1 to 5 units at 1.6 x 10⁴ positions, and for a nearly constant
    map 100.

    Negative λ_1 counts as zero, as in a criterion; NaN and infinity stay what they are.
    """
    return np.asarray(EPSILON * np.maximum(np.asarray(lambda_1, dtype=np.float64), 0.0))


def resolved(threshold: float, lambda_1: ArrayLike) -> NDArray[np.bool_]:
    """Return whether eigenvalues about `threshold` stand above the rounding of a map of this λ_1, elementwise.

    True vouches for a count above `threshold`; False says that some of what it counts may be rounding. The paper's
    1e-3 is resolved up to λ_1 = 8388. A NaN or infinite λ_1 resolves nothing.
    Raises ValueError for a threshold that is not a finite number above 0.
    """
    if not (np.isfinite(threshold) and threshold > 0):
        raise ValueError(f"a threshold must be a finite number above 0, not {threshold}")
    return np.asarray(threshold >= float32_floor(lambda_1))
