"""docs/criteria.md and its figure say what the code does."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from backend.spectra.criteria import CRITERIA, dimensionality

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "criteria.md").read_text()


@pytest.fixture(scope="module")
def figure() -> ModuleType:
    """Return the script that draws the page's figure."""
    spec = importlib.util.spec_from_file_location("criteria_figure", DOCS / "criteria_figure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up there.
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "criteria_figure", module)
        spec.loader.exec_module(module)
    return module


def rows(after: str) -> list[list[str]]:
    """Return the cells of the first table below a line of the page, without its head."""
    lines = PAGE[PAGE.index(after) :].splitlines()
    table = [line for line in lines if line.startswith("|")]
    end = next((k for k, line in enumerate(table) if k > 1 and line.startswith("|---")), len(table) + 1) - 1
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[2:end]]


def default_of(words: str) -> float | None:
    """Read `τ = 0.001` or `none`."""
    return None if words == "none" else float(words.split(" = ")[1])


def test_the_table_is_the_criteria_in_their_order() -> None:
    found = [
        (re.findall(r"`(\w+)`", name)[0], label, formula.strip("`"), default_of(default))
        for name, label, formula, default, _ in rows("# Criteria")
    ]
    assert found == [
        (info.name, info.label, info.formula, info.default_threshold) for info in CRITERIA.values()
    ]


def test_what_scale_does_is_true() -> None:
    spectrum = np.geomspace(1, 1e-5, 50)
    for (name, *_, words), info in zip(rows("# Criteria"), CRITERIA.values(), strict=True):
        before, after = (float(dimensionality(factor * spectrum, info.name)) for factor in (1, 4))
        assert (after > before * (1 + 1e-9)) == (words == "counts more"), name


@pytest.mark.parametrize("name", CRITERIA)
def test_every_criterion_has_a_section_with_formula_default_use_and_limits(name: str) -> None:
    (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    info = CRITERIA[name]
    assert f"`{info.formula}`" in section
    if info.default_threshold is None:
        assert "No threshold." in section
    else:
        (default,) = re.findall(r"by default \w = ([\d.e-]*\d)", section)
        assert float(default) == info.default_threshold
    assert "*Use it*" in section
    assert "*Limits:*" in section
    assert re.search(r"\((?:\w+ )?\d{4}\)|edition, §", section), "a source"


def test_the_numbers_are_those_of_the_figure(figure: ModuleType) -> None:
    panels = figure.panels()
    channels, *numbers = rows("## How they differ")
    assert channels[1:] == [f"{len(panel.eigenvalues):,}" for panel in panels]
    expected = [[f"`{name}`", *(figure.number(panel, name) for panel in panels)] for name in CRITERIA]
    assert numbers == expected


def test_the_figure_marks_every_criterion_on_every_spectrum(figure: ModuleType) -> None:
    drawn = figure.figure("light")
    dimensions = [name for name, info in CRITERIA.items() if info.unit == "dimensions"]
    assert sorted(figure.MARKS) == sorted(dimensions)
    marks = [trace for trace in drawn.data if trace.mode == "markers"]
    assert len(marks) == len(dimensions) * len(figure.panels())


def test_the_pictures_are_there() -> None:
    for file in re.findall(r'(?:src|srcset)="([^"]+)"', PAGE):
        assert (DOCS / file).read_bytes().startswith(b"\x89PNG"), "run `make docs`"
