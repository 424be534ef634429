"""What runs here, by version: what a report of a problem should name."""

from __future__ import annotations

import platform
from importlib import metadata

from plotly.offline import get_plotlyjs_version
from sqlalchemy.orm import Session


def versions(session: Session) -> list[tuple[str, str]]:
    """Return (what, version) of the server's parts."""
    dialect = session.get_bind().dialect
    numbers = ".".join(map(str, getattr(dialect, "server_version_info", None) or ()))
    names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
    return [
        ("Eigenscope", metadata.version("eigenscope")),
        ("Python", platform.python_version()),
        (names.get(dialect.name, dialect.name), numbers),
        ("plotly.js", get_plotlyjs_version()),
    ]
