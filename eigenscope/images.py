"""Figures as PNG or SVG files, drawn by plotly's own kaleido in a Chromium without a window."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
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
class _Order:
    """A figure as kaleido draws it."""

    figure: dict[str, Any]
    options: dict[str, Any]


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
    path = Path(file)
    return save_figures({path: figure}, Paper(width_mm, height_mm, font_pt), dpi=dpi, force=force)[0]


def save_figures(
    figures: Mapping[Path, go.Figure], paper: Paper, *, dpi: int = DPI, force: bool = False
) -> list[Path]:
    """Write several figures with one start of the browser."""
    if not 30 <= dpi <= 2400:
        raise InvalidInput(f"a PNG must have between 30 and 2400 dots per inch, not {dpi}")
    formats = {path: _format(path) for path in figures}
    for path in figures:
        demand_new(path, force=force)
    drawn = _drawn([_order(figures[path], kind, paper, dpi) for path, kind in formats.items()])
    return [
        write_whole(path, _with_size(content, kind, paper, dpi), force=force)
        for (path, kind), content in zip(formats.items(), drawn, strict=True)
    ]


def _format(file: Path) -> Format:
    ending = file.suffix.lower().removeprefix(".")
    for kind in get_args(Format):
        if ending == kind:
            return kind  # type: ignore[no-any-return]
    raise InvalidInput(f"{file.name} must end in .png or .svg")


def _order(figure: go.Figure, kind: Format, paper: Paper, dpi: int) -> _Order:
    width, height = paper.pixels
    scale = paper.scale(dpi) if kind == "png" else 1
    options = {"format": kind, "width": width, "height": height, "scale": scale}
    return _Order(on_paper(figure, paper).to_plotly_json(), options)


def _drawn(orders: Sequence[_Order]) -> list[bytes]:
    """Return the images; a thread of its own, since a notebook's has an event loop already."""
    try:
        kaleido = import_module("kaleido")
        errors = import_module("kaleido.errors")
    except ImportError:
        raise Unavailable(NO_KALEIDO) from None

    async def draw() -> list[bytes]:
        # Without MathJax, which would be fetched from the internet.
        async with kaleido.Kaleido(n=1, mathjax=False) as browser:
            return [await browser.calc_fig(order.figure, order.options) for order in orders]

    try:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, draw()).result()
    except errors.ChromeNotFoundError:
        raise Unavailable(NO_CHROMIUM) from None
    except (errors.BrowserFailedError, errors.BrowserClosedError) as error:
        raise Unavailable(f"the browser that draws PNG and SVG files did not start: {error}") from None


def _with_size(content: bytes, kind: Format, paper: Paper, dpi: int) -> bytes:
    """Return the image with its size in print."""
    if kind == "svg":
        return svg_in_millimetres(content.decode(), paper).encode()
    sized = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.save(sized, "PNG", dpi=(dpi, dpi), optimize=True)
    return sized.getvalue()
