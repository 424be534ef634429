"""A run's spectra as matrices: whole however they are fetched, kept only where there is room."""

from __future__ import annotations

import numpy as np
import pytest

from backend.database import Database
from backend.measurements import repository, service, stacks
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run
from backend.spectra.criteria import dimensionality

WIDTHS = (4, 7, 3)
ITERATIONS = range(0, 50, 10)


def spectrum(layer: int, iteration: int) -> np.ndarray:
    return np.sort(np.random.default_rng([layer, iteration]).gamma(0.3, size=WIDTHS[layer]))[::-1].astype(
        "f4"
    )


@pytest.fixture
def run_id(database: Database, dataset_id: int) -> int:
    with database.writing() as session:
        run = Run(name="r", specification={}, dataset_id=dataset_id, iterations=50)
        session.add(run)
        session.flush()
        return run.id


@pytest.fixture
def filled(database: Database, run_id: int) -> int:
    with database.writing() as session:
        names = [LayerRow(k, f"layer{k}", "act", "layer1", width) for k, width in enumerate(WIDTHS)]
        repository.write_layers(session, run_id, names)
        for iteration in ITERATIONS:
            rows = [
                SpectrumRow(k, values, 1, float(values.sum()), float(values[0]), 1, 9)
                for k, values in ((k, spectrum(k, iteration)) for k in range(len(WIDTHS)))
            ]
            repository.write_spectra(session, run_id, iteration, rows)
    return run_id


@pytest.mark.parametrize("fetched", [1, 2, 5, 7, 15, 200])
@pytest.mark.parametrize("largest", [0, stacks.LARGEST])
def test_every_layer_is_whole_wherever_a_fetch_ends(
    database: Database, filled: int, monkeypatch: pytest.MonkeyPatch, fetched: int, largest: int
) -> None:
    monkeypatch.setattr(repository, "FETCHED", fetched)
    monkeypatch.setattr(stacks, "LARGEST", largest)
    with database.reading() as session:
        found = list(stacks.of_run(session, filled, "stamp"))
    assert [one.layer for one in found] == [0, 1, 2]
    for one in found:
        assert one.iterations == tuple(ITERATIONS)
        np.testing.assert_array_equal(one.eigenvalues, [spectrum(one.layer, i) for i in ITERATIONS])


def test_a_run_is_read_once_and_a_large_one_each_time(
    database: Database, filled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    whole = repository.spectra_in_parts
    monkeypatch.setattr(repository, "spectra_in_parts", lambda *which: read.append(which) or whole(*which))
    with database.reading() as session:
        for threshold in (0.1, 0.2, 0.3):
            service.dimensions(session, filled, "relative", threshold)
        assert len(read) == 1
        monkeypatch.setattr(stacks, "LARGEST", repository.bytes_of_spectra(session, filled) - 1)
        for threshold in (0.4, 0.5):
            service.dimensions(session, filled, "relative", threshold)
    assert len(read) == 3


def test_the_room_is_counted_by_what_eigenvalues_take(database: Database, filled: int) -> None:
    with database.reading() as session:
        assert repository.bytes_of_spectra(session, filled) == 4 * sum(WIDTHS) * len(ITERATIONS)
        assert repository.bytes_of_spectra(session, filled + 1) == 0


def test_spectra_in_blocks_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    spectra = -np.sort(-np.random.default_rng(0).gamma(0.3, size=(3, 5, 16)), axis=-1)
    whole = dimensionality(spectra, "effective_rank")
    monkeypatch.setattr("backend.spectra.criteria.BLOCK", 40)
    np.testing.assert_array_equal(dimensionality(spectra, "effective_rank"), whole)
    assert dimensionality(spectra[:0], "relative").shape == (0, 5)
