"""The Runs page's context: the table as it was asked for, ready to be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from backend.models import Run
from backend.runs.presentation import ACTIONS, actions_now
from backend.runs.table.columns import BUILT_IN, Column, TableRow
from backend.runs.table.conditions import OPERATORS, Condition
from backend.runs.table.groups import Group
from backend.runs.table.numbers import number
from backend.runs.table.query import Table, TableQuery
from backend.runs.table.window import concerning
from frontend.formats import percent
from frontend.runs_table.address import CSV, PAGE, Address
from frontend.runs_table.cells import cell, group_label

ROWS_AT_MOST = 1000
GROUPINGS = ("status", "dataset", "tags", "init.kind", "model.architecture", "model.backbone", "model.norm")
MORE_GROUPINGS = ("training.lr", "training.batch_size", "training.seed", "origin", "device")
UPWARDS_FIRST = frozenset({"text", "tags", "setting"})
"""Kinds of column that a first click sorts from A to Z; numbers go from the largest."""

NEVER_AVERAGED = frozenset({"id", "parent_run_id", "attempt"})
OF_A_NETWORK = frozenset({"parameters", "backbone_parameters", "macs", "layers", "seconds_per_iteration"})
"""Columns whose mean says nothing over different networks."""


def network(run: Run) -> tuple[object, ...]:
    """Return what tells networks apart: of a recorded run, nothing is known but that it is one."""
    model = run.specification.get("model") or {}
    return tuple(model.get(key) for key in ("architecture", "backbone"))


@dataclass(frozen=True, slots=True)
class RowView:
    """One row: a run, and whether its cells are written or left as the browser has them."""

    row: TableRow
    place: str
    """Its id on the page: a run with several tags stands in several groups."""
    written: bool

    @property
    def run(self) -> Run:
        """The run."""
        return self.row.run

    @property
    def init(self) -> str:
        """The kind of its first weights."""
        kind: str = self.row.run.specification["init"]["kind"]
        return kind

    @property
    def can(self) -> str:
        """What may be done to it, as words."""
        run = self.row.run
        ended = run.status not in ("queued", "running")
        aside = ["unarchive"] if run.archived else ["archive"] if ended else []
        return " ".join([*actions_now(run), *aside])


@dataclass(frozen=True)
class GroupView:
    """A heading with its rows; the one group of a table that is not grouped has no heading."""

    place: str
    rows: list[RowView]
    label: str = ""
    group: Group | None = None

    def mean(self, column: Column) -> tuple[str, str]:
        """Return the mean of a column and its deviation as text; empty where there is none or it says nothing."""
        of, unit = self._averaged(column)
        found = self.group.mean(of) if self.group and column.kind != "moment" else None
        if found is None or column.key in NEVER_AVERAGED or column.kind == "setting" or self._unlike(column):
            return "", ""
        value = round(found.value) if column.key in ("iteration", "layers", "snapshots") else found.value
        words = f"{cell(of, value)}{unit}"
        if found.deviation is None or not (column.kind == "fraction" or column.metric):
            return words, ""
        deviation = percent(found.deviation) if column.kind == "fraction" else f"{found.deviation:.2g}"
        return words, f"± {deviation}"

    def averaged_runs(self, column: Column) -> int:
        """Return over how many runs a column's mean is."""
        found = self.group.mean(self._averaged(column)[0]) if self.group else None
        return found.runs if found else 0

    def _averaged(self, column: Column) -> tuple[Column, str]:
        """Return what is averaged under a column, and its unit: under AP, of classifiers alone their top-1."""
        runs = self._runs
        if column.key == "ap" and runs and all(run.ap is None for run in runs):
            return BUILT_IN["top1"], " % top-1"
        if column.key == "iteration" and runs and runs[0].iterations:
            return column, f" of {runs[0].iterations:,}"
        return column, " %" if column.kind == "fraction" else ""

    def _unlike(self, column: Column) -> bool:
        """Whether the runs' numbers are of different things, whose mean says nothing."""
        runs = self._runs
        if column.key == "ap":
            return len({run.ap is None for run in runs if run.ap is not None or run.top1 is not None}) > 1
        if column.key == "iteration":
            return len({run.iterations for run in runs}) > 1
        if column.key in OF_A_NETWORK:
            return len({network(run) for run in runs}) > 1
        return False

    @property
    def _runs(self) -> list[Run]:
        return [row.run for row in self.group.rows] if self.group else []

    @property
    def mean_ap(self) -> str:
        """The mean AP of its runs; empty where some of them have a top-1 in its place."""
        words = self.mean(BUILT_IN["ap"])[0]
        return "" if "top-1" in words else words


@dataclass(frozen=True)
class RunsView:
    """What the table shows and how it was asked for."""

    query: TableQuery
    table: Table
    stored: int
    """How many runs there are, whatever was asked for."""
    datasets: int
    only: frozenset[int] | None = None
    """The runs whose rows are written; None writes all."""
    problem: str = ""
    _address: Address = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_address", Address(self.query))

    @property
    def address(self) -> Address:
        """Where this view is."""
        return self._address

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that can be filtered by."""
        return tuple(ACTIONS)

    @property
    def empty(self) -> bool:
        """Whether there is no run at all, as against none that fits."""
        return not self.stored

    @property
    def total(self) -> int:
        """How many runs fit."""
        return self.table.total

    @cached_property
    def columns(self) -> list[Column]:
        """The columns after the name, which is always there."""
        return [column for column in self.table.columns if column.key != "name"]

    @property
    def name(self) -> Column:
        """The first column."""
        return BUILT_IN["name"]

    @property
    def csv(self) -> str:
        """Where this table is as a file."""
        return self.address.of(CSV)

    @property
    def bare(self) -> str:
        """The address of the same columns and order without any filter."""
        asked = self.query
        return Address(TableQuery(columns=asked.columns, by=asked.by, sort=asked.sort)).of(PAGE)

    @property
    def operators(self) -> dict[str, str]:
        """The comparisons of filters, in words."""
        return OPERATORS

    @property
    def sentence(self) -> str:
        """How many runs there are, and how many of them are under way."""
        if self.empty or self.problem:
            return ""
        states = self.table.summed.states
        shown = f"{min(self.total, ROWS_AT_MOST):,} of " if self.total > ROWS_AT_MOST else ""
        counted = [f"{states[one]:,} {one}" for one in ("running", "queued", "failed") if states.get(one)]
        return ", ".join([f"{shown}{self.total:,} run{'' if self.total == 1 else 's'}", *counted])

    @property
    def filtered(self) -> bool:
        """Whether anything but the archive keeps runs out."""
        asked = self.query
        return bool(asked.text or asked.status or asked.tag or asked.filters or asked.dataset_id)

    @property
    def chips(self) -> Iterator[tuple[str, str]]:
        """The filters that have no control of their own: words, and the address without it."""
        asked = self.query
        if asked.tag:
            yield f"tagged {asked.tag}", self.address.with_(tag="")
        if asked.dataset_id is not None:
            yield f"dataset {asked.dataset_id}", self.address.with_(dataset_id=None)
        if len(asked.status) > 1:
            yield " or ".join(asked.status), self.address.with_(status=())
        for one in self.table.conditions:
            yield condition_words(one), self.address.without_filter(one.text)

    @cached_property
    def groupings(self) -> list[str]:
        """Keys of the columns that can be grouped by from the toolbar: the usual ones, and settings shown."""
        shown = [column.key for column in self.table.columns if column.family == "setting"]
        now = [self.query.by] if self.query.by else []
        return list(dict.fromkeys([*GROUPINGS, *MORE_GROUPINGS, *shown, *now]))

    def order(self, column: Column) -> str:
        """Return how the table is sorted by a column, as `aria-sort` says it."""
        if self.query.sort.removeprefix("-") != column.key:
            return "none"
        return "descending" if self.query.sort.startswith("-") else "ascending"

    def sorted_by(self, column: Column) -> str:
        """Return the address that sorts by a column."""
        return self.address.sorted_by(column.key, column.kind not in UPWARDS_FIRST)

    @cached_property
    def aligned(self) -> dict[str, str]:
        """The class of each column's cells: numbers stand to the right."""
        return {column.key: "number" if self._numbers(column) else "" for column in self.columns}

    def _numbers(self, column: Column) -> bool:
        if column.kind != "setting":
            return (column.numeric and column.key != "iteration") or column.kind == "moment"
        values = [column.read(row) for row in self.table.rows]
        present = [value for value in values if value is not None]
        return bool(present) and all(type(value) in (int, float) for value in present)

    @cached_property
    def groups(self) -> list[GroupView]:
        """The rows that the page shows, at most a thousand, under their headings."""
        if not self.table.by:
            rows = [self._row(row, f"run-{row.run.id}") for row in self.table.rows]
            return [GroupView("rows", rows)]
        return list(self._grouped(self.table.by))

    def _grouped(self, by: Column) -> Iterator[GroupView]:
        left, seen = ROWS_AT_MOST, set()
        for k, group in enumerate(self.table.groups):
            rows = []
            for row in group.rows[: max(left, 0)]:
                again = f"-{k}" if row.run.id in seen else ""
                seen.add(row.run.id)
                rows.append(self._row(row, f"run-{row.run.id}{again}"))
            left -= len(rows)
            yield GroupView(f"group-{k}", rows, group_label(by, group.value), group)

    def _row(self, row: TableRow, place: str) -> RowView:
        return RowView(row, place, self.only is None or not self.only.isdisjoint(concerning(row.run)))


def condition_words(condition: Condition) -> str:
    """Write a filter as people say it: AP at least 0.3."""
    if not condition.value and condition.operator in ("=", "!="):
        return f"{condition.column.label} {'is empty' if condition.operator == '=' else 'is not empty'}"
    return f"{condition.column.label} {OPERATORS[condition.operator]} {condition.value}{_unit(condition)}"


def _unit(condition: Condition) -> str:
    """Return the percent sign that a bare number was read with."""
    value, kind = condition.value, condition.column.kind
    bare = kind == "fraction" and number(value, "number") != number(value, kind)
    return " %" if bare and condition.operator not in ("~", "!~") else ""
