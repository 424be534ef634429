"""Which maps of a model are measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from backend.errors import InvalidInput
from backend.runs.patterns import holding
from worker.probe.maps import KINDS, Kind, MapName, ProbedLayer


def selected(
    widths: Mapping[MapName, int], maps: Sequence[Kind], layers: str
) -> list[tuple[MapName, ProbedLayer]]:
    """Return the maps of the given kinds whose names hold the expression, counted in order of execution.

    Raises `InvalidInput` for a kind that there is not, an expression that is none, or if nothing is selected.
    """
    if isinstance(maps, str) or not maps:
        raise InvalidInput(f"probe.maps must name kinds of map, such as ('act', 'block'), and is {maps!r}")
    if not isinstance(layers, str):
        raise InvalidInput(f"probe.layers must be a regular expression such as 'layer[34]', not {layers!r}")
    unknown = [kind for kind in maps if kind not in KINDS]
    if unknown:
        raise InvalidInput(f"there is no kind of map '{unknown[0]}'; take some of {', '.join(KINDS)}")
    try:
        re.compile(layers)
    except (re.error, OverflowError, RecursionError) as error:
        raise InvalidInput(f"probe.layers '{layers}' is no regular expression ({error})") from None
    named = frozenset(holding(layers, [name.name for name in widths], "probe.layers"))
    chosen = [name for name in widths if name.map in maps and name.name in named]
    if not chosen:
        raise InvalidInput(
            f"probe.maps {', '.join(maps)} and probe.layers '{layers}' select none of the model's {len(widths)} maps; "
            f"it has {', '.join(dict.fromkeys(name.map for name in widths))}"
        )
    return [
        (name, ProbedLayer(name.name, name.map, name.stage, widths[name], order))
        for order, name in enumerate(chosen)
    ]
