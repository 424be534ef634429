"""Which names hold a regular expression that a person wrote, in a time that no expression can stretch.

Python's `re` tries every way in which an expression could fit, holds the interpreter while it does, and cannot be
interrupted: `(a+)+$` takes for ever on a long name. What could take long is therefore tried in a process of its own,
which is ended when its time is up.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache

from backend.errors import InvalidInput

SECONDS = 5.0
"""Starting the process takes a fiftieth of a second; all else is the expression's."""
CHOICES = re.compile(r"[*+?{(|]")
FEW = 2
"""So few repetitions, groups and choices cannot stand within each other: the time grows as a name's length squared."""
_PROGRAM = (
    "import json, re, sys; pattern, names = json.load(sys.stdin); search = re.compile(pattern).search; "
    "json.dump([bool(search(name)) for name in names], sys.stdout)"
)


def holding(pattern: str, names: Sequence[str], what: str) -> list[str]:
    """Return the names that hold the expression, in their order.

    `what` is what the sentence calls the expression, such as `probe.layers`. Raises `InvalidInput` where matching takes
    longer than `SECONDS`.
    """
    if len(CHOICES.findall(pattern)) <= FEW:
        search = re.compile(pattern).search
        return [name for name in names if search(name)]
    found = _apart(pattern, tuple(names))
    if found is None:
        raise InvalidInput(
            f"{what} '{pattern}' takes too long to match; repeat nothing that itself repeats, or name fewer choices"
        )
    return [name for name, holds in zip(names, found, strict=True) if holds]


# The form asks at every change of any field.
@lru_cache(maxsize=64)
def _apart(pattern: str, names: tuple[str, ...]) -> tuple[bool, ...] | None:
    """Match in a process of its own; None where that did not end in time, or not well."""
    command = [sys.executable, "-I", "-S", "-c", _PROGRAM]
    asked = json.dumps([pattern, names])
    try:
        done = subprocess.run(  # noqa: S603 - the program is ours, and what is matched is only read by it
            command, input=asked, capture_output=True, text=True, timeout=SECONDS, check=True
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    return tuple(json.loads(done.stdout))
