"""The datasets, and the page of one: its numbers and some of its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from backend.datasets import repository, service
from backend.datasets.summary import Statistics
from backend.http.dependencies import ReadSession
from backend.models import Dataset
from frontend.dataset_samples import shown_sample
from frontend.templating import page

router = APIRouter()

LISTED_AT_MOST = 1000


@dataclass(frozen=True)
class ListedDataset:
    """A dataset in a list, with how many runs use it."""

    dataset: Dataset
    runs: int


def listed(session: Session, at_most: int = LISTED_AT_MOST) -> list[ListedDataset]:
    """Return the newest datasets first."""
    used = repository.runs_by_dataset(session)
    return [ListedDataset(one, used.get(one.id, 0)) for one in repository.newest(session, at_most)]


@router.get("/datasets")
def show_all(request: Request, session: ReadSession) -> HTMLResponse:
    """Show all datasets."""
    return page(request, "datasets.html", datasets=listed(session), in_all=repository.count(session))


@router.get("/datasets/{dataset_id}")
def show(
    dataset_id: Annotated[int, Path(ge=1, lt=2**31)], request: Request, session: ReadSession
) -> HTMLResponse:
    """Show one dataset."""
    dataset = service.get(session, dataset_id)
    names = [category["name"] for category in dataset.categories]
    found = Statistics.model_validate(dataset.statistics) if dataset.statistics else None
    return page(
        request,
        "dataset.html",
        dataset=dataset,
        runs=repository.runs_on(session, dataset_id),
        statistics=found,
        samples=[shown_sample(one, names, boxes=dataset.kind != "folders") for one in found.samples]
        if found
        else [],
        categories=_rows(names, found) if found else [],
    )


def _rows(names: list[str], found: Statistics) -> list[tuple[str, int, int, int, int]]:
    """Return (name, training objects, training images, validation objects, validation images), frequent first."""
    train, val = found.splits["train"].categories, found.splits["val"].categories
    rows = [
        (name, first.objects, first.images, second.objects, second.images)
        for name, first, second in zip(names, train, val, strict=True)
    ]
    return sorted(rows, key=lambda row: -row[1])
