"""Where the views are that show a finding: the Compare page with its cursor, at one figure."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlencode

from backend.comparison.schemas import Comparison, Spectra
from backend.spectra.criteria import CRITERIA
from frontend.story.statement import Link

Cursor = dict[str, str | int]
"""Keys of an address that say where the cursor stands; none is the last snapshot."""
SLOPES = "power_law"
"""The one other criterion that a story tells of."""


class Views(Protocol):
    """Something that holds figures of two runs; None where it lacks one."""

    def at(
        self, text: str, figure: str, cursor: Cursor | None = None, *, layer: str = "", criterion: str = ""
    ) -> Link | None:
        """Return a link to a figure of both runs under a cursor; `criterion` where it is not the story's own."""

    def of_one(self, text: str, figure: str, run_id: int) -> Link | None:
        """Return a link to a figure that one of the runs has for itself."""

    def widths(self, text: str, run_id: int) -> Link | None:
        """Return a link to the widths that a run's spectra choose."""


class ComparePage:
    """The Compare page of two runs, under the story's criterion."""

    def __init__(self, comparison: Comparison) -> None:
        self._ids = (comparison.first.id, comparison.second.id)
        self._criterion, self._threshold = comparison.criterion, comparison.threshold

    def at(
        self, text: str, figure: str, cursor: Cursor | None = None, *, layer: str = "", criterion: str = ""
    ) -> Link:
        """Return a link to a figure of both runs."""
        return self._link(text, f"{figure}-{self._ids[0]}-{self._ids[1]}", cursor, layer, criterion)

    def of_one(self, text: str, figure: str, run_id: int) -> Link:
        """Return a link to a figure of one run."""
        return self._link(text, f"{figure}-{run_id}", None, "", "")

    def widths(self, text: str, run_id: int) -> Link:
        """Return a link to the Widths page."""
        return Link(text, f"/widths?run={run_id}")

    def _link(self, text: str, element: str, cursor: Cursor | None, layer: str, criterion: str) -> Link:
        keys: Cursor = {"runs": f"{self._ids[0]},{self._ids[1]}"}
        if layer:
            keys["layer"] = layer
        keys |= cursor or {}
        keys["c"] = criterion or self._criterion
        if not criterion and self._threshold != CRITERIA[self._criterion].default_threshold:
            keys["t"] = f"{self._threshold:g}"
        return Link(text, f"/compare?{urlencode(keys, safe=',/')}#chart-{element}")


def linked(*links: Link | None) -> tuple[Link, ...]:
    """Return the links that there are."""
    return tuple(link for link in links if link is not None)


def at_start(spectra: Spectra) -> Cursor:
    """Return where the cursor stands at the first snapshot of both."""
    return {"i": max(spectra.first.start_iteration, spectra.second.start_iteration)}


def at_end(spectra: Spectra) -> Cursor:
    """Return where the cursor stands at the snapshots compared: at an iteration, or at a share of each training."""
    ends = (spectra.first.end_iteration, spectra.second.end_iteration)
    if ends[0] == ends[1] or spectra.progress >= 1:
        return {"i": max(ends)}
    return {"align": "progress", "p": f"{100 * spectra.progress:.3f}"}
