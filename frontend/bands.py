"""Which runs are drawn as one line with a band: those that share a tag, as seeds of one experiment do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

BY_TAGS = "tags"
"""In place of a tag: every run goes with those that share the first of its tags that tells runs apart."""


def bands(tags: Mapping[int, Sequence[str]], chosen: str) -> dict[str, tuple[int, ...]]:
    """Return the runs of each band by its tag, at least two in each and each run in one at most.

    `tags` holds every run's, in the order in which the runs are drawn; `chosen` is a tag, `BY_TAGS`, or empty
    for none. A tag that all runs have parts nothing: under `BY_TAGS` it counts only where no other tag does.
    """
    if not chosen:
        return {}
    usable = shared_tags(tags)
    if chosen != BY_TAGS:
        usable = [tag for tag in usable if tag == chosen]
    elif any(_parts(tags, tag) for tag in usable):
        usable = [tag for tag in usable if _parts(tags, tag)]
    found: dict[str, list[int]] = {}
    for run, own in tags.items():
        tag = next((tag for tag in own if tag in usable), None)
        if tag is not None:
            found.setdefault(tag, []).append(run)
    return {tag: tuple(runs) for tag, runs in found.items() if len(runs) > 1}


def shared_tags(tags: Mapping[int, Sequence[str]]) -> list[str]:
    """Return the tags that at least two of the runs have."""
    every = dict.fromkeys(tag for own in tags.values() for tag in own)
    return [tag for tag in every if sum(tag in own for own in tags.values()) > 1]


def _parts(tags: Mapping[int, Sequence[str]], tag: str) -> bool:
    return not all(tag in own for own in tags.values())
