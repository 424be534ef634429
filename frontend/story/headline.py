"""The comparison in one line, and what the paper found."""

from __future__ import annotations

from backend.comparison.schemas import Comparison, Spectra
from frontend.story.accuracy import alike
from frontend.story.words import opening

UNLIKE = 0.05
"""Spectra whose layers are on average at least 5 points apart are called unlike."""


def headline(comparison: Comparison) -> str:
    """Say whether accuracy and spectra are alike."""
    accuracy, spectra = alike(comparison), comparison.spectra
    parts = []
    if accuracy is not None:
        parts.append("accuracy is alike" if accuracy else "accuracy differs")
    if spectra is not None:
        parts.append(f"spectra {_spectra(spectra)}")
    return opening("; ".join(parts)) if parts else "Nothing to compare yet"


def _spectra(spectra: Spectra) -> str:
    if spectra.apart_most < UNLIKE:
        return "are alike throughout"
    if spectra.apart_at_end >= UNLIKE:
        return "differ"
    return "differ at first, not at the end" if spectra.apart_at_start >= UNLIKE else "differ on the way only"


def verdict(comparison: Comparison) -> str:
    """Say what the paper found of such a pair; empty where its runs were of another kind."""
    accuracy, spectra = alike(comparison), comparison.spectra
    roles = (comparison.first.role, comparison.second.role)
    if roles != ("pre-trained", "scratch"):
        return "The paper compares a pre-trained run with one from scratch; this pair is of another kind."
    if (
        accuracy is None
        or spectra is None
        or comparison.accuracy is None
        or comparison.accuracy.measure != "ap"
    ):
        return ""
    differ = spectra.apart_most >= UNLIKE
    if accuracy and differ:
        return "So it was in the paper."
    if accuracy:
        return "In the paper accuracy was alike too, but spectra differed."
    if differ:
        return "In the paper spectra differed too, but accuracy was alike."
    return "The opposite of the paper: there accuracy was alike and spectra differed."
