"""Writes one entry of a run into the database, if the run is still its own."""

from __future__ import annotations

from pathlib import Path

from backend.database import Database
from backend.runs import queue
from worker.entries import Entry


class RunTakenAway(Exception):
    """The run was deleted, or its lease went to another worker: nothing more may be written about it."""


class Delivery:
    """The way into the database, each entry in one short transaction.

    `owner` is the worker that claimed the run; None (a run driven by hand) writes unconditionally.
    """

    def __init__(self, database: Database, run_id: int, owner: str | None, home: Path) -> None:
        self._database, self._run_id, self._owner = database, run_id, owner
        self.home = home

    def write(self, entry: Entry) -> None:
        """Write it whole or not at all. Raises `RunTakenAway`, and what the database raises."""
        with self._database.writing() as session:
            # The same transaction holds the check and the write, so no stale writer slips between.
            if not queue.change(session, queue.owned(self._run_id, self._owner), **entry.state):
                raise RunTakenAway(f"run {self._run_id} was deleted or given to another worker")
            entry.write(session, self._run_id, self.home)
