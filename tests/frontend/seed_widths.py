"""A trained ResNet-50 Faster R-CNN whose spectra decay exponentially, ever faster against the width in depth."""

from __future__ import annotations

from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from backend import migration
from backend.architectures.widths import DEPTHS, is_bottleneck, standard_widths
from backend.database import Database
from backend.measurements import repository as measurements
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Dataset, Run
from backend.runs.specification import RunSpecification

ITERATIONS = (0, 100, 1200)
CATEGORIES = [{"id": k, "name": kind} for k, kind in enumerate(("disc", "square", "star", "ring"), 1)]


def maps_of(backbone: str) -> list[LayerRow]:
    """Name the maps that a probe of act, block, fpn and box_head logs, in network order."""
    widths = standard_widths("faster_rcnn", backbone)
    inner = ("1", "2") if is_bottleneck(backbone) else ("1",)
    rows = [("act1", "act", "stem", widths["stem"])]
    for stage, depth in enumerate(DEPTHS[backbone], start=1):
        for block in range(depth):
            name = f"layer{stage}.{block}"
            rows += [(f"{name}.act{k}", "act", f"layer{stage}", widths[f"{name}.conv{k}"]) for k in inner]
            rows.append((name, "block", f"layer{stage}", widths[f"layer{stage}"]))
    rows += [(f"fpn.p{k}", "fpn", "fpn", widths["fpn"]) for k in range(2, 7)]
    rows += [(f"box_head.fc{k}", "box_head", "box_head", widths["box_head"]) for k in (6, 7)]
    return [
        LayerRow(order, name, kind, stage, width) for order, (name, kind, stage, width) in enumerate(rows)
    ]


def eigenvalues(layer: LayerRow, depth: float, progress: float, seed: int) -> np.ndarray:
    """Return an exponential spectrum (width,) that crosses 1e-3 at a share of the width, smaller in depth."""
    noise = np.random.default_rng([seed, layer.order]).normal(0, 0.04)
    share = (0.86 - 0.62 * depth**1.3) * (0.35 + 0.65 * progress**0.3) * np.exp(noise)
    top = 6.0 * np.exp(-2.0 * depth)
    j = np.arange(1, layer.width + 1)
    return top * np.exp(-np.log(top / 1e-3) * j / max(1.0, share * layer.width))


def add_source(session: Session, dataset_id: int, name: str, seed: int = 0, **model: Any) -> Run:
    """Add a finished run from ImageNet weights with its spectra at three iterations."""
    spec = RunSpecification.model_validate(
        {
            "name": name,
            "dataset_id": dataset_id,
            "model": {"backbone": "resnet50", "norm": "frozen_batch", **model},
            "init": {"kind": "imagenet"},
            "training": {"iterations": 1200, "image_size": 256, "milestones": [800], "seed": seed},
        }
    )
    run = Run(
        name=name,
        specification=spec.model_dump(mode="json"),
        dataset_id=dataset_id,
        status="succeeded",
        iteration=1200,
        iterations=1200,
        ap=0.41,
        parameters=41_309_411,
        backbone_parameters=23_508_032,
        macs=27_000_000_000,
    )
    session.add(run)
    session.flush()
    add_spectra(session, run)
    return run


def add_spectra(session: Session, run: Run) -> None:
    """Log spectra of all maps at every one of `ITERATIONS`."""
    spec = RunSpecification.model_validate(run.specification)
    layers = maps_of(spec.model.backbone)
    measurements.write_layers(session, run.id, layers)
    for iteration in ITERATIONS:
        rows = []
        for layer in layers:
            depth = layer.order / len(layers)
            values = eigenvalues(layer, depth, iteration / 1200, spec.training.seed)
            positions = 64 * (64 >> min(4, int(5 * depth))) ** 2
            d = int((values > 1e-3).sum())
            rows.append(
                SpectrumRow(layer.order, values, d, float(values.sum()), float(values[0]), 64, positions)
            )
        measurements.write_spectra(session, run.id, iteration, rows)


def seed_widths(database: Database) -> dict[str, int]:
    """Fill an empty database; return run ids by role: source, its second seed, and one without spectra."""
    migration.upgrade(database)
    with database.writing() as session:
        dataset = Dataset(
            name="shapes",
            kind="shapes",
            train="/data/train.json",
            val="/data/val.json",
            images="/data/images",
            categories=CATEGORIES,
            has_masks=True,
            counts={
                "train": {"images": 800, "annotations": 4210},
                "val": {"images": 200, "annotations": 1034},
            },
        )
        session.add(dataset)
        session.flush()
        source = add_source(session, dataset.id, "I: Faster R-CNN, ResNet-50 FPN")
        second = add_source(session, dataset.id, "I: Faster R-CNN, ResNet-50 FPN, seed 1", seed=1)
        bare = Run(
            name="no spectra yet",
            specification=source.specification,
            dataset_id=dataset.id,
            status="queued",
            iterations=1200,
        )
        session.add(bare)
        session.flush()
        return {"source": source.id, "second": second.id, "bare": bare.id}
