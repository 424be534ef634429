"""Plans against the networks that torch builds from them, whatever the spectra."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from backend.architectures.widths import standard_widths
from backend.errors import InvalidInput
from backend.runs.specification import ModelSpecification
from backend.widths.groups import Group, Measured, measured_groups
from backend.widths.schemas import GroupItem, Plan, Source, Totals
from backend.widths.selection import Rule, Selection, select
from backend.widths.snippet import snippet
from worker.training.detectors import build_model

CLASSES, SIDE = 4, 64


def maps_of(backbone: str) -> list[str]:
    """Names of the maps that a probe of act and block logs."""
    names = ["act1"]
    for group in standard_widths("classifier", backbone):
        if "." in group:
            names.append(group.replace(".conv", ".act"))
            names.append(group.rpartition(".")[0])
    return list(dict.fromkeys(names))


def chosen(backbone: str, dimensions: dict[str, float], rule: Rule) -> tuple[ModelSpecification, Selection]:
    measured = {name: Measured(value, 9.0) for name, value in dimensions.items()}
    groups: list[Group] = measured_groups("classifier", backbone, (), measured, "max")
    model = ModelSpecification(architecture="classifier", backbone=backbone)
    return model, select(model, CLASSES, SIDE, groups, rule)


def counted(model: ModelSpecification) -> tuple[int, int]:
    """Parameters and MACs by torch's own counts."""
    with torch.device("meta"):
        built = build_model(model, CLASSES, SIDE).eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            built(torch.empty(1, 3, SIDE, SIDE))
    return sum(parameter.numel() for parameter in built.parameters()), counter.get_total_flops() // 2


@settings(deadline=None, max_examples=12)
@given(data=st.data(), backbone=st.sampled_from(["resnet18", "resnet50"]))
def test_any_spectra_and_budget_give_a_network_within_it_or_a_refusal(
    data: st.DataObject, backbone: str
) -> None:
    names = maps_of(backbone)
    values = data.draw(
        st.lists(st.integers(0, 2048) | st.floats(1e-3, 2048), min_size=len(names), max_size=len(names))
    )
    rule = Rule(
        budget=data.draw(st.floats(0.001, 3)),
        parameters_budget=data.draw(st.none() | st.floats(0.001, 3)),
        divisor=data.draw(st.sampled_from([1, 4, 8, 32])),
        minimum=data.draw(st.integers(1, 64)),
        cap=data.draw(st.booleans()),
    )
    try:
        model, found = chosen(backbone, dict(zip(names, values, strict=True)), rule)
    except InvalidInput as refusal:
        refused = str(refusal)
    else:
        refused = ""
    if refused:
        assert "has 0 dimensions" in refused or "no widths have" in refused
        return
    before = counted(model)
    parameters, macs = counted(model.model_copy(update={"widths": found.widths}))
    assert parameters == sum(stage.parameters[1] for stage in found.stages)
    assert macs == sum(stage.macs[1] for stage in found.stages)
    assert macs <= rule.budget * before[1]
    assert rule.parameters_budget is None or parameters <= rule.parameters_budget * before[0]
    assert not rule.cap or all(one.width <= one.original for one in found.groups)


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_the_snippet_builds_the_same_network_from_torchvision_alone(backbone: str) -> None:
    dimensions = {name: 20.0 + 7 * (number % 5) for number, name in enumerate(maps_of(backbone))}
    model, found = chosen(backbone, dimensions, Rule(0.5, None, 8, 8, False))
    source = snippet(7, as_plan(backbone, found))
    namespace: dict[str, object] = {}
    exec(compile(source, "snippet", "exec"), namespace)  # noqa: S102 - our own text, as a person would run it
    with torch.device("meta"):
        theirs = namespace["body"](num_classes=CLASSES)
        ours = build_model(model.model_copy(update={"widths": found.widths}), CLASSES, SIDE)
    assert {k: v.shape for k, v in theirs.state_dict().items()} == {
        k: v.shape for k, v in ours.state_dict().items()
    }


def as_plan(backbone: str, found: Selection) -> Plan:
    source = Source(
        run_id=1,
        name="source",
        seed=0,
        also=[],
        iteration=10,
        criterion="absolute",
        threshold=1e-3,
        architecture="classifier",
        backbone=backbone,
        image_size=SIDE,
        classes=CLASSES,
        version="1",
    )
    totals = Totals(**dict.fromkeys(Totals.model_fields, 1))
    groups = [
        GroupItem(
            group=one.group.name,
            layers=list(one.group.layers),
            dimensionality=one.group.dimensionality,
            positions_per_channel=one.group.positions_per_channel,
            original=one.original,
            width=one.width,
        )
        for one in found.groups
    ]
    return Plan(
        source=source, scale=1.0, groups=groups, stages=[], totals=totals, widths=found.widths, warnings=[]
    )


def test_a_resnet50_has_37_groups() -> None:
    measured = {name: Measured(10.0, 9.0) for name in maps_of("resnet50")}
    groups = measured_groups("classifier", "resnet50", (), measured, "max")
    assert len(groups) == 37
    # Never from the last convolution of a bottleneck, whose map has at most a quarter of the rank by construction.
    assert not [layer for group in groups for layer in group.layers if "conv3" in layer or "act3" in layer]
