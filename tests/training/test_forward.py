"""Time and memory of a forward pass."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from worker.training.forward import LiveBytes, forward_cost

IMAGE = torch.rand(3, 32, 48)
MAP = 8 * 32 * 48 * 4


class Halves(nn.Module):
    """A convolution to 8 channels, then so many ReLUs, each of which lets its input go."""

    def __init__(self, relus: int, keep: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self._relus, self._keep = relus, keep

    def forward(self, images: list[Tensor]) -> Tensor:
        kept = [self.norm(self.conv(images[0][None]))]
        for _ in range(self._relus):
            made = torch.relu(kept[-1])
            kept = [*kept, made] if self._keep else [made]
        return kept[-1].view(-1)


def test_what_is_let_go_does_not_count_and_what_is_kept_does() -> None:
    def peak(model: nn.Module) -> float:
        return forward_cost(model, IMAGE)["forward_bytes"]

    assert peak(Halves(1)) == peak(Halves(5))
    assert peak(Halves(5, keep=True)) - peak(Halves(1, keep=True)) == 4 * MAP
    assert 2 * MAP <= peak(Halves(1)) < 3 * MAP


def test_an_operation_in_place_and_a_view_make_nothing() -> None:
    x = torch.rand(1000)
    with LiveBytes() as held:
        y = x + 1
        y.relu_()
        y.view(10, 100)[2:5].add_(1)
    assert held.peak == 4000


def test_the_model_is_left_as_it_was() -> None:
    model = Halves(2).train()
    before = copy.deepcopy(model.state_dict())
    drawn = torch.get_rng_state()
    assert forward_cost(model, IMAGE)["forward_seconds"] > 0
    assert model.training
    assert torch.equal(drawn, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
