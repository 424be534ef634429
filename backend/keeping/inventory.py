"""What an archive of runs holds, after every row was looked at: the last check before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy import Table

from backend.datasets.schemas import CategoryItem, SplitCounts
from backend.datasets.summary import Statistics
from backend.errors import InvalidInput
from backend.keeping import files, tables
from backend.keeping.reading import Archive
from backend.keeping.rows import Row
from backend.keeping.tables import CHECKPOINTS, DATASETS, OF_A_RUN, RUNS
from backend.measurements.predictions import ImageItem
from backend.models import Layer, Metric, MetricSummary, Prediction, Spectrum, SpectrumSummary
from backend.runs.presentation import ACTIONS
from backend.runs.recorded import Key, RecordedLayer, RecordedSpecification
from backend.runs.specification import RunSpecification
from backend.runs.start import StartReport

MOST_RUNS = 10_000
TAGS = TypeAdapter(list[str])
KEY = TypeAdapter(Key)
KEPT_AS = TypeAdapter(list[Literal["last", "best", "snapshot"]])
CATEGORIES = TypeAdapter(list[CategoryItem])


class _Counts(BaseModel):
    """Of a dataset, by split."""

    train: SplitCounts
    val: SplitCounts


@dataclass
class Inventory:
    """Rows that are few are kept; of the many, only what others refer to."""

    datasets: dict[int, Row] = field(default_factory=dict)
    runs: dict[int, Row] = field(default_factory=dict)
    widths: dict[tuple[int, int], int] = field(default_factory=dict)
    """Of layers, by (run, order)."""
    checkpoints: dict[int, list[str]] = field(default_factory=dict)
    """Names of files by run."""
    file_bytes: int = 0


def take_inventory(archive: Archive) -> Inventory:
    """Check every row of an archive of runs; raises `InvalidInput` naming the first that no run could have."""
    _demand_tables(archive)
    found = Inventory()
    for table, check in _CHECKS.items():
        for row in tables.read(archive, table):
            if table not in (DATASETS, RUNS) and row["run_id"] not in found.runs:
                raise InvalidInput(f"{table.name}: a row belongs to run {row['run_id']}, which is not there")
            _checked(found, table, row, check)
    if not found.runs:
        raise InvalidInput(f"{archive.path} holds no run")
    _demand_files(archive, found)
    return found


def _demand_tables(archive: Archive) -> None:
    expected = {tables.member_of(table) for table in (DATASETS, RUNS, *OF_A_RUN)}
    expected.add(tables.member_of(tables.SPECTRA, "bin"))
    for name in archive.names("tables/"):
        if name not in expected:
            raise InvalidInput(f"{archive.path}: an archive of runs has no part {name}")


def _checked(found: Inventory, table: Table, row: Row, check: Callable[[Inventory, Row], None]) -> None:
    try:
        check(found, row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        why = _plain(f"{where[:120]} {first['msg'][:300]}")
        raise InvalidInput(f"{_named(table, row)}: {why}") from None
    except ValueError as error:
        raise InvalidInput(f"{_named(table, row)}: {error}") from None


def _plain(text: str) -> str:
    """Return text of somebody else's on one line."""
    return text if text.isprintable() else repr(text)


def _named(table: Table, row: Row) -> str:
    key = ", ".join(f"{column.name} {row[column.name]!r:.80}" for column in table.primary_key.columns)
    return f"{table.name}, {key}"


def _dataset(found: Inventory, row: Row) -> None:
    CATEGORIES.validate_python(row["categories"])
    if row["statistics"] is not None:
        Statistics.model_validate(row["statistics"])
    _Counts.model_validate(row["counts"])
    _demand(bool(row["name"].strip()) and row["name"].isprintable(), "its name cannot be printed")
    _demand(row["id"] not in found.datasets, "it is there twice")
    found.datasets[row["id"]] = row


def _run(found: Inventory, row: Row) -> None:
    _demand(len(found.runs) < MOST_RUNS, f"an archive may hold {MOST_RUNS} runs")
    _demand(row["id"] not in found.runs, "it is there twice")
    _demand(row["status"] in ACTIONS, f"there is no status {row['status']!r:.60}")
    TAGS.validate_python(row["tags"])
    if row.get("start") is not None:
        StartReport.model_validate(row["start"])
    if row["origin"] == "launched":
        specification: BaseModel = RunSpecification.model_validate(row["specification"])
        _demand(row["dataset_id"] in found.datasets, "the dataset it was trained on is not told")
    else:
        _demand(row["origin"] == "recorded", f"there is no origin {row['origin']!r:.60}")
        specification = RecordedSpecification.model_validate(row["specification"])
        _demand(row["dataset_id"] is None, "a recorded run has no dataset")
    parent = row["parent_run_id"]
    _demand(parent is None or parent < row["id"], "it is said to start from a run that came later")
    _demand(
        min(row["iteration"], row["iterations"], row["attempt"], row["revision"]) >= 0, "it counts below 0"
    )
    # What is left out in it is filled in: pages take it as whole.
    found.runs[row["id"]] = row | {"specification": specification.model_dump(mode="json")}


def _layer(found: Inventory, row: Row) -> None:
    RecordedLayer.model_validate({name: row[name] for name in ("name", "map", "stage", "width", "order")})
    found.widths[row["run_id"], row["order"]] = row["width"]


def _spectrum(found: Inventory, row: Row) -> None:
    width = _width(found, row)
    values = np.frombuffer(row["eigenvalues"][: 4 * width], "<f4")
    _demand(len(row["eigenvalues"]) == 4 * width, f"it does not hold {width} eigenvalues")
    _demand(bool(np.isfinite(values).all()), "it holds an eigenvalue that is not finite")


def _summary(found: Inventory, row: Row) -> None:
    width = _width(found, row)
    _demand(0 <= row["dimensionality"] <= width, f"its dimensionality is not between 0 and {width}")
    _demand(row["images"] >= 0 and row["positions"] >= 0, "it counts below 0")


def _width(found: Inventory, row: Row) -> int:
    _demand(row["iteration"] >= 0, "it is of an iteration below 0")
    width = found.widths.get((row["run_id"], row["layer"]))
    if width is None:
        raise ValueError("its layer is not there")
    return width


def _metric(_found: Inventory, row: Row) -> None:
    KEY.validate_python(row["name"])
    _demand(
        row["iteration" if "iteration" in row else "last_iteration"] >= 0, "it is of an iteration below 0"
    )


def _log_line(_found: Inventory, row: Row) -> None:
    _demand(row["number"] >= 1, "lines are numbered from 1")


def _prediction(_found: Inventory, row: Row) -> None:
    _demand(isinstance(row["data"], dict) and "image_id" not in row["data"], "it is no image's")
    ImageItem.model_validate({**row["data"], "image_id": row["image_id"]})


def _checkpoint(found: Inventory, row: Row) -> None:
    kept_as = KEPT_AS.validate_python(row["kept_as"])
    _demand(bool(kept_as), "it does not say why it is kept")
    names = files.names_of(row)
    for name in names:
        number = files.NAMED.match(name)
        _demand(number is not None and int(number[1]) == row["iteration"], "its file is not named after it")
    _demand(row["bytes"] >= 0 and row["iteration"] >= 0, "it counts below 0")
    found.checkpoints.setdefault(row["run_id"], []).extend(names)


def _demand(true: bool, otherwise: str) -> None:
    if not true:
        raise ValueError(otherwise)


def _demand_files(archive: Archive, found: Inventory) -> None:
    """Refuse files that no checkpoint has, and checkpoints without theirs."""
    wanted = {f"files/{run}/{name}" for run, names in found.checkpoints.items() for name in names}
    there = set(archive.names("files/"))
    if there - wanted:
        raise InvalidInput(f"{archive.path}: the file {min(there - wanted)} belongs to no checkpoint")
    # The weights beside the last may have been gone; the checkpoint's own file may not.
    lacking = {name for name in wanted - there if not name.rpartition("/")[2].startswith("weights-")}
    if lacking:
        raise InvalidInput(f"{archive.path}: the checkpoint {min(lacking)} is missing; take another copy")
    found.file_bytes = sum(archive.manifest.members[name].bytes for name in there)
    if archive.names("generated/"):
        raise InvalidInput(f"{archive.path}: an archive of runs holds no dataset's files")


def rows_of(archive: Archive, table: Table, ids: dict[int, int]) -> Iterator[Row]:
    """Yield a table's rows with the runs' new ids."""
    for row in tables.read(archive, table):
        yield row | {"run_id": ids[row["run_id"]]}


_TABLE = {
    model: model.__table__ for model in (Layer, Spectrum, SpectrumSummary, Metric, MetricSummary, Prediction)
}
_CHECKS: dict[Any, Callable[[Inventory, Row], None]] = {
    DATASETS: _dataset,
    RUNS: _run,
    _TABLE[Layer]: _layer,
    _TABLE[Spectrum]: _spectrum,
    _TABLE[SpectrumSummary]: _summary,
    _TABLE[Metric]: _metric,
    _TABLE[MetricSummary]: _metric,
    _TABLE[Prediction]: _prediction,
    tables.LOG_LINES: _log_line,
    CHECKPOINTS: _checkpoint,
}
"""By table, those that others refer to first."""
