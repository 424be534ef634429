"""The instance as a client sees it; a server that is away for a moment is asked again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import numpy as np

ENDED = ("succeeded", "failed", "cancelled", "lost")
PATIENCE = 120.0
TIMED = ("data_wait", "wall_seconds", "probe_seconds", "evaluation_seconds", "forward_", "gpu_")
"""Beginnings of the names of metrics that tell of time or memory, and so are never the same twice."""


@dataclass(frozen=True)
class Contents:
    """All that a run measured: (layer, iteration) → the bytes of its eigenvalues; (name, iteration) → a number."""

    spectra: Mapping[tuple[str, int], bytes]
    metrics: Mapping[tuple[str, int], float | None]

    def differences(self, other: Contents) -> list[str]:
        """Return in words what the other has not, has beside this, or has otherwise."""
        return [
            *_differences("spectrum", self.spectra, other.spectra),
            *_differences("metric", self.metrics, other.metrics),
        ]


def _differences(kind: str, wanted: Mapping[Any, Any], found: Mapping[Any, Any]) -> list[str]:
    lost, more = wanted.keys() - found.keys(), found.keys() - wanted.keys()
    other = [key for key in wanted.keys() & found.keys() if wanted[key] != found[key]]
    return [
        f"{len(keys)} {kind}{'' if len(keys) == 1 else 's'} {word}, such as {sorted(keys)[0]}"
        for keys, word in ((lost, "lost"), (more, "too many"), (other, "not bit-identical"))
        if keys
    ]


class Server:
    """The REST API of a drill's instance."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=20)

    def close(self) -> None:
        """End the connection."""
        self._client.close()

    def answers(self) -> bool:
        """Return whether it is there and has its database."""
        try:
            return bool(self._client.get("/health").is_success)
        except httpx.HTTPError:
            return False

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Return a successful answer, asked for again while the server or its database is away."""
        until = time.monotonic() + PATIENCE
        while True:
            problem = ""
            try:
                response = self._client.request(method, path, **more)
                if response.is_success:
                    return response
                problem = f"{response.status_code} {response.text[:300]}"
                if response.status_code < 500:
                    raise RuntimeError(f"{method} {path}: {problem}")
            except httpx.HTTPError as error:
                problem = str(error)
            if time.monotonic() > until:
                raise RuntimeError(f"{method} {path}: {problem}")
            time.sleep(0.2)

    def run(self, run_id: int) -> dict[str, Any]:
        """Return a run as it stands."""
        return dict(self.ask("GET", f"/runs/{run_id}").json())

    def contents(self, run_id: int) -> Contents:
        """Return all that a run measured."""
        spectra: dict[tuple[str, int], bytes] = {}
        for layer in self.ask("GET", f"/runs/{run_id}/layers").json():
            query = {"layer": layer["name"], "format": "binary"}
            block = self.ask("GET", f"/runs/{run_id}/spectra", params=query).content
            steps, width = np.frombuffer(block, "<u4", 2)
            iterations = np.frombuffer(block, "<i4", steps, 8)
            values = np.frombuffer(block, "<f4", steps * width, 8 + 4 * steps).reshape(steps, width)
            spectra |= {
                (layer["name"], int(i)): row.tobytes() for i, row in zip(iterations, values, strict=True)
            }
        found = self.ask("GET", f"/runs/{run_id}/metrics").json()["metrics"]
        metrics = {
            (name, iteration): value
            for name, series in found.items()
            if not name.startswith(TIMED)
            for iteration, value in zip(series["iterations"], series["values"], strict=True)
        }
        return Contents(spectra, metrics)
