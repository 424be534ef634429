"""The parts of a story: plain text and addresses, nothing of HTML."""

from __future__ import annotations

from dataclasses import dataclass

from backend.comparison.schemas import RunReference


@dataclass(frozen=True)
class Link:
    """Where a reader sees it: the figure's name, and the address of the view that shows it.

    Within a report `iteration` or `progress`, in percent, is where its cursor goes.
    """

    text: str
    address: str
    iteration: int | None = None
    progress: float | None = None


@dataclass(frozen=True)
class Statement:
    """One finding: its number, which the sentence says as well, and the figures that show it."""

    subject: str
    number: str
    unit: str
    sentence: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Called:
    """One of the two runs, and what sentences call it."""

    run: RunReference
    name: str


@dataclass(frozen=True)
class Story:
    """A headline, what it says of the paper, the findings, and what to bear in mind while reading them."""

    runs: tuple[Called, Called]
    headline: str
    verdict: str
    statements: tuple[Statement, ...]
    notes: tuple[str, ...]
    counted: str
    """What shares are of, as a clause that begins a sentence."""

    @property
    def by_number(self) -> bool:
        """Whether sentences call the runs by their numbers, which a page must then explain."""
        return len(self.runs[0].name) > 1
