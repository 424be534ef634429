"""One run from its row in the database to its exit status: puts all parts together and lets them train."""

from __future__ import annotations

import logging
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sqlalchemy.exc import DBAPIError
from torch import nn

from backend.database import Database, does_not_answer, reason
from backend.datasets.coco import CocoFile, read_coco
from backend.errors import EigenscopeError, InvalidInput, NotFound
from backend.measurements.records import CheckpointRow
from backend.models import Dataset
from backend.observability import context, logs
from backend.runs import cost
from backend.runs import repository as runs
from backend.runs.specification import RunSpecification
from backend.runs.start import StartReport
from backend.runs.suitability import dataset_problem
from backend.settings import Settings
from backend.weights.report import WeightsReport
from backend.widths.comparable import networks_to_measure
from backend.widths.latency import TOGETHER
from worker.patience import PatientDatabase
from worker.probe.probe import EigenspectrumProbe
from worker.recorder import Recorder, RunTakenAway
from worker.training import checkpoints, together, weights
from worker.training.data import ExampleSet, as_float, example_set
from worker.training.detectors import build_model
from worker.training.devices import check_precision, choose_device, device_name
from worker.training.distributed import Place, Ranks, check_share, end_with_the_launcher, joined
from worker.training.freezing import freeze
from worker.training.loop import Loop, Parts
from worker.training.memory import out_of_memory
from worker.training.saving import LAST, files_of
from worker.training.snapshots import layer_rows, make_probe
from worker.training.stopping import StopFlag, StopRequested

_log = logging.getLogger(__name__)

FINISHED, STOPPED, FAILED = 0, 3, 4
MEGABYTE = 1e6


def train(run_id: int, stop: StopFlag) -> int:
    """Train a run to its end and return the exit status of the process (see `worker.training.train`)."""
    place, settings = Place.from_environment(), Settings()
    level = logging.INFO if place.rank == 0 else logging.WARNING
    owner = os.environ.get("EIGENSCOPE_LEASE_OWNER")
    logs.configure(settings, "trainer", stream=sys.stdout, level=level, worker=owner, force=True)
    if place.size > 1:
        end_with_the_launcher()
    context.identify(run_id=run_id)
    database = PatientDatabase(settings.database, stop.check)
    try:
        _train(settings, database, run_id, stop, place)
    except StopRequested:
        return STOPPED
    except RunTakenAway as gone:
        _log.info("%s; leaving it alone", gone)
        return STOPPED
    except (EigenscopeError, DBAPIError, MemoryError, RuntimeError) as error:
        status = _told(settings.run_folder(run_id), error)
        if status is None:
            raise
        return status
    finally:
        database.dispose()
    return FINISHED


def _told(folder: Path, error: Exception) -> int | None:
    """Return the exit status for an error that has a sentence; None for a crash."""
    if isinstance(error, EigenscopeError):
        return _fail(folder, str(error))
    if isinstance(error, DBAPIError):
        if does_not_answer(error):
            # Between two words of the journal: the supervisor, which waits, queues the run again.
            _log.warning("the database does not answer (%s); the run goes on when it does", reason(error))
            return STOPPED
        return _fail(
            folder, f"the database could not be written: {reason(error)}; mend that, then resume the run"
        )
    sentence = out_of_memory(error)
    return _fail(folder, sentence) if sentence else None


def _fail(folder: Path, sentence: str) -> int:
    _log.error("%s", sentence)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.txt").write_text(sentence + "\n", encoding="utf-8")
    except OSError as error:
        # On a full disk the sentence may not fit; the supervisor then takes it from the log.
        _log.error("%s", sentence, exc_info=error)
    return FAILED


def _train(settings: Settings, database: Database, run_id: int, stop: StopFlag, place: Place) -> None:
    recorder = Recorder(database, run_id, os.environ.get("EIGENSCOPE_LEASE_OWNER"), settings.home)
    session = RunSession(settings, database, run_id, recorder, stop, place)
    with joined(place, session.device) as ranks:
        if ranks.first:
            limit = settings.journal_megabytes * MEGABYTE
            recorder.keep_journal(settings.run_folder(run_id), limit, lambda: stop.requested)
        try:
            session.train(ranks)
        finally:
            delivered = recorder.close()
    if not delivered:
        # Nobody may call the run finished before the database has all of it.
        raise StopRequested
    if recorder.was_away:
        session.remove_unnamed()


class RunSession:
    """One run with all that its row in the database names. Raises `NotFound` where that is gone."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        run_id: int,
        recorder: Recorder,
        stop: StopFlag,
        place: Place,
    ) -> None:
        self._settings, self._database, self._run_id = settings, database, run_id
        self._recorder, self._stop, self._folder = recorder, stop, settings.run_folder(run_id)
        with database.reading() as session:
            run = runs.get(session, run_id)
            if run is None:
                raise NotFound(f"there is no run {run_id}")
            self._specification = RunSpecification.model_validate(run.specification)
            dataset = session.get(Dataset, run.dataset_id)
            if dataset is None:
                raise NotFound(f"the dataset {run.dataset_id} of run {run_id} is gone; register it again")
        self._dataset = dataset
        self.device = choose_device(self._specification.resources.gpus, place)
        check_precision(self._specification.training.amp, self.device)
        check_share(self._specification.training.batch_size, place)

    def train(self, ranks: Ranks) -> None:
        """Train from the last checkpoint, or from the beginning where there is none."""
        if ranks.any(self._stop.requested):
            raise StopRequested
        # Each rank samples anchors and proposals of its own images.
        seed_everything(self._specification.training.seed + ranks.place.rank)
        training, validation = self._annotations()
        kept = self._kept()
        if ranks.first:
            self.remove_unnamed()
        saved = self._saved(kept)
        model = self._model(len(training.categories), fresh=saved is None)
        parts = self._parts(model, training, validation, ranks, kept)
        loop = Loop(parts)
        if saved is not None:
            loop.restore(saved)
            _log.info("going on from iteration %d", loop.iteration)
        self._recorder.phase("training")
        loop.run()
        if ranks.first:
            self._measure_together(parts, len(training.categories))

    def _measure_together(self, parts: Parts, classes: int) -> None:
        """Measure all networks of a width plan, if this was its last run: times taken at other times say little."""
        with self._database.reading() as session:
            wanted = networks_to_measure(session, self._run_id)
        if not wanted:
            return
        try:
            built = together.networks(wanted, classes, self.device)
            found = together.seconds_in_turns(built, as_float(parts.validation.read(0).image))
        except torch.OutOfMemoryError:
            _log.info("the plan's networks do not fit beside each other; their latencies are not compared")
            return
        self._recorder.metrics(
            self._specification.training.iterations,
            {f"{TOGETHER}{role}": seconds for role, seconds in found.items()},
        )
        _log.info(
            "a forward pass, measured in turns: %s",
            ", ".join(f"{role} {1e3 * seconds:.3g} ms" for role, seconds in found.items()),
        )

    def remove_unnamed(self) -> None:
        """Remove checkpoints that the database does not name: those of a time when it could not be told."""
        named = [file for row in self._kept() for file in files_of(row)]
        checkpoints.remove_others(self._folder, named)

    def _annotations(self) -> tuple[CocoFile, CocoFile]:
        training, validation = read_coco(Path(self._dataset.train)), read_coco(Path(self._dataset.val))
        if training.categories != validation.categories:
            raise InvalidInput(
                f"the splits of dataset '{self._dataset.name}' name different categories; make them equal"
            )
        # The files may have changed since the run was launched.
        masks = training.has_masks and validation.has_masks
        problem = dataset_problem(
            self._specification.model.architecture,
            name=self._dataset.name,
            kind=self._dataset.kind,
            has_masks=masks,
        )
        if problem:
            raise InvalidInput(problem)
        return training, validation

    def _kept(self) -> tuple[CheckpointRow, ...]:
        """Return the run's own checkpoints; a run that is to begin anew has none in the database."""
        with self._database.reading() as session:
            found = runs.checkpoints(session, self._run_id)
        home = self._settings.home
        return tuple(CheckpointRow(c.iteration, home / c.file, c.bytes, tuple(c.kept_as)) for c in found)

    def _saved(self, kept: Sequence[CheckpointRow]) -> dict[str, Any] | None:
        """Return what the run goes on from: its last checkpoint, for the others hold weights alone."""
        last = next((row for row in kept if LAST in row.kept_as), None)
        return checkpoints.load(last.file, f"the checkpoint of run {self._run_id}") if last else None

    def _model(self, classes: int, fresh: bool) -> nn.Module:
        specification, training = self._specification, self._specification.training
        model = build_model(specification.model, classes, training.image_size, training.seed)
        self._describe(model, classes)
        taken = self._first_weights(model, classes) if fresh else None
        frozen = freeze(model, training.trainable_stages)
        _log.info("%s", frozen)
        if fresh:
            self._recorder.start(StartReport(init=specification.init.kind, weights=taken, parts=frozen.parts))
        if self.device.type == "cuda":
            # Tensor cores read channels last; on a CPU it gains nothing.
            model.to(memory_format=torch.channels_last)
        return model.to(self.device)

    def _first_weights(self, model: nn.Module, classes: int) -> WeightsReport | None:
        specification = self._specification
        taken = weights.initialise(model, specification, classes, self._database, self._settings)
        _log.info("initial weights (%s): %s", specification.init.kind, taken or "all drawn at random")
        for note in taken.notes if taken else ():
            _log.info("%s", note)
        return taken

    def _describe(self, model: nn.Module, classes: int) -> None:
        description = cost.architecture_of(self._specification, classes)
        built = sum(parameter.numel() for parameter in model.parameters())
        if built != description.parameters:
            raise AssertionError(f"built {built} parameters, but described {description.parameters}")
        device = device_name(self.device)
        self._recorder.describe(
            description.parameters, description.backbone_parameters, description.macs, device
        )
        _log.info("%s parameters, %s MACs an image, on %s", *map(_grouped, (built, description.macs)), device)

    def _parts(
        self,
        model: nn.Module,
        training: CocoFile,
        validation: CocoFile,
        ranks: Ranks,
        kept: tuple[CheckpointRow, ...],
    ) -> Parts:
        specification = self._specification
        folders = [Path(self._dataset.images_of(split)) for split in ("train", "val")]
        architecture, size = specification.model.architecture, specification.training.image_size
        judged = example_set(architecture, validation, folders[1], size)
        return Parts(
            specification=specification,
            model=model,
            training=example_set(architecture, training, folders[0], size),
            validation=judged,
            truth=validation,
            probe=self._probe(model, judged) if ranks.first else None,
            recorder=self._recorder,
            stop=self._stop,
            folder=self._folder,
            device=self.device,
            ranks=ranks,
            kept=kept,
        )

    def _probe(self, model: nn.Module, examples: ExampleSet) -> EigenspectrumProbe | None:
        wanted = self._specification.probe.images
        if not wanted:
            return None
        probe = make_probe(model, examples, self._specification.probe, lambda: self._stop.requested)
        self._recorder.layers(layer_rows(probe))
        found = min(wanted, len(examples))
        short = f", fewer than the {wanted} asked for: the split has no more" if found < wanted else ""
        plan = probe.plan
        _log.info(
            "probing %d layers over %d images%s: %d maps added up, %d layers derived, %.0f MiB of matrices",
            len(probe.layers),
            found,
            short,
            len(plan.sources),
            sum(1 for chain in plan.chains if chain.steps),
            plan.bytes / 2**20,
        )
        return probe


def seed_everything(seed: int) -> None:
    """Seed every global random generator: what samples anchors and proposals draws from torch's."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _grouped(number: int) -> str:
    return f"{number:,}"
