"""A disk that is full, by the operating system's own limits: under the database, the journal, a checkpoint."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy import event

from backend.database import Database
from backend.measurements.records import LayerRow, SpectrumRow
from tests.faults.conftest import OWNER, Place
from worker.recorder import Recorder

PAGES = 2**30


def test_a_full_database_is_waited_for_and_has_all_of_it_in_the_end(
    place: Place, tmp_path: Path, layers: list[LayerRow], snapshot: Callable[[int], Sequence[SpectrumRow]]
) -> None:
    if not place.url.startswith("sqlite"):
        pytest.skip("only SQLite can be told how large it may grow")
    full = False
    run_id, home = place.add_run(), tmp_path / "home"
    database = Database(place.url)

    def limit(connection: object, *_: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        (pages,) = cursor.execute("PRAGMA page_count").fetchone()
        cursor.execute(f"PRAGMA max_page_count = {pages if full else PAGES}")
        cursor.close()

    event.listen(database.engine, "checkout", limit)
    recorder = Recorder(database, run_id, OWNER, home)
    recorder.keep_journal(home / "runs" / str(run_id), 1e9, lambda: False)
    recorder.layers(layers)
    recorder.spectra(0, snapshot(0))
    full = True
    for iteration in range(1, 200):
        recorder.spectra(iteration, snapshot(iteration))
    assert recorder.was_away
    full = False
    assert recorder.close()
    database.dispose()
    assert len(place.stored(run_id)["spectra"]) == 3 * 200


LIMITED = """
import sys
from pathlib import Path
import torch
from backend.errors import Unavailable
from worker.training import checkpoints

path = Path(sys.argv[1])
try:
    checkpoints.save(path, {"iteration": 2, "model": {"w": torch.zeros(100_000)}})
except Unavailable as error:
    print(error)
"""


def test_a_checkpoint_beyond_the_limit_of_the_system_leaves_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint-00000001.pt"
    path.write_bytes(b"the old one")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, path],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.startswith(f"no room for a checkpoint in {tmp_path}: it needs ")
    assert "free some and resume the run" in done.stdout
    assert path.read_bytes() == b"the old one"
    assert os.listdir(tmp_path) == [path.name]
