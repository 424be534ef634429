"""The report's file: everything that it shows, in one piece of HTML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Any

from sqlalchemy.orm import Session

from backend.models import Run
from backend.runs.presentation import RunItem, items
from backend.spectra.criteria import CRITERIA
from frontend import formats, gather
from frontend.assets import compressed_plotly, stylesheet
from frontend.cautions import cautions
from frontend.modules import joined
from frontend.policy import report_policy
from frontend.report.contents import chosen_layers, panels
from frontend.report.cursor import placed
from frontend.report.drawing import Drawing, drawings
from frontend.report.packing import Store, as_text, compressed_json
from frontend.report.places import setting_without_places
from frontend.report.readings import readings, rows_of
from frontend.report.request import ReportRequest
from frontend.report.story import report_story
from frontend.settings_table import compared_settings, comparison_warning, recorded_warning
from frontend.templating import rendered

SCRIPTS = ("report.js",)
TITLE_NAMES = 3
"""More names would not be read in a title."""


@dataclass(frozen=True)
class Column:
    """A result of each run."""

    name: str
    about: str
    text: Callable[[RunItem], str]


@dataclass(frozen=True)
class Setting:
    """A setting of each run as it may leave the house; `differs` tells of the settings themselves."""

    name: str
    settings: list[str]
    differs: bool


def report(session: Session, asked: ReportRequest, made: datetime) -> bytes:
    """Return a report's HTML as bytes; raises InvalidInput or NotFound for what cannot be shown."""
    runs = gather.runs_of(session, asked.runs)
    asked, cursor = placed(runs, asked)
    presented = items(session, runs)
    chosen = panels(session, runs, asked)
    drawn = drawings(session, chosen, asked, cursor)
    layers = chosen_layers(session, runs, asked)
    found = readings(session, runs, layers, asked, cursor) if drawn.moving else []
    store = Store()
    content = {
        "panels": [one.packed(store) for one in drawn.panels],
        "steps": drawn.steps,
        "totals": cursor.totals,
        "start": drawn.start,
        "readings": [one.packed() for one in found],
    }
    text = rendered(
        "report.html",
        version=version("eigenscope"),
        made=made,
        title=_title(presented),
        runs=presented,
        columns=_columns(presented),
        rows=rows_of(runs, asked.view.band),
        warnings=_warnings(runs),
        cautions=cautions(session, runs, asked.criterion, str(asked.threshold or "")),
        story=report_story(session, runs, chosen, asked),
        story_open=True,
        panels=drawn.panels,
        cursor_words=cursor.words(drawn.steps[drawn.start], drawn.steps[-1]) if drawn.moving else "",
        readings=found,
        layers=list(dict.fromkeys(one.layer for one in found)),
        settings=_settings(runs),
        criterion=CRITERIA[asked.criterion],
        threshold=asked.chosen_threshold,
        notes=_notes(drawn),
        policy=report_policy(joined(SCRIPTS)),
        style=stylesheet(),
        content=compressed_json(content),
        arrays=store.compressed(),
        plotly=as_text(compressed_plotly()),
        script=joined(SCRIPTS),
    )
    return text.encode()


def file_name(asked: ReportRequest) -> str:
    """Return what the file is called unless somebody says otherwise."""
    return f"eigenscope-report-{'-'.join(map(str, asked.runs))}.html"


def _title(runs: Sequence[RunItem]) -> str:
    names = [run.name for run in runs]
    if len(names) > TITLE_NAMES:
        return f"{' · '.join(names[:TITLE_NAMES])} and {len(names) - TITLE_NAMES} more"
    return " and ".join(names) if len(names) == 2 else " · ".join(names)


def _columns(runs: Sequence[RunItem]) -> list[Column]:
    """Return the results that any of the runs has."""
    return [column for column in _COLUMNS if any(column.text(run) != formats.DASH for run in runs)]


def _of(field: str, form: Callable[[Any], str]) -> Callable[[RunItem], str]:
    return lambda run: form(getattr(run.summary, field))


_COLUMNS = (
    Column("AP, %", "COCO average precision of boxes over IoU 0.50 to 0.95", _of("ap", formats.percent)),
    Column("AP50, %", "Average precision of boxes at IoU 0.50", _of("ap50", formats.percent)),
    Column("mask AP, %", "COCO average precision of masks", _of("mask_ap", formats.percent)),
    Column("top-1, %", "Top-1 accuracy", _of("top1", formats.percent)),
    Column("Iterations", "Updates of the weights", lambda run: formats.integer(run.progress.iteration)),
    Column("Parameters", "Of the whole model", _of("parameters", formats.count)),
    Column("Backbone", "Parameters of the backbone", _of("backbone_parameters", formats.count)),
    Column("MACs", "Multiply-accumulate operations for one image", _of("macs", formats.count)),
    Column("Layers", "Measured maps", _of("layers", formats.integer)),
    Column("Snapshots", "Iterations at which spectra were taken", _of("snapshots", formats.integer)),
)


def _warnings(runs: Sequence[Run]) -> list[str]:
    specifications = [run.specification for run in runs]
    told = [(run.name, run.specification) for run in runs]
    found = (comparison_warning(specifications), recorded_warning(told))
    return [one for one in found if one] if len(runs) > 1 else []


def _settings(runs: Sequence[Run]) -> list[Setting]:
    rows = compared_settings([run.specification for run in runs])
    return [
        Setting(row.name, [setting_without_places(row.name, value) for value in row.settings], row.differs)
        for row in rows
        if set(row.settings) != {formats.DASH}
    ]


def _notes(drawn: Drawing) -> list[str]:
    if drawn.thinned is None:
        return []
    kept, of = drawn.thinned
    return [
        f"Spectra and profiles by depth move through {kept:,} of {of:,} snapshots, so that this file stays small; "
        "every other figure holds all of them."
    ]
