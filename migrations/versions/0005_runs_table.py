"""Notes and the archive of runs; what lists show of each metric."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SUMMARISE = """
INSERT INTO metric_summaries (run_id, name, last_iteration, last, lowest, highest)
SELECT m.run_id, m.name, m.iteration, m.value, found.lowest, found.highest
FROM metrics AS m
JOIN (
    SELECT run_id, name, max(iteration) AS iteration, min(value) AS lowest, max(value) AS highest
    FROM metrics GROUP BY run_id, name
) AS found ON found.run_id = m.run_id AND found.name = m.name AND found.iteration = m.iteration
"""


def upgrade() -> None:
    op.add_column("runs", sa.Column("notes", sa.Text(), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "metric_summaries",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("last_iteration", sa.Integer(), nullable=False),
        sa.Column("last", sa.Double(), nullable=True),
        sa.Column("lowest", sa.Double(), nullable=True),
        sa.Column("highest", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_metric_summaries_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "name", name=op.f("pk_metric_summaries")),
    )
    op.create_index(op.f("ix_metric_summaries_name"), "metric_summaries", ["name"])
    op.execute(SUMMARISE)


def downgrade() -> None:
    raise NotImplementedError("the database of 0004 has no room for notes; restore a backup")
