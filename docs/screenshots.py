"""Takes a picture of every page, light and dark, wide and narrow, and writes docs/pages.md: `make screenshots`."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from backend import migration
from backend.database import Database
from backend.settings import Settings

HERE = Path(__file__).parent
PICTURES = HERE / "images" / "pages"
TESTS = HERE.parent / "tests"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
WIDE, NARROW = (1280, 800), (390, 844)
TALLEST = {WIDE: 1600, NARROW: 1600}
"""Pixels from which a page is cut: what follows is more of the same."""
COLOURS = (256, 128, 64, 32)
"""Of the palette: as many as fit into `BYTES_AT_MOST`."""
BYTES_AT_MOST = 150_000

HEAD = """# The pages

Every page as a server with a few runs shows it, in light and dark and on a telephone. This page and its pictures
are made by `make screenshots`.
"""


def main() -> None:
    """Fill a server, take all pictures, write the page."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        sys.exit("the pictures are taken by Chromium; install it (apt-get install chromium)")
    gallery, serving = _of_tests("frontend/gallery.py"), _of_tests("serving.py").serving
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        full, empty = (Settings(home=Path(home) / name, _env_file=None) for name in ("full", "empty"))
        for settings in (full, empty):
            settings.home.mkdir()
        shots = gallery.seed_gallery(full)
        first = gallery.Shot("first-visit", "Runs, at the first visit", "/")
        with serving(full) as address:
            for shot in shots:
                take(browser, gallery, address, shot)
        _migrate(empty)
        with serving(empty) as address:
            take(browser, gallery, address, first)
        browser.close()
    (HERE / "pages.md").write_text(page([first, *shots]), encoding="utf-8")


def _of_tests(file: str) -> ModuleType:
    """Load what tests use as well."""
    spec = importlib.util.spec_from_file_location(Path(file).stem, TESTS / file)
    assert spec is not None  # noqa: S101 - narrows the type
    assert spec.loader is not None  # noqa: S101 - narrows the type
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _migrate(settings: Settings) -> None:
    database = Database(settings.database)
    migration.upgrade(database)
    database.dispose()


def take(browser: Browser, gallery: ModuleType, server: str, shot: Any) -> None:
    """Take a page wide in both themes and narrow in the light one."""
    for suffix, theme, size in (("", "light", WIDE), ("-dark", "dark", WIDE), ("-narrow", "light", NARROW)):
        tab = browser.new_page(
            viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce"
        )
        tab.goto(server + shot.address)
        gallery.settle(tab)
        for key in shot.press:
            tab.keyboard.press(key)
        save(_picture(tab, size, whole=not shot.press), PICTURES / f"{shot.name}{suffix}.png")
        tab.close()


def _picture(tab: Page, size: tuple[int, int], whole: bool) -> Image.Image:
    if not whole:
        return Image.open(BytesIO(tab.screenshot()))
    # What sticks to the window's top would lie over the middle of a long picture.
    height = min(TALLEST[size], int(tab.evaluate("document.documentElement.scrollHeight")))
    tab.set_viewport_size({"width": size[0], "height": max(height, size[1])})
    tab.wait_for_timeout(500)
    return Image.open(BytesIO(tab.screenshot()))


def save(picture: Image.Image, file: Path) -> None:
    """Write a PNG of as many colours as its size allows: pages have few, and the rare ones tell runs apart."""
    for colours in COLOURS:
        picture.convert("RGB").quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            file, optimize=True
        )
        if file.stat().st_size <= BYTES_AT_MOST:
            return
    sys.exit(f"{file.name} takes {file.stat().st_size:,} bytes even with {COLOURS[-1]} colours")


def page(shots: list[Any]) -> str:
    """Return the Markdown that shows all pictures."""
    parts = [HEAD]
    for shot in shots:
        wide, narrow = f"images/pages/{shot.name}", f"images/pages/{shot.name}-narrow.png"
        title = shot.title
        parts.append(
            f"## {title}\n\n"
            f'<picture><source media="(prefers-color-scheme: dark)" srcset="{wide}-dark.png">'
            f'<img src="{wide}.png" width="720" alt="{title}, wide"></picture>\n'
            f'<img src="{narrow}" width="195" alt="{title}, narrow">\n\n'
            f"[light]({wide}.png) · [dark]({wide}-dark.png) · [narrow]({narrow})\n"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    main()
