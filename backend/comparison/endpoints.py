"""Two runs compared in numbers, over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from backend.comparison import service as comparison
from backend.comparison.pair import chosen_pair
from backend.comparison.schemas import Comparison
from backend.errors import InvalidInput
from backend.http.dependencies import ReadSession
from backend.measurements.service import PAPER_CRITERION
from backend.runs import service
from backend.runs.ids import run_ids

router = APIRouter(tags=["measurements"])


@router.get("/comparisons")
def compare(
    session: ReadSession,
    runs: Annotated[
        str,
        Query(
            max_length=200,
            description="Ids separated by commas. Of more than two, the first pre-trained run and the first from "
            "scratch are compared, else the first two.",
        ),
    ],
    criterion: Annotated[
        str,
        Query(
            max_length=40,
            description="What counts as a dimension; any but `power_law`, whose slopes are told.",
        ),
    ] = PAPER_CRITERION,
    threshold: Annotated[
        float | None, Query(description="The criterion's threshold; empty takes its own.")
    ] = None,
) -> Comparison:
    """Return what the paper says of its runs, in numbers of these: accuracy, and their spectra's dynamics and shape."""
    pair = chosen_pair([service.get(session, one) for one in run_ids(runs)])
    if pair is None:
        raise InvalidInput(f"runs '{runs[:80]}' names fewer than two runs; give two ids, such as 2,3")
    return comparison.compare(session, *pair, criterion, threshold)
