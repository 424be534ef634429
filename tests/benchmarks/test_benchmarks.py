"""The benchmark's code runs at toy size, and what it reports is what it measured."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import card, gpu, memory, peak
from benchmarks.page import PAGE, broken, line, tables, write_tables
from benchmarks.results import FOLDER, Entry, read_results
from benchmarks.rounds import interleaved
from benchmarks.rows import NO_GPU, Part, Row, Spread, alone, compared
from benchmarks.scale import Scale, Training, quick
from benchmarks.training import OFF, ON, default_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing by threads, and lose much where tests share the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return Path(shutil.copy(PAGE, tmp_path))


@pytest.fixture
def over_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part("Title", "How.", (alone("a", [1.0]), compared("b", [3.0], "a", [1.0], budget=2.5)))
    monkeypatch.setattr(command, "_measure", lambda _name, _scale: part)


def test_a_quick_run_keeps_its_rows_and_writes_tables(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    arguments = ["--quick", "--rounds", "1", "--results", str(folder), "--page", str(page)]
    assert command.main([*arguments, "--part", "body", "--part", "readout"]) == 0
    assert command.main([*arguments, "--part", "training"]) == 0

    (results,) = read_results(folder)
    parts = {name: entry.part for name, entry in results.parts.items()}
    assert sorted(parts) == ["body", "readout", "training"]
    assert all(row.value and row.n == 1 for part in parts.values() for row in part.rows)
    adding, reading = parts["body"].rows, parts["readout"].rows
    assert [row.name for row in adding][2:4] == ["all 155 maps, with shortcuts", "delve, 53 maps"]
    assert [row.budget for row in adding] == [None, None, 2.5, None, 0.6]
    assert [row.against for row in reading] == ["", reading[0].name, reading[0].name]
    assert parts["training"].rows[1].budget == 1.05

    text = page.read_text()
    assert all(line(row) in text for part in parts.values() for row in part.rows)
    assert "torch " + torch.__version__.partition("+")[0] in text


def test_the_quick_run_of_a_card_is_on_the_cpu() -> None:
    rows = {row.name: row for row in card.measure(quick().with_rounds(1)).rows}
    rates = [row for name, row in rows.items() if "covariance products" in name]
    assert [row.unit for row in rates] == ["TFLOP/s"] * 2
    assert all(row.ratio is not None for row in rates)
    assert rows["eigenvalues of 16 channels on the GPU"].against == "eigenvalues of 16 channels on the CPU"


@pytest.mark.parametrize("part", [gpu, card])
def test_without_a_gpu_its_cells_stay_empty(part: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    rows = part.measure(Scale()).rows
    assert {row.remark for row in rows} == {NO_GPU}
    assert {row.value for row in rows} == {row.holds for row in rows} == {None}
    with pytest.raises(SystemExit):
        command.main(["--gpu"])


def test_a_training_says_its_peak(capsys: pytest.CaptureFixture[str]) -> None:
    peak.main(json.dumps(asdict(quick().training)), "true")
    peaked = int(capsys.readouterr().out)
    status = Path("/proc/self/status").read_text()
    assert 100 * 2**20 < peaked <= 1024 * int(re.search(r"VmHWM:\s*(\d+)", status)[1])


def test_memory_is_what_is_above_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        memory, "_peak", lambda training, probed: lambda: 500.0 + probed * training.probe_images
    )
    plain, few, many = memory.memory_rows(Training(), (2, 16), 1)
    assert (plain.value.median, few.value.median, many.value.median) == (500, 2, 16)
    assert many.ratio.median == pytest.approx(1.032)


def test_alternatives_take_turns_after_a_round_that_does_not_count() -> None:
    seen: list[str] = []

    def measure(name: str) -> float:
        seen.append(name)
        return float(len(seen))

    found = interleaved({"a": lambda: measure("a"), "b": lambda: measure("b")}, 2)
    assert seen == ["a", "b"] * 3
    assert found == {"a": [3, 5], "b": [4, 6]}


def test_ratios_are_of_neighbours_and_budgets_are_held_against_their_median() -> None:
    row = compared("b", [2, 40, 3], "a", [1, 10, 1], budget=3)
    assert row.value == Spread(3, 2.5, 21.5)
    assert row.ratio == Spread(3, 2.5, 3.5)
    assert row.holds is True
    assert replace(row, budget=2.9).holds is False
    assert line(row) == "| b | 3.00 s (2.50 … 21.5) | 3.00 (2.50 … 3.50) | a | ≤ 3.00 | yes | 3 |\n"


def test_a_default_run_pays_for_as_many_snapshots_as_it_takes() -> None:
    row = default_run(Training(), {OFF: [100.0], ON: [108.0]}, budget=1.02)
    assert row.value.median == pytest.approx(17)
    assert row.ratio.median == pytest.approx(1.017)
    assert row.holds


@pytest.mark.usefixtures("over_budget")
def test_a_budget_that_does_not_hold_fails_only_where_it_is_checked() -> None:
    assert command.main(["--quick", "--part", "body"]) == 0
    assert command.main(["--quick", "--part", "body", "--check"]) == 1


@pytest.mark.usefixtures("over_budget")
def test_a_part_measured_again_replaces_itself_only(tmp_path: Path, page: Path) -> None:
    arguments = ["--results", str(tmp_path), "--page", str(page)]
    for part in ("body", "readout", "body"):
        assert command.main([*arguments, "--part", part]) == 0
    (results,) = read_results(tmp_path)
    assert list(results.parts) == ["body", "readout"]
    told = "b: 3.00 s (3.00 … 3.00), 3.00 times a, where ≤ 2.50 is allowed"
    assert list(broken(results.parts.values())) == [told] * 2
    assert page.read_text().count("#### Title") == 2


def test_a_page_without_a_place_for_tables_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(ValueError, match=r"page\.md has no place for the tables"):
        write_tables(page, [])


def test_the_page_shows_what_is_kept(page: Path) -> None:
    assert tables(read_results(FOLDER)) in page.read_text(), "run `make docs`"


def test_make_bench_installs_what_it_needs_and_measures(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    plan = subprocess.run(
        ["make", "--dry-run", "bench", "ARGS=--quick"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert re.findall(r"-r (\S+)", plan) == ["requirements/bench.lock"]
    assert plan.splitlines()[-1].endswith("python -m benchmarks --quick")


def test_an_entry_is_the_same_when_read_again(tmp_path: Path) -> None:
    part = Part("T", "C", (Row("empty", None, remark=NO_GPU), compared("b", [1.0], "a", [2.0], 1.5)))
    machine = command.this_machine()
    entry = Entry("2026-01-01", "torch", part)
    command.keep(tmp_path, machine, "body", entry)
    (results,) = read_results(tmp_path)
    assert (results.machine, results.parts["body"]) == (machine, entry)
