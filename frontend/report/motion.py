"""What moves in a figure while a reader scrubs: for each trace its arrays, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from frontend.report.contents import Panel
from frontend.report.cursor import Cursor
from frontend.report.depth_motion import depth_moves
from frontend.report.move import Move
from frontend.report.request import ReportRequest
from frontend.report.spectrum_motion import spectrum_moves


def moves(
    session: Session, panel: Panel, asked: ReportRequest, cursor: Cursor, traces: Sequence[Any]
) -> list[Move]:
    """Return what moves in the panel's figure, whose traces are given; nothing of a figure that stands still."""
    if panel.figure == "spectrum":
        return spectrum_moves(session, panel.layer, asked, cursor, traces)
    return depth_moves(session, asked, cursor, traces) if panel.figure == "dimension_by_depth" else []
