"""Addresses of the views that show a finding: the Compare page with its cursor, at one figure."""

from __future__ import annotations

from urllib.parse import urlencode

from backend.comparison.schemas import Comparison
from backend.measurements.service import PAPER_CRITERION
from frontend.story.statement import Link


class Views:
    """The Compare page of two runs."""

    def __init__(self, comparison: Comparison) -> None:
        self._runs = f"{comparison.first.id},{comparison.second.id}"

    def at(
        self,
        text: str,
        figure: str,
        *,
        layer: str = "",
        iteration: int | None = None,
        criterion: str = PAPER_CRITERION,
    ) -> Link:
        """Return a link to one figure under a cursor; without an iteration it stands at the last."""
        keys: dict[str, str | int] = {"runs": self._runs}
        if layer:
            keys["layer"] = layer
        if iteration is not None:
            keys["i"] = iteration
        keys["c"] = criterion
        return Link(text, f"/compare?{urlencode(keys, safe=',/')}#chart-{figure}")


def widths_of(text: str, run_id: int) -> Link:
    """Return a link to the widths that a run's spectra choose."""
    return Link(text, f"/widths?run={run_id}")
