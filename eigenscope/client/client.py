"""The client: what a notebook asks a server for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Literal, Self

from backend.errors import InvalidInput
from eigenscope.client.figures import as_figure
from eigenscope.client.measurements import Dimensions, Layers, Metrics, Spectra
from eigenscope.client.runs import Run, Runs
from eigenscope.client.transport import Transport
from eigenscope.writing import demand_new, write_whole

PAGE = 1000
VIEW_KEYS = ("y", "xs", "ys", "x", "align", "p", "band")
RunIds = int | Sequence[int]


class Client:
    """A running Eigenscope at `url`, such as `http://127.0.0.1:8000`; `token` is the server's, where it has one.

    An answer may take `timeout` seconds. What is only read is asked for again for two seconds while the server is
    away or busy; a launch is not, once it may have arrived. What the server refuses is raised with its sentence:
    `InvalidInput`, `NotFound`, `Conflict`, `Unauthorized` or `Unavailable`, all of them `EigenscopeError`
    (`from eigenscope import NotFound`). Connections stay open between calls: close the client, or use `with`.
    """

    def __init__(self, url: str, token: str | None = None, *, timeout: float = 60.0) -> None:
        self._transport = Transport(url, token, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections to the server."""
        self._transport.close()

    def runs(
        self,
        *,
        text: str = "",
        status: str | Sequence[str] = (),
        tag: str = "",
        dataset_id: int | None = None,
        sort: str = "-id",
    ) -> Runs:
        """Return all runs that fit, newest first.

        `text` is part of a name or tag; `status` is one or several of queued, running, succeeded, failed, cancelled
        and lost; `sort` names a field, with `-` before it the other way round. InvalidInput where one is unknown.
        """
        query = {
            "text": text,
            "tag": tag,
            "dataset_id": dataset_id,
            "sort": sort,
            "limit": PAGE,
            "status": [status] if isinstance(status, str) else list(status),
        }
        found: list[Run] = []
        cursor: str | None = ""
        while cursor is not None:
            page = self._read("/runs", {**query, "cursor": cursor})
            found += [Run.of(item) for item in page["items"]]
            cursor = page["next_cursor"]
        return Runs(found)

    def run(self, run_id: int) -> Run:
        """Return one run; its `values["specification"]` is what it was launched with. NotFound without it."""
        return Run.of(self._read(f"/runs/{_id(run_id)}"))

    def layers(self, run_id: int) -> Layers:
        """Return the run's probed maps in network order: none before its first snapshot."""
        return Layers.of(self._read(f"/runs/{_id(run_id)}/layers"))

    def spectra(self, run_id: int, layer: str, *, after: int = -1) -> Spectra:
        """Return all eigenvalues of one layer at every snapshot later than iteration `after`.

        `.iterations` is int32 (T,), `.eigenvalues` float32 (T, C), each row descending, as they are stored. NotFound
        where the run has no such layer.
        """
        query = {"layer": layer, "after": after, "format": "npz"}
        return Spectra.of(run_id, layer, self._transport.get(f"/runs/{_id(run_id)}/spectra", query))

    def dimensions(
        self, run_id: int, criterion: str = "absolute", threshold: float | None = None
    ) -> Dimensions:
        """Return every layer's dimensionality at every snapshot, `.values` float64 (layers, iterations).

        `criterion` is absolute (the paper's), relative, variance, degrees_of_freedom, effective_rank,
        participation_ratio, stable_rank or power_law; without `threshold` it takes its own. InvalidInput where
        they do not fit.
        """
        query = {"criterion": criterion, "threshold": threshold}
        return Dimensions.of(run_id, self._read(f"/runs/{_id(run_id)}/dimensions", query))

    def metrics(self, run_id: int, names: str | Sequence[str] = (), *, after: int = -1) -> Metrics:
        """Return these of the run's metrics, without names all, later than iteration `after`.

        What the run has not measured is left out: `loss`, `loss_…`, `lr`, `ap`, `ap50`, `mask_ap`, `top1`, ….
        """
        wanted = names if isinstance(names, str) else ",".join(names)
        query = {"names": wanted, "after": after}
        return Metrics.of(run_id, self._read(f"/runs/{_id(run_id)}/metrics", query))

    def launch(self, specification: Mapping[str, Any]) -> Run:
        """Queue a run and return it; `{"dataset_id": 1}` is a whole specification.

        InvalidInput names each field that does not fit. It is sent once: if the answer is lost (Unavailable), look
        at `runs()` before launching again.
        """
        return Run.of(json.loads(self._transport.post("/runs", dict(specification))))

    def wait(self, run_id: int, *, timeout: float | None = None, every: float = 2.0) -> Run:
        """Return the run once it has ended, however: see its `status` and `error`.

        It is looked at `every` so many seconds. TimeoutError after `timeout` seconds; the run goes on.
        """
        end = None if timeout is None else monotonic() + timeout
        while not (run := self.run(run_id)).ended:
            left = every if end is None else min(every, end - monotonic())
            if left <= 0:
                raise TimeoutError(f"run {run_id} is still {run.status} after {timeout:g} s")
            sleep(left)
        return run

    def figure(
        self,
        name: str,
        runs: RunIds,
        *,
        layer: str | None = None,
        iteration: int | None = None,
        criterion: str | None = None,
        threshold: float | None = None,
        theme: Literal["light", "dark"] = "light",
        **more: str | float | None,
    ) -> Any:
        """Return a plotly Figure, made by the function that makes it for the pages.

        `name` is compare, spectrum, heatmap (of one run), heatmap_difference (of two), dimension_by_iteration,
        dimension_by_depth, losses, average_precision, learning_rate or metric (with `metric=`); another name is
        refused (NotFound) with the list of all. `iteration` None is the last snapshot. `more` are further
        parameters of `GET /api/v1/figures/{name}`, as `/docs` of the server describes them.
        """
        query = {
            "layer": layer,
            "iteration": iteration,
            "criterion": criterion,
            "threshold": threshold,
            "theme": theme,
        }
        return as_figure(self._read(f"/figures/{_path(name)}", {"runs": _ids(runs), **query, **more}))

    def report(
        self,
        runs: RunIds,
        file: str | Path,
        *,
        figures: Sequence[str] = (),
        layers: Sequence[str] = (),
        iteration: int | None = None,
        criterion: str | None = None,
        threshold: float | None = None,
        view: Mapping[str, str | float] | None = None,
        force: bool = False,
    ) -> Path:
        """Write one HTML file about the runs that needs no server and no network, and return its path.

        Without `figures` and `layers` it holds what the compare page shows. `view` has the keys of that page's address:
        y, xs, ys, x, align, p and band, such as {"x": "epoch", "band": "seeds"}. The file is written whole or not at
        all; one that exists is refused (InvalidInput) unless `force`.
        """
        query = {
            "runs": _ids(runs),
            "figures": ",".join(figures) or None,
            "layer": list(layers) or None,
            "i": iteration,
            "c": criterion,
            "t": threshold,
            **_view(view or {}),
        }
        path = Path(file)
        demand_new(path, force=force)
        return write_whole(path, self._transport.page("/report", query), force=force)

    def _read(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return json.loads(self._transport.get(path, query))


def _id(run_id: int) -> int:
    if isinstance(run_id, bool) or not isinstance(run_id, int):
        raise InvalidInput(f"a run is named by its number, not by {run_id!r}; see Client.runs()")
    return run_id


def _ids(runs: RunIds) -> str:
    several = [runs] if isinstance(runs, int) else runs
    return ",".join(str(_id(run)) for run in several)


def _view(view: Mapping[str, str | float]) -> dict[str, str | float]:
    for key in view:
        if key not in VIEW_KEYS:
            raise InvalidInput(f"'{key}' is no key of a view; take one of {', '.join(VIEW_KEYS)}")
    return dict(view)


def _path(name: str) -> str:
    if not name.replace("_", "").isalnum():
        raise InvalidInput(f"'{name}' is no name of a figure; such as spectrum or heatmap")
    return name
