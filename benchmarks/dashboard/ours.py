"""What is measured of Eigenscope's own pages and answers."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page

from backend.database import Database
from backend.measurements import repository
from backend.measurements.records import SpectrumRow
from backend.models import Run
from backend.settings import Settings
from benchmarks.dashboard.browser import MILLISECONDS, visit
from benchmarks.dashboard.spectra import dimensionalities, name, series, width

SCRUB = """async (steps) => {
  const range = document.getElementById("iteration");
  const frame = () => new Promise(requestAnimationFrame);
  const began = performance.now(), before = performance.getEntriesByType("resource").length;
  for (let k = 0; k < steps; k++) {
    range.value = String(k % (Number(range.max) + 1));
    range.dispatchEvent(new Event("input", { bubbles: true }));
    await frame();
  }
  const seconds = (performance.now() - began) / 1000;
  return [steps / seconds, performance.getEntriesByType("resource").length - before];
}"""
SWITCH = """async () => {
  const chart = document.querySelector('[data-figure="spectrum"] .plot');
  const drawn = new Promise((done) => chart.once("plotly_afterplot", () => requestAnimationFrame(done)));
  const began = performance.now();
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true }));
  await drawn;
  return (performance.now() - began) / 1000;
}"""


def compare(address: str, runs: int) -> str:
    """Return the address of the page that compares the first `runs` runs, at a wide layer."""
    return f"{address}/compare?runs={','.join(str(k + 1) for k in range(runs))}&layer={name(8)}"


def scrub(page: Page, steps: int = 200) -> tuple[float, int]:
    """Move the cursor through the snapshots; return updates a second and how many requests that made."""
    rate, requests = page.evaluate(SCRUB, steps)
    return float(rate), int(requests)


def switch_layer(page: Page) -> float:
    """Step to the layer before; return the seconds until its spectrum is drawn."""
    return float(page.evaluate(SWITCH))


def answer(address: str, headers: Sequence[tuple[str, str]] = ()) -> tuple[float, int]:
    """Return the seconds and bytes of one answer."""
    request = urllib.request.Request(address, headers=dict(headers))
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as response:
        size = len(response.read())
    return time.perf_counter() - began, size


def live_lag(browser: Browser, address: str, home: Path, layers: int) -> float:
    """Write a snapshot of a running run; return the seconds until its page has it under the cursor."""
    database = Database(Settings(home=home, _env_file=None).database)
    with database.writing() as session:
        run = session.get(Run, 1)
        assert run is not None  # noqa: S101 - seeded
        run.status, run.iterations = "running", run.iterations + 100
        iteration = run.iterations
        run.revision += 1
    with visit(browser, f"{address}/runs/1") as found:
        began = time.perf_counter()
        with database.writing() as session:
            rows = []
            for layer in range(layers):
                values = series(0, layer, 1)[0]
                count = int(dimensionalities(values[None])[0])
                rows.append(
                    SpectrumRow(
                        layer, values, count, float(values.sum()), float(values[0]), 64, 64 * width(layer)
                    )
                )
            repository.write_spectra(session, 1, iteration, rows)
            run = session.get(Run, 1)
            assert run is not None  # noqa: S101 - seeded
            run.iteration, run.revision = iteration, run.revision + 1
        shown = f"document.getElementById('iteration-text').textContent.replaceAll(',', '').includes('{iteration}')"
        found.page.wait_for_function(shown, timeout=MILLISECONDS)
        seconds = time.perf_counter() - began
    database.dispose()
    return seconds
