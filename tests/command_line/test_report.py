"""`eigenscope report`: a file written whole, or one sentence and nothing."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.database import Database
from eigenscope.instance import read_settings


@pytest.fixture
def runs(home: Path) -> dict[str, int]:
    """Return the ids of seeded runs by role."""
    # With importmode=importlib a neighbour cannot be imported by name.
    file = Path(__file__).parents[1] / "frontend" / "seed.py"
    spec = importlib.util.spec_from_file_location("eigenscope_seed_of_reports", file)
    assert spec is not None
    assert spec.loader is not None
    seed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(seed)
    settings = read_settings()
    settings.home.mkdir()
    database = Database(settings.database)
    found: dict[str, int] = seed.seed_runs(database, snapshots=(0, 600, 1200))
    database.dispose()
    return found


def test_a_report_is_written_and_its_name_printed(
    eigenscope: Callable[..., Any], runs: dict[str, int], home: Path
) -> None:
    done = eigenscope("report", runs["I"], runs["S"], runs["I"])
    name = f"eigenscope-report-{runs['I']}-{runs['S']}.html"
    assert (done.status, done.out) == (0, f"{name}\n")
    assert done.err.endswith("to be opened in any browser\n")
    assert "<h1>I: Faster R-CNN" in Path(name).read_text()
    assert not list(home.glob(".eigenscope-*"))


def test_the_pages_commands_run(eigenscope: Callable[..., Any], runs: dict[str, int], home: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
    commands = [
        line.partition("#")[0] for line in re.findall(r"^eigenscope (report .*)$", page, re.MULTILINE)
    ]
    assert len(commands) == 6
    renamed = {"3": runs["I"], "4": runs["S"], "layer3.5": "layer3.1", "layer4.2": "layer4.1"}
    for command in commands:
        if "--images" in command:
            continue
        done = eigenscope(*(renamed.get(word, word) for word in command.split()), "--force")
        assert done.status == 0, done.err
    assert sorted(file.name for file in home.glob("*.html")) == [
        f"eigenscope-report-{runs['I']}-{runs['S']}.html",
        "i-against-s.html",
    ]


def test_a_file_that_exists_is_kept(
    eigenscope: Callable[..., Any], runs: dict[str, int], tmp_path: Path
) -> None:
    file = tmp_path / "mine.html"
    file.write_text("mine")
    refused = eigenscope("report", runs["S"], "--out", file)
    assert refused.status == 2
    assert refused.err == (
        f"eigenscope: {file} exists; name another file, or write over it with --force (in Python force=True)\n"
    )
    assert file.read_text() == "mine"
    done = eigenscope(
        "report", runs["S"], "--out", file, "--force", "--figures", "spectrum", "--layer", "layer2.0"
    )
    assert done.status == 0
    assert "Eigenspectrum of layer2.0" in file.read_text()


def test_options_have_the_names_and_values_of_the_pages_address(
    eigenscope: Callable[..., Any], runs: dict[str, int], home: Path
) -> None:
    figures = ("--y", "relative", "--xs", "linear", "--ys", "log", "--x", "epoch", "--band", "demo")
    cursor = ("--align", "progress", "--progress", "50")
    done = eigenscope("report", runs["pretraining"], runs["S"], "--out", "report.html", *figures, *cursor)
    assert done.status == 0, done.err
    page = Path("report.html").read_text()
    assert "50 % of training" in page
    assert "demo: mean of 2 runs" in page


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["999"], "there is no run 999"),
        (["1", "--figures", "pie"], "there is no figure 'pie'; take one of heatmap"),
        (["1", "--layer", "layer9"], "none of these runs has a layer 'layer9'"),
        (["1", "--criterion", "best"], "there is no criterion 'best'"),
        (
            ["1", "--y", "pie"],
            "'pie' is no value of y, the spectrum's heights; take one of absolute, relative",
        ),
        (["1", "--xs", "square"], "'square' is no value of xs"),
        (["1", "--ys", "square"], "'square' is no value of ys"),
        (
            ["1", "--x", "moon"],
            "'moon' is no value of x, the axis along training; take one of iteration, epoch",
        ),
        (["1", "--align", "stars"], "'stars' is no value of align"),
        (["1", "--progress", "50"], "say align progress too, or an iteration"),
        (["1", "--band", "moon"], "none of these runs has the tag 'moon'; their tags are demo"),
        (["1", "--band", "moon", "--images", "svg"], "none of these runs has the tag 'moon'"),
        (["1", "--out", "nowhere/report.html"], "there is no folder nowhere; make it first"),
        (["1", "--images", "svg", "--out", "x.html"], "name their folder with --folder, not --out"),
        (["1", "--images", "svg", "--folder", "nowhere"], "there is no folder nowhere"),
        (["1", "--images", "svg", "--width", "3"], "the width of a figure must lie between 20 and 1000 mm"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(
    eigenscope: Callable[..., Any], runs: dict[str, int], home: Path, arguments: list[str], sentence: str
) -> None:
    before = sorted(home.iterdir())
    refused = eigenscope("report", *arguments)
    assert refused.status != 0
    assert refused.out == ""
    assert sentence in refused.err
    assert refused.err.count("\n") == 1
    assert sorted(home.iterdir()) == before


def test_a_failure_halfway_leaves_nothing(
    eigenscope: Callable[..., Any], runs: dict[str, int], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = sorted(home.iterdir())

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("eigenscope.writing.os.link", fails)
    monkeypatch.setattr("eigenscope.writing.os.replace", fails)
    refused = eigenscope("report", runs["S"], "--out", "report.html")
    assert refused.status == 1
    assert refused.err == "eigenscope: report.html cannot be written: No space left on device\n"
    assert sorted(home.iterdir()) == before
