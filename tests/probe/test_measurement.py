"""Spectra taken beside training, memory that runs out, and what float32 means while a model is looked at."""

from __future__ import annotations

import logging
import threading

import numpy as np
import pytest
import torch

from worker.probe import measurement as measurement_module
from worker.probe.errors import NonFiniteSpectrum, ProbeOutOfMemory, ProbeStopped
from worker.probe.probe import EigenspectrumProbe

IMAGES = list(torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(1)))
BODY = ("conv", "norm", "act", "block")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Hold every decomposition back until the event is set."""
    event = threading.Event()
    spectrum = measurement_module.Accumulated.spectrum

    def wait(self, chain):
        assert event.wait(30)
        return spectrum(self, chain)

    monkeypatch.setattr(measurement_module.Accumulated, "spectrum", wait)
    return event


def test_training_goes_on_while_spectra_are_taken_and_changes_nothing(make_body, held) -> None:
    model = make_body()
    probe = EigenspectrumProbe(model, IMAGES, maps=BODY)
    held.set()
    expected = probe.measure()
    held.clear()
    under_way = probe.start()
    assert not under_way.done()
    with torch.no_grad():
        for tensor in (*model.parameters(), *model.buffers()):
            tensor.mul_(2)
    held.set()
    for one, other in zip(under_way.result(), expected, strict=True):
        assert np.array_equal(one.eigenvalues, other.eigenvalues)
    assert under_way.done()


def test_one_measurement_is_under_way_at_most(make_body, held) -> None:
    passes = []
    model = make_body()
    model.register_forward_hook(lambda *_: passes.append(1))
    probe = EigenspectrumProbe(model, IMAGES[:1], maps=("block",))
    passes.clear()
    first = probe.start()
    second = threading.Thread(target=probe.start, daemon=True)
    second.start()
    second.join(0.3)
    assert second.is_alive()
    assert len(passes) == 1
    held.set()
    second.join(30)
    assert first.done()
    assert len(passes) == 2


def test_what_is_not_finite_is_said_before_training_goes_on(make_body, held) -> None:
    model = make_body()
    probe = EigenspectrumProbe(model, IMAGES, maps=BODY)
    with torch.no_grad():
        model.layer2[0].conv2.weight.fill_(torch.inf)
    with pytest.raises(NonFiniteSpectrum, match=r"'layer2\.0\.conv2'"):
        probe.start()


def test_a_stop_ends_adding_up_but_not_what_is_added_up(make_body, held) -> None:
    stopped = False
    probe = EigenspectrumProbe(make_body(), IMAGES, maps=("block",), should_stop=lambda: stopped)
    under_way = probe.start()
    stopped = True
    held.set()
    assert len(under_way.result()) == len(probe.layers)
    with pytest.raises(ProbeStopped):
        probe.start()


def test_what_goes_wrong_in_the_thread_is_raised_with_the_result(make_body, monkeypatch) -> None:
    probe = EigenspectrumProbe(make_body(), IMAGES, maps=("block",))
    monkeypatch.setattr(measurement_module.Accumulated, "spectrum", lambda self, chain: 1 / 0)
    under_way = probe.start()
    with pytest.raises(ZeroDivisionError):
        under_way.result()
    monkeypatch.undo()
    assert len(probe.start().result()) == len(probe.layers)


def room_for(model: torch.nn.Module, images: int) -> list[int]:
    """Let the model run out of memory, late in the pass, with more images than that; return the batches that it saw."""
    seen: list[int] = []

    def demand(_module, arguments, _output) -> None:
        seen.append(len(arguments[0]))
        if len(arguments[0]) > images:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has")

    model.layer4.register_forward_hook(demand)
    return seen


@pytest.mark.parametrize("maps", [("block",), BODY])
def test_a_batch_that_does_not_fit_is_halved_said_and_counted_once(make_body, caplog, maps) -> None:
    expected = EigenspectrumProbe(make_body(), IMAGES, maps=maps).measure()
    model = make_body()
    probe = EigenspectrumProbe(model, IMAGES, maps=maps, batch_size=64)
    seen = room_for(model, 2)
    with caplog.at_level(logging.WARNING):
        measured = probe.measure()
    assert seen == [6, 3, 1, 1, 1, 1, 1, 1]
    assert [record.getMessage() for record in caplog.records] == [
        "the GPU has no room for the probe's batch; going on with 3 images",
        "the GPU has no room for the probe's batch; going on with 1 images",
    ]
    for one, other in zip(measured, expected, strict=True):
        assert (one.images, one.positions) == (other.images, other.positions)
        assert np.abs(one.eigenvalues - other.eigenvalues).max() <= 1e-6 * other.lambda_1
    seen.clear()
    probe.measure()
    assert seen == [1] * 6


def test_where_not_even_one_image_fits_the_mend_is_named(make_body) -> None:
    model = make_body()
    probe = EigenspectrumProbe(model, IMAGES, maps=("block",))
    room_for(model, 0)
    with pytest.raises(
        ProbeOutOfMemory, match=r"\(CUDA out of memory\); lower training.batch_size or training.image_size"
    ):
        probe.measure()
    assert all(not module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize(("tf32", "inside"), [(False, "ieee"), (True, "tf32")])
def test_float32_is_what_was_asked_for_whatever_training_allows_itself(make_body, tf32, inside) -> None:
    def precisions() -> list[str]:
        b = torch.backends
        return [x.fp32_precision for x in (b.cuda.matmul, b.cudnn.conv, b.mkldnn.matmul, b.mkldnn.conv)]

    model = make_body()
    probe = EigenspectrumProbe(model, IMAGES, maps=("block",), tf32=tf32)
    seen: list[str] = []
    model.layer4.register_forward_hook(lambda *_: seen.extend(precisions()))
    torch.set_float32_matmul_precision("high")
    try:
        before = precisions()
        probe.measure()
        assert precisions() == before
    finally:
        torch.set_float32_matmul_precision("highest")
    assert set(seen) == {inside}
