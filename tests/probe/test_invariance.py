"""What must not change a spectrum: the order of the images, the batches, the padding, images without positions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from worker.probe import probe as probe_module
from worker.probe.accumulate import STRIP, Covariance, eigenvalues, proposal_positions, valid_positions
from worker.probe.maps import KINDS
from worker.probe.probe import EigenspectrumProbe

CPU = torch.device("cpu")


def assert_same(measured, expected) -> None:
    for one, other in zip(measured, expected, strict=True):
        assert (one.layer, one.images, one.positions) == (other.layer, other.images, other.positions)
        assert np.abs(one.eigenvalues - other.eigenvalues).max() <= 1e-6 * other.lambda_1, one.layer.name


@pytest.fixture(scope="module")
def expected(make_detector, images):
    return EigenspectrumProbe(make_detector(), images, maps=KINDS).measure()


@pytest.mark.parametrize("batch_size", [1, 3, 100])
def test_the_batches(make_detector, images, expected, batch_size) -> None:
    assert_same(
        EigenspectrumProbe(make_detector(), images, maps=KINDS, batch_size=batch_size).measure(), expected
    )


def test_the_order_of_the_images(make_detector, images, expected) -> None:
    assert_same(EigenspectrumProbe(make_detector(), images[::-1], maps=KINDS).measure(), expected)


def test_measuring_again(make_detector, images, expected) -> None:
    probe = EigenspectrumProbe(make_detector(), images, maps=KINDS)
    for first, second in zip(probe.measure(), probe.measure(), strict=True):
        assert np.array_equal(first.eigenvalues, second.eigenvalues)


def test_a_choice_of_layers_measures_what_all_would(make_detector, images, expected) -> None:
    probe = EigenspectrumProbe(make_detector(), images, maps=("rpn", "block"), layers="p3|layer4")
    by_name = {spectrum.layer.name: spectrum for spectrum in expected}
    for spectrum in probe.measure():
        other = by_name[spectrum.layer.name].eigenvalues
        assert np.abs(spectrum.eigenvalues - other).max() <= 1e-6 * other[0]


def test_images_of_different_sizes_never_share_a_batch(make_detector, images, monkeypatch) -> None:
    seen = []
    model = make_detector()
    model.transform.register_forward_hook(lambda _m, _a, out: seen.append(out[0].image_sizes))
    EigenspectrumProbe(model, images, maps=("act",), batch_size=5).measure()
    batches = seen[-3:]
    assert sorted(len(sizes) for sizes in batches) == [1, 1, 3]
    assert all(len(set(sizes)) == 1 for sizes in batches)


def test_a_mixed_padded_batch_is_cropped_image_by_image() -> None:
    generator = torch.Generator().manual_seed(0)
    sizes = [(5, 9), (7, 3), (6, 6)]
    images = [torch.randn(4, *size, generator=generator) for size in sizes]
    padded = torch.full((3, 4, 8, 9), 7.0)
    for row, image in zip(padded, images, strict=True):
        row[:, : image.shape[1], : image.shape[2]] = image
    covariance = Covariance(4, CPU)
    covariance.add(valid_positions(padded, sizes))
    dense = [image.flatten(1).double().numpy() for image in images]
    expected = sum(x @ x.T / x.shape[1] for x in dense) / 3
    assert np.abs(covariance.matrix() - expected).max() <= 1e-6
    assert (covariance.images, covariance.positions) == (3, 45 + 21 + 36)


def test_images_without_proposals_are_left_out_of_the_mean() -> None:
    rows = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    covariance = Covariance(5, CPU)
    covariance.add(proposal_positions(rows, [3, 0, 4]))
    first, second = rows[:3].double().numpy(), rows[3:].double().numpy()
    assert np.abs(covariance.matrix() - (first.T @ first / 3 + second.T @ second / 4) / 2).max() <= 1e-6
    assert (covariance.images, covariance.positions) == (2, 7)


def test_no_position_at_all_gives_a_spectrum_of_zeros(make_detector, images) -> None:
    model = make_detector()
    model.rpn.score_thresh = 2.0
    for spectrum in EigenspectrumProbe(model, images, maps=("box_head",)).measure():
        assert (spectrum.images, spectrum.positions, spectrum.lambda_1) == (0, 0, 0.0)
        assert not spectrum.eigenvalues.any()


@pytest.mark.parametrize("width", [1, STRIP - 1, STRIP, 2 * STRIP + 5])
def test_strips_make_the_whole_matrix(width) -> None:
    positions = torch.randn(width, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    covariance = Covariance(width, CPU)
    covariance.add([positions])
    dense = (positions @ positions.T / 30).numpy()
    assert np.abs(covariance.matrix() - dense).max() <= 1e-13
    values = eigenvalues(covariance.matrix())
    assert values == pytest.approx(np.linalg.eigvalsh(dense)[::-1], abs=1e-10)
    assert values.sum() == pytest.approx(np.trace(dense), rel=1e-12)


def test_float32_products_suffice_for_a_map_as_large_as_an_images_stem() -> None:
    generator = torch.Generator().manual_seed(2)
    positions = torch.relu(torch.randn(32, 400 * 672, generator=generator) + 1)
    covariance = Covariance(32, CPU)
    covariance.add([positions])
    exact = positions.double().numpy()
    expected = np.linalg.eigvalsh(exact @ exact.T / exact.shape[1])[::-1]
    assert np.abs(eigenvalues(covariance.matrix()) - expected).max() <= 1e-6 * expected[0]


def test_a_batch_is_read_when_it_is_needed(make_body) -> None:
    class Lazy(list):
        reads = 0

        def __getitem__(self, index):
            Lazy.reads += 1
            return super().__getitem__(index)

    asked = []
    probe = EigenspectrumProbe(
        make_body(),
        Lazy(torch.zeros(5, 3, 64, 64)),
        maps=("block",),
        should_stop=lambda: asked.append(Lazy.reads) or len(asked) > 2,
    )
    with pytest.raises(probe_module.ProbeStopped):
        probe.measure()
    assert asked == [0, 2, 4]
