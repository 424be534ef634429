"""What is stored comes back exact, is idempotent, and goes with its run."""

from __future__ import annotations

import numpy as np
import pytest
from sqlalchemy import func, select

from backend.database import Database
from backend.errors import InvalidInput, NotFound
from backend.measurements import repository, service
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Layer, Metric, Run, Spectrum, SpectrumSummary
from backend.spectra.criteria import CRITERIA, dimensionality

ITERATIONS = (0, 1, 2, 5)
WIDTHS = (8, 16)


@pytest.fixture
def run_id(database: Database, dataset_id: int) -> int:
    with database.writing() as session:
        run = Run(name="r", specification={}, dataset_id=dataset_id, iterations=10)
        session.add(run)
        session.flush()
        return run.id


def spectrum(layer: int, iteration: int) -> np.ndarray:
    random = np.random.default_rng([layer, iteration])
    return np.sort(10 ** random.uniform(-6, 2, WIDTHS[layer]))[::-1]


def row(layer: int, iteration: int) -> SpectrumRow:
    values = spectrum(layer, iteration)
    count = int((values > 1e-3).sum())
    return SpectrumRow(layer, values, count, float(values.sum()), float(values[0]), 3, 3 * 40)


@pytest.fixture
def filled(database: Database, run_id: int) -> int:
    with database.writing() as session:
        layers = [LayerRow(k, f"layer{k}", "act", "layer1", width) for k, width in enumerate(WIDTHS)]
        repository.write_layers(session, run_id, layers)
        for iteration in ITERATIONS:
            repository.write_spectra(
                session, run_id, iteration, [row(k, iteration) for k in range(len(WIDTHS))]
            )
        repository.write_metrics(
            session, run_id, [(1, "loss", 2.0), (2, "loss", float("nan")), (2, "lr", 0.1)]
        )
    return run_id


def test_spectra_come_back_bit_for_bit(database: Database, filled: int) -> None:
    with database.reading() as session:
        found = service.layer_spectra(session, filled, "layer1")
    assert found.iterations.tolist() == list(ITERATIONS)
    expected = np.stack([spectrum(1, i) for i in ITERATIONS]).astype(np.float32)
    np.testing.assert_array_equal(found.eigenvalues, expected)


def test_after_skips_what_a_client_has(database: Database, filled: int) -> None:
    with database.reading() as session:
        assert service.layer_spectra(session, filled, "layer0", after=1).iterations.tolist() == [2, 5]
        assert service.layer_spectra(session, filled, "layer0", after=5).eigenvalues.shape == (0, 8)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_dimensions_equal_the_criterion_of_each_spectrum(
    database: Database, filled: int, criterion: str
) -> None:
    with database.reading() as session:
        found = service.dimensions(session, filled, criterion)
    for layer in range(len(WIDTHS)):
        for column, iteration in enumerate(ITERATIONS):
            alone = dimensionality(spectrum(layer, iteration).astype(np.float32), CRITERIA[criterion].name)
            assert found.values[layer, column] == pytest.approx(float(alone), rel=1e-6)
    assert found.positions_per_channel == (120 / 8, 120 / 16)


def test_the_papers_threshold_reads_summaries_and_another_reads_spectra(
    database: Database, filled: int
) -> None:
    with database.reading() as session:
        stored = service.dimensions(session, filled)
        recounted = service.dimensions(session, filled, "absolute", 1e-3 * (1 + 1e-9))
    np.testing.assert_array_equal(stored.values, recounted.values)


def test_a_missing_spectrum_is_nan_not_zero(database: Database, filled: int) -> None:
    with database.writing() as session:
        repository.write_spectra(session, filled, 10, [row(0, 10)])
        found = service.dimensions(session, filled)
    assert np.isnan(found.values[1, -1])
    assert np.isfinite(found.values[0, -1])


def test_writing_again_overwrites_and_never_doubles(database: Database, filled: int) -> None:
    with database.writing() as session:
        repository.write_spectra(session, filled, 5, [row(0, 2)])
        repository.write_metrics(session, filled, [(1, "loss", 3.0)])
    with database.reading() as session:
        count = session.scalar(select(func.count()).select_from(Spectrum))
        last = service.layer_spectra(session, filled, "layer0").eigenvalues[-1]
        losses = service.metrics(session, filled, ["loss"])["loss"]
    assert count == len(WIDTHS) * len(ITERATIONS)
    np.testing.assert_array_equal(last, spectrum(0, 2).astype(np.float32))
    assert losses.values == (3.0, None)


def test_deleting_a_run_takes_everything_with_it(database: Database, filled: int) -> None:
    with database.writing() as session:
        session.delete(session.get_one(Run, filled))
    with database.reading() as session:
        for table in (Layer, Spectrum, SpectrumSummary, Metric):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_unknown_names_are_named(database: Database, filled: int, run_id: int) -> None:
    with database.reading() as session:
        with pytest.raises(NotFound, match="no layer 'x'; its 2 layers run from 'layer0' to 'layer1'"):
            service.layer_spectra(session, filled, "x")
        with pytest.raises(InvalidInput, match="no criterion 'rank'; take one of absolute"):
            service.dimensions(session, filled, "rank")
        with pytest.raises(InvalidInput, match="must be a positive number"):
            service.dimensions(session, filled, "absolute", -1.0)
        with pytest.raises(InvalidInput, match="is a fraction and must not exceed 1"):
            service.dimensions(session, filled, "variance", 1.5)


def test_counts_are_of_layers_and_snapshots(database: Database, filled: int) -> None:
    with database.reading() as session:
        assert repository.counts(session, [filled, 999]) == {filled: (2, 4), 999: (0, 0)}
