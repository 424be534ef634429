"""Layers, metrics, spectra and dimensions over HTTP."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel

from backend.http.dependencies import DatabaseDep, ReadSession, WriteSession
from backend.http.parameters import LARGEST, RunId
from backend.measurements import encoding, predictions, recording, repository, service
from backend.runs import recordings
from backend.runs import service as runs
from backend.runs.recorded import MetricPoints
from backend.runs.specification import PROPOSAL_KINDS
from backend.spectra.criteria import CRITERIA, Unit

router = APIRouter(tags=["measurements"])


class LayerItem(BaseModel):
    """One probed map."""

    name: str
    map: str
    stage: str
    width: int
    order: int
    positions: Literal["image", "proposals"]
    """What the map's positions are: places in the image, or the proposals that a head is given."""


class SeriesItem(BaseModel):
    """One metric by iteration; null where it was not finite."""

    iterations: list[int]
    values: list[float | None]


class MetricsAnswer(BaseModel):
    """Metrics by name."""

    metrics: dict[str, SeriesItem]


class DimensionsAnswer(BaseModel):
    """`values` is layers x iterations; null where a layer has no spectrum, or its spectrum no slope."""

    layers: list[str]
    iterations: list[int]
    widths: list[int]
    values: list[list[float | None]]
    criterion: str
    threshold: float | None
    unit: Unit


class CriterionItem(BaseModel):
    """A way to sum up a spectrum; a `unit` of "slope" is no number of dimensions."""

    name: str
    label: str
    description: str
    formula: str
    default_threshold: float | None
    unit: Unit


async def _whole_body(request: Request) -> bytes:
    return await request.body()


@router.get("/runs/{run_id}/layers")
def layers(run_id: RunId, session: ReadSession) -> list[LayerItem]:
    """List a run's probed maps in network order."""
    runs.get(session, run_id)
    fields = ("name", "map", "stage", "width", "order")
    return [
        LayerItem(
            **{field: getattr(layer, field) for field in fields},
            positions="proposals" if layer.map in PROPOSAL_KINDS else "image",
        )
        for layer in repository.layers(session, run_id)
    ]


@router.get("/runs/{run_id}/metrics")
def metrics(
    run_id: RunId,
    session: ReadSession,
    names: Annotated[str, Query(max_length=2000, description="Separated by commas; empty takes all.")] = "",
    after: Annotated[int, Query(ge=-1, le=LARGEST, description="Only later iterations.")] = -1,
) -> MetricsAnswer:
    """Return losses, learning rate and AP by iteration."""
    runs.get(session, run_id)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    found = service.metrics(session, run_id, wanted, after)
    return MetricsAnswer(
        metrics={
            name: SeriesItem(iterations=list(series.iterations), values=list(series.values))
            for name, series in found.items()
        }
    )


@router.get("/runs/{run_id}/predictions")
def show_predictions(
    run_id: RunId,
    session: ReadSession,
    iteration: Annotated[
        int | None, Query(ge=0, le=LARGEST, description="Empty takes the newest evaluation.")
    ] = None,
) -> predictions.PredictionsAnswer:
    """Return what a detector found in some validation images at one of its last evaluations, and what is there."""
    return predictions.answer(session, runs.get(session, run_id), iteration)


@router.get(
    "/runs/{run_id}/spectra",
    response_class=Response,
    responses={200: {"content": {kind: {} for kind in encoding.MEDIA_TYPES.values()}}},
)
def spectra(
    run_id: RunId,
    session: ReadSession,
    layer: Annotated[str, Query(max_length=200, description="A name of /layers.")],
    after: Annotated[int, Query(ge=-1, le=LARGEST, description="Only later iterations.")] = -1,
    format: Literal["json", "npz", "arrow", "binary"] = "json",
) -> Response:
    """Return one layer's eigenvalues, descending, at every snapshot.

    `binary` is little-endian: uint32 T, uint32 C, int32[T] iterations, float32[T, C] eigenvalues.
    """
    runs.get(session, run_id)
    found = service.layer_spectra(session, run_id, layer, after)
    return Response(encoding.ENCODERS[format](found), media_type=encoding.MEDIA_TYPES[format])


@router.put(
    "/runs/{run_id}/spectra",
    status_code=204,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {recording.MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
def record_spectra(
    run_id: RunId, body: Annotated[bytes, Depends(_whole_body)], database: DatabaseDep
) -> None:
    """Store spectra of a recorded run, each with its layer's name; to send one again replaces it.

    An Arrow stream without compression, one row a layer and iteration: iteration int64, layer string, eigenvalues
    list<float32> in descending order, dimensionality int64, trace float64, lambda_1 float64, images int64,
    positions int64. Either all is stored or nothing.
    """
    # Read before the transaction: on SQLite nobody else writes while it is open.
    records = recording.decode(body)
    with database.writing() as session:
        recordings.record_spectra(session, run_id, records)


@router.put("/runs/{run_id}/metrics", status_code=204)
def record_metrics(run_id: RunId, points: Annotated[MetricPoints, Body()], session: WriteSession) -> None:
    """Store scalars of one iteration, or of a list of them, of a recorded run; to send one again replaces it."""
    recordings.record_metrics(session, run_id, points)


@router.get("/runs/{run_id}/dimensions")
def dimensions(
    run_id: RunId,
    session: ReadSession,
    criterion: Annotated[
        str, Query(max_length=40, description="A name of /criteria.")
    ] = service.PAPER_CRITERION,
    threshold: Annotated[float | None, Query(description="Empty takes the criterion's own.")] = None,
) -> DimensionsAnswer:
    """Return every layer's dimensionality at every snapshot."""
    runs.get(session, run_id)
    found = service.dimensions(session, run_id, criterion, threshold)
    return DimensionsAnswer(
        layers=list(found.layers),
        iterations=list(found.iterations),
        widths=list(found.widths),
        values=[[None if math.isnan(v) else v for v in row] for row in found.values.tolist()],
        criterion=found.criterion,
        threshold=found.threshold,
        unit=CRITERIA[found.criterion].unit,
    )


@router.get("/criteria")
def criteria() -> list[CriterionItem]:
    """List the ways to sum up a spectrum."""
    fields = ("name", "label", "description", "formula", "default_threshold", "unit")
    return [CriterionItem(**{f: getattr(info, f) for f in fields}) for info in CRITERIA.values()]
