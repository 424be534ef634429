"""How a table is asked for over HTTP: the page, the API and the CSV file take the same parameters."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Depends, Query

from backend.http.parameters import LARGEST
from backend.runs.table.query import NEWEST_FIRST, Archived, TableQuery

Status = Literal["queued", "running", "succeeded", "failed", "cancelled", "lost"]
Key = Annotated[str, Query(min_length=1, max_length=220)]
MOST_COLUMNS = 60
MOST_FILTERS = 20


def _table_query(
    text: Annotated[
        str, Query(max_length=200, description="Words of name, tags, notes or dataset; `#12` is run 12.")
    ] = "",
    status: Annotated[list[Status] | None, Query(max_length=20, description="Any of these.")] = None,
    tag: Annotated[str, Query(max_length=60)] = "",
    dataset_id: Annotated[int | None, Query(ge=1, le=LARGEST)] = None,
    archived: Annotated[Archived, Query(description="Whether archived runs are listed.")] = "no",
    f: Annotated[
        list[Annotated[str, Query(max_length=500)]] | None,
        Query(
            max_length=MOST_FILTERS,
            description="A filter on any column: `ap>=0.3`, `training.lr=0.01`, `loss:min<0.5`, `notes~warm`, "
            "`created_at>7d`; all must be met. Of accuracies a number from 1 on is in percent: `ap>1` is `ap>0.01`.",
        ),
    ] = None,
    c: Annotated[
        list[Key] | None,
        Query(
            max_length=MOST_COLUMNS,
            description="A column: a field, a metric as `loss:last`, `loss:min` or `loss:max`, a setting as "
            "`training.lr`; `GET /runs/columns` lists them.",
        ),
    ] = None,
    by: Annotated[str, Query(max_length=220, description="A column to group by.")] = "",
    sort: Annotated[
        str, Query(max_length=220, description="A column; `-` before it turns it round.")
    ] = NEWEST_FIRST,
) -> TableQuery:
    return TableQuery(
        text=text,
        status=tuple(status or ()),
        tag=tag,
        dataset_id=dataset_id,
        archived=archived,
        filters=tuple(f or ()),
        columns=tuple(c or ()),
        by=by,
        sort=sort or NEWEST_FIRST,
    )


TableAsked = Annotated[TableQuery, Depends(_table_query)]
