"""What a story says of two runs: its headline, what is to be kept in mind, and where its links lead."""

from __future__ import annotations

import numpy as np
import pytest

from backend.comparison.schemas import Role, Seeds
from frontend.story.telling import tell
from tests.frontend.pairs import (
    HOSTILE,
    accuracy,
    comparison,
    measured,
    reference,
    said,
    slopes,
)

PAPER = np.linspace(0.9, 0.6, 4)[:, None] * np.ones((1, 4))
NARROW = np.array([[0.3, 0.1, 0.7, 0.71]] * 4)


@pytest.mark.parametrize(
    ("accuracies", "second", "headline", "verdict"),
    [
        ((0.4, 0.395), NARROW, "Accuracy is alike; spectra differ", "So it was in the paper"),
        ((0.4, 0.3), NARROW, "Accuracy differs; spectra differ", "but accuracy was alike"),
        ((0.4, 0.395), PAPER, "Accuracy is alike; spectra are alike throughout", "but spectra differed"),
        ((0.4, 0.3), PAPER, "Accuracy differs; spectra are alike throughout", "The opposite of the paper"),
        ((0.0, 0.0), NARROW, "Spectra differ", ""),
    ],
)
def test_the_headline_says_what_the_paper_found(
    accuracies: tuple[float, float], second: np.ndarray, headline: str, verdict: str
) -> None:
    story = tell(comparison(measured(PAPER), measured(second), accuracy=accuracy(*accuracies)))
    assert story.headline == headline
    assert verdict in story.verdict
    assert bool(story.verdict) == bool(verdict)


def test_the_paper_is_not_held_against_other_pairs() -> None:
    roles: list[tuple[Role, Role]] = [
        ("scratch", "scratch"),
        ("pre-trained", "pre-trained"),
        ("unknown", "scratch"),
    ]
    for first, second in roles:
        story = tell(
            comparison(
                measured(PAPER), measured(NARROW), first=reference(1, first), second=reference(2, second)
            )
        )
        assert "of another kind" in story.verdict
        assert [one.name for one in story.runs] == ["run 1", "run 2"]
        assert "run 1 uses" in said(story, "Start").sentence


def test_runs_alike_in_the_end_only_are_said_to_be() -> None:
    late = np.concatenate([NARROW[:, :1], PAPER[:, 1:]], axis=1)
    assert (
        tell(comparison(measured(PAPER), measured(late))).headline
        == "Spectra differ at first, not at the end"
    )
    between = PAPER.copy()
    between[:, 1] -= 0.3
    assert tell(comparison(measured(PAPER), measured(between))).headline == "Spectra differ on the way only"


def test_a_dip_is_told_with_its_iteration() -> None:
    sentence = said(tell(comparison(measured(PAPER), measured(NARROW))), "Course").sentence
    assert sentence.startswith(
        "S first falls from 30 % to 10 % (iteration 10), then widens to 71 %, settled from"
    )
    assert "iteration 20 on (67 %); I stays at 75 %" in sentence
    assert "I hardly moves: layers end on average 0.0 points from their start in I, 41 in S." in sentence


def test_where_the_pretrained_run_moves_more_it_is_said() -> None:
    sentence = said(tell(comparison(measured(NARROW), measured(PAPER))), "Course").sentence
    assert sentence.endswith("here the pre-trained run moves more.")
    assert "S hardly moves" in sentence


def test_seeds_are_named_where_there_are_some() -> None:
    seeds = Seeds(run_ids=[1, 5, 6], lowest=0.38, highest=0.40)
    found = accuracy(0.4, 0.39, first_seeds=seeds)
    sentence = said(tell(comparison(None, None, accuracy=found)), "Accuracy").sentence
    assert (
        sentence
        == "Accuracy is alike: AP 40.0 for I, 39.0 for S. Seeds alone differ by up to 2.0 points (3 of I)."
    )
    same = accuracy(0.4, 0.39, first_seeds=seeds, second_seeds=seeds)
    sentence = said(tell(comparison(None, None, accuracy=same)), "Accuracy").sentence
    assert sentence.endswith("They are two of 3 seeds of one training, which differ by up to 2.0 points.")
    sentence = said(tell(comparison(None, None, accuracy=accuracy(0.4, 0.39))), "Accuracy").sentence
    assert "One seed each" in sentence


def test_what_makes_the_numbers_measure_something_else_is_said() -> None:
    few = np.array([1.0, 100, 100, 100])
    unresolved = np.zeros((4, 4), bool)
    unresolved[:2, :2] = True
    found = comparison(
        measured(PAPER, positions_per_channel=few),
        measured(NARROW, unresolved=unresolved, length=60),
        settings={"norm": ["model.norm"], "data": ["dataset_id"], "seed": ["training.seed"]},
        recorded=True,
        accuracy=accuracy(0.4, 0.39),
        layers_second=9,
    )
    story = tell(found, of_runs=4)
    notes = " ".join(story.notes)
    assert "Of 4 runs" in notes
    assert "also differ in norm, data and seed" in notes
    assert "did not tell may differ unseen" in notes
    assert "compared: 4 of 4 and 9" in notes
    assert "50 %: I to iteration 10 of 30 and S to iteration 30 of 60" in notes
    assert "1 layer of 4 read" in notes
    assert "2 layers of S (up to iteration 10)" in notes
    assert "on different data" in said(story, "Accuracy").sentence
    assert story.headline == "Spectra differ", "accuracies on different data are not alike or unlike"
    assert "At 50 % of each training" in said(story, "Depth").sentence
    assert "&align=progress&p=50.000&c=absolute#" in said(story, "Depth").links[0].address


def test_runs_without_spectra_or_common_layers_say_so() -> None:
    bare = tell(comparison(measured(PAPER), None))
    assert bare.headline == "Nothing to compare yet"
    assert "S has none yet" in bare.notes[-1]
    assert [one.subject for one in bare.statements] == ["Accuracy", "Widths"]
    strangers = tell(comparison(measured(PAPER, stages=["a"] * 4), measured(PAPER, stages=["b"] * 4)))
    assert "no layer of the same name" in strangers.notes[-1]


def test_a_run_of_unknown_length_that_goes_on_has_no_end() -> None:
    found = comparison(
        measured(PAPER), measured(NARROW[:, :3], live=True), second=reference(2, "scratch", status="running")
    )
    story = tell(found)
    assert said(story, "Depth").sentence.startswith("So far S uses")
    assert "S may still go on" in " ".join(story.notes)


def test_links_open_the_view_that_is_spoken_of() -> None:
    story = tell(
        comparison(measured(PAPER), measured(NARROW), slopes=slopes(1, 2), accuracy=accuracy(0.4, 0.3))
    )
    found = {one.subject: [link.address for link in one.links] for one in story.statements}
    assert found == {
        "Accuracy": ["/compare?runs=1,2&c=absolute#chart-average_precision-1-2"],
        "Start": ["/compare?runs=1,2&layer=layer1.0&i=0&c=absolute#chart-dimension_by_depth-1-2"],
        "Course": [
            "/compare?runs=1,2&c=absolute#chart-heatmap-2",
            "/compare?runs=1,2&layer=layer1.0&c=absolute#chart-dimension_by_iteration-1-2",
        ],
        "Depth": ["/compare?runs=1,2&layer=layer1.0&i=30&c=absolute#chart-heatmap_difference-1-2"],
        "Shape": ["/compare?runs=1,2&i=30&c=power_law#chart-dimension_by_depth-1-2"],
        "Widths": ["/widths?run=1", "/widths?run=2"],
    }


def test_names_of_layers_cannot_break_out_of_an_address() -> None:
    hostile = [f"a&c=relative#{HOSTILE}\"'"] * 2
    story = tell(comparison(measured(PAPER[:2], stages=hostile), measured(NARROW[:2], stages=hostile)))
    address = said(story, "Start").links[0].address
    assert address.count("&c=") == 1
    assert address.count("#") == 1
    assert not set("<>\"' ") & set(address)
