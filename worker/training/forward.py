"""What one forward pass costs: time, and memory beside the weights."""

from __future__ import annotations

import statistics
import time
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from worker.probe.undisturbed import device_of, undisturbed

WARM_UP = 2
MOST_PASSES = 11
LEAST_PASSES = 3
SECONDS = 5.0
"""After so long no further pass is timed, once there are enough for a median."""


def forward_cost(model: nn.Module, image: Tensor) -> dict[str, float]:
    """Return `forward_seconds`, the median of several passes, and `forward_bytes` of one image (3, H, W), 0 … 1.

    `forward_threads` says on how many threads of the processor.

    In evaluation mode and float32, as a detector is used: its own resizing, proposals and suppression included.
    The bytes are the most that tensors made by the pass ever held at once, neither weights nor the image; what a
    library takes for itself (cuDNN's workspaces) is not seen.
    """
    batch = [image.to(device_of(model))]
    with undisturbed(model):
        for _ in range(WARM_UP):
            model(batch)
        with LiveBytes() as held:
            model(batch)
        return {
            "forward_seconds": _median_seconds(model, batch),
            "forward_bytes": float(held.peak),
            "forward_threads": float(torch.get_num_threads()),
        }


def _median_seconds(model: nn.Module, batch: list[Tensor]) -> float:
    passes: list[float] = []
    while len(passes) < LEAST_PASSES or (len(passes) < MOST_PASSES and sum(passes) < SECONDS):
        waited(batch[0].device)
        began = time.perf_counter()
        model(batch)
        waited(batch[0].device)
        passes.append(time.perf_counter() - began)
    return statistics.median(passes)


def waited(device: torch.device) -> None:
    """Return when the device has done all it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class LiveBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all storages that operations made and that are still held; `peak` is the most there were."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._held: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run an operation and look at what it made."""
        given = {x.untyped_storage().data_ptr() for x in tree_iter((args, kwargs)) if isinstance(x, Tensor)}
        result = func(*args, **(kwargs or {}))
        for made in tree_iter(result):
            if isinstance(made, Tensor) and made.untyped_storage().data_ptr() not in given:
                self._hold(made)
        self.peak = max(self.peak, sum(self._held.values()))
        return result

    def _hold(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        self._held[storage] = storage.nbytes()
