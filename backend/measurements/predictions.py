"""What a run found in some validation images, as the API shows it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session

from backend.errors import NotFound
from backend.measurements import repository
from backend.models import Dataset, Run

SPLIT = "val"


class CategoryItem(BaseModel):
    """A class of objects."""

    id: int
    name: str


class ObjectItem(BaseModel):
    """An object in an image; all in pixels of it."""

    bbox: list[float]
    """Left, top, width, height."""
    category_id: int
    outlines: list[list[float]] | None = None
    """Polygons [x0, y0, x1, y1, …] of its mask, filled by the even-odd rule; null where no masks are learnt."""


class FoundItem(ObjectItem):
    """An object that the detector found, with its score in 0 … 1."""

    score: float


class ImageItem(BaseModel):
    """One image: what is there, at most 100 of all `objects`, and what was found, best first, at most 100."""

    image_id: int
    file_name: str
    width: int
    height: int
    objects: int
    truth: list[ObjectItem]
    found: list[FoundItem]


class PredictionsAnswer(BaseModel):
    """Images of one evaluation; `iterations` are those that there are predictions of, `iteration` is this one.

    Images are at `/datasets/{dataset_id}/images/{split}/{image_id}`. Before the first evaluation there are none, and
    `iteration` is null.
    """

    iterations: list[int]
    iteration: int | None
    dataset_id: int | None
    split: str
    categories: list[CategoryItem]
    images: list[ImageItem]


def answer(session: Session, run: Run, iteration: int | None) -> PredictionsAnswer:
    """Return the predictions of one evaluation, or the newest. Raises `NotFound` where there are none of that one."""
    iterations = repository.prediction_iterations(session, run.id)
    if iteration is not None and iteration not in iterations:
        there = ", ".join(map(str, iterations)) or "none yet"
        raise NotFound(f"run {run.id} has no predictions of iteration {iteration}; it has: {there}")
    chosen = iteration if iteration is not None else (iterations[-1] if iterations else None)
    rows = repository.predictions(session, run.id, chosen) if chosen is not None else ()
    return PredictionsAnswer(
        iterations=iterations,
        iteration=chosen,
        dataset_id=run.dataset_id,
        split=SPLIT,
        categories=[CategoryItem.model_validate(category) for category in _categories(session, run)],
        images=[ImageItem(image_id=row.image_id, **row.data) for row in rows],
    )


def _categories(session: Session, run: Run) -> list[dict[str, Any]]:
    dataset = session.get(Dataset, run.dataset_id) if run.dataset_id is not None else None
    return dataset.categories if dataset else []
