"""The order of a head's outputs in other libraries: for each output of torchvision's, the one that it is there.

A number is a row of the other library's weight or bias; None stands for a row that it has not, which keeps what the
model was built with. An empty answer means that the counts do not fit each other: another number of categories.
"""

from __future__ import annotations

from collections.abc import Callable

from backend.weights.namings.detectron2 import RETINA_SHAPES, RETINA_SIZES

Rows = tuple[int | None, ...]
ANCHORS = RETINA_SHAPES * RETINA_SIZES
BOX_COORDINATES = 4


def background_last(given: int, wanted: int) -> Rows:
    """Scores of K categories and the background after them, where torchvision has it before them."""
    return (given - 1, *range(given - 1)) if given == wanted else ()


def boxes_without_background(given: int, wanted: int) -> Rows:
    """Boxes of K categories, where torchvision has the background's before them, which nothing trains."""
    fits = given % BOX_COORDINATES == 0 and wanted == given + BOX_COORDINATES
    return (*[None] * BOX_COORDINATES, *range(given)) if fits else ()


def masks_without_background(given: int, wanted: int) -> Rows:
    """Masks of K categories, where torchvision has the background's before them, which nothing trains."""
    return (None, *range(given)) if wanted == given + 1 else ()


def anchors(given: int, wanted: int) -> Rows:
    """Outputs of nine anchors, by size and then shape, where torchvision goes by shape and then size."""
    return _by_anchor(given // ANCHORS, 0) if given == wanted and given % ANCHORS == 0 else ()


def anchors_without_background(given: int, wanted: int) -> Rows:
    """Scores of nine anchors in that order, and no background, where torchvision scores it too, as the first."""
    each = given // ANCHORS
    return _by_anchor(each, 1) if given == each * ANCHORS and wanted == (each + 1) * ANCHORS else ()


def _by_anchor(each: int, background: int) -> Rows:
    """Return the rows of every anchor in torchvision's order, `each` of them after so many of the background."""
    found: list[int | None] = []
    for shape in range(RETINA_SHAPES):
        for size in range(RETINA_SIZES):
            first = (size * RETINA_SHAPES + shape) * each
            found += [*[None] * background, *range(first, first + each)]
    return tuple(found)


ORDERS: dict[str, Callable[[int, int], Rows]] = {
    "background_last": background_last,
    "boxes_without_background": boxes_without_background,
    "masks_without_background": masks_without_background,
    "anchors": anchors,
    "anchors_without_background": anchors_without_background,
}
"""Every order that a naming may state."""
