"""By which criterion a story counts dimensions: the page's where that is possible, else the paper's; and its words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from backend.comparison.schemas import Comparison
from backend.comparison.service import counts_dimensions
from backend.errors import InvalidInput
from backend.measurements.service import PAPER_CRITERION, PAPER_THRESHOLD, criterion_threshold
from backend.spectra.criteria import CRITERIA


@dataclass(frozen=True)
class Counting:
    """A criterion that counts dimensions and its threshold; `instead` says why it is not the one that was asked for."""

    criterion: str = PAPER_CRITERION
    threshold: float | None = PAPER_THRESHOLD
    instead: str = ""


def counting_of(criterion: str, threshold: str) -> Counting:
    """Return what a story counts by, from a page's address.

    As in the browser, an unknown criterion is the first one, absolute. A threshold that the charts refuse gives the
    paper's criterion.
    """
    asked = criterion if criterion in CRITERIA else PAPER_CRITERION
    if not counts_dimensions(asked):
        return Counting(
            instead="A slope counts no dimensions, so that shares here are by the paper's criterion."
        )
    try:
        return Counting(asked, criterion_threshold(asked, float(threshold) if threshold else None))
    except (ValueError, InvalidInput):
        return Counting(
            instead="The threshold is out of range, so that shares here are by the paper's criterion."
        )


def is_papers(comparison: Comparison) -> bool:
    """Return whether dimensions are counted as in the paper."""
    return (comparison.criterion, comparison.threshold) == (PAPER_CRITERION, PAPER_THRESHOLD)


def counted_words(comparison: Comparison) -> str:
    """Write what shares are of, as a clause that begins a sentence."""
    return f"Shares are of a layer's channels, {_WORDS[comparison.criterion](comparison.threshold or 0.0)}"


_WORDS: Mapping[str, Callable[[float], str]] = MappingProxyType(
    {
        "absolute": "with eigenvalues above {:g}".format,
        "relative": "with eigenvalues above {:g} of the largest".format,
        "variance": lambda share: f"as many as hold {100 * share:g} % of the trace",
        "degrees_of_freedom": "by degrees of freedom at λ = {:g}".format,
        "effective_rank": lambda _: "by effective rank",
        "participation_ratio": lambda _: "by participation ratio",
        "stable_rank": lambda _: "by stable rank",
    }
)
