"""Records straight into a database that an Eigenscope server shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session

from backend.database import Database
from backend.errors import InvalidInput, NotFound, Unavailable
from backend.measurements.recording import Record
from backend.migration import demand_newest
from backend.runs import recordings
from backend.runs.recorded import FinishRequest, InitKind, MetricPoint, RecordingRequest
from eigenscope.instance import read_settings
from eigenscope.recording.recorder import BaseRecorder, Setting

BACKENDS = ("sqlite", "postgresql")


class DatabaseRecorder(BaseRecorder):
    """Writes a recorded run's rows; each call is one transaction.

    `url` is an SQLAlchemy URL of SQLite or PostgreSQL; None takes the database of the settings (EIGENSCOPE_HOME,
    EIGENSCOPE_DATABASE_URL). Raises `Conflict` for a database that is not at the newest migration, and
    `Unavailable` for one that does not answer. `run_id` is the run's number once its layers were given.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        name: str,
        tags: Sequence[str] = (),
        iterations: int = 0,
        init: InitKind = "unknown",
        settings: Mapping[str, Setting] | None = None,
    ) -> None:
        super().__init__(name, tags, iterations, init, settings)
        self._database = Database(read_settings().database if url is None else _checked_url(url))
        self.run_id: int | None = None
        try:
            demand_newest(self._database)
        except BaseException:
            self._database.dispose()
            raise

    def _begin(self, request: RecordingRequest) -> None:
        with self._writing() as (session, _):
            run_id = recordings.start(session, request).id
        self.run_id = run_id

    def _write_spectra(self, records: Sequence[Record]) -> None:
        with self._writing() as (session, run_id):
            recordings.record_spectra(session, run_id, records)

    def _write_metrics(self, points: Sequence[MetricPoint]) -> None:
        with self._writing() as (session, run_id):
            recordings.record_metrics(session, run_id, points)

    def _write_end(self, request: FinishRequest) -> None:
        with self._writing() as (session, run_id):
            recordings.finish(session, run_id, request)

    def _close(self) -> None:
        self._database.dispose()

    @contextmanager
    def _writing(self) -> Iterator[tuple[Session, int]]:
        try:
            with self._database.writing() as session:
                yield session, self.run_id or 0
        except NotFound as error:
            raise recordings.RecordingStopped(f"{error}; what is measured is no longer stored") from None
        except OperationalError as error:
            reason = str(error.orig).strip().splitlines()[0]
            raise Unavailable(f"the database does not answer: {reason}") from None


def _checked_url(url: str) -> str:
    try:
        known = make_url(url).get_backend_name() in BACKENDS
    except ArgumentError:
        known = False
    if not known:
        # Not repeated whole: it may hold a password.
        begins = url.partition(":")[0][:40]
        raise InvalidInput(
            f"'{begins}:…' is no URL of a database that Eigenscope knows; write sqlite:///PATH or postgresql://…"
        )
    return url
