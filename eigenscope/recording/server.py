"""Records into a running Eigenscope server over HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from backend.measurements import recording
from backend.measurements.recording import Record
from backend.runs.recorded import FinishRequest, InitKind, MetricPoint, RecordingRequest
from eigenscope.recording.connection import JSON, Connection
from eigenscope.recording.recorder import BaseRecorder, Setting


class ServerRecorder(BaseRecorder):
    """Sends a recorded run to the server at `url`, such as http://127.0.0.1:8000; each call is one request.

    `token` is the server's, where it has one. A call that meets no server, or a busy one, is made again for some
    seconds (`connection.DELAYS`) before it raises `Unavailable`; only the run's creation is not, since the
    first one may have arrived. `run_id` is the run's number once its layers were given.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        name: str,
        tags: Sequence[str] = (),
        iterations: int = 0,
        init: InitKind = "unknown",
        settings: Mapping[str, Setting] | None = None,
    ) -> None:
        super().__init__(name, tags, iterations, init, settings)
        self._connection = Connection(url, token)
        self.run_id: int | None = None

    def _begin(self, request: RecordingRequest) -> None:
        body = request.model_dump_json().encode()
        answer = self._connection.ask("POST", "/recordings", body, JSON, repeatable=False)
        self.run_id = int(json.loads(answer)["id"])

    def _write_spectra(self, records: Sequence[Record]) -> None:
        self._send("PUT", "spectra", recording.encode(records), recording.MEDIA_TYPE)

    def _write_metrics(self, points: Sequence[MetricPoint]) -> None:
        body = json.dumps([point.model_dump() for point in points], allow_nan=False).encode()
        self._send("PUT", "metrics", body, JSON)

    def _write_end(self, request: FinishRequest) -> None:
        self._send("POST", "finish", request.model_dump_json().encode(), JSON)

    def _close(self) -> None:
        """Nothing stays open between requests."""

    def _send(self, method: str, what: str, body: bytes, kind: str) -> None:
        self._connection.ask(method, f"/runs/{self.run_id}/{what}", body, kind, repeatable=True)
