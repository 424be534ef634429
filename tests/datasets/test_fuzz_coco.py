"""Any JSON as an annotation file: a dataset, or one clear sentence; never anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.database import Database
from backend.datasets import registration, service
from backend.errors import InvalidInput
from benchmarks.drills.input_leaves import LEAVES, changed, places

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(LEAVES)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
NAMES = st.sampled_from(["images", "annotations", "categories", "info"])
FEW = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
LONGEST = 8000


def expect_sense(database: Database, folder: Any, content: bytes) -> None:
    folder.train.write_bytes(content)
    dataset_id, sentence = registered_or_refused(database, folder)
    assert 0 < len(sentence.strip().encode()) < LONGEST
    if dataset_id is not None:
        with database.writing() as session:
            session.delete(service.get(session, dataset_id))


def registered_or_refused(database: Database, folder: Any) -> tuple[int | None, str]:
    try:
        found = registration.register_coco(database, "fuzzed", folder.train, folder.val, folder.images)
    except InvalidInput as error:
        return None, str(error)
    return found.id, "registered"


@FEW
@given(content=st.dictionaries(NAMES, st.lists(JSON, max_size=4)) | JSON)
def test_any_json(database: Database, coco: Any, content: Any) -> None:
    expect_sense(database, coco, json.dumps(content).encode())


@FEW
@given(content=st.binary(max_size=200))
def test_any_bytes(database: Database, coco: Any, content: bytes) -> None:
    expect_sense(database, coco, content)


@FEW
@given(data=st.data())
def test_a_good_one_with_another_value_somewhere(database: Database, coco: Any, data: st.DataObject) -> None:
    whole = json.loads(Path(coco.val).read_text())
    for image in whole["images"]:
        image["file_name"] = image["file_name"].replace("val", "train")
    place = data.draw(st.sampled_from(list(places(whole))))
    expect_sense(database, coco, json.dumps(changed(whole, place, data.draw(JSON))).encode())
