"""`eigenscope probe plan`."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import util
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

SPECIFICATION: dict[str, Any] = {
    "dataset_id": 1,
    "model": {"backbone": "resnet18"},
    "training": {"image_size": 64},
    "probe": {"images": 4, "maps": ["conv", "norm", "block", "fpn", "box_head"], "layers": "layer2|fpn|head"},
}


MANY = {"images": 64, "maps": ["block"], "layers": "layer1"}
"""A probe of enough positions for its maps' widths."""


@pytest.fixture
def plan(eigenscope: Callable[..., Any], home: Path) -> Callable[..., Any]:
    def call(*options: str, **changes: Any) -> Any:
        file = home / "spec.json"
        file.write_text(json.dumps(SPECIFICATION | changes))
        return eigenscope("probe", "plan", file, *options)

    return call


def test_as_a_table(plan: Callable[..., Any]) -> None:
    result = plan("--size", "480x640")
    assert result.status == 0
    rows = {line.split()[0]: line for line in result.out.splitlines() if line}
    assert "added up" in rows["layer2.0.conv1"]
    assert "derived from layer2.0.conv1" in rows["layer2.0.norm1"]
    assert "derived from layer2.1" in rows["fpn.inner.p3"]
    assert "by proposals" in rows["box_head.fc6"]
    assert "input of layer2.0.downsample.conv" in result.out
    assert "multiply-adds an image instead of" in result.err
    assert "over 4 images" in result.err


def test_as_json(plan: Callable[..., Any]) -> None:
    result = plan("--size", "480x640", "--json")
    told = json.loads(result.out)
    maps = {line["name"]: line for line in told["maps"]}
    # 480 x 640 becomes 64 x 85, and layer2 is an eighth of that, rounded up.
    assert maps["layer2.0"]["operations"] == 8 * 11 * 128 * 129 // 2
    assert maps["layer2.0.norm1"] == {
        "name": "layer2.0.norm1",
        "map": "norm",
        "width": 128,
        "derived_from": "layer2.0.conv1",
        "measured": True,
        "matrix": 128,
        "operations": 0,
        "straightforward": 8 * 11 * 128 * 129 // 2,
        "positions": 4 * 8 * 11,
    }
    assert told["operations"] == sum(line["operations"] or 0 for line in told["maps"])
    assert told["images"] == 4


def test_few_positions_are_said(plan: Callable[..., Any]) -> None:
    said = plan("--size", "480x640").err
    # Of layer2 and the FPN: 64 x 85 pixels in each of 4 images are 2 x 3 positions at a stride of 32.
    assert "will have fewer than 8 positions per channel (least: fpn.pool, 0.031)" in said
    assert "positions per channel" not in plan("--size", "4800x6400", probe=MANY).err


def test_planning_makes_no_home(
    plan: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = home / "nowhere"
    monkeypatch.setenv("EIGENSCOPE_HOME", str(nowhere))
    assert "is not registered here" in plan().err
    assert not nowhere.exists()


def test_the_datasets_own_sizes_are_taken(
    plan: Callable[..., Any], eigenscope: Callable[..., Any], home: Path
) -> None:
    unknown = plan()
    assert unknown.status == 0
    assert (
        "dataset 1 is not registered here: planning for 4 images of 64 x 107 pixels; --size takes"
        in unknown.err
    )
    (home / "images").mkdir()
    image = {"id": 1, "file_name": "1.png", "width": 90, "height": 45}
    Image.new("L", (90, 45)).save(home / "images" / "1.png")
    box = {"id": 1, "image_id": 1, "category_id": 7, "bbox": [4, 4, 10, 12], "area": 120, "iscrowd": 0}
    content = {"images": [image], "annotations": [box], "categories": [{"id": 7, "name": "cell"}]}
    (home / "all.json").write_text(json.dumps(content))
    files = ("--train", home / "all.json", "--val", home / "all.json", "--images", home / "images")
    assert eigenscope("datasets", "add", "cells", *files).status == 0
    known = plan("--json")
    assert "not registered" not in known.err
    told = json.loads(known.out)
    assert told["images"] == 1
    layer = next(line for line in told["maps"] if line["name"] == "layer2.0")
    # 45 x 90 becomes 53 x 106: the longer side is 107 at most.
    assert layer["operations"] == 7 * 14 * 128 * 129 // 2


@pytest.mark.parametrize(
    ("options", "changes", "said"),
    [
        (("--size", "480"), {}, "--size is '480'; give height x width in pixels"),
        (("--size", "0x5"), {}, "--size is '0x5'"),
        ((), {"probe": {"images": 0}}, "probe.images is 0, so that there is nothing to plan"),
        (("--size", "64x64"), {"probe": {"layers": "layer9"}}, "'layer9' select none of the model's"),
    ],
)
def test_wrong_use_is_named(plan: Callable[..., Any], options: Any, changes: Any, said: str) -> None:
    result = plan(*options, **changes)
    assert (result.status, result.out) == (2, "")
    assert said in result.err


def test_without_torch(plan: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == "torch" else find(name, *rest))
    result = plan("--size", "64x64")
    assert result.status == 1
    assert (
        "planning a probe needs torch, which is not installed here; run it where the worker runs"
        in result.err
    )
