"""Alembic's entry: runs the migrations on the connection that `backend.migration` hands over."""

from __future__ import annotations

from alembic import context

from backend.models import Base


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
