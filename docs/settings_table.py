"""Prints docs/settings.md from the settings themselves: `make docs`."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from backend.settings import Settings

HEAD = """# Settings

Every setting is an environment variable, or a line in `.env` in the folder where the command starts; the
environment wins. This page is written from the code by `make docs`.

| variable | type | default | meaning |
|---|---|---|---|
"""
WORDS = {str: "text", int: "whole number", float: "number", bool: "true or false", Path: "path"}


def main() -> None:
    """Write the page to standard output."""
    sys.stdout.write(HEAD + "".join(f"{row(name, field)}\n" for name, field in Settings.model_fields.items()))


def row(name: str, field: FieldInfo) -> str:
    """Return one setting as a row of the table."""
    prefix = Settings.model_config["env_prefix"]
    cells = (f"`{prefix}{name.upper()}`", words(field.annotation), default(field.default), field.description)
    return f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in cells)} |"


def words(annotation: Any) -> str:
    """Return a type as a person says it."""
    if get_origin(annotation) in (Union, types.UnionType):
        return " or ".join(words(part) for part in get_args(annotation) if part is not types.NoneType)
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(annotation))
    return WORDS.get(annotation) or str(annotation)


def default(value: Any) -> str:
    """Return a default as it would be written in the environment."""
    if value is None or value == "":
        return "empty"
    return f"`./{value}`" if isinstance(value, Path) and not value.is_absolute() else f"`{value}`"


if __name__ == "__main__":
    main()
