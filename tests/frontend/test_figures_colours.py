"""Colours that the colour-blind tell apart, the same in figures and on pages.

What people with a dichromacy see is simulated by the matrices of Machado, Oliveira and Fernandes (A physiologically
based model for simulation of color vision deficiency, IEEE TVCG 15(6), 2009, severity 1.0), which map linear RGB to
linear RGB. Distances are CIE76's in L*a*b* under D65: about 2.3 is just noticeable side by side.
"""

from __future__ import annotations

import re
from itertools import combinations, product

import numpy as np
import pytest
from numpy.typing import NDArray

from frontend.assets import FOLDER
from frontend.figures.colours import PALETTES, Palette, Theme, run_colour
from frontend.figures.groups import FigureGroup
from frontend.figures.runs import DASHES, PATTERNS, FigureRun, told_apart

VISIONS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])
RUNS_APART, PARTS_APART = 15.0, 10.0


def linear(colour: str) -> NDArray[np.float64]:
    srgb = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def lab(colour: str, vision: NDArray[np.float64]) -> NDArray[np.float64]:
    relative = TO_XYZ @ np.clip(vision @ linear(colour), 0, 1) / WHITE
    f = np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one: str, other: str, vision: str) -> float:
    return float(np.linalg.norm(lab(one, VISIONS[vision]) - lab(other, VISIONS[vision])))


def luminance(colour: str) -> float:
    return float(TO_XYZ[1] @ linear(colour))


def runs_of(palette: Palette) -> tuple[str, ...]:
    return palette.blues + palette.oranges


def test_the_simulation_knows_what_dichromats_confuse() -> None:
    assert np.allclose(lab("#ffffff", VISIONS["normal"]), [100, 0, 0], atol=0.02)
    red, green = "#c05020", "#708000"
    assert distance(red, green, "normal") > 50
    assert distance(red, green, "deuteranopia") < 25


@pytest.mark.parametrize(("theme", "vision"), list(product(PALETTES, VISIONS)))
def test_colours_of_runs_are_told_apart(theme: Theme, vision: str) -> None:
    colours = runs_of(PALETTES[theme])
    near = [(distance(a, b, vision), a, b) for a, b in combinations(colours, 2)]
    assert min(near)[0] >= RUNS_APART, min(near)


@pytest.mark.parametrize(("theme", "vision"), list(product(PALETTES, VISIONS)))
def test_parts_of_a_loss_and_ends_of_a_difference_are_told_apart(theme: Theme, vision: str) -> None:
    palette = PALETTES[theme]
    near = [(distance(a, b, vision), a, b) for a, b in combinations(palette.components, 2)]
    assert min(near)[0] >= PARTS_APART, min(near)
    assert distance(*palette.ends, vision) >= 3 * RUNS_APART


@pytest.mark.parametrize("theme", list(PALETTES))
def test_every_line_stands_out_from_its_paper(theme: Theme) -> None:
    palette = PALETTES[theme]
    paper = luminance(palette.paper)
    for colour in (*runs_of(palette), *palette.components):
        low, high = sorted((luminance(colour), paper))
        assert (high + 0.05) / (low + 0.05) >= 2.1, colour


def test_pages_and_figures_have_the_same_colours() -> None:
    styles = (FOLDER.parent / "styles" / "00-tokens.css").read_text()
    for name in ("blue", "orange", "grey"):
        for k in range(4):
            found = re.search(rf"--{name}-{k}: light-dark\((#\w+), (#\w+)\)", styles)
            assert found, (name, k)
            light, dark = PALETTES["light"], PALETTES["dark"]
            pair = (getattr(light, f"{name}s")[k], getattr(dark, f"{name}s")[k])
            assert found.groups() == pair, (name, k)


@pytest.mark.parametrize("step", [1, 2, 4])
def test_sixteen_runs_have_sixteen_strokes(step: int) -> None:
    runs = told_apart([FigureRun(step * k, "a", "imagenet") for k in range(1, 17)])
    strokes = [tuple(run.line("light").values()) for run in runs]
    assert len(set(strokes)) == 16


def test_a_stroke_has_a_name_that_the_stylesheet_knows() -> None:
    styles = "".join(path.read_text() for path in (FOLDER.parent / "styles").glob("*.css"))
    for name in (*PATTERNS, "bold"):
        assert name == "solid" or f".stroke.{name} " in styles, name
    assert len(set(DASHES)) == 16


def test_a_run_has_its_colour_in_whatever_company() -> None:
    alone = told_apart([FigureRun(7, "a", "scratch")])[0]
    among = told_apart([FigureRun(k, "a", "scratch") for k in range(1, 9)])[6]
    assert alone.line("dark")["color"] == among.line("dark")["color"] == run_colour(7, "scratch", "dark")


def test_tags_spread_over_the_colours_of_runs() -> None:
    members = (FigureRun(1, "a", "scratch"), FigureRun(2, "b", "scratch"))
    tags = [FigureGroup(f"tag {k}", "scratch", members, "t").line("light")["color"] for k in range(40)]
    assert set(tags) == set(PALETTES["light"].oranges)
