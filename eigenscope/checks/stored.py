"""Home folder, database, clock, disk, and files that no row names or rows that name no file."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from backend import migration
from backend.database import Database
from backend.errors import Conflict, Unavailable
from backend.models import Checkpoint, Run, Worker
from backend.models.base import now
from backend.settings import Settings
from backend.system.disk import disk_use
from eigenscope.instance import prepare_home
from eigenscope.terminal.output import megabytes

LOW_DISK_BYTES = 5 * 2**30
CLOCKS_APART_SECONDS = 5.0
FORGOTTEN_SECONDS = 86_400
NAMED_AT_MOST = 5


def home(settings: Settings) -> str:
    """The home folder is there and can be written."""
    prepare_home(settings)
    try:
        with tempfile.TemporaryFile(dir=settings.home):
            pass
    except OSError as error:
        raise Unavailable(
            f"the home folder {settings.home} cannot be written: {error.strerror}; give it to this user or set "
            "EIGENSCOPE_HOME to another"
        ) from None
    return f"home folder {settings.home}"


@contextmanager
def reading(settings: Settings) -> Iterator[Session]:
    """Yield a session on a database at the newest migration."""
    database = Database(settings.database)
    try:
        migration.demand_newest(database)
        with database.reading() as session:
            yield session
    finally:
        database.dispose()


def database(settings: Settings) -> str:
    """The database answers, stands at this program's migration, and its file is whole."""
    with reading(settings) as session:
        shown = session.get_bind().engine.url.render_as_string(hide_password=True)
        if session.get_bind().dialect.name == "sqlite":
            _demand_whole(session, shown)
            version = f"SQLite {session.scalar(text('SELECT sqlite_version()'))}"
        else:
            version = f"PostgreSQL {session.scalar(text('SHOW server_version'))}"
    return f"database {shown}, {version}, migration {migration.newest()}"


def _demand_whole(session: Session, shown: str) -> None:
    mend = "stop Eigenscope, keep a copy of the file, and restore a backup (`eigenscope restore`)"
    try:
        found = session.scalar(text("PRAGMA quick_check(1)"))
        dangling = session.execute(text("PRAGMA foreign_key_check")).first()
    except DatabaseError as error:
        raise Conflict(
            f"the database {shown} is damaged: {str(error.orig).splitlines()[0]}; {mend}"
        ) from None
    if found != "ok":
        raise Conflict(f"the database {shown} is damaged: {str(found).splitlines()[0]}; {mend}")
    if dangling is not None:
        raise Conflict(
            f"the database {shown} is damaged: a row of {dangling[0]} names a row of {dangling[2]} that is gone; {mend}"
        )


def clock(settings: Settings) -> str:
    """This machine's clock agrees with the database's and the workers': leases are judged by them."""
    mend = "let all machines keep time by NTP (`timedatectl set-ntp true`)"
    with reading(settings) as session:
        began = now()
        if session.get_bind().dialect.name == "postgresql":
            there: datetime = session.scalars(select(func.clock_timestamp())).one()
            apart = (there - began).total_seconds()
            if abs(apart) > CLOCKS_APART_SECONDS:
                side = "ahead of" if apart > 0 else "behind"
                raise Conflict(
                    f"the database's clock is {abs(apart):.0f} s {side} this machine's, so that live runs may be "
                    f"taken for lost; {mend}"
                )
        ahead = session.execute(
            select(Worker.name, Worker.seen_at)
            .where(Worker.seen_at > began + timedelta(seconds=CLOCKS_APART_SECONDS))
            .limit(1)
        ).first()
    if ahead is not None:
        seconds = (ahead[1] - began).total_seconds()
        raise Conflict(f"the clock of worker {ahead[0]} is {seconds:.0f} s ahead of this machine's; {mend}")
    return f"clock, {now():%Y-%m-%d %H:%M:%S} UTC"


def disk(settings: Settings) -> str:
    """The disk has room; and what takes it."""
    free = shutil.disk_usage(settings.home).free
    with reading(settings) as session:
        uses = disk_use(session, settings).uses
    taken = ", ".join(
        f"{use} {megabytes(size)}" for use, size in sorted(uses.items(), key=lambda one: -one[1])
    )
    if free < LOW_DISK_BYTES:
        raise Unavailable(
            f"only {free / 2**30:.1f} GiB are free in {settings.home} (of it {taken}); see what "
            "`eigenscope prune --checkpoints-days 30` would delete, delete runs or free disk"
        )
    return f"disk, {free / 2**30:.0f} GiB free; {taken}"


def files(settings: Settings) -> str:
    """Every folder of a run belongs to one, every checkpoint has its file, and no work was left behind."""
    with reading(settings) as session:
        runs = set(session.scalars(select(Run.id)))
        rows = session.execute(select(Checkpoint.run_id, Checkpoint.iteration, Checkpoint.file)).all()
    folders = [one for one in (settings.home / "runs").glob("*") if one.is_dir()]
    orphans = [one for one in folders if not (one.name.isdecimal() and int(one.name) in runs)]
    left = [one for one in settings.home.glob("keeping-*") if _is_forgotten(one)]
    lacking = [f"run {run}, iteration {k}" for run, k, file in rows if not (settings.home / file).is_file()]
    if orphans or left:
        named = ", ".join(str(one) for one in [*orphans, *left][:NAMED_AT_MOST])
        raise Conflict(
            f"{len(orphans) + len(left)} folder(s) belong to no run ({_size([*orphans, *left])}): {named}; look into "
            "them and remove them"
        )
    if lacking:
        raise Conflict(
            f"{len(lacking)} checkpoint(s) have lost their file: {'; '.join(lacking[:NAMED_AT_MOST])}; restore them "
            "from a backup, or retry those runs from their beginning"
        )
    return f"files of {len(folders)} run(s), {len(rows)} checkpoint(s)"


def _is_forgotten(folder: Path) -> bool:
    """Whether an export or import that was killed left it; one under way is younger."""
    try:
        return time.time() - folder.stat().st_mtime > FORGOTTEN_SECONDS
    except FileNotFoundError:
        return False


def _size(folders: list[Path]) -> str:
    sizes = (file.lstat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    return megabytes(sum(sizes))
