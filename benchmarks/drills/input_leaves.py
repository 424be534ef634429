"""Values that belong nowhere, and the places of a body where each may be put."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Place = tuple[Any, ...]

LEAVES: tuple[Any, ...] = (
    *(None, True, 0, -1, 0.5, 2**31 - 1, 2**31, 2**63, 2**64, 10**400, -(10**400), 1e308, 1e-320),
    *(
        float("nan"),
        float("inf"),
        float("-inf"),
        "",
        " ",
        "\0",
        "a\0b",
        "\ud800",
        "🦊",
        "\u202e",
        "a" * 10_000,
    ),
    *(
        "1",
        "nan",
        "1e400",
        [],
        {},
        [[]],
        [None],
        {"": None},
        {"\0": 1},
        {"\ud800": 1},
        [1] * 5000,
        ["a"] * 5000,
    ),
    *(
        "(a+)+$",
        ".*" * 60 + "x",
        "a{99999999999}",
        "(",
        "../../etc/passwd",
        "/etc/passwd",
        "\r\n",
        "=cmd()",
        {"kind": 1},
    ),
)


def with_leaf(valid: Any, leaf: Any) -> Iterator[Any]:
    """Yield copies of a body, each with another of its places holding `leaf`."""
    for place in places(valid):
        yield changed(valid, place, leaf)


def changed(valid: Any, place: Place, leaf: Any) -> Any:
    """Return a copy of a body with one place holding `leaf`."""
    copied = copy.deepcopy(valid)
    *parents, last = place
    part = copied
    for step in parents:
        part = part[step]
    part[last] = leaf
    return copied


def places(value: Any) -> Iterator[Place]:
    """Yield the way to every value within a body, parts before what they hold."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield (step,)
        yield from ((step, *place) for place in places(inner))
