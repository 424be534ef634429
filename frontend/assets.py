"""Stylesheet, modules and plotly.js: addresses that change with their content, kept by browsers for a year."""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from fastapi import APIRouter, Header, Response
from plotly.offline import get_plotlyjs, get_plotlyjs_version
from starlette.staticfiles import StaticFiles

FOLDER = Path(__file__).parent / "static"
IMMUTABLE = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)
_compressing = Lock()


@cache
def static_version() -> str:
    """Return a short digest of all static files: the folder part of their addresses."""
    digest = hashlib.sha256()
    for file in sorted(path for path in FOLDER.rglob("*") if path.is_file()):
        digest.update(file.relative_to(FOLDER).as_posix().encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def static_url(name: str) -> str:
    """Return the address of a static file."""
    return f"/static/{static_version()}/{name}"


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


@cache
def _compressed_plotly() -> bytes:
    return gzip.compress(get_plotlyjs().encode(), compresslevel=9, mtime=0)


@router.get("/plotly/{version}/plotly.min.js")
def plotly_js(version: str, accept_encoding: str = Header("")) -> Response:
    """Serve plotly.js, compressed once per process."""
    headers = {
        "Cache-Control": IMMUTABLE if version == get_plotlyjs_version() else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if "gzip" not in accept_encoding:
        return Response(get_plotlyjs(), media_type="text/javascript", headers=headers)
    with _compressing:
        content = _compressed_plotly()
    return Response(content, media_type="text/javascript", headers={**headers, "Content-Encoding": "gzip"})


@router.get("/favicon.ico")
def favicon() -> Response:
    """Answer browsers that ask without reading the page."""
    content = (FOLDER / "favicon.svg").read_bytes()
    return Response(content, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
