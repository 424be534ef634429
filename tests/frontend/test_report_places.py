"""What tells where a training ran stays out of a report: secrets, paths, hosts and addresses."""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from backend.database import Database
from backend.settings import Settings
from frontend.report.document import report
from frontend.report.places import setting_without_places
from frontend.report.request import ReportRequest

MADE = datetime(2026, 3, 5, 14, 7, tzinfo=UTC)

SETTINGS = {
    "weights": ("/home/ada/nets/resnet50.pth", "resnet50.pth"),
    "data": ("../sets/coco/train.json", "train.json"),
    "init.file": ("weights/resnet50.pth", "resnet50.pth"),
    "images": (r"C:\Users\ada\images", "images"),
    "share": (r"\\nas\team\images", "images"),
    "home": ("~/runs/7", "7"),
    "roots": ("/data/a.json, /data/b.json", "a.json, b.json"),
    "store": ("s3://lab-bucket/secret/weights.pth", "(left out)"),
    "tracker": ("http://10.0.0.7:5000/x?key=1", "(left out)"),
    "where": ("ada@gpu3.lab.example:/scratch", "(left out)"),
    "peer": ("10.1.2.3:29500", "(left out)"),
    "master": ("gpu3.lab.example:29500", "(left out)"),
    "rendezvous": ("localhost:29500", "(left out)"),
    "hostname": ("gpu3", "(left out)"),
    "hub.api_key": ("abc", "(left out)"),
    "WANDB_TOKEN": ("abc", "(left out)"),
}
HARMLESS = {
    "tokens": "4096",
    "tokenizer": "bpe",
    "rate": "12.5 images/s",
    "ratio": "1/3",
    "about": "~0.5",
    "kernel": "3x3",
    "version": "2.15.0",
    "note": "with w/o warm-up, and/or not",
    "maps": "act, block",
    "norm": "–",
}


@pytest.mark.parametrize(("name", "given", "left"), [(n, *v) for n, v in SETTINGS.items()])
def test_settings_leave_out_where_they_were_made(name: str, given: str, left: str) -> None:
    assert setting_without_places(name, given) == left


@pytest.mark.parametrize(("name", "value"), HARMLESS.items())
def test_other_settings_stay_as_they_are(name: str, value: str) -> None:
    assert setting_without_places(name, value) == value


def test_no_token_path_host_or_address_in_the_file(
    seeded: tuple[Settings, dict[str, int]], passing_run: Callable[..., int], roles: dict[str, int]
) -> None:
    specification = {
        "init": {"kind": "unknown"},
        "settings": {name: value for name, (value, _) in SETTINGS.items()},
    }
    error = f"{seeded[0].home}/runs/1 on gpu3 was lost"
    run = passing_run(specification=specification, origin="recorded", error=error, status="failed")
    database = Database(seeded[0].database)
    with database.reading() as opened:
        page = report(opened, ReportRequest((run, roles["I"])), MADE).decode()
    database.dispose()
    packed = re.search(r'id="content">([^<]+)', page)
    assert packed is not None
    content = gzip.decompress(base64.b64decode(packed[1])).decode()
    # Bytes written as letters may spell anything.
    text = re.sub(r'id="(content|arrays|plotly)">[^<]+', "", page.split("</style>")[1])
    whole = text + re.sub(r'"bdata":"[^"]+"', "", content)
    places = (
        str(seeded[0].home),
        str(seeded[0].data),
        "127.0.0.1",
        "localhost",
        "://",
        "ada",
        "lab",
        "gpu3",
        "nas",
        "nets/",
        "/data",
        "weights/",
        "abc",
    )
    assert [one for one in places if re.search(rf"(?<![a-zA-Z]){re.escape(one)}(?![a-z])", whole)] == []
    assert error not in whole
    assert "resnet50.pth" in whole
