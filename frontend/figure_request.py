"""What is asked of a figure of runs: the same words in an address, in a report and in a notebook."""

from __future__ import annotations

from pydantic import Field

from backend.measurements.service import PAPER_CRITERION, criterion_threshold
from backend.runs.specification import Part
from frontend import gather
from frontend.figures.colours import Theme
from frontend.figures.quantity import Quantity, quantity


class FigureRequest(Part):
    """The parameters of all figures; each figure reads those that its `FigureKind.parameters` names."""

    runs: str = Field(
        description="Ids separated by commas, in the order in which they are drawn.", max_length=200
    )
    layer: str = Field("", description="A name of /runs/{id}/layers.", max_length=200)
    iteration: int | None = Field(
        None, description="The last snapshot not later than this; empty takes the last of all.", ge=0
    )
    criterion: str = Field(PAPER_CRITERION, description="What counts as a dimension.", max_length=40)
    threshold: float | None = Field(None, description="The criterion's threshold; empty takes its default.")
    metric: str = Field("", description="Of the figure `metric`: which.", max_length=100)
    theme: Theme = Field("light", description="Colours.")

    @property
    def run_ids(self) -> list[int]:
        """The ids of the runs asked for, each once."""
        return gather.run_ids(self.runs)

    @property
    def chosen_threshold(self) -> float | None:
        """The threshold that counts: the criterion's own where none is given; None where it has none."""
        return criterion_threshold(self.criterion, self.threshold)

    @property
    def quantity(self) -> Quantity:
        """What the criterion's numbers are."""
        return quantity(self.criterion)
