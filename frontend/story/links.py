"""Addresses of the views that show a finding: the Compare page with its cursor, at one figure."""

from __future__ import annotations

from urllib.parse import urlencode

from backend.comparison.schemas import Comparison, Spectra
from backend.measurements.service import PAPER_CRITERION
from frontend.story.statement import Link

Cursor = dict[str, str | int]
"""Keys of an address that say where the cursor stands; none is the last snapshot."""


class Views:
    """The Compare page of two runs."""

    def __init__(self, comparison: Comparison) -> None:
        self._ids = (comparison.first.id, comparison.second.id)

    def at(
        self,
        text: str,
        figure: str,
        cursor: Cursor | None = None,
        *,
        layer: str = "",
        criterion: str = PAPER_CRITERION,
    ) -> Link:
        """Return a link to a figure of both runs under a cursor."""
        return self._link(text, f"{figure}-{self._ids[0]}-{self._ids[1]}", cursor, layer, criterion)

    def of_one(self, text: str, figure: str, run_id: int) -> Link:
        """Return a link to a figure that one of the runs has for itself."""
        return self._link(text, f"{figure}-{run_id}", None, "", PAPER_CRITERION)

    def _link(self, text: str, element: str, cursor: Cursor | None, layer: str, criterion: str) -> Link:
        keys: Cursor = {"runs": f"{self._ids[0]},{self._ids[1]}"}
        if layer:
            keys["layer"] = layer
        keys |= cursor or {}
        keys["c"] = criterion
        return Link(text, f"/compare?{urlencode(keys, safe=',/')}#chart-{element}")


def at_start(spectra: Spectra) -> Cursor:
    """Return where the cursor stands at the first snapshot of both."""
    return {"i": max(spectra.first.start_iteration, spectra.second.start_iteration)}


def at_end(spectra: Spectra) -> Cursor:
    """Return where the cursor stands at the snapshots compared: at an iteration, or at a share of each training."""
    ends = (spectra.first.end_iteration, spectra.second.end_iteration)
    if ends[0] == ends[1] or spectra.progress >= 1:
        return {"i": max(ends)}
    return {"align": "progress", "p": f"{100 * spectra.progress:.3f}"}


def widths_of(text: str, run_id: int) -> Link:
    """Return a link to the widths that a run's spectra choose."""
    return Link(text, f"/widths?run={run_id}")
