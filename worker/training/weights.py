"""Where a run's first weights come from: ImageNet, another run, a file, or nowhere (scratch)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import get_model_weights

from backend.architectures.plan import backbone_plan
from backend.database import Database
from backend.errors import InvalidInput, Unavailable
from backend.runs import repository as runs
from backend.runs.service import weights_file
from backend.runs.specification import FileInit, ImageNetInit, ModelSpecification, RunInit, RunSpecification
from backend.settings import Settings
from worker.training import checkpoints
from worker.training.backbones import ResNet
from worker.training.detectors import BODY
from worker.training.freezing import body_of
from worker.training.states import LoadReport, load, match, read_state

HEAD = ("fc.",)
"""Keys of a classifier that a backbone does without."""


def initialise(
    model: nn.Module, specification: RunSpecification, database: Database, settings: Settings
) -> LoadReport | None:
    """Load what `specification.init` names into the model; None for scratch, which keeps the random weights.

    ImageNet weights and files give the residual network only. A classifier's run gives a detector its residual
    network; a run of the same architecture gives the whole model. Raises `InvalidInput` when keys or shapes do
    not fit, `Unavailable` when ImageNet's weights cannot be had.
    """
    init = specification.init
    if isinstance(init, ImageNetInit):
        name, state = imagenet_state(specification.model.backbone)
        return load(state, body_of(model), name, HEAD)
    if isinstance(init, FileInit):
        state = read_state(weights_file(settings.data, init.file), init.file)
        return load(state, body_of(model), init.file, HEAD)
    if isinstance(init, RunInit):
        return _from_run(model, specification.model.architecture, init, database, settings)
    return None


def check_file(settings: Settings, model: ModelSpecification, file: str) -> LoadReport:
    """Say whether a file of weights fits a model, without building the model's weights.

    `file` is relative to the data root. Raises `InvalidInput` in the same words as `initialise`.
    """
    state = read_state(weights_file(settings.data, file), file)
    with torch.device("meta"):
        body = ResNet(backbone_plan(model.backbone, model.stride_in_1x1, model.widths), model.norm)
    return match(state, body, file, HEAD)


def imagenet_state(backbone: str) -> tuple[str, Mapping[str, Tensor]]:
    """Return the file name and tensors of torchvision's first ImageNet weights, from torch hub's cache or the net.

    Raises `Unavailable` when the cache lacks them and they cannot be fetched.
    """
    weights = get_model_weights(backbone)["IMAGENET1K_V1"]
    name = Path(weights.url).name
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    try:
        return name, weights.get_state_dict(
            progress=False, check_hash=True, map_location="cpu", weights_only=True
        )
    except (URLError, OSError, RuntimeError) as error:
        raise Unavailable(
            f"the ImageNet weights {name} are neither in {cache} nor could they be fetched ({error}); "
            "copy the file there, or start from a file of weights (init.kind file)"
        ) from None


def _from_run(
    model: nn.Module, architecture: str, init: RunInit, database: Database, settings: Settings
) -> LoadReport:
    with database.reading() as session:
        row = runs.checkpoint(session, init.run_id, init.iteration)
    at = "" if init.iteration is None else f" of iteration {init.iteration}"
    if row is None:
        raise InvalidInput(f"init.run_id: run {init.run_id} has no checkpoint{at}; wait for it to finish")
    name = f"the checkpoint of run {init.run_id}"
    saved = checkpoints.load(settings.home / row.file, name)
    if saved["architecture"] == architecture:
        return load(saved["model"], model, name)
    return load(_body_state(saved["model"]), body_of(model), name, HEAD)


def _body_state(state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
    """Return the residual network's part of a classifier's or detector's state."""
    within = {key.removeprefix(BODY): tensor for key, tensor in state.items() if key.startswith(BODY)}
    return within or state
