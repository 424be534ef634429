"""The training loop: update, look, save, until the last iteration or a wish to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from backend.datasets.coco import CocoFile
from backend.errors import EigenscopeError
from backend.runs.schedule import snapshot_iterations
from backend.runs.specification import RunSpecification
from worker.probe.errors import ProbeStopped
from worker.probe.probe import EigenspectrumProbe
from worker.recorder import Recorder
from worker.training import checkpoints
from worker.training.batches import Batch, training_batches
from worker.training.data import CropSet, DetectionSet
from worker.training.errors import TrainingFailed
from worker.training.evaluation import evaluate
from worker.training.freezing import train_mode
from worker.training.jitter import keep_drawn_sizes
from worker.training.optimiser import learning_rate, make_optimiser, set_learning_rate
from worker.training.pace import Due, Pace
from worker.training.snapshots import Snapshots
from worker.training.stopping import StopFlag, StopRequested

_log = logging.getLogger(__name__)

SECONDS_BETWEEN_WORDS = 10.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a training is made of; the model lies on the device that trains, its parameters frozen or not."""

    specification: RunSpecification
    model: nn.Module
    training: DetectionSet | CropSet
    validation: DetectionSet | CropSet
    truth: CocoFile
    probe: EigenspectrumProbe | None
    recorder: Recorder
    stop: StopFlag
    folder: Path
    device: torch.device


class Loop:
    """One run's training. `iteration` counts the updates done; what is recorded at t is of the model after t."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._specification, self._training = parts.specification, parts.specification.training
        self._model, self._recorder, self._stop = parts.model, parts.recorder, parts.stop
        if self._training.image_size_min is not None:
            keep_drawn_sizes(parts.model)
        self._optimiser = make_optimiser(parts.model, self._training)
        every = self._specification.probe.every
        self._due = frozenset(snapshot_iterations(self._training.iterations, every))
        beside = parts.device.type == "cuda"
        self._snapshots = Snapshots(parts.probe, parts.recorder, beside) if parts.probe else None
        self._pace = Pace()
        self._words_due = Due(SECONDS_BETWEEN_WORDS)
        self.iteration = 0
        self._looked = False

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to where a checkpoint was written."""
        self._model.load_state_dict(state["model"])
        self._optimiser.load_state_dict(state["optimiser"])
        checkpoints.restore_random_state(state["random"], self._parts.device)
        self.iteration, self._looked = state["iteration"], state["looked"]

    def run(self) -> None:
        """Train to the last iteration and save.

        Raises `StopRequested` after saving when asked to stop, `TrainingFailed` or `NonFiniteSpectrum` before the
        update that would follow, `Unavailable` when there is no room to save.
        """
        train_mode(self._model)
        try:
            self._train()
        except (StopRequested, ProbeStopped):
            _log.info("stopping at iteration %d on request", self.iteration)
            self._save()
            raise StopRequested from None
        except (EigenscopeError, torch.OutOfMemoryError):
            # What was measured before the failure is what shows how it came.
            self._finish_snapshots()
            raise
        self._save()

    def _train(self) -> None:
        last, save_every = self._training.iterations, self._specification.checkpoint_every
        batches = self._batches()
        self._look()
        while self.iteration < last:
            self._stop.check()
            self._step(batches)
            self._look()
            if save_every and self.iteration % save_every == 0 and self.iteration < last:
                self._save()

    def _batches(self) -> Iterator[Batch]:
        remaining = range(self.iteration, self._training.iterations)
        return training_batches(self._parts.training, self._training, remaining, self._parts.device)

    def _step(self, batches: Iterator[Batch]) -> None:
        """Update the weights once."""
        began = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - began
        rate = learning_rate(self._training, self.iteration)
        set_learning_rate(self._optimiser, rate)
        self._optimiser.zero_grad()
        losses = self._losses(batch)
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        metrics = self._finite(losses) | self._clip()
        self._optimiser.step()
        self.iteration, self._looked = self.iteration + 1, False
        took = time.perf_counter() - began
        self._tell(metrics | {"lr": rate, "data_wait": waited / took}, took)

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        bf16 = self._training.amp == "bf16"
        with torch.autocast(self._parts.device.type, torch.bfloat16, enabled=bf16):
            losses: dict[str, Tensor] = self._model(batch.images, batch.targets)
        return {name: loss.float() for name, loss in losses.items()}

    def _finite(self, losses: Mapping[str, Tensor]) -> dict[str, float]:
        """Return the losses and their sum as numbers; raise while the weights are still those before the update."""
        values = dict(zip(losses, torch.stack(list(losses.values())).detach().tolist(), strict=True))
        self._demand_finite("loss", values)
        return {"loss": sum(values.values()), **values}

    def _clip(self) -> dict[str, float]:
        if self._training.clip_norm is None:
            return {}
        norm = nn.utils.clip_grad_norm_(self._model.parameters(), self._training.clip_norm).item()
        self._demand_finite("gradient", {"norm over all weights": norm})
        return {"gradient_norm": norm}

    def _demand_finite(self, what: str, values: Mapping[str, float]) -> None:
        broken = [name for name, value in values.items() if not abs(value) < float("inf")]
        if broken:
            raise TrainingFailed(
                f"the {what} became {values[broken[0]]} at iteration {self.iteration + 1} ({', '.join(broken)}); "
                "lower training.lr or lengthen the warm-up"
            )

    def _tell(self, metrics: dict[str, float], took: float) -> None:
        self._pace.add(took)
        self._recorder.metrics(self.iteration, metrics)
        self._recorder.progress(self.iteration, self._pace.seconds)
        if self._words_due() or self.iteration in (1, self._training.iterations):
            self._say(metrics)

    def _say(self, metrics: Mapping[str, float]) -> None:
        _log.info(
            "iteration %d of %d: loss %.4f, lr %.3g, %.2f s an iteration, %.0f %% of it waiting for data",
            self.iteration,
            self._training.iterations,
            metrics["loss"],
            metrics["lr"],
            self._pace.seconds,
            100 * metrics["data_wait"],
        )

    def _look(self) -> None:
        """Probe and evaluate where it is time to."""
        if self._looked:
            return
        if self._snapshots is not None:
            self._probe(self._snapshots)
        every, last = self._specification.evaluate_every, self._training.iterations
        if self.iteration == last or (every and self.iteration and self.iteration % every == 0):
            self._evaluate()
        self._looked = True

    def _probe(self, snapshots: Snapshots) -> None:
        if self.iteration in self._due:
            self._recorder.phase("probing")
            snapshots.take(self.iteration)
            self._recorder.phase("training")
        else:
            snapshots.record_if_done()

    def _finish_snapshots(self) -> None:
        if self._snapshots is not None:
            self._snapshots.finish()

    def _evaluate(self) -> None:
        self._recorder.phase("evaluating")
        parts, began = self._parts, time.perf_counter()
        result = evaluate(
            parts.model, parts.validation, parts.truth, self._training.batch_size, self._stop.check
        )
        self._recorder.metrics(self.iteration, result.metrics)
        self._recorder.result(**result.summary)
        self._recorder.predictions(self.iteration, result.predictions)
        self._recorder.phase("training")
        words = ", ".join(f"{name} {value:.4f}" for name, value in result.summary.items())
        _log.info("iteration %d: %s (in %.1f s)", self.iteration, words, time.perf_counter() - began)

    def _save(self) -> None:
        """Write a checkpoint, register it, and remove the one it supersedes; spectra under way are recorded first."""
        self._finish_snapshots()
        self._recorder.phase("saving")
        path = checkpoints.path_of(self._parts.folder, self.iteration)
        checkpoints.save(path, self._state())
        for superseded in self._recorder.checkpoint(self.iteration, path):
            superseded.unlink(missing_ok=True)
        self._recorder.phase("training")
        _log.info("iteration %d: saved %s, %.1f MB", self.iteration, path.name, path.stat().st_size / 1e6)

    def _state(self) -> dict[str, Any]:
        return {
            "architecture": self._specification.model.architecture,
            "iteration": self.iteration,
            "looked": self._looked,
            "model": self._model.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "random": checkpoints.random_state(self._parts.device),
        }
