"""How a trainer ended, told from its exit status in one sentence, and whether to try again."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from worker.trainer_process import FAILED

OF_A_SHELL = 128
"""What torchrun's launcher adds to the number of the signal that ended a rank, as a shell does."""
MEND = "lower training.batch_size or training.image_size, or give the machine more memory"


@dataclass(frozen=True)
class Ending:
    """Why a trainer ended that neither finished nor stopped; `again` where the same may well go right next time."""

    sentence: str
    again: bool


def ending(exit_status: int, told: str | None, last_words: str | None, out_of_memory: bool) -> Ending:
    """Return it, given what `error.txt` says, the last line printed, and whether the kernel killed for memory.

    A signal from outside (an operator, a reboot, a fault of the driver) says nothing against the run: it goes on from
    its last checkpoint. The kernel's out-of-memory killer would come back, and a crash or a failure too.
    """
    if exit_status == FAILED and told:
        return Ending(told, again=False)
    number = _signal(exit_status)
    if number == signal.SIGKILL and out_of_memory:
        return Ending(f"the machine ran out of memory and ended the trainer; {MEND}", again=False)
    if number is not None:
        hint = f"; if the machine ran out of memory, {MEND}" if number == signal.SIGKILL else ""
        return Ending(f"the trainer was ended by {number.name}{hint}", again=True)
    words = (last_words or "it printed nothing")[:500]
    return Ending(
        f"the trainer crashed with exit status {exit_status}: {words} (the log has the trace)", again=False
    )


def _signal(exit_status: int) -> signal.Signals | None:
    number = -exit_status if exit_status < 0 else exit_status - OF_A_SHELL
    return signal.Signals(number) if number in {int(one) for one in signal.Signals} else None


def kills_for_memory(
    cgroups: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")
) -> int | None:
    """Return how often the kernel has killed for memory in this process' control group; None where it does not tell."""
    try:
        for line in cgroups.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                return _count(root / path.lstrip("/") / "memory.events")
            if "memory" in controllers.split(","):
                return _count(root / "memory" / path.lstrip("/") / "memory.oom_control")
    except (OSError, ValueError):
        return None
    return None


def _count(file: Path) -> int | None:
    rows = dict(line.split() for line in file.read_text().splitlines())
    return int(rows["oom_kill"]) if "oom_kill" in rows else None
