"""Which maps are added up and which derived: what is exact, what is cheapest, what a plan says of itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision.models import resnet50
from torchvision.ops import Conv2dNormActivation

from worker.probe import costs
from worker.probe.affine import pointwise
from worker.probe.maps import MapName, ProbedLayer, Tap, whole
from worker.probe.plan import Plan, make_plan
from worker.probe.probe import EigenspectrumProbe
from worker.probe.trace import ModelChanged, Node

BODY = ("conv", "norm", "act", "block")


@pytest.fixture(scope="module")
def plan() -> Plan:
    images = [torch.empty(3, 800, 1344, device="meta")] * 64
    return EigenspectrumProbe(resnet50(), images, maps=BODY).plan


def test_a_bottleneck(plan: Plan) -> None:
    lines = {line.name: line for line in plan.lines()}
    assert {name: lines[f"layer2.1{name}"].derived_from for name in ("", ".act1", ".act2", ".conv2")} == {
        "": "", ".act1": "", ".act2": "", ".conv2": "",
    }  # fmt: skip
    assert lines["layer2.1.conv1"].derived_from == lines["layer2.1.norm1"].derived_from == "layer2.0"
    assert lines["layer2.1.norm2"].derived_from == "layer2.1.conv2"
    assert lines["layer2.1.conv3"].derived_from == lines["layer2.1.norm3"].derived_from == "layer2.1.act2"
    assert (lines["layer2.1.conv3"].matrix, lines["layer2.1"].matrix) == (129, 512)


def test_inputs_that_are_no_maps_are_added_up_once(plan: Plan) -> None:
    lines = {line.name: line for line in plan.lines()}
    assert [name for name, line in lines.items() if not line.measured] == [
        "input of layer1.0.conv1",
        "input of layer2.0.downsample.conv",
        "input of layer3.0.downsample.conv",
        "input of layer4.0.downsample.conv",
    ]
    for name in ("conv1", "downsample.conv", "downsample.norm"):
        assert lines[f"layer1.0.{name}"].derived_from == "input of layer1.0.conv1"
    # A strided input is half as wide as what comes of it, and has as many positions.
    assert lines["layer3.0.downsample.norm"].matrix == 513
    assert lines["input of layer3.0.downsample.conv"].operations == costs.products(512, 50 * 84)


def test_the_shortcuts_save_two_thirds_of_the_operations(plan: Plan) -> None:
    assert plan.operations == sum(line.operations for line in plan.lines())
    assert plan.straightforward / plan.operations > 3
    lines = [line for line in plan.lines() if line.measured]
    assert len(lines) == 155
    assert plan.straightforward == sum(line.straightforward for line in lines)


def test_what_is_held_does_not_grow_with_the_images(plan: Plan) -> None:
    def held(count: int) -> int:
        images = [torch.empty(3, 800, 1344, device="meta")] * count
        return EigenspectrumProbe(resnet50(), images, maps=BODY).plan.bytes

    assert held(1000) <= held(64)
    straight = EigenspectrumProbe(resnet50(), [torch.rand(3, 64, 64)], maps=BODY, shortcuts=False).plan
    assert straight.bytes == sum(8 * layer.width**2 for layer in (chain.layer for chain in straight.chains))


def test_without_shortcuts_every_layer_is_added_up() -> None:
    straight = EigenspectrumProbe(resnet50(), [torch.rand(3, 64, 64)], maps=BODY, shortcuts=False).plan
    assert not straight.derived
    assert straight.operations == straight.straightforward
    assert not any(straight.keeps_positions(source) for source in straight.sources)


def test_no_more_than_asked_for_is_added_up() -> None:
    """layer4.1.conv1 is 512 wide: that is cheaper than the 2048 of the block that it could be derived from."""
    image = torch.empty(3, 800, 1344, device="meta")
    probe = EigenspectrumProbe(resnet50(), [image] * 8, maps=("norm",), layers=r"layer4\.1\.norm[13]")
    assert [source.name.name for source in probe.plan.sources] == ["layer4.1.norm1", "layer4.1.act2"]


class Subclass(nn.Conv2d):
    pass


def hooked() -> nn.Module:
    module = nn.BatchNorm2d(4)
    module.register_forward_hook(lambda _module, _arguments, output: output.square())
    return module


@pytest.mark.parametrize(
    ("make", "count"),
    [
        (lambda: nn.Conv2d(4, 8, 1), 1),
        (lambda: nn.Conv2d(4, 8, 1, stride=2), 1),
        (lambda: nn.Conv2d(4, 8, 1, padding="valid"), 1),
        (lambda: Conv2dNormActivation(4, 8, 1, activation_layer=None), 2),
        (lambda: nn.BatchNorm2d(4, affine=False), 1),
        (lambda: nn.Linear(4, 8), 1),
        (lambda: nn.Conv2d(4, 8, 3), None),
        (lambda: nn.Conv2d(4, 8, 1, padding=1), None),
        (lambda: nn.Conv2d(4, 8, 1, groups=2), None),
        (lambda: nn.Conv2d(4, 8, 1, stride=(1, 2)), None),
        (lambda: nn.BatchNorm2d(4, track_running_stats=False), None),
        (lambda: nn.GroupNorm(2, 4), None),
        (lambda: nn.Sequential(nn.Conv2d(4, 8, 1), nn.ReLU()), None),
        (lambda: nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)), None),
        (lambda: Subclass(4, 8, 1), None),
        (hooked, None),
    ],
)
def test_what_is_affine_on_each_position(make: Callable[[], nn.Module], count: int | None) -> None:
    found = pointwise(make())
    assert (len(found.modules) if found else None) == count


class Changing(nn.Module):
    """Takes its 1x1 convolution's input from elsewhere once told so."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu = nn.ReLU()
        self.layer1 = nn.Sequential()
        self.doubled = self.in_place = False

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        if self.in_place:
            x += 1
        return self.relu(self.bn1(2 * x if self.doubled else x))


@pytest.mark.parametrize("change", ["doubled", "in_place"])
def test_a_model_that_flows_otherwise_than_planned_is_noticed(change: str) -> None:
    model = Changing()
    probe = EigenspectrumProbe(model, list(torch.rand(2, 3, 9, 9)), maps=("conv", "norm"))
    assert probe.plan.derived
    probe.measure()
    setattr(model, change, True)
    with pytest.raises(
        ModelChanged, match="'bn1' from 'conv1' as when the probe was built; build the probe anew"
    ):
        probe.measure()
    EigenspectrumProbe(model, list(torch.rand(2, 3, 9, 9)), maps=("conv", "norm")).measure()


TREES = st.lists(
    st.tuples(st.integers(-1, 4), st.integers(1, 40), st.booleans(), st.booleans()), min_size=1, max_size=6
)
MIXING, SCALING = pointwise(nn.Conv2d(1, 1, 1)), pointwise(nn.BatchNorm2d(1))


def cost(
    nodes: Mapping[MapName, Node], wanted: set[MapName], positions: Mapping[MapName, int], added: set[MapName]
) -> float | None:
    """Return what a choice costs, None if it leaves a wanted map without a source."""
    total = 0.0
    for name, node in nodes.items():
        if name in added:
            total += costs.adding(node.width, positions[name])
        if name in wanted:
            above, mixes = node, False
            while above.name not in added:
                if above.source is None:
                    return None
                above, mixes = above.source, mixes or above.mixes
            total += (
                costs.eigenvalues(node.width, positions[name])
                if above is node
                else costs.deriving(node.width, above.width, positions[name], mixes)
            )
    return total


@settings(deadline=None)
@given(TREES, st.integers(1, 3000))
def test_the_plan_is_the_cheapest_of_all(tree: list[tuple[int, int, bool, bool]], count: int) -> None:
    nodes: dict[MapName, Node] = {}
    for number, (above, width, _, mixes) in enumerate(tree):
        name = MapName(str(number), "conv", "")
        source = list(nodes.values())[above] if 0 <= above < number else None
        nodes[name] = Node(
            name, Tap(nn.Identity(), (name,), whole), (width, count), source, MIXING if mixes else SCALING
        )
    wanted = [name for name, (_, _, is_wanted, _) in zip(nodes, tree, strict=True) if is_wanted]
    positions = dict.fromkeys(nodes, count)
    layers = [(n, ProbedLayer(n.name, "conv", "", nodes[n].width, i)) for i, n in enumerate(wanted)]
    chosen = {source.name for source in make_plan(nodes, layers, positions, 1, shortcuts=True).sources}
    choices = (set(c) for size in range(len(nodes) + 1) for c in combinations(nodes, size))
    possible = [total for c in choices if (total := cost(nodes, set(wanted), positions, c)) is not None]
    assert cost(nodes, set(wanted), positions, chosen) == pytest.approx(min(possible))
