"""A file's tensors under the common names, beside the network's: what the matching rule compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.architectures.tensors import BODY, Shape
from backend.errors import InvalidInput
from backend.weights.contents import FLOATS, TensorEntry
from backend.weights.names import common_names, naming_of
from backend.weights.namings import torchvision
from backend.weights.plan import COUNTER
from backend.weights.reading import shown_names


@dataclass(frozen=True, slots=True)
class Offer:
    """Both sides by common name: the file's own keys and tensors, and the network's keys and shapes."""

    name: str
    naming: str
    sources: Mapping[str, str]
    entries: Mapping[str, TensorEntry]
    keys: Mapping[str, str]
    shapes: Mapping[str, Shape]

    def shown(self, common: str) -> str:
        """Return how a message names a tensor of the network: a residual network's without the prefix."""
        return self.keys[common].removeprefix(BODY)


def offer(name: str, file: Mapping[str, TensorEntry], network: Mapping[str, Shape]) -> Offer:
    """Bring a file's tensors and a network's shapes under common names.

    Raises `InvalidInput` where the file's names are of no known kind, two of them mean the same tensor, or what is
    taken are no floats.
    """
    shown = shown_names(list(file))
    naming = naming_of(set(shown.values()), name)
    common = common_names(shown.values(), naming)
    sources: dict[str, str] = {}
    for key, without_prefix in shown.items():
        meant = common[without_prefix]
        if meant in sources:
            raise InvalidInput(
                f"{name} holds '{sources[meant]}' and '{key}', which mean the same tensor; keep one"
            )
        sources[meant] = key
    keys = {meant: key for key, meant in common_names(network, torchvision.NAME).items()}
    for meant in keys.keys() & sources.keys():
        _demand_floats(name, sources[meant], file[sources[meant]].dtype)
    return Offer(
        name=name,
        naming=naming,
        sources=sources,
        entries={meant: file[key] for meant, key in sources.items()},
        keys=keys,
        shapes={meant: network[key] for meant, key in keys.items()},
    )


def _demand_floats(name: str, key: str, dtype: str) -> None:
    if dtype not in FLOATS and not key.endswith(COUNTER):
        raise InvalidInput(f"{name} holds '{key}' as {dtype}; save it as float32 or float16")
