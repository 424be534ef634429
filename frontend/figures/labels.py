"""Untrusted names as plotly text: plotly reads a subset of HTML in every label."""

from __future__ import annotations

import html

LONGEST = 48


def label(text: str, longest: int = LONGEST) -> str:
    """Return `text` so that plotly shows it letter by letter, cut in the middle where it is too long.

    Braces become entities as well: `%{x}` in a name must not be filled in by a hover template.
    """
    flat = " ".join(text.split())
    if len(flat) > longest:
        head = longest // 2
        flat = f"{flat[:head]}…{flat[-(longest - head - 1) :]}"
    return html.escape(flat).replace("{", "&#123;").replace("}", "&#125;")
