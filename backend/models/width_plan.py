"""A plan of widths, and which runs were launched from it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, UtcDateTime, now


class WidthPlan(Base):
    """Widths chosen from a run's spectra, with all that they were chosen by; it outlives its source."""

    __tablename__ = "width_plans"
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - read once by the mapper

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    """The source; null once it was deleted."""
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`WidthRequest`: run, iteration, criterion and rule."""
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    """`Plan`: widths, dimensionalities, sizes before and after, and where they come from."""
    specification: Mapped[dict[str, Any]] = mapped_column(JSON)
    """The source's `RunSpecification`: the protocol of the retraining."""
    launch: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """`LaunchRequest` of the last launch; null before it."""
    previous_plan_id: Mapped[int | None] = mapped_column(
        ForeignKey("width_plans.id", ondelete="SET NULL"), unique=True
    )
    """In an iterated selection, the plan of the round before."""
    problem: Mapped[str | None] = mapped_column(Text)
    """Why the next round could not begin."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)


class WidthPlanRun(Base):
    """A run that was launched from a plan."""

    __tablename__ = "width_plan_runs"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("width_plans.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    """selected (the plan's widths), baseline (the source's) or uniform (the source's, all scaled alike)."""
