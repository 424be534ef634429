"""What runs were told to do, flat, and in what besides their initialisation they part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

NOTHING = "–"

DECISIVE = {
    "dataset_id": "data",
    "model.architecture": "architecture",
    "model.backbone": "backbone",
    "model.norm": "norm",
    "model.stride_in_1x1": "stride",
    "model.widths": "widths",
    "training.trainable_stages": "trainable stages",
    "training.seed": "seed",
    "training.iterations": "schedule",
    "training.batch_size": "schedule",
    "training.lr": "schedule",
    "training.momentum": "schedule",
    "training.weight_decay": "schedule",
    "training.warmup": "schedule",
    "training.milestones": "schedule",
    "training.image_size": "image size",
    "training.image_size_min": "image size",
    "training.flip": "data order",
    "training.group_by_aspect": "data order",
    "probe.images": "probe set",
    "probe.batch_statistics": "probe statistics",
    "probe.tf32": "probe precision",
}
"""Settings that a comparison of initialisations should share, by what a warning calls them."""


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


def parting(specifications: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return by what a warning calls it the settings that runs state differently, beside their initialisation.

    Of launched runs the decisive ones, of recorded runs all that they told: what they are is not known. A setting that
    a run does not state differs from nothing.
    """
    flat = [stated_settings(one) for one in specifications]
    recorded = [one for one, source in zip(flat, specifications, strict=True) if is_recorded(source)]
    found: dict[str, list[str]] = {}
    for called, name in _parting(flat, recorded):
        found.setdefault(called, []).append(name)
    return found


def _parting(
    flat: Sequence[Mapping[str, str]], recorded: Sequence[Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    for name in dict.fromkeys(name for one in flat for name in one if not name.startswith("init.")):
        if name in DECISIVE and _disagree(flat, name):
            yield DECISIVE[name], name
        elif name not in DECISIVE and _disagree(recorded, name):
            yield name, name


def _disagree(settings: Sequence[Mapping[str, str]], name: str) -> bool:
    return len({one[name] for one in settings if name in one}) > 1


def _text(value: Any) -> str:
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(inner) for inner in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
