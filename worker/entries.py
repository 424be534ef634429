"""What a recorder says, one kind of entry each: how it is written into the database, and how it is kept as bytes.

Each may be written again: the rows are upserts on their own keys. As bytes an entry is a JSON header and, behind it,
its numbers as little-endian floats, so that they come back bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
from sqlalchemy.orm import Session

from backend.measurements import repository
from backend.measurements.records import CheckpointRow, LayerRow, PredictionRow, SpectrumRow


class Entry(Protocol):
    """One thing said of a run. `state` are columns of the run itself that change with it."""

    kind: ClassVar[str]

    @property
    def state(self) -> dict[str, Any]: ...  # noqa: D102
    def write(self, session: Session, run_id: int, home: Path) -> None: ...  # noqa: D102
    def packed(self, home: Path) -> tuple[dict[str, Any], bytes]: ...  # noqa: D102


@dataclass(frozen=True)
class Layers:
    """The probed maps."""

    kind: ClassVar[str] = "layers"
    rows: Sequence[LayerRow]
    state: dict[str, Any] = field(default_factory=dict)

    def write(self, session: Session, run_id: int, _home: Path) -> None:
        """Write them."""
        repository.write_layers(session, run_id, self.rows)

    def packed(self, _home: Path) -> tuple[dict[str, Any], bytes]:
        """Return header and numbers."""
        return {"rows": [asdict(row) for row in self.rows]}, b""

    @classmethod
    def unpacked(cls, header: dict[str, Any], _numbers: bytes, _home: Path) -> Layers:
        """Undo `packed`."""
        return cls([LayerRow(**row) for row in header["rows"]])


@dataclass(frozen=True)
class Spectra:
    """One snapshot, whole; as bytes: each row's trace and λ1 as float64, then all eigenvalues as float32."""

    kind: ClassVar[str] = "spectra"
    iteration: int
    rows: Sequence[SpectrumRow]
    seconds: float | None = None
    """That it held up training."""
    state: dict[str, Any] = field(default_factory=dict)

    def write(self, session: Session, run_id: int, _home: Path) -> None:
        """Write it."""
        repository.write_spectra(session, run_id, self.iteration, self.rows, self.seconds)

    def packed(self, _home: Path) -> tuple[dict[str, Any], bytes]:
        """Return header and numbers."""
        counts = [[r.layer, len(r.eigenvalues), r.dimensionality, r.images, r.positions] for r in self.rows]
        sums = np.array([[r.trace, r.lambda_1] for r in self.rows], "<f8").tobytes()
        spectra = b"".join(np.ascontiguousarray(r.eigenvalues, "<f4").tobytes() for r in self.rows)
        return {"iteration": self.iteration, "counts": counts, "seconds": self.seconds}, sums + spectra

    @classmethod
    def unpacked(cls, header: dict[str, Any], numbers: bytes, _home: Path) -> Spectra:
        """Undo `packed`."""
        counts = header["counts"]
        sums = np.frombuffer(numbers, "<f8", 2 * len(counts)).reshape(-1, 2).tolist()
        values = np.frombuffer(numbers, "<f4", offset=16 * len(counts))
        rows, begin = [], 0
        for (layer, width, dimensionality, images, positions), (trace, first) in zip(
            counts, sums, strict=True
        ):
            eigenvalues = values[begin : begin + width]
            rows.append(SpectrumRow(layer, eigenvalues, dimensionality, trace, first, images, positions))
            begin += width
        return cls(header["iteration"], rows, header["seconds"])


@dataclass(frozen=True)
class Noted:
    """Scalars, and what changed of the run itself; as bytes the scalars are float64."""

    kind: ClassVar[str] = "noted"
    points: Sequence[tuple[int, str, float]]
    state: dict[str, Any]

    def write(self, session: Session, run_id: int, _home: Path) -> None:
        """Write the scalars."""
        repository.write_metrics(session, run_id, self.points)

    def packed(self, _home: Path) -> tuple[dict[str, Any], bytes]:
        """Return header and numbers."""
        keys = [[iteration, name] for iteration, name, _ in self.points]
        return {"keys": keys, "state": self.state}, np.array([p[2] for p in self.points], "<f8").tobytes()

    @classmethod
    def unpacked(cls, header: dict[str, Any], numbers: bytes, _home: Path) -> Noted:
        """Undo `packed`."""
        values = np.frombuffer(numbers, "<f8").tolist()
        points = [(iteration, name, v) for (iteration, name), v in zip(header["keys"], values, strict=True)]
        return cls(points, header["state"])


@dataclass(frozen=True)
class Predictions:
    """What one evaluation found in some images."""

    kind: ClassVar[str] = "predictions"
    iteration: int
    rows: Sequence[PredictionRow]
    state: dict[str, Any] = field(default_factory=dict)

    def write(self, session: Session, run_id: int, _home: Path) -> None:
        """Write it; what evaluations long before found is removed."""
        repository.write_predictions(session, run_id, self.iteration, self.rows)

    def packed(self, _home: Path) -> tuple[dict[str, Any], bytes]:
        """Return header and no numbers."""
        return {"iteration": self.iteration, "rows": [[row.image_id, row.data] for row in self.rows]}, b""

    @classmethod
    def unpacked(cls, header: dict[str, Any], _numbers: bytes, _home: Path) -> Predictions:
        """Undo `packed`."""
        return cls(header["iteration"], [PredictionRow(*row) for row in header["rows"]])


@dataclass(frozen=True)
class Checkpoints:
    """Which checkpoints lie whole on disk."""

    kind: ClassVar[str] = "checkpoints"
    rows: Sequence[CheckpointRow]
    state: dict[str, Any] = field(default_factory=dict)

    def write(self, session: Session, run_id: int, home: Path) -> None:
        """Write them, unless one is gone: then a later entry, delivered before, has named others."""
        if all(row.file.exists() for row in self.rows):
            repository.write_checkpoints(session, run_id, self.rows, home)

    def packed(self, home: Path) -> tuple[dict[str, Any], bytes]:
        """Return header and no numbers; files by their path below `home`."""
        rows = [
            [r.iteration, r.file.relative_to(home).as_posix(), r.bytes, list(r.kept_as)] for r in self.rows
        ]
        return {"rows": rows}, b""

    @classmethod
    def unpacked(cls, header: dict[str, Any], _numbers: bytes, home: Path) -> Checkpoints:
        """Undo `packed`."""
        return cls([CheckpointRow(i, home / file, size, tuple(why)) for i, file, size, why in header["rows"]])


KINDS: dict[str, Callable[[dict[str, Any], bytes, Path], Entry]] = {
    one.kind: one.unpacked for one in (Layers, Spectra, Noted, Predictions, Checkpoints)
}


def to_bytes(entry: Entry, home: Path) -> bytes:
    """Return an entry as bytes: the header's length (4, little-endian), the header, the numbers."""
    header, numbers = entry.packed(home)
    text = json.dumps({"kind": entry.kind, **header}, separators=(",", ":")).encode()
    return len(text).to_bytes(4, "little") + text + numbers


def from_bytes(content: bytes, home: Path) -> Entry:
    """Undo `to_bytes`; eigenvalues come as float32, as they are stored."""
    end = 4 + int.from_bytes(content[:4], "little")
    header = json.loads(content[4:end])
    return KINDS[header.pop("kind")](header, content[end:], home)
