"""Settings as columns: which there are, and what a run says of one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.models import Run
from backend.runs.specification import RunSpecification

ELSEWHERE = frozenset({"name", "tags", "dataset_id"})
"""Fields of a specification that are columns of every run already."""


@cache
def specified() -> dict[str, str]:
    """Return what each setting of a specification means, by dotted name, in its own order."""
    names = dict(_fields(RunSpecification, ""))
    return {name: about for name, about in names.items() if name not in ELSEWHERE}


def _fields(part: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    for name, field in part.model_fields.items():
        parts = list(_parts(field.annotation))
        if not parts:
            about = "Which weights it started from." if name == "kind" else field.description or ""
            yield f"{prefix}{name}", about
        for inner in parts:
            yield from _fields(inner, f"{prefix}{name}.")


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the parts that a field holds: itself one, or one of several."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (Union, UnionType):
        for inner in get_args(annotation):
            yield from _parts(inner)


def recorded(session: Session) -> list[str]:
    """Return the names of settings that recorded runs tell of, in the order of the alphabet."""
    found: set[str] = set()
    for specification in session.scalars(select(Run.specification).where(Run.origin == "recorded")):
        found |= specification.get("settings", {}).keys()
    return sorted(found)


def setting(specification: dict[str, Any], name: str) -> Any:
    """Return one setting of a run, None where it has none; a recorded run's own stand under their own names."""
    own = specification.get("settings")
    if own is not None and not name.startswith("init."):
        return own.get(name)
    found: Any = specification
    for part in name.split("."):
        if not isinstance(found, dict) or part not in found:
            return None
        found = found[part]
    return found
