"""Settings of several runs side by side, by part, and the warning where runs part in more than they should."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backend.comparison.settings import (
    DECISIVE,
    NOTHING,
    flat_settings,
    is_recorded,
    parting,
    stated_settings,
)
from backend.runs.specification import RunSpecification
from frontend.cautions import Caution

__all__ = ["DECISIVE", "flat_settings", "is_recorded", "parting", "stated_settings"]

NAMED_AT_MOST = 6
UNTOLD = "not told"
"""What stands where a recorded run did not say: who knows what it was."""

GROUPS = {
    "dataset_id": "Data",
    "init": "Initialisation",
    "model": "Model",
    "training": "Training",
    "probe": "Probe",
    "resources": "Resources",
}
RUNNING = "Evaluation and checkpoints"
OWN = "Told by the recorder"


@dataclass(frozen=True)
class SettingRow:
    """One setting of several runs, in their order."""

    name: str
    settings: tuple[str, ...]

    @property
    def label(self) -> str:
        """What it is called below the title of its part."""
        part, _, own = self.name.partition(".")
        return own if own and part in GROUPS else self.name

    @property
    def told(self) -> list[str]:
        """What the runs that say say."""
        return [one for one in self.settings if one != UNTOLD]

    @property
    def differs(self) -> bool:
        """Whether runs say different things; what was not told differs from nothing."""
        return len(set(self.told)) > 1

    @property
    def state(self) -> str:
        """Whether the row `differs`, is the `same`, or is `partial`: told by some of the runs only."""
        return "differs" if self.differs else "same" if len(self.told) == len(self.settings) else "partial"

    @property
    def decisive(self) -> bool:
        """Whether runs that are compared by their initialisation should share it."""
        return self.name in DECISIVE

    @property
    def cells(self) -> list[tuple[str, bool]]:
        """Each run's text, and whether it differs from the first that is told."""
        return [(text, text != UNTOLD and text != self.told[0]) for text in self.settings]


@dataclass(frozen=True)
class SettingGroup:
    """A part of the specification."""

    title: str
    rows: tuple[SettingRow, ...]

    @property
    def differs(self) -> bool:
        """Whether one of its settings does."""
        return any(row.differs for row in self.rows)


def compared_settings(
    specifications: Sequence[Mapping[str, Any]], datasets: Mapping[str, str] | None = None
) -> list[SettingRow]:
    """Return every setting that any of the runs has.

    A launched run that lacks it shows a dash, as the setting is not its; a recorded one that it was not told.
    `datasets` names datasets by their id as text.
    """
    flat = [stated_settings(one) for one in specifications]
    missing = [UNTOLD if is_recorded(one) else NOTHING for one in specifications]
    names = list(dict.fromkeys(name for one in flat for name in one))
    rows = []
    for name in names:
        texts = [one.get(name, nothing) for one, nothing in zip(flat, missing, strict=True)]
        if name == "dataset_id":
            texts = [
                f"{datasets[text]} ({text})" if datasets and text in datasets else text for text in texts
            ]
        rows.append(SettingRow(name, tuple(texts)))
    return rows


def by_part(rows: Iterable[SettingRow]) -> list[SettingGroup]:
    """Return the rows in groups: the specification's parts in its order, then what recorders told."""
    found: dict[str, list[SettingRow]] = {title: [] for title in (*GROUPS.values(), RUNNING, OWN)}
    for row in rows:
        part = row.name.partition(".")[0]
        own = OWN if part not in RunSpecification.model_fields else RUNNING
        found[GROUPS.get(part, own)].append(row)
    return [SettingGroup(title, tuple(its)) for title, its in found.items() if its]


def counted_words(rows: Sequence[SettingRow]) -> str:
    """Say how many settings differ, are the same, or are told by some of the runs only."""
    states = [row.state for row in rows]
    differing = states.count("differs")
    words = [f"{differing} differ{'s' if differing == 1 else ''}", f"{states.count('same')} the same"]
    if "partial" in states:
        words.append(f"{states.count('partial')} told by some of the runs only")
    return ", ".join(words)


def comparison_warning(specifications: Sequence[Mapping[str, Any]]) -> str | None:
    """Return one sentence naming what besides the initialisation parts the runs, as far as they say."""
    names = list(parting(specifications))
    if not names:
        return None
    if len(names) > NAMED_AT_MOST:
        names = [*names[: NAMED_AT_MOST - 1], f"{len(names) - NAMED_AT_MOST + 1} more settings"]
    words = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"These runs also differ in {words}: what parts them is not the initialisation alone."


def comparison_caution(specifications: Sequence[Mapping[str, Any]]) -> Caution | None:
    """Return the warning with what each of the runs has there."""
    sentence = comparison_warning(specifications)
    if sentence is None:
        return None
    rows = {row.name: row.settings for row in compared_settings(specifications)}
    names = [name for its in parting(specifications).values() for name in its]
    return Caution(sentence, tuple(f"{name}: {' · '.join(rows[name])}" for name in names))


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
