"""A real worker and its trainer, whose database is away for longer than the lease: the run ends as any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.faults.proxy import Proxy, proxied
from tests.jobs.conftest import Stack

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(400)]

AWAY_SECONDS = 60
"""Ten leases of the stack."""


@pytest.fixture
def cut_off(
    new_postgres: Callable[[], AbstractContextManager[str]], tmp_path: Path
) -> Iterator[tuple[Stack, Proxy]]:
    """Yield a server that always reaches its database, beside a worker that does so by way of a proxy."""
    with new_postgres() as direct:
        target = make_url(direct)
        with proxied(target.host or "127.0.0.1", target.port or 5432) as proxy:
            stack = Stack(tmp_path, {"EIGENSCOPE_DATABASE_URL": direct})
            try:
                stack.up()
                url = target.set(host="127.0.0.1", port=proxy.port)
                stack.environment["EIGENSCOPE_DATABASE_URL"] = url.render_as_string(hide_password=False)
                stack.start("worker")
                yield stack, proxy
            finally:
                proxy.cut()
                stack.down()


@pytest.fixture
def stack(cut_off: tuple[Stack, Proxy]) -> Stack:
    """Let the specification's dataset be registered here."""
    return cut_off[0]


@pytest.fixture
def dataset_id(stack: Stack) -> int:
    wanted = {"kind": "shapes", "name": "tiny", "train": 8, "val": 4, "size": 96}
    return int(stack.answer("POST", "/datasets", json=wanted)["id"])


def measured(stack: Stack, run_id: int) -> dict[str, Any]:
    """Return losses and spectra of a run."""
    metrics = stack.answer("GET", f"/runs/{run_id}/metrics")["metrics"]
    losses = {name: points for name, points in metrics.items() if "loss" in name or name in ("lr", "ap")}
    layers = [layer["name"] for layer in stack.answer("GET", f"/runs/{run_id}/layers")]
    spectra = {n: stack.answer("GET", f"/runs/{run_id}/spectra", params={"layer": n}) for n in layers}
    return {"losses": losses, "spectra": spectra}


def test_a_run_goes_on_while_its_worker_is_cut_off(
    cut_off: tuple[Stack, Proxy], specification: dict[str, Any]
) -> None:
    stack, proxy = cut_off
    long = {
        **specification,
        "training": {**specification["training"], "iterations": 60},
        "checkpoint_every": 10,
    }
    calm = stack.ended(stack.launch(long))
    assert calm["status"] == "succeeded", stack.story(calm)
    run_id = stack.launch(long)
    stack.until(run_id, lambda run: run["progress"]["iteration"] >= 3)
    proxy.cut()
    time.sleep(AWAY_SECONDS)
    swept = stack.run(run_id)
    assert swept["status"] == "queued", "its lease has expired, and there is no other worker"
    proxy.restore()
    run = stack.ended(run_id)
    assert run["status"] == "succeeded", stack.story(run)
    assert run["attempt"] == 1
    assert measured(stack, run_id) == measured(stack, calm["id"])
    (checkpoint,) = stack.answer("GET", f"/runs/{run_id}/checkpoints")
    assert checkpoint["iteration"] == 60
    folder = stack.home / "runs" / str(run_id)
    assert sorted(file.suffix for file in folder.iterdir() if "checkpoint" in file.name) == [".pt"]
    words = [line["text"] for line in stack.answer("GET", f"/runs/{run_id}/logs?last=500")["lines"]]
    assert any("what is measured is kept on disk" in line for line in words)
    assert any("the database answers again" in line for line in words)
