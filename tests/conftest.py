"""The real services tests stand on: PostgreSQL, Redis, Chromium. Where one is absent, it is said how to get it."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
import redis
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, sync_playwright
from psycopg import sql
from sqlalchemy import make_url

from backend import migration
from backend.database import Database
from backend.settings import Settings
from tests.serving import serving
from tests.stub_server import Stub

POSTGRES = os.environ.get("EIGENSCOPE_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("EIGENSCOPE_TEST_REDIS", "redis://127.0.0.1:6379/15")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
OURS = "eigenscope-test"
"""The Redis key that marks a database as held by a test session; its value is that session's process."""


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End, with the reason and a failure, a session that a thread left behind would keep from ending."""
    left = [
        one.name for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()
    ]
    if left and not hasattr(config, "workerinput"):
        print(f"ended by force: the tests left {', '.join(left)} behind", file=sys.stderr, flush=True)  # noqa: T201
        os._exit(1)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a migrated SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("migrated") / "eigenscope.db"
    opened = Database(f"sqlite:///{file}")
    migration.upgrade(opened)
    opened.dispose()
    return file


@pytest.fixture(scope="session", name="serving")
def serving_fixture() -> Callable[[Settings], AbstractContextManager[str]]:
    """Return the context in which a server for given settings runs; it gives the server's address."""
    return serving


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Yield a server that gives scripted answers."""
    made = Stub()
    yield made
    made.close()


@pytest.fixture(scope="session", name="absent")
def absent_fixture() -> Callable[[str], NoReturn]:
    """Return `absent`, which tests cannot import."""
    return absent


def absent(what: str) -> NoReturn:
    """Skip the test by name, or fail it where everything is demanded."""
    if os.environ.get("EIGENSCOPE_TEST_DEMAND") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def new_postgres() -> Callable[[], AbstractContextManager[str]]:
    """Return a maker of empty PostgreSQL databases, each dropped when its block ends."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        reason = str(error).splitlines()[0]
        absent(
            "needs PostgreSQL: install one (apt-get install postgresql) on 127.0.0.1:5432, or name one where a "
            f"database may be created: EIGENSCOPE_TEST_POSTGRES=postgresql://user:password@host/postgres ({reason})"
        )
    return _postgres_database


@contextmanager
def _postgres_database() -> Iterator[str]:
    name = f"eigenscope_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(POSTGRES, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres_url(new_postgres: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """Yield the URL of one PostgreSQL database for the whole session; it starts empty, without tables."""
    with new_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of one SQLite database for the whole session; the file does not exist yet."""
    return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'eigenscope.db'}"


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """Yield the URL of a Redis database that no other session uses; it starts empty and is emptied."""
    base, _, number = REDIS.rpartition("/")
    for candidate in range(int(number), 0, -1):
        url = f"{base}/{candidate}"
        with redis.Redis.from_url(url, socket_connect_timeout=5) as client:
            try:
                held = _claim(client)
            except redis.ConnectionError as error:
                absent(
                    "needs Redis: install one (apt-get install redis-server) on 127.0.0.1:6379, or name one by "
                    f"EIGENSCOPE_TEST_REDIS=redis://host:6379/15 ({error})"
                )
            if held:
                yield url
                client.flushdb()
                return
    pytest.fail(f"every database of {base} from 1 to {number} holds keys; empty one for the tests")


def _claim(client: redis.Redis) -> bool:
    """Take a database that is empty or was left by a test session that is gone."""
    if client.set(OURS, os.getpid(), nx=True):
        if client.dbsize() == 1:
            return True
        client.delete(OURS)
        return False
    if Path(f"/proc/{int(client.get(OURS) or 0)}").exists():
        return False
    client.flushdb()
    client.set(OURS, os.getpid())
    return True


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium to drive headless."""
    named = os.environ.get("EIGENSCOPE_TEST_CHROMIUM", "")
    found = next(filter(None, map(shutil.which, (named,) if named else CHROMIUM)), None)
    if found is None:
        absent(
            "needs Chromium: install one (apt-get install chromium), or name one by "
            "EIGENSCOPE_TEST_CHROMIUM=/path/to/chromium"
        )
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[BrowserContext]:
    """Yield one browser whose tabs share a cache, so that plotly.js is fetched and compiled once."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
        # Playwright's `wait_for_function` waits by eval, which pages forbid; tests/frontend/test_policy.py lets them.
        yield opened.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        opened.close()


def is_problem(message: ConsoleMessage) -> bool:
    # A browser notes every refused request of its own accord; a refused preview is the form's normal life.
    return message.type == "error" and not message.location["url"].endswith("/runs/preview")


@pytest.fixture
def tab(browser: BrowserContext) -> Iterator[Page]:
    """Yield a page in which any console error or failed script fails the test."""
    problems: list[Any] = []
    page = browser.new_page()
    page.on("console", lambda message: problems.append(message.text) if is_problem(message) else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    page.close()
    assert problems == []
