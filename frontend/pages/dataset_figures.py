"""Figures of a dataset over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import plotly.graph_objects as go
from fastapi import APIRouter, Path, Response

from backend.datasets import service
from backend.datasets.summary import Statistics
from backend.errors import NotFound
from backend.http.dependencies import ReadSession
from backend.models import Dataset
from frontend.figures.category_counts import category_counts
from frontend.figures.colours import Theme
from frontend.figures.image_sizes import image_sizes
from frontend.figures.object_sizes import object_sizes
from frontend.figures.objects_per_image import objects_per_image

router = APIRouter(tags=["figures"])

DatasetFigure = Literal["object_sizes", "objects_per_image", "image_sizes", "category_counts"]
Maker = Callable[[Dataset, Statistics, Theme], go.Figure]


def _object_sizes(_dataset: Dataset, found: Statistics, theme: Theme) -> go.Figure:
    return object_sizes({split: one.sizes for split, one in found.splits.items()}, theme)


def _objects_per_image(_dataset: Dataset, found: Statistics, theme: Theme) -> go.Figure:
    return objects_per_image({split: one.objects_per_image for split, one in found.splits.items()}, theme)


def _image_sizes(_dataset: Dataset, found: Statistics, theme: Theme) -> go.Figure:
    return image_sizes({split: one.image_sizes for split, one in found.splits.items()}, theme)


def _category_counts(dataset: Dataset, found: Statistics, theme: Theme) -> go.Figure:
    names = [category["name"] for category in dataset.categories]
    noun = "images" if dataset.kind == "folders" else "objects"
    return category_counts(names, {split: one.categories for split, one in found.splits.items()}, theme, noun)


FIGURES: dict[DatasetFigure, Maker] = {
    "object_sizes": _object_sizes,
    "objects_per_image": _objects_per_image,
    "image_sizes": _image_sizes,
    "category_counts": _category_counts,
}


@router.get(
    "/datasets/{dataset_id}/figures/{name}",
    response_class=Response,
    responses={200: {"content": {"application/json": {}}}},
)
def dataset_figure(
    dataset_id: Annotated[int, Path(ge=1, lt=2**31)],
    name: DatasetFigure,
    session: ReadSession,
    theme: Theme = "light",
) -> Response:
    """Return a plotly figure of a dataset's statistics."""
    dataset = service.get(session, dataset_id)
    if dataset.statistics is None:
        raise NotFound(
            f"dataset '{dataset.name}' was registered before statistics were made; "
            f"`eigenscope datasets check {dataset_id}` adds them"
        )
    figure = FIGURES[name](dataset, Statistics.model_validate(dataset.statistics), theme)
    return Response(figure.to_json(), media_type="application/json")
