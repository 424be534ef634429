"""`eigenscope datasets …`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy.orm import Session

from backend.datasets import registration, service
from backend.models import Dataset
from eigenscope.cli.dataset_sources import Source
from eigenscope.instance import open_instance, read_settings
from eigenscope.terminal.dataset import print_dataset, values_of
from eigenscope.terminal.output import WORDS, print_json, print_table

app = typer.Typer(help="Register and list datasets.", no_args_is_help=True)
NameOrId = Annotated[str, typer.Argument(help="Its name or number.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    train: Annotated[
        Path | None,
        typer.Option(help="Training annotations, COCO JSON; or a folder of the classes' folders."),
    ] = None,
    val: Annotated[Path | None, typer.Option(help="The same to validate on.")] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            help="Folder that file_name is relative to, or the one above train2017 and val2017, each "
            "named as its annotation file ends."
        ),
    ] = None,
    val_images: Annotated[
        Path | None, typer.Option(help="Folder of the validation images, where they lie elsewhere.")
    ] = None,
    voc: Annotated[
        Path | None, typer.Option(help="Pascal VOC folder, such as VOCdevkit/VOC2007; it is converted.")
    ] = None,
    train_set: Annotated[
        str | None, typer.Option(help="With --voc: list to train on, such as trainval; else train.")
    ] = None,
    val_set: Annotated[
        str | None, typer.Option(help="With --voc: list to validate on, such as test; else val.")
    ] = None,
    folders: Annotated[
        Path | None,
        typer.Option(help="Folder of train/CLASS/… and val/CLASS/… images, for classifiers."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Check a dataset whole, and register it: COCO, Pascal VOC or a folder for each class."""
    source = Source(train, val, images, val_images, voc, folders, train_set, val_set)
    with open_instance(read_settings(), migrate=True) as instance:
        with _progress(f"checking {name}") as progress:
            dataset = source.register(instance, name, progress)
        with instance.database.reading() as session:
            _show(service.get(session, dataset.id), as_json)


@app.command("check")
def check(name: NameOrId, as_json: Json = False) -> None:
    """Check a registered dataset's files anew, and renew its counts and statistics."""
    with open_instance(read_settings(), migrate=True) as instance:
        with instance.database.reading() as session:
            dataset_id = _named(session, name).id
        with _progress(f"checking {name}") as progress:
            registration.check_again(instance.database, dataset_id, progress)
        with instance.database.reading() as session:
            _show(service.get(session, dataset_id), as_json)


@app.command("list")
def listing(as_json: Json = False) -> None:
    """List the datasets."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        found = service.listing(session)
    if as_json:
        print_json([values_of(dataset) for dataset in found])
        return
    rows = [[str(d.id), d.name, d.kind, *_counts(d), str(len(d.categories))] for d in found]
    columns = ("id", "name", "kind", "train images", "val images", "boxes", "categories")
    print_table(columns, rows, numeric=("id", *columns[3:]))


@app.command("show")
def show(name: NameOrId, as_json: Json = False) -> None:
    """Show one dataset with its counts, sizes and categories."""
    with open_instance(read_settings(), migrate=True) as instance, instance.database.reading() as session:
        _show(_named(session, name), as_json)


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


def _show(dataset: Dataset, as_json: bool) -> None:
    if as_json:
        print_json({**values_of(dataset), "statistics": dataset.statistics})
    else:
        print_dataset(dataset, dataset.statistics)


@contextmanager
def _progress(words: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what a check tells of its progress, shown as a bar; it swings until the number of images is known."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(separator="/"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=WORDS, transient=True) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
