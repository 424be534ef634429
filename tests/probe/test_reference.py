"""Every map's spectrum against the dense float64 one, and that the comparison sees planted defects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torchvision.models import resnet18

from backend.spectra.criteria import dimensionality
from worker.probe import detector, names, probe, two_stage
from worker.probe.accumulate import Covariance
from worker.probe.maps import KINDS, LayerSpectrum, MapName, Tap, listening, whole
from worker.probe.probe import EigenspectrumProbe

Reference = dict[str, np.ndarray]


def disagreements(spectra: Sequence[LayerSpectrum], reference: Reference) -> list[str]:
    """Return the layers whose spectrum or dimensionality is not the reference's."""
    assert {s.layer.name for s in spectra} == set(reference)
    wrong = []
    for spectrum in spectra:
        expected, measured = reference[spectrum.layer.name], spectrum.eigenvalues
        close = np.abs(measured - expected).max() <= 1e-6 * expected[0]
        if not close or dimensionality(measured, "absolute") != dimensionality(expected, "absolute"):
            wrong.append(spectrum.layer.name)
    return wrong


@pytest.fixture(scope="module")
def references(make_detector, reference_maps, dense_eigenvalues, images) -> Callable[[str], Reference]:
    """Return a function giving the reference spectra of the detector with the norm named."""
    made: dict[str, Reference] = {}

    def reference(norm: str) -> Reference:
        if norm not in made:
            model = make_detector(norm)
            maps = [reference_maps(model, image) for image in images]
            made[norm] = {name: dense_eigenvalues([m[name] for m in maps]) for name in maps[0]}
        return made[norm]

    return reference


@pytest.mark.parametrize("shortcuts", [True, False])
@pytest.mark.parametrize("norm", ["batch", "frozen", "group"])
def test_every_map_of_a_detector_with_images_of_different_sizes(
    make_detector, references, images, norm, shortcuts
) -> None:
    measured = EigenspectrumProbe(make_detector(norm), images, maps=KINDS, shortcuts=shortcuts).measure()
    assert disagreements(measured, references(norm)) == []
    for spectrum in measured:
        assert spectrum.images == len(images)
        assert spectrum.trace == pytest.approx(spectrum.eigenvalues.sum(), rel=1e-12)
        assert spectrum.lambda_1 == spectrum.eigenvalues[0]
        assert spectrum.eigenvalues.shape == (spectrum.layer.width,)
        assert (np.diff(spectrum.eigenvalues) <= 0).all()


def test_positions_are_the_valid_ones(make_detector, reference_maps, images) -> None:
    model = make_detector()
    counted: dict[str, int] = {}
    for image in images:
        for name, positions in reference_maps(model, image).items():
            counted[name] = counted.get(name, 0) + positions.shape[1]
    measured = EigenspectrumProbe(model, images, maps=KINDS).measure()
    assert {s.layer.name: s.positions for s in measured} == counted


@pytest.mark.parametrize("shortcuts", [True, False])
def test_every_map_of_a_classifier(body_maps, dense_eigenvalues, shortcuts) -> None:
    torch.manual_seed(0)
    model = resnet18().eval()
    images = list(torch.randn(3, 3, 49, 64))
    with torch.no_grad():
        maps = [body_maps(model, image[None]) for image in images]
    reference = {name: dense_eigenvalues([m[name] for m in maps]) for name in maps[0]}
    measured = EigenspectrumProbe(model, images, maps=KINDS, shortcuts=shortcuts).measure()
    assert disagreements(measured, reference) == []


def uncropped(maps: Tensor, _sizes: object) -> list[Tensor]:
    """Leave the padding in."""
    return list(maps.flatten(2))


class PositionsAlike(Covariance):
    """Weighs each position the same, and so large images more."""

    def add(self, images: Sequence[Tensor]) -> None:
        for positions in images:
            self._add_products(positions, 1.0)
            self.images += positions.shape[1]
            self.positions += positions.shape[1]


class BatchesAlike(Covariance):
    """Weighs each batch the same, whatever the number of its images."""

    def add(self, images: Sequence[Tensor]) -> None:
        together = torch.cat(list(images), dim=1)
        super().add([together])


class Centred(Covariance):
    """Takes each image's mean away."""

    def add(self, images: Sequence[Tensor]) -> None:
        super().add([positions - positions.mean(1, keepdim=True) for positions in images])


@contextmanager
def listening_late(taps: Sequence[Tap], receive: Callable[..., None]) -> Iterator[None]:
    """Look at the maps only after the forward pass, when in-place operations have overwritten some."""
    kept: list[tuple[MapName, Tensor]] = []
    with listening(taps, lambda name, maps: kept.append((name, maps))):
        yield
    for name, maps in kept:
        receive(name, maps)


class HalfPrecision(Covariance):
    """Multiplies in bfloat16."""

    def add(self, images: Sequence[Tensor]) -> None:
        super().add([positions.bfloat16() for positions in images])


def _body_taps_before_relu(body: torch.nn.Module) -> list[Tap]:
    taps = names.body_taps(body)
    norms = {tap.names()[0].name: tap.module for tap in taps}
    changed = [tap for tap in taps if tap.names()[0].map != "act"]
    for tap in taps:
        if tap.names()[0].map == "act":
            changed += [Tap(norms[act.name.replace("act", "norm")], (act,), whole) for act in tap.names()]
    return changed


def _box_head_taps_before_relu(head: torch.nn.Module) -> list[Tap]:
    return [replace(tap, read=whole) for tap in names.box_head_taps(head)]


DEFECTS = {
    "padding left in": (
        detector,
        "valid_positions",
        uncropped,
        {"layer1.0", "fpn.p2", "rpn.conv.p2", "norm1"},
    ),
    "positions alike": (
        probe,
        "Covariance",
        PositionsAlike,
        {"layer1.0", "layer4.0", "rpn.conv.p2", "box_head.fc6"},
    ),
    "batches alike": (probe, "Covariance", BatchesAlike, {"layer1.0", "layer4.0", "fpn.p5"}),
    "centred": (probe, "Covariance", Centred, {"layer1.0", "norm1", "box_head.fc7"}),
    "late": (two_stage, "listening", listening_late, {"norm1", "layer1.0.norm1", "layer3.0.norm3"}),
    "bfloat16": (probe, "Covariance", HalfPrecision, {"conv1", "layer4.0", "box_head.fc7"}),
    "before ReLU": (
        detector,
        "body_taps",
        _body_taps_before_relu,
        {"act1", "layer1.0.act1", "layer3.0.act2"},
    ),
    "head before ReLU": (
        two_stage,
        "box_head_taps",
        _box_head_taps_before_relu,
        {"box_head.fc6", "box_head.fc7"},
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_seen(monkeypatch, make_detector, references, images, defect) -> None:
    module, attribute, wrong, at_least = DEFECTS[defect]
    monkeypatch.setattr(module, attribute, wrong)
    measured = EigenspectrumProbe(make_detector("batch"), images, maps=KINDS, shortcuts=False).measure()
    assert at_least <= set(disagreements(measured, references("batch")))
