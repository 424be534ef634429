"""Runs that no worker trains: an origin, no dataset, and stages that somebody else has named."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    highest = _sqlite_sequence()
    # SQLite cannot lift a NOT NULL: the table is copied, and the copy takes its name.
    with op.batch_alter_table("runs", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.add_column(
            sa.Column("origin", sa.String(length=20), nullable=False, server_default="launched")
        )
        batch_op.alter_column("dataset_id", existing_type=sa.Integer(), nullable=True)
    if highest is not None:
        _restore_sqlite_sequence(highest)
    with op.batch_alter_table("layers") as batch_op:
        batch_op.alter_column("stage", existing_type=sa.String(length=40), type_=sa.String(length=200))


def _sqlite_sequence() -> int | None:
    """Return the highest id that SQLite ever gave to a run, None elsewhere or where there was no run."""
    if op.get_bind().dialect.name != "sqlite":
        return None
    if op.get_bind().scalar(sa.text("PRAGMA foreign_keys")):
        raise RuntimeError(
            "dropping the old table would delete all that runs have measured: turn foreign_keys off"
        )
    return op.get_bind().scalar(sa.text("SELECT seq FROM sqlite_sequence WHERE name = 'runs'"))


def _restore_sqlite_sequence(highest: int) -> None:
    # The copy counts from the highest id that is left; the id of a deleted run must not be given again.
    op.execute("DELETE FROM sqlite_sequence WHERE name = 'runs'")
    op.get_bind().execute(
        sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('runs', :seq)"), {"seq": highest}
    )


def downgrade() -> None:
    raise NotImplementedError("the database of 0001 has no room for recorded runs; restore a backup")
