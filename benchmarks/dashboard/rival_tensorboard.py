"""Writes the spectra as TensorBoard keeps them: `python -m …rival_tensorboard FOLDER RUNS LAYERS ITERATIONS`.

Each spectrum becomes a histogram of the logarithms of its eigenvalues, in TensorBoard's 30 buckets: the eigenvalues
themselves it does not keep. It runs in the environment that has TensorBoard (`make setup-rivals`).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from benchmarks.dashboard.spectra import Amount, all_series, name


def write(folder: Path, amount: Amount, runs: int) -> None:
    """Write one event file a run."""
    writers = [EventFileWriter(str(folder / f"run{run}")) for run in range(runs)]
    for run, layer, spectra in all_series(amount, runs):
        for step, values in zip(amount.steps, spectra, strict=True):
            summary = histogram_pb(name(layer), np.log10(np.maximum(values, 1e-12)))
            writers[run].add_event(Event(step=step, wall_time=1.7e9 + step, summary=summary))
    for writer in writers:
        writer.close()


if __name__ == "__main__":
    target, *numbers = sys.argv[1:]
    run_count, layer_count, iteration_count = map(int, numbers)
    write(Path(target), Amount(layers=layer_count, iterations=iteration_count), run_count)
