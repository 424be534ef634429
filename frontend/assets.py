"""Stylesheet, modules and plotly.js: addresses that change with their content, kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import APIRouter, Header, Response
from plotly.offline import get_plotlyjs, get_plotlyjs_version
from starlette.staticfiles import StaticFiles

from backend.errors import NotFound
from frontend import modules
from frontend.modules import FOLDER

STYLES = Path(__file__).parent / "styles"
"""Parts of the one stylesheet, joined in the order of their names: tokens, what every page has, then pages."""
IMMUTABLE = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)
_compressing = Lock()


@cache
def static_version() -> str:
    """Return a short digest of all static files: the folder part of their addresses."""
    digest = hashlib.sha256()
    files = [path for folder in (FOLDER, STYLES) for path in folder.rglob("*") if path.is_file()]
    for file in sorted(files):
        digest.update(file.relative_to(FOLDER.parent).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """Return the address of a static file."""
    return f"/static/{static_version()}/{name}"


@cache
def stylesheet() -> str:
    """Return the one stylesheet of all pages."""
    return "".join(part.read_text(encoding="utf-8") for part in sorted(STYLES.glob("*.css")))


@cache
def _compressed_stylesheet() -> bytes:
    return gzip.compress(stylesheet().encode(), mtime=0)


@router.get("/static/{version}/style.css")
def style(version: str, accept_encoding: str = Header("")) -> Response:
    """Serve the stylesheet; an address of another version than this one's is not kept."""
    return _kept(accept_encoding, stylesheet, _compressed_stylesheet, "text/css", version == static_version())


def script_url(*names: str) -> str:
    """Return the address of modules and all that they import, as one file."""
    return static_url(f"joined/{'+'.join(name.removesuffix('.js') for name in names)}.js")


@router.get("/static/{version}/joined/{names}.js")
def script(version: str, names: str, accept_encoding: str = Header("")) -> Response:
    """Serve modules as one file. Raises NotFound for one that does not exist."""
    asked = tuple(f"{name}.js" for name in names.split("+"))
    if not modules.module_names().issuperset(asked) or len(set(asked)) < len(asked):
        raise NotFound("there is no such script; open the page again, its address may be an older version's")
    text, small = partial(modules.joined, asked), partial(modules.compressed, asked)
    return _kept(accept_encoding, text, small, "text/javascript", version == static_version())


def _kept(
    accept_encoding: str,
    text: Callable[[], str],
    compressed: Callable[[], bytes],
    media_type: str,
    current: bool,
) -> Response:
    """Return text as small as the browser takes it, to be kept by it where the address names its content."""
    headers = {"Cache-Control": IMMUTABLE if current else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" not in accept_encoding:
        return Response(text(), media_type=media_type, headers=headers)
    return Response(compressed(), media_type=media_type, headers={**headers, "Content-Encoding": "gzip"})


def plotly_url() -> str:
    """Return the address of the installed plotly package's own plotly.js."""
    return f"/plotly/{get_plotlyjs_version()}/plotly.min.js"


class ImmutableFiles(StaticFiles):
    """Static files whose address names their content."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """Let browsers keep the file."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = IMMUTABLE
        return response


def compressed_plotly() -> bytes:
    """Return plotly.js, compressed once per process."""
    with _compressing:
        return _compressed_plotly()


@cache
def _compressed_plotly() -> bytes:
    return gzip.compress(get_plotlyjs().encode(), compresslevel=9, mtime=0)


@router.get("/plotly/{version}/plotly.min.js")
def plotly_js(version: str, accept_encoding: str = Header("")) -> Response:
    """Serve plotly.js, compressed once per process."""
    current = version == get_plotlyjs_version()
    return _kept(accept_encoding, get_plotlyjs, compressed_plotly, "text/javascript", current)


@router.get("/favicon.ico")
def favicon() -> Response:
    """Answer browsers that ask without reading the page."""
    content = (FOLDER / "favicon.svg").read_bytes()
    return Response(content, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
