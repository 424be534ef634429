"""How much of a card's matrix rate the covariance products reach."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from benchmarks.models import BODY_MAPS, random_images, settled_body
from benchmarks.rounds import Measure, interleaved, timed
from benchmarks.rows import Row, alone, compared
from benchmarks.scale import Scale
from worker.probe.probe import EigenspectrumProbe

TERA = 1e12
PRECISIONS = {"float32": "ieee", "TF32": "tf32"}
"""Our name for a precision, and torch's."""


def product_rows(scale: Scale) -> tuple[Row, ...]:
    """Return the rates of one large square product and of all maps' covariance products, in both precisions.

    The covariances' operations are those of a symmetric product, N C (C + 1) / 2 multiply-adds; what is computed
    beyond them does not count. Their time is that of a measurement of all maps less that of one of the smallest
    map alone, so that the forward pass and its hooks drop out, and copies to the CPU are part of it.
    """
    measures: dict[str, Measure] = {}
    for name, precision in PRECISIONS.items():
        measures[_square(scale, name)] = _square_rate(scale, precision)
        measures[_covariances(name)] = _covariance_rate(scale, tf32=name == "TF32")
    rates = interleaved(measures, scale.matrix_rounds)
    rows = []
    for name in PRECISIONS:
        square, own = _square(scale, name), _covariances(name)
        rows += [
            alone(square, rates[square], "TFLOP/s"),
            compared(own, rates[own], square, rates[square], unit="TFLOP/s"),
        ]
    return tuple(rows)


def _square(scale: Scale, name: str) -> str:
    return f"one {name} product of {scale.matrix_side} x {scale.matrix_side}"


def _covariances(name: str) -> str:
    return f"all covariance products of ResNet-50's body, {name}"


def _square_rate(scale: Scale, precision: str) -> Measure:
    device, side = scale.gpu_training.device, scale.matrix_side
    left, right = (torch.rand(side, side, device=device) for _ in range(2))

    def multiply() -> None:
        with _float32_as(precision):
            torch.mm(left, right)

    seconds = timed(multiply, device)
    return lambda: 2 * side**3 / seconds() / TERA


def _covariance_rate(scale: Scale, tf32: bool) -> Measure:
    training, body = scale.gpu_training, settled_body(scale.body, scale.gpu_training.device)
    images = [
        image.to(training.device)
        for image in random_images(scale.gpu_body_images, training.height, training.width)
    ]
    whole, least = (
        EigenspectrumProbe(
            body,
            images,
            maps=BODY_MAPS,
            layers=layers,
            batch_size=scale.gpu_body_batch,
            shortcuts=False,
            tf32=tf32,
        )
        for layers in ("", r"^layer1\.0\.conv1$")
    )
    operations = 2 * (whole.plan.operations - least.plan.operations) * len(images)
    of_whole, of_least = (timed(probe.accumulate, training.device) for probe in (whole, least))
    return lambda: operations / (of_whole() - of_least()) / TERA


@contextmanager
def _float32_as(precision: str) -> Iterator[None]:
    backend = torch.backends.cuda.matmul
    kept = backend.fp32_precision
    try:
        backend.fp32_precision = precision
        yield
    finally:
        backend.fp32_precision = kept
