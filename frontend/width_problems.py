"""What is wrong with the Widths page's controls: each sentence at its control, in the control's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

LABELS = {
    "run_id": ("run", "Run"),
    "iteration": ("i", "Iteration"),
    "criterion": ("c", "Criterion"),
    "threshold": ("t", "Threshold"),
    "budget": ("macs", "MACs ≤"),
    "parameters_budget": ("params", "Parameters ≤"),
    "tie": ("tie", "Tied blocks"),
    "divisor": ("div", "Multiples of"),
    "minimum": ("min", "At least"),
    "cap": ("cap", "Never wider than the source"),
    "also": ("also", "Average with"),
    "include": ("include", "Also set"),
}
"""A request's field: its key in the address and its label on the page."""
MEND = "Mend the values marked red."
_FIRST = re.compile(r"^(\w+): ")


def problems_of(errors: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return sentences by key of what `field_errors` found; what bounds nothing concerns both bounds."""
    found: dict[str, str] = {}
    for one in errors:
        name = one["field"].partition(".")[0]
        if name in LABELS:
            key, label = LABELS[name]
            found.setdefault(key, f"{label} {_must_be(one['message'])}.")
        else:
            found["macs"] = found["params"] = (
                "MACs ≤ and Parameters ≤ are both empty: set one, else nothing bounds it."
            )
    return found


def problem_of(refusal: str) -> dict[str, str]:
    """Return a plan's refusal at its control, where it names one; else nothing."""
    named = _FIRST.match(refusal)
    if named and named.group(1) in LABELS:
        key, label = LABELS[named.group(1)]
        return {key: f"{label}: {refusal[named.end() :]}."}
    if refusal.startswith("the threshold ") or "lower the threshold" in refusal:
        return {"t": f"{refusal[0].upper()}{refusal[1:]}."}
    if "criterion" in refusal and refusal.startswith("the"):
        return {"c": f"{refusal[0].upper()}{refusal[1:]}."}
    return {}


def _must_be(message: str) -> str:
    """Return pydantic's words after a label: "must be greater than 0"."""
    return message.partition(", unable")[0].replace("Input should be", "must be").removesuffix(".")
