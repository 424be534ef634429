"""The client against a real server: what it returns is what the database holds."""

from __future__ import annotations

import numpy as np
import pytest

from backend.database import Database
from backend.errors import InvalidInput, NotFound
from backend.measurements import repository, service
from backend.models import Run as Row
from eigenscope import Client


def test_runs_come_newest_first_and_filtered(client: Client, roles: dict[str, int]) -> None:
    runs = client.runs()
    assert [run.id for run in runs] == sorted(roles.values(), reverse=True)
    assert {run.id for run in client.runs(status=("failed", "queued"))} == {roles["failed"], roles["queued"]}
    assert {run.id for run in client.runs(tag="S")} == {roles["S"]}
    assert client.runs(text="Faster", sort="id")[0].id == roles["I"]
    failed = client.run(roles["failed"])
    assert "lower training.lr" in str(failed.error)
    assert failed.values["specification"]["training"]["lr"] == 0.4


def test_more_runs_than_a_page_are_all_returned(
    client: Client, roles: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eigenscope.client.client.PAGE", 2)
    assert [run.id for run in client.runs()] == sorted(roles.values(), reverse=True)


def test_a_run_is_told_in_typed_fields(client: Client, roles: dict[str, int]) -> None:
    run = client.run(roles["I"])
    assert (run.name, run.status, run.init, run.tags) == (
        "I: Faster R-CNN, ResNet-18 FPN",
        "succeeded",
        "run",
        ("demo", "I"),
    )
    assert (run.ap, run.dataset, run.iteration, run.snapshots) == (0.374, "shapes", 1200, 4)
    assert run.started_at is not None
    assert run.started_at.tzinfo is not None
    assert run.ended
    assert not client.run(roles["running"]).ended


def test_spectra_are_those_of_the_database(client: Client, database: Database, roles: dict[str, int]) -> None:
    found = client.spectra(roles["S"], "layer3.1")
    with database.reading() as session:
        truth = service.layer_spectra(session, roles["S"], "layer3.1")
    assert found.iterations.tolist() == [0, 10, 600, 1200]
    assert found.eigenvalues.dtype == np.float32
    assert found.eigenvalues.tobytes() == truth.eigenvalues.tobytes()
    assert client.spectra(roles["S"], "layer3.1", after=10).iterations.tolist() == [600, 1200]


def test_a_spectrum_at_an_iteration_is_the_last_not_later(client: Client, roles: dict[str, int]) -> None:
    found = client.spectra(roles["S"], "layer3.1")
    assert found.at(599) is not None
    assert np.array_equal(found.at(599), found.eigenvalues[1])
    assert np.array_equal(found.at(), found.eigenvalues[-1])
    later = client.spectra(roles["S"], "layer3.1", after=10)
    with pytest.raises(NotFound, match=r"no snapshot of 'layer3\.1' at iteration 599 or before"):
        later.at(599)


def test_layers_keep_the_networks_order(client: Client, database: Database, roles: dict[str, int]) -> None:
    found = client.layers(roles["I"])
    with database.reading() as session:
        assert found.names == [layer.name for layer in repository.layers(session, roles["I"])]
    assert found[0].width == 64
    assert {layer.positions for layer in found if layer.map == "box_head"} == {"proposals"}


@pytest.mark.parametrize(
    ("criterion", "threshold"), [("absolute", None), ("variance", 0.9), ("power_law", None)]
)
def test_dimensions_are_those_of_the_database(
    client: Client, database: Database, roles: dict[str, int], criterion: str, threshold: float | None
) -> None:
    found = client.dimensions(roles["I"], criterion, threshold)
    with database.reading() as session:
        truth = service.dimensions(session, roles["I"], criterion, threshold)
    np.testing.assert_array_equal(found.values, truth.values)
    assert (found.layers, found.threshold) == (truth.layers, truth.threshold)
    assert found.unit == ("slope" if criterion == "power_law" else "dimensions")
    assert found.widths.tolist() == list(truth.widths)
    np.testing.assert_array_equal(found.of_layer("layer2.0"), truth.values[truth.layers.index("layer2.0")])
    with pytest.raises(NotFound, match="has no layer 'nowhere'"):
        found.of_layer("nowhere")


def test_metrics_by_name(client: Client, roles: dict[str, int]) -> None:
    found = client.metrics(roles["I"], ["loss", "ap"])
    assert set(found) == {"loss", "ap"}
    assert found["ap"].values.shape == found["ap"].iterations.shape
    assert set(client.metrics(roles["I"])) > {"loss", "ap", "lr"}
    assert client.metrics(roles["I"], "loss", after=1190)["loss"].iterations.min() > 1190
    with pytest.raises(KeyError, match=r"no metric 'lose'; it has: (loss, ap|ap, loss)"):
        found["lose"]


def test_frames_hold_the_same_numbers(client: Client, roles: dict[str, int]) -> None:
    run = roles["I"]
    runs = client.runs().to_frame()
    assert runs.loc[run, "ap"] == 0.374
    assert list(runs.index) == [one.id for one in client.runs()]
    spectra = client.spectra(run, "layer2.0")
    frame = spectra.to_frame()
    assert frame.loc[600, 1] == spectra.eigenvalues[2, 0]
    assert frame.shape == spectra.eigenvalues.shape
    dimensions = client.dimensions(run)
    assert dimensions.to_frame().loc["layer2.0", 1200] == dimensions.of_layer("layer2.0")[-1]
    metrics = client.metrics(run, ["loss", "ap"]).to_frame()
    assert metrics["ap"].count() == len(client.metrics(run, "ap")["ap"].values)
    assert client.layers(run).to_frame().loc["layer2.0", "width"] == 128


def test_a_figure_is_the_servers(client: Client, roles: dict[str, int]) -> None:
    figure = client.figure("spectrum", [roles["I"], roles["S"]], layer="layer4.1", iteration=600)
    curves = [trace for trace in figure.data if trace.meta["part"] == "curve"]
    assert [trace.meta["run"] for trace in curves] == [roles["I"], roles["S"]]
    np.testing.assert_array_equal(curves[1].y, client.spectra(roles["S"], "layer4.1").at(600))
    heatmap = client.figure("heatmap", roles["I"], criterion="relative", threshold=0.01, theme="dark")
    shares = client.dimensions(roles["I"], "relative", 0.01)
    np.testing.assert_allclose(heatmap.data[0].z, shares.values / shares.widths[:, None], rtol=1e-6)


def test_what_the_server_refuses_is_raised_with_its_sentence(client: Client, roles: dict[str, int]) -> None:
    with pytest.raises(NotFound, match="there is no run 999"):
        client.run(999)
    with pytest.raises(NotFound, match="has no layer 'layer9'; its 29 layers run"):
        client.spectra(roles["I"], "layer9")
    with pytest.raises(InvalidInput, match="there is no criterion 'paper'"):
        client.dimensions(roles["I"], "paper")
    with pytest.raises(InvalidInput, match="status"):
        client.runs(status="done")
    with pytest.raises(NotFound, match="there is no figure 'spectra'; take one of"):
        client.figure("spectra", roles["I"])
    with pytest.raises(InvalidInput, match=r"training\.lr"):
        client.launch({"dataset_id": 1, "training": {"lr": -1}})


def test_what_is_no_run_or_figure_is_refused_before_it_is_sent(client: Client) -> None:
    with pytest.raises(InvalidInput, match="a run is named by its number, not by '1'"):
        client.run("1")  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="is no name of a figure"):
        client.figure("../runs", 1)


def test_a_launched_run_is_waited_for(client: Client, database: Database, roles: dict[str, int]) -> None:
    run = client.launch({"dataset_id": 1, "name": "from a notebook"})
    assert (run.status, run.name) == ("queued", "from a notebook")
    with pytest.raises(TimeoutError, match=f"run {run.id} is still queued after 0.05 s"):
        client.wait(run.id, timeout=0.05, every=0.02)
    assert client.wait(roles["failed"]).status == "failed"
    with database.writing() as session:
        session.delete(session.get_one(Row, run.id))


def test_closing_twice_is_harmless(server: str, token: str) -> None:
    client = Client(server, token)
    client.close()
    client.close()
