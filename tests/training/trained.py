"""What tests ask of a loop: its weights, and to stop at a certain point."""

from __future__ import annotations

import torch

from worker.training.loop import Loop
from worker.training.stopping import StopFlag


class StopAfter(StopFlag):
    """A wish to stop that comes when asked for the n-th time."""

    def __init__(self, asked: int) -> None:
        super().__init__()
        self.left = asked

    @property
    def requested(self) -> bool:
        self.left -= 1
        return self.left < 0


def weights(loop: Loop) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in loop._model.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class StopDuring(StopFlag):
    """A wish to stop that comes when asked for the third time in a phase at an iteration, once for each of these."""

    def __init__(self, *moments: tuple[int, str]) -> None:
        super().__init__()
        self.left = list(moments)
        self.now = (0, "")
        self.asked = 0

    def told(self, iteration: int, phase: str) -> None:
        """Take what the loop does now."""
        if (iteration, phase) != self.now:
            self.now, self.asked = (iteration, phase), 0

    @property
    def requested(self) -> bool:
        if not self.left or self.now != self.left[0]:
            return False
        self.asked += 1
        if self.asked >= (1 if self.now[1] == "training" else 3):
            self.left.pop(0)
            return True
        return False
