"""An archive, what makes a bad one of it, and what demands that it is refused."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from backend.errors import Conflict, InvalidInput
from backend.keeping.exporting import export
from backend.keeping.importing import import_runs


@pytest.fixture
def file(make_place: Any, seed_place: Any, tmp_path: Path) -> Path:
    seeded = seed_place(make_place("sqlite"))
    path = tmp_path / "good.zip"
    runs = [seeded.parent, seeded.child]
    export(seeded.place.database, seeded.place.settings, runs, path, "all", "0.1.0")
    return path


@pytest.fixture
def target(make_place: Any) -> Any:
    return make_place("sqlite")


def refused(target: Any, path: Path, words: str = ".") -> str:
    """Import, demand one sentence, and that nothing was left behind; return the sentence."""
    before = target.everything(), target.files()
    with pytest.raises((InvalidInput, Conflict), match=words) as caught:
        import_runs(target.database, target.settings, path)
    sentence = str(caught.value)
    assert sentence.isprintable()
    assert len(sentence) < 700
    assert (target.everything(), target.files()) == before
    assert sorted(one.name for one in (target.settings.home / "runs").iterdir()) == []
    return sentence


@pytest.fixture(name="refused")
def refused_fixture() -> Any:
    return refused


def rewritten(
    source: Path, path: Path, change: Callable[[dict[str, bytes]], None], sums: bool = True, **manifest: Any
) -> Path:
    """Write the archive anew with some members changed, and checksums that agree with them."""
    with zipfile.ZipFile(source) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    described = json.loads(members.pop("manifest.json"))
    change(members)
    if sums:
        described["members"] = {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in members.items()
        }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as opened:
        for name, content in members.items():
            opened.writestr(zipfile.ZipInfo(name), content)
        opened.writestr("manifest.json", json.dumps(described | manifest))
    return path


@pytest.fixture(name="rewritten")
def rewritten_fixture() -> Any:
    return rewritten


def edit(members: dict[str, bytes], table: str, column: str, value: Any, row: int = 0) -> None:
    """Change one value of one row."""
    name = f"tables/{table}.jsonl"
    lines = members[name].splitlines()
    columns, values = json.loads(lines[0]), json.loads(lines[row + 1])
    values[columns.index(column)] = value
    lines[row + 1] = json.dumps(values).encode()
    members[name] = b"\n".join(lines) + b"\n"


@pytest.fixture(name="edit")
def edit_fixture() -> Any:
    return edit
