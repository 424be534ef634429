"""Plausible runs in a database: spectra that follow power laws, losses that fall, AP that rises."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from backend import migration
from backend.database import Database
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Checkpoint, Dataset, Run, Worker
from backend.models.base import now
from backend.runs.repository import append_log
from backend.runs.specification import RunSpecification

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet50": (3, 4, 6, 3)}
SNAPSHOTS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1100, 1200)


def layers_of(backbone: str, detector: bool = True) -> list[LayerRow]:
    """Name the maps that a probe with default options logs."""
    rows: list[tuple[str, str, str, int]] = [("stem.act1", "act", "stem", 64)]
    wide = backbone == "resnet50"
    for stage, blocks in enumerate(BLOCKS[backbone], start=1):
        inner = 64 * 2 ** (stage - 1)
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            rows.append((f"{name}.act1", "act", f"layer{stage}", inner))
            if wide:
                rows.append((f"{name}.act2", "act", f"layer{stage}", inner))
            rows.append((name, "block", f"layer{stage}", inner * (4 if wide else 1)))
    if detector:
        rows += [(f"fpn.p{k}", "fpn", "fpn", 256) for k in range(2, 7)]
        rows += [(f"rpn.conv.p{k}", "rpn", "rpn", 256) for k in range(2, 7)]
        rows += [(f"box_head.fc{k}", "box_head", "box_head", 1024) for k in (6, 7)]
    return [
        LayerRow(order, name, kind, stage, width) for order, (name, kind, stage, width) in enumerate(rows)
    ]


def eigenvalues(layer: LayerRow, depth: float, progress: float, scratch: bool, seed: int) -> np.ndarray:
    """Return one spectrum (width,): a power law that is cut off at the layer's dimensionality.

    From trained weights, late layers start nearly full and narrow; from scratch, all start narrow and widen.
    """
    rng = np.random.default_rng([seed, layer.order, round(progress * 1e4)])
    grown = 0.06 + (0.75 - 0.45 * depth) * progress**0.35
    share = grown if scratch else 0.88 - 0.25 * depth * (1 - 0.5 * progress)
    cut = max(2.0, share * layer.width)
    j = np.arange(1, layer.width + 1)
    alpha = 1.1 + 0.5 * depth - (0.3 * progress if scratch else 0.1)
    scale = 4.0 * np.exp(-1.5 * depth) * (3 if layer.map == "block" else 1)
    values = scale * j**-alpha * np.exp(-((j / cut) ** 3) * np.log(scale * cut**-alpha / 1e-3 + 2))
    noisy = values * np.exp(rng.normal(0, 0.04, layer.width))
    return np.sort(np.maximum(noisy, 0))[::-1]


def specification(dataset_id: int, **changes: Any) -> RunSpecification:
    """Return a specification with some fields changed, dotted by part."""
    base: dict[str, Any] = {
        "dataset_id": dataset_id,
        "model": {"backbone": "resnet18"},
        "init": {"kind": "scratch"},
        "training": {
            "iterations": 1200,
            "batch_size": 4,
            "lr": 0.01,
            "milestones": [800, 1100],
            "image_size": 256,
        },
        "probe": {"images": 64, "every": 100},
    }
    for path, value in changes.items():
        part = base
        *parents, last = path.split("__")
        for parent in parents:
            part = part.setdefault(parent, {})
        part[last] = value
    return RunSpecification.model_validate(base)


def add_dataset(session: Session, name: str = "shapes") -> Dataset:
    """Add a dataset whose files nobody reads."""
    dataset = Dataset(
        name=name,
        kind="shapes",
        train="/data/train.json",
        val="/data/val.json",
        images="/data/images",
        categories=[{"id": k, "name": kind} for k, kind in enumerate(("disc", "square", "star", "ring"), 1)],
        has_masks=True,
        counts={"train": {"images": 800, "annotations": 4210}, "val": {"images": 200, "annotations": 1034}},
    )
    session.add(dataset)
    session.flush()
    return dataset


def add_run(
    session: Session, spec: RunSpecification, name: str, status: str, upto: int | None = None, **columns: Any
) -> Run:
    """Add a run without measurements."""
    total = spec.training.iterations
    done = total if upto is None else upto
    large = spec.model.backbone == "resnet50"
    started = now() - timedelta(hours=3)
    values: dict[str, Any] = {
        "tags": [],
        "attempt": 0 if status == "queued" else 1,
        "iteration": done,
        "seconds_per_iteration": 0.42,
        "parameters": 41_309_411 if large else 28_290_179,
        "backbone_parameters": 23_454_912 if large else 11_166_912,
        "macs": 134_400_000_000 if large else 38_100_000_000,
        "device": "cpu",
        "created_at": started - timedelta(minutes=2),
        "started_at": None if status == "queued" else started,
        "finished_at": started + timedelta(seconds=0.42 * done)
        if status in ("succeeded", "failed")
        else None,
        "phase": "training" if status == "running" else "",
    }
    run = Run(
        name=name,
        specification=spec.model_dump(mode="json"),
        dataset_id=spec.dataset_id,
        status=status,
        iterations=total,
        **(values | columns),
    )
    session.add(run)
    session.flush()
    return run


def add_measurements(session: Session, run: Run, snapshots: tuple[int, ...] = SNAPSHOTS) -> None:
    """Add layers, spectra, metrics and a log up to the run's iteration."""
    spec = RunSpecification.model_validate(run.specification)
    scratch = spec.init.kind == "scratch"
    layers = layers_of(spec.model.backbone, spec.model.architecture != "classifier")
    measurements.write_layers(session, run.id, layers)
    for iteration in (i for i in snapshots if i <= run.iteration):
        rows = []
        for layer in layers:
            depth = layer.order / len(layers)
            values = eigenvalues(layer, depth, iteration / run.iterations, scratch, run.id)
            positions = 64 * (64 >> min(5, int(6 * depth))) ** 2
            d = int((values > 1e-3).sum())
            rows.append(
                SpectrumRow(layer.order, values, d, float(values.sum()), float(values[0]), 64, positions)
            )
        measurements.write_spectra(session, run.id, iteration, rows)
    measurements.write_metrics(session, run.id, _metrics(run, spec, scratch))
    append_log(session, run.id, _log(run))


def _metrics(run: Run, spec: RunSpecification, scratch: bool) -> list[tuple[int, str, float]]:
    rng = np.random.default_rng(run.id)
    points: list[tuple[int, str, float]] = []
    shares = {"loss_classifier": 0.35, "loss_box_reg": 0.3, "loss_objectness": 0.2, "loss_rpn_box_reg": 0.15}
    for i in range(1, run.iteration + 1, 5):
        total = (2.6 if scratch else 1.9) * np.exp(-i / (420 if scratch else 260)) + (
            0.45 if scratch else 0.33
        )
        parts = {name: total * share * float(np.exp(rng.normal(0, 0.22))) for name, share in shares.items()}
        if spec.model.architecture != "classifier":
            points += [(i, name, value) for name, value in parts.items()]
        points.append((i, "loss", sum(parts.values())))
        decay = 0.1 ** sum(i >= m for m in spec.training.milestones)
        points.append((i, "lr", spec.training.lr * min(1, i / 100) * decay))
    for i in range(200, run.iteration + 1, 200):
        ap = (0.34 if scratch else 0.38) * (1 - np.exp(-i / (500 if scratch else 220)))
        if spec.model.architecture == "classifier":
            points.append((i, "top1", 2.2 * ap))
        else:
            points += [(i, "ap", ap), (i, "ap50", 1.62 * ap), (i, "ap75", 1.02 * ap)]
    return points


def _log(run: Run) -> list[str]:
    lines = [
        f"run {run.id} '{run.name}' on {run.device}, attempt {run.attempt}",
        "probe set: 64 validation images",
    ]
    for i in range(20, run.iteration + 1, 20):
        lines.append(
            f"iteration {i}/{run.iterations}  loss {2.0 * np.exp(-i / 300) + 0.4:.3f}  0.42 s/iteration"
        )
    return lines[-400:]


def seed_runs(database: Database, snapshots: tuple[int, ...] = SNAPSHOTS) -> dict[str, int]:
    """Create the tables and fill them; return run ids by role (pretraining, I, S, running, failed, queued)."""
    migration.upgrade(database)
    with database.writing() as session:
        dataset = add_dataset(session).id
        pre = add_run(
            session,
            specification(dataset, model__architecture="classifier"),
            "shapes pre-training, ResNet-18",
            "succeeded",
            top1=0.826,
            tags=["demo"],
        )
        pretrained = add_run(
            session,
            specification(dataset, init__kind="run", init__run_id=pre.id),
            "I: Faster R-CNN, ResNet-18 FPN",
            "succeeded",
            ap=0.374,
            ap50=0.606,
            tags=["demo", "I"],
            parent_run_id=pre.id,
        )
        scratch = add_run(
            session,
            specification(dataset),
            "S: Faster R-CNN, ResNet-18 FPN",
            "succeeded",
            ap=0.312,
            ap50=0.511,
            tags=["demo", "S"],
        )
        running = add_run(
            session,
            specification(dataset, model__backbone="resnet50", training__seed=1, model__norm="group"),
            "S: Faster R-CNN, ResNet-50 FPN, group norm",
            "running",
            upto=430,
        )
        failed = add_run(
            session,
            specification(dataset, training__lr=0.4, init__kind="imagenet"),
            "I: learning rate 0.4",
            "failed",
            upto=37,
            error="the loss became NaN at iteration 37; lower training.lr (0.4) or set training.clip_norm",
        )
        queued = add_run(
            session,
            specification(dataset, training__seed=2),
            "S: seed 2",
            "queued",
            upto=0,
            parameters=None,
            backbone_parameters=None,
            macs=None,
            device=None,
            seconds_per_iteration=None,
        )
        for run in (pre, pretrained, scratch, running, failed):
            add_measurements(session, run, snapshots)
        session.add(
            Checkpoint(
                run_id=pre.id, iteration=1200, file=f"runs/{pre.id}/checkpoint-1200.pt", bytes=90_000_000
            )
        )
        session.add(Worker(name="host:4242:1", host="host", devices=[], run_id=running.id))
        return {
            "pretraining": pre.id,
            "I": pretrained.id,
            "S": scratch.id,
            "running": running.id,
            "failed": failed.id,
            "queued": queued.id,
        }
