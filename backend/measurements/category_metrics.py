"""Metrics of one category each: `ap/NAME` and `mask_ap/NAME`, as many as a dataset has categories."""

from __future__ import annotations

from typing import NamedTuple

KINDS = ("ap", "mask_ap")


class CategoryMetric(NamedTuple):
    """`kind` is ap, of boxes, or mask_ap; `category` is untrusted text."""

    kind: str
    category: str


def category_metric(name: str) -> CategoryMetric | None:
    """Return of which category a metric is; None where it is of none."""
    kind, slash, category = name.partition("/")
    return CategoryMetric(kind, category) if slash and category and kind in KINDS else None
