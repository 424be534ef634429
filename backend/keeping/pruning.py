"""Retention: what rules would delete, and its deletion. What is under way or needed elsewhere is never touched."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from backend.database import Database
from backend.keeping import files
from backend.keeping.needs import Needs, needs
from backend.models import Checkpoint, Run
from backend.models.base import now
from backend.settings import Settings

GIGABYTE = 1e9
ENDED = ("succeeded", "failed", "cancelled", "lost")


@dataclass(frozen=True)
class Rules:
    """Rules that are set; None leaves one out."""

    checkpoints_days: float | None = None
    """Of a run that succeeded so long ago, only the best and the last checkpoint stay."""
    archived_days: float | None = None
    """A run that is archived and ended so long ago goes whole."""
    budget_gb: float | None = None
    """Checkpoints of all runs take no more, in 10⁹ bytes: the oldest ended runs' go first, never a last one."""


@dataclass(frozen=True)
class Item:
    """One thing to delete: a whole run, or one of its checkpoints."""

    kind: Literal["run", "checkpoint"]
    run_id: int
    name: str
    iteration: int | None
    bytes: int
    why: str


@dataclass(frozen=True)
class Plan:
    """What would be deleted, and what stays although the budget is exceeded."""

    items: list[Item]
    taken: int
    """Bytes of all checkpoints before."""
    over_budget: int
    """Bytes above the budget that no rule may free."""

    @property
    def freed(self) -> int:
        """Bytes that go."""
        return sum(item.bytes for item in self.items)


@dataclass(frozen=True)
class _Kept:
    run: Run
    checkpoint: Checkpoint

    def item(self, why: str) -> Item:
        one = self.checkpoint
        return Item("checkpoint", self.run.id, self.run.name, one.iteration, one.bytes, why)


def plan(session: Session, rules: Rules) -> Plan:
    """Return what the rules would delete; nothing is changed."""
    needed = needs(session)
    found = [
        _Kept(run, checkpoint)
        for run, checkpoint in session.execute(
            select(Run, Checkpoint)
            .join(Checkpoint, Checkpoint.run_id == Run.id)
            .order_by(Run.finished_at, Run.id, Checkpoint.iteration)
        )
    ]
    taken = sum(one.checkpoint.bytes for one in found)
    runs = _archived(session, rules, needed, found)
    gone = {item.run_id for item in runs}
    left = [one for one in found if one.run.id not in gone and _may_go(one, needed)]
    items = [*runs, *_old_checkpoints(left, rules)]
    chosen = {(item.run_id, item.iteration) for item in items}
    left = [one for one in left if (one.run.id, one.checkpoint.iteration) not in chosen]
    over = _over(rules, taken - sum(item.bytes for item in items))
    for one in sorted(left, key=lambda one: "best" in one.checkpoint.kept_as):
        if over <= 0:
            break
        items.append(one.item(f"checkpoints take more than {rules.budget_gb:g} GB"))
        over -= one.checkpoint.bytes
    return Plan(items, taken, max(0, over))


def _over(rules: Rules, taken: int) -> int:
    return 0 if rules.budget_gb is None else int(taken - rules.budget_gb * GIGABYTE)


def _may_go(one: _Kept, needed: Needs) -> bool:
    """Whether a checkpoint can be spared: of a run that has ended, not its last, and nobody else's first weights."""
    key = (one.run.id, one.checkpoint.iteration)
    return one.run.status in ENDED and "last" not in one.checkpoint.kept_as and key not in needed.checkpoints


def _archived(session: Session, rules: Rules, needed: Needs, found: Sequence[_Kept]) -> list[Item]:
    if rules.archived_days is None:
        return []
    before = now() - timedelta(days=rules.archived_days)
    ended = func.coalesce(Run.finished_at, Run.created_at)
    query = select(Run).where(Run.archived, Run.status.in_(ENDED), ended < before).order_by(Run.id)
    return [
        Item(
            "run",
            run.id,
            run.name,
            None,
            sum(one.checkpoint.bytes for one in found if one.run.id == run.id),
            f"archived, and ended more than {rules.archived_days:g} days ago",
        )
        for run in session.scalars(query)
        if run.id not in needed.kept_runs
    ]


def _old_checkpoints(left: Sequence[_Kept], rules: Rules) -> list[Item]:
    if rules.checkpoints_days is None:
        return []
    before = now() - timedelta(days=rules.checkpoints_days)
    return [
        one.item(f"neither best nor last, and succeeded more than {rules.checkpoints_days:g} days ago")
        for one in left
        if one.run.status == "succeeded"
        and one.run.finished_at is not None
        and one.run.finished_at < before
        and "best" not in one.checkpoint.kept_as
    ]


def carry_out(database: Database, settings: Settings, rules: Rules) -> Plan:
    """Delete what the rules say now: rows first, files when that is committed."""
    with database.writing() as session:
        if session.get_bind().dialect.name == "postgresql":
            # A run launched meanwhile would need what is deleted here; it waits for a moment.
            session.execute(text("LOCK TABLE runs, width_plans IN SHARE ROW EXCLUSIVE MODE"))
        found = plan(session, rules)
        names = _delete_rows(session, found.items)
    for run_id, name in names:
        (settings.run_folder(run_id) / name).unlink(missing_ok=True)
    for item in found.items:
        if item.kind == "run":
            shutil.rmtree(settings.run_folder(item.run_id), ignore_errors=True)
    return found


def _delete_rows(session: Session, items: Sequence[Item]) -> list[tuple[int, str]]:
    """Delete the rows; return the files of checkpoints by run."""
    names = []
    for item in items:
        if item.kind == "run":
            session.execute(delete(Run).where(Run.id == item.run_id))
            continue
        key = (Checkpoint.run_id == item.run_id, Checkpoint.iteration == item.iteration)
        row = session.scalars(select(Checkpoint).where(*key)).one()
        found = {"file": row.file, "iteration": row.iteration, "kept_as": row.kept_as}
        names += [(item.run_id, name) for name in files.names_of(found)]
        session.execute(delete(Checkpoint).where(*key))
    return names
