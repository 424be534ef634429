"""A row that no run could have is one sentence, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.errors import Conflict, InvalidInput
from backend.keeping.importing import import_runs
from backend.models import Base

WRONG = [
    ("runs", "status", "dancing", "there is no status 'dancing'"),
    ("runs", "name", "x" * 201, "name is no text of at most 200 letters"),
    ("runs", "name", "a\0b", "NUL"),
    ("runs", "name", None, "name is missing"),
    ("runs", "tags", [1], "tags|string"),
    ("runs", "specification", {"dataset_id": 1, "colour": 3}, "colour"),
    ("runs", "iterations", 2**40, "iterations is no whole number"),
    ("runs", "ap", "much", "ap is no finite number"),
    ("runs", "created_at", "2026-01-01T00:00:00", "created_at is no time with a zone"),
    ("runs", "archived", 1, "archived is neither true nor false"),
    ("runs", "dataset_id", 7, "the dataset it was trained on is not told"),
    ("runs", "parent_run_id", 9, "run that came later"),
    ("layers", "width", 4, "does not hold 4 eigenvalues|more bytes"),
    ("layers", "map", "<script>", "map"),
    ("layers", "run_id", 77, "run 77, which is not there"),
    ("spectra", "eigenvalues", 10**6, "tells of more bytes than there are"),
    ("spectra", "eigenvalues", -1, "no number of bytes"),
    ("spectra", "layer", 9, "its layer is not there"),
    ("spectra", "iteration", 7, "contradict each other"),
    ("spectrum_summaries", "dimensionality", 6, "not between 0 and 5"),
    ("metrics", "name", "a\nb", "printable"),
    ("predictions", "data", {"file_name": 3}, "file_name"),
    ("checkpoints", "kept_as", [], "does not say why it is kept"),
    ("checkpoints", "file", "../../../etc/passwd", "is not named after it"),
    ("checkpoints", "iteration", 8, "is not named after it"),
    ("log_lines", "number", 0, "numbered from 1"),
    ("datasets", "counts", {}, "train Field required"),
]


@pytest.mark.parametrize(("table", "column", "value", "words"), WRONG)
def test_rows_that_no_run_could_have_are_named(
    file: Path,
    target: Any,
    tmp_path: Path,
    table: str,
    column: str,
    value: Any,
    words: str,
    refused: Any,
    rewritten: Any,
    edit: Any,
) -> None:
    path = rewritten(file, tmp_path / "bad.zip", lambda members: edit(members, table, column, value))
    refused(target, path, words)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["running", "recorded", "last", "1999-01-01T00:00:00+00:00"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["init", "kind", "train", "val", "images", "id"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)
CELLS = [
    (name, column.name)
    for name in ("runs", "datasets", "layers", "spectra", "metrics", "predictions", "checkpoints")
    for column in Base.metadata.tables[name].columns
]


@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cell=st.sampled_from(CELLS), value=VALUES)
def test_any_value_in_any_cell_is_taken_or_refused_in_one_sentence(
    file: Path, target: Any, tmp_path: Path, cell: tuple[str, str], value: Any, rewritten: Any, edit: Any
) -> None:
    (tmp_path / "odd.zip").unlink(missing_ok=True)
    path = rewritten(file, tmp_path / "odd.zip", lambda members: edit(members, *cell, value))
    before = target.everything(), target.files()
    sentence = ""
    try:
        import_runs(target.database, target.settings, path)
    except (InvalidInput, Conflict) as error:
        sentence = str(error)
    assert not sentence or (target.everything(), target.files()) == before
    assert not sentence or sentence.isprintable()


NESTED = b"[" * 100_000 + b"]" * 100_000 + b"\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("tables/runs.jsonl", b""),
        ("tables/runs.jsonl", b"{}\n"),
        ("tables/runs.jsonl", b'["id"]\n[1]\n'),
        ("tables/runs.jsonl", b'["id","password"]\n'),
        ("tables/metrics.jsonl", NESTED),
        ("tables/metrics.jsonl", b'["run_id","name","iteration","value"]\n[1,"loss",1,NaN]\n'),
        ("tables/metrics.jsonl", b'["run_id","name","iteration","value"]\n[1,"loss",1,1e999]\n'),
        (
            "tables/metrics.jsonl",
            b'["run_id","name","iteration","value"]\n[1,"loss",' + b"9" * 5000 + b",1]\n",
        ),
        ("tables/metrics.jsonl", b'["run_id","name","iteration","value"]\n[1,"loss",1'),
        ("tables/spectra.bin", bytes(10**5)),
        ("tables/width_plans.jsonl", b'["id"]\n'),
        ("files/99/checkpoint-00000001.pt", b"whose?"),
        ("generated/a/b.json", b"{}"),
    ],
)
def test_members_that_are_no_tables_are_refused(
    file: Path, target: Any, tmp_path: Path, name: str, content: bytes, refused: Any, rewritten: Any
) -> None:
    def put(members: dict[str, bytes]) -> None:
        members[name] = content

    refused(target, rewritten(file, tmp_path / "bad.zip", put))
