"""What a report is to hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.errors import InvalidInput, NotFound
from backend.measurements.service import PAPER_CRITERION, criterion_threshold
from frontend.figure_catalogue import FIGURES
from frontend.report.view import ReportView

LAYERS_AT_MOST = 8
"""More layers with all their spectra would make a file that no one opens."""


@dataclass(frozen=True)
class ReportRequest:
    """Runs by id, figures and layers by name (none: what the pages show), and where the cursor stands at first."""

    runs: tuple[int, ...]
    figures: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    iteration: int | None = None
    criterion: str = PAPER_CRITERION
    threshold: float | None = None
    view: ReportView = field(default_factory=ReportView)

    def __post_init__(self) -> None:
        if not self.runs:
            raise InvalidInput("a report is of one run or several; name them by their numbers")
        for name in self.figures:
            if name not in FIGURES:
                raise NotFound(f"there is no figure '{name}'; take one of {', '.join(FIGURES)}")
        if len(self.layers) > LAYERS_AT_MOST:
            raise InvalidInput(
                f"{len(self.layers)} layers are too many for one report; choose at most {LAYERS_AT_MOST}"
            )
        if self.iteration is not None and self.view.progress is not None:
            raise InvalidInput("the cursor stands at an iteration or at a progress; give one of the two")
        criterion_threshold(self.criterion, self.threshold)

    @property
    def chosen_threshold(self) -> float | None:
        """The threshold that counts: the criterion's own where none is given; None where it has none."""
        return criterion_threshold(self.criterion, self.threshold)


def words_of(text: str) -> tuple[str, ...]:
    """Return names separated by commas, each once, in the order given."""
    return tuple(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))
