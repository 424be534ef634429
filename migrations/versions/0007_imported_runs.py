"""Where an imported run is from."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("imported", sa.JSON(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("the database of 0006 does not say where runs are from; restore a backup")
