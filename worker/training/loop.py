"""The training loop: update, look, save, until the last iteration or a wish to stop."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from backend.datasets.coco import CocoFile
from backend.errors import EigenscopeError, InvalidInput
from backend.measurements.records import EVALUATION_SECONDS, PROBE_SECONDS, WALL_SECONDS, CheckpointRow
from backend.runs.schedule import snapshot_iterations
from backend.runs.specification import RunSpecification
from worker.probe.errors import ProbeStopped
from worker.probe.probe import EigenspectrumProbe
from worker.recorder import Recorder
from worker.training import checkpoints
from worker.training.batches import Batch, training_batches
from worker.training.data import CropSet, DetectionSet, as_float
from worker.training.distributed import Ranks
from worker.training.evaluation import evaluate
from worker.training.forward import forward_cost
from worker.training.freezing import train_mode
from worker.training.gpu import GpuWatch
from worker.training.jitter import keep_drawn_sizes
from worker.training.pace import Due, Mean, Pace, Stopwatch
from worker.training.saving import GIGABYTE, Saver
from worker.training.snapshots import Snapshots
from worker.training.stopping import StopFlag, StopRequested
from worker.training.update import Update

_log = logging.getLogger(__name__)

SECONDS_BETWEEN_WORDS = 10.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a training is made of; the model lies on the device that trains, its parameters frozen or not.

    `kept` are the checkpoints that the run has already. Of several `ranks` only the first has a probe.
    """

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
    ranks: Ranks = field(default_factory=Ranks)
    kept: tuple[CheckpointRow, ...] = ()


class Loop:
    """One run's training. `iteration` counts the updates done; what is recorded at t is of the model after t."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._specification, self._training = parts.specification, parts.specification.training
        self._model, self._recorder, self._stop = parts.model, parts.recorder, parts.stop
        self._ranks = parts.ranks
        if self._training.image_size_min is not None:
            keep_drawn_sizes(parts.model)
        self._update = Update(parts.model, self._training, parts.device, parts.ranks)
        every = self._specification.probe.every if self._specification.probe.images else None
        self._due = frozenset(snapshot_iterations(self._training.iterations, every) if every else ())
        beside = parts.device.type == "cuda"
        self._snapshots = Snapshots(parts.probe, parts.recorder, beside) if parts.probe else None
        self._saver = Saver(
            parts.folder,
            parts.recorder,
            self._specification.checkpoint_keep,
            self._specification.checkpoint_budget * GIGABYTE,
            parts.kept,
        )
        self._pace, self._waiting, self._watch = Pace(), Mean(), Stopwatch()
        self._words_due = Due(SECONDS_BETWEEN_WORDS)
        self._gpu = GpuWatch(parts.device) if parts.device.type == "cuda" and parts.ranks.first else None
        self.iteration = 0
        self._looked = False

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to where a checkpoint was written, by as many ranks as now."""
        random_states = [state["random"], *state.get("random_of_others", ())]
        place = self._ranks.place
        if len(random_states) != place.size:
            raise InvalidInput(
                f"the checkpoint was written by {len(random_states)} processes and {place.size} are to go on; take as "
                "many, or start a run from its weights (init.kind run)"
            )
        self._model.load_state_dict(state["model"])
        self._update.restore(state)
        checkpoints.restore_random_state(random_states[place.rank], self._parts.device)
        self.iteration, self._looked = state["iteration"], state["looked"]
        self._saver.best = state.get("best")
        self._watch.before = state.get("seconds", 0.0)

    def run(self) -> None:
        """Train to the last iteration and save.

        Raises `StopRequested` after saving when asked to stop, `TrainingFailed` or `NonFiniteSpectrum` before the
        update that would follow, `Unavailable` when there is no room to save.
        """
        train_mode(self._model)
        if self._gpu is not None:
            self._gpu.start()
        try:
            self._train()
        except StopRequested:
            if self._ranks.first:
                _log.info("stopping at iteration %d on request", self.iteration)
            self._save()
            raise
        except (EigenscopeError, torch.OutOfMemoryError):
            # What was measured before the failure is what shows how it came.
            self._finish_snapshots()
            raise
        finally:
            if self._gpu is not None:
                self._gpu.stop()
        self._save()
        if self._waiting.value is not None:
            _log.info("finished: training waited for data %.1f %% of the time", 100 * self._waiting.value)

    def _train(self) -> None:
        last = self._training.iterations
        batches = self._batches()
        self._look()
        while self.iteration < last:
            if self._ranks.any(self._stop.requested):
                raise StopRequested
            self._step(batches)
            self._look()
            if self._time_to_save() and self.iteration < last:
                self._save()

    def _batches(self) -> Iterator[Batch]:
        remaining = range(self.iteration, self._training.iterations)
        share, device = self._ranks.share, self._parts.device
        return training_batches(self._parts.training, self._training, remaining, device, share)

    def _step(self, batches: Iterator[Batch]) -> None:
        """Update the weights once."""
        began = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - began
        metrics = self._update.step(batch, self.iteration)
        self.iteration, self._looked = self.iteration + 1, False
        if self._ranks.first:
            took = time.perf_counter() - began
            self._tell(metrics | {"data_wait": waited / took, WALL_SECONDS: self._watch.seconds}, took)

    def _tell(self, metrics: dict[str, float], took: float) -> None:
        self._pace.add(took)
        self._waiting.add(metrics["data_wait"])
        self._recorder.metrics(self.iteration, metrics | (self._gpu.figures() if self._gpu else {}))
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
            self._snapshots.record_if_done()
        if self.iteration in self._due or self._time_to_evaluate():
            self._alone(self._look_closely)
        self._looked = True

    def _alone(self, work: Callable[[], None]) -> None:
        """Let the first rank do this while the others wait; if it is asked to stop meanwhile, all of them stop."""
        stopped = False
        if self._ranks.first:
            try:
                work()
            except (StopRequested, ProbeStopped):
                stopped = True
        if self._ranks.any(stopped):
            raise StopRequested

    def _look_closely(self) -> None:
        if self._snapshots is not None and self.iteration in self._due:
            self._recorder.phase("probing")
            began = time.perf_counter()
            self._snapshots.take(self.iteration)
            self._saver.snapshot(self.iteration, self._weights())
            self._recorder.metrics(self.iteration, {PROBE_SECONDS: time.perf_counter() - began})
            self._recorder.phase("training")
        if self._time_to_evaluate():
            self._evaluate()

    def _time_to_evaluate(self) -> bool:
        every, last = self._specification.evaluate_every, self._training.iterations
        return self.iteration == last or bool(every and self.iteration and self.iteration % every == 0)

    def _time_to_save(self) -> bool:
        every = self._specification.checkpoint_every
        if self._saver.follows_evaluations and self._time_to_evaluate():
            return True
        return bool(every) and self.iteration % every == 0

    def _finish_snapshots(self) -> None:
        if self._snapshots is not None:
            self._snapshots.finish()

    def _evaluate(self) -> None:
        self._recorder.phase("evaluating")
        parts, began = self._parts, time.perf_counter()
        result = evaluate(
            parts.model, parts.validation, parts.truth, self._training.batch_size, self._stop.check
        )
        # Once is enough: what a pass costs depends on the network and hardly on its weights.
        ended = self.iteration == self._training.iterations
        cost = forward_cost(parts.model, as_float(parts.validation.read(0).image)) if ended else {}
        self._recorder.metrics(self.iteration, result.metrics | cost)
        self._recorder.result(**result.summary)
        self._recorder.predictions(self.iteration, result.predictions)
        words = ", ".join(f"{name} {value:.4f}" for name, value in result.summary.items())
        _log.info("iteration %d: %s (in %.1f s)", self.iteration, words, time.perf_counter() - began)
        self._saver.judge(self.iteration, result.summary, self._weights())
        self._recorder.metrics(self.iteration, {EVALUATION_SECONDS: time.perf_counter() - began})
        self._recorder.phase("training")

    def _save(self) -> None:
        """Write all that going on from here needs; spectra under way are recorded first."""
        self._finish_snapshots()
        others = self._ranks.gathered(checkpoints.random_state(self._parts.device))
        self._alone(lambda: self._write(others))

    def _write(self, random_states: list[dict[str, Any]]) -> None:
        self._recorder.phase("saving")
        first, *others = random_states
        state = {
            "looked": self._looked,
            "best": self._saver.best,
            "seconds": self._watch.seconds,
            "random": first,
            "random_of_others": others,
            **self._update.state(),
        }
        self._saver.save(self.iteration, self._weights() | state)
        self._recorder.phase("training")

    def _weights(self) -> dict[str, Any]:
        return {
            "architecture": self._specification.model.architecture,
            "iteration": self.iteration,
            "model": self._model.state_dict(),
        }
