"""From a run's spectra to retrained networks, a second round and their table, with a real server and worker."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

RULE = {"divisor": 4, "minimum": 4, "tie": "mean"}


def following_plan(stack: Any, plan_id: int, seconds: float = 60) -> dict[str, Any]:
    """Return the plan of the next round once the server has begun it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        item = stack.answer("GET", f"/width-plans/{plan_id}")
        assert item["problem"] is None
        if item["next_plan_id"] is not None:
            return dict(stack.answer("GET", f"/width-plans/{item['next_plan_id']}"))
        time.sleep(0.2)
    raise AssertionError(f"no round followed plan {plan_id}: {stack.log('serve')}")


def test_select_retrain_select_again(
    stack: Any, worker: subprocess.Popen[bytes], specification: dict[str, Any]
) -> None:
    source = stack.ended(stack.launch(specification))
    assert source["status"] == "succeeded", stack.story(source)
    plan = stack.answer("POST", "/width-plans", json={"run_id": source["id"], **RULE})
    assert plan["plan"]["totals"]["macs_after"] <= source["summary"]["macs"]
    request = {"seeds": [5], "baseline": True, "rounds": 2}
    launched = stack.answer("POST", f"/width-plans/{plan['id']}/runs", json=request)["run_ids"]
    selected, baseline = (stack.ended(run_id) for run_id in launched)
    # What was built has the sizes that were planned: the trainer itself refuses anything else.
    assert selected["status"] == "succeeded", stack.story(selected)
    assert selected["summary"]["parameters"] == plan["plan"]["totals"]["parameters_after"]
    assert selected["summary"]["macs"] == plan["plan"]["totals"]["macs_after"]
    assert baseline["summary"]["parameters"] == source["summary"]["parameters"]
    again = following_plan(stack, plan["id"])
    assert again["run_id"] == selected["id"]
    second = stack.ended(again["runs"][0]["run_id"])
    assert second["status"] == "succeeded", stack.story(second)
    assert second["summary"]["macs"] <= selected["summary"]["macs"]
    found = stack.answer("GET", f"/width-plans/{plan['id']}/result")
    together = found["latency"]["together"]
    assert set(together["seconds"]) == {"source", "baseline", "selected"}, "the last run measured for all"
    assert together["threads"] >= 1
    rows = {row["role"]: row for row in found["rows"]}
    assert list(rows) == ["source", "baseline", "selected"]
    for row in rows.values():
        assert row["forward_seconds"]["mean"] > 0
        assert row["forward_bytes"]["mean"] > 0
    # The source, from scratch, is the baseline of its own seed.
    assert {role: row["ap"]["seeds"] for role, row in rows.items()} == {
        "source": 1,
        "baseline": 2,
        "selected": 1,
    }
