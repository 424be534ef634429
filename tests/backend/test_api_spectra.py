"""Spectra over HTTP are the stored numbers in every format."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.measurements import repository
from backend.measurements.records import LayerRow, SpectrumRow
from backend.models import Run

VALUES = np.array([[3.0, 0.5, 1e-4], [2.0, 0.25, 0.0]], np.float32)
ITERATIONS = [0, 10]


@pytest.fixture
def url(app: FastAPI, dataset_id: int) -> str:
    with app.state.database.writing() as session:
        run = Run(name="r", specification={}, dataset_id=dataset_id, iterations=10)
        session.add(run)
        session.flush()
        repository.write_layers(session, run.id, [LayerRow(0, "layer1.0", "block", "layer1", 3)])
        for iteration, values in zip(ITERATIONS, VALUES, strict=True):
            row = SpectrumRow(
                0, values, int((values > 1e-3).sum()), float(values.sum()), float(values[0]), 2, 8
            )
            repository.write_spectra(session, run.id, iteration, [row])
        repository.write_metrics(
            session, run.id, [(1, "loss", float("inf")), (2, "loss", 0.5), (2, "lr", 0.1)]
        )
        return f"/api/v1/runs/{run.id}"


def test_json(client: TestClient, url: str) -> None:
    answer = client.get(f"{url}/spectra?layer=layer1.0").json()
    assert answer["layer"] == "layer1.0"
    assert answer["iterations"] == ITERATIONS
    np.testing.assert_array_equal(np.array(answer["eigenvalues"], np.float32), VALUES)


def test_npz(client: TestClient, url: str) -> None:
    content = client.get(f"{url}/spectra?layer=layer1.0&format=npz").content
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        np.testing.assert_array_equal(found["eigenvalues"], VALUES)
        assert found["iterations"].tolist() == ITERATIONS


def test_arrow(client: TestClient, url: str) -> None:
    content = client.get(f"{url}/spectra?layer=layer1.0&format=arrow").content
    table = pa.ipc.open_stream(content).read_all()
    assert table["iteration"].to_pylist() == ITERATIONS
    np.testing.assert_array_equal(np.array(table["eigenvalues"].to_pylist(), np.float32), VALUES)


def test_binary_is_hardly_more_than_the_numbers(client: TestClient, url: str) -> None:
    content = client.get(f"{url}/spectra?layer=layer1.0&format=binary").content
    steps, width = np.frombuffer(content, "<u4", 2)
    assert (steps, width) == VALUES.shape
    assert np.frombuffer(content, "<i4", steps, offset=8).tolist() == ITERATIONS
    np.testing.assert_array_equal(
        np.frombuffer(content, "<f4", offset=8 + 4 * steps).reshape(VALUES.shape), VALUES
    )
    assert len(content) == VALUES.nbytes + 4 * len(ITERATIONS) + 8


def test_dimensions_layers_and_criteria(client: TestClient, url: str) -> None:
    found = client.get(f"{url}/dimensions").json()
    assert found["values"] == [[2, 2]]
    assert (found["criterion"], found["threshold"]) == ("absolute", 1e-3)
    assert client.get(f"{url}/dimensions?threshold=0.3").json()["values"] == [[2, 1]]
    assert client.get(f"{url}/dimensions?threshold=-1").status_code == 422
    assert client.get(f"{url}/dimensions?criterion=none").status_code == 422
    assert client.get(f"{url}/layers").json() == [
        {"name": "layer1.0", "map": "block", "stage": "layer1", "width": 3, "order": 0, "positions": "image"}
    ]
    assert found["unit"] == "dimensions"
    units = {item["name"]: item["unit"] for item in client.get("/api/v1/criteria").json()}
    assert units["absolute"] == "dimensions"
    assert units["power_law"] == "slope"


def test_a_spectrum_without_a_slope_is_null(client: TestClient, url: str) -> None:
    found = client.get(f"{url}/dimensions?criterion=power_law").json()
    assert found["unit"] == "slope"
    assert all(value > 0 for value in found["values"][0])
    assert client.get(f"{url}/dimensions?criterion=power_law&threshold=1").json()["values"] == [[None, None]]


def test_a_number_that_is_not_finite_is_null(client: TestClient, url: str) -> None:
    answer = client.get(f"{url}/metrics?names=loss")
    assert answer.json() == {"metrics": {"loss": {"iterations": [1, 2], "values": [None, 0.5]}}}
    assert client.get(f"{url}/metrics?after=1&names=loss,lr").json()["metrics"]["lr"]["values"] == [0.1]


def test_an_unknown_layer_is_named(client: TestClient, url: str) -> None:
    answer = client.get(f"{url}/spectra?layer=layer9")
    assert answer.status_code == 404
    assert "has no layer 'layer9'" in answer.json()["detail"]
