"""How a trainer's end is told, and which ends are tried again: out of memory is not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from worker.endings import ending, kills_for_memory
from worker.trainer_process import FAILED
from worker.training.memory import out_of_memory


@pytest.mark.parametrize("status", [-9, 137])
def test_a_signal_from_outside_is_tried_again_and_names_the_likely_mend(status: int) -> None:
    how = ending(status, None, "iteration 3", out_of_memory=False)
    assert how.again
    assert how.sentence == (
        "the trainer was ended by SIGKILL; if the machine ran out of memory, lower training.batch_size or "
        "training.image_size, or give the machine more memory"
    )
    assert ending(-15, None, None, False).sentence == "the trainer was ended by SIGTERM"


def test_the_kernels_killer_would_come_back() -> None:
    how = ending(-9, None, None, out_of_memory=True)
    assert not how.again
    assert how.sentence.startswith(
        "the machine ran out of memory and ended the trainer; lower training.batch_size"
    )


def test_failures_and_crashes_are_not_tried_again() -> None:
    assert ending(FAILED, "lower training.lr", "x", True) == ending(FAILED, "lower training.lr", None, False)
    crash = ending(1, None, "KeyError: 'x'", False)
    assert (crash.again, crash.sentence) == (
        False,
        "the trainer crashed with exit status 1: KeyError: 'x' (the log has the trace)",
    )
    assert "it printed nothing" in ending(2, None, None, False).sentence


def test_the_control_group_tells_of_kills(tmp_path: Path) -> None:
    mine, root = tmp_path / "cgroup", tmp_path / "sys"
    (root / "a" / "b").mkdir(parents=True)
    mine.write_text("0::/a/b\n")
    assert kills_for_memory(mine, root) is None
    (root / "a" / "b" / "memory.events").write_text("low 0\nhigh 0\nmax 12\noom 2\noom_kill 2\n")
    assert kills_for_memory(mine, root) == 2
    mine.write_text("5:memory:/c\n3:cpu:/c\n")
    (root / "memory" / "c").mkdir(parents=True)
    (root / "memory" / "c" / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 5\n")
    assert kills_for_memory(mine, root) == 5
    assert kills_for_memory(tmp_path / "nowhere", root) is None


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried"),
            "the GPU ran out of memory; lower training.batch_size",
        ),
        (MemoryError(), "the machine ran out of memory; lower training.batch_size"),
        (
            RuntimeError(
                "[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried"
            ),
            "the machine ran out of memory; lower",
        ),
    ],
)
def test_out_of_memory_is_one_sentence(error: Exception, begins: str) -> None:
    assert (out_of_memory(error) or "").startswith(begins)


def test_other_errors_are_not_called_out_of_memory() -> None:
    assert out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied")) is None


def test_what_torch_says_of_a_machine_without_memory() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**50)
    assert out_of_memory(refused.value)
