"""State dicts: read from a file, compared with a network, and loaded only when they fit."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from backend.errors import InvalidInput

State = Mapping[str, Tensor]

COUNTER = "num_batches_tracked"
"""Batch norm's counter of batches: never used with a momentum, and absent from older files."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """Which keys of a state dict were used, which the network has beyond it, and which were left over."""

    used: tuple[str, ...]
    missing: tuple[str, ...]
    left_over: tuple[str, ...]

    def __str__(self) -> str:
        named = [key for key in self.left_over if COUNTER not in key]
        if len(named) < len(self.left_over):
            named.append(f"{len(self.left_over) - len(named)} counters of batches")
        missing = f"; {len(self.missing)} counters of batches missing" if self.missing else ""
        over = f"; left over: {', '.join(named)}" if named else ""
        return f"{len(self.used)} tensors taken{missing}{over}"


def read_state(path: Path, name: str) -> dict[str, Tensor]:
    """Return the tensors of a `.safetensors` file, or of a plain state dict in a `.pth` or `.pt` file.

    `name` is what messages call it. Nothing but tensors is unpickled. Raises `InvalidInput` for any other file.
    """
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError, SafetensorError) as error:
        reason = str(error).splitlines()[0][:200]
        raise InvalidInput(
            f"{name} holds no weights that can be read safely ({reason}); save a plain state dict with torch.save"
        ) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        odd = (
            next((k for k, v in state.items() if not isinstance(v, Tensor)), "")
            if isinstance(state, dict)
            else ""
        )
        raise InvalidInput(
            f"{name} is no plain state dict ({f'{odd!r} is no tensor' if odd else type(state).__name__}); "
            "save the model's own state_dict()"
        )
    return state


def match(state: State, network: nn.Module, name: str, ignored: tuple[str, ...] = ()) -> LoadReport:
    """Compare `state` with what the network expects, key by key.

    Keys that start with `ignored` are neither taken nor demanded. The network may lie on the meta device. Raises
    `InvalidInput` naming the first key that does not fit.
    """
    expected = {
        key: tuple(tensor.shape)
        for key, tensor in network.state_dict().items()
        if not (ignored and key.startswith(ignored))
    }
    left_over = tuple(
        key for key in state if key.startswith(ignored) or (COUNTER in key and key not in expected)
    )
    for key in state:
        if key not in left_over and key not in expected:
            raise InvalidInput(f"{name} holds '{key}', which the model does not have; {_mend(key)}")
    missing = tuple(key for key in expected if key not in state)
    for key, shape in expected.items():
        if key in missing and COUNTER not in key:
            raise InvalidInput(f"{name} lacks '{key}' {shape}, which the model has; {_mend(key)}")
        if key in state and tuple(state[key].shape) != shape:
            raise InvalidInput(
                f"{name} holds '{key}' with shape {tuple(state[key].shape)}, but the model's has {shape}; "
                "choose the backbone, widths and dataset that the weights were made with, or other weights"
            )
    return LoadReport(tuple(key for key in state if key in expected), missing, left_over)


def load(state: State, network: nn.Module, name: str, ignored: tuple[str, ...] = ()) -> LoadReport:
    """Copy `state` into the network, cast to the network's precision, after `match` found that all fits."""
    report = match(state, network, name, ignored)
    network.load_state_dict({key: state[key] for key in report.used}, strict=False)
    return report


def _mend(key: str) -> str:
    if "running_" in key:
        return "choose model.norm batch or frozen_batch for weights with running statistics, group for those without"
    return "choose the architecture and backbone that the weights were made with, or other weights"
