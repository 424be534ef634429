"""docs/own-models.md and its examples do what they say, run as a reader would run them."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.database import Database
from backend.measurements import repository
from backend.models import Run, SpectrumSummary
from backend.runs.presentation import detail
from eigenscope import read_recording
from eigenscope.recording.layout import SCHEMA

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLES = DOCS / "examples"
PAGE = (DOCS / "own-models.md").read_text()
ADDRESS = "127.0.0.1:8000"


def measured(session: Session, run_id: int) -> list[tuple[int, ...]]:
    s = SpectrumSummary
    query = select(s.layer, s.iteration, s.dimensionality, s.images, s.positions).where(s.run_id == run_id)
    return [tuple(row) for row in session.execute(query.order_by(s.layer, s.iteration))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_pages_python_runs_from_top_to_bottom(
    folder: Path, server: str, token: str, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("EIGENSCOPE_TOKEN", token)
    names: dict[str, Any] = {}
    for block in blocks("python"):
        exec(block.replace(f"http://{ADDRESS}", server), names)  # noqa: S102 - our own page
    printed = capsys.readouterr().out
    assert "of 16" in printed
    assert "succeeded (0.5,)" in printed
    run_id = int(re.findall(r"look at run (\d+)", printed)[0])
    with database.reading() as session:
        run = detail(session, session.get_one(Run, run_id))
    assert (run.status, run.progress.iteration, run.summary.snapshots) == ("succeeded", 3, 2)
    recording = read_recording(folder / "my-net.arrows")
    assert list(recording.spectra) == [layer.name for layer in names["probe"].layers]


def test_the_pages_calls_are_answered(folder: Path, server: str, token: str, database: Database) -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")
    names: dict[str, Any] = {}
    exec("import pyarrow as pa\n" + blocks("python")[-1], names)  # noqa: S102 - our own page
    begin, *rest = re.split(r"(?m)^(?=curl )", blocks("sh")[0])[1:]
    run_id = re.findall(r'"id":(\d+)', call(begin, server, token))[0]
    for each in rest:
        assert '"error":"' not in call(each, server, token, RUN=run_id)
    with database.reading() as session:
        run = session.get_one(Run, int(run_id))
        (summary,) = measured(session, run.id)
    assert (run.name, run.status, run.iteration) == ("from elsewhere", "succeeded", 1)
    assert summary == (0, 0, 2, 8, 8192)


def call(words: str, server: str, token: str, **more: str) -> str:
    words = words.replace(ADDRESS, server.removeprefix("http://"))
    words = words.replace("curl -s", f'curl -sS -H "Authorization: Bearer {token}"')
    done = subprocess.run(["sh", "-c", words], env={**os.environ, **more}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_names_every_column() -> None:
    for name in SCHEMA.names:
        assert f"`{name}`" in PAGE


@pytest.fixture(scope="module")
def programs(
    server: str, token: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, Path]]:
    """Run both examples as programs, side by side, and return what each printed and its folder."""
    folder = tmp_path_factory.mktemp("examples")
    environment = {**os.environ, "EIGENSCOPE_TOKEN": token}
    commands = {"classifier": ["classifier.py"], "own_loop": ["own_loop.py", "--server", server]}
    started = {
        name: subprocess.Popen(
            [sys.executable, "-W", "error", str(EXAMPLES / file), *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, (file, *arguments) in commands.items()
    }
    try:
        said = {name: process.communicate(timeout=200) for name, process in started.items()}
    finally:
        for process in started.values():
            process.kill()
    for name, (_, error) in said.items():
        assert (started[name].returncode, error) == (0, "")
    return {name: (output, folder) for name, (output, _) in said.items()}


def test_the_classifier_prints_what_it_recorded(programs: dict[str, tuple[str, Path]]) -> None:
    printed, folder = programs["classifier"]
    recording = read_recording(folder / "classifier.arrows")
    assert recording.status == "succeeded"
    assert len(recording.metrics["loss"].values) == recording.iterations == 10
    for name, spectra in recording.spectra.items():
        line = next(line for line in printed.splitlines() if line.startswith(name))
        assert line.split()[3:] == [str(count) for count in spectra.dimensionality]


def test_an_own_loop_is_watched_by_a_server(
    programs: dict[str, tuple[str, Path]], database: Database
) -> None:
    printed, _ = programs["own_loop"]
    run_id = int(re.findall(r"look at http://127.0.0.1:\d+/runs/(\d+)", printed)[0])
    with database.reading() as session:
        run = detail(session, session.get_one(Run, run_id))
        losses = [value for name, _, value in repository.metrics(session, run_id, ["loss"], -1)]
    assert (run.origin, run.status, run.init) == ("recorded", "succeeded", "scratch")
    assert run.summary.snapshots == 8
    assert run.summary.layers == 9
    assert len(losses) == 60
    assert sum(losses[-10:]) < sum(losses[:10])


def test_an_own_loop_records_the_same_to_a_file_and_to_a_database(
    folder: Path, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["--file", "own.arrows"], ["--database", database.url]):
        monkeypatch.setattr(sys, "argv", ["own_loop.py", *arguments])
        runpy.run_path(str(EXAMPLES / "own_loop.py"), run_name="__main__")
    recording = read_recording(folder / "own.arrows")
    with database.reading() as session:
        newest = session.scalars(select(Run.id).order_by(Run.id.desc()).limit(1)).one()
        found = measured(session, newest)
    kept = [
        (spectra.layer.order, iteration, count)
        for spectra in recording.spectra.values()
        for iteration, count in zip(spectra.iterations, spectra.dimensionality, strict=True)
    ]
    assert [row[:3] for row in found] == kept
