"""Where a setting belongs, for whoever wrote it into the wrong part or misspelt it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

from backend.runs.specification import RunSpecification

ALIKE = 0.75
"""How alike two names must be for one to be offered for the other."""


def place_of(path: str) -> str | None:
    """Return the setting that `path`, which is none, was meant to be: the same name elsewhere, else one spelt alike."""
    known = settings()
    part, _, name = path.rpartition(".")
    same = [one for one in known if one.rpartition(".")[2] == name]
    if len(same) == 1:
        return same[0]
    beside = [one for one in known if one.rpartition(".")[0] == part]
    parts = list(dict.fromkeys(one.partition(".")[0] for one in known))
    near = get_close_matches(path, beside, 1, ALIKE) or get_close_matches(path, [*known, *parts], 1, ALIKE)
    return near[0] if near else None


@cache
def settings() -> tuple[str, ...]:
    """Return the path of every setting of a run specification, such as `training.lr`."""
    schema = RunSpecification.model_json_schema()
    return tuple(_paths(schema, schema["properties"], ""))


def _paths(schema: Mapping[str, Any], properties: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, node in properties.items():
        reference = node.get("$ref", "")
        part = schema["$defs"][reference.rpartition("/")[2]] if reference else node
        if "properties" in part:
            yield from _paths(schema, part["properties"], f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
