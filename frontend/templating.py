"""Templates: everything is escaped, an unknown name is an error."""

from __future__ import annotations

import json
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from backend.access.visitor import OPEN
from backend.runs.edit import LIMITS
from frontend import assets, formats
from frontend.figures.colours import colour_class
from frontend.policy import page_policy

_ENVIRONMENT = Environment(
    loader=PackageLoader("frontend"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def json_text(value: Any) -> Markup:
    """Return JSON that may stand inside a script element: no character in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


def code_spans(text: str) -> Markup:
    """Return text with its `backticked` parts as code."""
    parts = [escape(part) for part in text.split("`")]
    return Markup("").join(Markup("<code>{}</code>").format(p) if k % 2 else p for k, p in enumerate(parts))


_ENVIRONMENT.filters.update(
    code_spans=code_spans,
    count=formats.count,
    integer=formats.integer,
    counted=formats.counted,
    percent=formats.percent,
    change=formats.change,
    milliseconds=formats.milliseconds,
    share=formats.share,
    duration=formats.duration,
    time_left=formats.time_left,
    name_parts=formats.name_parts,
    ago=formats.ago,
    moment=formats.moment,
    size=formats.size,
    slug=formats.slug,
    kind_words=formats.kind_words,
    init_label=formats.init_label,
    init_words=formats.init_words,
    json_text=json_text,
)
_ENVIRONMENT.globals.update(
    colour_class=colour_class,
    limits=LIMITS,
    static=assets.static_url,
    script_url=assets.script_url,
    plotly_url=assets.plotly_url,
)


def page(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Render a page."""
    visitor = getattr(request.state, "visitor", OPEN)
    text = rendered(template, path=request.url.path, visitor=visitor, **context)
    return HTMLResponse(text, status_code=status, headers={"Content-Security-Policy": page_policy()})


def rendered(template: str, **context: Any) -> str:
    """Return a template's text."""
    return _ENVIRONMENT.get_template(template).render(**context)
