"""Why a measurement ends without a result."""

from __future__ import annotations

from backend.errors import EigenscopeError


class NonFiniteSpectrum(EigenscopeError):
    """A map holds NaN or infinity, so that its covariance has no spectrum; `layer` names the first one."""

    type = "non_finite_spectrum"

    def __init__(self, layer: str) -> None:
        super().__init__(
            f"the feature map of layer '{layer}' holds NaN or infinity; lower training.lr, lengthen training.warmup "
            "or set training.clip_norm, and where nothing was trained yet look at the images"
        )
        self.layer = layer


class ProbeOutOfMemory(EigenscopeError):
    """The GPU has no room for one image and the matrices."""

    type = "probe_out_of_memory"


class ProbeStopped(Exception):
    """The probe was asked to stop and has measured nothing."""
