"""A tiny COCO dataset on disk that a test may spoil, and a migrated SQLite database."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from backend import migration
from backend.database import Database
from backend.settings import Settings

WIDTH, HEIGHT = 40, 30


@dataclass
class CocoFolder:
    """Files of a dataset: two splits of three nuclei-like images, the third without annotations."""

    root: Path

    @property
    def train(self) -> Path:
        return self.root / "train.json"

    @property
    def val(self) -> Path:
        return self.root / "val.json"

    @property
    def images(self) -> Path:
        return self.root / "images"

    def spoil(self, change: Callable[[dict[str, Any]], object], split: str = "train") -> None:
        """Change the parsed content of a split's file."""
        path = self.root / f"{split}.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))


def split_content(split: str) -> dict[str, Any]:
    """Return a COCO file's content: category ids with gaps, one crowd, polygons."""
    square = [[5.0, 5.0, 15.0, 5.0, 15.0, 15.0, 5.0, 15.0]]
    return {
        "info": {"description": "tiny"},
        "categories": [{"id": 7, "name": "debris"}, {"id": 3, "name": "nucleus"}],
        "images": [
            {"id": k, "file_name": f"{split}_{k}.png", "width": WIDTH, "height": HEIGHT} for k in (1, 2, 9)
        ],
        "annotations": [
            {
                "id": 11,
                "image_id": 1,
                "category_id": 3,
                "bbox": [5, 5, 10, 10],
                "area": 100,
                "iscrowd": 0,
                "segmentation": square,
            },
            {"id": 12, "image_id": 2, "category_id": 7, "bbox": [0, 0, 40, 30], "segmentation": square},
            {
                "id": 13,
                "image_id": 2,
                "category_id": 3,
                "bbox": [1, 1, 5, 5],
                "area": 25,
                "iscrowd": 1,
                "segmentation": {"size": [HEIGHT, WIDTH], "counts": [0, WIDTH * HEIGHT]},
            },
        ],
    }


@pytest.fixture
def coco(tmp_path: Path) -> CocoFolder:
    folder = CocoFolder(tmp_path / "data")
    folder.images.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        content = split_content(split)
        (folder.root / f"{split}.json").write_text(json.dumps(content))
        for image in content["images"]:
            pixels = rng.integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8)
            PIL.Image.fromarray(pixels).save(folder.images / image["file_name"])
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", _env_file=None)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database)
    migration.upgrade(opened)
    yield opened
    opened.dispose()
