"""A run's settings in the groups of its specification, beside their defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backend.runs.specification import RunSpecification
from frontend.form import TITLES
from frontend.settings_table import flat_settings, is_recorded, stated_settings

OWN = ("init.kind",)
"""Settings of which none is the usual one: a run starts from something."""


@dataclass(frozen=True)
class Setting:
    """One setting; `default` is None where there is none to compare it with."""

    name: str
    value: str
    default: str | None

    @property
    def kind(self) -> str:
        """The class of its row: usual where it is as by default, changed, or stated where there is no default."""
        if self.default is None:
            return "stated"
        return "usual" if self.value == self.default else "changed"


@dataclass(frozen=True)
class SettingGroup:
    """The settings of one part of a specification."""

    title: str
    settings: tuple[Setting, ...]


def setting_groups(specification: Mapping[str, Any]) -> list[SettingGroup]:
    """Return all settings of a run by part; of a recorded run what was told, which has no defaults."""
    if is_recorded(specification):
        told = tuple(Setting(name, value, None) for name, value in stated_settings(specification).items())
        return [SettingGroup("As recorded", told)]
    defaults = _defaults(specification)
    groups: dict[str, list[Setting]] = {}
    for path, value in stated_settings(specification).items():
        part, _, name = path.rpartition(".")
        groups.setdefault(part, []).append(Setting(name, value, defaults.get(path)))
    titles = {**TITLES, "init": "First weights"}
    return [SettingGroup(titles.get(part, part), tuple(found)) for part, found in groups.items()]


def _defaults(specification: Mapping[str, Any]) -> dict[str, str]:
    """Return the defaults of a training as long as this one: the warm-up's depends on it."""
    iterations = specification["training"]["iterations"]
    bare = RunSpecification.model_validate({"dataset_id": 1, "training": {"iterations": iterations}})
    flat = flat_settings(bare.model_dump(mode="json"))
    usual = flat_settings({"training": {"iterations": RunSpecification(dataset_id=1).training.iterations}})
    without = {name for name in flat if name == "dataset_id" or name in OWN}
    return {name: value for name, value in (flat | usual).items() if name not in without}
