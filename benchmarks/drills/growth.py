"""A database of 1,000 runs x 80 layers x 100 snapshots: what it takes, and how long every question to it does.

The runs that are asked for have the widths of a ResNet-50 detector; the others, which only make tables and indexes
long, a sixteenth of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from sqlalchemy import text

from backend.database import Database
from backend.measurements import repository
from benchmarks.dashboard import ours
from benchmarks.dashboard.seeding import IMAGES, POSITIONS, add_dataset, run_that_ended
from benchmarks.drills.asking import posting, timed
from benchmarks.drills.detector import detector_layers, snapshot
from benchmarks.drills.findings import Finding
from benchmarks.drills.places import Kind, served

NARROWER = 16
EVERY = 900
"""Iterations between snapshots: a schedule of 90,000 has a hundred."""
AT_ONCE = 25
"""Runs copied in one transaction."""
ANY_READ = 500.0
"""Milliseconds, of what has no budget of its own."""
ROUNDS = 5
COPIED: Mapping[str, tuple[str, ...]] = {
    "layers": ('"order"', "name", "map", "stage", "width"),
    "spectra": ("layer", "iteration", "eigenvalues"),
    "spectrum_summaries": (
        "layer",
        "iteration",
        "dimensionality",
        "trace",
        "lambda_1",
        "images",
        "positions",
    ),
    "metrics": ("name", "iteration", "value"),
    "metric_summaries": ("name", "last_iteration", "last", "lowest", "highest"),
}
SPECTRA_TABLES = ("spectra", "spectrum_summaries")


@dataclass(frozen=True)
class Library:
    """How much of it; `wide` runs have a detector's true widths."""

    runs: int = 1000
    layers: int = 80
    snapshots: int = 100
    wide: int = 24


@dataclass(frozen=True)
class Grown:
    """Bytes that one snapshot of so many layers takes, and of those the bytes of its eigenvalues."""

    layers: int
    snapshot: float
    eigenvalues: int

    @property
    def beside(self) -> float:
        """Bytes that each spectrum takes beside its eigenvalues."""
        return (self.snapshot - self.eigenvalues) / self.layers


def measure(kind: Kind, folder: Path, library: Library, rounds: int = ROUNDS) -> list[Finding]:
    """Return what was found on one kind of database."""
    with served(folder, kind) as place:
        database = Database(place.database_url)
        grown = fill(database, library)
        size = bytes_of(database)
        database.dispose()
        here = f"{kind}, {library.runs:,} runs x {library.layers} layers x {library.snapshots} snapshots"
        found = [Finding(f"{here}: the database", size / 2**20, "MiB")]
        for words, one in grown.items():
            more = f"{one.eigenvalues / 1e3:,.1f} kB of them eigenvalues, {one.beside:,.0f} bytes a spectrum beside"
            found.append(Finding(f"{here}: a snapshot of {words}", one.snapshot / 1e3, "kB", None, more))
        for what, (ask, limit) in questions(place.address, library).items():
            found.append(timed(f"{here}: {what}", ask, limit, rounds))
    return found


def fill(database: Database, library: Library) -> dict[str, Grown]:
    """Fill a migrated, empty database; return what snapshots took of runs that were written as trainers write."""
    with database.writing() as session:
        dataset_id = add_dataset(session).id
        for number in range(library.runs):
            session.add(run_that_ended(dataset_id, number, EVERY * library.snapshots))
    grown = {"a detector's widths": _write_run(database, 1, library, 1)}
    if library.runs > library.wide:
        first = library.wide + 1
        grown[f"a {NARROWER}th of them"] = _write_run(database, first, library, NARROWER)
        _copy_run(database, first, range(first + 1, library.runs + 1))
    _copy_run(database, 1, range(2, min(library.wide, library.runs) + 1))
    _settle(database)
    return grown


def _write_run(database: Database, run_id: int, library: Library, narrower: int) -> Grown:
    """Write a run snapshot by snapshot, as its trainer would."""
    layers = detector_layers(library.layers, narrower)
    with database.writing() as session:
        repository.write_layers(session, run_id, layers)
        points = [
            (EVERY * k // 10, name, 1.0 / (1 + k))
            for k in range(10 * library.snapshots)
            for name in ("loss", "lr")
        ]
        repository.write_metrics(session, run_id, points)
    _settle(database)
    before = bytes_of(database, *SPECTRA_TABLES)
    for k in range(library.snapshots):
        with database.writing() as session:
            rows = snapshot(layers, k, library.snapshots, IMAGES, POSITIONS)
            repository.write_spectra(session, run_id, EVERY * k, rows)
    _settle(database)
    taken = (bytes_of(database, *SPECTRA_TABLES) - before) / library.snapshots
    return Grown(len(layers), taken, 4 * sum(layer.width for layer in layers))


def _copy_run(database: Database, source: int, targets: range) -> None:
    """Give other runs what one run measured."""
    for first in range(targets.start, targets.stop, AT_ONCE):
        last = min(first + AT_ONCE, targets.stop) - 1
        with database.writing() as session:
            if session.get_bind().dialect.name == "postgresql":
                # What is copied refers to rows that are there: to look for each takes most of the time.
                session.execute(text("SET LOCAL session_replication_role = replica"))
            for table, columns in COPIED.items():
                names = ", ".join(columns)
                written = ", ".join(f"written.{column}" for column in columns)
                statement = (
                    f"INSERT INTO {table} (run_id, {names}) SELECT runs.id, {written} "  # noqa: S608 - own names
                    f"FROM runs JOIN {table} AS written ON written.run_id = :source "
                    "WHERE runs.id BETWEEN :first AND :last ORDER BY runs.id"
                )
                session.execute(text(statement), {"source": source, "first": first, "last": last})


def _settle(database: Database) -> None:
    """Bring all of it into the database's own files, and let it know what it holds."""
    with database.engine.connect() as connection:
        plain = connection.execution_options(isolation_level="AUTOCOMMIT")
        if database.engine.dialect.name == "postgresql":
            plain.execute(text("VACUUM ANALYZE"))
        else:
            plain.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))


def bytes_of(database: Database, *tables: str) -> int:
    """Return the bytes of these tables with their indexes; of all where none is named, or in SQLite's one file."""
    with database.reading() as session:
        if session.get_bind().dialect.name != "postgresql":
            return int(session.execute(text("PRAGMA page_count")).scalar_one()) * int(
                session.execute(text("PRAGMA page_size")).scalar_one()
            )
        if not tables:
            return int(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        size = text("SELECT pg_total_relation_size(CAST(:name AS regclass))")
        return sum(int(session.execute(size, {"name": name}).scalar_one()) for name in tables)


Question = tuple[Callable[[], object], float]


def questions(address: str, library: Library) -> dict[str, Question]:
    """Return what is asked, and the milliseconds it may take: those of DESIGN §7 where it names them."""
    api = f"{address}/api/v1"
    layers = detector_layers(library.layers, 1)
    widest = max(layers, key=lambda layer: layer.width).name
    unseen, others, fresh = _pairs(library), _pairs(library), count(1)

    def dimensions(pair: tuple[int, int], query: str) -> None:
        for run in pair:
            ours.answer(f"{api}/runs/{run}/dimensions?{query}")

    asked: dict[str, tuple[str, float]] = {
        "the page of runs": ("/", 200.0),
        "the list over the API": ("/api/v1/runs?limit=1000", 200.0),
        "one changed run's row": ("/?only=1", 200.0),
        "runs that a text and a setting filter": (
            "/?text=Faster&f=training.lr>0.005&sort=training.lr",
            ANY_READ,
        ),
        "the page of a run": ("/runs/1", ANY_READ),
        "the page that compares two": ("/compare?runs=1,2", ANY_READ),
        "the page of widths": ("/widths?run=1", ANY_READ),
        "the System page": ("/system", ANY_READ),
        "the page of a dataset": ("/datasets/1", ANY_READ),
        "the columns to choose from": ("/columns", ANY_READ),
        "a run's metrics": ("/api/v1/runs/1/metrics", ANY_READ),
        "the metrics for Prometheus": ("/api/v1/metrics", ANY_READ),
        "a heatmap": ("/api/v1/figures/heatmap?runs=1&theme=light", ANY_READ),
        "a spectrum of two runs": (f"/api/v1/figures/spectrum?runs=1,2&layer={widest}&theme=light", ANY_READ),
        "dimensions of a run, asked again": (
            "/api/v1/runs/1/dimensions?criterion=relative&threshold=0.002",
            20.0,
        ),
        "one layer's spectra, as bytes": (f"/api/v1/runs/1/spectra?layer={widest}&format=binary", 15.0),
    }
    found: dict[str, Question] = {
        "dimensions of two runs never asked for": (lambda: dimensions(next(unseen), ""), 150.0),
        "the same by another criterion, from their eigenvalues": (
            lambda: dimensions(next(others), "criterion=relative&threshold=0.01"),
            150.0,
        ),
        "the same of two runs at a threshold never asked for": (
            lambda: dimensions((1, 2), f"criterion=relative&threshold={1e-3 * (1 + next(fresh) / 1e4):.9f}"),
            150.0,
        ),
        "a preview of a width plan": (posting(f"{api}/width-plans?preview=true", {"run_id": 1}), 30.0),
    }
    for what, (path, limit) in asked.items():
        found[what] = partial(ours.answer, address + path), limit
    return found


def _pairs(library: Library) -> Iterator[tuple[int, int]]:
    """Yield two runs at a time that nobody has asked for yet, as long as there are."""
    last = min(library.wide, library.runs)
    while True:
        for first in range(1, last, 2):
            yield first, first + 1
