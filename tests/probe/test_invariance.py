"""What must not change a spectrum: the order of the images, the batches, the padding, images without positions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from worker.probe import probe as probe_module
from worker.probe.accumulate import STRIP, Covariance, Positions, proposal_positions, valid_positions
from worker.probe.maps import KINDS
from worker.probe.probe import EigenspectrumProbe

CPU = torch.device("cpu")
STRIP_ON_CPU = STRIP["cpu"]


def matrix(covariance: Covariance) -> np.ndarray:
    """Return Σ from its upper triangle."""
    moments = covariance.moments()
    upper = np.triu(moments.upper) / moments.images
    return upper + np.triu(upper, 1).T


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

    def see(_module, _arguments, output) -> None:
        if output[0].tensors.device.type != "meta":
            seen.append(output[0].image_sizes)

    model.transform.register_forward_hook(see)
    EigenspectrumProbe(model, images, maps=("act",), batch_size=5).measure()
    assert sorted(len(sizes) for sizes in seen) == [1, 1, 3]
    assert all(len(set(sizes)) == 1 for sizes in seen)


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
    assert np.abs(matrix(covariance) - expected).max() <= 1e-6
    assert (covariance.images, covariance.positions) == (3, 45 + 21 + 36)


def test_images_without_proposals_are_left_out_of_the_mean() -> None:
    rows = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))
    covariance = Covariance(5, CPU)
    covariance.add(proposal_positions(rows, [3, 0, 4]))
    first, second = rows[:3].double().numpy(), rows[3:].double().numpy()
    assert np.abs(matrix(covariance) - (first.T @ first / 3 + second.T @ second / 4) / 2).max() <= 1e-6
    assert (covariance.images, covariance.positions) == (2, 7)


def test_no_position_at_all_gives_a_spectrum_of_zeros(make_detector, images) -> None:
    model = make_detector()
    model.rpn.score_thresh = 2.0
    for spectrum in EigenspectrumProbe(model, images, maps=("box_head",)).measure():
        assert (spectrum.images, spectrum.positions, spectrum.lambda_1) == (0, 0, 0.0)
        assert not spectrum.eigenvalues.any()


@pytest.mark.parametrize("width", [1, STRIP_ON_CPU - 1, STRIP_ON_CPU, 2 * STRIP_ON_CPU + 5])
def test_strips_make_the_whole_matrix(width) -> None:
    positions = torch.randn(width, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    covariance = Covariance(width, CPU)
    covariance.add([positions])
    dense = (positions @ positions.T / 30).numpy()
    assert np.abs(matrix(covariance) - dense).max() <= 1e-13
    spectrum = covariance.moments().spectrum(width, None)
    assert spectrum.eigenvalues == pytest.approx(np.linalg.eigvalsh(dense)[::-1], abs=1e-10)
    assert spectrum.eigenvalues.sum() == pytest.approx(np.trace(dense), rel=1e-12)
    assert spectrum.trace == pytest.approx(np.trace(dense), rel=1e-12)


def test_float32_products_suffice_for_a_map_as_large_as_an_images_stem() -> None:
    generator = torch.Generator().manual_seed(2)
    positions = torch.relu(torch.randn(32, 400 * 672, generator=generator) + 1)
    covariance = Covariance(32, CPU)
    covariance.add([positions])
    exact = positions.double().numpy()
    expected = np.linalg.eigvalsh(exact @ exact.T / exact.shape[1])[::-1]
    measured = covariance.moments().spectrum(32, None).eigenvalues
    assert np.abs(measured - expected).max() <= 1e-6 * expected[0]


@pytest.mark.parametrize("counts", [(3, 5, 4), (40, 7, 40), (0, 6, 0), (0, 0)])
def test_few_positions_kept_give_what_their_matrix_gives(counts) -> None:
    generator = torch.Generator().manual_seed(3)
    images = [torch.randn(20, count, generator=generator) for count in counts]
    added, kept = Covariance(20, CPU), Positions(20, CPU)
    for accumulator in (added, kept):
        accumulator.add(images[:1])
        accumulator.add(images[1:])
    one, other = added.moments(), kept.moments()
    assert (one.images, one.positions) == (other.images, other.positions)
    expected, measured = one.spectrum(20, None), other.spectrum(20, None)
    assert measured.eigenvalues == pytest.approx(
        expected.eigenvalues, abs=1e-6 * max(expected.eigenvalues[0], 1)
    )
    assert measured.trace == pytest.approx(expected.trace, rel=1e-6)


def test_small_images_are_multiplied_together_only_with_those_of_their_size() -> None:
    generator = torch.Generator().manual_seed(4)
    images = [torch.randn(6, count, generator=generator) for count in (9, 9, 2000, 2000, 2000, 9, 5000)]
    covariance = Covariance(6, CPU)
    covariance.add(images)
    dense = [image.double().numpy() for image in images]
    expected = sum(x @ x.T / x.shape[1] for x in dense) / len(dense)
    assert np.abs(matrix(covariance) - expected).max() <= 1e-6


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
        batch_size=2,
        should_stop=lambda: asked.append(Lazy.reads) or len(asked) > 2,
    )
    with pytest.raises(probe_module.ProbeStopped):
        probe.measure()
    assert asked == [0, 2, 4]
