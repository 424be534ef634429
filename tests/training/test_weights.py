"""Initial weights: what fits is taken and told, what does not is refused in one sentence with the mend."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import safetensors.torch
import torch
import torchvision
from torch import Tensor, nn

from backend import migration
from backend.database import Database
from backend.errors import EigenscopeError, InvalidInput, NotFound, Unavailable
from backend.models import Checkpoint, Dataset, Run
from backend.runs.specification import ModelSpecification, RunSpecification
from backend.settings import Settings
from worker.training import checkpoints, weights
from worker.training.detectors import build_model
from worker.training.states import LoadReport

NARROW = {"layer4": 16, "layer4.0.conv1": 8, "layer4.1.conv1": 8}
HEADS = {"fpn": 8, "box_head": 16}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "data").mkdir()
    return Settings(home=tmp_path / "home", data_root=tmp_path / "data", database_url="", _env_file=None)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database)
    migration.upgrade(opened)
    yield opened
    opened.dispose()


def state(**changes: Tensor | None) -> dict[str, Tensor]:
    """A classifier's state at the narrow widths; a keyword changes a key (`__` for `.`) or removes it."""
    made = build_model(classifier(), 5, 64, seed=11).state_dict()
    for name, value in changes.items():
        key = name.replace("__", ".")
        made.pop(key, None)
        if value is not None:
            made[key] = value
    return made


def classifier(**changes: Any) -> ModelSpecification:
    return ModelSpecification(architecture="classifier", backbone="resnet18", **{"widths": NARROW} | changes)


def detector(**changes: Any) -> ModelSpecification:
    return ModelSpecification(backbone="resnet18", **{"widths": NARROW | HEADS} | changes)


def initialise(
    model: ModelSpecification,
    init: dict[str, Any],
    settings: Settings,
    database: Any = None,
    classes: int = 3,
) -> tuple[nn.Module, LoadReport | None]:
    wanted = RunSpecification.model_validate({"dataset_id": 1, "model": model.model_dump(), "init": init})
    built = build_model(model, classes, 64)
    return built, weights.initialise(built, wanted, database, settings)


def from_file(model: ModelSpecification, settings: Settings, content: Any) -> tuple[nn.Module, LoadReport]:
    torch.save(content, settings.data / "w.pth")
    built, report = initialise(model, {"kind": "file", "file": "w.pth"}, settings)
    assert report is not None
    assert weights.check_file(settings, model, "w.pth") == report
    return built, report


def test_file_in_half_precision_becomes_the_backbone(settings: Settings) -> None:
    half = {key: value.half() if value.ndim == 4 else value for key, value in state().items()}
    model, report = from_file(detector(), settings, half)
    taken = model.backbone.body.layer2[0].conv1.weight
    assert taken.dtype == torch.float32
    assert torch.equal(taken, half["layer2.0.conv1.weight"].float())
    assert report.left_over == ("fc.weight", "fc.bias")
    assert "left over: fc.weight, fc.bias" in str(report)


def test_file_without_counters_or_head_is_whole(settings: Settings) -> None:
    bare = {
        key: value for key, value in state().items() if "num_batches" not in key and not key.startswith("fc.")
    }
    _, report = from_file(classifier(), settings, bare)
    assert len(report.missing) == 20
    assert str(report) == f"{len(bare)} tensors taken; 20 counters of batches missing"
    _, frozen = from_file(detector(norm="frozen_batch"), settings, state())
    assert str(frozen).endswith("left over: fc.weight, fc.bias, 20 counters of batches")


def test_loading_changes_the_backbone_and_nothing_else(settings: Settings) -> None:
    model, _ = from_file(detector(), settings, state())
    fresh = build_model(detector(), 3, 64)
    for name, parameter in fresh.named_parameters():
        same = torch.equal(parameter, model.get_parameter(name))
        assert same != (name.startswith("backbone.body.") and parameter.ndim > 1), name


def test_safetensors(settings: Settings) -> None:
    safetensors.torch.save_file(state(), settings.data / "w.safetensors")
    model, report = initialise(detector(), {"kind": "file", "file": "w.safetensors"}, settings)
    assert report is not None
    assert torch.equal(model.backbone.body.conv1.weight, state()["conv1.weight"])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            state(layer1__0__conv1__weight=torch.zeros(1, 2)),
            r"w.pth holds 'layer1.0.conv1.weight' with shape \(1, 2\), but the model's has \(64, 64, 3, 3\); choose "
            "the backbone, widths",
        ),
        (
            state(layer3__0__conv3__weight=torch.zeros(1)),
            "holds 'layer3.0.conv3.weight', which the model",
        ),
        (
            state(layer2__1__bn2__weight=None),
            r"w.pth lacks 'layer2.1.bn2.weight' \(128,\), which the model has",
        ),
        (
            state(bn1__running_var=None),
            r"lacks 'bn1.running_var' \(64,\), which the model has; choose model.norm",
        ),
        (
            {"state_dict": {}},
            r"no plain state dict \('state_dict' is no tensor\); save the model's own state_dict",
        ),
        ([1, 2], r"no plain state dict \(list\)"),
        (nn.Linear(2, 2), "holds no weights that can be read safely .*save a plain state dict"),
    ],
    ids=["shape", "unexpected", "missing", "statistics", "wrapped", "list", "pickle"],
)
def test_other_content_is_refused_before_launch_and_after(
    settings: Settings, content: Any, words: str
) -> None:
    torch.save(content, settings.data / "w.pth")
    with pytest.raises(InvalidInput, match=words):
        weights.check_file(settings, detector(), "w.pth")
    with pytest.raises(InvalidInput, match=words):
        initialise(detector(), {"kind": "file", "file": "w.pth"}, settings)


def test_statistics_do_not_fit_group_norm(settings: Settings) -> None:
    torch.save(state(), settings.data / "w.pth")
    with pytest.raises(
        InvalidInput, match=r"holds 'bn1.running_mean', .* choose model.norm batch or frozen_batch"
    ):
        weights.check_file(settings, detector(norm="group"), "w.pth")


def test_broken_and_foreign_files_are_refused(settings: Settings, tmp_path: Path) -> None:
    for name in ("w.pth", "w.safetensors"):
        (settings.data / name).write_bytes(b"no weights")
        with pytest.raises(InvalidInput, match=f"{name} holds no weights that can be read safely"):
            weights.check_file(settings, detector(), name)
    torch.save(state(), tmp_path / "outside.pth")
    for name in ("../outside.pth", str(tmp_path / "outside.pth")):
        with pytest.raises(InvalidInput, match="must be a name below the data root"):
            weights.check_file(settings, detector(), name)


def test_imagenet_comes_from_torch_hubs_cache(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    theirs = torchvision.models.resnet18(weights=None)
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    torch.save(theirs.state_dict(), cache / "resnet18-f37072fd.pth")
    model, _ = initialise(ModelSpecification(backbone="resnet18"), {"kind": "imagenet"}, settings)
    assert torch.equal(model.backbone.body.conv1.weight, theirs.conv1.weight)


def test_imagenet_without_cache_or_network_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setattr(torch.hub, "urlopen", offline)
    with pytest.raises(
        Unavailable, match=r"resnet50-0676ba61.pth are neither in .* copy the file there"
    ) as caught:
        weights.imagenet_state("resnet50")
    assert "http" not in str(caught.value)


def run_with_checkpoint(
    database: Database, settings: Settings, model: ModelSpecification, classes: int = 3
) -> nn.Module:
    """Store run 1 with the checkpoint of a model drawn from another seed."""
    built = build_model(model, classes, 64, seed=5)
    path = checkpoints.path_of(settings.run_folder(1), 8)
    checkpoints.save(path, {"architecture": model.architecture, "iteration": 8, "model": built.state_dict()})
    with database.writing() as session:
        session.add(
            Dataset(
                id=1,
                name="d",
                kind="coco",
                train="",
                val="",
                images="",
                categories=[],
                has_masks=False,
                counts={},
            )
        )
        session.flush()
        session.add(Run(id=1, name="r", specification={}, dataset_id=1, iterations=8))
        session.flush()
        session.add(
            Checkpoint(run_id=1, iteration=8, file=path.relative_to(settings.home).as_posix(), bytes=1)
        )
    return built


def test_a_classifiers_run_gives_a_detector_its_backbone(settings: Settings, database: Database) -> None:
    given = run_with_checkpoint(database, settings, classifier(), classes=9)
    model, report = initialise(detector(), {"kind": "run", "run_id": 1}, settings, database)
    assert report is not None
    assert report.left_over == ("fc.weight", "fc.bias")
    assert torch.equal(model.backbone.body.layer3[1].conv2.weight, given.layer3[1].conv2.weight)


def test_a_detectors_run_gives_the_whole_or_its_backbone(settings: Settings, database: Database) -> None:
    given = run_with_checkpoint(database, settings, detector())
    model, _ = initialise(detector(), {"kind": "run", "run_id": 1}, settings, database)
    assert all(torch.equal(value, model.state_dict()[key]) for key, value in given.state_dict().items())
    alone, _ = initialise(classifier(), {"kind": "run", "run_id": 1}, settings, database)
    assert torch.equal(alone.layer1[0].conv1.weight, given.backbone.body.layer1[0].conv1.weight)


@pytest.mark.parametrize(
    ("init", "error", "words"),
    [
        (
            {"run_id": 1},
            InvalidInput,
            "run 1 holds 'roi_heads.box_predictor.cls_score.weight' with",
        ),
        ({"run_id": 1, "iteration": 3}, InvalidInput, "run 1 has no checkpoint of iteration 3"),
        ({"run_id": 2}, InvalidInput, "run 2 has no checkpoint; wait for it to finish"),
    ],
)
def test_a_run_that_does_not_fit_is_refused(
    settings: Settings, database: Database, init: dict[str, int], error: type[EigenscopeError], words: str
) -> None:
    run_with_checkpoint(database, settings, detector(), classes=9)
    with pytest.raises(error, match=words):
        initialise(detector(), {"kind": "run", **init}, settings, database)


def test_a_checkpoint_that_is_gone_is_named(settings: Settings, database: Database) -> None:
    run_with_checkpoint(database, settings, detector())
    checkpoints.path_of(settings.run_folder(1), 8).unlink()
    with pytest.raises(NotFound, match=r"the checkpoint of run 1 .* is gone from the disk"):
        initialise(detector(), {"kind": "run", "run_id": 1}, settings, database)
