"""`eigenscope probe …`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module, util
from pathlib import Path
from typing import Annotated, Any

import typer

from backend.datasets.coco import read_coco
from backend.errors import InvalidInput, Unavailable
from backend.models import Dataset
from backend.runs.specification import RunSpecification
from backend.spectra.positions import FEW_POSITIONS
from eigenscope.cli.runs import read_specification
from eigenscope.instance import is_begun, open_instance, read_settings
from eigenscope.terminal.output import print_json, print_table

app = typer.Typer(help="What a run's probe will do.", no_args_is_help=True)

REFERENCE = (800, 1333)
COLUMNS = ("map", "kind", "width", "how", "matrix", "M multiply-adds/image", "straightforward")
NUMERIC = ("width", "matrix", "M multiply-adds/image", "straightforward")

Sizes = list[tuple[int, int]]


@app.command("plan")
def plan(
    file: Annotated[Path, typer.Argument(help="A run specification as JSON.")],
    size: Annotated[
        str,
        typer.Option(help="Height x width of the probe's images, such as 480x640; else the dataset's own."),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Print which maps are added up, which are derived from those, and what that costs an image."""
    specification = read_specification(file)
    if specification.probe.images == 0:
        raise InvalidInput(f"{file}: probe.images is 0, so that there is nothing to plan; set it to 64")
    sizes = _sizes(specification, size)
    planned = _planner().plan_probe(specification, sizes)
    lines = list(planned.lines())
    total = {
        "images": planned.images,
        "operations": planned.operations,
        "straightforward": planned.straightforward,
        "bytes": planned.bytes,
    }
    if as_json:
        print_json({"maps": [asdict(line) for line in lines], **total})
        return
    print_table(COLUMNS, [_cells(line) for line in lines], NUMERIC)
    added = sum(1 for line in lines if not line.derived_from)
    typer.echo(
        f"{added} maps are added up, {len(lines) - added} derived: {planned.operations / 1e9:.2f} G multiply-adds an "
        f"image instead of {planned.straightforward / 1e9:.2f} G, besides the proposals'; over {planned.images} images "
        f"what is added up takes {planned.bytes / 1e6:.0f} MB",
        err=True,
    )
    _warn_of_few_positions(lines)


def _warn_of_few_positions(lines: Sequence[Any]) -> None:
    """Say which maps will have too few positions for their dimensionality to be counted."""
    measured = [line for line in lines if line.measured and line.positions is not None]
    few = [line for line in measured if line.positions < FEW_POSITIONS * line.width]
    if few:
        worst = min(few, key=lambda line: line.positions / line.width)
        typer.echo(
            f"{len(few)} of these maps will have fewer than {FEW_POSITIONS} positions per channel "
            f"(least: {worst.name}, {worst.positions / worst.width:.2g}), so that their dimensionality will read low; "
            "take more probe images or larger ones",
            err=True,
        )


def _planner() -> Any:
    """Return what plans; it needs torch, which a server's installation lacks."""
    if util.find_spec("torch") is None:
        raise Unavailable(
            "planning a probe needs torch, which is not installed here; run it where the worker runs"
        )
    return import_module("eigenscope.planning")


def _sizes(specification: RunSpecification, size: str) -> Sizes:
    wanted = specification.probe.images
    if size:
        found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
        if found is None or "0" in found.groups():
            raise InvalidInput(f"--size is '{size}'; give height x width in pixels, such as 480x640")
        return [(int(found[1]), int(found[2]))] * wanted
    if specification.model.architecture == "classifier":
        # Whatever the images, a classifier sees crops of one size.
        return [(specification.training.image_size,) * 2] * wanted
    return _dataset_sizes(specification.dataset_id, wanted) or _reference_sizes(specification, wanted)


def _dataset_sizes(dataset_id: int, wanted: int) -> Sizes:
    settings = read_settings()
    if not is_begun(settings):
        return []
    with open_instance(settings, migrate=True) as instance, instance.database.reading() as session:
        dataset = session.get(Dataset, dataset_id)
        validation = Path(dataset.val) if dataset is not None else None
    if validation is None:
        return []
    images = sorted(read_coco(validation).images)[:wanted]
    return [(image.height, image.width) for image in images]


def _reference_sizes(specification: RunSpecification, wanted: int) -> Sizes:
    side = specification.training.image_size
    longer = round(side * REFERENCE[1] / REFERENCE[0])
    typer.echo(
        f"dataset {specification.dataset_id} is not registered here: planning for {wanted} images of {side} x {longer} "
        "pixels; --size takes another",
        err=True,
    )
    return [(side, longer)] * wanted


def _cells(line: Any) -> list[str]:
    how = f"derived from {line.derived_from}" if line.derived_from else "added up"
    if not line.measured:
        how = "added up to derive others"
    return [
        line.name,
        line.map,
        str(line.width),
        how,
        _count(line.matrix),
        _millions(line.operations),
        _millions(line.straightforward),
    ]


def _count(number: int | None) -> str:
    return "–" if number is None else str(number)


def _millions(operations: int | None) -> str:
    return "by proposals" if operations is None else f"{operations / 1e6:.1f}"
