"""Several trainers as one: `python -m worker.training.launch --run ID --processes N`.

Starts `worker.training.train` N times under torchrun, on this machine, and ends as they do: with the exit status that
a trainer alone would have had. SIGUSR1 is passed on to every rank, since torchrun passes no wish to stop on; they
agree among themselves on the iteration at which they stop.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from worker.training.stopping import StopFlag

LOOK_SECONDS = 0.5
STOPPED, FAILED = 3, 4


def main(arguments: list[str] | None = None) -> int:
    """Train one run by several processes and return their exit status."""
    options = _options(arguments)
    # The ranks inherit the mask: a wish that comes before a rank has its handler is then not lost, nor its end.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    supervisor = os.environ.get("EIGENSCOPE_SUPERVISOR")
    os.environ["EIGENSCOPE_SUPERVISOR"] = str(os.getpid())
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, len(os.sched_getaffinity(0)) // options.processes)))
    orphaned = StopFlag(int(supervisor) if supervisor else None)
    threading.Thread(target=_pass_on, args=(orphaned,), daemon=True).start()
    return _torchrun(options.processes, ["-m", "worker.training.train", "--run", str(options.run)])


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m worker.training.launch", description="Train one run.")
    parser.add_argument("--run", type=int, required=True, help="the run's number")
    parser.add_argument("--processes", type=int, required=True, help="how many share each batch")
    return parser.parse_args(arguments)


def _pass_on(orphaned: StopFlag) -> None:
    """Wait for the wish to stop, then tell it once to every rank, also to one that is born later."""
    while signal.sigtimedwait({signal.SIGUSR1}, LOOK_SECONDS) is None and not orphaned.requested:
        pass
    told: set[int] = set()
    while True:
        # A second time might meet a rank that has stopped and has no handler any more.
        for rank in set(children_of(os.getpid())) - told:
            _tell(rank)
            told.add(rank)
        time.sleep(LOOK_SECONDS)


def _tell(rank: int) -> None:
    try:
        os.kill(rank, signal.SIGUSR1)
    except ProcessLookupError:
        return


def children_of(parent: int) -> Iterator[int]:
    """Yield the processes that a process has started and that have not ended, as Linux lists them."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name before the closing bracket may hold anything; after it come the state and the parent.
            state, its_parent = file.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if int(its_parent) == parent and state != "Z":
            yield int(file.parent.name)


def _torchrun(processes: int, command: list[str]) -> int:
    # Importing torch takes seconds, in which a request to stop must be heard: hence after the thread.
    launcher = importlib.import_module("torch.distributed.launcher.api")
    multiprocessing = importlib.import_module("torch.distributed.elastic.multiprocessing")
    config = launcher.LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=str(os.getpid()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    # It would call a stop on request a failure; how ranks ended is said here.
    logging.getLogger("torch.distributed.elastic.multiprocessing.api").setLevel(logging.CRITICAL)
    try:
        launcher.elastic_launch(config, sys.executable)(*command)
    except multiprocessing.errors.ChildFailedError as failed:
        return _ended({rank: failure.exitcode for rank, failure in failed.failures.items()})
    except multiprocessing.SignalException as ended:
        return 128 + int(ended.sigval)
    return 0


def _ended(statuses: Mapping[int, int]) -> int:
    status = status_of(list(statuses.values()))
    if status not in (FAILED, STOPPED):
        words = ", ".join(f"rank {rank} {_described(one)}" for rank, one in sorted(statuses.items()))
        sys.stdout.write(f"the processes that share the run were ended: {words}\n")
    return status


def _described(status: int) -> str:
    return f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"


def status_of(statuses: Sequence[int]) -> int:
    """Return how the run ended, from how its ranks ended that did not finish.

    One that stopped or failed for a reason says so for all: the others were ended because of it. A signal becomes 128
    and its number, as in a shell.
    """
    known = [status for status in (FAILED, STOPPED) if status in statuses]
    if known:
        return known[0]
    return statuses[0] if statuses[0] > 0 else 128 - statuses[0]


if __name__ == "__main__":
    sys.exit(main())
