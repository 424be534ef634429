"""What a reader of dimensionalities must know: where positions were few, where the threshold is below rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Annotated

from fastapi import Query
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.errors import InvalidInput
from backend.measurements import repository, service
from backend.measurements.unresolved import unresolved
from backend.models import Layer, Run, SpectrumSummary
from backend.runs.specification import PROPOSAL_KINDS
from backend.spectra.criteria import CRITERIA
from backend.spectra.positions import FEW_POSITIONS
from backend.spectra.precision import float32_floor
from frontend.formats import scientific
from frontend.map_kinds import PROPOSALS_NOTE, SIZELESS

CriterionKey = Annotated[str, Query(max_length=40, description="The criterion, as the browser keeps it.")]
ThresholdKey = Annotated[str, Query(max_length=40, description="Its threshold; empty takes its own.")]

DETAILS_AT_MOST = 60


@dataclass(frozen=True)
class Caution:
    """One sentence, and the layers it speaks of, one a line, where it names only the worst."""

    sentence: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Few:
    """A layer's last spectrum, of few positions."""

    run_id: int
    name: str
    map: str
    ratio: float
    """Positions per channel."""


@dataclass(frozen=True)
class _Large:
    """A spectrum whose λ_1 drowns the threshold in rounding."""

    run_id: int
    name: str
    iteration: int
    lambda_1: float

    @property
    def floor(self) -> str:
        """Below what eigenvalues are rounding."""
        return scientific(float(float32_floor(self.lambda_1)))


_Named = _Few | _Large


def cautions(session: Session, runs: Sequence[Run], criterion: str, threshold: str) -> list[Caution]:
    """Return what to say of the runs' dimensionalities under the criterion in a page's address."""
    absolute = absolute_threshold(criterion, threshold)
    imprecise = None if absolute is None else below_rounding(session, runs, absolute)
    return [one for one in (few_positions(session, runs), imprecise) if one is not None]


def absolute_threshold(criterion: str, threshold: str) -> float | None:
    """Return the τ that a page shows by the absolute criterion, None under another one.

    As in the browser, an unknown criterion is the first one, absolute. A threshold that is no positive number
    gives None: there the charts say what is wrong with it.
    """
    if criterion in CRITERIA and criterion != service.PAPER_CRITERION:
        return None
    try:
        return service.criterion_threshold(service.PAPER_CRITERION, float(threshold) if threshold else None)
    except (ValueError, InvalidInput):
        return None


def few_positions(session: Session, runs: Sequence[Run]) -> Caution | None:
    """Return a caution if some layer had too few positions per channel for its dimensionality to be exact."""
    found = sorted(_few(session, runs), key=lambda one: one.ratio)
    if not found:
        return None
    worst = found[0]
    least = f"{'down to ' if len(found) > 1 else ''}{worst.ratio:.1f}"
    larger = any(one.map not in SIZELESS for one in found)
    return Caution(
        f"{_and_others(found)} saw fewer than {FEW_POSITIONS} positions per channel ({least}), so dimensionality "
        f"reads low there; use more probe images{' or larger ones' if larger else ''}{_of_proposals(found)}.",
        _details(runs, found, [_few_words(one) for one in found]),
    )


def _few(session: Session, runs: Sequence[Run]) -> list[_Few]:
    """Return the last spectrum of each layer that had few positions then."""
    s = SpectrumSummary
    last = (
        select(s.run_id, s.layer, func.max(s.iteration).label("iteration"))
        .where(s.run_id.in_([run.id for run in runs]))
        .group_by(s.run_id, s.layer)
        .subquery()
    )
    same = (last.c.run_id == s.run_id) & (last.c.layer == s.layer) & (last.c.iteration == s.iteration)
    query = (
        select(Layer.run_id, Layer.name, Layer.map, Layer.width, s.positions)
        .join(s, (s.run_id == Layer.run_id) & (s.layer == Layer.order))
        .join(last, same)
        .where(s.positions < FEW_POSITIONS * Layer.width)
        .order_by(Layer.run_id, Layer.order)
    )
    rows = session.execute(query)
    return [_Few(run_id, name, kind, positions / width) for run_id, name, kind, width, positions in rows]


def _few_words(one: _Few) -> str:
    return f"{one.name}: {one.ratio:.1f}{' (proposals)' if one.map in PROPOSAL_KINDS else ''}"


def _of_proposals(found: Sequence[_Few]) -> str:
    concerned = [one for one in found if one.map in PROPOSAL_KINDS]
    return f" (at {_and_others(concerned)}, {PROPOSALS_NOTE})" if concerned else ""


def below_rounding(session: Session, runs: Sequence[Run], threshold: float) -> Caution | None:
    """Return a caution if somewhere the threshold is so far below λ_1 that it counts float32's rounding."""
    layers = _large(session, runs, threshold)
    if not layers:
        return None
    series = sorted(layers, key=_largest, reverse=True)
    worst = [max(found, key=_lambda_1) for found in series]
    first = worst[0]
    return Caution(
        f"τ = {scientific(threshold, 4)} lies below float32's floor at {first.name} "
        f"(λ₁ = {scientific(first.lambda_1)}, iteration {first.iteration:,}){_others(worst)}: eigenvalues below "
        f"{first.floor} there are rounding; use the relative criterion{_other_mend(runs, worst)}.",
        _details(runs, worst, [_large_words(found) for found in series]),
    )


def _large(session: Session, runs: Sequence[Run], threshold: float) -> list[list[_Large]]:
    """Return of each layer of each run the spectra that do not resolve the threshold, by iteration."""
    series = []
    for run in runs:
        found = unresolved(session, run.id, threshold)
        names = {layer.order: layer.name for layer in repository.layers(session, run.id)}
        triples = zip(found.orders.tolist(), found.iterations.tolist(), found.lambda_1.tolist(), strict=True)
        for order, same in groupby(triples, key=itemgetter(0)):
            series.append(
                [_Large(run.id, names[order], iteration, largest) for _, iteration, largest in same]
            )
    return series


def _lambda_1(one: _Large) -> float:
    return one.lambda_1


def _largest(found: Sequence[_Large]) -> float:
    return max(one.lambda_1 for one in found)


def _large_words(found: Sequence[_Large]) -> str:
    worst, first, last = max(found, key=_lambda_1), found[0].iteration, found[-1].iteration
    words = f"{worst.name}: λ₁ = {scientific(worst.lambda_1)}, floor {worst.floor}"
    if first == last:
        return f"{words}, iteration {first:,}"
    return f"{words} at iteration {worst.iteration:,}; {len(found)} snapshots from {first:,} to {last:,}"


def _other_mend(runs: Sequence[Run], worst: Sequence[_Large]) -> str:
    """Return the second remedy, unless all of the runs took it already."""
    concerned = [run for run in runs if run.id in {one.run_id for one in worst}]
    statistics = {run.specification.get("probe", {}).get("batch_statistics") for run in concerned}
    return "" if statistics == {"probe"} else ", or probe.batch_statistics 'probe'"


def _others(found: Sequence[_Named]) -> str:
    more = len({one.name for one in found}) - 1
    return "" if not more else " and 1 more layer" if more == 1 else f" and {more} more layers"


def _and_others(found: Sequence[_Named]) -> str:
    return f"{found[0].name}{_others(found)}"


def _details(runs: Sequence[Run], found: Sequence[_Named], words: Sequence[str]) -> tuple[str, ...]:
    """Return the lines to unfold; none where the sentence says it all."""
    if len(found) == len(runs) == 1:
        return ()
    names = {run.id: run.name for run in runs}
    pairs = zip(found, words, strict=True)
    lines = [f"{names[one.run_id]}: {text}" if len(runs) > 1 else text for one, text in pairs]
    hidden = len(lines) - DETAILS_AT_MOST
    return (*lines[:DETAILS_AT_MOST], *([f"and {hidden} more"] if hidden > 0 else []))
