"""How a report draws its figures: the keys of a page's View panel, under the same names and with the same values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from backend.errors import InvalidInput

CHOICES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "y": ("the spectrum's heights", ("absolute", "relative", "cumulative")),
        "xs": ("the spectrum's axis of indices", ("log", "linear")),
        "ys": ("the spectrum's vertical axis", ("log", "linear")),
        "x": ("the axis along training", ("iteration", "epoch", "relative", "wall")),
        "align": ("what runs are aligned by", ("iteration", "progress")),
    }
)
"""What each key is of, and its values; the first one is usual, but of `ys`, which follows from `y`."""


def values_of(key: str) -> str:
    """Return a sentence for people that says what a key is of, and its values."""
    of, values = CHOICES[key]
    return f"{of[0].upper()}{of[1:]}: {', '.join(values)}."


@dataclass(frozen=True)
class ReportView:
    """Values of the keys, empty where the usual is meant; `band` is a tag, or "tags" for all that are shared.

    `progress` is where runs aligned by it stand at first, in percent of each training.
    """

    y: str = ""
    xs: str = ""
    ys: str = ""
    x: str = ""
    align: str = ""
    band: str = ""
    progress: float | None = None

    def __post_init__(self) -> None:
        for key, (of, values) in CHOICES.items():
            given = getattr(self, key)
            if given and given not in values:
                raise InvalidInput(
                    f"'{given[:60]}' is no value of {key}, {of}; take one of {', '.join(values)}"
                )
        if self.progress is None:
            return
        if not 0 <= self.progress <= 100:
            raise InvalidInput(
                f"the progress {self.progress:g} is no percentage of a training; take one from 0 to 100"
            )
        if not self.by_progress:
            raise InvalidInput(
                f"the progress {self.progress:g} is of runs aligned by it; say align progress too, or an iteration"
            )

    @property
    def by_progress(self) -> bool:
        """Whether runs stand at the same share of their training, and not at the same iteration."""
        return self.align == "progress"

    @property
    def parameters(self) -> dict[str, Any]:
        """What a figure is asked for, by the names of a `FigureRequest`."""
        chosen = {key: getattr(self, key) or values[0] for key, (_, values) in CHOICES.items()}
        return {**chosen, "ys": self.ys or None, "band": self.band}
