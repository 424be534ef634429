"""Latencies of a plan's networks: shown as what they are, compared only where they were measured together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.models import Run
from backend.runs.specification import RunSpecification
from backend.widths.latency import latency

AT = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def run(run_id: int, widths: dict[str, int] | None = None, device: str = "cpu") -> Run:
    own: dict[str, Any] = {"name": "a", "dataset_id": 1, "model": {"backbone": "resnet18", "widths": widths}}
    specification = RunSpecification.model_validate(own).model_dump(mode="json")
    return Run(id=run_id, specification=specification, device=device, finished_at=AT)


NARROW = {"layer4": 64}


def test_like_networks_that_took_unlike_times_are_told_in_one_sentence() -> None:
    runs = [run(2), run(3, NARROW)]
    seconds = {(1, "forward_seconds"): 0.087, (2, "forward_seconds"): 0.598, (3, "forward_seconds"): 0.07}
    told = latency(run(1), runs, seconds)
    assert told.caution == (
        "Latencies cannot be compared: run 1 and run 2 have networks of the same widths and took 87 and 598 ms, so "
        "that the machine's load is in these times."
    )
    # Standard widths that are written out are the same network.
    assert latency(run(1), [run(2, {"layer4": 512})], seconds).caution == told.caution
    assert latency(run(1), [run(2, NARROW)], seconds).caution is None, "another network may well take longer"
    alike = seconds | {(2, "forward_seconds"): 0.1}
    assert latency(run(1), runs, alike).caution is None


@pytest.mark.parametrize(
    ("device", "threads", "words"),
    [("NVIDIA H100", 2.0, "different devices (cpu, NVIDIA H100)"), ("cpu", 8.0, "2 and 8 threads")],
)
def test_other_devices_and_threads_are_told(device: str, threads: float, words: str) -> None:
    metrics = {
        (1, "forward_seconds"): 0.1,
        (1, "forward_threads"): 2.0,
        (2, "forward_seconds"): 0.1,
        (2, "forward_threads"): threads,
    }
    assert words in str(latency(run(1), [run(2, NARROW, device)], metrics).caution)


def test_the_newest_run_of_the_plan_measured_for_all_and_never_the_source() -> None:
    def together(run_id: int, factor: float) -> dict[tuple[int, str], float]:
        return {
            (run_id, "together_seconds.source"): factor,
            (run_id, "together_seconds.selected"): factor / 2,
        }

    metrics = together(1, 9.0) | together(2, 1.0) | together(3, 2.0) | {(3, "forward_threads"): 2.0}
    found = latency(run(1), [run(2), run(3)], metrics).together
    assert found is not None
    assert (found.run_id, found.seconds, found.threads) == (3, {"source": 2.0, "selected": 1.0}, 2)
    assert latency(run(1), [run(2)], together(1, 9.0)).together is None, "that was of another plan"
