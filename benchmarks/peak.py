"""Trains once and prints the most bytes that this process, or its part of the GPU, ever held.

`python -m benchmarks.peak TRAINING PROBED`, both JSON; see `memory`.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import torch

from benchmarks.scale import Training
from benchmarks.training import Pictures

# Of this program alone: the resource module's figure would begin with what its parent held.
PEAK = re.compile(r"^VmHWM:\s*(\d+) kB$", re.MULTILINE)


def main(training: str, probed: str) -> None:
    """Train and print the peak in bytes."""
    wanted = Training(**json.loads(training))
    with Pictures(wanted) as bench:
        bench.seconds(json.loads(probed))
    print(_peak(wanted.device))


def _peak(device: str) -> int:
    if device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    found = PEAK.search(Path("/proc/self/status").read_text())
    if found is None:
        raise SystemExit("peak memory is read from /proc/self/status, which only Linux has")
    return 1024 * int(found[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
