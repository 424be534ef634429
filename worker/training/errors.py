"""Why a training ends before its last iteration, told in one sentence."""

from __future__ import annotations

from backend.errors import EigenscopeError


class TrainingFailed(EigenscopeError):
    """The training itself went wrong; the sentence says what to change in its specification."""

    type = "training_failed"
