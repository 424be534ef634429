"""Some hundred requests of the drill of wrong input, on both databases; `benchmarks.drills.input` sends thousands."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.http import errors
from benchmarks.drills.input import run
from benchmarks.drills.input_wire import Answer, Sent, faults

REQUESTS = 250


def test_wrong_input_is_answered_in_one_shape(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # Another seed on the other database: together they ask more.
    seed = 1 if "postgres" in request.node.name else 0
    report = run(REQUESTS, seed, database_url, tmp_path)
    assert report.sent >= REQUESTS * 0.9
    assert not report.faults, "\n".join(report.lines())


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Answer(500, {}, b'{"error": "internal", "detail": "no"}'), "status 500"),
        (Answer(404, {}, b"Not Found"), "error 404 is no JSON"),
        (Answer(404, {}, b'{"detail": "Not Found"}'), "error 404 has another shape"),
        (Answer(422, {}, b'{"error": "invalid_input", "detail": ""}'), "error 422 says nothing"),
        (Answer(405, {}, b'{"error": "a", "detail": "b"}'), "does not say which methods are allowed"),
        (Answer(200, {"content-type": "application/json"}, b'{"ap": NaN}'), "is no JSON, or holds NaN"),
        (Answer(200, {}, b"", RuntimeError("no")), "raised RuntimeError"),
        (Answer(200, {}, b"", None, 60.0), "took more than 30 seconds"),
    ],
)
def test_the_drill_sees_what_is_wrong(answer: Answer, problem: str) -> None:
    assert any(one.startswith(problem) for one in faults(Sent("GET /", "GET", "/"), answer))


def test_the_drill_lets_what_is_right_pass() -> None:
    shaped = errors.answer(404, "not_found", "there is no run 3")
    assert list(faults(Sent("GET /", "GET", "/"), Answer(404, {}, bytes(shaped.body)))) == []
