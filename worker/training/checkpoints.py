"""A run's state on disk: written whole or not at all, and enough of it to go on exactly where it stopped."""

from __future__ import annotations

import errno
import io
import os
import random
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from backend.errors import InvalidInput, NotFound, Unavailable

FORMAT = 1
NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def path_of(folder: Path, iteration: int) -> Path:
    """Return where a run's checkpoint after so many updates lies."""
    return folder / f"checkpoint-{iteration:08d}.pt"


def weights_path_of(folder: Path, iteration: int) -> Path:
    """Return where the weights after so many updates lie that are kept to start other runs from."""
    return folder / f"weights-{iteration:08d}.pt"


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write `state` to `path` atomically; what lay there before stays until the new file is safe on disk.

    Raises `Unavailable` when the disk is full, naming the folder and the bytes needed; nothing is left behind.
    """
    # In memory first: the size is known before a byte is written, and a failing write is a plain OSError.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    content = buffer.getbuffer()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        _write(temporary, content)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno not in NO_SPACE:
            raise
        free = shutil.disk_usage(path.parent).free
        raise Unavailable(
            f"no room for a checkpoint in {path.parent}: it needs {len(content):,} bytes and {free:,} are free; "
            "free some and resume the run"
        ) from None


def load(path: Path, name: str) -> dict[str, Any]:
    """Return the state that `save` wrote, on the CPU; `name` is what messages call it.

    Nothing but tensors and plain values is unpickled. Raises `NotFound` or `InvalidInput`.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise NotFound(
            f"{name} ({path.name}) is gone from the disk; retry the run from its beginning"
        ) from None
    except (RuntimeError, EOFError, UnpicklingError, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InvalidInput(
            f"{name} ({path.name}) cannot be read ({reason}); retry the run from its beginning"
        ) from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise InvalidInput(
            f"{name} ({path.name}) was not written by this version; retry the run from its beginning"
        )
    return state


def random_state(device: torch.device) -> dict[str, Any]:
    """Return the state of every global random generator as plain values and tensors."""
    kind, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    return {
        "python": random.getstate(),
        "numpy": (
            str(kind),
            torch.from_numpy(np.asarray(keys, np.int64)),
            int(position),
            int(has_gauss),
            float(gauss),
        ),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def restore_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Undo everything that drew random numbers since `random_state`."""
    random.setstate(state["python"])
    kind, keys, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)


def remove_others(folder: Path, kept: Collection[Path]) -> None:
    """Remove every checkpoint in the folder but these, and what a trainer killed while writing left behind."""
    for kind in ("checkpoint-*", "weights-*"):
        for file in set(folder.glob(kind)) - set(kept):
            file.unlink(missing_ok=True)


def _write(path: Path, content: memoryview) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name itself safe on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
