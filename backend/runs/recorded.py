"""Recorded runs: what a person's own training says of itself, over HTTP or straight to the database."""

from __future__ import annotations

import math
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from backend.runs.specification import LARGEST, Part
from backend.texts import storable

MOST_LAYERS = 10_000
MOST_SETTINGS = 500
MOST_POINTS = 10_000
MOST_VALUES = 1_000_000
"""Numbers of all points of one request: they are stored in one transaction, for which others wait."""

InitKind = Literal["imagenet", "scratch", "unknown"]
Ending = Literal["succeeded", "failed", "cancelled"]


def _one_line(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("the text must be printable, in one line and not blank")
    return text


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
Key = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_one_line)]
Tag = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_one_line)]
Iteration = Annotated[int, Field(ge=0, le=LARGEST)]


def _flat(settings: Any) -> Any:
    """Refuse, in one sentence, what could not be shown as one line of a table."""
    if not isinstance(settings, dict):
        raise ValueError("settings must be names with values")
    for name, value in settings.items():
        if value is not None and not isinstance(value, str | int | float | bool):
            kind = type(value).__name__
            raise ValueError(f"'{name}' is a {kind}; a setting is text, a number, true, false or null")
        if type(value) is int and not -(2**63) <= value < 2**63:
            raise ValueError(f"'{name}' is a whole number beyond 64 bits; give it as text")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"'{name}' is not finite, which JSON cannot hold; give it as text")
    return settings


Setting = Annotated[str, Field(max_length=1000), AfterValidator(storable)] | bool | int | float | None
Settings = Annotated[
    dict[Key, Setting],
    BeforeValidator(_flat),
    Field(max_length=MOST_SETTINGS, description="What the training was set to; flat."),
]


class RecordedInit(Part):
    """Which weights the training started from."""

    kind: InitKind = "unknown"


class RecordedSpecification(Part):
    """What is stored as a recorded run's specification: all that is known of it."""

    init: RecordedInit = RecordedInit()
    settings: Settings = Field(default_factory=dict)


class RecordedLayer(Part):
    """One map that will be measured."""

    name: Name = Field(description="Such as `layer1.0.act1`; each once.")
    map: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,19}$",
        description="Its kind: `conv`, `norm`, `act`, `block`, … or your own.",
    )
    stage: Name = Field(description="The part of the network that it lies in.")
    width: int = Field(description="Channels: eigenvalues of each spectrum.", ge=1, le=1_000_000)
    order: int = Field(description="Place in the network, counted from 0 without gaps.", ge=0)


class RecordingDescription(Part):
    """What is said of a recorded run before its model is known."""

    name: Name
    tags: tuple[Tag, ...] = Field((), description="For finding it again.", max_length=20)
    iterations: int = Field(
        0, description="Planned updates of the weights; 0 where unknown.", ge=0, le=LARGEST
    )
    init: RecordedInit = RecordedInit()
    settings: Settings = Field(default_factory=dict)


class RecordingRequest(RecordingDescription):
    """A recorded run as it begins."""

    layers: tuple[RecordedLayer, ...] = Field(
        description="All maps that will be measured, in network order.", min_length=1, max_length=MOST_LAYERS
    )

    @model_validator(mode="after")
    def _layers_told_apart(self) -> Self:
        ((name, times),) = Counter(layer.name for layer in self.layers).most_common(1)
        if times > 1:
            raise ValueError(f"layers names '{name}' {times} times; each layer needs a name of its own")
        if sorted(layer.order for layer in self.layers) != list(range(len(self.layers))):
            raise ValueError("layers must be numbered by order from 0 without gaps")
        return self


class MetricPoint(Part):
    """Scalars of one iteration; a number that was not finite is null."""

    iteration: Iteration
    values: dict[Key, Annotated[float, Field(allow_inf_nan=False)] | None] = Field(
        min_length=1, max_length=1000
    )


def _as_list(points: Any) -> Any:
    return points if isinstance(points, list) else [points]


def _not_too_many(points: list[MetricPoint]) -> list[MetricPoint]:
    values = sum(len(point.values) for point in points)
    if values > MOST_VALUES:
        raise ValueError(
            f"the points hold {values:,} numbers, and {MOST_VALUES:,} are taken at once; send fewer"
        )
    return points


MetricPoints = Annotated[
    list[MetricPoint],
    BeforeValidator(_as_list, json_schema_input_type=MetricPoint | list[MetricPoint]),
    Field(min_length=1, max_length=MOST_POINTS),
    AfterValidator(_not_too_many),
]


class FinishRequest(Part):
    """How a recorded run ended."""

    status: Ending
    error: Annotated[str, Field(max_length=4000), AfterValidator(storable)] | None = Field(
        None, description="One sentence, where it failed."
    )
