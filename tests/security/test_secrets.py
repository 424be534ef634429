"""Passwords and tokens are in no output, log, error or report."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from backend import migration
from backend.access import tokens
from backend.database import Database
from backend.settings import Settings
from eigenscope.server import build_app

PASSWORD = "hunter2-of-the-database"
DEAD = {
    "EIGENSCOPE_DATABASE_URL": f"postgresql://user:{PASSWORD}@127.0.0.1:1/eigenscope",
    "EIGENSCOPE_BROKER_URL": f"redis://:{PASSWORD}@127.0.0.1:1/0",
}
MALFORMED = (
    f"postgresql:/user:{PASSWORD}@127.0.0.1/x",
    f"nonsense://user:{PASSWORD}@127.0.0.1/x",
    f"postgresql://user:{PASSWORD}@127.0.0.1:port/x",
    f"user:{PASSWORD}@127.0.0.1",
)


def said(tmp_path: Path, arguments: list[str], **environment: str) -> str:
    """Run a command which must fail, and return all that it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "eigenscope", *arguments],
        env={**os.environ, "EIGENSCOPE_HOME": str(tmp_path / "home"), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode != 0, arguments
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["doctor"], ["migrate"], ["runs", "list"], ["serve"], ["worker"], ["tokens", "create", "ann"]],
)
def test_a_command_that_reaches_no_database_keeps_its_password(tmp_path: Path, arguments: list[str]) -> None:
    text = said(tmp_path, arguments, **DEAD)
    assert "127.0.0.1" in text
    assert PASSWORD not in text
    assert "Traceback" not in text


@pytest.mark.parametrize("url", MALFORMED)
@pytest.mark.parametrize("variable", DEAD)
def test_an_address_that_is_none_is_not_repeated(tmp_path: Path, url: str, variable: str) -> None:
    text = said(tmp_path, ["doctor"], **{variable: url})
    assert PASSWORD not in text
    assert variable in text, "the sentence names the setting to mend"
    assert "Traceback" not in text


def test_settings_show_no_secret(tmp_path: Path) -> None:
    settings = Settings(
        home=tmp_path,
        token=PASSWORD,
        database_url=DEAD["EIGENSCOPE_DATABASE_URL"],
        broker_url=DEAD["EIGENSCOPE_BROKER_URL"],
        _env_file=None,
    )
    assert PASSWORD not in repr(settings)
    assert PASSWORD not in str(settings)


def test_the_servers_log_and_answers_hold_no_token(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(home=tmp_path, token="the-settings-token", _env_file=None)
    database = Database(settings.database)
    migration.upgrade(database)
    with database.writing() as session:
        named = tokens.create(session, "ann")
    answers = []
    with TestClient(build_app(settings), base_url="http://127.0.0.1") as client:
        for token in (settings.token, named, "a-wrong-token"):
            headers = {"Authorization": f"Bearer {token}"}
            answers += [
                client.get(path, headers=headers) for path in ("/api/v1/runs", "/", "/system", "/docs")
            ]
            answers.append(client.post("/sign-in", data={"token": token}, follow_redirects=False))
    secrets = (settings.token, named, "a-wrong-token")
    log = "\n".join(record.getMessage() for record in caplog.records)
    assert "a wrong token came from" in log
    for text in (log, *(answer.text for answer in answers), *(str(answer.headers) for answer in answers)):
        assert not [secret for secret in secrets if secret in text]
    database.dispose()


def test_a_database_that_fails_is_logged_without_what_was_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Settings(home=tmp_path, database_url=DEAD["EIGENSCOPE_DATABASE_URL"], _env_file=None)
    with TestClient(build_app(settings), base_url="http://127.0.0.1") as client:
        answer = client.get("/api/v1/runs")
    assert answer.status_code == 503
    assert PASSWORD not in answer.text + caplog.text
