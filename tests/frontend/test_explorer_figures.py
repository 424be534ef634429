"""The explorer's figures against dense float64 references, its bands and its tree."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient

from frontend.figures.groups import groups, shared_tags
from frontend.figures.runs import FigureRun
from frontend.figures.spectrum import SpectrumLine, spectrum
from frontend.figures.spectrum_band import SpectrumBand, mean_spectrum
from frontend.figures.spectrum_scale import Height, SpectrumScale
from frontend.layer_tree import block_names

I_RUN = FigureRun(2, "I", "imagenet")
S_RUN = FigureRun(3, "S", "scratch")
SPECTRA = [
    np.sort(np.random.default_rng(seed).gamma(0.5, size=24))[::-1].astype(np.float32) for seed in range(4)
]


def test_heights_are_those_of_a_dense_covariance() -> None:
    features = np.random.default_rng(0).normal(size=(6, 400))
    eigenvalues = np.linalg.eigvalsh(features @ features.T / 400)[::-1]
    np.testing.assert_array_equal(SpectrumScale().drawn(eigenvalues), eigenvalues)
    np.testing.assert_allclose(SpectrumScale("relative").drawn(eigenvalues), eigenvalues / eigenvalues.max())
    shares = SpectrumScale("cumulative").drawn(eigenvalues)
    trace = np.trace(features @ features.T / 400)
    np.testing.assert_allclose(shares, [eigenvalues[: k + 1].sum() / trace for k in range(6)])


def test_rounding_below_zero_adds_nothing_and_a_dead_map_has_no_shares() -> None:
    shares = SpectrumScale("cumulative").drawn([3.0, 1.0, -1e-9])
    np.testing.assert_array_equal(shares, [0.75, 1.0, 1.0])
    assert np.isnan(SpectrumScale("cumulative").drawn(np.zeros(3))).all()
    assert np.isnan(SpectrumScale("relative").drawn(np.zeros(3))).all()


@pytest.mark.parametrize("height", ["absolute", "relative"])
def test_a_mean_of_eigenvalues_is_that_of_their_logarithms(height: Height) -> None:
    scale = SpectrumScale(height)
    found = mean_spectrum(SPECTRA, scale)
    for j in range(24):
        logs = np.log([float(scale.drawn(one)[j]) for one in SPECTRA])
        assert found.mean[j] == pytest.approx(np.exp(logs.mean()))
        assert found.low[j] == pytest.approx(np.exp(logs.mean() - logs.std(ddof=1)))
        assert found.high[j] == pytest.approx(np.exp(logs.mean() + logs.std(ddof=1)))


def test_shares_are_averaged_as_they_are_and_two_runs_span_their_band() -> None:
    scale = SpectrumScale("cumulative")
    drawn = np.stack([scale.drawn(one) for one in SPECTRA])
    found = mean_spectrum(SPECTRA, scale)
    np.testing.assert_allclose(found.mean, drawn.mean(axis=0))
    np.testing.assert_allclose(found.high, np.minimum(1, drawn.mean(axis=0) + drawn.std(axis=0, ddof=1)))
    pair = mean_spectrum(SPECTRA[:2], scale)
    np.testing.assert_allclose(pair.low, drawn[:2].min(axis=0))
    np.testing.assert_allclose(pair.high, drawn[:2].max(axis=0))


def test_a_zero_among_seeds_makes_the_mean_zero_and_no_warning() -> None:
    found = mean_spectrum([np.array([2.0, 0.0]), np.array([8.0, 1.0]), np.array([4.0, 1.0])], SpectrumScale())
    np.testing.assert_allclose(found.mean, [4.0, 0.0])
    assert (found.low[1], found.high[1]) == (0.0, 1.0)


def test_seeds_of_different_widths_share_the_indices_that_all_have() -> None:
    assert len(mean_spectrum([np.ones(4), np.ones(7)], SpectrumScale()).mean) == 4


def test_a_threshold_is_a_line_only_where_it_is_a_level() -> None:
    assert SpectrumScale("absolute").level("absolute", 1e-3) == 1e-3
    assert SpectrumScale("relative").level("relative", 0.01) == 0.01
    assert SpectrumScale("cumulative").level("variance", 0.99) == 0.99
    assert SpectrumScale("relative").level("absolute", 1e-3) is None
    assert SpectrumScale("absolute").level("effective_rank", None) is None


def test_axes_follow_the_choice_and_marks_lie_on_their_line() -> None:
    line = SpectrumLine(I_RUN, 0, SPECTRA[0], 5.0)
    figure = spectrum("x", [line], 0.9, (0.1, 1.0), scale=SpectrumScale("cumulative", "linear"))
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("linear", "linear")
    assert figure.layout.annotations[0].y == 0.9
    curve, mark = figure.data
    assert mark.y[0] == pytest.approx(float(curve.y[4]))
    figure = spectrum("x", [line], None, (0.1, 1.0), scale=SpectrumScale("cumulative", y="log"))
    assert figure.layout.yaxis.type == "log"


def test_a_band_is_drawn_behind_its_mean_and_names_are_text() -> None:
    tags = ("<b>%{x}",)
    runs = [FigureRun(2, "I", "imagenet", tags=tags), FigureRun(6, "I", "imagenet", tags=tags)]
    (group,) = groups(runs, "<b>%{x}")
    figure = spectrum("x", [SpectrumBand(group, SPECTRA[:2], [3.0, 6.0])], None, (1e-5, 1.0))
    assert [trace.meta["part"] for trace in figure.data] == ["high", "low", "curve", "dimension"]
    assert all(trace.meta["runs"] == [2, 6] for trace in figure.data)
    assert figure.data[3].x[0] == 4.5
    assert figure.data[3].y[0] == pytest.approx(float(figure.data[2].y[4]), rel=1e-6)
    assert "<b>" not in figure.data[2].name
    assert "%{" not in figure.data[2].name


def test_bands_part_scratch_from_weights_and_leave_the_rest_alone() -> None:
    tags = {0: ("demo", "I"), 1: ("demo",), 2: ("demo", "I"), 3: ("demo",), 4: ()}
    inits = ["imagenet", "scratch", "imagenet", "scratch", "run"]
    runs = [FigureRun(k, str(k), init, tags=tags[k]) for k, init in enumerate(inits)]
    assert shared_tags(runs) == ["I", "demo"]
    assert [[run.id for run in one.members] for one in groups(runs, "demo")] == [[0, 2], [1, 3]]
    assert groups(runs, "") == []
    assert groups(runs, "nobody's") == []


def test_layers_stand_below_their_block_and_heads_below_their_stage() -> None:
    names = [
        ("layer1.0.conv1", "layer1"),
        ("layer1.0", "layer1"),
        ("fpn.p2", "fpn"),
        ("body.mlp.fc1", "body"),
        ("body.mlp.fc2", "body"),
        ("alone", "alone"),
    ]
    assert list(block_names(names).values()) == ["layer1.0", "layer1.0", "", "body.mlp", "body.mlp", ""]


def test_the_page_offers_bands_and_the_figure_draws_them(client: TestClient, roles: dict[str, int]) -> None:
    ids = f"{roles['I']},{roles['S']},{roles['pretraining']}"
    page = client.get(f"/compare?runs={ids}").text
    assert '<option value="demo">demo</option>' in page
    answer = client.get(f"/api/v1/figures/spectrum?runs={ids}&layer=layer4.1&band=demo&y=relative").json()
    assert [trace["meta"]["part"] for trace in answer["data"]].count("curve") == len(
        {trace["name"] for trace in answer["data"]}
    )


def test_aligned_runs_stand_at_the_same_share_of_their_training(
    client: TestClient, roles: dict[str, int]
) -> None:
    ids = f"{roles['I']},{roles['hostile']}"
    for iteration, expected in ((600, 0), (1200, 20)):
        answer = client.get(
            f"/api/v1/figures/spectrum?runs={ids}&layer=%3Cscript%3Ewindow.hacked%3D1%3C/script%3E"
            f"&iteration={iteration}&align=progress"
        ).json()
        assert answer["data"][1]["customdata"][0][0] == expected
