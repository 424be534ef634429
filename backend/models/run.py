"""A run, its log and its checkpoints."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, UtcDateTime, now


class Run(Base):
    """One training; the row is the truth about it, the broker's message only wakes a worker."""

    __tablename__ = "runs"
    # SQLite would otherwise give a deleted run's id, and so its folder and its links, to the next one.
    __table_args__ = (Index("ix_runs_queue", "status", "priority", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    notes: Mapped[str] = mapped_column(Text, default="", server_default="")
    """What a person wrote about it."""
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Put aside: lists leave it out unless they are asked for it."""
    specification: Mapped[dict[str, Any]] = mapped_column(JSON)
    origin: Mapped[str] = mapped_column(String(20), default="launched", server_default="launched")
    """launched (a worker trains it) or recorded (somebody's own training tells of itself)."""
    dataset_id: Mapped[int | None] = mapped_column(ForeignKey("datasets.id", ondelete="RESTRICT"), index=True)
    """Null where the run is recorded."""
    parent_run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    """The run whose weights it started from."""

    status: Mapped[str] = mapped_column(String(20), default="queued")
    """queued, running, succeeded, failed, cancelled or lost."""
    phase: Mapped[str] = mapped_column(String(40), default="")
    """What a running run does now: starting, training, probing, evaluating, saving; or recording."""
    stop_requested: Mapped[bool] = mapped_column(default=False)
    priority: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    lease_owner: Mapped[str | None] = mapped_column(String(200))
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(default=0)
    """Grows with every change, so that a stream of changes needs no clock."""

    iteration: Mapped[int] = mapped_column(default=0)
    iterations: Mapped[int] = mapped_column()
    seconds_per_iteration: Mapped[float | None] = mapped_column()

    ap: Mapped[float | None] = mapped_column()
    ap50: Mapped[float | None] = mapped_column()
    mask_ap: Mapped[float | None] = mapped_column()
    top1: Mapped[float | None] = mapped_column()
    parameters: Mapped[int | None] = mapped_column(BigInteger)
    backbone_parameters: Mapped[int | None] = mapped_column(BigInteger)
    macs: Mapped[int | None] = mapped_column(BigInteger)
    device: Mapped[str | None] = mapped_column(String(200))
    """What it trains on, such as `cpu` or the card's name."""
    start: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What its first weights were taken from, and what of the model trains (`StartReport`)."""

    imported: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """`{"host", "run_id", "parent_run_id", "exported_at"}` of the instance that it is from; null where that is this."""

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LogLine(Base):
    """One line that a run's trainer printed."""

    __tablename__ = "log_lines"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(Text)


class Checkpoint(Base):
    """A file from which a run can be resumed or another started."""

    __tablename__ = "checkpoints"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    file: Mapped[str] = mapped_column(String(400))
    """Path relative to the home folder."""
    bytes: Mapped[int] = mapped_column(BigInteger)
    kept_as: Mapped[list[str]] = mapped_column(JSON, default=lambda: ["last"], server_default='["last"]')
    """Why it is kept: `last`, `best` (evaluation), `snapshot` (of the spectra); one may be all of these."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class Prediction(Base):
    """What a run found in one validation image after so many updates, for people to look at."""

    __tablename__ = "predictions"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    iteration: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    image_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`{"file_name", "width", "height", "objects": n, "truth": [{"bbox", "category_id", "outlines"}], "found": […]}`.

    `objects` counts what is there, of which the truth may be a part; what was found has a `score` too. A box is [left,
    top, width, height]; outlines, of masks only, are polygons [x0, y0, x1, y1, …]; all in pixels.
    """
