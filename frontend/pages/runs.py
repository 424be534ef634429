"""The Runs page: one table of all runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from backend.datasets import repository as datasets
from backend.errors import InvalidInput
from backend.http.compression import AcceptEncoding, compressed
from backend.http.dependencies import ReadSession
from backend.runs import repository
from backend.runs.table.address import TableAsked
from backend.runs.table.columns import Column
from backend.runs.table.lookup import available
from backend.runs.table.query import Table, TableQuery, table
from backend.runs.table.window import Summed, Window
from frontend.runs_table.rows import RowWriter
from frontend.runs_table.view import ROWS_AT_MOST, RunsView
from frontend.templating import page

router = APIRouter()


@router.get("/")
def show(
    request: Request,
    session: ReadSession,
    query: TableAsked,
    only: Annotated[str | None, Query(pattern=r"^(\d{1,10}(,\d{1,10})*)?$", max_length=4000)] = None,
    accept_encoding: AcceptEncoding = "",
) -> Response:
    """Show the table; `only` writes these runs' rows and names the others, for a browser that has them."""
    problem = ""
    written = None if only is None else frozenset(int(one) for one in only.split(",") if one)
    try:
        found = table(session, query, Window(ROWS_AT_MOST, whole=written))
    except InvalidInput as error:
        problem, found = str(error), Table([], _columns(session, TableQuery()), [], None, Summed({}, False))
    view = RunsView(
        query=query,
        table=found,
        stored=repository.count(session),
        datasets=datasets.count(session),
        only=written,
        problem=problem,
    )
    writer = RowWriter(view.columns, view.aligned, view.address)
    response = page(request, "runs.html", 422 if problem else 200, view=view, writer=writer)
    return compressed(response, accept_encoding)


@router.get("/columns")
def columns(
    request: Request, session: ReadSession, query: TableAsked, accept_encoding: AcceptEncoding = ""
) -> Response:
    """Show the columns to choose from: a part of the page, fetched when it is asked for."""
    shown = [column for column in _columns(session, query) if column.key != "name"]
    keys = frozenset(column.key for column in shown)
    choices = list(available(session))
    response = page(request, "runs_columns.html", shown=shown, keys=keys, choices=choices)
    return compressed(response, accept_encoding)


def _columns(session: Session, query: TableQuery) -> list[Column]:
    return table(session, replace(query, filters=(), by=""), Window(1)).columns
