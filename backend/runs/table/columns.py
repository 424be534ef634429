"""The columns that a table of runs can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from backend.measurements.metric_summaries import Summary
from backend.models import Run
from backend.runs.remaining import Left
from backend.runs.table.settings import setting

Kind = Literal["text", "number", "count", "fraction", "seconds", "moment", "tags", "setting"]
Family = Literal["run", "metric", "setting"]
Value = None | bool | int | float | str | list[str] | datetime

NUMERIC = frozenset({"number", "count", "fraction", "seconds"})
ENDS = {"last": "last", "min": "lowest", "max": "highest"}
"""What can be shown of a metric, and the field of its summary."""
FORCED = "setting:"
"""Before the name of a recorded run's setting that would else be taken for another column."""


@dataclass(slots=True)
class TableRow:
    """A run with what its columns are read from."""

    run: Run
    dataset: str | None = None
    layers: int = 0
    snapshots: int = 0
    waits_for: int | None = None
    """The run that has to end before this one can begin."""
    left: Left | None = None
    """How long it still takes, where it runs and that is known."""
    metrics: dict[str, Summary] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """A column: `read` gives its value of a run; None where the run has none."""

    key: str
    label: str
    kind: Kind
    about: str
    read: Callable[[TableRow], Value]
    family: Family = "run"
    metric: str = ""

    @property
    def unit(self) -> str:
        """What a bare number in a filter on it is meant in; empty where it has no unit."""
        return {"fraction": "%", "seconds": "s"}.get(self.kind, "")

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers, of which a mean can be taken."""
        return self.kind in NUMERIC


def _of_run(name: str) -> Callable[[TableRow], Value]:
    def read(row: TableRow) -> Value:
        value: Value = getattr(row.run, name)
        return value

    return read


def _seconds(row: TableRow) -> float | None:
    run = row.run
    if run.started_at is None:
        return None
    end = run.finished_at or (datetime.now(UTC) if run.status == "running" else None)
    return (end - run.started_at).total_seconds() if end else None


def _columns() -> list[Column]:
    def run(key: str, label: str, kind: Kind, about: str = "") -> Column:
        return Column(key, label, kind, about, _of_run(key))

    return [
        run("name", "Run", "text", "What the run is called"),
        run("id", "Id", "number", "The run's number"),
        run("status", "Status", "text", "Queued, running, succeeded, failed, cancelled or lost"),
        run("iteration", "Progress", "number", "Updates of the weights so far"),
        Column("duration", "Time", "seconds", "How long it trained, or has yet to", _seconds),
        Column(
            "eta_seconds", "Time left", "seconds", "Of a running run", lambda r: r.left and r.left.seconds
        ),
        run("seconds_per_iteration", "Pace", "seconds", "Seconds an iteration takes"),
        run("ap", "AP", "fraction", "COCO average precision on the validation split, in percent"),
        run("ap50", "AP50", "fraction", "Average precision at an overlap of 0.5, in percent"),
        run("mask_ap", "Mask AP", "fraction", "COCO average precision of the masks, in percent"),
        run("top1", "Top-1", "fraction", "A classifier's accuracy, in percent"),
        run("parameters", "Parameters", "count", "Numbers that the model learns"),
        run("backbone_parameters", "Backbone", "count", "Parameters of the backbone"),
        run("macs", "MACs", "count", "Multiply-accumulate operations for one image"),
        Column("dataset", "Dataset", "text", "What it trains on", lambda r: r.dataset),
        run("tags", "Tags", "tags", "For finding it again"),
        run("notes", "Notes", "text", "What somebody wrote about it"),
        run("created_at", "Created", "moment", "When it was launched"),
        run("started_at", "Started", "moment", "When a worker took it up"),
        run("finished_at", "Finished", "moment", "When it ended"),
        run("origin", "Origin", "text", "Launched here, or recorded from a training elsewhere"),
        run("device", "Device", "text", "What it trains on"),
        run("attempt", "Attempt", "number", "How often a worker took it up"),
        run("parent_run_id", "Started from", "number", "The run whose weights it started from"),
        Column("layers", "Layers", "number", "Maps whose spectra are measured", lambda r: r.layers),
        Column("snapshots", "Snapshots", "number", "Iterations at which they were", lambda r: r.snapshots),
        run("error", "Error", "text", "Why it failed"),
    ]


BUILT_IN: Mapping[str, Column] = {column.key: column for column in _columns()}
SHOWN = ("status", "ap", "mask_ap", "iteration", "duration", "parameters", "macs", "dataset", "created_at")
"""The columns of a table whose columns nobody chose; `mask_ap` only where a run has one."""


def metric_column(name: str, end: str) -> Column:
    """Return the column of a metric's last, lowest or highest value."""
    place = ENDS[end]

    def read(row: TableRow) -> Value:
        summary = row.metrics.get(name)
        value: float | None = getattr(summary, place) if summary else None
        return value

    words = {"last": "Last value", "min": "Lowest value", "max": "Highest value"}
    label = name if end == "last" else f"{name} {end}"
    kind: Kind = "fraction" if _is_fraction(name) else "number"
    return Column(f"{name}:{end}", label, kind, f"{words[end]} of the metric {name}", read, "metric", name)


def _is_fraction(name: str) -> bool:
    first = name.partition("/")[0].removeprefix("mask_")
    return first == "top1" or first in ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")


def setting_column(key: str, about: str = "") -> Column:
    """Return the column of a setting."""
    name = key.removeprefix(FORCED)

    def read(row: TableRow) -> Value:
        return _plain(setting(row.run.specification, name))

    return Column(key, name, "setting", about or f"The setting {name}", read, "setting")


def _plain(value: Any) -> Value:
    """Return a setting as a table can hold it: an empty one is none, a part is text."""
    if value is None or value in ("", [], {}):
        return None
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(str(inner) for inner in value)
    plain: Value = value
    return plain
