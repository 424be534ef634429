"""Rows as HTML, a thousand in the time that a template takes for two hundred. Every text goes through `escape`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from markupsafe import Markup, escape

from backend.models import Run
from backend.runs.table.columns import BUILT_IN, Column
from frontend import formats
from frontend.figures.colours import colour_class
from frontend.runs_table.address import Address
from frontend.runs_table.cells import cell
from frontend.runs_table.view import RowView

Writer = Callable[[RowView], str]
NOTE_AT_MOST = 300


class RowWriter:
    """Writes the rows of one table; what several rows share is written once."""

    def __init__(self, columns: Iterable[Column], classes: dict[str, str], address: Address) -> None:
        self._cells = [self._writer(column, classes[column.key]) for column in columns]
        self._address = address
        self._now = datetime.now(UTC)
        self._tags: dict[str, str] = {}
        self._badges: dict[tuple[str, str, str], str] = {}

    def rows(self, rows: Iterable[RowView]) -> Markup:
        """Return the rows; one that the browser has already is only named."""
        return Markup("\n".join(self._row(one) for one in rows))  # noqa: S704 - its parts are escaped

    def _row(self, one: RowView) -> str:
        if not one.written:
            return f'<tr id="{one.place}" data-same></tr>'
        run = one.run
        recorded = ' data-origin="recorded"' if run.origin == "recorded" else ""
        cells = "".join([write(one) for write in self._cells])
        return (
            f'<tr id="{one.place}" data-id="{run.id}" data-can="{one.can}"{recorded} tabindex="-1"><td class="tick">'
            f'<input type="checkbox" aria-label="Select {escape(run.name)}"></td>{self._name(one)}{cells}</tr>'
        )

    def _name(self, one: RowView) -> str:
        run = one.run
        aside = '<i class="origin">archived</i>' if run.archived else ""
        note = _note(run.notes) if run.notes else ""
        tags = "".join([self._tag(tag) for tag in run.tags])
        return (
            f'<th scope="row" class="name"><span>{self._badge(one)}{_link(run)}'
            f'{_origin(run.origin)}{aside}{note}{tags}<button type="button" class="row-mark edit" data-edit="name" '
            'title="Rename, tags, notes (e)" aria-label="Edit">✎</button></span></th>'
        )

    def _badge(self, one: RowView) -> str:
        key = (colour_class(one.run.id, one.init), one.run.origin, one.init)
        if key not in self._badges:
            colour, origin, init = key
            recorded, words = (" recorded", "recorded from outside; ") if origin == "recorded" else ("", "")
            words += formats.init_words(init)
            self._badges[key] = (
                f'<abbr class="badge {colour}{recorded}" title="{escape(words)}">{formats.init_label(init)}</abbr>'
            )
        return self._badges[key]

    def _tag(self, tag: str) -> str:
        if tag not in self._tags:
            address = escape(self._address.with_(tag=tag))
            self._tags[tag] = f'<a class="tag" data-view href="{address}">{escape(tag)}</a>'
        return self._tags[tag]

    def _writer(self, column: Column, css: str) -> Writer:
        special: dict[str, Writer] = {
            "status": _status,
            "iteration": _progress,
            "duration": _time,
            "ap": _accuracy,
            "tags": self._all_tags,
            "parent_run_id": _parent,
        }
        if column.key in special:
            return special[column.key]
        if column.kind == "moment":
            return lambda one: self._moment(column.read(one.row))
        if css == "number":
            return lambda one: f'<td class="number">{escape(cell(column, column.read(one.row)))}</td>'
        return lambda one: _text(cell(column, column.read(one.row)))

    def _all_tags(self, one: RowView) -> str:
        return f"<td>{''.join([self._tag(tag) for tag in one.run.tags]) or formats.DASH}</td>"

    def _moment(self, value: object) -> str:
        if not isinstance(value, datetime):
            return f'<td class="number">{formats.DASH}</td>'
        exact, ago = formats.moment(value), formats.ago(value, self._now)
        return f'<td class="number"><time datetime="{value.isoformat()}" title="{exact}">{ago}</time></td>'


def _link(run: Run) -> str:
    first, end = formats.name_parts(run.name)
    if not end:
        return f'<a href="/runs/{run.id}">{escape(run.name)}</a>'
    return (
        f'<a class="cut-name" href="/runs/{run.id}" title="{escape(run.name)}" aria-label="{escape(run.name)}">'
        f"<span>{escape(first)}</span><span>{escape(end)}</span></a>"
    )


def _note(notes: str) -> str:
    short = notes if len(notes) <= NOTE_AT_MOST else f"{notes[:NOTE_AT_MOST]}…"
    return (
        f'<button type="button" class="row-mark" data-edit="notes" title="{escape(short)}" aria-label="Notes: '
        f'{escape(short)}">≡</button>'
    )


def _origin(origin: str) -> str:
    if origin != "recorded":
        return ""
    told = "A training of its own tells of it; no worker of this server trains it"
    return f'<abbr class="origin" title="{told}">recorded</abbr>'


def _text(text: str) -> str:
    if len(text) <= len(formats.DASH):
        return f"<td>{escape(text)}</td>"
    title = f' title="{escape(text[:NOTE_AT_MOST])}"' if len(text) > 40 else ""
    return f'<td><span class="runs-cut"{title}>{escape(text)}</span></td>'


def _status(one: RowView) -> str:
    run = one.run
    title = f' title="{escape(run.error)}"' if run.error else ""
    asked = "stopping" if run.stop_requested and run.status == "running" else run.status
    status = f'<span class="status {run.status}"{title}><i class="dot"></i>{asked}</span>'
    return f"<td>{status}{_wait(one.row.waits_for)}</td>"


def _wait(source: int | None) -> str:
    if source is None:
        return ""
    why = "It starts from the last weights of that run, once it has ended"
    return f' <small class="waits" title="{why}">waits for <a href="/runs/{source}">run {source}</a></small>'


def _progress(one: RowView) -> str:
    run = one.run
    total = f" / {run.iterations:,}" if run.iterations else ""
    if run.iterations:
        value, most = run.iteration, run.iterations
        bar = f'<progress value="{value}" max="{most}" class="{run.status}" aria-label="progress"></progress>'
    elif run.status == "succeeded":
        bar = '<progress value="1" max="1" class="succeeded" aria-label="progress"></progress>'
    else:
        bar = '<i class="unbounded" title="Nobody said how many iterations it takes"></i>'
    return f'<td class="progress-column"><span>{bar}<small>{run.iteration:,}{total}</small></span></td>'


def _time(one: RowView) -> str:
    left = one.row.left
    taken = BUILT_IN["duration"].read(one.row) if one.run.finished_at else None
    seconds = taken if isinstance(taken, float) else None
    words = formats.time_left(left.seconds, left.whole) if left else formats.duration(seconds)
    return f'<td class="number">{words}</td>'


def _accuracy(one: RowView) -> str:
    run = one.run
    if run.ap is None and run.top1 is not None:
        small = '<small title="top-1 accuracy of a classifier, in percent">top-1</small>'
        return f'<td class="number strong">{formats.percent(run.top1)} {small}</td>'
    return f'<td class="number strong">{formats.percent(run.ap)}</td>'


def _parent(one: RowView) -> str:
    parent = one.run.parent_run_id
    return (
        f'<td class="number">{f"""<a href="/runs/{parent}">{parent}</a>""" if parent else formats.DASH}</td>'
    )
