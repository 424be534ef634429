"""Eigenscope: the eigenspectrum dynamics of object detectors."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import Any

__version__ = metadata.version("eigenscope")

_LAZY = {"EigenspectrumProbe": "worker.probe.probe"}


def __getattr__(name: str) -> Any:
    """Load what needs torch only when it is asked for: the server runs without torch."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'eigenscope' has no attribute '{name}'")
