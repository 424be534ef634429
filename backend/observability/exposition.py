"""Numbers in Prometheus' text format, version 0.0.4."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = Mapping[str, str]


@dataclass
class Family:
    """One metric: its samples are added as (labels, value), those of a histogram with a suffix such as `_sum`."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "summary"]
    about: str
    samples: list[tuple[str, Labels, float]] = field(default_factory=list)

    def add(self, value: float, suffix: str = "", /, **labels: str) -> Family:
        """Add a sample and return the family."""
        self.samples.append((suffix, labels, value))
        return self


def gauge(name: str, about: str, value: float | None = None) -> Family:
    """Return a gauge, with its one value if it has no labels."""
    return _family(Family(name, "gauge", about), value)


def counter(name: str, about: str, value: float | None = None) -> Family:
    """Return a counter, whose name ends in `_total`, with its one value if it has no labels."""
    return _family(Family(name, "counter", about), value)


def _family(family: Family, value: float | None) -> Family:
    return family if value is None else family.add(value)


def render(families: Iterable[Family]) -> str:
    """Return the text; families without a sample are left out."""
    return "".join(line + "\n" for family in families if family.samples for line in _lines(family))


def _lines(family: Family) -> Iterable[str]:
    about = family.about.replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {family.name} {about}"
    yield f"# TYPE {family.name} {family.kind}"
    for suffix, labels, value in family.samples:
        inner = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        yield f"{family.name}{suffix}{f'{{{inner}}}' if inner else ''} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if isinstance(value, int):
        return str(int(value))
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return "NaN" if math.isnan(value) else repr(value)
