"""Set partitioning over a pool of bodies: the integer programme (PuLP + HiGHS) that recombines what search and pricing
found.

    min Σ cost(B) x_B + split charge,   Σ_{B ∋ i} x_B = 1 for every unit i,   a ≤ Σ x_B ≤ b

The split charge is linear here: for each label one chosen body keeps its patients free of charge (y ≤ x, Σ y = 1).
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
import pulp
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.highs import Solver
from optimiser.partition.problem import PartitionProblem, canonical

Members = tuple[int, ...]
MEMBERSHIPS = 100_000  # in the integer programme: bodies of many units seldom fit together, and cost it dear


class Pool:
    """Distinct valid bodies and their costs; grows as search and pricing report what they see."""

    def __init__(self, problem: PartitionProblem):
        self._problem, self._credit = problem, problem.credit
        self._cost: dict[Members, float] = {}
        self._refused: set[Members] = set()
        graph = problem.graph()
        self._beside = [frozenset(graph.indices[graph.indptr[u] : graph.indptr[u + 1]]) for u in range(problem.units)]
        self._apart = [frozenset(pair) for pair in problem.apart]
        order = np.argsort(problem.owner, kind="stable")
        self._centres = np.split(order, np.searchsorted(problem.owner[order], np.arange(1, problem.units)))

    def __len__(self) -> int:
        return len(self._cost)

    def add(self, bodies: Iterable[Members]) -> None:
        """Add bodies (ascending unit positions) that obey every rule of one body; others are ignored."""
        new = [m for m in dict.fromkeys(bodies) if m and m not in self._cost and m not in self._refused]
        size_cost = self._problem.size_cost([int(self._problem.weights[list(m)].sum()) for m in new])
        for members, size in zip(new, size_cost, strict=True):
            cost = self._cost_if_valid(members, float(size))
            if cost is None:
                self._refused.add(members)
            else:
                self._cost[members] = cost

    def add_partition(self, assignment: NDArray[np.int32]) -> None:
        """Add every body of a partition."""
        order = np.argsort(assignment, kind="stable")
        cuts = np.flatnonzero(np.diff(assignment[order])) + 1
        self.add(tuple(int(i) for i in part) for part in np.split(order, cuts))

    def bodies(self) -> dict[Members, float]:
        """Every body and its cost, £ a year."""
        return dict(self._cost)

    def within(self, kept: NDArray[np.int64]) -> dict[Members, float]:
        """Bodies of some units alone (ascending), by their places among these, and their costs."""
        place = {int(u): k for k, u in enumerate(kept)}
        inside = {m: c for m, c in self._cost.items() if m[0] in place and all(u in place for u in m)}
        return {tuple(place[u] for u in m): c for m, c in inside.items()}

    def take(self, bodies: Mapping[Members, float], units: NDArray[np.int64]) -> None:
        """Add bodies known to be valid, and their costs; units: which each place among them stands for."""
        named = units.tolist()
        self._cost.update({tuple(named[k] for k in m): c for m, c in bodies.items()})

    def add_every_body(self) -> None:
        """Add every set of units that obeys the rules; for problems of a few units."""
        units = range(self._problem.units)
        self.add(members for size in range(1, len(units) + 1) for members in combinations(units, size))

    def columns(
        self, pi: NDArray[np.float64] | None, slack: float, most: int, keep: Iterable[Members]
    ) -> tuple[list[Members], list[float]]:
        """Bodies worth offering, in a fixed order: those of `keep`, and those of least reduced cost under π, none above
        `slack` (dearer bodies are unlikely in a better partition; π and slack are estimates), and no more than hold
        MEMBERSHIPS.
        """
        kept = set(keep)
        items = sorted(self._cost.items())
        if pi is None:
            chosen = items
        else:
            scored = sorted((cost - float(pi[list(m)].sum()), m, cost) for m, cost in items if m not in kept)
            chosen = [(m, c) for r, m, c in scored if r <= slack][:most]
            chosen = chosen[: int((np.cumsum([len(m) for m, _ in chosen]) <= MEMBERSHIPS).sum())]
            chosen = sorted(chosen + [(m, self._cost[m]) for m in kept])
        return [m for m, _ in chosen], [c for _, c in chosen]

    def _cost_if_valid(self, members: Members, size_cost: float) -> float | None:
        p, units = self._problem, np.array(members, dtype=np.int64)
        if not p.lo <= int(p.weights[units].sum()) <= p.hi:
            return None
        if self._credit[units].sum() < p.min_members:
            return None
        if any(pair <= set(members) for pair in self._apart) or (p.contiguous and not self._touch(members)):
            return None
        centres = np.concatenate([self._centres[u] for u in units])
        cost = float(p.costs[np.ix_(units, centres)].sum(axis=0).min()) + size_cost
        return cost if np.isfinite(cost) else None

    def _touch(self, members: Members) -> bool:
        left, waiting = set(members[1:]), [members[0]]
        while waiting:
            met = self._beside[waiting.pop()] & left
            left -= met
            waiting.extend(met)
        return not left


def model(problem: PartitionProblem, columns: Sequence[Members], costs: Sequence[float]) -> pulp.LpProblem:
    """The set-partitioning programme; x_k is column k, y_t_k says that column k keeps label t."""
    programme = pulp.LpProblem("set_partitioning", pulp.LpMinimize)
    x = [programme.add_variable(f"x_{k}", cat="Binary") for k in range(len(columns))]
    objective = [c * v for c, v in zip(costs, x, strict=True)]
    constant = 0.0
    rows: dict[int, list[pulp.LpVariable]] = {i: [] for i in range(problem.units)}
    for k, members in enumerate(columns):
        for i in members:
            rows[i].append(x[k])
    keeps: list[tuple[int, int, pulp.LpVariable]] = []
    if problem.splits is not None and problem.splits.rate > 0:
        pieces = problem.splits.patients
        constant = problem.splits.rate * float(pieces.sum())
        for k, members in enumerate(columns):
            held = pieces[list(members)].sum(axis=0)
            for t in np.flatnonzero(held > 0):
                y = programme.add_variable(f"y_{t}_{k}", lowBound=0, upBound=1)
                keeps.append((int(t), k, y))
                objective.append(-problem.splits.rate * float(held[t]) * y)
    programme += pulp.lpSum(objective) + constant
    for i, terms in rows.items():
        programme += pulp.lpSum(terms) == 1, f"once_{i}"
    for label, k, y in keeps:
        programme += y <= x[k], f"keeps_{label}_{k}"
    for label in sorted({t for t, _, _ in keeps}):
        programme += pulp.lpSum(y for t, _, y in keeps if t == label) <= 1, f"one_keeper_{label}"
    if problem.min_bodies is not None:
        programme += pulp.lpSum(x) >= problem.min_bodies, "fewest"
    if problem.max_bodies is not None:
        programme += pulp.lpSum(x) <= problem.max_bodies, "most"
    return programme


def recombine(
    problem: PartitionProblem,
    columns: Sequence[Members],
    costs: Sequence[float],
    clock: Clock,
    known: Collection[Members] = (),
    gap: float = 1e-6,
) -> NDArray[np.int32] | None:
    """The best partition HiGHS finds among the columns before the clock is over, or None. The answer is read from the
    variables and checked to cover every unit exactly once: a status word is never trusted (docs/method.md, solver
    traps).

    known: columns that make a partition, to begin with.
    """
    programme = model(problem, columns, costs)
    solver = Solver(clock, gap)
    if known:
        solver.start = {f"x_{k}": float(members in known) for k, members in enumerate(columns)}
    with contextlib.redirect_stdout(io.StringIO()):
        programme.solve(solver)
    values = {v.name: v.value() for v in programme.variables()}
    assignment = np.full(problem.units, -1, dtype=np.int32)
    body = 0
    for k, members in enumerate(columns):
        if (values.get(f"x_{k}") or 0.0) > 0.5:
            if (assignment[list(members)] >= 0).any():
                return None
            assignment[list(members)] = body
            body += 1
    return None if (assignment < 0).any() else canonical(assignment)
