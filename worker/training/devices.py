"""Where a run trains, and in which precision it can."""

from __future__ import annotations

import logging

import torch

from backend.errors import InvalidInput, Unavailable
from worker.training.distributed import ALONE, Place

_log = logging.getLogger(__name__)


def choose_device(gpus: int | None, place: Place = ALONE) -> torch.device:
    """Return where this process trains: with `gpus` 0 on the CPU, with None on a GPU where there is one.

    Any other number demands as many processes, each with a GPU of its own, by its rank. Several processes with
    `gpus` 0 share the CPU. Raises `Unavailable` where there are fewer GPUs than processes.
    """
    if gpus and place.size != gpus:
        raise InvalidInput(
            f"resources.gpus is {gpus}, but this process is one of {place.size}; let a worker start the run, or use "
            f"python -m worker.training.launch with --processes {gpus}"
        )
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if gpus == 0 or (gpus is None and not found):
        if gpus is None:
            _log.info("no GPU found: training on the CPU, with %d threads", torch.get_num_threads())
        return torch.device("cpu")
    if not found:
        raise Unavailable(
            f"resources.gpus is {gpus}, but torch finds no GPU here; set it to 0 or leave it empty to train on the CPU"
        )
    if found < place.size:
        raise Unavailable(
            f"resources.gpus is {gpus}, but torch finds {found} here; ask for no more, or let the worker see more "
            "(CUDA_VISIBLE_DEVICES)"
        )
    if place.size == 1:
        return torch.device("cuda")
    torch.cuda.set_device(place.rank)
    return torch.device("cuda", place.rank)


def check_precision(amp: str, device: torch.device) -> None:
    """Raise `InvalidInput` where the device cannot train in the precision asked for."""
    if amp == "fp16" and device.type != "cuda":
        raise InvalidInput(
            "training.amp fp16 needs a GPU, and this run trains on the CPU; set it to bf16 or off, or let it have a GPU"
        )


def device_name(device: torch.device) -> str:
    """Return `cpu` or the card's name."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
