"""What no placement costs less than, where no search of the whole could prove it: Lagrangian branch and bound.

The placement is cut into parts (placement_parts.py). At any prices, what the clusters pay for options that cross them
is what those options receive, so the sum of the parts' least costs is never above the least cost of the whole. Prices
come from the relaxation of the whole. Whether an option over many bodies holds a service is decided by branching, so
that every placement is in some leaf; the bound is that of the lowest leaf.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from optimiser.clock import Clock
from optimiser.placement_costs import Ground
from optimiser.placement_model import DIGITS, Cell, Model
from optimiser.placement_options import Firm
from optimiser.placement_parts import Parts
from optimiser.placement_programme import UNIT, build

TREE = 1_000_000  # columns × nodes of all clusters' searches
ROUNDS = 20  # relaxations of a part before its search
LEAF_ROUNDS = 2  # relaxations of the whole after a decision
WHOLE = 1e-6  # a value this near 0 or 1 is decided already
Rented = tuple[int, int, int]  # option, service, cluster


@dataclass(frozen=True)
class Leaf:
    """decided: cell → whether it is chosen. bound: £. relaxed: its relaxation alone, £. value: of the crossing cells
    that it leaves open. prices: £ that a cluster pays for a cell. by_parts: whether the parts have been searched."""

    decided: Mapping[Cell, bool]
    bound: float
    relaxed: float
    value: Mapping[Cell, float]
    prices: Mapping[Rented, float]
    by_parts: bool = False


class Tree:
    """Leaves over a whole model that has been relaxed."""

    def __init__(self, ground: Ground, firm: Firm, model: Model, relaxed: float, parts: Parts):
        self.ground, self.model, self.parts = ground, model, parts
        self.cluster = {c: k for k, part in enumerate(parts.clusters) for c in part.anchors}
        self.crossing = {o for o, _ in parts.rented}
        self.linear = {o: ground.linear(o) for o in self.crossing}
        self.clusters = [Model(build(ground, firm, part)) for part in parts.clusters]
        crossing = [build(ground, firm, part) for part in parts.crossing]
        self.rent = [Model(programme) for programme in crossing if programme.z]
        self.leaves = [self._leaf({}, relaxed, relaxed)]

    @property
    def bound(self) -> float:
        """£: no placement costs less."""
        return min(leaf.bound for leaf in self.leaves)

    @property
    def lowest(self) -> Leaf:
        """The leaf that holds the bound down."""
        return min(self.leaves, key=lambda leaf: (leaf.bound, leaf.relaxed))

    def split(self, leaf: Leaf, clock: Clock) -> bool:
        """Replace a leaf by two; False when nothing is left to decide, or time ended it."""
        reach = [len(option.anchors) for option in self.ground.options]
        undecided = [(reach[o] * min(v, 1 - v), o, s) for (o, s), v in leaf.value.items() if WHOLE < v < 1 - WHOLE]
        if not undecided:
            return False
        _, o, s = max(undecided)
        made = []
        for choice in (False, True):
            decided = {**leaf.decided, (o, s): choice}
            self.model.decide(decided)
            relaxed = self.model.relax(LEAF_ROUNDS, clock, anew=False)
            if clock.over():
                return False
            made.append(self._leaf(decided, max(leaf.bound, relaxed), max(leaf.relaxed, relaxed)))
        self.leaves.remove(leaf)
        self.leaves += [child for child in made if child.bound < np.inf]
        return True

    def _leaf(self, decided: Mapping[Cell, bool], bound: float, relaxed: float) -> Leaf:
        value = {c: v for c, v in self.model.cells().items() if c[0] in self.crossing and c not in decided}
        return Leaf(decided, bound, relaxed, value, self._prices())

    def _prices(self) -> dict[Rented, float]:
        """What the relaxation says that a cell is worth to each cluster, beyond what it costs the cluster itself."""
        prices: dict[Rented, float] = defaultdict(float)
        for dual, (c, cells) in zip(self.model.dual.tolist(), self.model.programme.rows, strict=False):
            if dual:
                for o, s in cells:
                    if o in self.crossing:
                        prices[o, s, self.cluster[c]] += dual * UNIT
        for o, s in self.model.z:
            if o in self.crossing:
                for c, pounds in zip(self.ground.options[o].anchors, self.linear[o][:, s].tolist(), strict=True):
                    prices[o, s, self.cluster[c]] -= pounds
        return {rented: round(p / UNIT, DIGITS) * UNIT for rented, p in prices.items()}  # or rounding would not cancel

    def search_parts(self, leaf: Leaf, near: float, clock: Clock) -> dict[Cell, float]:
        """Search every part at the leaf's prices, to within `near` £ in all, which may raise its bound; a leaf that
        leaves no answer goes. What the parts chose: 0–1 by cell, the mean over the parts that an option concerns."""
        income: dict[Cell, float] = defaultdict(float)
        paid: list[dict[Cell, float]] = [{} for _ in self.clusters]
        for (o, s, k), price in leaf.prices.items():
            income[o, s] -= price
            paid[k][o, s] = price
        near /= len(self.clusters) + len(self.rent)
        chosen: dict[Cell, list[float]] = defaultdict(list)
        rented = [model.programme.part.owned[0] for model in self.rent]
        bills = [*paid, *({c: p for c, p in income.items() if c[0] == o} for o in rented)]
        bound, tree = 0.0, TREE // len(self.clusters)
        for model, prices in zip([*self.clusters, *self.rent], bills, strict=True):
            model.decide(leaf.decided)
            model.charge(prices)
            relaxed = model.relax(ROUNDS, clock)
            bound += max(relaxed, model.search(near, tree, clock))
            for cell, v in model.cells().items():
                chosen[cell].append(v)
        self.leaves.remove(leaf)
        if bound < np.inf:
            self.leaves.append(replace(leaf, bound=max(leaf.bound, bound), by_parts=True))
        return {cell: float(np.mean(values)) for cell, values in chosen.items()}
