"""Numbers in an address, within what the databases' columns hold: a larger one is refused before it is looked for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from backend.runs.specification import LARGEST as LARGEST

RunId = Annotated[int, Path(ge=1, le=LARGEST)]
PlanId = Annotated[int, Path(ge=1, le=LARGEST)]
