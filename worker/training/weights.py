"""A run's first weights, put into its network by the plan that the form showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights

from backend.architectures.tensors import tensor_shapes
from backend.database import Database
from backend.errors import Unavailable
from backend.runs.initialisation import plan, source_of
from backend.runs.specification import ModelSpecification, RunSpecification
from backend.settings import Settings
from backend.weights.report import WeightsReport, report
from worker.training.states import carry_out, entries_of, opened, shapes_of


def initialise(
    model: nn.Module, specification: RunSpecification, classes: int, database: Database, settings: Settings
) -> WeightsReport | None:
    """Load what `specification.init` names into the model; None for scratch, which keeps the random weights.

    Raises `InvalidInput` when it does not fit, in the words of the launch, and `Unavailable` when ImageNet's weights
    cannot be had.
    """
    _demand_described(model, specification.model, classes)
    with database.reading() as session:
        source = source_of(session, settings, specification)
    if source is None:
        return None
    if source.path is None:
        state = imagenet_state(specification.model.backbone)
        found = plan(replace(source, entries=entries_of(state)), specification.model, classes)
        carry_out(found, model, state.__getitem__)
    else:
        found = plan(source, specification.model, classes)
        with opened(source.path, source.entries, source.name) as fetch:
            carry_out(found, model, fetch)
    return report(found)


def imagenet_state(backbone: str) -> Mapping[str, Tensor]:
    """Return the tensors of torchvision's first ImageNet weights, from torch hub's cache or the net.

    Raises `Unavailable` when the cache lacks them and they cannot be fetched.
    """
    weights = get_model_weights(backbone)["IMAGENET1K_V1"]
    name = Path(weights.url).name
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        state: Mapping[str, Tensor] = weights.get_state_dict(
            progress=False, check_hash=True, map_location="cpu", weights_only=True
        )
    except (URLError, OSError, RuntimeError) as error:
        raise Unavailable(
            f"the ImageNet weights {name} are neither in {cache} nor could they be fetched ({error}); "
            "copy the file there, or start from a file of weights (init.kind file)"
        ) from None
    return state


def _demand_described(model: nn.Module, wanted: ModelSpecification, classes: int) -> None:
    """Stop where the network is not what the server, which has no torch, takes it for."""
    described = tensor_shapes(wanted.architecture, wanted.backbone, wanted.norm, wanted.widths, classes)
    built = shapes_of(model)
    if built != described:
        odd = sorted(built.items() ^ described.items())[:3]
        raise AssertionError(f"the network's tensors are not those that were described: {odd}")
