"""First weights both ways: as the server plans them without torch, and as the trainer carries them out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import safetensors.torch
import torch
from torch import nn

from backend.database import Database
from backend.errors import InvalidInput
from backend.models import Checkpoint, Run
from backend.runs.initialisation import plan, source_of
from backend.runs.specification import ModelSpecification, RunSpecification
from backend.settings import Settings
from backend.weights.report import WeightsReport, report
from tests.weights.networks import CLASSES, State
from worker.training import checkpoints, weights
from worker.training.detectors import build_model


class Taker:
    """Starts networks from weights, and demands that the server foretells what the trainer does."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database

    def __call__(
        self, model: ModelSpecification, init: dict[str, Any], classes: int = CLASSES
    ) -> tuple[nn.Module, WeightsReport]:
        """Return a network with its first weights, and the report; both sides must give the same or refuse alike."""
        wanted = RunSpecification.model_validate({"dataset_id": 1, "model": model.model_dump(), "init": init})
        network = build_model(model, classes, 64, seed=1)
        foretold = self._answer(lambda: self.foretell(wanted, classes))
        done = self._answer(
            lambda: weights.initialise(network, wanted, classes, self.database, self.settings)
        )
        assert foretold == done
        if isinstance(done, str):
            raise InvalidInput(done)
        assert done is not None
        return network.eval(), done

    def file(self, model: ModelSpecification, content: Any, classes: int = CLASSES, **init: Any) -> Any:
        """Start from `w.pth`, saved by torch."""
        torch.save(content, self.settings.data / "w.pth")
        return self(model, {"kind": "file", "file": "w.pth", **init}, classes)

    def safetensors(self, model: ModelSpecification, content: State, **init: Any) -> Any:
        """Start from `w.safetensors`."""
        safetensors.torch.save_file(content, self.settings.data / "w.safetensors")
        return self(model, {"kind": "file", "file": "w.safetensors", **init})

    def run(
        self, model: ModelSpecification, given: nn.Module, dataset_id: int = 1, **init: Any
    ) -> tuple[nn.Module, WeightsReport]:
        """Start from run 1, which keeps `given` at iteration 8 and another at 4."""
        self.store_run(given, dataset_id)
        return self(model, {"kind": "run", "run_id": 1, **init})

    def store_run(self, given: nn.Module, dataset_id: int = 1) -> None:
        """Store run 1 with its checkpoints, as a trainer leaves them."""
        with self.database.writing() as session:
            session.add(Run(id=1, name="r", specification={}, dataset_id=dataset_id, iterations=8))
        early = {key: tensor + 1 for key, tensor in given.state_dict().items()}
        for iteration, kept in ((4, early), (8, given.state_dict())):
            path = checkpoints.path_of(self.settings.run_folder(1), iteration)
            rest = {"optimiser": {"state": {0: {"momentum": torch.zeros(2)}}}, "random": ("x", 1, 0.5)}
            checkpoints.save(path, {"iteration": iteration, "model": kept, **rest})
            file = path.relative_to(self.settings.home).as_posix()
            with self.database.writing() as session:
                session.add(Checkpoint(run_id=1, iteration=iteration, file=file, bytes=1))

    def foretell(self, wanted: RunSpecification, classes: int) -> WeightsReport | None:
        """Return what the server says before launch."""
        with self.database.reading() as session:
            source = source_of(session, self.settings, wanted)
        return report(plan(source, wanted.model, classes)) if source else None

    def _answer(self, ask: Callable[[], WeightsReport | None]) -> WeightsReport | str | None:
        try:
            return ask()
        except InvalidInput as error:
            return str(error)
