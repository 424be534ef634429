"""The journal's file: in order, whole or ignored, taken over by the next trainer and by it alone."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.measurements.records import CheckpointRow, LayerRow, PredictionRow, SpectrumRow
from worker import journal
from worker.entries import (
    Checkpoints,
    Entry,
    Layers,
    Noted,
    Predictions,
    Spectra,
    from_bytes,
    to_bytes,
)
from worker.journal import Journal, left_behind, records


def test_what_is_kept_comes_back_in_order_and_leaves_no_file(tmp_path: Path) -> None:
    kept = Journal(tmp_path / "run", 7)
    for k in range(50):
        kept.append(bytes([k]) * k)
    (file,) = left_behind(tmp_path / "run")
    assert list(records(file)) == [bytes([k]) * k for k in range(50)]
    for k in range(50):
        assert kept.first() == bytes([k]) * k
        kept.drop_first()
    assert (len(kept), file.stat().st_size) == (0, 8)
    kept.append(b"more")
    assert kept.first() == b"more"
    kept.drop_first()
    kept.close()
    assert os.listdir(tmp_path / "run") == []


def test_what_was_not_delivered_stays_unless_the_run_is_anothers(tmp_path: Path) -> None:
    for token, gone in ((1, False), (2, True)):
        kept = Journal(tmp_path, token)
        kept.append(b"words")
        if gone:
            kept.discard()
        kept.close()
    assert [file.name for file in left_behind(tmp_path)] == ["journal-000000000001.bin"]


@pytest.mark.parametrize("torn", range(1, 14))
def test_a_torn_last_record_is_ignored(tmp_path: Path, torn: int) -> None:
    kept = Journal(tmp_path, 1)
    kept.append(b"whole")
    kept.append(b"broken")
    (file,) = left_behind(tmp_path)
    file.write_bytes(file.read_bytes()[:-torn])
    assert list(records(file)) == [b"whole"]
    kept.close()


def test_a_changed_byte_and_another_format_are_not_read(tmp_path: Path) -> None:
    kept = Journal(tmp_path, 1)
    for word in (b"first", b"second", b"third"):
        kept.append(word)
    (file,) = left_behind(tmp_path)
    content = bytearray(file.read_bytes())
    content[-12] ^= 1
    file.write_bytes(content)
    assert list(records(file))[:1] == [b"first"]
    assert b"third" not in list(records(file))
    file.write_bytes(b"EIGJRNL9" + content[8:])
    assert list(records(file)) == []
    kept.close()


def test_no_room_takes_back_what_was_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Journal(tmp_path, 1)
    kept.append(b"whole")
    real = os.pwrite

    def full(file: int, content: bytes, place: int) -> int:
        if len(content) < 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, content[:-9], place)

    monkeypatch.setattr(journal.os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        kept.append(b"x" * 100)
    monkeypatch.undo()
    kept.append(b"next")
    (file,) = left_behind(tmp_path)
    assert list(records(file)) == [b"whole", b"next"]
    kept.close()


def entries(home: Path, snapshot: Callable[[int], Sequence[SpectrumRow]]) -> list[Entry]:
    return [
        Layers([LayerRow(0, "läyer", "act", "stem", 3)]),
        Spectra(5, snapshot(5)),
        Noted(
            [(1, "loss", 0.1 + 0.2), (2, "ap", math.nan), (3, "x", math.inf)],
            {"phase": "training", "ap": 0.1},
        ),
        Predictions(4, [PredictionRow(2**40, {"found": [{"bbox": [0.1, 2, 3, 4]}]})]),
        Checkpoints([CheckpointRow(9, home / "runs/1/checkpoint-9.pt", 12, ("last", "best"))]),
    ]


def test_every_kind_of_entry_is_the_same_after_its_bytes(
    tmp_path: Path, snapshot: Callable[[int], Sequence[SpectrumRow]]
) -> None:
    for entry in entries(tmp_path, snapshot):
        again: Any = from_bytes(to_bytes(entry, tmp_path), tmp_path)
        assert to_bytes(again, tmp_path) == to_bytes(entry, tmp_path)
        assert type(again) is type(entry)
    spectra: Any = from_bytes(to_bytes(Spectra(5, snapshot(5)), tmp_path), tmp_path)
    for kept, row in zip(spectra.rows, snapshot(5), strict=True):
        assert np.array_equal(kept.eigenvalues, row.eigenvalues.astype(np.float32))
        assert (kept.trace, kept.lambda_1, kept.positions) == (row.trace, row.lambda_1, row.positions)
