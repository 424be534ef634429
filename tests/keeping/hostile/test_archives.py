"""An archive that was cut, changed or made up is one sentence, and leaves nothing behind."""

from __future__ import annotations

import random
import stat
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.errors import Conflict, EigenscopeError
from backend.keeping.importing import import_runs


@pytest.fixture
def intact(file: Path, make_place: Any) -> Any:
    """Return an instance that has imported the archive."""
    place = make_place("sqlite")
    import_runs(place.database, place.settings, file)
    return place


@pytest.fixture
def spare(target: Any) -> list[Any]:
    """Return a list whose last is an instance without runs."""
    return [target]


def test_a_rewritten_archive_is_still_one(file: Path, target: Any, tmp_path: Path, rewritten: Any) -> None:
    path = rewritten(file, tmp_path / "same.zip", lambda members: None)
    assert len(import_runs(target.database, target.settings, path).runs) == 2


@hypothesis_settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_archive_is_refused(
    file: Path, target: Any, tmp_path: Path, share: float, refused: Any
) -> None:
    content = file.read_bytes()
    path = tmp_path / "cut.zip"
    path.write_bytes(content[: int(share * len(content))])
    assert "damaged or cut off" in refused(target, path)


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 8))
def test_a_changed_archive_is_refused_or_was_not_changed_where_it_matters(
    file: Path, intact: Any, spare: list[Any], make_place: Any, tmp_path: Path, seed: int, flips: int
) -> None:
    content = bytearray(file.read_bytes())
    rng = random.Random(seed)
    for _ in range(flips):
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path = tmp_path / "changed.zip"
    path.write_bytes(content)
    target = spare[-1]
    try:
        found = import_runs(target.database, target.settings, path)
    except EigenscopeError:
        assert target.rows("runs") == target.rows("datasets") == []
        assert target.files() == {}
    else:
        # A date or a flag that nobody reads: what is imported is what was exported.
        assert len(found.runs) == 2
        assert target.files() == intact.files()
        for table in ("spectra", "spectrum_summaries", "metrics", "log_lines", "predictions", "layers"):
            assert target.rows(table) == intact.rows(table)
        spare.append(make_place("sqlite"))


HOSTILE_NAMES = (
    "../../escape",
    "/etc/passwd",
    "files/1/../../../x.pt",
    "files/1/x.pt",
    "tables/../a.jsonl",
    "a\\b",
)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_member_has_a_name_of_its_own(
    file: Path, target: Any, tmp_path: Path, name: str, refused: Any, rewritten: Any
) -> None:
    def add(members: dict[str, bytes]) -> None:
        members[name] = b"x"

    refused(target, rewritten(file, tmp_path / "bad.zip", add))
    refused(target, rewritten(file, tmp_path / "bad2.zip", add, sums=False), "does not name")


def test_a_member_with_another_checksum_is_refused(
    file: Path, target: Any, tmp_path: Path, refused: Any, rewritten: Any
) -> None:
    def change(members: dict[str, bytes]) -> None:
        rows = members["tables/runs.jsonl"]
        members["tables/runs.jsonl"] = rows.replace(b'"parent"', b'"Parent"')
        assert members["tables/runs.jsonl"] != rows

    # The zip file itself is sound, and the row could be a run's.
    path = rewritten(file, tmp_path / "bad.zip", change, sums=False)
    refused(target, path, "its part tables/runs.jsonl is not the one that was written")


def test_links_packed_and_doubled_members_are_refused(
    file: Path, target: Any, tmp_path: Path, refused: Any
) -> None:
    def with_entry(path: Path, info: zipfile.ZipInfo, content: bytes) -> Path:
        path.write_bytes(file.read_bytes())
        doubled = pytest.warns(UserWarning, match="Duplicate name") if info.comment else nullcontext()
        with zipfile.ZipFile(path, "a") as opened, doubled:
            opened.writestr(info, content)
        return path

    link = zipfile.ZipInfo("files/1/checkpoint-00000001.pt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    refused(target, with_entry(tmp_path / "link.zip", link, b"/etc/passwd"), "is a link, packed or encrypted")
    bomb = zipfile.ZipInfo("files/1/checkpoint-00000002.pt")
    bomb.compress_type = zipfile.ZIP_DEFLATED
    refused(target, with_entry(tmp_path / "bomb.zip", bomb, bytes(10**7)), "is a link, packed or encrypted")
    double = zipfile.ZipInfo("tables/runs.jsonl")
    double.comment = b"twice"
    refused(target, with_entry(tmp_path / "double.zip", double, b"[]\n"), "twice")


def test_a_checkpoint_without_its_file_is_refused(
    file: Path, target: Any, tmp_path: Path, refused: Any, rewritten: Any
) -> None:
    def drop(members: dict[str, bytes]) -> None:
        del members[next(name for name in members if "/checkpoint-" in name)]

    refused(target, rewritten(file, tmp_path / "bad.zip", drop), "is missing; take another copy")


def test_archives_of_a_newer_program_are_told_apart(
    file: Path, target: Any, tmp_path: Path, refused: Any, rewritten: Any
) -> None:
    def same(_: dict[str, bytes]) -> None:
        return None

    newer = rewritten(file, tmp_path / "a.zip", same, migration="9999")
    refused(target, newer, r"made by a newer Eigenscope \(migration 9999.*upgrade the program")
    newer = rewritten(file, tmp_path / "b.zip", same, version=2, speed="fast")
    refused(target, newer, r"made by a newer Eigenscope \(archive format 2.*upgrade the program")
    refused(target, rewritten(file, tmp_path / "c.zip", same, kind="backup"), "eigenscope restore")


def test_what_is_no_archive_is_refused(target: Any, tmp_path: Path, refused: Any) -> None:
    refused(target, tmp_path / "none.zip", "there is no file")
    refused(target, tmp_path, "is a folder")
    (tmp_path / "a.zip").write_text("hello")
    refused(target, tmp_path / "a.zip", "damaged")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as opened:
        opened.writestr("hello", "x")
    refused(target, tmp_path / "b.zip", "manifest")


def test_a_database_that_fails_at_the_end_leaves_no_file(
    file: Path, target: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError("pulled the plug")

    monkeypatch.setattr("backend.keeping.importing._place", fail)
    with pytest.raises(OSError, match="plug"):
        import_runs(target.database, target.settings, file)
    assert target.rows("runs") == []
    assert target.files() == {}


def test_a_folder_in_the_way_is_named_and_kept(file: Path, target: Any) -> None:
    (target.settings.run_folder(2)).mkdir()
    (target.settings.run_folder(2) / "mine").write_text("mine")
    with pytest.raises(Conflict, match="is in the way and belongs to no run"):
        import_runs(target.database, target.settings, file)
    assert target.rows("runs") == []
    assert target.files() == {"runs/2/mine": b"mine"}
