"""Mask AP, starts, why checkpoints are kept, predictions; datasets' statistics, folders and images' files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("datasets", sa.Column("val_images", sa.String(length=4096), nullable=True))
    op.add_column("datasets", sa.Column("statistics", sa.JSON(), nullable=True))
    op.create_table(
        "dataset_images",
        sa.Column("dataset_id", sa.Integer(), nullable=False),
        sa.Column("split", sa.String(length=5), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.String(length=4096), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["datasets.id"],
            name=op.f("fk_dataset_images_dataset_id_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("dataset_id", "split", "image_id", name=op.f("pk_dataset_images")),
    )
    op.add_column("runs", sa.Column("mask_ap", sa.Double(), nullable=True))
    op.add_column("runs", sa.Column("start", sa.JSON(), nullable=True))
    op.add_column("checkpoints", sa.Column("kept_as", sa.JSON(), nullable=False, server_default='["last"]'))
    op.create_table(
        "predictions",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("iteration", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.BigInteger(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_predictions_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "iteration", "image_id", name=op.f("pk_predictions")),
    )


def downgrade() -> None:
    raise NotImplementedError("the database of 0002 has no room for predictions; restore a backup")
