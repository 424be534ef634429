"""The dashboard in Chromium, beside TensorBoard and MLflow that hold the same spectra."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from playwright.sync_api import Browser

from benchmarks.dashboard import ours, rivals, serving
from benchmarks.dashboard.browser import chromium, visit
from benchmarks.dashboard.seeding import seed
from benchmarks.dashboard.spectra import Amount, name, width
from benchmarks.rounds import interleaved
from benchmarks.rows import Part, Row, alone, compared
from benchmarks.scale import Scale

WIDE = 8
"""A layer of 2048 channels."""
OURS, TENSORBOARD, MLFLOW = "compare page", "TensorBoard's histograms", "MLflow's metric page"
NOT_INSTALLED = "not measured: `make setup-rivals` installs it"


@dataclass(frozen=True)
class Places:
    """Where everything is served; no addresses of the others where they are not installed."""

    home: Path
    eigenscope: str
    pages: dict[str, str]
    tensorboard: str
    mlflow: str
    mlflow_runs: tuple[str, ...]


def measure(scale: Scale) -> Part:
    """Fill databases, start the servers, measure."""
    amount = scale.pages
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        places = _serve(Path(folder), amount, stack)
        # Before any page has asked for a run's dimensionalities.
        answers = list(_answers(places, amount, scale.pages_rounds))
        browser = stack.enter_context(chromium())
        rows = [
            *_first_charts(browser, places, scale.pages_rounds),
            *_moving(browser, places, scale),
            *answers,
        ]
    return Part("Pages", _configuration(amount), tuple(rows))


def _configuration(amount: Amount) -> str:
    return (
        f"Chromium without a GPU and with an empty cache, 1440 x 900, on the machine that serves. {amount.runs} runs x "
        f"{amount.layers} layers x {amount.iterations} iterations in SQLite, {amount.listed} runs in the list; "
        f"TensorBoard 2.21 and MLflow 3.17 hold the first {amount.in_rivals} runs, as histograms and as numbers."
    )


def _serve(folder: Path, amount: Amount, stack: ExitStack) -> Places:
    seed(folder / "home", amount)
    address = stack.enter_context(serving.ours(folder / "home"))
    pages = {OURS: ours.compare(address, min(2, amount.runs))}
    if not rivals.installed():
        return Places(folder / "home", address, pages, "", "", ())
    rivals.write("tensorboard", folder / "tensorboard", amount)
    experiment, *runs = rivals.write("mlflow", folder / "mlflow", amount)
    histograms = stack.enter_context(serving.tensorboard(folder / "tensorboard"))
    metrics = stack.enter_context(serving.mlflow(folder / "mlflow"))
    pages[TENSORBOARD] = rivals.histograms_page(histograms, WIDE)
    pages[MLFLOW] = rivals.metric_page(metrics, experiment, runs, WIDE)
    return Places(folder / "home", address, pages, histograms, metrics, tuple(runs))


def _first_charts(browser: Browser, places: Places, rounds: int) -> Iterator[Row]:
    """Yield the seconds, bytes and requests until a page shows its first chart, tool by tool."""
    wire: dict[str, list[tuple[float, float]]] = {tool: [] for tool in places.pages}

    def opened(tool: str) -> Callable[[], float]:
        def seconds() -> float:
            with visit(browser, places.pages[tool]) as found:
                wire[tool].append((found.bytes / 1e6, found.requests))
                return found.seconds

        return seconds

    found = interleaved({tool: opened(tool) for tool in places.pages}, rounds)
    mine = wire[OURS][-rounds:]
    yield alone(f"{OURS}, 2 runs: first chart", found[OURS], limit=1.5)
    yield alone(f"{OURS}, 2 runs: over the wire", [size for size, _ in mine], "MB", limit=2.0)
    yield alone(f"{OURS}, 2 runs: requests", [count for _, count in mine], "")
    for tool in (TENSORBOARD, MLFLOW):
        if tool not in found:
            yield Row(f"{tool}: first chart", None, remark=NOT_INSTALLED)
            continue
        theirs = wire[tool][-rounds:]
        yield compared(f"{tool}: first chart", found[tool], OURS, found[OURS])
        yield compared(
            f"{tool}: over the wire", [m for m, _ in theirs], OURS, [m for m, _ in mine], unit="MB"
        )
        yield alone(f"{tool}: requests", [count for _, count in theirs], "")


def _moving(browser: Browser, places: Places, scale: Scale) -> Iterator[Row]:
    """Yield how fast the cursor moves, a layer changes, and what was measured appears."""
    amount, rounds = scale.pages, scale.pages_rounds
    for runs, least in ((2, 60.0), (8, 30.0)):
        with visit(browser, ours.compare(places.eigenscope, min(runs, amount.runs))) as found:
            moved = [ours.scrub(found.page) for _ in range(rounds + 1)][1:]
            switched = [ours.switch_layer(found.page) for _ in range(rounds + 1)][1:]
        # A display of 60 Hz gives 59.9 as often as 60.1.
        rates, requests = [rate for rate, _ in moved], max(count for _, count in moved)
        yield alone(f"cursor through all snapshots, {runs} runs", rates, "/s", 0.98 * least, at_least=True)
        yield alone(f"requests meanwhile, {runs} runs", [float(requests)], "", limit=0.0)
        yield alone(f"another layer, {runs} runs: its spectra drawn", switched, limit=0.15)
    lags = [ours.live_lag(browser, places.eigenscope, places.home, amount.layers) for _ in range(rounds)]
    yield alone("a snapshot written, until its run's page shows it", lags, limit=2.0)


def _answers(places: Places, amount: Amount, rounds: int) -> Iterator[Row]:
    """Yield how fast the server answers what pages and programs ask."""
    api = f"{places.eigenscope}/api/v1"

    def dimensions(runs: Sequence[int], query: str) -> float:
        return sum(ours.answer(f"{api}/runs/{run}/dimensions?{query}")[0] for run in runs)

    two = range(1, 1 + min(2, amount.runs))
    # Each round takes two runs that nobody has asked for yet.
    pairs = [range(1 + k, 1 + min(k + 2, amount.runs)) for k in range(0, amount.runs, 2)]
    first, unread = cycle(pairs), cycle(pairs)
    fresh = (f"{1e-3 * (1 + k / 1e4):.9f}" for k in range(10_000))
    again = f"{api}/runs/1/dimensions?criterion=relative&threshold=0.002"
    spectra = f"{api}/runs/1/spectra?layer={name(WIDE)}&format=npz"
    measures: dict[str, Callable[[], float]] = {
        "page": lambda: ours.answer(places.eigenscope + "/")[0],
        "list": lambda: ours.answer(f"{api}/runs?limit={amount.listed}")[0],
        "first": lambda: dimensions(next(first), ""),
        "unread": lambda: dimensions(next(unread), "criterion=relative&threshold=0.01"),
        "fresh": lambda: dimensions(two, f"criterion=relative&threshold={next(fresh)}"),
        "again": lambda: ours.answer(again)[0],
        "layer": lambda: ours.answer(spectra)[0],
    }
    if places.tensorboard:
        measures[TENSORBOARD] = lambda: rivals.all_histograms(places.tensorboard, amount)
        measures[MLFLOW] = lambda: rivals.all_metrics(places.mlflow, list(places.mlflow_runs), amount)
    found = interleaved(measures, rounds)
    bytes_of_layer = amount.iterations * width(WIDE) * 4
    size = ours.answer(spectra)[1] / bytes_of_layer
    yield alone(f"page of {amount.listed} runs", found["page"], limit=0.2)
    yield alone(f"list of {amount.listed} runs over the API", found["list"], limit=0.2)
    yield alone("dimensions of 2 runs never asked for, by the paper's criterion", found["first"], limit=0.15)
    yield alone("the same by another criterion, from their eigenvalues", found["unread"], limit=0.15)
    yield alone("then at a threshold never asked for", found["fresh"], limit=0.15)
    yield alone("dimensions of a run, asked again", found["again"], limit=0.02)
    for tool, words in (
        (TENSORBOARD, "TensorBoard: all histograms of 2 runs"),
        (MLFLOW, "MLflow: all series of 2 runs"),
    ):
        if tool in found:
            yield compared(words, found[tool], "dimensions never asked for", found["first"])
        else:
            yield Row(words, None, remark=NOT_INSTALLED)
    yield alone("one layer's spectra, 2048 wide", found["layer"], limit=0.015)
    yield alone("the same, bytes for each byte of eigenvalues", [size], "", limit=1.05)
