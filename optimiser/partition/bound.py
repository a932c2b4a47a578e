"""A bound that anyone can check: Lagrangian relaxation of "each unit in exactly one body", priced by knapsacks.

For multipliers π and each centre j, the best body is a 0-1 knapsack over the units within reach with values c[i, j] − π_i,
unit owner(j) forced in, indexed by total weight so that any size curve g is added at the end:

    r_j = min over lo ≤ P ≤ hi of { knapsack_j(P) + g(P) },     LB(π) = Σ π_i + Σ_units min(0, min over its centres of r_j)

(with bounds a ≤ k ≤ b on the number of bodies: the cheapest k of the units' r, best k in [a, b]). The bodies of a partition have
distinct units as centres, so LB(π) ≤ cost of every partition, whatever produced π. Contiguity, kept-apart pairs and the split
charge are dropped, which only weakens it.

True weights. Weights are floored to steps of s patients, q = ⌊w / s⌋. A set whose steps sum to Q and that has at most M members
has a true weight P in [sQ, sQ + M(s − 1)]. Each item also carries σ(w − s q) for a slope σ, and the size term becomes the minimum
of g(P) − σ(P − sQ) over that interval ∩ [lo, hi]: a lower bound on g at the true weight, for every σ (docs/method.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.partition.problem import PartitionProblem

INF = np.inf


@dataclass(frozen=True)
class Pricing:
    """Frozen tables of one problem at one weight step: candidates by centre (CSR), steps and slope.

    window: size term at each Q (inf where no true weight in [lo, hi] is possible).
    """

    step: int
    slope: float
    start: NDArray[np.int64]
    unit: NDArray[np.int32]
    cost: NDArray[np.float64]
    steps: NDArray[np.int64]
    remainder: NDArray[np.float64]
    window: NDArray[np.float64]


def pricing(problem: PartitionProblem, step: int, nearest: int | None = None) -> Pricing:
    """Tables for `price` at a weight step. nearest: keep only the cheapest so many units per centre (rounds that steer π;
    the published bound is priced with every unit within reach)."""
    hi = min(problem.hi, int(problem.weights.sum()))
    reachable = np.isfinite(problem.costs)
    start, unit, cost = [0], [], []
    per_head = problem.costs / np.maximum(problem.weights, 1)[:, None]
    for j, own in enumerate(problem.owner):
        units = np.flatnonzero(reachable[:, j])
        if own not in units:
            start.append(start[-1])
            continue
        units = units[units != own]
        if nearest is not None and len(units) > nearest:
            units = units[np.argpartition(per_head[units, j], nearest)[:nearest]]
        chosen = np.concatenate(([own], units[np.argsort(per_head[units, j], kind="stable")]))
        unit.append(chosen)
        cost.append(problem.costs[chosen, j])
        start.append(start[-1] + len(chosen))
    steps = problem.weights // step
    slope = _slope(problem, hi)
    lightest = np.cumsum(np.sort(problem.weights))
    members = max(1, int(np.searchsorted(lightest, hi, side="right")))
    return Pricing(
        step=step,
        slope=slope,
        start=np.array(start, dtype=np.int64),
        unit=np.concatenate(unit).astype(np.int32) if unit else np.empty(0, np.int32),
        cost=np.concatenate(cost) if cost else np.empty(0),
        steps=steps.astype(np.int64),
        remainder=(slope * (problem.weights - steps * step)).astype(float),
        window=_size_window(problem, hi, step, slope, members),
    )


def _slope(problem: PartitionProblem, hi: int) -> float:
    """Marginal £ per patient of the size curve at its cheapest size per head: where good bodies are."""
    sizes = np.unique(np.linspace(max(1, problem.lo), hi, 2_001).astype(np.int64))
    if len(sizes) < 3:
        return 0.0
    best = sizes[np.argmin(problem.size_cost(sizes) / sizes)]
    reach = max(1, (hi - problem.lo) // 50)
    below, above = max(1, best - reach), min(hi, best + reach)
    if below == above:
        return 0.0
    return float((problem.size_cost(above)[0] - problem.size_cost(below)[0]) / (above - below))


def _size_window(problem: PartitionProblem, hi: int, step: int, slope: float, members: int) -> NDArray[np.float64]:
    """For each Q: min of g(P) − slope (P − sQ) over integers P in [sQ, sQ + M(s − 1)] ∩ [lo, hi], rounded outward to slots."""
    slots = hi // step + 1
    lowest = np.full(slots, INF)
    chunk = max(1, 2_000_000 // step)
    for first in range(0, slots, chunk):
        last = min(slots, first + chunk)
        patients = np.arange(first * step, last * step)
        inside = (patients >= problem.lo) & (patients <= hi)
        value = np.where(inside, problem.size_cost(np.maximum(patients, 1)) - slope * patients, INF)
        lowest[first:last] = value.reshape(-1, step).min(axis=1)
    if problem.lo == 0 and hi == 0:
        lowest[0] = problem.size_cost(1)[0]
    width = 0 if step == 1 else -(-members * (step - 1) // step)
    window = lowest.copy()
    for shift in range(1, min(width, slots - 1) + 1):
        window[:-shift] = np.minimum(window[:-shift], lowest[shift:])
    return window + slope * step * np.arange(slots)


@numba.njit(cache=True, fastmath=False)
def _knapsack(values, steps, window, take, record):
    """Best value of a set containing item 0, plus the size window; returns (value, Q). take: items × (Q + 1) flags."""
    top = len(window) - 1
    now = np.full(top + 1, INF)
    nxt = np.empty(top + 1)
    now[steps[0]] = values[0]
    reached = steps[0]
    for k in range(1, len(values)):
        q, v = steps[k], values[k]
        reach = min(top, reached + q)
        for Q in range(min(q, top + 1)):
            nxt[Q] = now[Q]
        for Q in range(q, reach + 1):
            with_it = now[Q - q] + v
            nxt[Q] = min(now[Q], with_it)
        if record:
            for Q in range(min(q, top + 1)):
                take[k, Q] = 0
            for Q in range(q, reach + 1):
                take[k, Q] = now[Q - q] + v < now[Q]
        for Q in range(reach + 1):
            now[Q] = nxt[Q]
        reached = reach
    best, where = INF, -1
    for Q in range(reached + 1):
        value = now[Q] + window[Q]
        if value < best:
            best, where = value, Q
    return best, where


@numba.njit(cache=True, parallel=True)
def _price_all(start, unit, cost, steps, remainder, window, pi, record, reduced, size, chosen):
    """Reduced cost of every centre; with `record`, the members of its best body as flags along the CSR."""
    top = len(window) - 1
    for j in numba.prange(len(start) - 1):
        a, b = start[j], start[j + 1]
        reduced[j] = INF
        if a == b or steps[unit[a]] > top:
            continue
        count = 0
        for e in range(a, b):
            if steps[unit[e]] <= top:
                count += 1
        values = np.empty(count)
        weights = np.empty(count, np.int64)
        place = np.empty(count, np.int64)
        k = 0
        for e in range(a, b):
            i = unit[e]
            if steps[i] <= top:
                values[k] = cost[e] - pi[i] + remainder[i]
                weights[k] = steps[i]
                place[k] = e
                k += 1
        take = np.zeros((count, top + 1), np.bool_) if record else np.zeros((1, 1), np.bool_)
        best, Q = _knapsack(values, weights, window, take, record)
        reduced[j] = best
        if record and Q >= 0 and best < INF:
            chosen[a] = True
            for k in range(count - 1, 0, -1):
                if take[k, Q]:
                    chosen[place[k]] = True
                    Q -= weights[k]
                    size[j] += weights[k]


def price(
    tables: Pricing, pi: NDArray[np.float64], record: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """(m reduced costs r_j, flags along tables.unit of each centre's best body; empty flags unless `record`)."""
    m = len(tables.start) - 1
    reduced = np.empty(m)
    chosen = np.zeros(len(tables.unit) if record else 1, dtype=np.bool_)
    _price_all(
        tables.start,
        tables.unit,
        tables.cost,
        tables.steps,
        tables.remainder,
        tables.window,
        pi,
        record,
        reduced,
        np.zeros(m, np.int64),
        chosen,
    )
    return reduced, chosen


def bound_value(
    problem: PartitionProblem, pi: NDArray[np.float64], reduced: NDArray[np.float64]
) -> tuple[float, NDArray[np.int64]]:
    """LB(π) in £ a year, and the centres that attain it (the units' best centres taken)."""
    best = np.full(problem.units, INF)
    np.minimum.at(best, problem.owner, reduced)
    order = np.argsort(best, kind="stable")
    sums = np.concatenate(([0.0], np.cumsum(best[order])))
    low = problem.min_bodies or 0
    high = min(problem.max_bodies if problem.max_bodies is not None else problem.units, problem.units)
    k = low + int(np.argmin(sums[low : high + 1]))
    taken = order[:k]
    centre = np.full(problem.units, -1, dtype=np.int64)
    for j in np.argsort(-reduced, kind="stable"):
        centre[problem.owner[j]] = j
    return float(pi.sum() + sums[k]), centre[taken]


@dataclass
class Ascent:
    """Deflected subgradient ascent on π (the one mutable object of the engine; one ascent per solve).

    After each round: best (the highest LB so far with these tables), pi (its multipliers), columns (bodies priced).
    """

    problem: PartitionProblem
    tables: Pricing
    pi: NDArray[np.float64]
    relaxation: float = 1.0
    best: float = -INF
    best_pi: NDArray[np.float64] | None = None
    _direction: NDArray[np.float64] | None = None
    _stalled: int = 0

    def round(self, incumbent: float) -> list[tuple[int, ...]]:
        """One pricing round and one step; returns the distinct bodies priced below zero (unit positions, ascending)."""
        reduced, chosen = price(self.tables, self.pi, record=True)
        value, centres = bound_value(self.problem, self.pi, reduced)
        if value > self.best + 1e-9 * abs(value):
            self.best, self.best_pi, self._stalled = value, self.pi.copy(), 0
        else:
            self._stalled += 1
            if self._stalled >= 8:
                self.relaxation *= 0.7
                self._stalled = 0
                if self.best_pi is not None:
                    self.pi = self.best_pi.copy()
                    self._direction = None
        covered = np.zeros(self.problem.units)
        columns = set()
        start, unit = self.tables.start, self.tables.unit
        for j in centres:
            members = unit[start[j] : start[j + 1]][chosen[start[j] : start[j + 1]]]
            covered[members] += 1
            columns.add(tuple(sorted(int(i) for i in members)))
        slack = 1.0 - covered
        self._direction = slack if self._direction is None else 0.6 * slack + 0.4 * self._direction
        norm = float(self._direction @ self._direction)
        target = max(incumbent, value + 1e-6 * abs(value))
        if norm > 0:
            self.pi = self.pi + self.relaxation * (target - value) / norm * self._direction
        return sorted(columns)


def published_bound(problem: PartitionProblem, pi: NDArray[np.float64], step: int) -> float:
    """LB(π) with every unit within reach and the rounding allowance: valid for the true weights."""
    reduced, _ = price(pricing(problem, step), pi)
    return bound_value(problem, pi, reduced)[0]


def starting_multipliers(problem: PartitionProblem, assignment: NDArray[np.int32]) -> NDArray[np.float64]:
    """Each unit pays its own share of its body's cost: size cost by weight, and its own assignment cost."""
    pi = np.zeros(problem.units)
    for b in np.unique(assignment):
        members = np.flatnonzero(assignment == b)
        cost, centre = problem.body_cost(members)
        own = problem.costs[members, centre]
        weight = problem.weights[members]
        pi[members] = own + (cost - own.sum()) * weight / max(1, weight.sum())
    return pi
