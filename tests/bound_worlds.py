"""What the tests of the bound share: random worlds of every mixture of rules, and bodies priced by trying every set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from optimiser.partition.bound import pricing, starting_multipliers
from optimiser.partition.knapsack import Tables
from optimiser.partition.lines import Line
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.state import flatten
from optimiser.partition.triples import NONE, Triples
from tests import oracle
from tests.partition_worlds import every_mixture, random_problem

EACH = 8  # worlds of every mixture of rules
WORLDS = list(every_mixture(EACH))
INF = np.inf


@dataclass(frozen=True)
class World:
    """problem: all rules. core: without the units that stand alone, which cost `fixed`. best: body by unit of the core
    in the oracle's partition, whose cost is `least` (inf and None where there is none). tables: of the core's pricing.
    """

    problem: PartitionProblem
    core: PartitionProblem
    fixed: float
    least: float
    best: NDArray[np.int32] | None
    tables: Tables


@cache
def world(k: int) -> World | None:
    """The k-th world; None where every unit stands alone."""
    seed, rules = WORLDS[k]
    problem = random_problem(seed, **rules)
    core, fixed, restore = set_aside(problem)
    if core is None:
        return None
    least, answer = oracle.best(problem)
    best = None
    if answer is not None:
        best = np.empty(problem.units, dtype=np.int32)
        for b, members in enumerate(answer):
            best[list(members)] = b
        best = np.unique(best[restore.kept], return_inverse=True)[1].astype(np.int32)
    return World(problem, core, fixed, least, best, tables_of(core))


def worlds(first: int = 0, every: int = 1) -> Iterator[tuple[int, World]]:
    """(k, world) of those with something to decide."""
    for k in range(first, len(WORLDS), every):
        if (found := world(k)) is not None:
            yield k, found


def tables_of(core: PartitionProblem) -> Tables:
    """As the engine makes them."""
    return pricing(core, flatten(core).curve)


def some_multipliers(
    core: PartitionProblem, best: NDArray[np.int32] | None, rng: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Fair shares of the best partition's cost, the same with noise, and wild ones."""
    fair = core.weights * core.cheapest_per_head() * 1.1
    fair = np.append(fair, rng.uniform(0, 0.5, core.kept_labels) * whole(core))
    if best is not None:
        fair = starting_multipliers(core, best)
    typical = float(np.abs(fair[: core.units]).mean())
    yield fair
    yield fair + rng.normal(0, 0.4 * typical, core.multipliers)
    yield rng.normal(0, 3 * typical, core.multipliers)


def whole(core: PartitionProblem) -> NDArray[np.float64]:
    """By label whose split is charged, £ a year were nobody to keep it."""
    return core.splits.rate * core.splits.patients.sum(axis=0) if core.kept_labels else np.empty(0)


def spared(core: PartitionProblem, sets: NDArray[np.bool_], pi) -> NDArray[np.float64]:
    """By set (a row of flags by unit each), £ ≤ 0 for the labels it is worth keeping at their multipliers."""
    if not core.kept_labels:
        return np.zeros(len(sets))
    outside = whole(core) - core.splits.rate * (sets @ core.splits.patients)
    return np.minimum(0.0, outside - np.minimum(np.asarray(pi)[core.units :], whole(core))).sum(axis=1)


def some_triples(core: PartitionProblem, rng: np.random.Generator, dearest: float) -> Triples:
    """A few triples of any units, those without patients among them, with charges, the first of which is nothing."""
    every = np.array(list(combinations(range(core.units), 3)), dtype=np.int64).reshape(-1, 3)
    chosen = every[np.sort(rng.permutation(len(every))[: int(rng.integers(1, 9))])]
    charge = rng.uniform(0, dearest, len(chosen))
    charge[:1] = 0.0
    return Triples(chosen, charge)


def value_of(core: PartitionProblem, centre: int, body, pi) -> float:
    """Σ (c − π) + g, £ a year, less what the body is spared; inf where the centre may not have it."""
    members = [int(i) for i in body]
    flags = np.isin(np.arange(core.units), members)[None]
    patients = sum(int(core.weights[i]) for i in members)
    if int(core.owner[centre]) not in members or not core.lo <= patients <= core.hi:
        return INF
    linear = sum(float(core.costs[i, centre]) - float(pi[i]) for i in members)
    return linear + float(core.curve(np.array([float(patients)]))[0]) + float(spared(core, flags, pi)[0])


def least_by_trying(core: PartitionProblem, pi, touching: bool = False, triples: Triples = NONE) -> NDArray[np.float64]:
    """r of every centre by its definition: every set of units within reach, in whole patients, triples charged;
    touching: every set in one piece."""
    sets = (np.arange(1, 2**core.units)[:, None] >> np.arange(core.units) & 1) > 0
    patients = sets @ core.weights
    sets = sets[(patients >= core.lo) & (patients <= core.hi)]
    if touching:
        sets = sets[in_one_piece(core, sets)]
    if not len(sets):
        return np.full(len(core.owner), INF)
    extra = core.curve((sets @ core.weights).astype(float))
    extra = extra + (sets[:, triples.units].sum(axis=2) >= 2) @ triples.charge + spared(core, sets, pi)
    beyond = ~np.isfinite(core.costs)
    value = sets @ (np.where(beyond, 0.0, core.costs) - np.asarray(pi)[: core.units, None]) + extra[:, None]
    value[(sets @ beyond) | ~sets[:, core.owner]] = INF
    return value.min(axis=0)


def in_one_piece(core: PartitionProblem, sets: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which sets (a row of flags by unit each) are joined through their own units."""
    touch = np.zeros((core.units, core.units), dtype=bool)
    touch[core.edges[:, 0], core.edges[:, 1]] = touch[core.edges[:, 1], core.edges[:, 0]] = True
    reached = np.zeros_like(sets)
    reached[np.arange(len(sets)), sets.argmax(axis=1)] = True
    for _ in range(core.units):
        reached |= (reached @ touch) & sets
    return (reached == sets).all(axis=1)


def highest_bound(core: PartitionProblem, touching: bool = False) -> float:
    """max over π of LB(π): the linear programme over every body, or every one in one piece, with its best centre and
    every choice of labels that it keeps."""
    sets = (np.arange(1, 2**core.units)[:, None] >> np.arange(core.units) & 1) > 0
    bodies = [np.flatnonzero(s) for s in (sets[in_one_piece(core, sets)] if touching else sets)]
    nothing = np.append(np.zeros(core.units), -whole(core))
    priced = [(min(value_of(core, j, b, nothing) for j in np.flatnonzero(np.isin(core.owner, b))), b) for b in bodies]
    cost, kept = zip(*((c, b) for c, b in priced if np.isfinite(c)), strict=True)
    holds = np.array([[i in b for b in kept] for i in range(core.units)], dtype=float)
    most = core.units if core.max_bodies is None else core.max_bodies
    number, keeps = np.ones((1, len(kept))), len(kept) * core.kept_labels
    if core.kept_labels:
        outside = np.concatenate([whole(core) - core.splits.rate * core.splits.patients[b].sum(axis=0) for b in kept])
        only_if_used = np.hstack([-np.repeat(np.eye(len(kept)), core.kept_labels, axis=0), np.eye(keeps)])
        one_keeper = np.hstack([np.zeros((core.kept_labels, len(kept))), np.tile(np.eye(core.kept_labels), len(kept))])
    else:
        outside, only_if_used, one_keeper = np.empty(0), np.empty((0, len(kept))), np.empty((0, len(kept)))
    wide = np.zeros((core.units, keeps)), np.zeros((1, keeps))
    found = linprog(
        [*cost, *outside],
        A_eq=np.vstack([np.hstack([holds, wide[0]]), one_keeper]),
        b_eq=np.ones(core.multipliers),
        A_ub=np.vstack([np.hstack([number, wide[1]]), np.hstack([-number, wide[1]]), only_if_used]),
        b_ub=[most, -(core.min_bodies or 0), *np.zeros(keeps)],
    )
    return float(found.fun)


def with_charges(core: PartitionProblem, charges: Iterable[Line]) -> PartitionProblem:
    """The problem with the charges of a certificate as costs, and no contiguity: what a bound over sets that touch is
    the least of."""
    costs = core.costs.copy()
    for due in charges:
        costs[due.units[0], due.centre] += due.charge
        costs[list(due.held), due.centre] -= due.charge
    return replace(core, costs=costs, contiguous=False)


def below(some, others) -> bool:
    """No greater than, pennies of rounding apart."""
    return bool(np.all(np.asarray(some) <= np.asarray(others) + 1e-7 * np.maximum(1.0, np.abs(others))))
