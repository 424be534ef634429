"""What a page may load and run: scripts and styles of this server, nothing written into the page itself.

plotly.js puts two style elements and a few fixed style attributes into the page. Each is allowed by its digest, so
that no other one is; a newer plotly which brings another shows up in tests/frontend/test_policy.py.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache

from plotly.offline import get_plotlyjs

_INJECTED = re.compile(r"\.textContent='(\.maplibregl-map\{[^']*)'")
"""The stylesheet of plotly's maps, which it adds on every page."""
STYLE_ATTRIBUTES = (
    "",
    "font-size:70%",
    "font-weight:bold",
    "font-style:italic",
    "font-style:italic;font-weight:bold",
    "text-decoration:underline",
    "text-decoration:line-through",
    "".join(
        f"image-rendering: {way}; "
        for way in (
            "optimizeSpeed",
            "-moz-crisp-edges",
            "-o-crisp-edges",
            "-webkit-optimize-contrast",
            "optimize-contrast",
            "crisp-edges",
            "pixelated",
        )
    ),
)
"""What plotly.js writes for <sup>, <sub>, <b>, <i>, <em>, <u>, <s>, colour bars, and images of heatmaps."""


def allowed(text: str) -> str:
    """Return the source that allows exactly this text inside a page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def page_policy() -> str:
    """Return the Content-Security-Policy of pages."""
    elements = ["", *_INJECTED.findall(get_plotlyjs())]
    directives = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src-elem": " ".join(["'self'", *map(allowed, elements)]),
        "style-src-attr": " ".join(["'unsafe-hashes'", *map(allowed, STYLE_ATTRIBUTES)]),
        "img-src": "'self' data: blob:",
        "connect-src": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
    }
    return _joined(directives)


def report_policy(script: str) -> str:
    """Return the policy that a report carries in itself: it runs this script and plotly.js, and asks no server."""
    directives = {
        "default-src": "'none'",
        "script-src": f"{allowed(script)} {_allowed_plotly()}",
        "style-src": "'unsafe-inline'",
        "img-src": "data: blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return _joined(directives)


@cache
def _allowed_plotly() -> str:
    return allowed(get_plotlyjs())


def _joined(directives: dict[str, str]) -> str:
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())
