"""docs/client.md does what it says, run as a reader would run it."""

from __future__ import annotations

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from backend.database import Database
from backend.models import Run
from eigenscope import Client

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
ADDRESS = '"http://127.0.0.1:8000"'


@pytest.fixture
def signed_in(server: str, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return what stands in the address' place, and work in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(go.Figure, "show", lambda _: None)
    return f'"{server}", "{token}"'


def test_a_newcomers_ten_lines(signed_in: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(BLOCKS[0].split("\n\n")[1].splitlines()) <= 10
    exec(BLOCKS[0].replace(ADDRESS, signed_in), {})  # noqa: S102 - our own page
    assert "(4, 1024)" in capsys.readouterr().out
    assert Path("compare.html").stat().st_size > 1e6


def test_the_pages_python_runs_from_top_to_bottom(
    signed_in: str, database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names: dict[str, Any] = {}
    monkeypatch.setattr(Client, "wait", lambda client, run_id, timeout: client.run(run_id))
    can_draw = find_spec("kaleido") is not None and shutil.which("chromium") is not None
    for block in BLOCKS:
        if "save_figure" not in block or can_draw:
            exec(block.replace(ADDRESS, signed_in), names)  # noqa: S102 - our own page
    names["client"].close()
    assert "queued None" in capsys.readouterr().out
    with database.writing() as session:
        session.delete(session.get_one(Run, names["launched"].id))


def test_every_call_is_described() -> None:
    calls = {name for name in vars(Client) if not name.startswith("_")} - {"close"}
    assert set(re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE)) == calls
    assert all((getattr(Client, name).__doc__ or "").endswith((".", ".\n        ")) for name in calls)
