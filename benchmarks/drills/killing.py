"""SIGKILL at random moments of running jobs: every run ends succeeded, and measured what an undisturbed one does."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.drills.places import Place
from benchmarks.drills.server import ENDED, Contents

LONGEST_PAUSE = 9.0
"""Seconds between two kills at most: a trainer needs about five to be back, so that many meet it on its way."""
AWAY = 1.5
"""Seconds for which what was killed stays away at most."""
SECONDS = 900.0
"""That a run may take after its last kill."""
DATASET = {"kind": "shapes", "name": "drill", "train": 8, "val": 4, "size": 96}
WIDTHS = {"stem": 8, "layer1": 8, "layer2": 16, "layer3": 16, "layer4": 32, "fpn": 16, "box_head": 32}


@dataclass
class Outcome:
    """What became of the runs during which one thing was killed."""

    place: str
    victim: str
    kills: int = 0
    runs: int = 0
    succeeded: int = 0
    spectra: int = 0
    metrics: int = 0
    problems: list[str] = field(default_factory=list)


def specification(dataset_id: int, iterations: int = 80) -> dict[str, Any]:
    """Return a run small enough for a CPU, with snapshots, evaluations and checkpoints close together."""
    model = {"architecture": "faster_rcnn", "backbone": "resnet18", "norm": "group", "widths": WIDTHS}
    return {
        "dataset_id": dataset_id,
        "name": "drill",
        "model": model,
        "init": {"kind": "scratch"},
        "training": {"iterations": iterations, "batch_size": 2, "warmup": 2, "image_size": 96},
        "probe": {"images": 2, "every": 5},
        "evaluate_every": 20,
        "checkpoint_every": 7,
    }


def drill(
    opened: Callable[[Path], AbstractContextManager[Place]],
    folder: Path,
    moments: int,
    seed: int,
    say: Callable[[str], None],
) -> list[Outcome]:
    """Kill each part of an instance at `moments` random moments; return what became of the runs."""
    outcomes = []
    with opened(folder) as place:
        dataset_id = int(place.server.ask("POST", "/datasets", json=DATASET).json()["id"])
        wanted = _undisturbed(place, dataset_id)
        say(f"{place.name}: undisturbed, {len(wanted.spectra)} spectra and {len(wanted.metrics)} metrics")
        for victim in place.victims:
            chance = random.Random(f"{seed} {place.name} {victim}")
            outcome = _killed(place, victim, moments, chance, dataset_id, wanted)
            say(words(outcome))
            outcomes.append(outcome)
    return outcomes


def words(outcome: Outcome) -> str:
    """Return an outcome as a line of the drill's report."""
    good = f"{outcome.succeeded} of {outcome.runs} runs succeeded" + (
        "" if outcome.problems else f", {outcome.spectra} spectra and {outcome.metrics} metrics bit-identical"
    )
    return "; ".join(
        [f"{outcome.place}: {outcome.victim} killed {outcome.kills} times, {good}", *outcome.problems]
    )


def _undisturbed(place: Place, dataset_id: int) -> Contents:
    run_id = _launch(place, dataset_id)
    run = _ended(place, run_id)
    if run["status"] != "succeeded":
        raise RuntimeError(f"the undisturbed run is {run['status']}: {run['error']}")
    return place.server.contents(run_id)


def _killed(
    place: Place, victim: str, moments: int, chance: random.Random, dataset_id: int, wanted: Contents
) -> Outcome:
    outcome = Outcome(place.name, victim)
    while outcome.kills < moments:
        run_id = _launch(place, dataset_id)
        outcome.runs += 1
        while outcome.kills < moments and _goes_on(place, run_id, chance.uniform(0, LONGEST_PAUSE)):
            if _kill(place, victim, run_id, chance.uniform(0, AWAY)):
                outcome.kills += 1
        run = _ended(place, run_id)
        if run["status"] != "succeeded":
            outcome.problems.append(f"run {run_id} is {run['status']}: {run['error']}")
            continue
        outcome.succeeded += 1
        found = place.server.contents(run_id)
        outcome.spectra, outcome.metrics = len(found.spectra), len(found.metrics)
        outcome.problems += [f"run {run_id}: {each}" for each in wanted.differences(found)]
    return outcome


def _launch(place: Place, dataset_id: int) -> int:
    return int(place.server.ask("POST", "/runs", json=specification(dataset_id)).json()["id"])


def _goes_on(place: Place, run_id: int, seconds: float) -> bool:
    """Wait; return whether the run is still under way."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(min(0.2, max(0.0, until - time.monotonic())))
    return place.server.run(run_id)["status"] not in ENDED


def _kill(place: Place, victim: str, run_id: int, away: float) -> bool:
    """Kill, and bring back what nobody else does; return whether there was anything to kill."""
    if victim == "trainer":
        found = trainers(place.home, run_id)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        return bool(found)
    command = place.commands[victim]
    command.kill()
    time.sleep(away)
    command.start()
    return True


def trainers(home: Path, run_id: int) -> list[int]:
    """Return the processes that train a run of this instance."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().split(b"\0")
            environment = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        ours = f"EIGENSCOPE_HOME={home}".encode() in environment
        if ours and b"worker.training.train" in line and str(run_id).encode() in line:
            found.append(int(folder.name))
    return found


def _ended(place: Place, run_id: int) -> dict[str, Any]:
    until = time.monotonic() + SECONDS
    while True:
        run = place.server.run(run_id)
        if run["status"] in ENDED:
            return run
        if time.monotonic() > until:
            return {**run, "error": f"it has not ended after {SECONDS:.0f} s: {run['progress']}"}
        time.sleep(0.5)
