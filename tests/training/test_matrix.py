"""Every architecture, backbone, norm and start is trained for a few iterations, in every pair at least once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import combinations, product
from pathlib import Path
from statistics import mean
from typing import Any, get_args

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision
from torch import Tensor, nn

from backend import migration
from backend.architectures.plan import backbone_plan
from backend.architectures.widths import NECK_AND_HEADS, standard_widths
from backend.database import Database
from backend.datasets.coco import read_coco
from backend.datasets.shapes import generate
from backend.models import Dataset
from backend.runs.specification import (
    Architecture,
    BackboneName,
    ModelSpecification,
    Norm,
    RunSpecification,
)
from backend.settings import Settings
from backend.weights.imagenet import FILES
from tests.weights.taker import Taker
from worker.probe.maps import KINDS
from worker.training.data import ExampleSet, example_set
from worker.training.detectors import build_model
from worker.training.freezing import freeze
from worker.training.loop import Loop, Parts
from worker.training.snapshots import make_probe
from worker.training.stopping import StopFlag

STARTS = ("scratch", "run", "file", "imagenet")
Case = tuple[str, str, str, str]
CASES: list[Case] = [
    ("faster_rcnn", "resnet18", "batch", "imagenet"),
    ("faster_rcnn", "resnet18", "group", "run"),
    ("faster_rcnn", "resnet34", "batch", "scratch"),
    ("faster_rcnn", "resnet50", "sync_batch", "run"),
    ("faster_rcnn", "resnet101", "frozen_batch", "file"),
    ("faster_rcnn", "resnet101", "sync_batch", "scratch"),
    ("mask_rcnn", "resnet18", "group", "file"),
    ("mask_rcnn", "resnet18", "frozen_batch", "imagenet"),
    ("mask_rcnn", "resnet34", "sync_batch", "file"),
    ("mask_rcnn", "resnet50", "batch", "scratch"),
    ("mask_rcnn", "resnet101", "group", "run"),
    ("retinanet", "resnet18", "sync_batch", "imagenet"),
    ("retinanet", "resnet34", "group", "scratch"),
    ("retinanet", "resnet50", "frozen_batch", "file"),
    ("retinanet", "resnet101", "batch", "run"),
    ("classifier", "resnet18", "sync_batch", "scratch"),
    ("classifier", "resnet18", "frozen_batch", "imagenet"),
    ("classifier", "resnet34", "frozen_batch", "run"),
    ("classifier", "resnet50", "group", "file"),
    ("classifier", "resnet101", "batch", "file"),
]
ITERATIONS, SIZE, NARROW, FEW = 15, 64, 8, 8
HEAD_MAPS = {
    "faster_rcnn": {"fpn": 9, "rpn": 5, "box_head": 2},
    "mask_rcnn": {"fpn": 9, "rpn": 5, "box_head": 2, "mask_head": 4},
    "retinanet": {"fpn": 8, "retina_head": 40},
    "classifier": {},
}


def makes_sense(case: Case) -> bool:
    """Whether a run may be so. ImageNet's weights have the standard widths: the smallest stands for all here."""
    _, backbone, norm, start = case
    refused = {("frozen_batch", "scratch"), ("group", "imagenet")}
    return (norm, start) not in refused and (start != "imagenet" or backbone == "resnet18")


def pairs(case: Case) -> set[tuple[tuple[int, str], tuple[int, str]]]:
    return set(combinations(enumerate(case), 2))


def test_every_pair_that_makes_sense_is_trained() -> None:
    every = product(get_args(Architecture), get_args(BackboneName), get_args(Norm), STARTS)
    wanted = set().union(*(pairs(case) for case in every if makes_sense(case)))
    assert set().union(*map(pairs, CASES)) == wanted
    assert all(map(makes_sense, CASES))


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four images to learn by heart."""
    folder = tmp_path_factory.mktemp("matrix") / "shapes"
    generate(folder, seed=3, train=4, val=2, size=SIZE)
    return folder


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Taker]:
    """What starts networks from weights, in a home of its own."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    settings = Settings(home=tmp_path / "home", data_root=tmp_path / "data", database_url="", _env_file=None)
    database = Database(settings.database)
    migration.upgrade(database)
    empty: dict[str, Any] = {"train": "", "val": "", "images": "", "categories": [], "counts": {}}
    with database.writing() as session:
        session.add(Dataset(id=1, name="shapes", kind="shapes", has_masks=True, **empty))
    yield Taker(settings, database)
    database.dispose()


def orders(case: Case, examples: int) -> RunSpecification:
    architecture, backbone, norm, start = case
    groups = NECK_AND_HEADS[architecture] if start == "imagenet" else standard_widths(architecture, backbone)
    model = {"architecture": architecture, "backbone": backbone, "norm": norm}
    init = {"kind": start} | {"run": {"run_id": 1}, "file": {"file": "w.safetensors"}}.get(start, {})
    training = {
        "iterations": ITERATIONS,
        # Every batch holds all examples: a loss that falls has been learnt, and not drawn.
        "batch_size": examples,
        "flip": False,
        "image_size": SIZE,
        "lr": 0.02,
        "warmup": 3,
        "weight_decay": 0.0,
        "clip_norm": 10.0,
        "trainable_stages": 5 if start == "scratch" else 3,
    }
    return RunSpecification.model_validate(
        {
            "dataset_id": 1,
            "model": model | {"widths": dict.fromkeys(groups, NARROW)},
            "init": init,
            "training": training,
            "probe": {"images": 2, "every": 100, "maps": KINDS[:-1]},
        }
    )


def started(wanted: RunSpecification, take: Taker, images: Tensor, classes: int) -> nn.Module:
    """Return the run's network with its first weights."""
    model, init = wanted.model, wanted.init.model_dump()
    if init["kind"] == "scratch":
        return build_model(model, classes, SIZE)
    given = pretrained(model, init["kind"], images, classes)
    GIVE[init["kind"]](take, model, given)
    return take(model, init, classes)[0]


def pretrained(model: ModelSpecification, start: str, images: Tensor, classes: int) -> nn.Module:
    """Return a classifier whose batch norms know the statistics of their inputs, as those of a trained one do."""
    if start == "imagenet":
        network = torchvision.models.get_model(model.backbone, weights=None)
    else:
        widths = dict.fromkeys(standard_widths("classifier", model.backbone), NARROW)
        norm = "group" if model.norm == "group" else "batch"
        body = ModelSpecification(
            architecture="classifier", backbone=model.backbone, norm=norm, widths=widths
        )
        network = build_model(body, classes, SIZE, seed=5)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        getattr(network.train(), "logits", network)(images)
    return network


def give_run(take: Taker, _model: ModelSpecification, given: nn.Module) -> None:
    take.store_run(given)


def give_file(take: Taker, _model: ModelSpecification, given: nn.Module) -> None:
    safetensors.torch.save_file(given.state_dict(), take.settings.data / "w.safetensors")


def give_imagenet(_take: Taker, model: ModelSpecification, given: nn.Module) -> None:
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(given.state_dict(), cache / FILES[model.backbone])


GIVE: dict[str, Callable[[Taker, ModelSpecification, nn.Module], None]] = {
    "run": give_run,
    "file": give_file,
    "imagenet": give_imagenet,
}


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_trains(case: Case, take: Taker, few: Path, tmp_path: Path, memory: Any) -> None:
    coco, truth = (read_coco(few / f"{split}.json") for split in ("train", "val"))
    training, validation = (example_set(case[0], file, few / "images", SIZE) for file in (coco, truth))
    wanted = orders(case, len(training))
    model = started(wanted, take, pictures(training), len(coco.categories))
    torch.manual_seed(0)
    freeze(model, wanted.training.trainable_stages)
    probe = make_probe(model, validation, wanted.probe, lambda: False)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    parts = Parts(
        specification=wanted,
        model=model,
        training=training,
        validation=validation,
        truth=truth,
        probe=probe,
        recorder=memory,
        stop=StopFlag(),
        folder=tmp_path / "run",
        device=torch.device("cpu"),
    )
    loop = Loop(parts)
    loop.run()

    losses = [memory.points[iteration]["loss"] for iteration in range(1, ITERATIONS + 1)]
    assert mean(losses[-5:]) < mean(losses[:5])
    assert trained(loop, model) == before.keys() - frozen(model, wanted.training.trainable_stages)
    assert frozen(model, wanted.training.trainable_stages) <= unmoved(model, before)
    assert Counter(layer.map for layer in probe.layers) == expected_maps(wanted.model)
    assert sorted(memory.snapshots) == [0, 1, 2, 5, 10, ITERATIONS]
    for rows in memory.snapshots.values():
        assert [row.layer for row in rows] == list(range(len(probe.layers)))
        assert all(np.isfinite(row.eigenvalues).all() for row in rows)
        # At the few positions of P6 and P7 all eight channels of a subnet may be shut.
        assert all(row.lambda_1 > 0 or row.positions <= FEW for row in rows)


def pictures(examples: ExampleSet) -> Tensor:
    return torch.stack([examples.read(number).image / 255 for number in range(4)])


def trained(loop: Loop, model: nn.Module) -> set[str]:
    """Return the parameters that the optimiser has had a gradient for, which may be too small to show in a float32."""
    states = loop._update._optimiser.state
    return {
        name for name, p in model.named_parameters() if p in states and states[p]["momentum_buffer"].any()
    }


def unmoved(model: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])}


def frozen(model: nn.Module, trainable_stages: int) -> set[str]:
    """Which parameters must not move: those of the first stages, and no others."""
    first = ("conv1.", "bn1.", "layer1.") if trainable_stages == 3 else ()
    return {
        name for name, _ in model.named_parameters() if name.removeprefix("backbone.body.").startswith(first)
    }


def expected_maps(model: ModelSpecification) -> dict[str, int]:
    plan = backbone_plan(model.backbone, widths=model.widths)
    convolutions = 1 + sum(len(block.convolutions) + (block.downsample is not None) for block in plan.blocks)
    activations = 1 + sum(len(block.inner) for block in plan.blocks)
    body = {"conv": convolutions, "norm": convolutions, "act": activations, "block": len(plan.blocks)}
    return body | HEAD_MAPS[model.architecture]
