"""Random regions of a few practices with rules and rates at several scales, and every nested structure they allow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise, product
from types import MappingProxyType

import numpy as np

from optimiser.domain import Dataset, Relationship
from optimiser.partition.problem import PartitionProblem
from optimiser.scenario import Scenario, load_scenario
from optimiser.units import scale_problem
from tests import oracle, tiny

SIZES = {"locality": (10_000, 60_000), "consortium": (20_000, 150_000), "alliance": (40_000, 400_000)}
Membership = Mapping[str, np.ndarray]


def random_region(seed: int, practices: int, large: bool = False) -> Dataset:
    """Practices scattered over 30 km, two councils and two bodies of today; each touches its nearest, and all are
    joined from west to east. large: the fourth has more patients than any body may have."""
    rng = np.random.default_rng(seed)
    xy = rng.random((practices, 2)) * 30_000
    made = [
        tiny.practice(
            i,
            500_000 if large and i == 3 else int(rng.integers(10_000, 30_000)),
            "U1" if x < 15_000 else "U2",
            deprivation=float(rng.uniform(5, 50)),
            pct_65plus=float(rng.uniform(8, 30)),
            existing={"consortium": str(rng.choice(["E", "F"]))},
        )
        for i, (x, _) in enumerate(xy)
    ]
    km = np.hypot(*np.moveaxis(xy[:, None] - xy[None], -1, 0))
    near = {tuple(sorted((i, int(np.argsort(km[i])[1])))) for i in range(practices)}
    along = {tuple(sorted(map(int, pair))) for pair in pairwise(np.argsort(xy[:, 0]))}
    placed = [replace(p, easting=x, northing=y) for p, (x, y) in zip(made, xy.tolist(), strict=True)]
    told = (Relationship("P00", "P01", float(rng.uniform(-1, 1)), False),)
    adjacency = np.array(sorted(near | along), dtype=np.int32)
    return replace(tiny.dataset(placed, ()), adjacency=adjacency, relationships=told)


def random_rules(
    seed: int, scales: tuple[str, ...], pins: bool = False, more: Mapping[str, object] = MappingProxyType({})
) -> Scenario:
    """Sizes that allow several structures, and rates that pull the scales apart. more: rules that take their place."""
    rng = np.random.default_rng((seed, 1))
    rules: dict[str, object] = {"scales_used": list(scales)}
    for scale in scales:
        low, high = SIZES[scale]
        rules |= {f"scale.{scale}.min_patients": low, f"scale.{scale}.max_patients": high}
    touch = bool(rng.random() < 0.6)
    rules |= {"scale.consortium.contiguous": touch, "scale.alliance.contiguous": touch}
    rules |= {"scale.locality.contiguous": touch and bool(rng.random() < 0.5), "scale.locality.reach_km": 20.0}
    rules["scale.alliance.min_members"] = int(rng.integers(1, 3))
    for force, most in (("authority", 20.0), ("distance", 1.5), ("continuity", 8.0)):
        rules[f"rates.{force}.value"] = {s: float(rng.uniform(0, most)) for s in scales}
    rules["rates.management.value"] = {s: float(rng.uniform(0, 300_000)) for s in scales}
    rules["rates.coordination.value"] = {"alliance": float(rng.uniform(0, 40))}
    if pins:
        a, b, c, d = (f"P{i:02d}" for i in rng.permutation(6)[:4])
        scale = scales[int(rng.integers(len(scales)))]
        kind = str(rng.choice(["together", "apart", "frozen"]))
        rules["pins"] = [
            {"kind": kind, "scale": scale, "practices": [a, b]},
            {"kind": "apart", "scale": scales[0], "practices": [c, d]},
        ]
        if rng.random() < 0.3:
            rules["scale.locality.authority_rule"] = "inside_one"
    return load_scenario("base", {**rules, **more})


def total(dataset: Dataset, scenario: Scenario, membership: Membership) -> float:
    """£ a year of all scales, priced by the oracle."""
    found = 0.0
    for name in scenario.scales_used:
        free = scale_problem(dataset, scenario, scenario.scale(name))
        found += oracle.cost(free.problem, oracle.as_bodies(membership[name][free.first]))
    return found


class Every:
    """All valid partitions of every scale, which nest in which, and the cheapest structure.

    members: whether larger scales must hold their least number of smaller bodies.
    """

    def __init__(self, dataset: Dataset, scenario: Scenario, members: bool = True):
        self.scenario, self.scales = scenario, scenario.scales_used
        self.cost, self.of, self.fits = {}, {}, {}
        for name in self.scales:
            free = scale_problem(dataset, scenario, scenario.scale(name))
            self.of[name], self.cost[name] = _valid(free.problem, free.unit)
        for name in self.scales[1:]:
            below = scenario.below(name)
            few = scenario.members_asked(name) if members else 1
            self.fits[name] = np.array(
                [[_nests(small, large, few) for small in self.of[below]] for large in self.of[name]], dtype=bool
            ).reshape(len(self.of[name]), len(self.of[below]))

    def structures(self) -> Iterator[tuple[float, dict[str, np.ndarray]]]:
        """(£ a year, membership by scale) of every nested structure."""
        for picks in product(*(range(len(self.of[name])) for name in self.scales)):
            at = dict(zip(self.scales, picks, strict=True))
            if all(self.fits[name][at[name], at[self.scenario.below(name)]] for name in self.scales[1:]):
                yield (
                    sum(self.cost[name][k] for name, k in at.items()),
                    {name: self.of[name][k] for name, k in at.items()},
                )

    @property
    def least(self) -> tuple[float, dict[str, np.ndarray]]:
        """(£ a year, membership) of the cheapest structure; (inf, {}) where none nests."""
        best = {name: cost.copy() for name, cost in self.cost.items()}  # with all that is built over it
        choice: dict[str, np.ndarray] = {}
        for name in reversed(self.scales[1:]):
            worth = np.where(self.fits[name], best[name][:, None], np.inf)
            choice[name] = worth.argmin(axis=0) if len(worth) else np.zeros(worth.shape[1], int)
            best[self.scenario.below(name)] += worth.min(axis=0, initial=np.inf)
        first = self.scales[0]
        if not len(best[first]) or not np.isfinite(best[first].min()):
            return math.inf, {}
        at = {first: int(best[first].argmin())}
        for name in self.scales[1:]:
            at[name] = int(choice[name][at[self.scenario.below(name)]])
        return float(best[first].min()), {name: self.of[name][k] for name, k in at.items()}

    def some(self, rng: np.random.Generator) -> dict[str, np.ndarray] | None:
        """A nested structure drawn at random; None where none was met."""
        for _ in range(200):
            at = {self.scales[0]: int(rng.integers(max(1, len(self.of[self.scales[0]]))))}
            for name in self.scales[1:]:
                over = np.flatnonzero(self.fits[name][:, at[self.scenario.below(name)]]) if self.fits[name].size else []
                if not len(over):
                    break
                at[name] = int(rng.choice(over))
            else:
                return {name: self.of[name][k] for name, k in at.items()} if len(self.of[self.scales[0]]) else None
        return None


def _valid(problem: PartitionProblem, unit: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
    """Every valid partition as body numbers by practice, and its £ a year."""
    priced = {body: oracle.body_cost(problem, body) for body in oracle.allowed_bodies(problem)}
    found, costs = [], []
    for partition in oracle.partitions(tuple(range(problem.units)), set(priced)):
        if oracle.count_allowed(problem, len(partition)):
            of = np.zeros(problem.units, np.int32)
            for b, body in enumerate(partition):
                of[list(body)] = b
            found.append(of[unit])
            costs.append(sum(priced[body] for body in partition) + oracle.split_cost(problem, partition))
    return found, np.array(costs)


def _nests(small: np.ndarray, large: np.ndarray, few: int) -> bool:
    """Every smaller body lies in one larger, and each of these holds enough of them."""
    homes: dict[int, int] = {}
    if any(homes.setdefault(int(s), int(b)) != b for s, b in zip(small, large, strict=True)):
        return False
    return all(list(homes.values()).count(b) >= few for b in set(homes.values()))
