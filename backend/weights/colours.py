"""What a network's first convolution was fed, and the change that lets it take what ours is fed.

Ours takes red, green and blue in 0 … 1, less ImageNet's mean, over its deviation. Caffe's networks, and Detectron2's
"MSRA" weights made from them, take blue, green and red in 0 … 255, less the same mean. Both pad with zeros after
that, so the change is exact: w'(red) = 255 · deviation(red) · w(third channel), and so on.
"""

from __future__ import annotations

from typing import Literal

Input = Literal["rgb", "bgr_255"]
DEVIATION = (0.229, 0.224, 0.225)
"""ImageNet's, of red, green and blue in 0 … 1."""
FOLDED: dict[Input, tuple[tuple[int, float], ...]] = {
    "rgb": (),
    "bgr_255": tuple((2 - channel, 255 * deviation) for channel, deviation in enumerate(DEVIATION)),
}
"""For red, green and blue: the channel of the file's first convolution, and the factor on it. Empty: as it is."""
