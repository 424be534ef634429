"""One filled server that shows every page at its fullest, and the list of all pages."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from fastapi.testclient import TestClient
from playwright.sync_api import Page
from sqlalchemy import update
from sqlalchemy.orm import Session

from backend.database import Database
from backend.datasets import registration
from backend.datasets.coco import read_coco
from backend.datasets.shapes import ShapesParameters
from backend.measurements import repository as measurements
from backend.measurements.records import PredictionRow
from backend.models import Dataset, Run, WidthPlan, Worker
from backend.settings import Settings
from eigenscope.server import build_app

HERE = Path(__file__).parent
PICTURED = 8
GIB = 2**30


@dataclass(frozen=True)
class Shot:
    """A page: what its picture and its heading are called, and its address."""

    name: str
    title: str
    address: str
    press: str = ""
    """Keys to press then, such as `?` for the list of keys."""


DRAWN = """async () => {
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  for (let y = 0; y < document.documentElement.scrollHeight; y += 600) {
    scrollTo(0, y);
    await pause(80);
  }
  const waiting = () => document.querySelector("figure.chart[data-state=loading]");
  for (let k = 0; k < 300 && waiting(); k++) {
    waiting().scrollIntoView();
    await pause(100);
  }
  scrollTo(0, 0);
  await pause(300);
}"""


def settle(page: Page) -> None:
    """Scroll through a page until all its charts are drawn, and back to its top."""
    page.evaluate(DRAWN)


def seed_gallery(settings: Settings) -> list[Shot]:
    """Fill an empty home and return its pages."""
    seed, recorded, widths = (_load(name) for name in ("seed", "seed_recorded", "seed_widths"))
    database = Database(settings.database)
    roles: dict[str, int] = seed.seed_runs(database)
    dataset = registration.register_shapes(
        database, settings, "shapes with pictures", ShapesParameters(train=24, val=12, size=192, seed=3)
    )
    with database.writing() as session:
        roles |= recorded.seed_recorded(session)
        _move_runs(session, dataset.id)
        _add_predictions(session, roles["I"], dataset)
        source = widths.add_source(session, dataset.id, "I: Faster R-CNN, ResNet-50 FPN")
        session.add_all(_workers(roles["running"]))
        roles["source"] = source.id
    plan = _launch_plan(settings, database, roles["source"])
    database.dispose()
    return _pages(roles, plan, dataset.id)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"gallery_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _pages(roles: dict[str, int], plan: int, dataset: int) -> list[Shot]:
    pair = f"{roles['I']},{roles['S']}"
    view = "layer=layer4.1&i=1200"
    return [
        Shot("runs", "Runs", "/"),
        Shot("new-run", "New run", "/new"),
        Shot("run", "Run", f"/runs/{roles['I']}?{view}"),
        Shot("run-training", "Run, while it trains", f"/runs/{roles['running']}"),
        Shot("run-failed", "Run, failed", f"/runs/{roles['failed']}"),
        Shot("run-recorded", "Run, recorded", f"/runs/{roles['recorded']}"),
        Shot("run-waiting", "Run, waiting", f"/runs/{roles['queued']}"),
        Shot("compare", "Compare", f"/compare?runs={pair}&{view}"),
        Shot("compare-three", "Compare, three runs", f"/compare?runs={pair},{roles['running']}&{view}"),
        Shot("compare-empty", "Compare, nothing chosen", "/compare"),
        Shot("widths", "Widths", f"/widths?run={roles['source']}"),
        Shot("width-plan", "Width plan", f"/widths/{plan}"),
        Shot("datasets", "Datasets", "/datasets"),
        Shot("dataset", "Dataset", f"/datasets/{dataset}"),
        Shot("system", "System", "/system"),
        Shot("keys", "Keys", f"/compare?runs={pair}&{view}", "?"),
        Shot("sign-in", "Sign in", "/sign-in"),
        Shot("not-found", "Not found", "/runs/999"),
    ]


def _move_runs(session: Session, dataset_id: int) -> None:
    """Let all runs stand on the dataset that has files, and forget the one that has none."""
    for run in session.query(Run).where(Run.dataset_id.is_not(None)):
        run.dataset_id = dataset_id
        run.specification = {**run.specification, "dataset_id": dataset_id}
    session.flush()
    session.delete(session.query(Dataset).where(Dataset.id != dataset_id).one())


def _add_predictions(session: Session, run_id: int, dataset: Dataset) -> None:
    rng = np.random.default_rng(0)
    truth = read_coco(Path(dataset.val))
    rows = []
    for image in truth.images[:PICTURED]:
        own = [one for one in truth.annotations if one.image_id == image.id]
        there = [
            {"bbox": [round(float(x), 1) for x in one.bbox], "category_id": one.category_id} for one in own
        ]
        found = [
            {
                **one,
                "bbox": [round(float(x + rng.normal(0, 2)), 1) for x in one["bbox"]],
                "score": round(float(rng.uniform(0.4, 1)), 3),
            }
            for one in there
        ]
        size = {"width": image.width, "height": image.height}
        data = {"file_name": image.file_name, **size, "objects": len(there), "truth": there, "found": found}
        rows.append(PredictionRow(image.id, data))
    measurements.write_predictions(session, run_id, 1200, rows)


def _workers(busy: int) -> list[Worker]:
    def gpu(index: int) -> dict[str, object]:
        return {"name": "NVIDIA H100 80GB HBM3", "index": index, "memory_bytes": 80 * GIB}

    return [
        Worker(name=f"gpu-1:77:{k}", host="gpu-1", devices=[gpu(k)], run_id=busy if not k else None)
        for k in range(2)
    ]


def _launch_plan(settings: Settings, database: Database, source: int) -> int:
    """Plan the widths of a smaller network, launch it, and let all its runs have ended but one."""
    with TestClient(build_app(settings), base_url="http://127.0.0.1") as client:
        plan = int(client.post("/api/v1/width-plans", json={"run_id": source}).json()["id"])
        body = {"seeds": [0, 1, 2], "baseline": True, "norm": "batch"}
        client.post(f"/api/v1/width-plans/{plan}/runs", json=body).raise_for_status()
        launched = client.get(f"/api/v1/width-plans/{plan}").json()["runs"]
    with database.writing() as session:
        for k, one in enumerate(launched):
            ended = k < len(launched) - 1
            ap = (0.405 if one["role"] == "selected" else 0.401) + 0.004 * (k % 3)
            values = {"status": "succeeded", "ap": ap, "iteration": 1200} if ended else {"status": "queued"}
            session.execute(update(Run).where(Run.id == one["run_id"]).values(**values))
        assert session.get(WidthPlan, plan) is not None
    return plan
