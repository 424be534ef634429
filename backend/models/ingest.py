"""How much was ever written, counted while it is written: no monitoring has to count rows."""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class Ingest(Base):
    """What was written about one run, repeats included. It outlives the run, so that sums only grow.

    A row a run, since one row for all would let writers wait for each other.
    """

    __tablename__ = "ingest"

    run_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    spectra: Mapped[int] = mapped_column(BigInteger, default=0)
    points: Mapped[int] = mapped_column(BigInteger, default=0)
    """Points of metrics."""
    probes: Mapped[int] = mapped_column(BigInteger, default=0)
    probe_seconds: Mapped[float] = mapped_column(default=0.0)
    """Seconds for which probes held up training."""
