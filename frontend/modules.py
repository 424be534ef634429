"""A page's ES modules as one file: fetched at once, instead of one after another as their imports come to light."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "static"
PAGES_AT_MOST = 64
"""Files kept; a page has one, so that more are asked for by nobody but who plays with addresses."""
_IMPORT = re.compile(r'^(import|export) \{([^}]*)\} from "\./([\w-]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) (\w+)", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


@cache
def module_names() -> frozenset[str]:
    """Return the modules that there are."""
    return frozenset(path.name for path in FOLDER.glob("*.js"))


@lru_cache(PAGES_AT_MOST)
def joined(names: Sequence[str]) -> str:
    """Return modules, and whatever they import, as the text of one, each module once and after those it needs.

    Each keeps its own names: it becomes a function's body that hands out what the module exports. Raises KeyError
    for a module that does not exist, ValueError for modules that import each other, or an import or export in a
    form that none of them has.
    """
    order: dict[str, None] = {}
    for name in names:
        _after_its_imports(name, order, ())
    return "".join(_wrapped(name) for name in order)


@lru_cache(PAGES_AT_MOST)
def compressed(names: Sequence[str]) -> bytes:
    """Return what `joined` does, compressed."""
    return gzip.compress(joined(names).encode(), mtime=0)


def _after_its_imports(name: str, order: dict[str, None], importing: tuple[str, ...]) -> None:
    if name in importing:
        raise ValueError(f"modules import each other: {' → '.join((*importing, name))}")
    for needed in _imports(name):
        _after_its_imports(needed, order, (*importing, name))
    order[name] = None


@cache
def _imports(name: str) -> tuple[str, ...]:
    return tuple(match[3] for match in _IMPORT.finditer(_text(name)))


@cache
def _text(name: str) -> str:
    if name not in module_names():
        raise KeyError(name)
    return (FOLDER / name).read_text(encoding="utf-8")


def _wrapped(name: str) -> str:
    text = _text(name)
    given = [match[2] for match in _EXPORT.finditer(text)]
    passed = [pair for match in _IMPORT.finditer(text) if match[1] == "export" for pair in _pairs(match[2])]
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub(_bound, text))
    left = _LEFT.search(body)
    if left:
        raise ValueError(f"{name} has an import or export that cannot be joined: {left[0]}")
    handed = ", ".join((*given, *(f"{outer}: {inner}" for inner, outer in passed)))
    return f"const {_variable(name)} = (() => {{\n{body}return {{ {handed} }};\n}})();\n"


def _bound(match: re.Match[str]) -> str:
    if match[1] == "import":
        names = [inner if inner == outer else f"{inner}: {outer}" for inner, outer in _pairs(match[2])]
    else:
        names = [inner for inner, _ in _pairs(match[2])]
    return f"const {{ {', '.join(names)} }} = {_variable(match[3])};\n"


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    """Yield (name in the other module, name here) of the names in braces."""
    for each in filter(None, (one.strip() for one in names.split(","))):
        inner, _, outer = each.partition(" as ")
        yield inner, outer or inner


def _variable(name: str) -> str:
    return "$" + name.removesuffix(".js").replace("-", "_")
