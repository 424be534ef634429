"""What `test_distributed` lets two processes do under torchrun, on the CPU; each writes what came of it.

`python -m torch.distributed.run --standalone --nproc-per-node 2 -m tests.training.two_ranks SHAPES OUT`
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import torch

from backend.datasets.coco import read_coco
from backend.runs.specification import RunSpecification
from tests.training.conftest import Memory, _specification
from tests.training.trained import StopAfter, weights
from worker.training import checkpoints
from worker.training.data import example_set
from worker.training.detectors import build_model
from worker.training.distributed import Place, Ranks, joined
from worker.training.freezing import freeze
from worker.training.loop import Loop, Parts
from worker.training.session import seed_everything
from worker.training.snapshots import make_probe
from worker.training.stopping import StopFlag, StopRequested

CPU = torch.device("cpu")
PROBED = {"probe": {"images": 3, "every": 2, "maps": ["act", "block", "fpn", "rpn", "box_head"]}}


def a_loop(
    wanted: RunSpecification, shapes: Path, folder: Path, ranks: Ranks, stop: StopFlag
) -> tuple[Loop, Memory]:
    """Return a loop as a run's session makes it, and what it tells."""
    training, memory = wanted.training, Memory()
    seed_everything(training.seed + ranks.place.rank)
    files = [read_coco(shapes / f"{split}.json") for split in ("train", "val")]
    model = build_model(wanted.model, len(files[0].categories), training.image_size, training.seed)
    freeze(model, training.trainable_stages)
    sets = [
        example_set(wanted.model.architecture, file, shapes / "images", training.image_size) for file in files
    ]
    probe = make_probe(model, sets[1], wanted.probe, lambda: stop.requested) if wanted.probe.images else None
    parts = Parts(
        specification=wanted,
        model=model,
        training=sets[0],
        validation=sets[1],
        truth=files[1],
        probe=probe if ranks.first else None,
        recorder=memory,
        stop=stop,
        folder=folder,
        device=CPU,
        ranks=ranks,
    )
    return Loop(parts), memory


def straight(wanted: RunSpecification, shapes: Path, folder: Path, ranks: Ranks) -> dict[str, Any]:
    """Train to the end; return this rank's weights, and what it told."""
    loop, memory = a_loop(wanted, shapes, folder, ranks, StopFlag())
    loop.run()
    return told(loop, memory)


def interrupted(wanted: RunSpecification, shapes: Path, folder: Path, ranks: Ranks) -> dict[str, Any]:
    """Let the second rank alone be asked to stop, then go on from what was saved."""
    stop = StopAfter(3) if ranks.place.rank == 1 else StopFlag()
    first, before = a_loop(wanted, shapes, folder, ranks, stop)
    try:
        first.run()
    except StopRequested:
        stopped_at = first.iteration
    second, after = a_loop(wanted, shapes, folder, ranks, StopFlag())
    torch.rand(7)
    ranks.wait()
    second.restore(checkpoints.load(checkpoints.path_of(folder, stopped_at), "x"))
    second.run()
    result = told(second, after)
    result["snapshots"] = told(first, before)["snapshots"] | result["snapshots"]
    return result | {"stopped_at": stopped_at, "iterations": sorted({*before.losses(), *after.losses()})}


def told(loop: Loop, memory: Memory) -> dict[str, Any]:
    """Return weights, losses and spectra as plain values."""
    spectra = {
        iteration: [torch.from_numpy(row.eigenvalues.copy()) for row in rows]
        for iteration, rows in memory.snapshots.items()
    }
    return {
        "weights": weights(loop),
        "losses": memory.losses(),
        "snapshots": spectra,
        "random": torch.rand(2),
    }


def main(shapes: Path, out: Path) -> None:
    """Do all of it and write it."""
    torch.set_num_threads(1)
    place = Place.from_environment()
    norm: dict[str, Any] = {"model": {"norm": "group"}}
    with joined(place, CPU) as ranks:
        found = {
            "straight": straight(_specification(**norm, **PROBED), shapes, out / "straight", ranks),
            "interrupted": interrupted(_specification(**norm, **PROBED), shapes, out / "interrupted", ranks),
            "one update": straight(
                _specification(
                    model={"architecture": "classifier", "norm": "group"},
                    training={"iterations": 1, "warmup": 0, "batch_size": 4},
                ),
                shapes,
                out / "one",
                ranks,
            ),
            "frozen": straight(
                _specification(
                    model={"norm": "frozen_batch"},
                    init={"kind": "run", "run_id": 1},
                    training={"iterations": 2, "warmup": 0, "trainable_stages": 3},
                ),
                shapes,
                out / "frozen",
                ranks,
            ),
        }
        torch.save(found, out / f"rank-{place.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
