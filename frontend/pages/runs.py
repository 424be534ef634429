"""The Runs page: one table of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from backend.datasets import repository as datasets
from backend.http.dependencies import ReadSession
from backend.runs import repository
from backend.runs.presentation import ACTIONS, RunItem, items
from frontend.templating import page

router = APIRouter()

ROWS_AT_MOST = 1000
NEWEST_FIRST = "-id"


@dataclass(frozen=True)
class RunsView:
    """What the table shows and how it was asked for."""

    runs: Sequence[RunItem]
    total: int
    text: str
    status: str
    tag: str
    sort: str
    datasets: int

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that can be filtered by."""
        return tuple(ACTIONS)

    @property
    def empty(self) -> bool:
        """Whether there is no run at all, as against none that fits."""
        return not (self.total or self.text or self.status or self.tag)

    @property
    def masks(self) -> bool:
        """Whether any run shown has an average precision of masks: else the table has no column for it."""
        return any(run.summary.mask_ap is not None for run in self.runs)

    @property
    def sentence(self) -> str:
        """How many runs there are, and how many of those shown are under way."""
        if self.empty:
            return ""
        shown = f"{len(self.runs):,} of {self.total:,}" if len(self.runs) < self.total else f"{self.total:,}"
        states = [run.status for run in self.runs]
        under_way = [
            f"{states.count(one)} {one}" for one in ("running", "queued", "failed") if states.count(one)
        ]
        noun = "run" if self.total == 1 else "runs"
        return ", ".join([f"{shown} {noun}", *under_way])

    def sorted_by(self, field: str) -> str:
        """Return the address that sorts by a column: large numbers first, and the other way on a second click."""
        first = field if field in ("name", "status") else f"-{field}"
        second = f"-{field}" if first == field else field
        return self._address(sort=second if self.sort == first else first)

    def tagged(self, tag: str) -> str:
        """Return the address that shows only runs with this tag."""
        return self._address(tag=tag)

    def _address(self, **changes: str) -> str:
        values = {"text": self.text, "status": self.status, "tag": self.tag, "sort": self.sort} | changes
        kept = {
            key: value for key, value in values.items() if value and (key, value) != ("sort", NEWEST_FIRST)
        }
        return f"/?{urlencode(kept)}" if kept else "/"


@router.get("/")
def show(
    request: Request,
    session: ReadSession,
    text: Annotated[str, Query(max_length=200)] = "",
    status: Annotated[str, Query(pattern=f"^({'|'.join(ACTIONS)}|)$")] = "",
    tag: Annotated[str, Query(max_length=60)] = "",
    sort: Annotated[str, Query(pattern=f"^-?({'|'.join(repository.SORTABLE)})$")] = NEWEST_FIRST,
) -> HTMLResponse:
    """Show the table."""
    found, total = repository.page(
        session,
        text=text,
        status=[status] if status else (),
        tag=tag,
        dataset_id=None,
        sort=sort,
        offset=0,
        limit=ROWS_AT_MOST,
    )
    view = RunsView(items(session, found), total, text, status, tag, sort, datasets.count(session))
    return page(request, "runs.html", view=view)
