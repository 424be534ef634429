"""Plans of widths, and the runs launched from them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "width_plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("specification", sa.JSON(), nullable=False),
        sa.Column("launch", sa.JSON(), nullable=True),
        sa.Column("previous_plan_id", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_width_plans_run_id_runs"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["previous_plan_id"],
            ["width_plans.id"],
            name=op.f("fk_width_plans_previous_plan_id_width_plans"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_width_plans")),
        sa.UniqueConstraint("previous_plan_id", name=op.f("uq_width_plans_previous_plan_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_width_plans_run_id"), "width_plans", ["run_id"])
    op.create_table(
        "width_plan_runs",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_width_plan_runs_run_id_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["width_plans.id"],
            name=op.f("fk_width_plan_runs_plan_id_width_plans"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_width_plan_runs")),
    )
    op.create_index(op.f("ix_width_plan_runs_plan_id"), "width_plan_runs", ["plan_id"])


def downgrade() -> None:
    raise NotImplementedError("the database of 0003 has no room for plans of widths; restore a backup")
