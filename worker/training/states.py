"""Weights from a file into a network, tensor by tensor, as a plan says."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from backend.weights.archives import Broken, unreadable
from backend.weights.contents import TensorEntry
from backend.weights.plan import LoadPlan, Transfer
from backend.weights.reading import SAFETENSORS

T = TypeVar("T")
Fetch = Callable[[str], Tensor]
"""Gives a tensor of the file by the file's key."""


@contextmanager
def opened(path: Path, entries: Mapping[str, TensorEntry], name: str) -> Iterator[Fetch]:
    """Open a file whose description is `entries`, and yield what gives its tensors.

    Only bytes are read: nothing is unpickled. Raises `InvalidInput` (with `name`) where they are damaged.
    """
    with _open(path, entries, name) as fetch:
        yield lambda key: _told(lambda: fetch(key), name)


def entries_of(state: Mapping[str, Tensor]) -> dict[str, TensorEntry]:
    """Describe tensors that are in memory already."""
    return {
        key: TensorEntry(tuple(t.shape), str(t.dtype).removeprefix("torch."), key, 0, tuple(t.stride()))
        for key, t in state.items()
    }


def shapes_of(network: nn.Module) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor of a network."""
    return {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}


def carry_out(plan: LoadPlan, network: nn.Module, fetch: Fetch) -> None:
    """Copy what the plan names into the network, cast to the network's precision."""
    state = network.state_dict()
    for transfer in plan.transfers:
        own = state[transfer.key]
        own.copy_(_changed(fetch(transfer.source), own, transfer))


def _changed(given: Tensor, own: Tensor, transfer: Transfer) -> Tensor:
    if transfer.rows:
        return torch.stack(
            [own[k] if row is None else given[row].to(own) for k, row in enumerate(transfer.rows)]
        )
    if transfer.inputs:
        return torch.stack([given[:, channel].to(own) * factor for channel, factor in transfer.inputs], dim=1)
    return given


def _from_archive(archive: zipfile.ZipFile, entry: TensorEntry) -> Tensor:
    if 0 in entry.shape:
        return torch.empty(entry.shape)
    numbers = torch.frombuffer(bytearray(archive.read(entry.storage)), dtype=getattr(torch, entry.dtype))
    return numbers.as_strided(entry.shape, entry.strides, entry.offset)


@contextmanager
def _open(path: Path, entries: Mapping[str, TensorEntry], name: str) -> Iterator[Fetch]:
    if path.suffix == SAFETENSORS:
        with _told(lambda: safe_open(path, framework="pt"), name) as file:
            yield file.get_tensor
    else:
        with _told(lambda: zipfile.ZipFile(path), name) as archive:
            yield lambda key: _from_archive(archive, entries[key])


def _told(act: Callable[[], T], name: str) -> T:
    """Do something with the file; where it turns out to be damaged, say so in the words of the launch."""
    try:
        return act()
    except (*Broken, SafetensorError) as error:
        raise unreadable(name, str(error) or type(error).__name__) from None
