"""The own commands and environments of docker-compose.yml, on a real PostgreSQL and Redis, carry a run through."""

from __future__ import annotations

import re
import time
from typing import Any

import httpx2 as httpx
import pytest

SECONDS_FOR_RUN = 240
DATASET = {"kind": "shapes", "name": "tiny", "train": 8, "val": 4, "size": 96}


def specification(dataset_id: int) -> dict[str, Any]:
    widths = {"stem": 8, "layer1": 8, "layer2": 16, "layer3": 16, "layer4": 32, "fpn": 16, "box_head": 32}
    return {
        "name": "composed",
        "dataset_id": dataset_id,
        "model": {"architecture": "faster_rcnn", "backbone": "resnet18", "widths": widths},
        "init": {"kind": "scratch"},
        "training": {"iterations": 4, "batch_size": 2, "warmup": 2, "image_size": 96},
        "probe": {"images": 2, "every": 2},
    }


@pytest.mark.postgres
@pytest.mark.redis
@pytest.mark.slow
@pytest.mark.timeout(420)
def test_the_composition_carries_a_run_from_launch_to_spectra(deployment: Any) -> None:
    deployment.up()
    deployment.await_healthy("backend")
    log = deployment.log("backend")
    token = next((word for word in log.split() if word.startswith("eigenscope-")), "")
    assert token, f"the log tells no token to sign in with:\n{log}"
    assert re.search(r"https?://\S+", log), "the log tells no address to sign in at"

    with httpx.Client(base_url=f"http://127.0.0.1:{deployment.port}/api/v1", timeout=60) as client:
        assert client.get("/runs").status_code == 401, (
            "a server reached from elsewhere answers without a token"
        )
        client.headers["Authorization"] = f"Bearer {token}"
        dataset = answer(client.post("/datasets", json=DATASET))
        run = answer(client.post("/runs", json=specification(dataset["id"])))
        finished = wait(client, run["id"], deployment)
        assert finished["progress"]["iteration"] == 4
        check_spectra(client, run["id"])

    assert {name: deployment.stop(name) for name in ("worker", "backend")} == {"worker": 0, "backend": 0}


def answer(response: httpx.Response) -> Any:
    assert response.is_success, f"{response.request.url}: {response.status_code} {response.text}"
    return response.json()


def wait(client: httpx.Client, run_id: int, deployment: Any) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS_FOR_RUN
    while time.monotonic() < deadline:
        run = answer(client.get(f"/runs/{run_id}"))
        if run["status"] not in ("queued", "running"):
            assert run["status"] == "succeeded", f"{run['error']}\n{deployment.log('worker')[-3000:]}"
            return dict(run)
        time.sleep(0.5)
    raise AssertionError(f"the run is still {run['status']}:\n{deployment.log('worker')[-3000:]}")


def check_spectra(client: httpx.Client, run_id: int) -> None:
    layers = answer(client.get(f"/runs/{run_id}/layers"))
    assert len(layers) > 10
    for layer in (layers[0], layers[-1]):
        spectra = answer(client.get(f"/runs/{run_id}/spectra", params={"layer": layer["name"]}))
        assert spectra["iterations"] == [0, 1, 2, 4]
        assert [len(values) for values in spectra["eigenvalues"]] == [layer["width"]] * 4
        assert all(values == sorted(values, reverse=True) for values in spectra["eigenvalues"])
