"""Maps that hold NaN or infinity, and being asked to stop."""

from __future__ import annotations

import pytest
import torch

from backend.errors import EigenscopeError
from worker.probe.errors import NonFiniteSpectrum, ProbeStopped
from worker.probe.maps import KINDS
from worker.probe.probe import EigenspectrumProbe


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("parameter", "layer"),
    [
        ("backbone.body.conv1.weight", "conv1"),
        ("backbone.body.layer2.0.bn1.weight", "layer2.0.norm1"),
        ("backbone.fpn.layer_blocks.1.0.bias", "fpn.p3"),
        ("rpn.head.conv.0.0.bias", "rpn.conv.p2"),
        ("roi_heads.box_head.fc7.bias", "box_head.fc7"),
    ],
)
def test_the_first_layer_that_is_not_finite_is_named(make_detector, images, parameter, layer, bad) -> None:
    model = make_detector()
    with torch.no_grad():
        model.get_parameter(parameter).flatten()[-1:].fill_(bad)
    with pytest.raises(
        NonFiniteSpectrum, match=f"'{layer}' holds NaN or infinity; lower training.lr"
    ) as raised:
        EigenspectrumProbe(model, images, maps=KINDS).measure()
    assert raised.value.layer == layer
    assert isinstance(raised.value, EigenscopeError)


def test_a_finite_map_whose_square_is_not_is_named(make_body) -> None:
    model = make_body()
    with torch.no_grad():
        model.conv1.weight.mul_(1e30)
    with pytest.raises(NonFiniteSpectrum) as raised:
        EigenspectrumProbe(model, [torch.rand(3, 64, 64)], maps=("conv",)).measure()
    assert raised.value.layer == "conv1"


@pytest.mark.parametrize("parameter", ["backbone.body.conv1.weight", "rpn.head.bbox_pred.weight"])
def test_proposals_lost_to_nan_are_no_empty_spectrum(make_detector, images, parameter) -> None:
    model = make_detector()
    with torch.no_grad():
        model.get_parameter(parameter).fill_(float("nan"))
    with pytest.raises(NonFiniteSpectrum, match=r"box_head\.fc6"):
        EigenspectrumProbe(model, images, maps=("box_head",)).measure()


def test_it_is_asked_to_stop_before_each_batch_and_each_decomposition(make_body) -> None:
    asked = []
    images = list(torch.rand(5, 3, 64, 64))
    probe = EigenspectrumProbe(
        make_body(), images, maps=("block",), batch_size=2, should_stop=lambda: bool(asked.append(1))
    )
    spectra = probe.measure()
    assert len(asked) == 3 + len(spectra)
    for limit in range(len(asked)):
        counted = iter(range(limit))
        probe = EigenspectrumProbe(
            make_body(),
            images,
            maps=("block",),
            batch_size=2,
            should_stop=lambda count=counted: next(count, None) is None,
        )
        with pytest.raises(ProbeStopped):
            probe.measure()
