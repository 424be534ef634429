"""Which models a dataset can train."""

from __future__ import annotations


def dataset_problem(architecture: str, *, name: str, kind: str, has_masks: bool) -> str | None:
    """Return why a dataset cannot train an architecture, and the mend; None where it can."""
    if architecture == "mask_rcnn" and not has_masks:
        return (
            f"model.architecture mask_rcnn needs a mask for every object, which dataset '{name}' lacks; "
            "take faster_rcnn or retinanet, or a dataset with masks"
        )
    if architecture != "classifier" and kind == "folders":
        return (
            f"model.architecture {architecture} needs boxes, but dataset '{name}' has images of classes, without "
            "any; take classifier, or a dataset with boxes"
        )
    return None
