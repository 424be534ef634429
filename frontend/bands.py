"""Which runs are drawn as one line with a band: those of one tag, as seeds of one experiment are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.figures.colours import Theme, colour_class
from frontend.figures.labels import label
from frontend.figures.runs import FigureRun

ALL_TAGS = "tags"
"""In place of a tag: each run goes with those of the tag that it shares with the most others."""


@dataclass(frozen=True)
class RunBand:
    """Some runs of one tag, drawn in the colour of the first."""

    name: str
    members: tuple[FigureRun, ...]

    @property
    def legend(self) -> str:
        """What its traces are called, as plotly text."""
        return f"{label(self.name)}, mean of {len(self.members)}"

    @property
    def colour(self) -> str:
        """The stylesheet's class of its colour."""
        return colour_class(self.members[0].id, self.members[0].init)

    @property
    def meta(self) -> dict[str, Any]:
        """What a page needs to know of its traces."""
        return {"run": None, "runs": [run.id for run in self.members]}

    def line(self, theme: Theme) -> dict[str, Any]:
        """Return the line of its mean."""
        return {**self.members[0].line(theme, width=2), "dash": "solid"}


def bands(runs: Sequence[FigureRun], tags: Mapping[int, Sequence[str]], chosen: str) -> list[RunBand]:
    """Return the bands of at least two runs each, in the order of their first runs.

    `tags` holds each run's by its id; `chosen` is a tag, `ALL_TAGS`, or empty for none. Runs from scratch are kept
    apart from those that start from weights.
    """
    remaining, found = list(runs), []
    wanted = shared_tags(tags) if chosen == ALL_TAGS else [chosen]
    while chosen and (best := max(_candidates(remaining, tags, wanted), key=_size, default=None)):
        found.append(_named(best, runs, tags))
        remaining = [run for run in remaining if run not in best.members]
    order = [run.id for run in runs]
    return sorted(found, key=lambda one: order.index(one.members[0].id))


def shared_tags(tags: Mapping[int, Sequence[str]]) -> list[str]:
    """Return the tags that at least two of the runs have, in order of names."""
    every = sorted({tag for own in tags.values() for tag in own})
    return [tag for tag in every if sum(tag in own for own in tags.values()) > 1]


def _candidates(
    runs: Sequence[FigureRun], tags: Mapping[int, Sequence[str]], wanted: Sequence[str]
) -> Iterator[RunBand]:
    for tag in wanted:
        for scratch in (False, True):
            members = [run for run in runs if tag in tags[run.id] and _from_scratch(run) == scratch]
            if len(members) > 1:
                yield RunBand(tag, tuple(members))


def _named(one: RunBand, runs: Sequence[FigureRun], tags: Mapping[int, Sequence[str]]) -> RunBand:
    """Return the band with its kind in its name, where runs of the other kind have its tag as well."""
    scratch = _from_scratch(one.members[0])
    if all(_from_scratch(run) == scratch for run in runs if one.name in tags[run.id]):
        return one
    return RunBand(f"{one.name} ({'S' if scratch else 'I'})", one.members)


def _from_scratch(run: FigureRun) -> bool:
    return run.init == "scratch"


def _size(one: RunBand) -> int:
    return len(one.members)
