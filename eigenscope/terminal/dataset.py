"""A dataset's numbers in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from backend.datasets.summary import Histogram, SplitStatistics, Statistics
from backend.models import Dataset
from eigenscope.terminal.output import print_table

SPLITS = ("train", "val")
CATEGORIES_SHOWN = 20
BAR = 40
"""Characters of a histogram's longest bar."""


def values_of(dataset: Dataset) -> dict[str, Any]:
    """Return what `--json` prints; read within the session that the dataset came from."""
    fields = (
        "id",
        "name",
        "kind",
        "train",
        "val",
        "images",
        "val_images",
        "categories",
        "has_masks",
        "counts",
    )
    return {field: getattr(dataset, field) for field in fields}


def print_dataset(dataset: Dataset, statistics: dict[str, Any] | None) -> None:
    """Print one sentence and, where there are statistics, tables and a histogram."""
    train, val = dataset.counts["train"], dataset.counts["val"]
    boxes = train["annotations"] + val["annotations"]
    masks = "with masks" if dataset.has_masks else "without masks"
    names = [category["name"] for category in dataset.categories]
    more = f", … ({len(names)} in all)" if len(names) > CATEGORIES_SHOWN else ""
    typer.echo(
        f"dataset {dataset.id} '{dataset.name}': {train['images']} training and {val['images']} validation images, "
        f"{boxes} boxes {masks}; categories: {', '.join(names[:CATEGORIES_SHOWN])}{more}"
    )
    if statistics is None:
        typer.echo(
            f"no statistics: registered before they were made; `eigenscope datasets check {dataset.id}` adds them",
            err=True,
        )
        return
    found = Statistics.model_validate(statistics)
    for note in found.notes:
        typer.echo(f"note: {note}")
    _print_counts(dataset, found)
    _print_sizes(found)
    _print_categories(names, found)


def _print_counts(dataset: Dataset, found: Statistics) -> None:
    splits = [found.splits[split] for split in SPLITS]  # type: ignore[index]
    images = [dataset.counts[split]["images"] for split in SPLITS]
    means = [one.objects / count for one, count in zip(splits, images, strict=True)]
    rows = [
        ("images", *map(_number, images)),
        ("without objects", *(_number(one.images_without_objects) for one in splits)),
        ("objects", *(_number(one.objects) for one in splits)),
        ("per image, mean", *(f"{mean:.1f}" for mean in means)),
        ("per image, most", *(_number(one.most_objects) for one in splits)),
        ("crowds", *(_number(one.crowds) for one in splits)),
        ("small (area < 32²)", *(_share(one.areas.small, one) for one in splits)),
        ("medium", *(_share(one.areas.medium, one) for one in splits)),
        ("large (area ≥ 96²)", *(_share(one.areas.large, one) for one in splits)),
        ("most frequent size", *map(_commonest, splits)),
    ]
    typer.echo()
    print_table(("", *SPLITS), rows, numeric=SPLITS)


def _commonest(split: SplitStatistics) -> str:
    first, step = split.image_sizes.groups[0], split.image_sizes.step
    about = "about " if step > 1 else ""
    return f"{about}{first.width} x {first.height} ({_number(first.images)})"


def _print_sizes(found: Statistics) -> None:
    histograms = [found.splits[split].sizes for split in SPLITS]  # type: ignore[index]
    shares = [_shares(one) for one in histograms]
    used = [k for k in range(len(shares[0])) if any(share[k] for share in shares)]
    largest = max(max(share) for share in shares)
    edges = histograms[0].edges
    typer.echo("\nobjects by size, the square root of their area in pixels")
    rows = [
        (
            f"{edges[k]:.0f} – {edges[k + 1]:.0f}",
            *(f"{100 * share[k]:.1f} %" for share in shares),
            "▇" * round(BAR * shares[0][k] / largest),
        )
        for k in range(used[0], used[-1] + 1)
    ]
    print_table(("pixels", *SPLITS, ""), rows, numeric=("pixels", *SPLITS))


def _print_categories(names: Sequence[str], found: Statistics) -> None:
    train, val = (found.splits[split].categories for split in SPLITS)  # type: ignore[index]
    order = sorted(range(len(names)), key=lambda k: -train[k].objects)
    rows = [
        (names[k], _number(train[k].objects), _number(train[k].images), _number(val[k].objects))
        for k in order[:CATEGORIES_SHOWN]
    ]
    shown = f", the {CATEGORIES_SHOWN} most frequent" if len(names) > CATEGORIES_SHOWN else ""
    typer.echo(f"\ncategories{shown}")
    columns = ("category", "train objects", "train images", "val objects")
    print_table(columns, rows, numeric=columns[1:])


def _shares(histogram: Histogram) -> list[float]:
    total = max(1, sum(histogram.counts))
    return [count / total for count in histogram.counts]


def _share(count: int, split: SplitStatistics) -> str:
    return f"{_number(count)} ({100 * count / max(1, split.objects):.0f} %)"


def _number(value: int) -> str:
    return f"{value:,}"
