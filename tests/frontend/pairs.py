"""Comparisons of two runs that nobody trained, and what a story says of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from backend.comparison.measured import MeasuredRun
from backend.comparison.schemas import Accuracy, Comparison, Role, RunReference, Slopes, StagePair
from backend.comparison.spectra import compared_spectra, narrow_layers
from backend.models import Layer
from frontend.story.statement import Statement, Story

HOSTILE = "<img src=x onerror=window.hacked=1>"


def measured(
    shares: np.ndarray, *, stages: Sequence[str] = (), length: float = 0, live: bool = False, **changes: Any
) -> MeasuredRun:
    """Return a run whose layers have these shares (layers, snapshots) at iterations 0, 10, 20, …"""
    layers, snapshots = shares.shape
    names = stages or [f"layer{1 + k // 2}" for k in range(layers)]
    iterations = 10.0 * np.arange(snapshots)
    rows = tuple(
        Layer(run_id=0, order=k, name=f"{stage}.{k}", map="block", stage=stage, width=64)
        for k, stage in enumerate(names)
    )
    fields = {
        "unresolved": np.zeros(shares.shape, bool),
        "positions_per_channel": np.full(layers, 100.0),
        "length": max(length, float(iterations[-1]), 1.0),
    }
    return MeasuredRun(rows, iterations, shares, live=live, **(fields | changes))


def comparison(one: MeasuredRun | None, other: MeasuredRun | None, **changes: Any) -> Comparison:
    """Compare a pre-trained run, 1, with one from scratch, 2."""
    narrow = [narrow_layers(k, run) for k, run in ((1, one), (2, other)) if run]
    fields = {
        "first": reference(1, "pre-trained"),
        "second": reference(2, "scratch"),
        "layers_first": len(one.layers) if one else 0,
        "layers_second": len(other.layers) if other else 0,
        "criterion": "absolute",
        "threshold": 1e-3,
        "settings": {},
        "recorded": False,
        "accuracy": None,
        "spectra": compared_spectra(one, other, "absolute", 1e-3) if one and other else None,
        "slopes": None,
        "narrow": [its for its in narrow if its],
    }
    return Comparison(**(fields | changes))


def reference(run_id: int, role: Role, **changes: Any) -> RunReference:
    init = {"pre-trained": "imagenet", "scratch": "scratch", "unknown": "unknown"}[role]
    fields = {"name": HOSTILE, "origin": "launched", "status": "succeeded"} | changes
    return RunReference(id=run_id, init=init, role=role, **fields)


def accuracy(first: float, second: float, **changes: Any) -> Accuracy:
    fields = {
        "measure": "ap",
        "first_iteration": 90,
        "second_iteration": 90,
        "first_seeds": None,
        "second_seeds": None,
        "alike": abs(first - second) <= 0.01 + 1e-9,
    }
    return Accuracy(first=first, second=second, **(fields | changes))


def slopes(first: float, second: float) -> Slopes:
    return Slopes(
        layers=2,
        first=first,
        second=second,
        stages=[StagePair(stage="a", layers=2, first=first, second=second)],
    )


def said(story: Story, subject: str) -> Statement:
    (found,) = [one for one in story.statements if one.subject == subject]
    return found


def everything(story: Story) -> str:
    parts = [story.headline, story.verdict, *story.notes]
    for one in story.statements:
        parts += [one.number, one.unit, one.sentence, *(link.text + link.address for link in one.links)]
    return " | ".join(parts)


def percents(sentence: str) -> list[float]:
    return [float(one) for one in re.findall(r"(\d+(?:\.\d+)?) %", sentence)]
