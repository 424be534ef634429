"""Tabs of pages without spectra: the table of runs, System, Widths."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import httpx2 as httpx

from benchmarks.drills.sightings import Sightings
from benchmarks.drills.tab import Tab

TABLE_SECONDS = 1.8
"""runs.js and system.js: where no more is new than how far runs are."""
SYSTEM_SECONDS = 10.0
TICK_SECONDS = 30.0


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
