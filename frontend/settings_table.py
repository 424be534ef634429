"""Specifications as rows, and where two of them part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DECISIVE = {
    "model.architecture": "architecture",
    "model.backbone": "backbone",
    "model.norm": "norm",
    "model.widths": "widths",
    "training.trainable_stages": "trainable stages",
    "training.seed": "seed",
    "training.iterations": "schedule",
    "training.batch_size": "schedule",
    "training.lr": "schedule",
    "training.warmup": "schedule",
    "training.milestones": "schedule",
    "training.image_size": "image size",
    "dataset_id": "data",
}
"""Settings that a comparison of initialisations should share, by what they are called in the warning."""


@dataclass(frozen=True)
class SettingRow:
    """One setting of several runs."""

    name: str
    settings: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether the runs do not agree."""
        return len(set(self.settings)) > 1


def flat_settings(specification: Mapping[str, Any]) -> dict[str, str]:
    """Return a specification as `training.lr` → `0.01`, in its own order."""
    rows: dict[str, str] = {}
    for name, value in specification.items():
        if isinstance(value, Mapping) and name != "widths":
            rows |= {f"{name}.{inner}": text for inner, text in flat_settings(value).items()}
        else:
            rows[name] = _text(value)
    return rows


def compared_settings(specifications: Sequence[Mapping[str, Any]]) -> list[SettingRow]:
    """Return every setting that any of the runs has; a run without it shows a dash."""
    flat = [flat_settings(one) for one in specifications]
    names = list(dict.fromkeys(name for one in flat for name in one if name not in ("name", "tags")))
    return [SettingRow(name, tuple(one.get(name, "–") for one in flat)) for name in names]


def comparison_warning(specifications: Sequence[Mapping[str, Any]]) -> str | None:
    """Return one sentence naming what besides the initialisation parts the runs."""
    found = [
        DECISIVE[row.name]
        for row in compared_settings(specifications)
        if row.differs and row.name in DECISIVE
    ]
    if not found:
        return None
    names = list(dict.fromkeys(found))
    words = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"These runs also differ in {words}: what parts them is not the initialisation alone."


def _text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(inner) for inner in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
