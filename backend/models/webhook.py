"""What happened to runs, to be told to webhooks, and how each telling went."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, UtcDateTime, now


class WebhookEvent(Base):
    """Something that happened to a run, written in the transaction in which it happened."""

    __tablename__ = "webhook_events"
    __table_args__ = (Index("ix_webhook_events_handed_out", "handed_out", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(36))
    """What a receiver tells repeats by; the same for every receiver and attempt."""
    event: Mapped[str] = mapped_column(String(40))
    """run.succeeded, run.failed, run.cancelled, run.lost or run.stuck."""
    run_id: Mapped[int] = mapped_column()
    """No foreign key: the end of a run is told even if it was deleted since."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The run as it was then; the body's `run`."""
    handed_out: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether each receiver has a delivery of it."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class WebhookDelivery(Base):
    """One event on its way to one receiver."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "receiver"),
        Index("ix_webhook_deliveries_due", "state", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("webhook_events.id", ondelete="CASCADE"))
    receiver: Mapped[str] = mapped_column(String(64))
    """A digest of its address, which may hold a secret and so is kept in the settings alone."""
    state: Mapped[str] = mapped_column(String(20), default="pending")
    """pending, delivered or given_up."""
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    """When it may be tried; a server that tries it moves this on first, so that no other does."""
    problem: Mapped[str | None] = mapped_column(Text)
    """Why the last attempt failed."""


class RunWatch(Base):
    """Since when a run has stood still: one row for each that is under way."""

    __tablename__ = "run_watches"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    mark: Mapped[str] = mapped_column(String(200))
    """Status, attempt, phase and iteration: while it is the same, nothing has moved."""
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    told: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether it was said that it is stuck there."""
