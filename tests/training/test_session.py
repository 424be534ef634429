"""A run from its row in the database to its exit status, as the worker starts it."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from sqlalchemy.exc import OperationalError

from backend.database import Database
from backend.errors import InvalidInput, Unavailable
from backend.measurements import repository as measurements
from backend.models import Checkpoint, Layer, Metric, Spectrum, SpectrumSummary
from backend.runs import queue, repository
from backend.runs.specification import RunSpecification
from backend.runs.start import StartReport
from backend.settings import Settings
from tests.training.stored import error_of, every, row
from worker.training import checkpoints
from worker.training.detectors import build_model
from worker.training.devices import check_precision, choose_device
from worker.training.distributed import Place
from worker.training.session import train
from worker.training.stopping import StopFlag


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """The trainer takes the root logger for itself; give it back."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level


def weights_of(settings: Settings, run_id: int, iteration: int) -> dict[str, torch.Tensor]:
    path = checkpoints.path_of(settings.run_folder(run_id), iteration)
    return checkpoints.load(path, "x")["model"]


def test_classifier_then_detector_from_it(
    settings: Settings, database: Database, queued: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    first = queued(model={"architecture": "classifier"}, training={"batch_size": 8})
    assert train(first, StopFlag()) == 0
    classified = row(database, first)
    assert classified.top1 is not None
    assert 0 <= classified.top1 <= 1
    second = queued(init={"kind": "run", "run_id": first}, probe={"images": 2, "every": 3})
    assert train(second, StopFlag()) == 0
    detected = row(database, second)
    assert detected.ap is not None
    assert detected.ap50 is not None
    assert (detected.iteration, detected.phase, detected.device) == (6, "training", "cpu")
    assert detected.parameters is not None
    assert detected.parameters > (detected.backbone_parameters or 0) > 0
    assert detected.macs
    words = capfd.readouterr().out
    assert (
        f"initial weights (run): 120 tensors taken from the checkpoint of run {first} at iteration 6" in words
    )
    assert "2 left over: fc.weight, fc.bias" in words
    assert "Drawn at random, since the weights have none: the FPN, the RPN, the box head." in words
    start = StartReport.model_validate(detected.start)
    assert start.weights is not None
    assert (start.weights.used, start.frozen_parameters) == (120, 0)
    assert start.trained_parameters == detected.parameters
    assert [part.name for part in start.parts][:6] == ["stem", "layer1", "layer2", "layer3", "layer4", "fpn"]
    assert "frozen: nothing" in words
    layers = {layer.order: layer for layer in every(database, Layer)}
    assert {layer.name for layer in layers.values()} >= {
        "layer1.0.act1",
        "layer4.1",
        "fpn.p2",
        "box_head.fc6",
    }
    summaries = every(database, SpectrumSummary)
    assert {s.iteration for s in summaries} == {0, 1, 2, 3, 6}
    for spectrum in every(database, Spectrum):
        values = np.frombuffer(spectrum.eigenvalues, "<f4")
        assert values.shape == (layers[spectrum.layer].width,)
        assert np.all(np.diff(values) <= 0)
    losses = [m for m in every(database, Metric) if m.run_id == second and m.name == "loss"]
    assert sorted(m.iteration for m in losses) == [1, 2, 3, 4, 5, 6]
    kept = [c for c in every(database, Checkpoint) if c.run_id == second]
    assert [c.file for c in kept] == [f"runs/{second}/checkpoint-00000006.pt"]


def test_another_run_starts_from_any_kept_checkpoint_and_a_run_goes_on_from_its_last(
    settings: Settings, database: Database, queued: Callable[..., int], capfd: pytest.CaptureFixture[str]
) -> None:
    first = queued(
        model={"architecture": "classifier"},
        probe={"images": 2, "every": 3},
        checkpoint_keep=["snapshots"],
        training={"iterations": 4, "warmup": 0},
    )
    assert train(first, StopFlag()) == 0
    kept = {c.iteration: c.kept_as for c in every(database, Checkpoint)}
    assert kept == {i: ["snapshot"] for i in (0, 1, 2, 3)} | {4: ["last", "snapshot"]}
    second = queued(
        init={"kind": "run", "run_id": first, "iteration": 1}, training={"iterations": 1, "warmup": 0}
    )
    assert train(second, StopFlag()) == 0
    assert f"taken from the checkpoint of run {first} at iteration 1" in capfd.readouterr().out
    with database.writing() as session:
        # As after a crash: a snapshot lies beyond the last.
        last = session.get(Checkpoint, (first, 4))
        assert last is not None
        session.delete(last)
    assert runs_checkpoint(database, first, None) == 3
    assert train(first, StopFlag()) == 0
    words = capfd.readouterr().out
    assert "going on" not in words
    assert {c.iteration for c in every(database, Checkpoint) if c.run_id == first} == {0, 1, 2, 3, 4}


def runs_checkpoint(database: Database, run_id: int, iteration: int | None) -> int | None:
    with database.reading() as session:
        found = repository.checkpoint(session, run_id, iteration)
        return found.iteration if found else None


def test_a_stopped_run_goes_on_and_ends_like_one_that_was_not(
    settings: Settings, database: Database, queued: Callable[..., int]
) -> None:
    straight, stopped = queued(), queued()
    assert train(straight, StopFlag()) == 0

    class AfterThree(StopFlag):
        """Asked once before training, then once an update."""

        asked = 0

        @property
        def requested(self) -> bool:
            self.asked += 1
            return self.asked > 4

    assert train(stopped, AfterThree()) == 3
    assert row(database, stopped).iteration == 3
    assert train(stopped, StopFlag()) == 0
    one, other = weights_of(settings, straight, 6), weights_of(settings, stopped, 6)
    assert all(torch.equal(one[name], other[name]) for name in one)
    losses = {
        run: {
            (m.name, m.iteration): m.value
            for m in every(database, Metric)
            if m.run_id == run and "loss" in m.name
        }
        for run in (straight, stopped)
    }
    assert losses[straight] == losses[stopped]
    assert sorted(os.listdir(settings.run_folder(stopped))) == [
        "checkpoint-00000006.pt",
        "weights-00000006.pt",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"training": {"lr": 100.0, "warmup": 0, "iterations": 40}}, r"the loss became nan at iteration"),
        ({"resources": {"gpus": 1}}, "resources.gpus is 1, but torch finds no GPU here"),
    ],
)
def test_known_failures_exit_with_one_sentence(
    settings: Settings, queued: Callable[..., int], changes: dict[str, Any], words: str
) -> None:
    if torch.cuda.is_available() and "resources" in changes:
        pytest.skip("this machine has a GPU")
    run_id = queued(**changes)
    assert train(run_id, StopFlag()) == 4
    assert error_of(settings, run_id).startswith(words)
    assert error_of(settings, run_id).count("\n") == 0


def refused(code: int, words: str) -> OperationalError:
    error = sqlite3.OperationalError(words)
    error.sqlite_errorcode = code
    return OperationalError("INSERT", {}, error)


def test_a_full_disk_under_the_database_is_waited_for(
    settings: Settings,
    database: Database,
    queued: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    calls = []
    real = measurements.write_metrics

    def full(*arguments: Any) -> None:
        calls.append(arguments)
        if 2 < len(calls) < 6:
            raise refused(sqlite3.SQLITE_FULL, "database or disk is full")
        real(*arguments)

    monkeypatch.setattr(measurements, "write_metrics", full)
    run_id = queued()
    assert train(run_id, StopFlag()) == 0
    losses = [m.iteration for m in every(database, Metric) if m.name == "loss"]
    assert sorted(losses) == [1, 2, 3, 4, 5, 6]
    words = capfd.readouterr().out
    assert (
        "the database does not answer (database or disk is full); what is measured is kept on disk" in words
    )
    assert "the database answers again" in words
    assert list(settings.run_folder(run_id).glob("journal-*")) == []


def test_a_database_that_refuses_for_good_is_one_sentence(
    settings: Settings, queued: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise refused(sqlite3.SQLITE_READONLY, "attempt to write a readonly database")

    monkeypatch.setattr(measurements, "write_metrics", never)
    run_id = queued()
    assert train(run_id, StopFlag()) == 4
    assert error_of(settings, run_id) == (
        "the database could not be written: attempt to write a readonly database; mend that, then resume the run"
    )


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
            "the GPU ran out of memory; lower",
        ),
        (MemoryError(), "the machine ran out of memory; lower training.batch_size"),
    ],
)
def test_out_of_memory_fails_at_once_with_the_mend(
    settings: Settings,
    queued: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    begins: str,
) -> None:
    def too_large(*_: Any) -> None:
        raise error

    monkeypatch.setattr("worker.training.update.Update._losses", too_large)
    run_id = queued()
    assert train(run_id, StopFlag()) == 4
    assert error_of(settings, run_id).startswith(begins)


@pytest.mark.parametrize(("number", "status", "saved"), [(signal.SIGTERM, 3, 4), (signal.SIGKILL, -9, 2)])
def test_a_trainer_ended_while_it_writes_a_checkpoint_goes_on(
    settings: Settings,
    database: Database,
    queued: Callable[..., int],
    number: signal.Signals,
    status: int,
    saved: int,
) -> None:
    """SIGTERM lets it write to the end; after SIGKILL there is the one before."""
    run_id = queued(training={"iterations": 6, "warmup": 0}, checkpoint_every=2)
    code = (
        "import os, sys\n"
        "from worker.training import checkpoints, train\n"
        "real, saves = checkpoints._write, []\n"
        "def write(path, content):\n"
        "    saves.append(path)\n"
        "    if len(saves) == 2:\n"
        "        real(path, content[: len(content) // 2])\n"
        f"        os.kill(os.getpid(), {int(number)})\n"
        "    real(path, content)\n"
        "checkpoints._write = write\n"
        f"sys.exit(train.main(['--run', '{run_id}']))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], timeout=120, check=False)
    assert ended.returncode == status
    folder = settings.run_folder(run_id)
    assert [c.file for c in every(database, Checkpoint)] == [f"runs/{run_id}/checkpoint-{saved:08d}.pt"]
    assert checkpoints.load(checkpoints.path_of(folder, saved), "x")["iteration"] == saved
    assert train(run_id, StopFlag()) == 0
    losses = [m.iteration for m in every(database, Metric) if m.name == "loss"]
    assert sorted(losses) == [1, 2, 3, 4, 5, 6]
    assert sorted(path.name for path in folder.iterdir()) == ["checkpoint-00000006.pt", "weights-00000006.pt"]


def test_weights_that_do_not_fit_fail_before_training(
    settings: Settings,
    database: Database,
    queued: Callable[..., int],
    specification: Callable[..., RunSpecification],
) -> None:
    settings.data.mkdir(parents=True)
    fits = build_model(specification().model, 3, 64).state_dict()
    torch.save(fits, settings.data / "w.pth")
    run_id = queued(init={"kind": "file", "file": "w.pth"})
    torch.save(fits | {"backbone.body.conv1.weight": torch.zeros(3)}, settings.data / "w.pth")
    with pytest.raises(InvalidInput) as refused:
        queued(init={"kind": "file", "file": "w.pth"})
    assert train(run_id, StopFlag()) == 4
    assert error_of(settings, run_id) == str(refused.value)
    assert "w.pth holds 'backbone.body.conv1.weight' with shape (3,), but the model's" in str(refused.value)
    assert every(database, Metric) == []


def test_a_run_taken_away_is_left_alone(
    settings: Settings, database: Database, queued: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = queued()
    monkeypatch.setenv("EIGENSCOPE_LEASE_OWNER", "mine")
    with database.writing() as session:
        assert queue.claim_next(session, "another", 60) == run_id
    assert train(run_id, StopFlag()) == 3
    assert every(database, Metric) == []
    assert every(database, Checkpoint) == []


def test_a_run_that_is_not_there(settings: Settings, database: Database) -> None:
    assert train(77, StopFlag()) == 4
    assert error_of(settings, 77) == "there is no run 77"


def test_the_process_stops_on_the_signal_and_resumes(
    settings: Settings, database: Database, queued: Callable[..., int]
) -> None:
    run_id = queued(training={"iterations": 4000})
    command = [sys.executable, "-m", "worker.training.train", "--run", str(run_id)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "EIGENSCOPE_SUPERVISOR": str(os.getpid())}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 120
        while row(database, run_id).iteration < 2 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGUSR1)
        words, _ = process.communicate(timeout=60)
    assert process.returncode == 3, words
    assert "on request" in words
    saved = [c for c in every(database, Checkpoint) if c.run_id == run_id]
    assert len(saved) == 1
    assert saved[0].iteration == row(database, run_id).iteration >= 2


def test_a_request_to_stop_while_torch_is_imported_is_heard(
    settings: Settings, queued: Callable[..., int]
) -> None:
    run_id = queued(training={"iterations": 4000})
    command = [sys.executable, "-m", "worker.training.train", "--run", str(run_id)]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    try:
        process = subprocess.Popen(
            command, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    process.send_signal(signal.SIGUSR1)
    process.communicate(timeout=120)
    assert process.returncode == 3


def test_an_orphan_stops() -> None:
    assert not StopFlag(os.getppid()).requested
    assert StopFlag(os.getppid() + 1).requested


def test_choice_of_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device(0).type == choose_device(None).type == choose_device(0, Place(1, 2)).type == "cpu"
    with pytest.raises(Unavailable, match="set it to 0 or leave it empty"):
        choose_device(1)
    with pytest.raises(Unavailable, match="gpus is 4, but torch finds no GPU here"):
        choose_device(4, Place(0, 4))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _index: None)
    assert (choose_device(0).type, choose_device(None).type, choose_device(1).type) == ("cpu", "cuda", "cuda")
    assert choose_device(2, Place(1, 2)) == torch.device("cuda", 1)
    with pytest.raises(Unavailable, match="gpus is 4, but torch finds 2 here"):
        choose_device(4, Place(0, 4))
    with pytest.raises(InvalidInput, match="let a worker start the run"):
        choose_device(4)


def test_half_precision_is_for_gpus() -> None:
    check_precision("fp16", torch.device("cuda"))
    check_precision("bf16", torch.device("cpu"))
    with pytest.raises(InvalidInput, match=r"training\.amp fp16 needs a GPU"):
        check_precision("fp16", torch.device("cpu"))
