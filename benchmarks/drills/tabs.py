"""What a browser's open tab asks the server for: the same requests, at the same pace, as the pages' own scripts.

Only the drawing is left out. Where a script of frontend/static changes, its counterpart here says which one it follows.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random
from urllib.parse import quote

import httpx2 as httpx

from benchmarks.drills.sightings import Sightings, Visit

VIEW = re.compile(r'<script type="application/json" id="view">(.*?)</script>', re.DOTALL)
API = "/api/v1"
SETTLE_SECONDS = 0.4
"""live.js: how long changes gather before a tab asks."""
TABLE_SECONDS, RUN_SECONDS, COMPARE_SECONDS = 1.8, 3.0, 4.0
"""runs.js and system.js, run.js, compare.js: the same where no more is new than how far runs are."""
METRICS_SECONDS = 4.0
HEARTBEAT_SECONDS = 5.0
SYSTEM_SECONDS = 10.0
TICK_SECONDS = 30.0
METRIC_FIGURES = ("losses", "average_precision", "learning_rate")


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


class RunsTab(Tab):
    """The table of runs: runs.js and runs-table.js."""

    every = TICK_SECONDS

    async def open(self) -> None:
        """Load the page."""
        self._query, self._wanted = "", set[int]()
        self._all = False
        await self.get("page", "/")

    async def update(self) -> None:
        """Fetch the rows of the runs that changed."""
        wanted, everything = self._wanted, self._all or len(self._wanted) > 200
        self._wanted, self._all = set(), False
        only = "" if everything else f"only={','.join(map(str, sorted(wanted)))}"
        query = "&".join(part for part in (self._query, only) if part)
        await self.get("rows", f"/?{query}" if query else "/")

    def changed(self, runs: Sequence[int], measured: Sequence[int]) -> None:
        """Ask for their rows."""
        self._wanted.update(runs)
        self.refresh(TABLE_SECONDS)

    def ticked(self) -> None:
        """Bring all rows up to date."""
        self._all = True
        self.refresh()

    async def act(self) -> None:
        """Sort or filter; every other time, go back to all."""
        self._query = "" if self._query else self.chance.choice(("sort=-ap", "status=running", "text=Faster"))
        await self.get("page", f"/?{self._query}" if self._query else "/")


class SystemTab(Tab):
    """The System page: system.js."""

    every = SYSTEM_SECONDS

    async def open(self) -> None:
        """Load the page."""
        await self.get("page", "/system")

    async def update(self) -> None:
        """Fetch it again."""
        await self.get("refresh", "/system")

    def changed(self, runs: Sequence[int], measured: Sequence[int]) -> None:
        """Whatever changed, the page may tell of it."""
        self.refresh(TABLE_SECONDS)


class WidthsTab(Tab):
    """The Widths page of a run: widths.js."""

    def __init__(self, client: httpx.AsyncClient, sightings: Sightings, chance: Random, run: int) -> None:
        super().__init__(client, sightings, chance)
        self.run = run

    async def open(self) -> None:
        """Load the page and its curve."""
        await self.get("page", f"/widths?run={self.run}")

    async def update(self) -> None:
        """Nothing of it changes."""

    def changed(self, runs: Sequence[int], measured: Sequence[int]) -> None:
        """Nothing of it changes."""

    async def act(self) -> None:
        """Look at the list of all plans."""
        await self.get("page", "/widths")


class ExplorerTab(Tab):
    """A page of spectra, of one run or several: explorer.js and measured.js."""

    progress = RUN_SECONDS
    figures: tuple[str, ...] = ()
    """Those in sight when a page is opened, the first first."""
    every = 1.0

    def __init__(
        self,
        client: httpx.AsyncClient,
        sightings: Sightings,
        chance: Random,
        runs: Sequence[int],
        layers: Sequence[str],
    ) -> None:
        super().__init__(client, sightings, chance)
        self.runs, self.layers = runs, layers
        self.layer = layers[-1]
        self.snapshots: dict[int, list[int]] = {}
        self.visits = {run: Visit(run) for run in runs}
        self.scrubs = self.live = self.measured = False

    @property
    @abstractmethod
    def address(self) -> str:
        """The page's."""

    async def open(self) -> None:
        """Load the page, the spectrum first, then the rest."""
        self.refreshed = self.metrics_shown = time.monotonic()
        await self.bring("page")
        await self.all(*self.first())
        await self.all(*self.figures_of(self.figures[1:]), *self.metrics())
        await self.all(*self.dimensions())

    def first(self) -> list[tuple[str, str]]:
        """What is asked for before all else."""
        return self.figures_of(self.figures[:1])

    async def bring(self, kind: str) -> bool:
        """Fetch the page; return whether a run has snapshots that were not there before."""
        response = await self.get(kind, self.address)
        found = VIEW.search(response.text) if response is not None else None
        if found is None:
            return False
        before, self.snapshots, self.live = self.snapshots, {}, False
        self.refreshed = time.monotonic()
        for run in json.loads(found[1])["runs"]:
            self.live = self.live or run["live"]
            self.snapshots[run["id"]] = run["iterations"]
            self.visits[run["id"]].showed(run["iterations"], time.time())
        return self.snapshots != before

    async def update(self) -> None:
        """Take over what was measured since."""
        grown = await self.bring("refresh")
        if time.monotonic() - self.metrics_shown > METRICS_SECONDS:
            self.metrics_shown = time.monotonic()
            await self.all(*self.metrics())
        if grown:
            await self.all(*self.dimensions(), *self.spectra(), *self.figures_of(self.figures))

    def changed(self, runs: Sequence[int], measured: Sequence[int]) -> None:
        """Refresh where one of them is shown."""
        if set(self.runs) & set(measured):
            self.measured = True
            self.refresh()
        elif set(self.runs) & set(runs):
            self.refresh(self.progress)

    def ticked(self) -> None:
        """Nothing, but for a page that has something to ask in between."""

    def leave(self) -> None:
        """Hand over what was seen."""
        for visit in self.visits.values():
            visit.left = time.time()
            self.sightings.visits.append(visit)

    async def act(self) -> None:
        """Look at another layer; scrub once in a while."""
        self.layer = self.chance.choice(self.layers)
        await self.all(*self.figures_of(self.figures[:1]))
        self.scrubs = self.scrubs or self.chance.random() < 0.5
        await self.all(*self.spectra(after=False))

    def figures_of(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return what is asked for to draw these figures; a heatmap is of one run, the others are of all."""
        view = f"theme=light&layer={quote(self.layer)}&criterion=absolute&threshold=0.001"
        every = [",".join(map(str, self.runs))]
        return [
            ("figure", f"{API}/figures/{name}?runs={runs}&{view}")
            for name in names
            for runs in (map(str, self.runs) if name == "heatmap" else every)
        ]

    def metrics(self) -> list[tuple[str, str]]:
        """Return what is asked for to draw losses and the like."""
        runs = ",".join(map(str, self.runs))
        return [("figure", f"{API}/figures/{name}?theme=light&runs={runs}") for name in METRIC_FIGURES]

    def dimensions(self) -> list[tuple[str, str]]:
        """Return what is asked for to know all dimensionalities."""
        query = "criterion=absolute&threshold=0.001"
        return [("dimensions", f"{API}/runs/{run}/dimensions?{query}") for run in self.runs]

    def spectra(self, after: bool = True) -> list[tuple[str, str]]:
        """Return what is asked for so that the cursor can move; nothing before a hand is near it."""
        if not self.scrubs:
            return []
        query = f"layer={quote(self.layer)}&format=binary"
        since = {
            run: (steps[-2] if after and len(steps) > 1 else -1) for run, steps in self.snapshots.items()
        }
        return [("spectra", f"{API}/runs/{run}/spectra?{query}&after={since[run]}") for run in self.snapshots]


class RunTab(ExplorerTab):
    """The page of one run: run.js, run-log.js, predictions.js and run-heartbeat.js."""

    figures = ("spectrum", "heatmap")

    @property
    def address(self) -> str:
        """The page's."""
        return f"/runs/{self.runs[0]}"

    def first(self) -> list[tuple[str, str]]:
        """The spectrum, beside the log and the predictions."""
        path = f"{API}/runs/{self.runs[0]}"
        return [("predictions", f"{path}/predictions"), *super().first()]

    async def open(self) -> None:
        """Load the page and the newest lines of the log."""
        self.lines = 0
        await asyncio.gather(super().open(), self._read_log("last=500"))

    async def _read_log(self, query: str) -> None:
        response = await self.get("log", f"{API}/runs/{self.runs[0]}/logs?{query}&level=all")
        self.lines = response.json()["total"] if response is not None else self.lines

    async def update(self) -> None:
        """Take over what was measured and logged since."""
        await super().update()
        await self._read_log(f"after={self.lines}&limit=500")
        if self.measured:
            self.measured = False
            await self.get("predictions", f"{API}/runs/{self.runs[0]}/predictions")

    def ticked(self) -> None:
        """Ask for the heartbeat where nothing else told it."""
        if self.live and time.monotonic() - self.refreshed > HEARTBEAT_SECONDS:
            self.refreshed = time.monotonic()
            self.asking = asyncio.create_task(self.get("heartbeat", f"{API}/runs/{self.runs[0]}/heartbeat"))


class CompareTab(ExplorerTab):
    """The page that compares runs: compare.js."""

    progress = COMPARE_SECONDS
    figures = ("spectrum", "dimension_by_iteration", "dimension_by_depth", "heatmap")

    @property
    def address(self) -> str:
        """The page's."""
        return f"/compare?runs={','.join(map(str, self.runs))}"
