"""Figures as PNG or SVG files, drawn by plotly's own kaleido in a Chromium without a window."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

import plotly.graph_objects as go
from PIL import Image

from backend.errors import InvalidInput, Unavailable
from eigenscope.writing import demand_new, write_whole
from frontend.figures.paper import Paper, on_paper, svg_in_millimetres

Format = Literal["png", "svg"]
DPI = 600
"""Of a PNG: what printers ask of drawings in lines."""
NO_KALEIDO = "PNG and SVG files need kaleido; install it: pip install 'eigenscope[images]'"
NO_CHROMIUM = (
    "PNG and SVG files are drawn by Chromium or Chrome, and none is found; install one "
    "(apt-get install chromium, or kaleido_get_chrome), or name it by BROWSER_PATH=/path/to/chromium"
)


@dataclass(frozen=True)
class Print:
    """A figure that becomes a file, by whose ending it is a PNG or an SVG."""

    file: Path
    figure: go.Figure
    paper: Paper

    @property
    def kind(self) -> Format:
        """Which of the two; InvalidInput where it is neither."""
        ending = self.file.suffix.lower().removeprefix(".")
        for kind in get_args(Format):
            if ending == kind:
                return kind  # type: ignore[no-any-return]
        raise InvalidInput(f"{self.file.name} must end in .png or .svg")


def save_figure(
    figure: go.Figure,
    file: str | Path,
    *,
    width_mm: float = Paper.width_mm,
    height_mm: float = Paper.height_mm,
    font_pt: float = Paper.font_pt,
    dpi: int = DPI,
    force: bool = False,
) -> Path:
    """Write a plotly figure as PNG or SVG, by the file's ending, for a paper, and return the file's path.

    It is `width_mm` by `height_mm` in print (84 mm is a column of two, 174 mm both), with letters of `font_pt` points,
    on white. An SVG holds text as text; a PNG has `dpi` dots per inch. Needs kaleido (`eigenscope[images]`) and a
    Chromium: Unavailable says which is missing. A file that exists is refused (InvalidInput) unless `force`.
    """
    one = Print(Path(file), figure, Paper(width_mm, height_mm, font_pt))
    return save_figures([one], dpi=dpi, force=force)[0]


def save_figures(prints: Sequence[Print], *, dpi: int = DPI, force: bool = False) -> list[Path]:
    """Write several figures with one start of the browser."""
    if not 30 <= dpi <= 2400:
        raise InvalidInput(f"a PNG must have between 30 and 2400 dots per inch, not {dpi}")
    for one in prints:
        demand_new(one.file, force=force)
    orders = [(on_paper(one.figure, one.paper).to_plotly_json(), _options(one, dpi)) for one in prints]
    return [
        write_whole(one.file, _with_size(one, content, dpi), force=force)
        for one, content in zip(prints, _drawn(orders), strict=True)
    ]


def _options(one: Print, dpi: int) -> dict[str, Any]:
    width, height = one.paper.pixels
    scale = one.paper.scale(dpi) if one.kind == "png" else 1
    return {"format": one.kind, "width": width, "height": height, "scale": scale}


def _drawn(orders: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> list[bytes]:
    """Return the images of (figure, options); a thread of its own, since a notebook's has an event loop already."""
    try:
        kaleido = import_module("kaleido")
        errors = import_module("kaleido.errors")
    except ImportError:
        raise Unavailable(NO_KALEIDO) from None

    async def draw() -> list[bytes]:
        # Without MathJax, which would be fetched from the internet.
        async with kaleido.Kaleido(n=1, mathjax=False) as browser:
            return [await browser.calc_fig(figure, options) for figure, options in orders]

    try:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, draw()).result()
    except errors.ChromeNotFoundError:
        raise Unavailable(NO_CHROMIUM) from None
    except (errors.BrowserFailedError, errors.BrowserClosedError) as error:
        raise Unavailable(f"the browser that draws PNG and SVG files did not start: {error}") from None


def _with_size(one: Print, content: bytes, dpi: int) -> bytes:
    """Return the image with its size in print."""
    if one.kind == "svg":
        return svg_in_millimetres(content.decode(), one.paper).encode()
    sized = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.save(sized, "PNG", dpi=(dpi, dpi), optimize=True)
    return sized.getvalue()
