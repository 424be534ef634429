"""A worker's beats say what its GPUs hold; no CUDA is touched for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.database import Database
from backend.settings import Settings
from backend.system import repository
from worker import presence
from worker.presence import Presence, devices

SMI = """#!/bin/sh
[ -e {folder}/broken ] && exit 9
cat {folder}/cards
"""


@pytest.fixture
def cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that an nvidia-smi of our own prints."""
    folder = tmp_path / "smi"
    folder.mkdir()
    program = folder / "nvidia-smi"
    program.write_text(SMI.format(folder=folder))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    file = folder / "cards"
    file.write_text("0, H100, 81559, 1024\n1, Slice, 9984, [N/A]\n")
    return file


def test_devices_tell_what_is_used_where_the_driver_does(
    cards: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = {"name": "H100", "memory_bytes": 81559 * 2**20, "memory_used_bytes": 2**30}
    assert devices() == [
        first,
        {"name": "Slice", "memory_bytes": 9984 * 2**20, "memory_used_bytes": None},
    ]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert devices() == [first]


def test_beats_bring_what_is_used_up_to_date(
    cards: Path, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "SECONDS_BETWEEN_DEVICES", 0.0)
    worker = Presence(database, settings)
    used = []
    for words in ("1024", "2048", None):
        if words is None:
            (cards.parent / "broken").touch()
        else:
            cards.write_text(f"0, H100, 81559, {words}\n")
        worker.beat()
        with database.reading() as session:
            (row,) = repository.workers(session)
            used.append(row.devices[0]["memory_used_bytes"] // 2**20)
    # A card that does not answer once is still shown, as it was last.
    assert used == [1024, 2048, 2048]
