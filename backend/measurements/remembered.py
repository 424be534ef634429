"""Dimensionalities that were computed already, as long as the spectra are those that they were computed from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, TypeVar, cast
from weakref import WeakKeyDictionary

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.models import Ingest, Run, SpectrumSummary

ROOM = 64 * 2**20
"""Bytes that are kept of each database."""
Stamp = tuple[Any, ...]
"""What a result was computed from, in a few numbers."""


class Sized(Protocol):
    """What can be kept."""

    @property
    def nbytes(self) -> int:
        """How much room it takes."""


Kept = TypeVar("Kept", bound=Sized)


class Remembered:
    """Results by key, the least recently used forgotten first; each with the stamp of what it was computed from."""

    def __init__(self, room: int = ROOM) -> None:
        self._room, self._used = room, 0
        self._kept: OrderedDict[Any, tuple[Any, Sized]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Any, stamp: Any, make: Callable[[], Kept]) -> Kept:
        """Return what was kept under this key and stamp, else what `make` returns."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None and found[0] == stamp:
                self._kept.move_to_end(key)
                return cast(Kept, found[1])
        made = make()
        with self._lock:
            self._forget(key)
            self._kept[key] = (stamp, made)
            self._used += made.nbytes
            while self._used > self._room and self._kept:
                self._forget(next(iter(self._kept)))
        return made

    def _forget(self, key: Any) -> None:
        found = self._kept.pop(key, None)
        self._used -= found[1].nbytes if found else 0


_BY_ENGINE: WeakKeyDictionary[Any, Remembered] = WeakKeyDictionary()


def remembered(session: Session) -> Remembered:
    """Return what is kept of the session's database."""
    return _BY_ENGINE.setdefault(session.get_bind().engine, Remembered())


def stamp_of(session: Session, run_id: int) -> Stamp:
    """Return what changes with every spectrum that a run adds or records anew, from counters and an index alone.

    What is written is counted in the transaction that writes it. A restored database may hold another run under the
    number, and an imported one was never counted: hence when it was made, and how many spectra there are.
    """
    of_run = SpectrumSummary.run_id == run_id
    there = select(func.count()).select_from(SpectrumSummary).where(of_run).scalar_subquery()
    written = select(Ingest.spectra).where(Ingest.run_id == run_id).scalar_subquery()
    made = select(Run.created_at).where(Run.id == run_id).scalar_subquery()
    return tuple(session.execute(select(there, written, made)).one())
