"""The trainer process: `python -m worker.training.train --run ID`, with settings from the environment.

Under torchrun it is one of several ranks that share each batch (`worker.training.launch`).

Exit status 0: finished. 3: stopped on request, a checkpoint is written. 4: failed for a reason that stands, in one
sentence, in `error.txt` in the run's folder. Anything else is a crash, with a traceback on standard error.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys

from worker.training.stopping import StopFlag


def main(arguments: list[str] | None = None) -> int:
    """Train one run and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m worker.training.train", description="Train one run.")
    parser.add_argument("--run", type=int, required=True, help="the run's number")
    run_id: int = parser.parse_args(arguments).run
    supervisor = os.environ.get("EIGENSCOPE_SUPERVISOR")
    stop = StopFlag(int(supervisor) if supervisor else None)
    stop.listen()
    # Threads that wait for each other by spinning stand still where server, browser or another run share the cores:
    # measured on 2 busy cores, an iteration took 4.7 s instead of 0.7. OpenMP reads this when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Importing torch takes seconds, in which a request to stop must find its handler: hence after it.
    session = importlib.import_module("worker.training.session")
    status: int = session.train(run_id, stop)
    return status


if __name__ == "__main__":
    sys.exit(main())
