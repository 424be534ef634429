"""What of a network trains, part by part, as the run's page shows it."""

from __future__ import annotations

import pytest

from tests.weights.networks import HEADS, built, classifier, detector
from worker.training.freezing import freeze

STAGES = ["stem", "layer1", "layer2", "layer3", "layer4"]
OWN = {
    "faster_rcnn": ["fpn", "rpn", "box_head"],
    "mask_rcnn": ["fpn", "rpn", "box_head", "mask_head"],
    "retinanet": ["fpn", "retina_head"],
}


@pytest.mark.parametrize("architecture", HEADS)
@pytest.mark.parametrize("trainable", [0, 3, 5])
def test_parts_are_those_of_the_network_and_frozen_as_asked(architecture: str, trainable: int) -> None:
    network = built(detector(architecture=architecture))
    parts = freeze(network, trainable).parts
    assert [part.name for part in parts] == STAGES + OWN[architecture]
    assert [part.name for part in parts if not part.trains] == STAGES[: 5 - trainable]
    assert sum(part.parameters for part in parts) == sum(p.numel() for p in network.parameters())
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    assert sum(part.parameters for part in parts if part.trains) == trained


def test_a_classifiers_last_layer_is_a_part() -> None:
    assert [part.name for part in freeze(built(classifier()), 5).parts] == [*STAGES, "fc"]
