"""Hand-written models: every map that is seen of them, against the dense one by another way through the model."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models.convnext import LayerNorm2d

from worker.probe.maps import KINDS
from worker.probe.probe import EigenspectrumProbe

SIZES = ((12, 16), (12, 16), (9, 10))


@pytest.fixture(scope="module")
def pictures() -> list[Tensor]:
    """Three images of two sizes."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(3, *size, generator=generator) for size in SIZES]


def seeded(make: Callable[[], nn.Module]) -> nn.Module:
    """Return a model whose norms have statistics, weights and biases that are not those of a fresh one."""
    torch.manual_seed(2)
    model = make()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
            if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(0, 0.3)
    return model.eval()


class Unit(nn.Module):
    """Ends with an activation that is a function, after a sum."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        self.bn = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu_(self.bn(self.conv(x)) + x)


class Plain(nn.Module):
    """Has functions in place of modules, one in-place ReLU that is called twice, and a strided 1x1 convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.squeeze = nn.Conv2d(6, 4, 1, stride=2)
        self.norm2 = nn.BatchNorm2d(4)
        self.units = nn.Sequential(Unit(4, 3), Unit(4, 1))
        self.widen = nn.Conv2d(4, 10, 1, bias=False)
        self.norm3 = nn.BatchNorm2d(10)
        self.fc = nn.Linear(10, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.norm(self.stem(x)))
        x = self.relu(self.norm2(self.squeeze(x)))
        x = functional.relu(self.norm3(self.widen(self.units(x))))
        return self.fc(x.mean((2, 3)))

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """Return every map that is to be seen, by another way through the model."""
        found = {"stem": self.stem(x)}
        found["norm"] = self.norm(found["stem"])
        found["relu"] = found["norm"].clamp_min(0)
        found["squeeze"] = self.squeeze(found["relu"])
        found["norm2"] = self.norm2(found["squeeze"])
        found["relu:2"] = x = found["norm2"].clamp_min(0)
        for k in (0, 1):
            found[f"units.{k}.conv"] = self.units[k].conv(x)
            found[f"units.{k}.bn"] = self.units[k].bn(found[f"units.{k}.conv"])
            found[f"units.{k}"] = x = (found[f"units.{k}.bn"] + x).clamp_min(0)
        found["widen"] = self.widen(x)
        found["norm3"] = self.norm3(found["widen"])
        found["fc"] = self.fc(found["norm3"].clamp_min(0).mean((2, 3)))
        return found


class Mixer(nn.Module):
    """One block of an MLP mixer on channels in front, whose fully connected layers act on the last axis of 3 and of 4.

    There are as many channels as rows and columns, so that no shape tells them apart.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 8, 2, stride=2)
        self.norm = LayerNorm2d(8)
        self.blocks = nn.ModuleList([MixerBlock(8) for _ in range(2)])
        self.tokens = nn.Sequential(nn.Linear(64, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.patches(x))
        for block in self.blocks:
            x = block(x)
        return self.tokens(x.flatten(2))

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """Return every map that is to be seen, channels on axis 1."""

        def front(y: Tensor) -> Tensor:
            return y.permute(0, 3, 1, 2)

        def normed(norm: nn.LayerNorm, y: Tensor) -> Tensor:
            return functional.layer_norm(y.permute(0, 2, 3, 1), (8,), norm.weight, norm.bias, norm.eps)

        found = {"patches": self.patches(x)}
        found["norm"] = x = front(normed(self.norm, found["patches"]))
        for k, block in enumerate(self.blocks):
            inner = normed(block.norm, x)
            wide = inner @ block.wide.weight.T + block.wide.bias
            act = functional.gelu(wide)
            narrow = act @ block.narrow.weight.T + block.narrow.bias
            x = x + front(narrow)
            mine = {"norm": inner, "wide": wide, "gelu": act, "narrow": narrow}
            found |= {f"blocks.{k}.{name}": front(y) for name, y in mine.items()} | {f"blocks.{k}": x}
        # Of these the 64 tokens are the features, and the 8 channels the positions.
        tokens = x.flatten(2) @ self.tokens[0].weight.T + self.tokens[0].bias
        return found | {"tokens.0": tokens.transpose(1, 2), "tokens.1": tokens.tanh().transpose(1, 2)}


class MixerBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.wide = nn.Linear(width, 3 * width)
        self.gelu = nn.GELU()
        self.narrow = nn.Linear(3 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.narrow(self.gelu(self.wide(self.norm(x.permute(0, 2, 3, 1)))))
        return x + y.permute(0, 3, 1, 2)


class Windows(nn.Module):
    """Gives its fully connected layers windows of all images in turn, and then the tokens in front of the images."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = nn.Linear(3, 5)
        self.act = nn.SiLU()
        self.first = nn.Linear(5, 4)
        self.table = nn.Linear(2, 4)

    def forward(self, x: Tensor) -> Tensor:
        images, tokens = len(x), x.flatten(2).transpose(1, 2)
        windows = self.act(self.inside(tokens.reshape(-1, 8, 3)))
        bias = self.table(torch.ones(6, 2, device=x.device, dtype=x.dtype))
        return self.first(windows.reshape(images, -1, 5).transpose(0, 1)) + bias.sum()

    def maps(self, x: Tensor) -> dict[str, Tensor]:
        """Return every map that is made image by image, channels on axis 1."""
        inside = self.inside(x.flatten(2).transpose(1, 2))
        act = functional.silu(inside)
        found = {"inside": inside, "act": act, "first": self.first(act)}
        return {name: y.transpose(1, 2) for name, y in found.items()}


SQUARE = tuple(torch.randn(3, 16, 16, generator=torch.Generator().manual_seed(k)) for k in range(3))
EVEN = tuple(torch.randn(3, 8, side, generator=torch.Generator().manual_seed(side)) for side in (6, 4, 6))


@pytest.mark.parametrize("shortcuts", [True, False])
@pytest.mark.parametrize(("make", "images"), [(Plain, None), (Mixer, SQUARE), (Windows, EVEN)])
def test_every_map_is_exact(pictures, dense_eigenvalues, make, images, shortcuts) -> None:
    model, images = seeded(make), images or pictures
    with torch.no_grad():
        double = seeded(make).double()
        maps = [double.maps(image[None].double()) for image in images]
    expected = {
        name: dense_eigenvalues([one[name][0].reshape(one[name].shape[1], -1) for one in maps])
        for name in maps[0]
    }
    measured = EigenspectrumProbe(model, images, maps=KINDS, batch_size=2, shortcuts=shortcuts).measure()
    assert [s.layer.name for s in measured] == list(expected)
    for s in measured:
        assert np.abs(s.eigenvalues - expected[s.layer.name]).max() <= 1e-6 * s.lambda_1, s.layer.name
    positions = {name: sum(one[name][0, 0].numel() for one in maps) for name in maps[0]}
    assert {s.layer.name: (s.images, s.positions) for s in measured} == {
        name: (len(images), count) for name, count in positions.items()
    }


def test_kinds_names_and_stages_of_a_plain_network(pictures) -> None:
    probe = EigenspectrumProbe(seeded(Plain), pictures, maps=KINDS)
    assert [(layer.name, layer.map, layer.width) for layer in probe.layers] == [
        ("stem", "conv", 6),
        ("norm", "norm", 6),
        ("relu", "act", 6),
        ("squeeze", "conv", 4),
        ("norm2", "norm", 4),
        ("relu:2", "act", 4),
        ("units.0.conv", "conv", 4),
        ("units.0.bn", "norm", 4),
        ("units.0", "block", 4),
        ("units.1.conv", "conv", 4),
        ("units.1.bn", "norm", 4),
        ("units.1", "block", 4),
        ("widen", "conv", 10),
        ("norm3", "norm", 10),
        ("fc", "linear", 5),
    ]
    by_default = EigenspectrumProbe(seeded(Plain), pictures).layers
    assert [(layer.name, layer.stage) for layer in by_default] == [
        ("relu", "relu"), ("relu:2", "relu"), ("units.0", "units"), ("units.1", "units"),
    ]  # fmt: skip


def test_what_is_not_made_image_by_image_is_said(caplog) -> None:
    with caplog.at_level(logging.INFO, "worker.probe"):
        EigenspectrumProbe(Windows(), EVEN, maps=("linear",))
    assert "not made image by image: table" in caplog.text
