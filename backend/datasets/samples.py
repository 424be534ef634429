"""Which images of a dataset are shown, with which boxes."""

from __future__ import annotations

from backend.datasets.annotations import Annotation, Image
from backend.datasets.coco import CocoFile
from backend.datasets.summary import Sample, SampleBox, Split

SAMPLES: dict[Split, int] = {"train": 8, "val": 4}
BOXES_AT_MOST = 100


def choose_samples(split: Split, file: CocoFile) -> list[Sample]:
    """Return images with objects, evenly spread over the file: the same ones for the same file."""
    candidates = [image for image in file.images if any(not one.iscrowd for one in file.by_image[image.id])]
    count = min(SAMPLES[split], len(candidates))
    chosen = [candidates[(2 * k + 1) * len(candidates) // (2 * count)] for k in range(count)]
    return [_sample(split, image, file) for image in chosen]


def _sample(split: Split, image: Image, file: CocoFile) -> Sample:
    found = file.by_image[image.id]
    # Largest first: smaller boxes are then drawn over them and stay in reach.
    largest = sorted(found, key=lambda one: -one.bbox[2] * one.bbox[3])[:BOXES_AT_MOST]
    return Sample(
        split=split,
        image_id=image.id,
        width=image.width,
        height=image.height,
        annotations=len(found),
        boxes=[_box(one, file) for one in largest],
    )


def _box(annotation: Annotation, file: CocoFile) -> SampleBox:
    left, top, width, height = (round(float(value), 1) for value in annotation.bbox)
    category = file.labels[annotation.category_id] - 1
    return SampleBox(category=category, box=(left, top, width, height), crowd=annotation.iscrowd)
