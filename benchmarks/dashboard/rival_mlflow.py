"""Writes the spectra as MLflow keeps them: `python -m benchmarks.dashboard.rival_mlflow FOLDER RUNS LAYERS ITERATIONS`.

MLflow's metrics are single numbers, so that it gets each spectrum's dimensionality. It runs in the environment that has
MLflow (`make setup-rivals`), and prints the experiment's and the runs' ids.
"""

from __future__ import annotations

import sys
from pathlib import Path

from mlflow.entities import Metric
from mlflow.tracking import MlflowClient

from benchmarks.dashboard.spectra import Amount, all_series, dimensionalities, name

BATCH = 1000
"""Metrics of one request, MLflow's most."""


def write(folder: Path, amount: Amount, runs: int) -> list[str]:
    """Write into an SQLite store; return the experiment's id and the runs'."""
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = str(client.create_experiment("spectra"))
    ids = [str(client.create_run(experiment, run_name=f"run{run}").info.run_id) for run in range(runs)]
    pending: list[Metric] = []
    for run, layer, spectra in all_series(amount, runs):
        for step, count in zip(amount.steps, dimensionalities(spectra), strict=True):
            pending.append(Metric(name(layer), float(count), 1_700_000_000_000 + step, step))
        if len(pending) > BATCH - amount.iterations or layer == amount.layers - 1:
            client.log_batch(ids[run], metrics=pending)
            pending = []
    for run_id in ids:
        client.set_terminated(run_id)
    return [experiment, *ids]


if __name__ == "__main__":
    target, *numbers = sys.argv[1:]
    run_count, layer_count, iteration_count = map(int, numbers)
    Path(target).mkdir(parents=True, exist_ok=True)
    print(*write(Path(target), Amount(layers=layer_count, iterations=iteration_count), run_count))
