"""What a run measured, as numpy arrays."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from backend.errors import NotFound
from eigenscope.client.optional import pandas


@dataclass(frozen=True, slots=True)
class Layer:
    """A probed map: its kind, the part of the network it lies in, its channels and its place from input to output."""

    name: str
    map: str
    stage: str
    width: int
    order: int
    positions: str
    """`image`, or `proposals` where the map's positions are those that a head is given."""


class Layers(tuple[Layer, ...]):
    """A run's layers in network order."""

    __slots__ = ()

    @classmethod
    def of(cls, answer: list[dict[str, Any]]) -> Self:
        """Read the server's answer."""
        fields = Layer.__dataclass_fields__
        return cls(Layer(**{field: one[field] for field in fields}) for one in answer)

    @property
    def names(self) -> list[str]:
        """The layers' names."""
        return [layer.name for layer in self]

    def to_frame(self) -> Any:
        """Return a pandas DataFrame: a row for each layer under its name."""
        fields = list(Layer.__dataclass_fields__)
        rows = [[getattr(layer, field) for field in fields] for layer in self]
        return pandas().DataFrame(rows, columns=fields).set_index("name")


@dataclass(frozen=True, slots=True)
class Spectra:
    """One layer's eigenvalues over training.

    `iterations` is int32 of shape (T,), rising; `eigenvalues` float32 of shape (T, C), each row descending. They are
    those of the uncentred covariance of the layer's feature map over the probe images, all C of them.
    """

    run: int
    layer: str
    iterations: NDArray[np.int32]
    eigenvalues: NDArray[np.float32]

    @classmethod
    def of(cls, run: int, layer: str, content: bytes) -> Self:
        """Read the server's npz."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return cls(run, layer, arrays["iterations"], arrays["eigenvalues"])

    def at(self, iteration: int | None = None) -> NDArray[np.float32]:
        """Return the spectrum, shape (C,), of the last snapshot that is not later than `iteration` (None: the last).

        Raises NotFound where there is no such snapshot.
        """
        place = len(self.iterations)
        if iteration is not None:
            place = int(np.searchsorted(self.iterations, iteration, side="right"))
        if place == 0:
            when = "" if iteration is None else f" at iteration {iteration} or before"
            raise NotFound(f"run {self.run} has no snapshot of '{self.layer}'{when}")
        spectrum: NDArray[np.float32] = self.eigenvalues[place - 1]
        return spectrum

    def to_frame(self) -> Any:
        """Return a pandas DataFrame (T, C): a row for each iteration, a column for each rank from 1 to C."""
        pd = pandas()
        ranks = pd.RangeIndex(1, self.eigenvalues.shape[1] + 1, name="rank")
        return pd.DataFrame(self.eigenvalues, pd.Index(self.iterations, name="iteration"), ranks)


@dataclass(frozen=True, slots=True)
class Dimensions:
    """Every layer's dimensionality over training under one criterion.

    `values` is float64 of shape (layers, iterations), NaN where a layer has no spectrum (or its spectrum no
    slope); `widths` int64 (layers,) are the channels it could have at most. `unit` is "dimensions" or "slope".
    """

    run: int
    layers: tuple[str, ...]
    iterations: NDArray[np.int64]
    widths: NDArray[np.int64]
    values: NDArray[np.float64]
    criterion: str
    threshold: float | None
    unit: str

    @classmethod
    def of(cls, run: int, answer: Mapping[str, Any]) -> Self:
        """Read the server's answer."""
        layers, iterations = tuple(answer["layers"]), np.array(answer["iterations"], np.int64)
        return cls(
            run=run,
            layers=layers,
            iterations=iterations,
            widths=np.array(answer["widths"], np.int64),
            values=np.array(answer["values"], np.float64).reshape(len(layers), len(iterations)),
            **{field: answer[field] for field in ("criterion", "threshold", "unit")},
        )

    def of_layer(self, name: str) -> NDArray[np.float64]:
        """Return one layer's row, shape (iterations,); NotFound where the run has no such layer."""
        if name not in self.layers:
            raise NotFound(f"run {self.run} has no layer '{name}'; see Client.layers({self.run})")
        row: NDArray[np.float64] = self.values[self.layers.index(name)]
        return row

    def to_frame(self) -> Any:
        """Return a pandas DataFrame (layers, iterations)."""
        pd = pandas()
        columns = pd.Index(self.iterations, name="iteration")
        return pd.DataFrame(self.values, pd.Index(self.layers, name="layer"), columns)


@dataclass(frozen=True, slots=True)
class Series:
    """One metric: `iterations` int64 and `values` float64, both of shape (T,), NaN where it was not finite."""

    iterations: NDArray[np.int64]
    values: NDArray[np.float64]


class Metrics(Mapping[str, Series]):
    """A run's metrics by name: losses and learning rate as the trainer has them, accuracies in 0…1."""

    def __init__(self, run: int, series: Mapping[str, Series]) -> None:
        self.run = run
        self._series = dict(series)

    @classmethod
    def of(cls, run: int, answer: Mapping[str, Any]) -> Self:
        """Read the server's answer."""
        return cls(
            run,
            {
                name: Series(np.array(one["iterations"], np.int64), np.array(one["values"], np.float64))
                for name, one in answer["metrics"].items()
            },
        )

    def __getitem__(self, name: str) -> Series:
        """Return one metric; KeyError names those that there are."""
        try:
            return self._series[name]
        except KeyError:
            known = ", ".join(self._series) or "none"
            raise KeyError(f"run {self.run} has no metric '{name}'; it has: {known}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._series)

    def __len__(self) -> int:
        return len(self._series)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame: a row for each iteration of any metric, a column for each metric."""
        pd = pandas()
        columns = {name: pd.Series(one.values, one.iterations) for name, one in self._series.items()}
        return pd.DataFrame(columns).rename_axis("iteration")
