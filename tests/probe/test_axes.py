"""The axis of channels is followed by what is done to a tensor, not by its shape."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from worker.probe.axes import ChannelAxes

FOLLOWED = {
    "permuted": (lambda x: x.permute(0, 2, 3, 1), 3),
    "moved": (lambda x: x.movedim(1, -1), 3),
    "transposed": (lambda x: x.transpose(-3, 3), 3),
    "transposed elsewhere": (lambda x: x.transpose(2, 3), 1),
    "permuted and back": (lambda x: functional.gelu(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2), 1),
    "einsum": (lambda x: torch.einsum("bchw->hwbc", x), 3),
    "tokens": (lambda x: x.flatten(2).transpose(1, 2), 2),
    "tokens of a copy": (lambda x: x.permute(0, 2, 3, 1).reshape(2, -1, 4) + 1, 2),
    "windows": (lambda x: x.view(2, 4, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, 4), 2),
    "one token": (lambda x: x.flatten(2).transpose(1, 2)[:, 0], 1),
    "pooled": (lambda x: functional.adaptive_avg_pool2d(x, 1), 1),
    "pooled and flattened": (lambda x: functional.adaptive_avg_pool2d(x, 1).flatten(1), 1),
    "mean": (lambda x: x.permute(0, 2, 3, 1).mean((1, 2)), 1),
    "largest": (lambda x: x.permute(2, 0, 3, 1).max(0).values, 2),
    "concatenated": (lambda x: torch.cat([x, x], 1), 1),
    "parted": (lambda x: x.permute(0, 2, 3, 1).chunk(2, -1)[1], 3),
    "weighed": (lambda x: x.mean((2, 3))[:, :, None, None] * x, 1),
    "convolved": (lambda x: functional.conv2d(x, x.new_ones(5, 4, 3, 3)), 1),
    "fully connected": (lambda x: functional.linear(x.permute(0, 2, 3, 1), x.new_ones(5, 4)), 3),
    "resized": (lambda x: functional.interpolate(x, scale_factor=2.0), 1),
    "in place": (lambda x: x.permute(0, 2, 3, 1).contiguous().relu_(), 3),
    "split into heads": (lambda x: x.view(2, 2, 2, 4, 4), None),
    "merged": (lambda x: x.flatten(1), None),
    "summed": (lambda x: x.sum(1), None),
    "summed to one": (lambda x: x.sum(), None),
}


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize(("make", "axis"), FOLLOWED.values(), ids=FOLLOWED.keys())
def test_it_is_followed(make: Callable[[Tensor], Tensor], axis: int | None, device: str) -> None:
    x = torch.ones(2, 4, 4, 4, device=device)
    with torch.no_grad(), ChannelAxes() as axes:
        axes.tell(x, 1)
        made = make(x)
    assert axes.axis(made) == axis


def test_what_it_is_told_is_counted_from_the_front() -> None:
    x = torch.ones(2, 3, 4)
    with ChannelAxes() as axes:
        axes.tell(x, -1)
        made = x + 1
    assert (axes.axis(x), axes.axis(made), axes.axis(torch.ones(2))) == (2, 2, None)
