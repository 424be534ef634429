"""Many findings, one answer: what is wrong with a dataset, counted, with the first few told in full."""

from __future__ import annotations

from backend.errors import InvalidInput

SHOWN = 5
LONGEST = 400
"""Letters of one sentence; a file may hold megabytes where a number should stand."""


class Problems:
    """A tally of sentences; a file with a million bad boxes costs five strings."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, sentence: str) -> None:
        """Count one problem and keep its sentence while there is room."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(sentence if len(sentence) <= LONGEST else f"{sentence[:LONGEST]} …")

    def raise_any(self) -> None:
        """Raise one `InvalidInput` that tells the number of problems and the first five."""
        if self.count == 1:
            raise InvalidInput(self.first[0])
        if self.count:
            listed = " ".join(
                f"({number}) {sentence}." for number, sentence in enumerate(self.first, start=1)
            )
            shown = (
                f"{self.count} problems" if self.count <= SHOWN else f"{self.count} problems, first {SHOWN}"
            )
            raise InvalidInput(f"{shown}: {listed}")
