"""The images of a dataset as a browser gets them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from fastapi.testclient import TestClient

from backend.app import create_app
from backend.database import Database
from backend.datasets import registration, service
from backend.datasets.pictures import Picture
from backend.errors import InvalidInput
from backend.models import Dataset
from backend.settings import Settings


@pytest.fixture
def client(settings: Settings, database: Database, coco) -> Iterator[TestClient]:
    registration.register_coco(database, "tiny", coco.train, coco.val, coco.images)
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8000") as opened:
        yield opened


def url(image: object = 2, split: str = "val", dataset: int = 1) -> str:
    return f"/api/v1/datasets/{dataset}/images/{split}/{image}"


def opened(content: bytes) -> PIL.Image.Image:
    return PIL.Image.open(io.BytesIO(content))


def test_an_image_is_the_one_of_its_split_and_id(client: TestClient, coco) -> None:
    for split in ("train", "val"):
        answer = client.get(url(9, split))
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        shown = np.asarray(opened(answer.content), dtype=float)
        assert shown.shape == (30, 40, 3)
        stored = np.asarray(PIL.Image.open(coco.images / f"{split}_9.png"), dtype=float)
        # Noise is what JPEG keeps worst; another split's noise would be 85 off.
        assert np.abs(shown.mean(axis=2) - stored).mean() < 20


def test_the_longer_side_is_bounded_and_small_images_are_not_enlarged(client: TestClient, coco) -> None:
    PIL.Image.new("RGB", (60, 400)).save(coco.images / "val_2.png")
    assert opened(client.get(url()).content).size == (60, 400)
    assert opened(client.get(url() + "?size=100").content).size == (15, 100)
    for size in (15, 2049, "large"):
        assert client.get(url() + f"?size={size}").status_code == 422


def test_a_browser_asks_once_and_then_only_whether_the_file_changed(client: TestClient, coco) -> None:
    first = client.get(url())
    assert first.headers["cache-control"] == "private, max-age=3600"
    tag = {"if-none-match": first.headers["etag"]}
    again = client.get(url(), headers=tag)
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(url() + "?size=20", headers=tag).status_code == 200
    PIL.Image.new("L", (40, 30)).save(coco.images / "val_2.png")
    assert client.get(url(), headers=tag).status_code == 200


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (url(5), "dataset 'tiny' has no image 5 in its val split"),
        (url(2, dataset=7), "there is no dataset 7"),
    ],
)
def test_what_is_not_there_is_404_in_the_one_shape(client: TestClient, where: str, words: str) -> None:
    answer = client.get(where)
    assert answer.status_code == 404
    assert answer.json()["error"] == "not_found"
    assert words in answer.json()["detail"]


def test_a_file_that_is_gone_is_404_and_a_broken_one_422_without_the_servers_paths(
    client: TestClient, coco
) -> None:
    (coco.images / "val_1.png").unlink()
    (coco.images / "val_2.png").write_bytes(b"no image")
    gone, broken = client.get(url(1)), client.get(url(2))
    assert (gone.status_code, broken.status_code) == (404, 422)
    assert "val_1.png is missing" in gone.json()["detail"]
    assert str(coco.root) not in gone.text + broken.text


@pytest.mark.parametrize("image", ["../../etc/passwd", "val_1.png", "%2e%2e%2fval.json", 2**63])
def test_only_numbers_name_an_image(client: TestClient, image: object) -> None:
    assert client.get(url(image)).status_code in (404, 422)


def test_the_files_list_goes_with_the_dataset(
    client: TestClient, database: Database, settings: Settings
) -> None:
    with database.writing() as session:
        service.delete(session, settings, 1)
    with database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM dataset_images").scalar() == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_8_bit_image_is_shown(tmp_path: Path, mode: str) -> None:
    file = tmp_path / "image.tiff"
    PIL.Image.new("L", (50, 20), 200).convert("RGB").convert(mode).save(file)
    assert opened(Picture(file, 25).jpeg()).size == (25, 10)


def test_an_image_of_16_bits_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.png"
    PIL.Image.fromarray(np.zeros((4, 4), dtype=np.uint16)).save(file)
    with pytest.raises(InvalidInput, match="more than 8 bits"):
        Picture(file, 25).jpeg()


def test_each_split_may_have_its_folder() -> None:
    assert Dataset(images="a", val_images="b").images_of("val") == "b"
    assert Dataset(images="a", val_images="b").images_of("train") == "a"
    assert Dataset(images="a").images_of("val") == "a"
