"""Which runs changed, read once for all who listen: how many tabs are open costs the database nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio.to_thread import run_sync
from sqlalchemy.exc import OperationalError

from backend.database import Database
from backend.runs.repository import marks, revisions

PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Change:
    """Ids of runs, rising; nothing in any when only time has passed.

    `measured` are those of the changed that have further spectra, another result or another status: of the others no
    more is new than how far they are and what they said.
    """

    changed: list[int]
    measured: list[int]
    deleted: list[int]


class Listener:
    """What one stream has not told yet: sets of ids, so that one never read holds no more than there are runs."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._measured: set[int] = set()
        self._deleted: set[int] = set()
        self._woken = asyncio.Event()
        self._ended = False

    def tell(self, change: Change) -> None:
        """Add a change, or note that time has passed."""
        self._changed.update(change.changed)
        self._measured.update(change.measured)
        self._deleted.update(change.deleted)
        self._woken.set()

    def end(self) -> None:
        """Say that nothing more will come."""
        self._ended = True
        self._woken.set()

    async def hear(self) -> Change | None:
        """Return what came since the last time; None when nothing more will come."""
        await self._woken.wait()
        self._woken.clear()
        if self._ended:
            return None
        gone = self._deleted
        heard = Change(sorted(self._changed - gone), sorted(self._measured - gone), sorted(gone))
        self._changed, self._measured, self._deleted = set(), set(), set()
        return heard


class Watched:
    """All runs as they were at the last look."""

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.reading() as session:
            self._revisions = revisions(session)
            self._marks = marks(session)

    def look(self) -> Change:
        """Return what is otherwise than at the last look."""
        with self._database.reading() as session:
            found = revisions(session)
            changed = [i for i, revision in found.items() if self._revisions.get(i) != revision]
            seen = marks(session, changed) if changed else {}
        deleted = [i for i in self._revisions if i not in found]
        measured = [i for i, mark in seen.items() if self._marks.get(i) != mark]
        self._revisions = found
        self._marks.update(seen)
        for one in deleted:
            self._marks.pop(one, None)
        return Change(changed, measured, deleted)


class Changes:
    """Reads revisions every half second while anybody listens. For one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._watch: asyncio.Task[None] | None = None
        self._begun = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        """Yield a listener that hears of every change from now on."""
        listener = Listener()
        self._listeners.add(listener)
        try:
            if self._watch is None:
                self._begun = asyncio.Event()
                self._watch = asyncio.create_task(self._read_again_and_again())
            await self._begun.wait()
            yield listener
        finally:
            self._listeners.discard(listener)

    async def _read_again_and_again(self) -> None:
        try:
            watched = await run_sync(Watched, self._database)
            self._begun.set()
            while self._listeners:
                await asyncio.sleep(PAUSE_SECONDS)
                change = await run_sync(watched.look)
                for one in self._listeners:
                    one.tell(change)
        except OperationalError:
            # The browsers' own reconnection asks again; what changed meanwhile shows then.
            pass
        finally:
            self._watch = None
            for one in self._listeners:
                one.end()
            self._begun.set()
