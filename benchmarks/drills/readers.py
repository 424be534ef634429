"""Readers of a load: browsers of one person each, in one process, so that they take little of what they measure."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import httpx2 as httpx

from benchmarks.drills.explorer_tabs import CompareTab, RunTab
from benchmarks.drills.sightings import Sightings
from benchmarks.drills.tab import Tab
from benchmarks.drills.tabs import RunsTab, SystemTab, WidthsTab

LONGEST, SHORTEST = 60.0, 20.0
"""Seconds for which a page is looked at."""
CONNECTIONS = 6
"""Of a browser to one host."""
SECONDS_TO_ANSWER = 30.0
PAGES = ("runs", "live", "ended", "compare", "widths", "system")
SHARES = (36, 26, 16, 8, 6, 8)
"""Percent of the time that people look at each: the table, a run that trains, one that ended, …"""


@dataclass(frozen=True)
class ReadersAsked:
    """How many look at what, for how long."""

    address: str
    readers: int
    seconds: float
    seed: int
    live: list[int]
    ended: list[int]
    layers: list[str]


async def read(asked: ReadersAsked) -> Sightings:
    """Let all of them look until the time is over; return what they noted."""
    sightings = Sightings()
    until = time.monotonic() + asked.seconds
    await asyncio.gather(*(_browse(asked, sightings, number, until) for number in range(asked.readers)))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    sightings.processor_seconds = usage.ru_utime + usage.ru_stime
    return sightings


async def _browse(asked: ReadersAsked, sightings: Sightings, number: int, until: float) -> None:
    chance = Random(f"{asked.seed} {number}")
    # People do not all come at one moment.
    await asyncio.sleep(chance.uniform(0, min(5.0, asked.seconds / 4)))
    # The server closes what is idle for five seconds; a browser would ask again without a word.
    limits = httpx.Limits(max_connections=CONNECTIONS, keepalive_expiry=4.0)
    async with httpx.AsyncClient(base_url=asked.address, limits=limits, timeout=SECONDS_TO_ANSWER) as client:
        while (now := time.monotonic()) < until:
            tab = _tab(asked, client, sightings, chance)
            await tab.look(min(until, now + chance.uniform(SHORTEST, LONGEST)))


def _tab(asked: ReadersAsked, client: httpx.AsyncClient, sightings: Sightings, chance: Random) -> Tab:
    (page,) = chance.choices(PAGES, SHARES)
    if page == "runs":
        return RunsTab(client, sightings, chance)
    if page == "system":
        return SystemTab(client, sightings, chance)
    if page == "widths":
        return WidthsTab(client, sightings, chance, chance.choice(asked.ended))
    if page == "compare":
        runs = [chance.choice(asked.ended), chance.choice(asked.ended + asked.live)]
        return CompareTab(client, sightings, chance, list(dict.fromkeys(runs)), asked.layers)
    run = chance.choice(asked.live if page == "live" else asked.ended)
    return RunTab(client, sightings, chance, [run], asked.layers)


def main(arguments: Sequence[str]) -> int:
    """Read as the JSON of the first argument asks; leave what was noted where the second says."""
    sightings = asyncio.run(read(ReadersAsked(**json.loads(arguments[0]))))
    Path(arguments[1]).write_text(json.dumps(asdict(sightings)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
