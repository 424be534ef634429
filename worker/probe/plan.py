"""Which maps are added up and which are derived from those: made once for a model and a set of images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from torch import nn

from worker.probe import costs
from worker.probe.maps import Kind, MapName, ProbedLayer, Tap
from worker.probe.trace import Node, Nodes


@dataclass(frozen=True, eq=False)
class Chain:
    """How a layer is made from the map that is added up: through the affine modules of `steps`, none for itself."""

    layer: ProbedLayer
    source: Node
    steps: tuple[Node, ...]

    @property
    def modules(self) -> list[nn.Module]:
        """The affine modules in order."""
        return [module for node in self.steps if node.step is not None for module in node.step.modules]


@dataclass(frozen=True)
class PlannedMap:
    """One line of a plan, for people.

    `derived_from` is empty for a map that is added up. `measured` is False for one that is only there to derive
    others from. `matrix` is the side of the matrix whose eigenvalues are taken, `operations` the multiply-adds of
    adding up, an image, and `straightforward` what they would be without a plan; `positions` are those of all images
    together. None where proposals decide.
    """

    name: str
    map: Kind
    width: int
    derived_from: str
    measured: bool
    matrix: int | None
    operations: int | None
    straightforward: int | None
    positions: int | None


@dataclass(frozen=True, eq=False)
class Plan:
    """The `chains` of the layers in their order; `positions` counts those of all images together, map by map."""

    chains: tuple[Chain, ...]
    positions: Mapping[MapName, int | None]
    images: int
    shortcuts: bool

    @cached_property
    def sources(self) -> tuple[Node, ...]:
        """The maps, and inputs of maps, that are added up, in order of execution."""
        return tuple(dict.fromkeys(chain.source for chain in self.chains))

    @cached_property
    def taps(self) -> tuple[Tap, ...]:
        """Where the sources come from."""
        return tuple(dict.fromkeys(node.tap for node in self.sources))

    @cached_property
    def derived(self) -> tuple[Node, ...]:
        """Every map on the way from a source to a layer."""
        return tuple(dict.fromkeys(node for chain in self.chains for node in chain.steps))

    def keeps_positions(self, source: Node) -> bool:
        """Whether a source has fewer positions than channels, so that they are kept instead of a matrix."""
        count = self.positions[source.name]
        return self.shortcuts and count is not None and count <= source.width

    def needs_mean(self, source: Node) -> bool:
        """Whether something derived from a source is shifted."""
        return any(chain.source is source and chain.steps for chain in self.chains)

    @property
    def bytes(self) -> int:
        """Memory of all that is added up: float64 matrices, or float32 positions; whatever the number of images."""
        sizes = []
        for source in self.sources:
            count = self.positions[source.name]
            kept = 4 * (count or 0) if self.keeps_positions(source) else 8 * source.width
            sizes.append(source.width * kept)
        return sum(sizes)

    def lines(self) -> Iterator[PlannedMap]:
        """Yield the plan, map by map, each source that is no layer itself before the first made from it."""
        told = {chain.source.name for chain in self.chains if not chain.steps}
        for chain in self.chains:
            if chain.source.name not in told:
                told.add(chain.source.name)
                yield self._source_line(chain.source)
            yield self._line(chain)

    def _source_line(self, source: Node) -> PlannedMap:
        return PlannedMap(
            name=source.name.name,
            map=source.name.map,
            width=source.width,
            derived_from="",
            measured=False,
            matrix=None,
            operations=self._operations(source.width, source),
            straightforward=0,
            positions=self.positions[source.name],
        )

    def _line(self, chain: Chain) -> PlannedMap:
        layer, source = chain.layer, chain.source
        straight = self._operations(layer.width, source)
        return PlannedMap(
            name=layer.name,
            map=layer.map,
            width=layer.width,
            derived_from=source.name.name if chain.steps else "",
            measured=True,
            matrix=self._matrix(chain),
            operations=0 if chain.steps else straight,
            straightforward=straight,
            positions=self.positions[source.name],
        )

    def _matrix(self, chain: Chain) -> int | None:
        count = self.positions[chain.source.name]
        if count is None:
            return None
        few = count if self.keeps_positions(chain.source) else chain.layer.width
        return min(chain.layer.width, few, chain.source.width + 1 if chain.steps else chain.layer.width)

    def _operations(self, width: int, source: Node) -> int | None:
        """Return the multiply-adds an image of adding up a map of this width at the source's positions."""
        count = self.positions[source.name]
        return None if count is None else costs.products(width, -(-count // self.images))

    @property
    def operations(self) -> int:
        """Multiply-adds of adding up, an image, but for proposals."""
        return sum(self._operations(source.width, source) or 0 for source in self.sources)

    @property
    def straightforward(self) -> int:
        """What `operations` would be if every layer were added up."""
        return sum(line.straightforward or 0 for line in self.lines())


def make_plan(
    nodes: Nodes,
    layers: Sequence[tuple[MapName, ProbedLayer]],
    positions: Mapping[MapName, int | None],
    images: int,
    shortcuts: bool,
) -> Plan:
    """Return the cheapest way to the layers' spectra; without `shortcuts` every layer is added up as it is.

    `positions` counts those of all images together, None where it is not known; `images` is their number.
    """
    wanted = {name for name, _ in layers}
    added = _cheapest(nodes, wanted, positions) if shortcuts else wanted
    chains = tuple(Chain(layer, *_way(nodes[name], added)) for name, layer in layers)
    return Plan(chains, positions, images, shortcuts)


def _way(node: Node, added: set[MapName]) -> tuple[Node, tuple[Node, ...]]:
    """Return the nearest source that is added up, and the nodes from there to the given one."""
    if node.name in added or node.source is None:
        return node, ()
    source, steps = _way(node.source, added)
    return source, (*steps, node)


def _cheapest(nodes: Nodes, wanted: set[MapName], positions: Mapping[MapName, int | None]) -> set[MapName]:
    """Return the nodes to be added up so that every wanted one is, or is derived from one, at the least cost."""
    children: dict[MapName, list[Node]] = {name: [] for name in nodes}
    for node in nodes.values():
        if node.source is not None:
            children[node.source.name].append(node)
    search = _Search(children, wanted, positions)
    return {
        name
        for root in nodes.values()
        if root.source is None
        for name in search.best(root, None, mixes=False)[1]
    }


class _Search:
    """What is affine forms trees, in which a node is added up or derived from the nearest one above that is."""

    def __init__(
        self,
        children: Mapping[MapName, list[Node]],
        wanted: set[MapName],
        positions: Mapping[MapName, int | None],
    ) -> None:
        self._children, self._wanted, self._positions = children, wanted, positions
        self._known: dict[tuple[Node, Node | None], tuple[float, frozenset[MapName]]] = {}

    def best(self, node: Node, above: Node | None, mixes: bool) -> tuple[float, frozenset[MapName]]:
        """Return the least cost of a node's subtree, and what of it is added up, given the source above it.

        `mixes` says whether channels are mixed on the way from there.
        """
        if (node, above) not in self._known:
            self._known[node, above] = self._best(node, above, mixes)
        return self._known[node, above]

    def _best(self, node: Node, above: Node | None, mixes: bool) -> tuple[float, frozenset[MapName]]:
        count = self._positions[node.name]
        wanted = node.name in self._wanted
        cost, added = self._below(node, node, mixes=False)
        own = costs.adding(node.width, count) + cost
        if wanted:
            own += costs.eigenvalues(node.width, count)
        if wanted and above is None:
            return own, added | {node.name}
        cost, below = self._below(node, above, mixes)
        if wanted and above is not None:
            cost += costs.deriving(node.width, above.width, count, mixes)
        return min((own, added | {node.name}), (cost, below), key=lambda one: one[0])

    def _below(self, node: Node, above: Node | None, mixes: bool) -> tuple[float, frozenset[MapName]]:
        results = [self.best(child, above, mixes or child.mixes) for child in self._children[node.name]]
        return sum(cost for cost, _ in results), frozenset().union(*(added for _, added in results))
