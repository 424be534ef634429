"""Tabs of pages of spectra: a run, a comparison."""

from __future__ import annotations

import asyncio
import json
import re
import time
from abc import abstractmethod
from collections.abc import Sequence
from random import Random
from urllib.parse import quote

import httpx2 as httpx

from benchmarks.drills.sightings import Sightings, Visit
from benchmarks.drills.tab import API, Tab

VIEW = re.compile(r'<script type="application/json" id="view">(.*?)</script>', re.DOTALL)
RUN_SECONDS, COMPARE_SECONDS = 3.0, 4.0
"""run.js, compare.js: where no more is new than how far runs are."""
METRICS_SECONDS = 4.0
HEARTBEAT_SECONDS = 5.0
METRIC_FIGURES = ("losses", "average_precision", "learning_rate")


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
