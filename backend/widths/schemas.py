"""What a plan of widths is asked by, and what it answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator

from backend.measurements.service import PAPER_CRITERION
from backend.runs.specification import LARGEST, Norm, Part
from backend.widths.groups import Tie

Role = Literal["selected", "baseline", "uniform"]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


class WidthRequest(Part):
    """The rule: w_g = round_to(divisor, s d_g), with the largest s within the budgets."""

    run_id: int = Field(description="The trained run whose spectra choose.", ge=1, le=LARGEST)
    also: tuple[Annotated[int, Field(ge=1, le=LARGEST)], ...] = Field(
        (),
        description="Further runs of the same network, such as other seeds; dimensionalities are averaged.",
        max_length=50,
    )
    iteration: int | None = Field(None, description="Which snapshot; empty takes the last.", ge=0, le=LARGEST)
    criterion: str = Field(PAPER_CRITERION, description="What counts as a dimension.", max_length=40)
    threshold: float | None = Field(
        None, description="The criterion's threshold; empty takes its default.", gt=0
    )
    budget: float | None = Field(
        1.0, description="Most MACs, as a share of the source's; empty sets no bound.", gt=0, le=100
    )
    parameters_budget: float | None = Field(
        None, description="Most parameters, as a share of the source's; empty sets no bound.", gt=0, le=100
    )
    tie: Tie = Field("max", description="What the blocks of a stage, which share a width, say together.")
    divisor: int = Field(8, description="Widths are multiples of this.", ge=1, le=256)
    minimum: int = Field(8, description="Least width of a group.", ge=1, le=4096)
    cap: bool = Field(False, description="Keep every width at or below the source's: pruning only.")
    include: tuple[Literal["fpn", "box_head", "mask_head", "retina_head"], ...] = Field(
        (), description="Groups set beside the residual network's.", max_length=20
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.budget is None and self.parameters_budget is None and not self.cap:
            raise ValueError(
                "budget and parameters_budget are both empty, so that nothing bounds the widths; set one"
            )
        return self


class GroupItem(BaseModel):
    """One group: what its maps said, and its width before and after."""

    group: str
    layers: list[str]
    dimensionality: float
    positions_per_channel: float
    original: int
    width: int


class StageItem(BaseModel):
    """A part of the network: parameters, and MACs of one image, before and after."""

    name: str
    parameters_before: int
    parameters_after: int
    macs_before: int
    macs_after: int


class Totals(BaseModel):
    """The whole network before and after; a ratio is after by before."""

    parameters_before: int
    parameters_after: int
    backbone_parameters_before: int
    backbone_parameters_after: int
    macs_before: int
    macs_after: int
    parameters_ratio: float
    backbone_parameters_ratio: float
    macs_ratio: float


class Source(BaseModel):
    """Where a plan comes from."""

    run_id: int
    name: str
    seed: int
    also: list[int]
    iteration: int
    criterion: str
    threshold: float | None
    architecture: str
    backbone: str
    image_size: int
    classes: int
    version: str
    """Of Eigenscope."""


class Plan(BaseModel):
    """A plan: `widths` holds every group, and is what `model.widths` of a run takes."""

    source: Source
    scale: float
    groups: list[GroupItem]
    stages: list[StageItem]
    totals: Totals
    widths: dict[str, int]
    warnings: list[str]
    doubted_saving: float = 0.0
    """Share of the source's backbone parameters that is saved in groups measured with too few positions."""


class LaunchRequest(Part):
    """Which runs to launch from a plan, all from scratch by the source's protocol."""

    seeds: tuple[Seed, ...] = Field(
        (0,), description="One run of each kind for each.", min_length=1, max_length=20
    )
    baseline: bool = Field(False, description="Also the source's widths.")
    uniform: bool = Field(False, description="Also the source's widths, all scaled alike to the plan's MACs.")
    norm: Norm | None = Field(
        None,
        description="Empty takes the source's; frozen_batch cannot be trained from scratch, so name another then.",
    )
    rounds: int = Field(
        1, description="Select again from the retrained run and retrain, so many times in all.", ge=1, le=20
    )

    @model_validator(mode="after")
    def _seeds_differ(self) -> Self:
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds must differ")
        return self


class LaunchedRun(BaseModel):
    """A run of a plan."""

    run_id: int
    role: Role
    seed: int
    status: str


class WidthPlanItem(BaseModel):
    """A stored plan with the runs launched from it."""

    id: int
    created_at: datetime
    run_id: int | None
    request: WidthRequest
    plan: Plan
    launch: LaunchRequest | None
    previous_plan_id: int | None
    next_plan_id: int | None
    problem: str | None
    """Why the next round could not begin."""
    waits_for: list[int]
    """Selected runs that ended without success and that a next round waits for: resume, retry or delete them."""
    runs: list[LaunchedRun]
