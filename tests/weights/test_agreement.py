"""Whatever a file holds, the server foretells exactly what the trainer does, or both refuse in the same words."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import InvalidInput
from tests.weights.detectron2_names import detectron2_state
from tests.weights.networks import classifier, detector, state
from tests.weights.taker import Taker

THIN = {"stem": 4, "layer1": 4, "layer2": 4, "layer3": 4, "layer4": 4} | {
    f"layer{stage}.{block}.conv1": 4 for stage in (1, 2, 3, 4) for block in (0, 1)
}
BODIES = [classifier(widths=THIN), classifier(widths=THIN, norm="group")]
HEADS = {
    "faster_rcnn": {"fpn": 4, "box_head": 4},
    "mask_rcnn": {"fpn": 4, "box_head": 4, "mask_head": 4},
    "retinanet": {"fpn": 4, "retina_head": 4},
}
DETECTORS = [
    detector(architecture=architecture, widths=THIN | heads, norm=norm)
    for architecture, heads in HEADS.items()
    for norm in ("batch", "frozen_batch")
]
MODELS = BODIES + DETECTORS
STATES = [state(model, classes=classes) for model in MODELS for classes in (2, 3)]
CHANGES: list[Any] = [
    lambda tensor: None,
    lambda tensor: tensor.half() if tensor.is_floating_point() else tensor,
    lambda tensor: tensor.to(torch.int32),
    lambda tensor: tensor[:1] if tensor.ndim else tensor,
    lambda tensor: tensor.T if tensor.ndim == 2 else tensor,
    lambda tensor: tensor[None],
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_server_and_trainer_agree(take: Taker, data: st.DataObject) -> None:
    content = dict(data.draw(st.sampled_from(STATES)))
    if data.draw(st.booleans()):
        content = detectron2_state(content)
    for _ in range(data.draw(st.integers(0, 2))):
        key = data.draw(st.sampled_from(sorted(content)))
        changed = data.draw(st.sampled_from(CHANGES))(content.pop(key))
        if changed is not None:
            content[key] = changed
    fed = data.draw(st.sampled_from([None, "rgb", "bgr_255"]))
    # It compares both reports, or both refusals, and raises the latter.
    with suppress(InvalidInput):
        _, report = take.file(data.draw(st.sampled_from(MODELS)), content, input=fed)
        assert report.used + report.left_over_count <= len(content)
