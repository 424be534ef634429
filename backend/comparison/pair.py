"""Which two runs of several are compared, and which of them comes first."""

from __future__ import annotations

from collections.abc import Sequence

from backend.comparison.schemas import Role
from backend.models import Run


def role(run: Run) -> Role:
    """Return from what kind of weights a run started."""
    kind = run.specification["init"]["kind"]
    return "scratch" if kind == "scratch" else "unknown" if kind == "unknown" else "pre-trained"


def chosen_pair(runs: Sequence[Run]) -> tuple[Run, Run] | None:
    """Return the first pre-trained run and the first from scratch, else the first two; None for fewer than two."""
    if len(runs) < 2:
        return None
    pretrained = next((run for run in runs if role(run) == "pre-trained"), None)
    scratch = next((run for run in runs if role(run) == "scratch"), None)
    if pretrained is None or scratch is None:
        return runs[0], runs[1]
    return pretrained, scratch
