"""The processes that train one run together, each a rank: torchrun's, one to a GPU.

All of them update the weights, by the mean of their gradients; the first alone probes, evaluates, records and saves
while the others wait. What they have to agree on goes through a gloo group of its own, in which waiting has no end:
a long evaluation is no failure, and torchrun ends all ranks when one is gone. The gradients' group keeps torch's time
limit, since there nobody has a reason to be late.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from backend.errors import InvalidInput
from worker.training.stopping import StopRequested

PATIENCE = timedelta(days=365)
PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: the signal that a process gets when its parent ends."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which rank this process is of how many, as torchrun says in the environment; alone without it."""

    rank: int = 0
    size: int = 1

    @classmethod
    def from_environment(cls) -> Place:
        """Return this process's place."""
        return cls(int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1")))


ALONE = Place()


def check_share(batch_size: int, place: Place) -> None:
    """Raise `InvalidInput` where a batch cannot be shared evenly."""
    if batch_size % place.size:
        raise InvalidInput(
            f"training.batch_size ({batch_size}) cannot be shared evenly by {place.size} processes; make it a multiple"
        )


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among those that train the run."""

    place: Place = ALONE
    waiting: distributed.ProcessGroup | None = None
    """Without a time limit; None for a process alone."""

    @property
    def first(self) -> bool:
        """Whether this is the rank that speaks for all."""
        return self.place.rank == 0

    @property
    def share(self) -> slice:
        """Which examples of a batch are this rank's."""
        return slice(self.place.rank, None, self.place.size)

    def any(self, flag: bool) -> bool:
        """Whether it holds for any rank; waits for all."""
        if self.waiting is None:
            return flag
        flags = torch.tensor([int(flag)])
        distributed.all_reduce(flags, distributed.ReduceOp.MAX, group=self.waiting)
        return bool(flags.item())

    def wait(self) -> None:
        """Return when all ranks are here."""
        self.any(False)

    def means(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the mean of each value over all ranks, which have the same names."""
        if self.waiting is None:
            return dict(values)
        sums = torch.tensor(list(values.values()), dtype=torch.float64)
        distributed.all_reduce(sums, group=self.waiting)
        return dict(zip(values, (sums / self.place.size).tolist(), strict=True))

    def gathered(self, own: Any) -> list[Any]:
        """Return every rank's value, in their order, to the first rank; to others nothing."""
        if self.waiting is None:
            return [own]
        found: list[Any] | None = [None] * self.place.size if self.first else None
        distributed.gather_object(own, found, group=self.waiting)
        return found or []

    def sharing_gradients(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Return what to call for losses, so that all ranks get the mean of their gradients.

        Batch norms' running statistics are the first rank's in every forward pass; frozen weights take no part.
        """
        if self.waiting is None:
            return model
        return DistributedDataParallel(model, [device.index] if device.type == "cuda" else None)


@contextmanager
def joined(place: Place, device: torch.device) -> Iterator[Ranks]:
    """Meet the other ranks, and at the end or on request to stop leave no earlier than they.

    A rank that fails leaves at once: torchrun then ends the others.
    """
    if place.size == 1:
        yield Ranks()
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    # Every rank is in it: what torch returns to a rank outside cannot come.
    ranks = Ranks(
        place, cast(distributed.ProcessGroup, distributed.new_group(backend="gloo", timeout=PATIENCE))
    )
    try:
        yield ranks
    except StopRequested:
        _leave(ranks)
        raise
    _leave(ranks)


def _leave(ranks: Ranks) -> None:
    ranks.wait()
    distributed.destroy_process_group()


def end_with_the_launcher() -> None:
    """Let this process be killed with the one that started it.

    torchrun gives each rank a session of its own, which a signal to the trainer's process group does not reach.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
