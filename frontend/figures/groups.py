"""Which runs a figure draws as one line: those of one tag that start from the same kind of weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from frontend.figures.colours import Theme
from frontend.figures.labels import label
from frontend.figures.runs import DASHES, FigureRun, line_style, stroke_class
from frontend.figures.seeds import DEVIATION_FROM

ALL_TAGS = "tags"
"""Asks for a band of every tag that suits, instead of one tag's."""


@dataclass(frozen=True)
class FigureGroup:
    """Runs drawn as their mean. Its colour follows from the tag alone, in the hue of the runs' initialisation."""

    tag: str
    init: str
    members: tuple[FigureRun, ...]
    name: str
    dash: str = "solid"

    @property
    def id(self) -> int:
        """The number that the colour follows from, as a run's follows from its id."""
        return crc32(self.tag.encode())

    @property
    def text(self) -> str:
        """The group's name as plotly text."""
        return label(self.name)

    @property
    def of(self) -> str:
        """How many runs it is the mean of: of seeds, where all are told apart by theirs."""
        seeds = {run.seed for run in self.members if run.seed is not None}
        noun = "seeds" if len(seeds) == len(self.members) else "runs"
        return f"{len(self.members)} {noun}"

    @property
    def legend(self) -> str:
        """What a trace is called, as plotly text."""
        words = "± 1 s.d." if len(self.members) >= DEVIATION_FROM else "lower to higher"
        return f"{self.text}: mean of {self.of}, {words}"

    @property
    def meta(self) -> dict[str, Any]:
        """What a page needs to know of a trace of the group."""
        return {"run": None, "group": self.name, "runs": [run.id for run in self.members]}

    def line(self, theme: Theme, width: float = 1.75) -> dict[str, Any]:
        """Return the line of this group's traces."""
        return line_style(self.id, self.init, self.dash, theme, width)


Drawn = FigureRun | FigureGroup


def grouped(runs: Sequence[FigureRun], band: str) -> list[Drawn]:
    """Return what is drawn in place of the runs, each group where its first run stood.

    `band` is a tag; or "tags", which takes for each run the tag that it shares with the most others. Runs are grouped
    only with those of the same kind of initialisation, and under "tags" only where they have one recipe and no two are
    known to share a seed.
    """
    member_of = {run.id: group for group in _groups(runs, band) for run in group.members}
    drawn: list[Drawn] = []
    for run in runs:
        one = member_of.get(run.id, run)
        if one not in drawn:
            drawn.append(one)
    return _told_apart(drawn)


def groups(runs: Sequence[FigureRun], band: str) -> list[FigureGroup]:
    """Return the groups alone, in the order of their first runs."""
    return [one for one in grouped(runs, band) if isinstance(one, FigureGroup)]


def shared_tags(runs: Sequence[FigureRun]) -> list[str]:
    """Return the tags that at least two of the runs have, in order of names."""
    every = sorted({tag for run in runs for tag in run.tags})
    return [tag for tag in every if sum(tag in run.tags for run in runs) > 1]


def _told_apart(drawn: Sequence[Drawn]) -> list[Drawn]:
    """Return what is drawn, runs as they are everywhere, and each group with a dash that nothing of its colour has."""
    taken = {(_colour(one), one.dash) for one in drawn if isinstance(one, FigureRun)}
    found: list[Drawn] = []
    for one in drawn:
        if isinstance(one, FigureGroup):
            free = [dash for dash in DASHES if (_colour(one), dash) not in taken]
            one = replace(one, dash=free[0] if free else one.dash)
            taken.add((_colour(one), one.dash))
        found.append(one)
    return found


def _colour(one: Drawn) -> str:
    return stroke_class(one.id, one.init)


def _groups(runs: Sequence[FigureRun], band: str) -> Iterator[FigureGroup]:
    remaining = list(runs) if band else []
    while found := max(_candidates(remaining, band), key=lambda one: len(one[1]), default=None):
        tag, members = found
        several = len({run.init for run in runs if tag in run.tags}) > 1
        name = f"{tag} ({_start(members[0].init)})" if several else tag
        yield FigureGroup(tag, members[0].init, tuple(members), name)
        remaining = [run for run in remaining if run not in members]


def _candidates(runs: Sequence[FigureRun], band: str) -> Iterator[tuple[str, list[FigureRun]]]:
    if band != ALL_TAGS:
        yield from ((band, found) for found in _parted((r for r in runs if band in r.tags), recipes=False))
        return
    for tag in sorted({tag for run in runs for tag in run.tags}):
        for members in _parted((run for run in runs if tag in run.tags), recipes=True):
            if _seeds_differ(members):
                yield tag, members


def _parted(runs: Iterable[FigureRun], recipes: bool) -> list[list[FigureRun]]:
    """Return those of two or more that share the kind of initialisation, and with `recipes` all that matters."""
    found: dict[tuple[str, str], list[FigureRun]] = {}
    for run in runs:
        found.setdefault((run.init, run.recipe if recipes else ""), []).append(run)
    return [members for members in found.values() if len(members) > 1]


def _seeds_differ(runs: Sequence[FigureRun]) -> bool:
    seeds = [run.seed for run in runs if run.seed is not None]
    return len(set(seeds)) == len(seeds)


def _start(init: str) -> str:
    return {"scratch": "S", "unknown": "?"}.get(init, f"I, {init}")
