"""Eigenscope: the eigenspectrum dynamics of object detectors, and of any model that you train yourself."""

from __future__ import annotations

from importlib import import_module, metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backend.errors import Conflict as Conflict
    from backend.errors import EigenscopeError as EigenscopeError
    from backend.errors import Forbidden as Forbidden
    from backend.errors import InvalidInput as InvalidInput
    from backend.errors import NotFound as NotFound
    from backend.errors import Unauthorized as Unauthorized
    from backend.errors import Unavailable as Unavailable
    from backend.runs.recordings import RecordingStopped as RecordingStopped
    from eigenscope.client import Client as Client
    from eigenscope.images import save_figure as save_figure
    from eigenscope.recording.database import DatabaseRecorder as DatabaseRecorder
    from eigenscope.recording.file import FileRecorder as FileRecorder
    from eigenscope.recording.reading import Recording as Recording
    from eigenscope.recording.reading import read_recording as read_recording
    from eigenscope.recording.recorder import Recorder as Recorder
    from eigenscope.recording.server import ServerRecorder as ServerRecorder
    from worker.probe.probe import EigenspectrumProbe as EigenspectrumProbe

__version__ = metadata.version("eigenscope")

_LAZY = {
    "Client": "eigenscope.client",
    "Conflict": "backend.errors",
    "DatabaseRecorder": "eigenscope.recording.database",
    "EigenscopeError": "backend.errors",
    "EigenspectrumProbe": "worker.probe.probe",
    "FileRecorder": "eigenscope.recording.file",
    "Forbidden": "backend.errors",
    "InvalidInput": "backend.errors",
    "NotFound": "backend.errors",
    "Recorder": "eigenscope.recording.recorder",
    "Recording": "eigenscope.recording.reading",
    "RecordingStopped": "backend.runs.recordings",
    "ServerRecorder": "eigenscope.recording.server",
    "Unauthorized": "backend.errors",
    "Unavailable": "backend.errors",
    "read_recording": "eigenscope.recording.reading",
    "save_figure": "eigenscope.images",
}


def __getattr__(name: str) -> Any:
    """Load a name when it is asked for: the server runs without torch, and a recorder without the probe."""
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'eigenscope' has no attribute '{name}'")


def __dir__() -> list[str]:
    """Name what can be asked for."""
    return sorted([*globals(), *_LAZY])
