"""A worker process."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base, UtcDateTime, now

SILENT_AFTER_BEATS = 4
"""A worker that has not spoken for so many beats is taken for dead."""


class Worker(Base):
    """A worker that has said it lives; `seen_at` tells whether it still does."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    """`host:pid:start`, the lease owner's name."""
    host: Mapped[str] = mapped_column(String(200))
    devices: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    """`[{"name": "…", "memory_bytes": n, "memory_used_bytes": n or null}]`; empty on a machine without GPU."""
    run_id: Mapped[int | None] = mapped_column()
    """The run it works on; no foreign key, since a heartbeat may come after the run was deleted."""
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
