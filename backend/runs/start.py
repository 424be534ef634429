"""How a run began: what its first weights were, and what of its network trains."""

from __future__ import annotations

from pydantic import BaseModel

from backend.weights.report import WeightsReport


class StagePart(BaseModel):
    """A part of the network and its parameters; a part trains whole or is frozen whole."""

    name: str
    parameters: int
    trains: bool


class StartReport(BaseModel):
    """What the trainer found when it had built the network; `weights` is None where all of it was drawn at random."""

    init: str
    weights: WeightsReport | None
    parts: list[StagePart]

    @property
    def trained_parameters(self) -> int:
        """Of all parts that train."""
        return sum(part.parameters for part in self.parts if part.trains)

    @property
    def frozen_parameters(self) -> int:
        """Of all parts that are frozen."""
        return sum(part.parameters for part in self.parts if not part.trains)
