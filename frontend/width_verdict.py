"""What came of a plan, in words: the paper's line, part by part, and no more than is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.widths.result import PAPER_PARAMETERS, Result, ResultRow, Spread
from backend.widths.schemas import Plan
from frontend.formats import change, signed

State = Literal["met", "met, in doubt", "not met", "not decided", "not yet known"]
MEASURES = {"ap": "AP", "mask_ap": "mask AP", "top1": "top-1"}
ENDED = ("succeeded", "failed", "cancelled", "lost")


@dataclass(frozen=True)
class Line:
    """One part of the paper's line: what it asks, whether it is met, and by what number."""

    name: str
    state: State
    sentence: str


def size_lines(plan: Plan | None, missing: str = "No plan.") -> list[Line]:
    """Return the two parts that the plan alone decides; without a plan, that they are not known and what is missing."""
    fewer = f"At least {100 * (1 - PAPER_PARAMETERS):.0f} % fewer backbone parameters"
    no_more = "MACs at most the source's"
    if plan is None:
        return [Line(name, "not yet known", missing) for name in (fewer, no_more)]
    totals = plan.totals
    return [
        Line(fewer, *_saving(totals.backbone_parameters_ratio, plan.doubted_saving)),
        Line(
            no_more,
            "met" if totals.macs_after <= totals.macs_before else "not met",
            f"{change(totals.macs_ratio)} for one image.",
        ),
    ]


def _saving(kept: float, doubted: float) -> tuple[State, str]:
    """Return whether enough is saved, in doubt where it would not be without what few positions speak for."""
    told = f"{change(kept)}, stem to layer4"
    if kept > PAPER_PARAMETERS:
        return "not met", f"{told}."
    saved = 100 * (1 - kept)
    if 100 * doubted < 0.5:
        return "met", f"{told}."
    share = f"{100 * doubted:.0f} of the {saved:.0f} %"
    if kept + doubted <= PAPER_PARAMETERS:
        return (
            "met",
            f"{told}; {share} comes from groups measured with too few positions, the rest alone is enough.",
        )
    return "met, in doubt", f"{told}, but {share} comes from groups measured with too few positions."


def accuracy_line(result: Result) -> Line:
    """Return the part that retraining decides: accuracy not below the baseline's by more than its seeds' spread."""
    rows: dict[str, ResultRow] = {row.role: row for row in result.rows}
    verdict = result.verdict
    name = "Accuracy not below the baseline's"
    if verdict.difference is None or verdict.measure is None:
        return Line(name, "not yet known", _why_unknown(rows))
    measure = MEASURES[verdict.measure]
    selected, baseline = (getattr(rows[role], verdict.measure) for role in ("selected", "baseline"))
    words = (
        f"{measure} {signed(100 * verdict.difference)} points, {_seeds(selected)} against {_seeds(baseline)}"
    )
    decided: dict[bool | None, State] = {True: "met", False: "not met", None: "not decided"}
    state = decided[verdict.accuracy]
    return Line(name, state, f"{words}; {_spread_words(selected, baseline, state)}{_missing(rows)}")


def _seeds(spread: Spread) -> str:
    return f"{spread.seeds} seed{'' if spread.seeds == 1 else 's'}"


def _spread_words(selected: Spread, baseline: Spread, state: State) -> str:
    single = [name for name, one in (("selected", selected), ("baseline", baseline)) if one.deviation is None]
    if single:
        return f"{_of_one_seed(single)}, so that this may be chance: add seeds."
    told = f"the baseline's seeds spread by {100 * (baseline.deviation or 0.0):.1f}"
    if state == "not decided":
        return f"{told}, the selected ones by {100 * (selected.deviation or 0.0):.1f}: add seeds."
    return f"{told}."


def _of_one_seed(names: list[str]) -> str:
    return "one seed has no spread" if len(names) > 1 else f"one {names[0]} seed has no spread"


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
