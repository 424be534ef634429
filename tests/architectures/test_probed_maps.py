"""The maps that are told without torch are those that the probe finds."""

from __future__ import annotations

import pytest

from backend.architectures.maps import MAP_KINDS
from backend.architectures.probed import probed_maps
from backend.runs.specification import RunSpecification
from eigenscope.planning import plan_probe


@pytest.mark.parametrize("architecture", list(MAP_KINDS))
@pytest.mark.parametrize("backbone", ["resnet18", "resnet50"])
def test_names_kinds_and_widths_are_the_probes(architecture: str, backbone: str) -> None:
    widths = {"layer2": 24, "layer1.0.conv1": 12}
    widths |= {"retinanet": {"fpn": 32, "retina_head": 40}, "classifier": {}}.get(architecture, {"fpn": 32})
    specification = RunSpecification.model_validate(
        {
            "dataset_id": 1,
            "model": {"architecture": architecture, "backbone": backbone, "widths": widths},
            "training": {"image_size": 64},
            "probe": {"maps": MAP_KINDS[architecture]},
        }
    )
    told = {(one.name, one.kind, one.width) for one in probed_maps(architecture, backbone, widths)}
    layers = [chain.layer for chain in plan_probe(specification, [(64, 64)]).chains]
    assert told == {(one.name, one.map, one.width) for one in layers}
