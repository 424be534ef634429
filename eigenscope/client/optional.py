"""Packages that only some answers need: loaded when one is asked for, missed in one sentence."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from backend.errors import Unavailable


def needed(module: str, purpose: str) -> Any:
    """Return the module, or say which package to install for what."""
    try:
        return import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise Unavailable(f"{purpose} needs {package}; install it: pip install {package}") from None


def pandas() -> Any:
    """Return pandas."""
    return needed("pandas", "a DataFrame")
