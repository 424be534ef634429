"""The facts of a comparison, as the API answers them. Shares are of a layer's channels, in 0…1."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from backend.spectra.dynamics import CourseKind

Role = Literal["pre-trained", "scratch", "unknown"]


class RunReference(BaseModel):
    """One of the two runs."""

    id: int
    name: str
    origin: str
    init: str
    role: Role
    status: str


class LayerPair(BaseModel):
    """One layer in both runs; `few_positions` where its numbers read low."""

    layer: str
    stage: str
    first: float
    second: float
    few_positions: bool


class StagePair(BaseModel):
    """The mean over a stage's common layers in both runs: of shares, or of slopes."""

    stage: str
    layers: int
    first: float
    second: float


class RunCourse(BaseModel):
    """One run's mean over the common layers, from its first snapshot to the one at which both are compared."""

    start_iteration: int
    end_iteration: int
    length: int
    """Iterations of the whole training."""
    live: bool
    """Whether more may come."""
    snapshots: int
    start: float
    end: float
    kind: CourseKind
    turn_iteration: int | None
    """Where it dips or peaks."""
    turn: float | None
    settled_iteration: int
    """From here on the mean stays within the tolerance of its end."""
    moved: float
    """Mean over the layers of how far each ends from its start, without sign."""
    moved_most: str
    """The layer that ends farthest from its start."""
    unresolved_layers: int
    """Layers of which some snapshot's λ_1 is too large for float32 to tell the threshold from rounding."""
    unresolved_until: int | None
    """The last such snapshot."""


class Narrow(BaseModel):
    """Which of a run's own layers use few of their channels; those of few positions are left out, as they read low."""

    run_id: int
    iteration: int
    layers: int
    below_half: int
    least_layer: str
    least_dimensionality: int
    """Rounded, of a criterion that does not count whole dimensions."""
    least_width: int


class Spectra(BaseModel):
    """What the spectra of the layers that both runs have say, by the comparison's criterion."""

    criterion: str
    threshold: float | None
    common_layers: int
    few_positions: int
    """Of the common layers, those that read low."""
    ended: bool
    """Whether both are compared at the end of their training; otherwise at the share of it that both have reached."""
    progress: float
    """That share; 1 also of a run of unknown length that goes on."""
    first: RunCourse
    second: RunCourse
    apart_at_start: float
    """Mean over the layers of how far the runs are apart, without sign."""
    apart_at_end: float
    apart_most: float
    """The same where, over the course of both, it is largest."""
    start_layer: LayerPair
    """The layer in which they are farthest apart at their start."""
    end_layer: LayerPair
    stages: list[StagePair]
    """At the end, in network order."""


class Slopes(BaseModel):
    """Power-law slopes at the snapshots compared; a smaller slope means more dimensions."""

    layers: int
    first: float
    second: float
    stages: list[StagePair]
    """Mean slopes by stage, in network order."""


class Seeds(BaseModel):
    """Runs that share a tag and all settings but the seed, and between which accuracies they lie."""

    run_ids: list[int]
    lowest: float
    highest: float


class Accuracy(BaseModel):
    """Both runs' accuracy by one measure, each at its last evaluation not after the progress compared."""

    measure: Literal["ap", "top1"]
    first: float
    second: float
    first_iteration: int
    second_iteration: int
    first_seeds: Seeds | None
    second_seeds: Seeds | None
    alike: bool
    """Whether they are no farther apart than a point and a twentieth of the higher, or than seeds of either run."""


class Comparison(BaseModel):
    """Two runs in numbers; `spectra`, `slopes` and `accuracy` are null where one of the runs has none."""

    first: RunReference
    second: RunReference
    criterion: str
    """What counts as a dimension in `spectra` and `narrow`."""
    threshold: float | None
    """The criterion's; null where it has none."""
    layers_first: int
    layers_second: int
    settings: dict[str, list[str]]
    """In what besides the initialisation they part, and by which settings; of recorded runs as far as they told."""
    recorded: bool
    """Whether one of them is recorded from outside, so that settings may differ unseen."""
    accuracy: Accuracy | None
    spectra: Spectra | None
    slopes: Slopes | None
    narrow: list[Narrow]
