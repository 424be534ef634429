"""The tensors of a file of weights, whatever its format, unwrapped from what a checkpoint keeps beside them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from backend.errors import InvalidInput
from backend.weights import archives, safetensors_header
from backend.weights.contents import TensorEntry
from backend.weights.pickles import Unknown

SAFETENSORS = ".safetensors"
PREFIXES = ("module.", "_orig_mod.")
"""What DistributedDataParallel and torch.compile put before every name."""


def read_entries(path: Path, name: str) -> Mapping[str, TensorEntry]:
    """Return the tensors of a `.safetensors` file, or of a state dict (or a checkpoint of one) in a torch file.

    The keys are the file's own. `name` is what messages call it. Only the description is read, and nothing is run.
    Raises `InvalidInput` for any other file.
    """
    try:
        stat = path.stat()
    except OSError as error:
        raise InvalidInput(f"{name} cannot be read: {error.strerror}; put the file there") from None
    return _read(path, name, stat.st_mtime_ns, stat.st_size)


# The form asks at every change of any field; the file is the same until its time or size is another.
@lru_cache(maxsize=4)
def _read(path: Path, name: str, _changed_at: int, _size: int) -> Mapping[str, TensorEntry]:
    if path.suffix == SAFETENSORS:
        return MappingProxyType(_tensors(safetensors_header.read(path, name), name))
    return MappingProxyType(_tensors(archives.read(path, name), name))


def shown_names(keys: list[str]) -> dict[str, str]:
    """Return each key without the prefixes that wrappers of a model put before all of them."""
    shown = {key: key for key in keys}
    for prefix in PREFIXES * 2:
        if shown and all(name.startswith(prefix) for name in shown.values()):
            shown = {key: name.removeprefix(prefix) for key, name in shown.items()}
    return shown


def _tensors(value: Any, name: str) -> dict[str, TensorEntry]:
    if not isinstance(value, dict):
        raise InvalidInput(
            f"{name} is no plain state dict ({_kind(value)}); save the model's own state_dict()"
        )
    for key, inner in value.items():
        if not isinstance(key, str) or not isinstance(inner, TensorEntry):
            raise InvalidInput(
                f"{name} is no plain state dict ('{str(key)[:80]}' is no tensor but {_kind(inner)}); "
                "save the model's own state_dict()"
            )
    if not value:
        raise InvalidInput(f"{name} holds no tensors; save the model's own state_dict()")
    return value


def _kind(value: Any) -> str:
    if isinstance(value, Unknown):
        return value.name.replace(" ", ".")[:120]
    return type(value).__name__
