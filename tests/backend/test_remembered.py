"""Dimensionalities are computed once, and anew as soon as a spectrum is added or recorded again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from backend import migration
from backend.database import Database
from backend.measurements import repository, service
from backend.measurements.records import LayerRow, SpectrumRow
from backend.measurements.remembered import Remembered
from backend.measurements.unresolved import unresolved
from backend.models import Run


@dataclass(frozen=True)
class Thing:
    nbytes: int


def test_what_was_made_is_kept_as_long_as_its_stamp_holds() -> None:
    kept, made = Remembered(), []

    def make() -> Thing:
        made.append(Thing(8))
        return made[-1]

    first = kept.get("a", 1, make)
    assert kept.get("a", 1, make) is first
    assert kept.get("a", 2, make) is not first
    assert kept.get("b", 2, make) is not first
    assert len(made) == 3


def test_the_least_recently_used_goes_first_where_room_ends() -> None:
    kept = Remembered(room=20)
    a, b = kept.get("a", 0, lambda: Thing(8)), kept.get("b", 0, lambda: Thing(8))
    assert kept.get("a", 0, lambda: Thing(0)) is a
    kept.get("c", 0, lambda: Thing(8))
    assert kept.get("a", 0, lambda: Thing(0)) is a
    assert kept.get("b", 0, lambda: Thing(0)) is not b
    too_large = kept.get("d", 0, lambda: Thing(99))
    assert kept.get("d", 0, lambda: Thing(1)) is not too_large


def row(values: list[float]) -> SpectrumRow:
    array = np.array(values)
    return SpectrumRow(0, array, int((array > 1e-3).sum()), float(array.sum()), float(array[0]), 1, 9)


@pytest.mark.parametrize("criterion", ["absolute", "stable_rank"])
def test_spectra_that_are_added_or_recorded_again_are_seen(tmp_path: Path, criterion: str) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migration.upgrade(database)
    with database.writing() as session:
        specification = {"init": {"kind": "scratch"}, "settings": {}}
        run = Run(name="r", origin="recorded", specification=specification, iterations=9)
        session.add(run)
        session.flush()
        number = run.id
        repository.write_layers(session, number, [LayerRow(0, "a", "act", "s", 3)])

    def seen(*spectra: tuple[int, list[float]]) -> list[float]:
        with database.writing() as session:
            for iteration, values in spectra:
                repository.write_spectra(session, number, iteration, [row(values)])
        with database.reading() as session:
            return service.dimensions(session, number, criterion).values[0].tolist()

    assert seen((0, [1.0, 0.0, 0.0])) == [1]
    assert seen() == [1]
    assert seen((5, [1.0, 1.0, 0.0])) == [1, 2]
    assert seen((5, [1.0, 1.0, 1.0])) == [1, 3]
    database.dispose()


def test_what_drowns_in_rounding_is_looked_for_again_when_it_is_recorded_anew(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    migration.upgrade(database)
    with database.writing() as session:
        run = Run(name="r", origin="recorded", specification={"init": {"kind": "scratch"}}, iterations=9)
        session.add(run)
        session.flush()
        number = run.id
        repository.write_layers(session, number, [LayerRow(0, "a", "act", "s", 2)])

    def drowned(*spectra: tuple[int, float]) -> list[tuple[int, float]]:
        with database.writing() as session:
            for iteration, largest in spectra:
                repository.write_spectra(session, number, iteration, [row([largest, 0.0])])
        with database.reading() as session:
            found = unresolved(session, number, 1e-3)
        return list(zip(found.iterations.tolist(), found.lambda_1.tolist(), strict=True))

    # 1e-3 is float32's rounding of λ_1 from 8389 on.
    assert drowned((0, 8000.0), (5, 9000.0)) == [(5, 9000.0)]
    assert drowned() == [(5, 9000.0)]
    assert drowned((0, 8500.0)) == [(0, 8500.0), (5, 9000.0)]
    assert drowned((5, 1.0)) == [(0, 8500.0)]
    database.dispose()
