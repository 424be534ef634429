"""Alternatives measured in turn, A B C A B C …, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping

import torch

Measure = Callable[[], float]
"""Does something once and returns its seconds, bytes or rate."""


def interleaved(measures: Mapping[str, Measure], rounds: int, warm_up: bool = True) -> dict[str, list[float]]:
    """Return each alternative's results of all rounds; a first round, which only warms up, is not among them."""
    results: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(-1 if warm_up else 0, rounds):
        for name, measure in measures.items():
            # One alternative's garbage is not to be collected at another's expense.
            gc.collect()
            result = measure()
            if number >= 0:
                results[name].append(result)
    return results


def timed(action: Callable[[], object], device: str = "cpu") -> Measure:
    """Return a measure of the action's seconds, including all that it has queued on a GPU."""

    def seconds() -> float:
        wait(device)
        began = time.perf_counter()
        action()
        wait(device)
        return time.perf_counter() - began

    return seconds


def wait(device: str) -> None:
    """Wait until the device has nothing left to do."""
    if device == "cuda":
        torch.cuda.synchronize()
