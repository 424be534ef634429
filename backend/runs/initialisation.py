"""A run's first weights: where they come from, and the plan by which its network takes them.

The form's preview, the launch and the trainer all ask here, so that they agree and refuse in the same words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy.orm import Session

from backend.architectures.tensors import class_tensors, tensor_shapes
from backend.architectures.widths import is_bottleneck
from backend.datasets.paths import is_too_long
from backend.errors import InvalidInput
from backend.models import Checkpoint, Dataset, Run
from backend.runs import repository
from backend.runs.specification import FileInit, ImageNetInit, ModelSpecification, RunInit, RunSpecification
from backend.runs.waiting import UNDER_WAY
from backend.settings import Settings
from backend.weights import imagenet
from backend.weights.colours import Input
from backend.weights.contents import TensorEntry, contiguous
from backend.weights.matching import match
from backend.weights.plan import COUNTER, LoadPlan
from backend.weights.reading import read_entries

SUFFIXES = (".pth", ".pt", ".safetensors")


@dataclass(frozen=True, slots=True)
class Source:
    """Weights to start from; `name` is what messages call them, `field` whose setting names them.

    `path` is None where torchvision fetches the file, or where another run has yet to write it. `remark` is what is
    to be said of them beside what the plan finds.
    """

    field: str
    name: str
    path: Path | None
    entries: Mapping[str, TensorEntry]
    fed: Input | None = None
    same_categories: bool = False
    remark: str = ""


def source_of(
    session: Session, settings: Settings, specification: RunSpecification, *, expected: bool = False
) -> Source | None:
    """Return what a run starts from; None for scratch. Raises `InvalidInput` where that cannot be read.

    With `expected`, the last weights of a run that is still under way are those that it will have.
    """
    init = specification.init
    if isinstance(init, ImageNetInit):
        backbone = specification.model.backbone
        name = imagenet.FILES[backbone]
        remark = (
            f"{name} is torchvision's: the worker takes it from torch's cache there, or fetches it from the internet "
            "when the run starts."
        )
        return Source("init", name, None, imagenet.entries(backbone), remark=remark)
    if isinstance(init, FileInit):
        path = weights_file(settings.data, init.file)
        return Source("init.file", init.file, path, _read(path, init.file, "init.file"), init.input)
    if isinstance(init, RunInit):
        return _run_source(session, settings, init, specification.dataset_id, expected)
    return None


def plan(source: Source, model: ModelSpecification, classes: int) -> LoadPlan:
    """Plan how a run's network, for `classes` categories, takes what `source` holds.

    Raises `InvalidInput` naming what does not fit.
    """
    kind = (model.architecture, model.backbone, model.norm, model.widths)
    try:
        network, by_class = tensor_shapes(*kind, classes), class_tensors(*kind)
    except ValueError as error:
        raise InvalidInput(f"model.widths: {error}") from None
    try:
        found = match(source.name, source.entries, network, by_class, source.fed, source.same_categories)
    except InvalidInput as error:
        raise _at(source.field, error) from None
    if source.remark:
        return replace(found, notes=(*found.notes, source.remark))
    if source.fed == "bgr_255" and is_bottleneck(model.backbone) and not model.stride_in_1x1:
        warning = (
            "Weights that take BGR in 0 … 255 are mostly made with the stride in the 1x1 convolution (MSRA, Caffe); "
            "these run with it in the 3x3, where model.stride_in_1x1 is off."
        )
        return replace(found, notes=(*found.notes, warning))
    return found


def weights_file(root: Path, name: str) -> Path:
    """Return the path of a weights file named relative to the data root; refuse whatever lies outside it."""
    if is_too_long(name):
        raise InvalidInput(
            f"init.file: '{name[:40]} …' is longer than any file system takes; name a file that is there"
        )
    if Path(name).is_absolute() or "\0" in name or not (root / name).resolve().is_relative_to(root.resolve()):
        raise InvalidInput(f"init.file: '{name}' must be a name below the data root, without '..'")
    if not name.endswith(SUFFIXES):
        raise InvalidInput(f"init.file: '{name}' must end in {', '.join(SUFFIXES)}")
    if not (root / name).is_file():
        raise InvalidInput(
            f"init.file: there is no file '{name}' below the data root (EIGENSCOPE_DATA_ROOT, or else the folder "
            "data in EIGENSCOPE_HOME); put it there"
        )
    return root / name


def weights_files(root: Path, limit: int = 200) -> list[str]:
    """Return the names of weights below the data root, for the form."""
    if not root.is_dir():
        return []
    names = (p.relative_to(root).as_posix() for p in root.rglob("*") if p.suffix in SUFFIXES)
    return sorted(names)[:limit]


def _run_source(
    session: Session, settings: Settings, init: RunInit, dataset_id: int, expected: bool
) -> Source:
    run = repository.get(session, init.run_id)
    if run is None:
        raise InvalidInput(f"init.run_id: there is no run {init.run_id} to take weights from")
    if expected and init.iteration is None and run.origin == "launched" and run.status in UNDER_WAY:
        return _expected_source(session, run, dataset_id)
    row = repository.checkpoint(session, init.run_id, init.iteration)
    if row is None:
        raise InvalidInput(f"init.run_id: {_no_checkpoint(session, init)}")
    name = f"the checkpoint of run {init.run_id} at iteration {row.iteration}"
    path = settings.home / row.file
    if not path.is_file():
        raise InvalidInput(
            f"init.run_id: {name} ({path.name}) is gone from the disk; take another iteration or another run"
        )
    entries = _read(path, name, "init.run_id")
    return Source("init.run_id", name, path, entries, same_categories=run.dataset_id == dataset_id)


def _expected_source(session: Session, run: Run, dataset_id: int) -> Source:
    """Return the last weights that a run under way will have: its network tells their names and shapes."""
    model = RunSpecification.model_validate(run.specification).model
    classes = len(session.get_one(Dataset, run.dataset_id).categories)
    shapes = tensor_shapes(model.architecture, model.backbone, model.norm, model.widths, classes)
    entries = {
        key: TensorEntry(shape, "int64" if COUNTER in key else "float32", key, 0, contiguous(shape))
        for key, shape in shapes.items()
    }
    return Source(
        "init.run_id",
        f"the last checkpoint of run {run.id}",
        None,
        entries,
        same_categories=run.dataset_id == dataset_id,
        remark=f"Run {run.id} '{run.name}' is {run.status}: this run waits until it has ended.",
    )


def _no_checkpoint(session: Session, init: RunInit) -> str:
    if init.iteration is None:
        return f"run {init.run_id} has no checkpoint; wait for it to finish, or take another run"
    kept: list[Checkpoint] = list(repository.checkpoints(session, init.run_id))
    has = f"it keeps {', '.join(str(one.iteration) for one in kept)}" if kept else "it keeps none yet"
    return f"run {init.run_id} has no checkpoint of iteration {init.iteration}; {has}"


def _read(path: Path, name: str, field: str) -> Mapping[str, TensorEntry]:
    try:
        return read_entries(path, name)
    except InvalidInput as error:
        raise _at(field, error) from None


def _at(field: str, error: InvalidInput) -> InvalidInput:
    """Return the error as the form and the log show it: with the field's name before it."""
    sentence = str(error)
    return error if sentence.startswith("init.") else InvalidInput(f"{field}: {sentence}")
