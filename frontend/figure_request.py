"""What is asked of a figure of runs: the same words in an address, in a report and in a notebook."""

from __future__ import annotations

from pydantic import Field

from backend.measurements.service import PAPER_CRITERION, criterion_threshold
from backend.runs.specification import LARGEST, Part
from frontend import gather
from frontend.figures.alignment import Align
from frontend.figures.along import Along
from frontend.figures.colours import Theme
from frontend.figures.course import Counted, Scale
from frontend.figures.multiples import Shown
from frontend.figures.quantity import Quantity, quantity
from frontend.figures.spectrum_scale import AxisKind, Height


class FigureRequest(Part):
    """The parameters of all figures; each figure reads those that its `FigureKind.parameters` names."""

    runs: str = Field(
        description="Ids separated by commas, in the order in which they are drawn.", max_length=200
    )
    layer: str = Field("", description="A name of /runs/{id}/layers.", max_length=200)
    layers: str = Field(
        "",
        description="Of the figure `multiples`: names with commas between, `FIRST..LAST` for all from one to the "
        "other; a comma, percent, tilde or `..` inside a name is percent-encoded. Empty: the outputs of the blocks.",
        max_length=20_000,
    )
    show: Shown = Field(
        "spectrum",
        description="Of `multiples`: each layer's `spectrum` at the iteration, or its `dimension` along training.",
    )
    iteration: int | None = Field(
        None,
        description="The last snapshot not later than this; empty takes the last of all.",
        ge=0,
        le=LARGEST,
    )
    criterion: str = Field(PAPER_CRITERION, description="What counts as a dimension.", max_length=40)
    threshold: float | None = Field(None, description="The criterion's threshold; empty takes its default.")
    metric: str = Field("", description="Of the figure `metric`: which.", max_length=100)
    smooth: float | None = Field(
        None,
        description="Iterations that losses and metrics are averaged over; empty takes a fortieth of the run for "
        "losses, and 0, which averages nothing, for a metric of one's own.",
        ge=0,
        le=1e9,
    )
    x: Counted = Field(
        "iteration",
        description="What the axis along training counts: `iteration`; `epoch`, iterations times the batch size over "
        "the training images; `relative`, percent of the planned iterations; `wall`, time since the start.",
    )
    xscale: Scale = Field(
        "",
        description="Of that axis. Empty: equal steps between snapshots counted in iterations, else linear. On a "
        "logarithmic axis what lies at 0 is drawn at its left end, at the mark 0.",
    )
    yscale: Scale = Field("", description="Of the vertical axis. Empty: logarithmic of losses, else linear.")
    band: str = Field(
        "",
        description="A tag: its runs are drawn as their mean with a band over seeds, runs from scratch apart from "
        "pre-trained ones. `tags`: so are all that share a tag, their settings and no seed. The band is the sample's "
        "standard deviation to either side, of two runs the lower and the higher; only iterations that all of them "
        "have are averaged.",
        max_length=60,
    )
    align: Align = Field(
        "iteration",
        description="Which snapshots of two runs belong together: those of one `iteration`, or by `progress` the last "
        "one at no larger a share of the planned iterations than the first run's.",
    )
    y: Height = Field(
        "absolute",
        description="Of the spectrum: eigenvalues, `relative` to the largest, or `cumulative` shares of the trace.",
    )
    xs: AxisKind = Field("log", description="Of the spectrum: the axis of indices.")
    ys: AxisKind | None = Field(
        None, description="Of the spectrum: the other axis. Empty: logarithmic, of a share linear."
    )
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

    @property
    def along(self) -> Along:
        """What the axis along training counts."""
        return Along(self.x, self.xscale)
