"""One update of the weights: losses, gradients, and a step of SGD if both are numbers."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from backend.runs.specification import TrainingSpecification
from worker.training.batches import Batch
from worker.training.distributed import Ranks
from worker.training.errors import TrainingFailed
from worker.training.optimiser import learning_rate, make_optimiser, set_learning_rate

_log = logging.getLogger(__name__)

LEAST_SCALE = 1e-4
"""Of the loss under fp16: gradients that overflow even so are no matter of precision."""
PRECISIONS = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}


class Update:
    """What changes the weights, and all that it remembers from one update to the next.

    Under fp16 the loss is scaled before the backward pass, lest small gradients become zero, and a step whose
    gradients overflowed is skipped and the scale halved (Micikevicius et al. 2018, §3.2): it counts as an iteration,
    since the data and the rate go on. A loss that is no number ends the training in every precision, before the
    step; gradients that are none end it where they are measured (`clip_norm`) and not scaled.
    """

    def __init__(
        self, model: nn.Module, training: TrainingSpecification, device: torch.device, ranks: Ranks
    ) -> None:
        self._training, self._device, self._ranks = training, device, ranks
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._network = ranks.sharing_gradients(model, device)
        self._optimiser = make_optimiser(model, training)
        self._precision = PRECISIONS[training.amp]
        self._scaler = torch.amp.GradScaler(device.type, enabled=training.amp == "fp16")

    def step(self, batch: Batch, iteration: int) -> dict[str, float]:
        """Do the update after `iteration` others and return its losses and rate; means over all ranks."""
        rate = learning_rate(self._training, iteration)
        set_learning_rate(self._optimiser, rate)
        self._optimiser.zero_grad()
        losses = self._losses(batch)
        torch.autograd.backward(self._scaler.scale(torch.stack(list(losses.values())).sum()))
        metrics = self._finite(losses, iteration) | self._clip(iteration)
        self._scaler.step(self._optimiser)
        return metrics | self._rescale(iteration) | {"lr": rate}

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs beside the model."""
        return {"optimiser": self._optimiser.state_dict(), "scaler": self._scaler.state_dict()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a `state`; one without a scaler was written before there was fp16."""
        self._optimiser.load_state_dict(state["optimiser"])
        if self._scaler.is_enabled() and state.get("scaler"):
            self._scaler.load_state_dict(state["scaler"])

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        with torch.autocast(self._device.type, self._precision, enabled=self._precision is not None):
            losses: dict[str, Tensor] = self._network(batch.images, batch.targets)
        return {name: loss.float() for name, loss in losses.items()}

    def _finite(self, losses: Mapping[str, Tensor], iteration: int) -> dict[str, float]:
        """Return the losses and their sum as numbers; raise while the weights are still those before the update."""
        found = dict(zip(losses, torch.stack(list(losses.values())).detach().tolist(), strict=True))
        # One rank's NaN is everybody's after the mean, so that all ranks stop together.
        values = self._ranks.means(found)
        self._demand_finite("loss", values, iteration)
        return {"loss": sum(values.values()), **values}

    def _clip(self, iteration: int) -> dict[str, float]:
        if self._training.clip_norm is None:
            return {}
        self._scaler.unscale_(self._optimiser)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._training.clip_norm).item()
        if self._scaler.is_enabled() and not math.isfinite(norm):
            return {}
        self._demand_finite("gradient", {"norm over all weights": norm}, iteration)
        return {"gradient_norm": norm}

    def _rescale(self, iteration: int) -> dict[str, float]:
        if not self._scaler.is_enabled():
            return {}
        before = self._scaler.get_scale()
        self._scaler.update()
        scale = self._scaler.get_scale()
        if scale < before:
            _log.info(
                "iteration %d: gradients overflowed in float16; skipped, loss scale %g", iteration + 1, scale
            )
        if scale < LEAST_SCALE:
            raise TrainingFailed(
                f"gradients overflow in float16 at iteration {iteration + 1}, however small the loss is scaled; "
                "lower training.lr, or set training.amp to bf16 or off"
            )
        return {"gradient_scale": scale}

    def _demand_finite(self, what: str, values: Mapping[str, float], iteration: int) -> None:
        broken = [name for name, value in values.items() if not math.isfinite(value)]
        if broken:
            raise TrainingFailed(
                f"the {what} became {values[broken[0]]} at iteration {iteration + 1} ({', '.join(broken)}); "
                "lower training.lr or lengthen the warm-up"
            )
