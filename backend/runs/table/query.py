"""What a table is asked to show, and the rows that answer it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, defer

from backend.measurements import metric_summaries
from backend.measurements import repository as measurements
from backend.models import Dataset, Run
from backend.runs.remaining import left_of
from backend.runs.table.columns import BUILT_IN, SHOWN, Column, TableRow
from backend.runs.table.conditions import Condition, condition
from backend.runs.table.groups import Group, grouped
from backend.runs.table.lookup import column, columns
from backend.runs.table.order import ordered
from backend.runs.table.window import ORDERS, Summed, Window, in_order, summed
from backend.runs.waiting import waited_for

NEWEST_FIRST = "-created_at"
Archived = Literal["no", "also", "only"]


@dataclass(frozen=True)
class TableQuery:
    """What stands in the address."""

    text: str = ""
    status: Sequence[str] = ()
    tag: str = ""
    dataset_id: int | None = None
    archived: Archived = "no"
    filters: Sequence[str] = ()
    columns: Sequence[str] = ()
    by: str = ""
    sort: str = NEWEST_FIRST


@dataclass(frozen=True)
class Table:
    """The runs that fit, in order: all of them, or those in the window that was asked for."""

    rows: list[TableRow]
    columns: list[Column]
    conditions: list[Condition]
    by: Column | None
    summed: Summed
    """What is said of all that fit."""
    groups: list[Group] = field(default_factory=list)
    """All that fit by what `by` says of them."""

    @property
    def total(self) -> int:
        """How many runs fit."""
        return sum(self.summed.states.values())


def table(session: Session, query: TableQuery, window: Window | None = None) -> Table:
    """Return the runs that fit; raises `InvalidInput` for a column or filter that there is not.

    Without a window all of them. With one, those outside are not even read where the database itself can judge.
    """
    conditions = [condition(session, text) for text in query.filters]
    chosen = columns(session, query.columns)
    by = column(session, query.by) if query.by else None
    sort = column(session, query.sort.removeprefix("-"))
    if window is not None and _is_judged_by_database(query):
        return _window(session, query, chosen, window)
    used = [*chosen, sort, *(one.column for one in conditions), *([by] if by else [])]
    rows = _read(session, query, used)
    words = query.text.casefold().split()
    fitting = [
        row
        for row in rows
        if (not query.tag or query.tag in row.run.tags)
        and (not words or _has_words(row, words))
        and all(one.meets(row) for one in conditions)
    ]
    found = ordered(fitting, sort, query.sort.startswith("-"))
    masks = any(row.run.mask_ap is not None for row in found)
    whole = Summed(Counter(row.run.status for row in found), masks)
    part = found if window is None else found[window.offset : window.offset + window.limit]
    return Table(part, chosen or _shown(masks), conditions, by, whole, grouped(found, by) if by else [])


def _is_judged_by_database(query: TableQuery) -> bool:
    """Whether a run fits, and where it stands, can be told from whole columns of the database."""
    return (
        not (query.text or query.tag or query.filters or query.by) and query.sort.removeprefix("-") in ORDERS
    )


def _window(session: Session, query: TableQuery, chosen: list[Column], window: Window) -> Table:
    conditions = _stored(query)
    whole = summed(session, conditions)
    if any(one.kind == "setting" for one in chosen):
        # Whether such a column holds numbers is told by all of its values.
        window = replace(window, whole=None)
    runs, complete = in_order(session, conditions, query.sort, window)
    rows = _completed(session, runs, complete, chosen)
    return Table(rows, chosen or _shown(whole.masks), [], None, whole)


def _shown(masks: bool) -> list[Column]:
    return [BUILT_IN[key] for key in SHOWN if key != "mask_ap" or masks]


def _has_words(row: TableRow, words: Sequence[str]) -> bool:
    """Whether each word stands somewhere in name, tags, notes or dataset; `#12` is the run of that id."""
    run = row.run
    text = "\n".join([run.name, *run.tags, run.notes, row.dataset or ""]).casefold()
    return all(word in text or word == f"#{run.id}" for word in words)


def _read(session: Session, query: TableQuery, used: Sequence[Column]) -> list[TableRow]:
    # What its first weights were made of is long, and no list shows it.
    runs = session.scalars(select(Run).where(*_stored(query)).options(defer(Run.start))).all()
    return _completed(session, runs, runs, used)


def _completed(
    session: Session, runs: Sequence[Run], whole: Sequence[Run], used: Sequence[Column]
) -> list[TableRow]:
    """Return the rows of `runs`, those of the runs in `whole` with what columns are read from."""
    names = dict(session.execute(select(Dataset.id, Dataset.name)).all())
    rows = {run.id: TableRow(run, names.get(run.dataset_id) if run.dataset_id else None) for run in runs}
    for run_id, source in waited_for(session, whole).items():
        if run_id in rows:
            rows[run_id].waits_for = source
    for run_id, left in left_of(session, whole).items():
        rows[run_id].left = left
    wanted = list(dict.fromkeys(one.metric for one in used if one.metric))
    if wanted:
        _add_metrics(session, rows, wanted)
    if any(one.key in ("layers", "snapshots") for one in used):
        for run_id, (layers, snapshots) in measurements.counts(session, [run.id for run in whole]).items():
            rows[run_id].layers, rows[run_id].snapshots = layers, snapshots
    return list(rows.values())


def _add_metrics(session: Session, rows: dict[int, TableRow], names: Sequence[str]) -> None:
    for name, by_run in metric_summaries.of_metrics(session, names).items():
        for run_id in by_run.keys() & rows.keys():
            rows[run_id].metrics[name] = by_run[run_id]


def _stored(query: TableQuery) -> list[ColumnElement[bool]]:
    """Return what the database can judge: whole columns of its own."""
    conditions: list[ColumnElement[bool]] = []
    if query.archived != "also":
        conditions.append(Run.archived.is_(query.archived == "only"))
    if query.status:
        conditions.append(Run.status.in_(query.status))
    if query.dataset_id is not None:
        conditions.append(Run.dataset_id == query.dataset_id)
    return conditions
