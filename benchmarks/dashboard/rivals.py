"""What is measured of TensorBoard and MLflow, asked for what they can do of it."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from pathlib import Path
from urllib.parse import quote, urlencode

from benchmarks.dashboard.serving import RIVALS
from benchmarks.dashboard.spectra import Amount, name

ROOT = Path(__file__).resolve().parents[2]
"""From where the writers are run as modules."""


def installed() -> bool:
    """Whether `make setup-rivals` was run."""
    return all((RIVALS / tool).exists() for tool in ("tensorboard", "mlflow"))


def write(tool: str, folder: Path, amount: Amount) -> list[str]:
    """Write the spectra as `tool` keeps them; return the words it printed."""
    numbers = [str(n) for n in (amount.in_rivals, amount.layers, amount.iterations)]
    command = [str(RIVALS / "python"), "-m", f"benchmarks.dashboard.rival_{tool}", str(folder), *numbers]
    found = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return found.stdout.split()


def histograms_page(address: str, layer: int) -> str:
    """Return TensorBoard's page of one layer's histograms, every run's beside the others'."""
    return f"{address}/?{urlencode({'tagFilter': name(layer) + '$'})}#timeseries"


def metric_page(address: str, experiment: str, runs: list[str], layer: int) -> str:
    """Return MLflow's page of one layer's dimensionality in all runs."""
    keys = {
        "runs": json.dumps(runs),
        "metric": json.dumps(name(layer)),
        "experiments": json.dumps([experiment]),
        "plot_metric_keys": json.dumps([name(layer)]),
        "plot_layout": "{}",
        "x_axis": "step",
        "y_axis_scale": "linear",
        "line_smoothness": "1",
        "show_point": "false",
        "deselected_curves": "[]",
        "last_linear_y_axis_range": "[]",
    }
    return f"{address}/#/metric?" + "&".join(f"{key}={quote(value)}" for key, value in keys.items())


def all_histograms(address: str, amount: Amount) -> float:
    """Return the seconds in which TensorBoard hands out every layer's histograms of its runs."""
    began = time.perf_counter()
    for run in range(amount.in_rivals):
        for layer in range(amount.layers):
            query = urlencode({"run": f"run{run}", "tag": name(layer)})
            _read(f"{address}/data/plugin/histograms/histograms?{query}")
    return time.perf_counter() - began


def all_metrics(address: str, runs: list[str], amount: Amount) -> float:
    """Return the seconds in which MLflow hands out every layer's dimensionality of its runs, by its fastest call."""
    began = time.perf_counter()
    for layer in range(amount.layers):
        query = [("run_ids", run) for run in runs] + [("metric_key", name(layer)), ("max_results", "2500")]
        _read(f"{address}/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{urlencode(query)}")
    return time.perf_counter() - began


def _read(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as response:
        return bytes(response.read())
