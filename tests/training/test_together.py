"""Networks measured in turns, and which a plan's last run measures."""

from __future__ import annotations

import time

import torch
from torch import Tensor, nn

from backend.runs.specification import RunSpecification
from worker.training.together import networks, seconds_in_turns

IMAGE = torch.rand(3, 16, 16)


class Told(nn.Module):
    """A network that notes when it is passed, and takes so long on average."""

    def __init__(self, name: str, told: list[str], seconds: list[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self._name, self._told, self._seconds = name, told, seconds

    def forward(self, _images: list[Tensor]) -> Tensor:
        assert not self.training
        self._told.append(self._name)
        time.sleep(self._seconds[len(self._told) // 2 % len(self._seconds)])
        return self.weight


def test_networks_take_turns_so_that_a_load_falls_on_both() -> None:
    told: list[str] = []
    # A load that comes and goes makes a pass four times as long.
    load = [0.002] * 4 + [0.008] * 4
    models = {name: Told(name, told, load) for name in ("source", "selected")}
    found = seconds_in_turns(models, IMAGE)
    assert told[:6] == ["source", "selected"] * 3
    assert told.count("source") == told.count("selected") >= 5
    assert 0.6 < found["selected"] / found["source"] < 1.7


def test_networks_are_built_from_their_widths_alone() -> None:
    narrow = {"model": {"architecture": "classifier", "backbone": "resnet18", "widths": {"layer4": 64}}}
    wide = {"model": {"architecture": "classifier", "backbone": "resnet18"}}
    asked = {
        name: RunSpecification.model_validate({"name": name, "dataset_id": 1} | own)
        for name, own in (("source", wide), ("selected", narrow))
    }
    built = networks(asked, 4, torch.device("cpu"))
    source, selected = (sum(p.numel() for p in built[name].parameters()) for name in asked)
    assert selected < 0.7 * source
    found = seconds_in_turns(built, torch.rand(3, 32, 32))
    assert set(found) == set(asked)
    assert min(found.values()) > 0
