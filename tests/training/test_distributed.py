"""Several processes train one run as one would: together, on the same weights, to the same end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from backend.database import Database
from backend.models import Checkpoint
from backend.runs.specification import RunSpecification
from backend.settings import Settings
from tests.training.stored import error_of, every, row
from tests.training.trained import same
from worker.training import checkpoints, launch
from worker.training.snapshots import make_probe, spectrum_rows


@pytest.fixture(scope="module")
def ranks(shapes: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What two processes made of the same runs, rank by rank (`tests.training.two_ranks`)."""
    out = tmp_path_factory.mktemp("ranks")
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = ["-m", "tests.training.two_ranks", str(shapes), str(out)]
    done = subprocess.run(
        [*torchrun, *script],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return [torch.load(out / f"rank-{rank}.pt", weights_only=True) for rank in (0, 1)]


@pytest.mark.parametrize("what", ["straight", "interrupted", "one update", "frozen"])
def test_all_ranks_have_the_same_weights(ranks: list[dict[str, Any]], what: str) -> None:
    assert same(ranks[0][what]["weights"], ranks[1][what]["weights"])


def test_ranks_sample_on_their_own_and_one_speaks(ranks: list[dict[str, Any]]) -> None:
    first, second = (rank["straight"] for rank in ranks)
    assert not torch.equal(first["random"], second["random"])
    assert sorted(first["losses"]) == [1, 2, 3, 4, 5, 6]
    assert (second["losses"], second["snapshots"]) == ({}, {})


def test_a_wish_that_reaches_one_rank_stops_all_and_resuming_is_exact(ranks: list[dict[str, Any]]) -> None:
    for rank in ranks:
        assert rank["interrupted"]["stopped_at"] == 3
        assert same(rank["straight"]["weights"], rank["interrupted"]["weights"])
        assert torch.equal(rank["straight"]["random"], rank["interrupted"]["random"])
    straight, interrupted = ranks[0]["straight"]["snapshots"], ranks[0]["interrupted"]["snapshots"]
    assert sorted(straight) == sorted(interrupted) == [0, 1, 2, 4, 6]
    for iteration, spectra in straight.items():
        assert all(map(torch.equal, spectra, interrupted[iteration]))
    assert ranks[0]["interrupted"]["iterations"] == [1, 2, 3, 4, 5, 6]


def test_one_update_of_two_is_that_of_one(
    ranks: list[dict[str, Any]],
    make_loop: Callable[..., Any],
    specification: Callable[..., RunSpecification],
) -> None:
    """The mean over halves of a batch is that over the batch, where each example counts the same.

    So it is for a classifier. A detector's losses are means over the anchors and proposals sampled in a rank's
    images, so that an image counts more where its rank sampled few; and the ranks sample by generators of their own.
    """
    wanted = specification(
        model={"architecture": "classifier", "norm": "group"},
        training={"iterations": 1, "warmup": 0, "batch_size": 4},
    )
    loop, memory = make_loop(wanted)
    before = {name: value.clone() for name, value in loop._model.state_dict().items()}
    loop.run()
    together = ranks[0]["one update"]
    for name, value in loop._model.state_dict().items():
        torch.testing.assert_close(together["weights"][name], value, rtol=0, atol=1e-6)
    assert any(not torch.equal(before[name], value) for name, value in together["weights"].items())
    assert together["losses"][1]["loss"] == pytest.approx(memory.losses()[1]["loss"], rel=1e-6)


def test_spectra_are_those_of_one_process(
    ranks: list[dict[str, Any]],
    make_loop: Callable[..., Any],
    specification: Callable[..., RunSpecification],
) -> None:
    probe = {"images": 3, "every": 2, "maps": ["act", "block", "fpn", "rpn", "box_head"]}
    loop, _ = make_loop(specification(model={"norm": "group"}, probe=probe))
    loop._model.load_state_dict(ranks[0]["straight"]["weights"])
    parts = loop._parts
    again = spectrum_rows(
        make_probe(parts.model, parts.validation, parts.specification.probe, lambda: False).measure()
    )
    logged = ranks[0]["straight"]["snapshots"][6]
    assert len(again) == len(logged) > 20
    for row_, values in zip(again, logged, strict=True):
        largest = float(values.abs().max())
        torch.testing.assert_close(
            torch.from_numpy(row_.eigenvalues.copy()), values, rtol=1e-6, atol=1e-6 * largest
        )


def start(run_id: int, processes: int = 2) -> subprocess.Popen[str]:
    """Start what the worker starts where several GPUs share a run."""
    command = [sys.executable, "-m", "worker.training.launch", "--run", str(run_id)]
    return subprocess.Popen(
        [*command, "--processes", str(processes)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "EIGENSCOPE_SUPERVISOR": str(os.getpid())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def wait_for(database: Database, run_id: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while row(database, run_id).iteration < 2 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.2)


def test_the_signal_to_stop_reaches_all_ranks(
    settings: Settings,
    database: Database,
    queued: Callable[..., int],
) -> None:
    run_id = queued(training={"iterations": 4000}, resources={"gpus": 0})
    with start(run_id) as process:
        wait_for(database, run_id, process)
        process.send_signal(signal.SIGUSR1)
        words, _ = process.communicate(timeout=60)
    assert process.returncode == 3, words
    assert words.count("on request") == 1
    (saved,) = every(database, Checkpoint)
    assert saved.iteration == row(database, run_id).iteration >= 2
    state = checkpoints.load(settings.home / saved.file, "x")
    assert len(state["random_of_others"]) == 1


def test_a_rank_that_dies_ends_all(
    settings: Settings,
    database: Database,
    queued: Callable[..., int],
) -> None:
    run_id = queued(training={"iterations": 4000}, resources={"gpus": 0})
    with start(run_id) as process:
        wait_for(database, run_id, process)
        ranks = list(launch.children_of(process.pid))
        assert len(ranks) == 2
        os.kill(ranks[1], signal.SIGKILL)
        words, _ = process.communicate(timeout=60)
    assert process.returncode not in (0, 3, 4), words
    assert "rank 1 by SIGKILL" in words.splitlines()[-1] or "rank 0 by SIGKILL" in words.splitlines()[-1]
    assert not any(Path(f"/proc/{rank}").exists() for rank in ranks)


def test_too_few_gpus_are_one_sentence(settings: Settings, queued: Callable[..., int]) -> None:
    if torch.cuda.device_count() >= 2:
        pytest.skip("this machine has the GPUs")
    run_id = queued(resources={"gpus": 2})
    with start(run_id) as process:
        words, _ = process.communicate(timeout=100)
    assert process.returncode == 4, words
    assert error_of(settings, run_id).startswith("resources.gpus is 2, but torch finds")


def test_how_ranks_ended_is_how_the_run_ended() -> None:
    assert launch.status_of([3, -15]) == 3
    assert launch.status_of([1, 4]) == 4
    assert launch.status_of([1]) == 1
    assert launch.status_of([-9]) == 137
