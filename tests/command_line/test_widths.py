"""`eigenscope widths`: plans, their retraining and their results."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backend.architectures.widths import standard_widths
from backend.measurements import repository
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Dataset, Run
from backend.runs import service
from backend.runs.specification import RunSpecification
from eigenscope.instance import open_instance, read_settings

Call = Callable[..., Any]


@pytest.fixture
def run_id(home: object) -> int:
    """Return a classifier's run whose maps use a half of their channels at iteration 10, layer1's all."""
    widths = standard_widths("classifier", "resnet18")
    maps = {name.replace(".conv", ".act"): width for name, width in widths.items() if "." in name}
    maps |= {name.rpartition(".")[0]: widths[name[:6]] for name in widths if "." in name} | {"act1": 64}
    with open_instance(read_settings(), migrate=True) as instance, instance.database.writing() as session:
        counts = {split: {"images": 2, "annotations": 2} for split in ("train", "val")}
        files = {"train": "t", "val": "v", "images": "i", "kind": "coco"}
        more = {"categories": [{"id": 1, "name": "a"}], "has_masks": True, "counts": counts}
        session.add(Dataset(name="cells", **files, **more))
        session.flush()
        specification = RunSpecification.model_validate(
            {
                "name": "source",
                "dataset_id": 1,
                "model": {"architecture": "classifier", "backbone": "resnet18"},
            }
        )
        run = service.launch(session, instance.settings, specification)
        rows = [LayerRow(k, name, "act", "", width) for k, (name, width) in enumerate(maps.items())]
        repository.write_layers(session, run.id, rows)
        spectra = []
        for row in rows:
            count = row.width if row.name.startswith("layer1") else row.width // 2
            values = np.where(np.arange(row.width) < count, 1.0, 1e-6)
            spectra.append(SpectrumRow(row.order, values, count, 1.0, 1.0, 2, 16384))
        repository.write_spectra(session, run.id, 10, spectra)
        return run.id


def test_a_plan_is_printed_and_kept(eigenscope: Call, run_id: int) -> None:
    previewed = eigenscope("widths", "plan", run_id, "--preview")
    assert previewed.status == 0, previewed.err
    groups = previewed.out.partition("stage")[0]
    rows = {line.split()[0]: line.split() for line in groups.splitlines() if line}
    assert rows["layer1"][1] == "64"
    assert int(rows["layer1"][-1]) > 64
    assert int(rows["layer4"][4]) < 512
    assert "backbone parameters −" in previewed.err
    assert json.loads(eigenscope("widths", "list", "--json").out) == []
    stored = eigenscope("widths", "plan", run_id, "--budget", 0.5, "--cap", "--json")
    item = json.loads(stored.out)
    assert item["plan"]["totals"]["macs_ratio"] <= 0.5
    assert all(group["width"] <= group["original"] for group in item["plan"]["groups"])
    (listed,) = json.loads(eigenscope("widths", "list", "--json").out)
    assert listed["id"] == item["id"] == 1
    assert "WIDTHS = {'stem'" in eigenscope("widths", "snippet", 1).out
    assert "layer4" in eigenscope("widths", "show", 1).out


def test_retraining_is_queued_and_its_result_shown(eigenscope: Call, run_id: int) -> None:
    launched = eigenscope("widths", "plan", run_id, "--retrain", "--seed", 1, "--seed", 2, "--baseline")
    assert launched.status == 0, launched.err
    assert "runs 2, 3, 4, 5 are queued" in launched.err
    with open_instance(read_settings(), migrate=True) as instance, instance.database.writing() as session:
        for number, top1 in ((2, 0.5), (3, 0.6), (4, 0.52), (5, 0.62)):
            run = session.get(Run, number)
            assert run is not None
            run.status, run.top1 = "succeeded", top1
    told = eigenscope("widths", "result", 1)
    rows = {line.split()[0]: line for line in told.out.splitlines() if line}
    assert "55.0 ± 7.1" in rows["selected"]
    assert "57.0 ± 7.1" in rows["baseline"]
    assert "2/2" in rows["selected"]
    assert "accuracy not below the baseline's: met (top1 -2.0, spread 7.1)" in " ".join(told.err.split())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--preview", "--retrain"), "--preview stores nothing that could be retrained"),
        (("--wait",), "--wait waits for a retraining; add --retrain"),
        (("--tie", "median"), "tie: "),
        (("--budget", "0.0001"), "no widths have 0.0001 of the original's MACs"),
        (("--iteration", "4"), "logged no spectra at 4; the nearest are 10"),
        (("--retrain", "--seed", "1", "--seed", "1"), "seeds must differ"),
    ],
)
def test_wrong_use_is_named_and_nothing_kept(
    eigenscope: Call, run_id: int, options: tuple[str, ...], sentence: str
) -> None:
    result = eigenscope("widths", "plan", run_id, *options)
    assert (result.status, result.out) == (2, "")
    assert sentence in " ".join(result.err.split())
    assert json.loads(eigenscope("widths", "list", "--json").out) == []
