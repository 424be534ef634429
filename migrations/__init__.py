"""Alembic migrations: they build every database, tests' too."""
