"""What a browser's open tab asks the server for: the same requests, at the same pace, as the pages' own scripts.

Only the drawing is left out. Where a script of frontend/static changes, its counterpart here says which one it follows.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random

import httpx2 as httpx

from benchmarks.drills.sightings import Sightings

API = "/api/v1"
SETTLE_SECONDS = 0.4
"""live.js: how long changes gather before a tab asks."""


class Settled:
    """live.js' `settled`: runs `work` soon, once for many calls, and never twice at a time."""

    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work
        self._patience = self._due = math.inf
        self._asked = asyncio.Event()
        self._running = False

    def __call__(self, within: float = SETTLE_SECONDS) -> None:
        """Ask for it within so many seconds; of several calls the most impatient counts."""
        self._patience = min(self._patience, within)
        if not self._running:
            self._due = min(self._due, time.monotonic() + within)
            self._asked.set()

    async def run(self) -> None:
        """Work whenever it was asked for."""
        while True:
            while (left := self._due - time.monotonic()) > 0:
                self._asked.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(None if math.isinf(left) else left):
                        await self._asked.wait()
            self._patience = self._due = math.inf
            self._running = True
            await self._work()
            self._running = False
            self._due = time.monotonic() + self._patience


class Tab(ABC):
    """One open page. `act` is what a person does in it now and then."""

    every: float | None = None
    """Seconds after which the tab asks in any case."""

    def __init__(self, client: httpx.AsyncClient, sightings: Sightings, chance: Random) -> None:
        self.client, self.sightings, self.chance = client, sightings, chance
        self.refresh = Settled(self.update)

    async def get(self, kind: str, path: str) -> httpx.Response | None:
        """Ask and note how long it took; None, noted as an error, for what is no good answer."""
        began = time.perf_counter()
        try:
            response = await self._asked(path)
        except httpx.HTTPError as error:
            self.sightings.failed(kind, path, type(error).__name__)
            return None
        self.sightings.took(kind, time.perf_counter() - began)
        if response.is_success:
            return response
        self.sightings.failed(kind, path, f"{response.status_code} {response.text[:200]}")
        return None

    async def _asked(self, path: str) -> httpx.Response:
        try:
            return await self.client.get(path)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            # The server may have closed the connection for its long rest just then; a browser asks again too, once.
            return await self.client.get(path)

    async def all(self, *asked: tuple[str, str]) -> None:
        """Ask for several things at once."""
        await asyncio.gather(*(self.get(*one) for one in asked))

    async def look(self, until: float) -> None:
        """Open the page, follow what changes, and act now and then, until a `time.monotonic`."""
        await self.open()
        works = [self.refresh.run(), self._follow(), self._act(), *([self._tick()] if self.every else [])]
        tasks = [asyncio.create_task(work) for work in works]
        left_for = max(0.0, until - time.monotonic())
        await asyncio.wait(tasks, timeout=left_for, return_when=asyncio.FIRST_EXCEPTION)
        broken = [task for task in tasks if task.done() and task.exception()]
        # What waits for an answer may take a cancellation for the end of that alone.
        while left := [task for task in tasks if not task.done()]:
            for task in left:
                task.cancel()
            await asyncio.wait(left, timeout=1.0)
        self.leave()
        for task in broken:
            self.sightings.failed("tab", type(self).__name__, repr(task.exception()))

    async def _follow(self) -> None:
        while True:
            try:
                async with self.client.stream("GET", f"{API}/events") as response:
                    response.raise_for_status()
                    async for line in response.aiter_lines():
                        if line.startswith("data: ") and "changed" in line:
                            change = json.loads(line[6:])
                            self.changed(change["changed"], change["measured"])
                # The server ends no stream by itself: only where its database is away, or it stops.
                self.sightings.failed("events", "/events", "the stream ended")
            except httpx.HTTPError as error:
                self.sightings.failed("events", "/events", repr(error)[:200])
            await asyncio.sleep(3)

    async def _act(self) -> None:
        while True:
            await asyncio.sleep(self.chance.uniform(3, 9))
            await self.act()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(self.every or 0)
            self.ticked()

    def ticked(self) -> None:
        """Ask because time has passed."""
        self.refresh()

    def leave(self) -> None:  # noqa: B027 - most have nothing to hand over
        """Note that the page is not looked at any more."""

    @abstractmethod
    async def open(self) -> None:
        """Load the page."""

    @abstractmethod
    async def update(self) -> None:
        """Bring it to what the server shows now."""

    @abstractmethod
    def changed(self, runs: Sequence[int], measured: Sequence[int]) -> None:
        """Hear which runs changed, and which of them have more to show than how far they are."""

    async def act(self) -> None:  # noqa: B027 - in some there is nothing to do
        """Do what a person does."""
