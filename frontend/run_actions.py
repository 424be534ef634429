"""A run's buttons: which of them can be used now, and of the others why not."""

from __future__ import annotations

from dataclasses import dataclass

from backend.models import Run
from backend.runs.presentation import RunItem, actions_by_status

WORDS = {"resume": "Resume", "retry": "Retry", "cancel": "Cancel", "delete": "Delete"}
ABOUT = {
    "resume": "Goes on from its last checkpoint.",
    "retry": "Starts again from the beginning.",
    "cancel": "Stops after this iteration and saves a checkpoint.",
    "delete": "Removes all that it measured.",
}

NO_CHECKPOINT = "It has no checkpoint to go on from; Retry starts it again from the beginning."


@dataclass(frozen=True)
class ActionButton:
    """A button; `reason` says why it cannot be used now, and is empty where it can."""

    name: str
    word: str
    about: str
    reason: str


def action_buttons(run: Run, shown: RunItem, has_checkpoint: bool) -> list[ActionButton]:
    """Return the buttons of a run; a recorded one is never resumed or retried, one without checkpoint not resumed."""
    by_status = actions_by_status(run)
    possible = {action for actions in by_status.values() for action in actions}

    def reason(name: str) -> str:
        if name not in shown.actions:
            return _reason(run, name, by_status)
        return NO_CHECKPOINT if name == "resume" and not has_checkpoint else ""

    *others, delete = [
        ActionButton(name, word, ABOUT[name], reason(name))
        for name, word in WORDS.items()
        if name in possible
    ]
    return [*others, _archiving(run), delete]


def _archiving(run: Run) -> ActionButton:
    """Return the button that puts a run aside or brings it back: one place for both, so that the focus stays."""
    if run.archived:
        return ActionButton("archive", "Unarchive", "Lists of runs show it again.", "")
    under_way = run.status in ("queued", "running")
    reason = f"Possible when a run has ended; this one is {run.status}." if under_way else ""
    return ActionButton("archive", "Archive", "Lists of runs leave it out; it can be brought back.", reason)


def _reason(run: Run, action: str, by_status: dict[str, tuple[str, ...]]) -> str:
    if run.stop_requested and action in by_status[run.status]:
        return "It has been told to stop already."
    states = [status for status, actions in by_status.items() if action in actions]
    words = states[0] if len(states) == 1 else f"{', '.join(states[:-1])} or {states[-1]}"
    return f"Possible when a run is {words}; this one is {run.status}."
