"""What a run measured. Summaries stand apart from the blobs: lists and heatmaps never touch a blob."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.base import Base


class Layer(Base):
    """One probed map of a run's model, in network order."""

    __tablename__ = "layers"
    __table_args__ = (UniqueConstraint("run_id", "name"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    order: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Position in network order from 0; the key of its spectra."""
    name: Mapped[str] = mapped_column(String(200))
    """Such as `layer1.0.act1`."""
    map: Mapped[str] = mapped_column(String(20))
    """conv, norm, act, block, fpn, rpn, box_head, mask_head or retina_head; a recorded run may have further kinds."""
    stage: Mapped[str] = mapped_column(String(200))
    """stem, layer1 … layer4, fpn, rpn, a head such as box_head, or the classifier's; or a recorded run's own."""
    width: Mapped[int] = mapped_column()


class Spectrum(Base):
    """All eigenvalues of one layer at one iteration."""

    __tablename__ = "spectra"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "layer"], ["layers.run_id", "layers.order"], ondelete="CASCADE"),
    )

    run_id: Mapped[int] = mapped_column(primary_key=True)
    layer: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    iteration: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    eigenvalues: Mapped[bytes] = mapped_column(LargeBinary)
    """`width` little-endian float32, descending."""


class SpectrumSummary(Base):
    """The numbers that heatmaps and lists need of a spectrum."""

    __tablename__ = "spectrum_summaries"
    __table_args__ = (
        ForeignKeyConstraint(["run_id", "layer"], ["layers.run_id", "layers.order"], ondelete="CASCADE"),
    )

    run_id: Mapped[int] = mapped_column(primary_key=True)
    layer: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    iteration: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    dimensionality: Mapped[int] = mapped_column()
    """Eigenvalues above 1e-3, the paper's criterion, counted in float64."""
    trace: Mapped[float] = mapped_column()
    lambda_1: Mapped[float] = mapped_column()
    images: Mapped[int] = mapped_column()
    positions: Mapped[int] = mapped_column(BigInteger)
    """Valid positions summed over the probe images; N of the warning where N/C < 8."""


class Metric(Base):
    """One scalar of one iteration."""

    __tablename__ = "metrics"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    """loss, loss_box_reg, …, lr, data_wait, wall_seconds, gpu_memory; ap, ap50, ap75, ap_small, …, ap/CATEGORY, the
    same with mask_; top1."""
    iteration: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[float | None] = mapped_column()
    """Null where the number was not finite."""


class MetricSummary(Base):
    """The numbers that lists of runs need of a metric, so that no list reads its points."""

    __tablename__ = "metric_summaries"

    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True, index=True)
    last_iteration: Mapped[int] = mapped_column()
    last: Mapped[float | None] = mapped_column()
    """Of the last iteration; null where the number was not finite."""
    lowest: Mapped[float | None] = mapped_column()
    highest: Mapped[float | None] = mapped_column()
