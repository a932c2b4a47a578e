"""Worlds where bodies must touch: random ones small enough for the oracle, and grids; what their bodies cost, from
scratch."""

from __future__ import annotations

from functools import cache
from itertools import combinations, product

import numpy as np

from optimiser.partition.connected import connected_tables
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.relaxation import Relaxation
from tests import oracle
from tests.partition_worlds import random_problem

RULES = ("oversize", "apart", "counts", "splits", "several_centres", "frozen")
WORLDS = [((mixture, k), flags) for mixture, flags in enumerate(product((False, True), repeat=6)) for k in range(6)]
FAR = 1e9


@cache
def world(k: int):
    """(problem, its core or None, £ a year of what was set aside, core units as units of the problem)."""
    seed, flags = WORLDS[k]
    problem = random_problem(seed, contiguous=True, **dict(zip(RULES, flags, strict=True)))
    core, fixed, restore = set_aside(problem)
    return problem, core, fixed, restore.kept


def tables_of(core: PartitionProblem):
    sizes = np.arange(min(core.hi, int(core.weights.sum())) + 1)
    return connected_tables(core, core.size_cost(np.maximum(sizes, 1)))


def relaxation_of(core: PartitionProblem) -> Relaxation:
    """The relaxation over connected sets, also where another would suit better."""
    sizes = np.arange(min(core.hi, int(core.weights.sum())) + 1)
    relaxation = Relaxation(core, core.size_cost(np.maximum(sizes, 1)))
    relaxation.connected = tables_of(core)
    return relaxation


def some_multipliers(core: PartitionProblem, rng: np.random.Generator):
    """Fair shares of what bodies cost, and wilder ones."""
    fair = core.weights * core.cheapest_per_head() * 1.1
    yield fair
    yield fair * rng.uniform(0.6, 1.6, core.units)
    yield rng.normal(0, 300, core.units)


def sets_of(problem, core, kept) -> list[tuple[int, ...]]:
    """Every connected set of core units, whatever its size; it may be joined through units too large for any body."""
    units = range(core.units)
    chosen = (s for size in range(1, core.units + 1) for s in combinations(units, size))
    return [s for s in chosen if oracle.in_one_piece(problem, tuple(int(kept[i]) for i in s))]


def reduced_costs(core, sets, pi, charges=()) -> list[dict[tuple[int, ...], float]]:
    """Of every centre, by set that it may have: Σ (c − π) + g + Σ σ, from scratch. charges: (three units, σ) …"""
    out = []
    for j, owner in enumerate(core.owner):
        costs = {}
        for body in sets:
            patients = sum(int(core.weights[i]) for i in body)
            linear = sum(float(core.costs[i, j]) - float(pi[i]) for i in body)
            if int(owner) in body and core.lo <= patients <= core.hi and linear < FAR:
                due = sum(charge for triple, charge in charges if len(set(triple) & set(body)) >= 2)
                costs[body] = linear + due + float(core.curve(np.array([float(patients)]))[0])
        out.append(costs)
    return out


def lagrangian(core, pi, least, charges=()) -> float:
    """LB(π, σ) = Σ π − Σ σ + min over the numbers of bodies allowed of the sum of that many least r by unit."""
    by_unit = sorted(min(least[core.owner == i]) for i in range(core.units))
    most = core.units if core.max_bodies is None else min(core.units, core.max_bodies)
    return float(sum(pi)) - float(sum(charges)) + min(sum(by_unit[:k]) for k in range(core.min_bodies or 0, most + 1))


def grid(seed: int, side: int, hi: int, weights: np.ndarray | None = None) -> PartitionProblem:
    """Units on a square grid of sides that touch, distances in £, every unit within reach."""
    rng = np.random.default_rng(seed)
    n = side * side
    if weights is None:
        weights = rng.integers(3_000, 15_000, n)
    at = np.array([(x, y) for x in range(side) for y in range(side)], dtype=float) + rng.normal(0, 0.2, (n, 2))
    km = np.hypot(*np.moveaxis(at[:, None] - at[None], -1, 0))
    rows = np.arange(n).reshape(side, side)
    edges = np.vstack(
        [np.column_stack([a.ravel(), b.ravel()]) for a, b in ((rows[:-1], rows[1:]), (rows[:, :-1], rows[:, 1:]))]
    )
    jag = rng.uniform(0, 2_000, hi + 1)

    def curve(patients: np.ndarray) -> np.ndarray:
        size = np.asarray(patients, dtype=float)
        return 60_000 + 3 * size + size**2 / 20_000 + jag[np.minimum(size, hi).astype(np.int64)]

    return PartitionProblem(
        name="locality",
        labels=tuple(f"Practice {i + 1}" for i in range(n)),
        weights=weights.astype(np.int64),
        owner=np.arange(n, dtype=np.int32),
        costs=weights[:, None] * km * 0.5,
        curve=curve,
        lo=min(15_000, hi // 2),
        hi=hi,
        edges=edges.astype(np.int32),
        contiguous=True,
    )
