"""Commands do what they say; what is wrong is one sentence on stderr, and nothing is left behind."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from backend.database import Database
from backend.runs import service
from eigenscope.instance import read_settings

Call = Callable[..., Any]


@pytest.fixture
def cells(home: Path) -> Path:
    """Write a small COCO dataset: two images of unlike size, one box each."""
    folder = home / "cells"
    (folder / "images").mkdir(parents=True)
    sizes = [(40, 30), (32, 48)]
    images = [
        {"id": k, "file_name": f"{k}.png", "width": w, "height": h} for k, (w, h) in enumerate(sizes, 1)
    ]
    for image in images:
        size = (image["width"], image["height"])
        Image.new("L", size, 90).save(folder / "images" / str(image["file_name"]))
    annotations = [
        {"id": k, "image_id": k, "category_id": 7, "bbox": [4, 4, 10, 12], "area": 120, "iscrowd": 0}
        for k in (1, 2)
    ]
    content = {"images": images, "annotations": annotations, "categories": [{"id": 7, "name": "cell"}]}
    for split in ("train", "val"):
        (folder / f"{split}.json").write_text(json.dumps(content))
    return folder


@pytest.fixture
def add(eigenscope: Call, cells: Path) -> Call:
    def call(name: str = "cells") -> Any:
        files = ("--train", cells / "train.json", "--val", cells / "val.json", "--images", cells / "images")
        return eigenscope("datasets", "add", name, *files)

    return call


def change(file: Path, edit: Callable[[Any], None]) -> None:
    content = json.loads(file.read_text())
    edit(content)
    file.write_text(json.dumps(content))


def test_a_dataset_is_registered_listed_and_shown(eigenscope: Call, add: Call) -> None:
    added = add()
    assert added.status == 0, added.err
    assert "dataset 1 'cells': 2 training and 2 validation images" in added.out
    (listed,) = json.loads(eigenscope("datasets", "list", "--json").out)
    assert listed["categories"] == [{"id": 7, "name": "cell"}]
    assert "categories: cell" in eigenscope("datasets", "show", "cells").out
    assert "categories: cell" in eigenscope("datasets", "show", 1).out
    again = add()
    assert again.status == 1
    assert "cells" in again.err
    assert eigenscope("datasets", "delete", "cells").status == 0
    assert json.loads(eigenscope("datasets", "list", "--json").out) == []


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda c: (c / "images" / "2.png").unlink(), "2.png"),
        (
            lambda c: change(c / "train.json", lambda d: d["annotations"][0].update(bbox=[30, 4, 30, 10])),
            "annotation 1",
        ),
        (
            lambda c: change(c / "train.json", lambda d: d["annotations"][1].update(bbox=[3, 3, -1, 5])),
            "annotation 2",
        ),
        (lambda c: change(c / "val.json", lambda d: d["annotations"][0].update(category_id=8)), "8"),
        (lambda c: (c / "train.json").write_text("{"), "train.json"),
        (lambda c: (c / "train.json").write_text('{"a": 1}'), "train.json"),
        (lambda c: (c / "val.json").unlink(), "val.json"),
    ],
    ids=[
        "missing-image",
        "box-outside",
        "negative-size",
        "unknown-category",
        "no-json",
        "no-coco",
        "no-file",
    ],
)
def test_a_bad_dataset_is_named_and_not_stored(
    eigenscope: Call, add: Call, cells: Path, spoil: Callable[[Path], None], named: str
) -> None:
    spoil(cells)
    refused = add()
    assert refused.status == 2
    assert named in refused.err
    assert "Traceback" not in refused.err
    assert json.loads(eigenscope("datasets", "list", "--json").out) == []


def test_a_run_is_queued_shown_cancelled_and_deleted(eigenscope: Call, add: Call, home: Path) -> None:
    add()
    (home / "spec.json").write_text(json.dumps({"dataset_id": 1, "training": {"iterations": 200}}))
    launched = eigenscope("runs", "launch", home / "spec.json", "--json")
    assert launched.status == 0, launched.err
    assert json.loads(launched.out)["status"] == "queued"
    assert json.loads(eigenscope("runs", "list", "--json").out)[0]["id"] == 1
    assert eigenscope("runs", "cancel", 1).status == 0
    waited = eigenscope("runs", "wait", 1)
    assert waited.status == 1
    assert "run 1 cancelled" in waited.err
    refused = eigenscope("runs", "cancel", 1)
    assert refused.status == 1
    assert "cancel is possible only when" in refused.err
    assert eigenscope("runs", "delete", 1).status == 0
    assert "there is no run 1" in eigenscope("runs", "show", 1).err


def test_archived_runs_are_listed_where_they_are_asked_for(eigenscope: Call, add: Call, home: Path) -> None:
    add()
    (home / "spec.json").write_text(json.dumps({"dataset_id": 1, "training": {"iterations": 200}}))
    for _ in range(2):
        assert eigenscope("runs", "launch", home / "spec.json").status == 0
    waiting = {"dataset_id": 1, "init": {"kind": "run", "run_id": 2}}
    (home / "waiting.json").write_text(json.dumps(waiting))
    assert eigenscope("runs", "launch", home / "waiting.json").status == 0
    assert eigenscope("runs", "cancel", 1).status == 0
    database = Database(read_settings().database)
    with database.writing() as session:
        service.edit(session, 1, archived=True)
    database.dispose()

    def listed(*options: str) -> list[int]:
        return [run["id"] for run in json.loads(eigenscope("runs", "list", *options, "--json").out)]

    assert listed() == [3, 2]
    assert listed("--archived") == [3, 2, 1]
    words = eigenscope("runs", "list", "--archived").out
    assert "cancelled, archived" in words
    assert "queued, waits for 2" in words
    assert json.loads(eigenscope("runs", "show", 1, "--json").out)["archived"] is True
    assert "List archived runs too." in eigenscope("runs", "list", "--help").out


def test_launching_tells_what_the_first_weights_give(eigenscope: Call, add: Call, home: Path) -> None:
    add()
    (home / "spec.json").write_text(json.dumps({"dataset_id": 1, "init": {"kind": "imagenet"}}))
    launched = eigenscope("runs", "launch", home / "spec.json", "--json")
    assert json.loads(launched.out)["status"] == "queued"
    assert "318 tensors taken from resnet50-0676ba61.pth" in launched.err
    assert "2 left over: fc.weight, fc.bias" in launched.err
    assert "the weights have none: the FPN, the RPN, the box head." in launched.err


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "is no JSON"),
        ('{"dataset_id": 1, "colour": 3}', "colour: there is no such field"),
        ('{"dataset_id": 9}', "there is no dataset 9"),
        ('{"dataset_id": 1, "training": {"iterations": -5}}', "training.iterations"),
        ('{"dataset_id": 1, "init": {"kind": "file", "file": "none.pth"}}', "there is no file 'none.pth'"),
    ],
)
def test_a_bad_specification_is_named_and_not_queued(
    eigenscope: Call, add: Call, home: Path, content: str, named: str
) -> None:
    add()
    (home / "spec.json").write_text(content)
    refused = eigenscope("runs", "launch", home / "spec.json")
    assert refused.status == 2
    assert named in refused.err
    assert json.loads(eigenscope("runs", "list", "--json").out) == []


def test_a_port_in_use_is_named(eigenscope: Call) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in ("up", "demo"):
            refused = eigenscope(command, "--port", port)
            assert refused.status == 1
            assert f"port {port} on 127.0.0.1 is in use" in refused.err


def test_a_database_at_another_migration_is_refused(eigenscope: Call, home: Path) -> None:
    refused = eigenscope("serve", "--port", 8000)
    assert "is empty; run `eigenscope migrate` first" in refused.err
    assert eigenscope("migrate").status == 0
    database = Database(f"sqlite:///{home / 'home' / 'eigenscope.db'}")
    with database.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.dispose()
    for arguments in (("serve",), ("worker",), ("migrate",), ("up",)):
        refused = eigenscope(*arguments)
        assert refused.status == 1
        assert "made by a newer Eigenscope (migration 9999" in refused.err


def test_a_bad_setting_is_named(eigenscope: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EIGENSCOPE_PORT", "many")
    refused = eigenscope("doctor")
    assert refused.status == 2
    assert "EIGENSCOPE_PORT" in refused.err


def test_a_home_that_cannot_be_made_is_named(
    eigenscope: Call, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "file").write_text("in the way")
    monkeypatch.setenv("EIGENSCOPE_HOME", str(home / "file" / "home"))
    refused = eigenscope("runs", "list")
    assert refused.status == 1
    assert "set EIGENSCOPE_HOME to another" in refused.err


def test_the_doctor_names_what_is_wrong(eigenscope: Call) -> None:
    eigenscope("migrate")
    told = eigenscope("doctor")
    assert told.status == 1
    assert "wrong   no worker lives" in told.out
    assert "ok      database" in told.out


def test_wrong_use_is_status_2(eigenscope: Call) -> None:
    assert eigenscope("runs", "show", "x").status == 2
    assert eigenscope("nothing").status == 2
