"""What a run will cost, said before it is launched."""

from __future__ import annotations

from pydantic import BaseModel

from backend.architectures.describe import describe
from backend.architectures.description import Description
from backend.errors import InvalidInput
from backend.models import Dataset
from backend.runs.estimate import TimeEstimate, examples
from backend.runs.footprint import footprint
from backend.runs.schedule import snapshot_iterations
from backend.runs.specification import RunSpecification
from backend.weights.report import WeightsReport

FEW_IN_A_BATCH = 4
"""Images over which batch norm's statistics are too noisy to train by, if there are fewer."""


MANY_EPOCHS = 300
"""Far beyond the longest published schedule, 9x with its 110 epochs of COCO."""


class Cost(BaseModel):
    """A run's size; MACs are those of one square image of the training's size."""

    parameters: int
    backbone_parameters: int
    macs: int
    iterations: int
    epochs: float
    """How often each training image is seen; each object, by a classifier."""
    snapshots: int
    layers: int
    """Whose spectra are logged."""
    spectra_bytes: int
    """Of all eigenvalues."""
    checkpoint_bytes: int
    """On disk when the run has ended."""
    training_bytes: int
    """Memory of weights, gradients and momenta; activations come on top, and grow with the batch."""
    warnings: list[str]
    time: TimeEstimate | None = None
    """None where no similar run has finished yet."""
    weights: WeightsReport | None = None
    """What its network takes of the weights that it starts from; None from scratch."""


def architecture_of(specification: RunSpecification, classes: int) -> Description:
    """Describe the run's network for `classes` categories; refuse widths of groups it does not have."""
    model, side = specification.model, specification.training.image_size
    try:
        return describe(
            architecture=model.architecture,
            backbone=model.backbone,
            norm=model.norm,
            stride_in_1x1=model.stride_in_1x1,
            widths=model.widths,
            classes=classes,
            image_height=side,
            image_width=side,
        )
    except ValueError as error:
        raise InvalidInput(f"model.widths: {error}") from None


def cost(specification: RunSpecification, dataset: Dataset) -> Cost:
    """Return what the run will cost, with a warning where its settings will mislead."""
    classes = len(dataset.categories)
    description = architecture_of(specification, classes)
    probe, training = specification.probe, specification.training
    snapshots = len(snapshot_iterations(training.iterations, probe.every)) if probe.images else 0
    taken = footprint(specification, description, classes, snapshots)
    images = examples(specification, dataset, "train")
    epochs = training.iterations * training.batch_size / max(1, images)
    return Cost(
        parameters=description.parameters,
        backbone_parameters=description.backbone_parameters,
        macs=description.macs,
        iterations=training.iterations,
        epochs=epochs,
        snapshots=snapshots,
        layers=taken.layers,
        spectra_bytes=taken.spectra,
        checkpoint_bytes=taken.checkpoints,
        training_bytes=taken.training,
        warnings=[*_warnings(specification, dataset), *_epoch_warnings(epochs, images, dataset.name)],
    )


def _warnings(specification: RunSpecification, dataset: Dataset) -> list[str]:
    found = []
    probe, validation_images = specification.probe, examples(specification, dataset, "val")
    if probe.images > validation_images:
        found.append(f"The probe set has {validation_images} images, all there are, not {probe.images}.")
    found += _batch_norm_warnings(specification)
    return found


def _epoch_warnings(epochs: float, images: int, name: str) -> list[str]:
    if epochs <= MANY_EPOCHS:
        return []
    return [
        f"This schedule sees each of the {images:,} training examples of {name} {epochs:,.0f} times; scale the preset "
        "to the dataset, or lower training.iterations."
    ]


def _batch_norm_warnings(specification: RunSpecification) -> list[str]:
    norm, init = specification.model.norm, specification.init.kind
    if norm not in ("batch", "sync_batch"):
        return []
    found = []
    batch, gpus = specification.training.batch_size, specification.resources.gpus or 1
    together = batch if norm == "sync_batch" else batch // gpus
    if together < FEW_IN_A_BATCH:
        images = f"{together} image{'' if together == 1 else 's'}"
        where, other = (
            ("on each GPU", "sync_batch or group norm") if together < batch else ("a batch", "group norm")
        )
        found.append(
            f"Batch norm with {images} {where} trains badly; take {FEW_IN_A_BATCH} or more, or {other}."
        )
    if specification.probe.batch_statistics == "running" and init == "scratch":
        found.append(
            "From scratch, batch norm's running statistics lag in the first iterations; read early spectra with care."
        )
    return found
