"""Waits for runs, with a live bar a run in a terminal and a line a change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from backend.errors import NotFound
from backend.runs import repository
from backend.runs.presentation import RunItem, items
from eigenscope.instance import Instance
from eigenscope.terminal.output import WORDS

ENDED = ("succeeded", "failed", "cancelled", "lost")
LOOK_SECONDS = 0.5


def wait_for_runs(instance: Instance, run_ids: Sequence[int]) -> list[RunItem]:
    """Return the runs once all have ended."""
    said: dict[int, str] = {}
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        MofNCompleteColumn(separator="/"),
        TextColumn("{task.fields[state]}", markup=False),
    )
    with Progress(*columns, console=WORDS, disable=not WORDS.is_terminal) as bar:
        tasks: dict[int, TaskID] = {}
        while True:
            runs = look(instance, run_ids)
            for run in runs:
                _show(bar, tasks, run)
                if not WORDS.is_terminal:
                    _say_change(said, run)
            if all(run.status in ENDED for run in runs):
                return runs
            time.sleep(LOOK_SECONDS)


def look(instance: Instance, run_ids: Sequence[int]) -> list[RunItem]:
    """Return the runs as they stand; one that was deleted meanwhile is an error."""
    with instance.database.reading() as session:
        found = items(session, repository.many(session, run_ids))
    missing = set(run_ids) - {run.id for run in found}
    if missing:
        raise NotFound(f"there is no run {min(missing)}; it may have been deleted")
    return found


def _state(run: RunItem) -> str:
    if run.status != "running":
        return run.status
    eta = run.progress.eta_seconds
    return f"{run.phase}, {eta:.0f} s left" if eta and run.phase == "training" else run.phase


def _show(bar: Progress, tasks: dict[int, TaskID], run: RunItem) -> None:
    if run.id not in tasks:
        tasks[run.id] = bar.add_task(run.name, total=run.progress.iterations or None, state="")
    bar.update(tasks[run.id], completed=run.progress.iteration, state=_state(run))


def _say_change(said: dict[int, str], run: RunItem) -> None:
    # A recorded run may not know how long it will be.
    planned = run.progress.iterations
    done = f", {10 * (10 * run.progress.iteration // planned)} %" if planned else ""
    state = f"{run.name}: {run.status}" + (done if run.status == "running" else "")
    if said.get(run.id) != state:
        said[run.id] = state
        WORDS.print(state, markup=False)
