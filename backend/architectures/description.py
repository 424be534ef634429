"""What a network is made of, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the network; `macs` are those of one image."""

    name: str
    parameters: int
    macs: int


@dataclass(frozen=True, slots=True)
class Description:
    """Sizes of a network.

    `parameters` counts trained and frozen parameters, not the constants of a norm; `backbone_parameters` is
    its part in stem and layer1 … layer4. `macs` counts convolutions and fully connected layers for one image.
    """

    stages: tuple[Stage, ...]

    @property
    def parameters(self) -> int:
        """Of the whole network."""
        return sum(stage.parameters for stage in self.stages)

    @property
    def backbone_parameters(self) -> int:
        """Of stem and layer1 … layer4."""
        return sum(s.parameters for s in self.stages if s.name == "stem" or s.name.startswith("layer"))

    @property
    def macs(self) -> int:
        """Of the whole network, for one image."""
        return sum(stage.macs for stage in self.stages)
