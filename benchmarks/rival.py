"""delve 0.1.50, measured as its users run it: hooks that add up covariances, and a read-out when asked.

It follows convolutions and fully connected layers: 53 maps of a ResNet-50's body. Covariances are float64 and
centred, over all positions of the newest batch; the read-out decomposes each with its eigenvectors and keeps one
number of it.
"""

from __future__ import annotations

import logging
from copy import deepcopy
from pathlib import Path

import torch
from delve import SaturationTracker
from torch import Tensor, nn


class Rival:
    """A copy of a model that delve follows, for it cannot be told to let go of one.

    `folder` is where it would write its table; the time for that is not measured.
    """

    def __init__(self, model: nn.Module, folder: Path) -> None:
        logging.getLogger("delve.logger").setLevel(logging.WARNING)
        self._model = deepcopy(model)
        # Without a reset the same covariances can be read out again.
        self._tracker = SaturationTracker(
            str(folder), save_to="csv", modules=self._model, device="cpu", reset_covariance=False
        )
        self.maps = len(self._tracker.layers)

    def forward(self, batch: Tensor) -> None:
        """Run the model, by which the covariances are added up."""
        with torch.no_grad():
            self._model(batch)

    def read(self) -> None:
        """Compute what delve computes of each covariance."""
        self._tracker.add_saturations(save=False)
