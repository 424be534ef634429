"""How well the probe uses a card: its products against the card's matrix rate, its eigenvalues against the CPU's."""

from __future__ import annotations

from benchmarks.decomposition import decomposition_rows
from benchmarks.products import product_rows
from benchmarks.rows import Part, Row, missing
from benchmarks.scale import Scale


def measure(scale: Scale) -> Part:
    """Measure on the GPU, or return empty rows where there is none."""
    training = scale.gpu_training
    configuration = (
        f"Covariance products of all maps of ResNet-50's body, {scale.gpu_body_images} images of {training.height} x "
        f"{training.width}, without shortcuts; eigenvalues in float64."
    )
    rows = (*product_rows(scale), *decomposition_rows(scale)) if scale.has_gpu else _empty(scale)
    return Part("What a card does", configuration, rows)


def _empty(scale: Scale) -> tuple[Row, ...]:
    eigenvalues = [missing(f"eigenvalues of {width} channels on the GPU") for width in scale.decompositions]
    return (missing("all covariance products of ResNet-50's body", "TFLOP/s"), *eigenvalues)
