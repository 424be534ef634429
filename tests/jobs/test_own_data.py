"""A person's own data and weights through the API: a COCO dataset and a ResNet-50 state dict below the data root."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torchvision.models import resnet50

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SIZES = ((96, 96), (128, 96), (80, 112))


@pytest.fixture(scope="module")
def data_root(stack: Any) -> Path:
    root = Path(stack.environment["EIGENSCOPE_DATA_ROOT"])
    (root / "cells" / "images").mkdir(parents=True)
    for split, count in (("train", 6), ("val", 3)):
        write_split(root / "cells", split, count)
    torch.manual_seed(0)
    state = resnet50(weights=None).state_dict()
    half = {k: v.half() if v.ndim == 4 else v for k, v in state.items() if not k.startswith("fc.")}
    torch.save(half, root / "resnet50.pth")
    return root


def write_split(folder: Path, split: str, count: int) -> None:
    """Draw grey images of several sizes with bright discs, annotated with boxes and polygons."""
    random = np.random.default_rng(len(split))
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for k in range(1, count + 1):
        width, height = SIZES[k % len(SIZES)]
        picture = Image.fromarray(random.integers(10, 50, (height, width), np.uint8))
        draw = ImageDraw.Draw(picture)
        for _ in range(5):
            radius = int(random.integers(5, 12))
            x, y = (int(random.integers(radius + 1, side - radius - 1)) for side in (width, height))
            box = [x - radius, y - radius, 2 * radius, 2 * radius]
            draw.ellipse((box[0], box[1], x + radius, y + radius), fill=200)
            corners = [[box[0], box[1], x + radius, box[1], x + radius, y + radius, box[0], y + radius]]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": k,
                    "category_id": 3,
                    "bbox": box,
                    "area": box[2] * box[3],
                    "iscrowd": 0,
                    "segmentation": corners,
                }
            )
        name = f"{split}_{k}.png"
        picture.save(folder / "images" / name)
        images.append({"id": k, "file_name": name, "width": width, "height": height})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 3, "name": "cell"}]}
    (folder / f"{split}.json").write_text(json.dumps(content))


def test_pretrained_and_scratch_on_own_data(
    stack: Any, worker: subprocess.Popen[bytes], data_root: Path, environment: dict[str, str]
) -> None:
    if not environment:
        pytest.skip("seen on PostgreSQL and Redis; the other jobs are seen on both")
    files = {"train": "cells/train.json", "val": "cells/val.json", "images": "cells/images"}
    dataset = stack.answer("POST", "/datasets", json={"kind": "coco", "name": "cells", **files})
    assert dataset["counts"] == {
        "train": {"images": 6, "annotations": 30},
        "val": {"images": 3, "annotations": 15},
    }
    assert stack.answer("GET", "/weights") == ["resnet50.pth"]
    shared = {
        "dataset_id": dataset["id"],
        "model": {"backbone": "resnet50", "norm": "batch", "stride_in_1x1": True},
        "training": {"iterations": 2, "batch_size": 2, "warmup": 2, "image_size": 64},
        "probe": {"images": 3, "every": 2, "maps": ["act", "block", "fpn"], "layers": "^(layer[12]|fpn)"},
    }
    inits = {"I": {"kind": "file", "file": "resnet50.pth"}, "S": {"kind": "scratch"}}
    ids = {name: stack.launch({**shared, "name": name, "init": init}) for name, init in inits.items()}
    for name, run_id in ids.items():
        run = stack.ended(run_id)
        assert run["status"] == "succeeded", stack.story(run)
        assert run["name"] == name
        assert run["summary"]["snapshots"] == 3
        dimensions = stack.answer("GET", f"/runs/{run_id}/dimensions")
        assert dimensions["iterations"] == [0, 1, 2]
        assert {"layer1.0.act1", "layer2.3", "fpn.p2"} <= set(dimensions["layers"])
        assert all(value is not None for row in dimensions["values"] for value in row)
    words = "\n".join(line["text"] for line in stack.answer("GET", f"/runs/{ids['I']}/logs")["lines"])
    assert "initial weights (file): " in words


def test_weights_of_another_network_are_refused_and_spoilt_ones_fail_with_one_sentence(
    stack: Any, worker: subprocess.Popen[bytes], data_root: Path, specification: dict[str, Any]
) -> None:
    wrong = {**specification, "init": {"kind": "file", "file": "resnet50.pth"}}
    refused = stack.client.post("/runs", json=wrong)
    assert refused.status_code == 422
    assert refused.json()["detail"].startswith(
        "init.file: resnet50.pth holds 'bn1.running_mean', which the model"
    )
    shutil.copy(data_root / "resnet50.pth", data_root / "later.pth")
    model = {"backbone": "resnet50", "stride_in_1x1": True}
    run_id = stack.launch({**wrong, "model": model, "init": {"kind": "file", "file": "later.pth"}})
    # Spoilt long before the trainer, which first imports torch, comes to read it.
    (data_root / "later.pth").write_bytes(b"no weights")
    run = stack.ended(run_id)
    assert run["status"] == "failed", stack.story(run)
    assert run["error"].startswith("init.file: later.pth holds no weights that can be read safely")
    assert run["summary"]["snapshots"] == 0
