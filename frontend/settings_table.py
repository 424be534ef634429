"""Specifications as rows, and where two of them part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAMED_AT_MOST = 6
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


def stated_settings(specification: Mapping[str, Any]) -> dict[str, str]:
    """Return what a run's specification says of its training: all but its name and tags.

    A recorded run's own settings stand under their own names, so that one called `training.lr` lines up.
    """
    if is_recorded(specification):
        init = flat_settings({"init": specification["init"]})
        own = {name: _text(value) for name, value in specification["settings"].items()}
        return init | {name: value for name, value in own.items() if name not in init}
    rows = flat_settings(specification)
    return {name: value for name, value in rows.items() if name not in ("name", "tags")}


def is_recorded(specification: Mapping[str, Any]) -> bool:
    """Return whether the specification is a recorded run's: its initialisation and whatever else was told."""
    return "settings" in specification


def compared_settings(specifications: Sequence[Mapping[str, Any]]) -> list[SettingRow]:
    """Return every setting that any of the runs has; a run without it shows a dash."""
    flat = [stated_settings(one) for one in specifications]
    names = list(dict.fromkeys(name for one in flat for name in one))
    return [SettingRow(name, tuple(one.get(name, "–") for one in flat)) for name in names]


def comparison_warning(specifications: Sequence[Mapping[str, Any]]) -> str | None:
    """Return one sentence naming what besides the initialisation parts the runs, as far as they say."""
    names = list(dict.fromkeys(parting(specifications)))
    if not names:
        return None
    if len(names) > NAMED_AT_MOST:
        names = [*names[: NAMED_AT_MOST - 1], f"{len(names) - NAMED_AT_MOST + 1} more settings"]
    words = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"These runs also differ in {words}: what parts them is not the initialisation alone."


def parting(specifications: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what runs that state a setting state differently: the decisive ones, and all that are a recorder's own."""
    flat = [stated_settings(one) for one in specifications]
    recorded = [one for one, source in zip(flat, specifications, strict=True) if is_recorded(source)]
    for name in dict.fromkeys(name for one in flat for name in one if not name.startswith("init.")):
        if name in DECISIVE and _disagree(flat, name):
            yield DECISIVE[name]
        elif name not in DECISIVE and _disagree(recorded, name):
            yield name


def _disagree(settings: Sequence[Mapping[str, str]], name: str) -> bool:
    return len({one[name] for one in settings if name in one}) > 1


def recorded_warning(runs: Sequence[tuple[str, Mapping[str, Any]]]) -> str | None:
    """Return one sentence where some of the runs, (name, specification) each, are recorded from outside."""
    names = [name for name, specification in runs if is_recorded(specification)]
    if not names:
        return None
    which = "These runs are" if len(names) == len(runs) > 1 else f"{len(names)} of these runs are"
    which = f"{names[0]} is" if len(names) == 1 else which
    return (
        f"{which} recorded from outside: only the settings that were told are compared, and norm, data or schedule "
        "may differ unseen."
    )


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
