"""What came of a plan, in words: the paper's line, part by part, and no more than is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.widths.result import PAPER_PARAMETERS, Result, ResultRow, Spread
from backend.widths.schemas import Totals
from frontend.formats import change, signed

State = Literal["met", "not met", "not yet known"]
MEASURES = {"ap": "AP", "mask_ap": "mask AP", "top1": "top-1"}
ENDED = ("succeeded", "failed", "cancelled", "lost")


@dataclass(frozen=True)
class Line:
    """One part of the paper's line: what it asks, whether it is met, and by what number."""

    name: str
    state: State
    sentence: str


def size_lines(totals: Totals | None) -> list[Line]:
    """Return the two parts that the plan alone decides; without a plan, that they are not known."""
    fewer = f"At least {100 * (1 - PAPER_PARAMETERS):.0f} % fewer backbone parameters"
    no_more = "MACs at most the source's"
    if totals is None:
        return [Line(name, "not yet known", "No plan.") for name in (fewer, no_more)]
    kept = totals.backbone_parameters_ratio
    return [
        Line(
            fewer,
            "met" if kept <= PAPER_PARAMETERS else "not met",
            f"{change(kept)}, stem to layer4.",
        ),
        Line(
            no_more,
            "met" if totals.macs_after <= totals.macs_before else "not met",
            f"{change(totals.macs_ratio)} for one image.",
        ),
    ]


def accuracy_line(result: Result) -> Line:
    """Return the part that retraining decides: accuracy not below the baseline's by more than its seeds' spread."""
    rows: dict[str, ResultRow] = {row.role: row for row in result.rows}
    verdict = result.verdict
    name = "Accuracy not below the baseline's"
    if verdict.accuracy is None or verdict.difference is None or verdict.measure is None:
        return Line(name, "not yet known", _why_unknown(rows))
    measure = MEASURES[verdict.measure]
    selected, baseline = (getattr(rows[role], verdict.measure) for role in ("selected", "baseline"))
    words = (
        f"{measure} {signed(100 * verdict.difference)} points, {_seeds(selected)} against {_seeds(baseline)}"
    )
    return Line(
        name,
        "met" if verdict.accuracy else "not met",
        f"{words}; {_spread_words(verdict.spread)}{_missing(rows)}",
    )


def _seeds(spread: Spread) -> str:
    return f"{spread.seeds} seed{'' if spread.seeds == 1 else 's'}"


def _spread_words(spread: float | None) -> str:
    if spread is None:
        return "one baseline seed has no spread, so a difference as small as this may be chance: add seeds."
    return f"the baseline's seeds spread by {100 * spread:.1f}."


def _missing(rows: dict[str, ResultRow]) -> str:
    waiting, lost = [], []
    for role in ("selected", "baseline"):
        states = rows[role].statuses
        waiting += [one for one in states if one not in ENDED]
        lost += [one for one in states if one in ENDED and one != "succeeded"]
    found = []
    if waiting:
        found.append(f"{len(waiting)} of their runs {'is' if len(waiting) == 1 else 'are'} still to end")
    if lost:
        found.append(f"{len(lost)} did not succeed and {'is' if len(lost) == 1 else 'are'} left out")
    return f" {' and '.join(found).capitalize()}." if found else ""


def _why_unknown(rows: dict[str, ResultRow]) -> str:
    if "selected" not in rows:
        return "No run has been launched from this plan."
    if "baseline" not in rows:
        return "There is no baseline to compare with: launch one, the source's widths trained the same way."
    for role in ("selected", "baseline"):
        states = rows[role].statuses
        if "succeeded" in states:
            continue
        if all(one in ENDED for one in states):
            return f"No {role} run succeeded ({', '.join(dict.fromkeys(states))}); resume or launch it again."
    ended = sum(one in ENDED for role in ("selected", "baseline") for one in rows[role].statuses)
    of = sum(len(rows[role].statuses) for role in ("selected", "baseline"))
    return f"{ended} of {of} runs have ended."
