"""Stylesheet, modules and plotly.js: addresses that change with their content, kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import APIRouter, Header, Response
from plotly.offline import get_plotlyjs, get_plotlyjs_version
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "static"
STYLES = Path(__file__).parent / "styles"
"""Parts of the one stylesheet, joined in the order of their names: tokens, what every page has, then pages."""
_IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const|class) )", re.MULTILINE)
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


@router.get("/static/{version}/style.css")
def style(version: str) -> Response:
    """Serve the stylesheet; an address of another version than this one's is not kept."""
    cache = IMMUTABLE if version == static_version() else "no-cache"
    return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": cache})


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


def inlined_script(names: Sequence[str]) -> str:
    """Return modules as the text of one, in the order given: each may import from those before it."""
    whole = "".join((FOLDER / name).read_text(encoding="utf-8") for name in names)
    return _EXPORT.sub("", _IMPORT.sub("", whole))


@router.get("/plotly/{version}/plotly.min.js")
def plotly_js(version: str, accept_encoding: str = Header("")) -> Response:
    """Serve plotly.js, compressed once per process."""
    headers = {
        "Cache-Control": IMMUTABLE if version == get_plotlyjs_version() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if "gzip" not in accept_encoding:
        return Response(get_plotlyjs(), media_type="text/javascript", headers=headers)
    return Response(
        compressed_plotly(), media_type="text/javascript", headers={**headers, "Content-Encoding": "gzip"}
    )


@router.get("/favicon.ico")
def favicon() -> Response:
    """Answer browsers that ask without reading the page."""
    content = (FOLDER / "favicon.svg").read_bytes()
    return Response(content, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
