"""The table of runs over HTTP. Its addresses come before those of single runs, which would take them for ids."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, BackgroundTasks, Response
from pydantic import BaseModel

from backend.http.compression import AcceptEncoding, compressed
from backend.http.dependencies import DatabaseDep, ReadSession, SettingsDep
from backend.http.pagination import Cursor, Limit, Page, cursor_after, offset_of
from backend.runs import batch, service
from backend.runs.presentation import RunItem, items
from backend.runs.table.address import TableAsked
from backend.runs.table.columns import Column, Family, Kind, TableRow
from backend.runs.table.csv_file import csv_of
from backend.runs.table.groups import Group
from backend.runs.table.lookup import available
from backend.runs.table.query import table
from backend.runs.table.window import Window

router = APIRouter(tags=["runs"])

Value = None | bool | int | float | str | list[str] | datetime


class ListedRun(RunItem):
    """A run with the columns asked for, by their keys; null where it has no such value."""

    values: dict[str, Value] = {}  # noqa: RUF012 - pydantic copies it


class RunGroup(BaseModel):
    """Runs that share a value, which is null for those that have none."""

    value: Value
    runs: int
    mean_ap: float | None
    run_ids: list[int]


class RunPage(Page[ListedRun]):
    """One page of runs; `groups` are of all runs that fit, and null unless asked for."""

    groups: list[RunGroup] | None = None


class ColumnItem(BaseModel):
    """A column that a table of runs can have."""

    key: str
    label: str
    kind: Kind
    family: Family
    about: str


@router.get("/runs", response_model=RunPage)
def listing(
    session: ReadSession,
    query: TableAsked,
    limit: Limit = 1000,
    cursor: Cursor = "",
    accept_encoding: AcceptEncoding = "",
) -> Response:
    """List runs: filtered, sorted and grouped by any column."""
    offset = offset_of(cursor)
    found = table(session, query, Window(limit, offset))
    rows = found.rows
    presented = items(session, [row.run for row in rows])
    asked = found.columns if query.columns else []
    listed = [
        ListedRun.model_construct(**dict(item), values=_values(row, asked))
        for item, row in zip(presented, rows, strict=True)
    ]
    page = RunPage(
        items=[],
        total=found.total,
        next_cursor=cursor_after(offset, len(rows), found.total),
        groups=[_group(group) for group in found.groups] if found.by else None,
    )
    page.items = listed
    return compressed(Response(page.model_dump_json(), media_type="application/json"), accept_encoding)


def _values(row: TableRow, columns: list[Column]) -> dict[str, Any]:
    return {column.key: column.read(row) for column in columns}


def _group(group: Group) -> RunGroup:
    mean = group.mean_ap
    ids = [row.run.id for row in group.rows]
    return RunGroup(value=group.value, runs=len(ids), mean_ap=mean.value if mean else None, run_ids=ids)


@router.get("/runs.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def csv_file(session: ReadSession, query: TableAsked, accept_encoding: AcceptEncoding = "") -> Response:
    """Return all runs that fit as CSV: id, name and the columns asked for."""
    found = table(session, query)
    headers = {"Content-Disposition": 'attachment; filename="eigenscope-runs.csv"'}
    text = csv_of(found.rows, found.columns)
    return compressed(Response(text, media_type="text/csv", headers=headers), accept_encoding)


@router.get("/runs/columns")
def columns(session: ReadSession) -> list[ColumnItem]:
    """List the columns that a table of runs can have: fields, metrics and settings."""
    return [ColumnItem.model_validate(column, from_attributes=True) for column in available(session)]


@router.post("/runs/batch")
def act(
    request: batch.BatchRequest, database: DatabaseDep, settings: SettingsDep, after: BackgroundTasks
) -> batch.BatchResult:
    """Cancel, archive, unarchive or delete several runs; each is done or refused, as `results` says."""
    result = batch.act(database, request)
    if request.action == "delete":
        for one in result.results:
            if one.done:
                after.add_task(service.remove_files, settings, one.run_id)
    return result
