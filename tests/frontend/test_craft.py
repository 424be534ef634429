"""The stylesheet keeps to its tokens, the tokens are told apart by every eye, and no page jumps or hides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from frontend.assets import STYLES
from frontend.figures.colours import PALETTES, Theme

TOKENS = STYLES / "00-tokens.css"
OTHERS = sorted(path for path in STYLES.glob("*.css") if path != TOKENS)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
TEXT = 4.5
"""WCAG 2.2, AA: contrast of text, and below it of what is not text but must be seen."""
GRAPHIC = 3.0
PAPERS = ("paper", "raised", "sunken", "hover")
LINES_AT_MOST = 3
"""Pixels up to which a size is that of a line, which no grid holds."""


def rules(path: Path) -> str:
    """Return a file's declarations: without comments, selectors and the conditions of @media."""
    text = COMMENT.sub("", path.read_text(encoding="utf-8"))
    return ";\n".join(re.findall(r"(?<=[{;])[^{}]*?(?=[;}])", text))


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_colours_are_tokens(path: Path) -> None:
    raw = re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch)\([^)]*\)", rules(path))
    assert not raw, f"{path.name} has colours that are not in {TOKENS.name}"
    named = re.findall(
        r"(?:color|background|fill|stroke): *(white|black|red|gr[ae]y|blue|orange)\b", rules(path)
    )
    assert not named


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_sizes_lie_on_the_grid(path: Path) -> None:
    sizes = {float(size) for size in re.findall(r"(?<![\w.-])([\d.]+)px", rules(path))}
    odd = sorted(size for size in sizes if size > LINES_AT_MOST and size % 4)
    assert not odd, f"{path.name} leaves the 4-pixel grid; take a token or a multiple of 4"


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_type_has_four_sizes(path: Path) -> None:
    sizes = re.findall(r"font-size: *([^;}]+)", rules(path))
    free = [
        size for size in sizes if not re.fullmatch(r"var\(--(small|text|large|huge)\)|0|0\.5em", size.strip())
    ]
    assert not free, f"{path.name} has a type size of its own"


def test_every_token_that_is_used_exists() -> None:
    text = "".join(COMMENT.sub("", path.read_text(encoding="utf-8")) for path in (TOKENS, *OTHERS))
    defined = set(re.findall(r"(--[\w-]+):", text))
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= defined


def test_files_have_one_idea() -> None:
    for path in STYLES.glob("*.css"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path.name


def tokens(theme: Theme) -> dict[str, str]:
    """Return the colours of one theme by name."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", TOKENS.read_text(encoding="utf-8"))
    return {name: light if theme == "light" else dark for name, light, dark in pairs}


def luminance(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, as WCAG defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return WCAG's ratio of contrast, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_wcags() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", PALETTES)
def test_text_can_be_read(theme: Theme) -> None:
    colours = tokens(theme)
    pairs = [(text, paper) for text in ("ink", "muted", "accent", "bad") for paper in PAPERS]
    pairs += [("on-accent", "accent"), ("paper", "bad"), ("paper", "ink")]
    pairs += [
        ("warn", "paper"),
        ("warn", "warn-wash"),
        ("ink", "warn-wash"),
        ("ink", "bad-wash"),
        ("bad", "bad-wash"),
    ]
    faint = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < TEXT} == {}


@pytest.mark.parametrize("theme", PALETTES)
def test_marks_can_be_seen(theme: Theme) -> None:
    colours = tokens(theme)
    marks = ["good", "bad", "warn", "accent", "edge"]
    faint = {mark: round(contrast(colours[mark], colours["paper"]), 2) for mark in marks}
    assert {mark: ratio for mark, ratio in faint.items() if ratio < GRAPHIC} == {}


@pytest.mark.parametrize("theme", PALETTES)
def test_figures_and_pages_share_their_colours(theme: Theme) -> None:
    colours, palette = tokens(theme), PALETTES[theme]
    for name in ("paper", "ink", "muted", "line"):
        assert getattr(palette, name) == colours[name]
    for hue in ("blue", "orange", "grey"):
        assert getattr(palette, f"{hue}s") == tuple(colours[f"{hue}-{k}"] for k in range(4))


SHIFTS = """
  window.shifted = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
      window.shifted.push([entry.value, ...entry.sources.map((one) => {
        const node = one.node instanceof Element ? one.node : one.node?.parentElement;
        return node ? `${node.tagName.toLowerCase()}#${node.id}.${node.className}` : "gone";
      })]);
    }
  }).observe({ type: "layout-shift", buffered: true });
"""
SHIFT_AT_MOST = 0.02
CUT_TABLES = """() => [...document.querySelectorAll("table")].filter((table) => {
  // A column beyond the edge is reached by scrolling its table, by touch and by keyboard.
  const place = table.closest(".scroll") ?? table.parentElement;
  const told = place.matches(".scroll") && place.tabIndex === 0 && place.getAttribute("aria-label");
  return table.checkVisibility() && table.scrollWidth > place.clientWidth + 1 && !told;
}).map((table) => table.textContent.trim().slice(0, 60))"""


@pytest.fixture
def measured(browser: BrowserContext) -> Iterator[Page]:
    """Yield a page that notes what moves in it without the person's doing."""
    page = browser.new_page()
    page.add_init_script(SHIFTS)
    yield page
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_jumps_while_pages_load_and_none_scrolls_sideways(
    measured: Page, gallery: tuple[str, list[Any]], settle: Any, width: int
) -> None:
    server, shots = gallery
    measured.set_viewport_size({"width": width, "height": 900})
    found: dict[str, Any] = {}
    for shot in shots:
        measured.goto(server + shot.address)
        settle(measured)
        shifts = measured.evaluate("window.shifted")
        if sum(one[0] for one in shifts) > SHIFT_AT_MOST:
            found[shot.name] = shifts
        if (sideways := measured.evaluate("document.documentElement.scrollWidth")) > width:
            found[shot.name] = f"{sideways} pixels wide"
        if cut := measured.evaluate(CUT_TABLES):
            found[shot.name] = cut
    assert found == {}


@pytest.mark.browser
def test_the_measure_of_jumps_can_find_one(measured: Page, server: str) -> None:
    measured.goto(f"{server}/system")
    measured.wait_for_timeout(700)
    measured.evaluate("document.getElementById('system').style.paddingTop = '400px'")
    measured.wait_for_function(f"window.shifted.some((one) => one[0] > {SHIFT_AT_MOST})")


@pytest.mark.browser
def test_three_themes(tab: Page, server: str) -> None:
    def paper() -> str:
        return str(tab.evaluate("getComputedStyle(document.body).backgroundColor"))

    white, black = "rgb(255, 255, 255)", "rgb(20, 23, 27)"
    tab.emulate_media(color_scheme="dark")
    tab.goto(f"{server}/system")
    theme = tab.get_by_label("Theme")
    assert (theme.input_value(), paper()) == ("system", black)
    theme.select_option("light")
    assert paper() == white
    tab.reload()
    assert (theme.input_value(), paper()) == ("light", white)
    theme.select_option("dark")
    tab.emulate_media(color_scheme="light")
    assert paper() == black
    theme.select_option("system")
    assert paper() == white
    tab.reload()
    assert (theme.input_value(), paper()) == ("system", white)


@pytest.mark.browser
def test_reduced_motion_is_respected(tab: Page, server: str) -> None:
    tab.emulate_media(reduced_motion="reduce")
    tab.goto(server)
    moving = tab.evaluate(
        """[...document.querySelectorAll('*')].filter((one) => {
             const style = getComputedStyle(one);
             return parseFloat(style.transitionDuration) && style.transitionProperty !== 'none'
               || style.animationName !== 'none';
           }).length"""
    )
    assert moving == 0
