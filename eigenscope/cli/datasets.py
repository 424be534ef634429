"""`eigenscope datasets …`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress
from sqlalchemy.orm import Session

from backend.datasets import registration, service
from backend.models import Dataset
from eigenscope.instance import open_instance, read_settings
from eigenscope.terminal.output import WORDS, print_json, print_table

app = typer.Typer(help="Register and list datasets.", no_args_is_help=True)
NameOrId = Annotated[str, typer.Argument(help="Its name or number.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    train: Annotated[Path, typer.Option(help="Training annotations, COCO JSON.")],
    val: Annotated[Path, typer.Option(help="Validation annotations, COCO JSON.")],
    images: Annotated[Path, typer.Option(help="Folder that file_name is relative to.")],
    as_json: Json = False,
) -> None:
    """Check a COCO-format dataset whole, and register it."""
    with (
        open_instance(read_settings(), migrate=True) as instance,
        Progress(console=WORDS, transient=True) as bar,
    ):
        task = bar.add_task(f"checking {name}", total=None)
        dataset = registration.register_coco(
            instance.database,
            name,
            train,
            val,
            images,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _show(dataset, as_json)


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the datasets."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        found = service.listing(session)
    if as_json:
        print_json([_values(dataset) for dataset in found])
        return
    rows = [[str(d.id), d.name, d.kind, *_counts(d), str(len(d.categories))] for d in found]
    columns = ("id", "name", "kind", "train images", "val images", "boxes", "categories")
    print_table(columns, rows, numeric=("id", *columns[3:]))


@app.command("show")
def show(name: NameOrId, as_json: Json = False) -> None:
    """Show one dataset."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        dataset = _named(session, name)
    _show(dataset, as_json)


@app.command("delete")
def delete(name: NameOrId) -> None:
    """Forget a dataset that no run uses; files of your own stay where they are."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.writing() as session:
        service.delete(session, instance.settings, _named(session, name).id)
    typer.echo(f"dataset '{name}' is deleted", err=True)


def _named(session: Session, name: str) -> Dataset:
    return service.get(session, int(name)) if name.isdigit() else service.by_name(session, name)


def _counts(dataset: Dataset) -> list[str]:
    train, val = dataset.counts["train"], dataset.counts["val"]
    return [str(train["images"]), str(val["images"]), str(train["annotations"] + val["annotations"])]


def _values(dataset: Dataset) -> dict[str, Any]:
    fields = ("id", "name", "kind", "train", "val", "images", "categories", "has_masks", "counts")
    return {field: getattr(dataset, field) for field in fields}


def _show(dataset: Dataset, as_json: bool) -> None:
    if as_json:
        print_json(_values(dataset))
        return
    train_images, val_images, boxes = _counts(dataset)
    masks = "with masks" if dataset.has_masks else "without masks"
    names = ", ".join(category["name"] for category in dataset.categories)
    typer.echo(
        f"dataset {dataset.id} '{dataset.name}': {train_images} training and {val_images} validation images, "
        f"{boxes} boxes {masks}; categories: {names}"
    )
