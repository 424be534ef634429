"""Where a drill runs: the embedded default, or PostgreSQL and Redis of its own; nothing of the machine's is touched."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg

from benchmarks.drills.commands import Command, free_port
from benchmarks.drills.server import Server

POSTGRES_USER = "postgres"
QUICK = {
    "EIGENSCOPE_HEARTBEAT_SECONDS": "0.5",
    "EIGENSCOPE_LEASE_SECONDS": "4",
    "EIGENSCOPE_STOP_GRACE_SECONDS": "60",
    "EIGENSCOPE_MAX_ATTEMPTS": "100000",
}
"""A drill waits for leases to run out, and loses more workers than a real one ever should."""


@dataclass(frozen=True)
class Place:
    """A whole instance; `commands` in the order in which they start."""

    name: str
    home: Path
    server: Server
    commands: dict[str, Command]
    address: str
    database_url: str

    @property
    def victims(self) -> tuple[str, ...]:
        """What may be killed."""
        return ("trainer", *reversed(self.commands))


@contextmanager
def embedded(folder: Path) -> Iterator[Place]:
    """Yield an instance on SQLite and files below `folder`."""
    with _running("embedded", folder, {}, []) as place:
        yield place


@contextmanager
def services(folder: Path) -> Iterator[Place]:
    """Yield an instance on a PostgreSQL and a Redis below `folder`. Raises RuntimeError where one is not installed."""
    with _running("services", folder, *_services(folder)) as place:
        yield place


Kind = Literal["PostgreSQL", "SQLite"]


@contextmanager
def served(folder: Path, kind: Kind) -> Iterator[Place]:
    """Yield a server without a worker, with the settings that people get."""
    environment, first = _services(folder) if kind == "PostgreSQL" else ({}, [])
    with _running(kind, folder, environment, first, quick={}, works=False) as place:
        yield place


def _services(folder: Path) -> tuple[dict[str, str], list[Command]]:
    postgres, redis = _postgres(folder / "postgres"), _redis(folder / "redis")
    environment = {
        "EIGENSCOPE_DATABASE_URL": _url(postgres),
        "EIGENSCOPE_BROKER_URL": f"redis://127.0.0.1:{redis.words[-1]}/0",
    }
    return environment, [postgres, redis]


@contextmanager
def _running(
    name: str,
    folder: Path,
    environment: dict[str, str],
    first: Sequence[Command],
    quick: Mapping[str, str] = QUICK,
    works: bool = True,
) -> Iterator[Place]:
    home, port = folder / "home", free_port()
    settings = {**quick, **environment, "EIGENSCOPE_HOME": str(home), "EIGENSCOPE_PORT": str(port)}
    eigenscope = [sys.executable, "-m", "eigenscope"]
    address = f"http://127.0.0.1:{port}"
    server = Server(f"{address}/api/v1")
    serve = Command("server", [*eigenscope, "serve"], folder, server.answers, settings)
    worker = Command("worker", [*eigenscope, "worker"], folder, lambda: True, settings)
    commands = {one.name: one for one in (*first, serve, *([worker] if works else []))}
    url = environment.get("EIGENSCOPE_DATABASE_URL", f"sqlite:///{home / 'eigenscope.db'}")
    try:
        for one in first:
            one.start()
        migrate = [*eigenscope, "migrate"]
        subprocess.run(migrate, env={**os.environ, **settings}, cwd=folder, check=True, capture_output=True)
        serve.start()
        if works:
            worker.start()
        yield Place(name, home, server, commands, address, url)
    finally:
        server.close()
        for one in reversed(commands.values()):
            one.end()


def _postgres(folder: Path) -> Command:
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin")) or [
        Path(found).parent for found in [shutil.which("initdb")] if found
    ]
    if not programs:
        raise RuntimeError(
            "the drill needs PostgreSQL's initdb and postgres; install it (apt-get install postgresql)"
        )
    folder.mkdir(mode=0o755)
    data, port = folder / "data", free_port()
    data.mkdir(mode=0o700)
    if os.geteuid() == 0:
        # It refuses to run as root; whose folders it must be able to enter.
        for one in (folder, data):
            shutil.chown(one, POSTGRES_USER, POSTGRES_USER)
        for parent in folder.parents:
            if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
    make = Command(
        "initdb",
        [str(programs[-1] / "initdb"), "-D", str(data), "-U", POSTGRES_USER, "-A", "trust", "-N"],
        folder,
        lambda: (data / "PG_VERSION").exists() and (data / "postgresql.conf").exists(),
        user=POSTGRES_USER,
    )
    make.start()
    if make.process is not None and make.process.wait(timeout=120) != 0:
        raise RuntimeError(f"initdb failed:\n{make.log.read_text()[-2000:]}")
    words = [
        str(programs[-1] / "postgres"),
        "-D",
        str(data),
        "-k",
        str(folder),
        "-h",
        "127.0.0.1",
        "-p",
        str(port),
    ]
    return Command("postgres", words, folder, lambda: _connects(port), user=POSTGRES_USER)


def _url(postgres: Command) -> str:
    return f"postgresql://{POSTGRES_USER}@127.0.0.1:{postgres.words[-1]}/postgres"


def _connects(port: int) -> bool:
    try:
        psycopg.connect(
            f"host=127.0.0.1 port={port} user={POSTGRES_USER} dbname=postgres", connect_timeout=2
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def _redis(folder: Path) -> Command:
    program = shutil.which("redis-server")
    if program is None:
        raise RuntimeError("the drill needs redis-server; install it (apt-get install redis-server)")
    folder.mkdir()
    port = free_port()
    words = [
        program,
        "--bind",
        "127.0.0.1",
        "--appendonly",
        "yes",
        "--maxmemory-policy",
        "noeviction",
        "--port",
        str(port),
    ]
    return Command("redis", words, folder, lambda: _listens(port))


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
