"""Which runs changed, read once for all who listen: how many tabs are open costs the database nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from anyio.to_thread import run_sync
from sqlalchemy.exc import OperationalError

from backend.database import Database
from backend.runs.repository import revisions

PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class Change:
    """Ids of runs, rising; nothing in either when only time has passed."""

    changed: list[int]
    deleted: list[int]


class Listener:
    """What one stream has not told yet: sets of ids, so that one never read holds no more than there are runs."""

    def __init__(self) -> None:
        self._changed: set[int] = set()
        self._deleted: set[int] = set()
        self._woken = asyncio.Event()
        self._ended = False

    def tell(self, changed: Iterable[int], deleted: Iterable[int]) -> None:
        """Add a change, or note that time has passed."""
        self._changed.update(changed)
        self._deleted.update(deleted)
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
        heard = Change(sorted(self._changed - self._deleted), sorted(self._deleted))
        self._changed, self._deleted = set(), set()
        return heard


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
            known = await run_sync(self._read)
            self._begun.set()
            while self._listeners:
                await asyncio.sleep(PAUSE_SECONDS)
                current = await run_sync(self._read)
                changed = [i for i, revision in current.items() if known.get(i) != revision]
                deleted = [i for i in known if i not in current]
                known = current
                for one in self._listeners:
                    one.tell(changed, deleted)
        except OperationalError:
            # The browsers' own reconnection asks again; what changed meanwhile shows then.
            pass
        finally:
            self._watch = None
            for one in self._listeners:
                one.end()
            self._begun.set()

    def _read(self) -> dict[int, int]:
        with self._database.reading() as session:
            return revisions(session)
