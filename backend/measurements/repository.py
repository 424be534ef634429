"""Writes that may be repeated, and reads that touch no more than they need."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import String, Table, cast, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.measurements import counting, metric_summaries
from backend.measurements.records import CheckpointRow, LayerRow, PredictionRow, SpectrumRow
from backend.models import Base, Checkpoint, Layer, Metric, Prediction, Spectrum, SpectrumSummary

KEPT_EVALUATIONS = 3
"""Of whose predictions a run keeps: enough to see whether the last ones still changed something."""
FETCHED = 200
"""Spectra fetched at a time."""


def upsert(session: Session, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """Insert `rows`; where the primary key exists already, overwrite the other columns."""
    if not rows:
        return
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows the declarative type
    keys = [column.name for column in table.primary_key]
    statement = insert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), list(rows))


def write_layers(session: Session, run_id: int, layers: Sequence[LayerRow]) -> None:
    """Store the run's probed maps."""
    fields = ("order", "name", "map", "stage", "width")
    upsert(session, Layer, [{"run_id": run_id} | {f: getattr(row, f) for f in fields} for row in layers])


def write_spectra(
    session: Session,
    run_id: int,
    iteration: int,
    rows: Sequence[SpectrumRow],
    probe_seconds: float | None = None,
) -> None:
    """Store one snapshot: all eigenvalues as float32, their summary apart; `probe_seconds` it held up training."""
    key = {"run_id": run_id, "iteration": iteration}
    blobs = [
        key | {"layer": row.layer, "eigenvalues": np.ascontiguousarray(row.eigenvalues, "<f4").tobytes()}
        for row in rows
    ]
    fields = ("layer", "dimensionality", "trace", "lambda_1", "images", "positions")
    upsert(session, Spectrum, blobs)
    upsert(session, SpectrumSummary, [key | {f: getattr(row, f) for f in fields} for row in rows])
    counting.count_spectra(session, run_id, len(rows), probe_seconds)


def write_metrics(session: Session, run_id: int, points: Sequence[tuple[int, str, float]]) -> None:
    """Store (iteration, name, value) points; a number that is not finite becomes null."""
    rows = [
        {"run_id": run_id, "name": name, "iteration": i, "value": value if math.isfinite(value) else None}
        for i, name, value in points
    ]
    upsert(session, Metric, rows)
    metric_summaries.summarise(session, run_id, points)
    counting.count_points(session, run_id, len(points))


def write_predictions(session: Session, run_id: int, iteration: int, rows: Sequence[PredictionRow]) -> None:
    """Store one evaluation's predictions, and remove those of all but the newest few."""
    key = {"run_id": run_id, "iteration": iteration}
    upsert(session, Prediction, [key | {"image_id": row.image_id, "data": row.data} for row in rows])
    kept = prediction_iterations(session, run_id)[-KEPT_EVALUATIONS:]
    session.execute(delete(Prediction).where(Prediction.run_id == run_id, Prediction.iteration.not_in(kept)))


def prediction_iterations(session: Session, run_id: int) -> list[int]:
    """Return the iterations of which predictions are kept, rising."""
    query = select(Prediction.iteration).where(Prediction.run_id == run_id).distinct()
    return list(session.scalars(query.order_by(Prediction.iteration)))


def predictions(session: Session, run_id: int, iteration: int) -> Sequence[Prediction]:
    """Return one evaluation's predictions by image id."""
    query = select(Prediction).where(Prediction.run_id == run_id, Prediction.iteration == iteration)
    return session.scalars(query.order_by(Prediction.image_id)).all()


def write_checkpoints(session: Session, run_id: int, rows: Sequence[CheckpointRow], home: Path) -> None:
    """Store which checkpoints a run has, in place of those it had; files by their path below `home`."""
    known = {
        one.iteration: one for one in session.scalars(select(Checkpoint).where(Checkpoint.run_id == run_id))
    }
    for iteration in known.keys() - {row.iteration for row in rows}:
        session.delete(known[iteration])
    for row in rows:
        one = known.get(row.iteration)
        if one is None:
            one = Checkpoint(run_id=run_id, iteration=row.iteration)
            session.add(one)
        one.file = row.file.relative_to(home).as_posix()
        one.bytes, one.kept_as = row.bytes, list(row.kept_as)


def layers(session: Session, run_id: int) -> Sequence[Layer]:
    """Return the run's maps in network order."""
    return session.scalars(select(Layer).where(Layer.run_id == run_id).order_by(Layer.order)).all()


def layer(session: Session, run_id: int, name: str) -> Layer | None:
    """Return the run's map of that name."""
    return session.scalars(select(Layer).where(Layer.run_id == run_id, Layer.name == name).limit(1)).first()


def metrics(
    session: Session, run_id: int, names: Sequence[str], after: int
) -> Sequence[tuple[str, int, float | None]]:
    """Return (name, iteration, value) sorted by name and iteration, later than `after`; no names means all."""
    query = select(Metric.name, Metric.iteration, Metric.value).where(
        Metric.run_id == run_id, Metric.iteration > after
    )
    if names:
        query = query.where(Metric.name.in_(names))
    return session.execute(query.order_by(Metric.name, Metric.iteration)).all()


def last_iteration_of(session: Session, run_id: int, prefix: str, upto: int | None) -> int | None:
    """Return the last iteration, not later than `upto`, of a metric whose name starts with `prefix`; None without."""
    query = select(func.max(Metric.iteration)).where(
        Metric.run_id == run_id, Metric.name.startswith(prefix, autoescape=True)
    )
    if upto is not None:
        query = query.where(Metric.iteration <= upto)
    return session.scalar(query)


def metrics_at(
    session: Session, run_id: int, prefix: str, iteration: int
) -> Sequence[tuple[str, float | None]]:
    """Return (name, value) at one iteration of the metrics whose name starts with `prefix`, by name."""
    query = select(Metric.name, Metric.value).where(
        Metric.run_id == run_id,
        Metric.name.startswith(prefix, autoescape=True),
        Metric.iteration == iteration,
    )
    return session.execute(query.order_by(Metric.name)).all()


def mean_metric(session: Session, run_id: int, name: str) -> float | None:
    """Return the mean of a metric over all iterations; None where there is none."""
    query = select(func.avg(Metric.value)).where(Metric.run_id == run_id, Metric.name == name)
    return session.scalar(query)


def spectra(session: Session, run_id: int, layer: int, after: int) -> Sequence[tuple[int, bytes]]:
    """Return (iteration, float32 bytes) of one layer, later than `after`."""
    query = select(Spectrum.iteration, Spectrum.eigenvalues).where(
        Spectrum.run_id == run_id, Spectrum.layer == layer, Spectrum.iteration > after
    )
    return session.execute(query.order_by(Spectrum.iteration)).all()


def spectra_count(session: Session, run_id: int, layer: int, after: int) -> int:
    """Return how many spectra of one layer there are later than `after`."""
    s = SpectrumSummary
    query = select(func.count()).where(s.run_id == run_id, s.layer == layer, s.iteration > after)
    return session.scalar(query) or 0


def spectra_at(
    session: Session, run_id: int, iteration: int, layers: Sequence[int]
) -> Sequence[tuple[int, bytes]]:
    """Return (layer, float32 bytes) of one snapshot, of these layers in network order."""
    query = select(Spectrum.layer, Spectrum.eigenvalues).where(
        Spectrum.run_id == run_id, Spectrum.iteration == iteration, Spectrum.layer.in_(layers)
    )
    return session.execute(query.order_by(Spectrum.layer)).all()


def snapshot_iterations(session: Session, run_id: int) -> list[int]:
    """Return the iterations at which the run has a snapshot, rising."""
    iteration = SpectrumSummary.iteration
    query = select(iteration).where(SpectrumSummary.run_id == run_id).distinct().order_by(iteration)
    return list(session.scalars(query))


def spectra_in_parts(session: Session, run_id: int) -> Iterator[Sequence[tuple[int, int, bytes]]]:
    """Yield (layer, iteration, float32 bytes) of each spectrum of a run, by layer and iteration, some at a time.

    Those of a long run need not fit in memory. The rows are the driver's own: an object around each of tens of
    thousands takes a third of the time.
    """
    query = select(Spectrum.layer, Spectrum.iteration, Spectrum.eigenvalues).where(Spectrum.run_id == run_id)
    ordered = query.order_by(Spectrum.layer, Spectrum.iteration)
    connection = session.connection()
    text = str(ordered.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    driver: Any = connection.connection
    # PostgreSQL's fetches everything at once unless its cursor has a name, and bytes as text unless told otherwise.
    on_postgresql = connection.dialect.name == "postgresql"
    cursor = driver.cursor("spectra", binary=True) if on_postgresql else driver.cursor()
    try:
        cursor.execute(text)
        while rows := cursor.fetchmany(FETCHED):
            yield rows
    finally:
        cursor.close()


def bytes_of_spectra(session: Session, run_id: int) -> int:
    """Return how many bytes a run's eigenvalues take, by its layers' widths."""
    s = SpectrumSummary
    per_layer = (
        select(s.layer, func.count().label("count")).where(s.run_id == run_id).group_by(s.layer).subquery()
    )
    query = select(func.sum(4 * Layer.width * per_layer.c.count)).join(
        per_layer, (Layer.run_id == run_id) & (Layer.order == per_layer.c.layer)
    )
    return int(session.scalar(query) or 0)


def dimensionalities(session: Session, run_id: int) -> list[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Return (layer, iterations, dimensionalities at the paper's threshold) of each layer, without any blob.

    The database joins a layer's numbers to one text: a row for each of tens of thousands takes twice as long.
    """
    s = SpectrumSummary
    iterations = func.aggregate_strings(cast(s.iteration, String), ",")
    counts = func.aggregate_strings(cast(s.dimensionality, String), ",")
    query = select(s.layer, iterations, counts).where(s.run_id == run_id).group_by(s.layer)
    return [(layer, _integers(when), _integers(many)) for layer, when, many in session.execute(query)]


def _integers(text: str) -> NDArray[np.int64]:
    return np.fromstring(text, np.int64, sep=",")


def latest_positions(session: Session, run_id: int) -> dict[int, int]:
    """Return of each measured layer the positions of its last spectrum."""
    s = SpectrumSummary
    last = (
        select(s.layer, func.max(s.iteration).label("last"))
        .where(s.run_id == run_id)
        .group_by(s.layer)
        .subquery()
    )
    query = select(s.layer, s.positions).join(last, (s.layer == last.c.layer) & (s.iteration == last.c.last))
    return dict(session.execute(query.where(s.run_id == run_id)).all())


def counts(session: Session, run_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return for each run (layers, snapshots)."""
    layer_counts = dict(
        session.execute(
            select(Layer.run_id, func.count()).where(Layer.run_id.in_(run_ids)).group_by(Layer.run_id)
        ).all()
    )
    # Every snapshot holds every layer, so the first layer's rows are the snapshots.
    s = SpectrumSummary
    snapshot_counts = dict(
        session.execute(
            select(s.run_id, func.count()).where(s.run_id.in_(run_ids), s.layer == 0).group_by(s.run_id)
        ).all()
    )
    return {i: (layer_counts.get(i, 0), snapshot_counts.get(i, 0)) for i in run_ids}
