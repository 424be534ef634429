"""The Widths page's address, and the sentences of a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from backend.errors import InvalidInput
from backend.spectra.criteria import CRITERIA
from backend.widths.latency import Latency
from backend.widths.result import Result, ResultRow, Spread, Verdict
from backend.widths.schemas import Plan, Totals
from frontend.formats import change
from frontend.width_keys import WidthKeys, figure_query, slider_ends
from frontend.width_problems import problem_of
from frontend.width_verdict import accuracy_line, size_lines


def test_short_keys_are_the_fields_of_a_request() -> None:
    keys = WidthKeys(
        run="3", i="100", c="variance", t="0.9", macs="0.5", tie="mean", cap="1", also=["4"], include=["fpn"]
    )
    request = keys.request()
    assert (request.run_id, request.iteration, request.criterion) == (3, 100, "variance")
    assert (request.threshold, request.budget, request.tie, request.cap) == (0.9, 0.5, "mean", True)
    assert (request.also, request.include) == ((4,), ("fpn",))
    assert figure_query(request) == (
        "run_id=3&also=4&iteration=100&criterion=variance&threshold=0.9&budget=0.5&tie=mean&cap=True&include=fpn"
    )
    assert "threshold" not in figure_query(request, threshold=False)


def test_an_empty_bound_is_none_and_an_absent_one_the_default() -> None:
    assert WidthKeys(run="3").request().budget == 1.0
    request = WidthKeys(run="3", macs="", params="0.5").request()
    assert (request.budget, request.parameters_budget) == (None, 0.5)
    assert figure_query(request) == "run_id=3&budget=&parameters_budget=0.5"
    assert WidthKeys(run="3").value("macs") == "1"
    assert WidthKeys(run="3", macs="").value("macs") == ""
    assert WidthKeys(run="3").value("div") == "8"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"t": "much"}, "^Threshold `much` is not a number\\.$"),
        ({"macs": "-1"}, "^MACs ≤ must be more than 0\\.$"),
        ({"macs": ""}, "^MACs ≤ and Parameters ≤ are both empty"),
        ({"tie": "median"}, "^Tied blocks must be"),
        ({"div": "0"}, "^Multiples of must be at least 1"),
        ({"include": ["neck"]}, "^Also set must be"),
    ],
)
def test_what_does_not_fit_is_one_sentence(given: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        WidthKeys(run="3", **given).request()


def test_each_problem_stands_at_its_control() -> None:
    wanted, problems = WidthKeys(run="3", t="much", macs="-1", div="0").read()
    assert wanted is None
    assert list(problems) == ["t", "macs", "div"]
    assert problem_of("iteration: run 3 logged no spectra at 7") == {
        "i": "Iteration: run 3 logged no spectra at 7."
    }
    assert list(problem_of("budget: no widths have 0.1 of the original's MACs")) == ["macs"]
    assert list(problem_of("the group 'stem' has 0 dimensions; lower the threshold")) == ["t"]
    assert problem_of("there is no run 3") == {}


def test_the_slider_spans_what_the_curve_does() -> None:
    assert slider_ends(CRITERIA["absolute"]) == pytest.approx((1e-5, 0.1))
    assert slider_ends(CRITERIA["relative"]) == pytest.approx((1e-5, 0.1))
    assert slider_ends(CRITERIA["variance"]) == pytest.approx((0.5, 0.001)), "what it leaves out"
    assert slider_ends(CRITERIA["stable_rank"]) is None


@pytest.mark.parametrize(
    ("ratio", "digits", "text"),
    [
        (0.73, 1, "−27.0 %"),
        (1.25, 0, "+25 %"),
        (1.0, 1, "0.0 %"),
        (0.9999, 1, "0.0 %"),
        (1.001, 0, "0 %"),
    ],
)
def test_changes_have_a_sign_unless_they_are_none(ratio: float, digits: int, text: str) -> None:
    assert change(ratio, digits) == text


def totals(backbone: int, macs: int) -> Totals:
    return Totals(
        parameters_before=200,
        parameters_after=100 + backbone,
        backbone_parameters_before=100,
        backbone_parameters_after=backbone,
        macs_before=100,
        macs_after=macs,
        parameters_ratio=(100 + backbone) / 200,
        backbone_parameters_ratio=backbone / 100,
        macs_ratio=macs / 100,
    )


def planned(backbone: int, macs: int, doubted: float = 0.0) -> Plan:
    return Plan.model_construct(totals=totals(backbone, macs), doubted_saving=doubted)


def test_sizes_are_met_or_not() -> None:
    assert [line.state for line in size_lines(planned(73, 100))] == ["met", "met"]
    assert [line.state for line in size_lines(planned(74, 101))] == ["not met", "not met"]
    assert size_lines(planned(74, 101))[0].sentence == "−26.0 %, stem to layer4."


@pytest.mark.parametrize(
    ("backbone", "doubted", "state", "words"),
    [
        (60, 0.20, "met, in doubt", "but 20 of the 40 % comes from groups measured with too few positions."),
        (
            60,
            0.10,
            "met",
            "10 of the 40 % comes from groups measured with too few positions, the rest alone is",
        ),
        (80, 0.15, "not met", "−20.0 %, stem to layer4."),
    ],
)
def test_a_saving_that_rests_on_few_positions_is_in_doubt(
    backbone: int, doubted: float, state: str, words: str
) -> None:
    line = size_lines(planned(backbone, 100, doubted))[0]
    assert line.state == state
    assert words in line.sentence


NOT_MEASURED = Latency(passes=[], together=None, caution=None)


def row(role: str, statuses: list[str], ap: list[float]) -> ResultRow:
    mean = sum(ap) / len(ap) if ap else 0.0
    spread = Spread(mean=mean, deviation=0.004 if len(ap) > 1 else None, seeds=len(ap)) if ap else None
    return ResultRow.model_validate(
        {
            "role": role,
            "run_ids": list(range(1, len(statuses) + 1)),
            "statuses": statuses,
            "ap": spread,
        }
        | dict.fromkeys(
            (
                "mask_ap",
                "top1",
                "parameters",
                "backbone_parameters",
                "macs",
                "forward_seconds",
                "forward_bytes",
            )
        )
    )


def judged(
    rows: list[ResultRow], accuracy: bool | None, difference: float | None, spread: float | None
) -> str:
    verdict = Verdict(
        parameters=True,
        macs=True,
        accuracy=accuracy,
        difference=difference,
        spread=spread,
        measure=None if difference is None else "ap",
    )
    line = accuracy_line(Result(plan_id=1, rows=rows, verdict=verdict, latency=NOT_MEASURED))
    return f"{line.state}: {line.sentence}"


def test_accuracy_is_judged_with_its_seeds() -> None:
    done = ["succeeded"] * 3
    rows = [row("baseline", done, [0.3] * 3), row("selected", done, [0.297] * 3)]
    assert judged(rows, True, -0.003, 0.004) == (
        "met: AP −0.3 points, 3 seeds against 3 seeds; the baseline's seeds spread by 0.4."
    )
    assert judged(rows, False, -0.05, 0.004).startswith("not met: AP −5.0 points")


def test_one_seed_decides_nothing() -> None:
    rows = [row("baseline", ["succeeded"], [0.3]), row("selected", ["succeeded", "failed"], [0.29])]
    assert judged(rows, None, -0.01, None) == (
        "not decided: AP −1.0 points, 1 seed against 1 seed; one seed has no spread, so that this may be chance: add "
        "seeds. 1 did not succeed and is left out."
    )
    rows[0] = row("baseline", ["succeeded"] * 3, [0.3] * 3)
    assert "one selected seed has no spread" in judged(rows, None, -0.01, 0.004)


def test_a_difference_within_the_selected_seeds_spread_is_not_decided() -> None:
    done = ["succeeded"] * 3
    rows = [row("baseline", done, [0.3] * 3), row("selected", done, [0.295] * 3)]
    assert judged(rows, None, -0.005, 0.004) == (
        "not decided: AP −0.5 points, 3 seeds against 3 seeds; the baseline's seeds spread by 0.4, the selected ones "
        "by 0.4: add seeds."
    )


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "No run has been launched"),
        ([row("selected", ["succeeded"], [0.3])], "no baseline to compare with"),
        ([row("baseline", ["running"], []), row("selected", ["succeeded"], [0.3])], "1 of 2 runs have ended"),
        (
            [row("baseline", ["succeeded"], [0.3]), row("selected", ["failed", "cancelled"], [])],
            "No selected run succeeded (failed, cancelled)",
        ),
    ],
)
def test_what_is_not_known_yet_says_why(rows: list[ResultRow], words: str) -> None:
    sentence = judged(rows, None, None, None)
    assert sentence.startswith("not yet known: ")
    assert words in sentence
