"""Runs as a server tells of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from eigenscope.client.optional import pandas

ENDED = ("succeeded", "failed", "cancelled", "lost")


@dataclass(frozen=True, slots=True)
class Run:
    """A run: what it is, how far it is and what came of it.

    `ap`, `ap50`, `mask_ap` and `top1` are fractions in 0…1, `macs` those of one image, times in UTC; None where
    there is nothing to tell. `init` is "imagenet", "scratch", "run", "file" or "unknown". `values` holds the
    server's whole answer, of `Client.run` with the `specification`.
    """

    id: int
    name: str
    status: str
    """queued, running, succeeded, failed, cancelled or lost."""
    origin: str
    """launched, or recorded from outside."""
    init: str
    tags: tuple[str, ...]
    dataset: str | None
    architecture: str | None
    backbone: str | None
    norm: str | None
    iteration: int
    iterations: int
    """Planned updates of the weights; 0 of a recorded run that did not say."""
    ap: float | None
    ap50: float | None
    mask_ap: float | None
    top1: float | None
    parameters: int | None
    backbone_parameters: int | None
    macs: int | None
    snapshots: int
    layers: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str | None
    values: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        """Whether it is over, for better or worse."""
        return self.status in ENDED

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """Read the server's answer."""
        same = ("id", "name", "status", "origin", "init", "architecture", "backbone", "norm", "error")
        results = ("ap", "ap50", "mask_ap", "top1", "parameters", "backbone_parameters", "macs")
        summary, progress, dataset = answer["summary"], answer["progress"], answer["dataset"]
        return cls(
            **{field: answer[field] for field in same},
            **{field: summary[field] for field in (*results, "snapshots", "layers")},
            **{field: progress[field] for field in ("iteration", "iterations")},
            created_at=datetime.fromisoformat(answer["created_at"]),
            started_at=_moment(answer["started_at"]),
            finished_at=_moment(answer["finished_at"]),
            tags=tuple(answer["tags"]),
            dataset=dataset["name"] if dataset else None,
            values=answer,
        )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


COLUMNS = tuple(name for name in Run.__dataclass_fields__ if name != "values")


class Runs(tuple[Run, ...]):
    """Some runs, in the order that was asked for."""

    __slots__ = ()

    def to_frame(self) -> Any:
        """Return a pandas DataFrame: a row for each run under its id, a column for each field of `Run`."""
        rows = [{name: getattr(run, name) for name in COLUMNS} for run in self]
        return pandas().DataFrame(rows, columns=list(COLUMNS)).set_index("id")
