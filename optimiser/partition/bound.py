"""A bound that anyone can check: Lagrangian relaxation of "each unit in exactly one body", priced by knapsacks.

For multipliers π and each centre j, the best body is a 0-1 knapsack over the units within reach with values c[i, j] −
π_i, unit owner(j) forced in, indexed by total weight so that any size curve g is added at the end:

    r_j = min over lo ≤ P ≤ hi of { knapsack_j(P) + g(P) }
    LB(π) = Σ π_i + Σ_units min(0, min over its centres of r_j)

(with bounds a ≤ k ≤ b on the number of bodies: the cheapest k of the units' r, best k in [a, b]). The bodies of a
partition have distinct units as centres, so LB(π) ≤ cost of every partition, whatever produced π. Contiguity,
kept-apart pairs and the split charge are dropped, which only weakens it.

True weights. Weights are floored to steps of s patients, q = ⌊w / s⌋. A set whose steps sum to Q and that has at most M
members has a true weight P in [sQ, sQ + M(s − 1)]. Each item also carries σ(w − s q) for a slope σ, and the size term
becomes the minimum of g(P) − σ(P − sQ) over that interval ∩ [lo, hi]: a lower bound on g at the true weight, for every
σ, so at each Q the greatest over several slopes still holds. M is the most units whose steps fit in Q.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.partition.problem import PartitionProblem

INF = np.inf

FEWEST_CANDIDATES = 40  # per centre, while multipliers move


@dataclass(frozen=True)
class Pricing:
    """Frozen tables of one problem at one weight step. start, unit, cost: candidates by centre (CSR), the centre's own
    unit first. steps: q by unit. remainder: slopes × units, σ(w − s q). window: slopes × (Q + 1), the size term (inf
    where no true weight within bounds is possible). work: knapsack cells that one pricing fills.
    """

    start: NDArray[np.int64]
    unit: NDArray[np.int32]
    cost: NDArray[np.float64]
    steps: NDArray[np.int64]
    remainder: NDArray[np.float64]
    window: NDArray[np.float64]

    def arrays(self) -> tuple:
        """The fields in the order the compiled loops take them."""
        return self.start, self.unit, self.cost, self.steps, self.remainder, self.window

    @property
    def work(self) -> int:
        """Cells filled: candidates × steps × slopes."""
        return len(self.unit) * self.window.size


def rough(problem: PartitionProblem, step: int) -> Pricing:
    """Tables that only steer π: each centre keeps its cheapest units, up to twice the largest body, and the size term
    is taken at the weight expected of Q steps, right to second order in the step.
    """
    hi = _largest(problem)
    slope = _slope(problem, float(_cheapest_size(problem)))
    start, unit, cost = _candidates(problem, 2 * hi)
    steps = problem.weights // step
    whole = int(steps.sum())
    stretch = problem.weights.sum() / (whole * step) if whole else 1.0
    at = np.arange(hi // step + 1) * step
    patients = at * stretch
    inside = (patients >= problem.lo) & (patients <= hi)
    size = np.where(inside, problem.size_cost(np.maximum(patients, 1)) - slope * (patients - at), INF)
    remainder = slope * (problem.weights - steps * step)
    return Pricing(start, unit, cost, steps.astype(np.int64), remainder[None, :].astype(float), size[None, :])


def rigorous(problem: PartitionProblem, step: int, typical: float) -> Pricing:
    """Tables for a bound that holds for the true weights: every unit within reach, rounding allowance included.

    typical: patients of a typical body; the slopes are the size curve's around it.
    """
    hi = _largest(problem)
    start, unit, cost = _candidates(problem, None)
    steps = problem.weights // step
    slopes = np.unique([_slope(problem, float(np.clip(f * typical, problem.lo, hi))) for f in (0.7, 0.9, 1.0, 1.3)])
    lightest = np.cumsum(np.sort(problem.weights))
    size = np.stack([_size_window(problem, hi, step, slope, lightest) for slope in slopes])
    remainder = slopes[:, None] * (problem.weights - steps * step)
    return Pricing(start, unit, cost, steps.astype(np.int64), remainder.astype(float), size)


def _largest(problem: PartitionProblem) -> int:
    return min(problem.hi, int(problem.weights.sum()))


def _candidates(problem: PartitionProblem, most: int | None) -> tuple[NDArray, NDArray, NDArray]:
    """(start, unit, cost) by centre: its own unit, then units within reach from cheapest per patient, until they weigh
    `most`.
    """
    reachable = np.isfinite(problem.costs)
    per_head = problem.costs / np.maximum(problem.weights, 1)[:, None]
    start, unit, cost = [0], [np.empty(0, np.int64)], [np.empty(0)]
    for j, own in enumerate(problem.owner):
        chosen = np.empty(0, np.int64)
        if reachable[own, j]:
            units = np.flatnonzero(reachable[:, j])
            units = units[units != own]
            units = units[np.argsort(per_head[units, j], kind="stable")]
            if most is not None:
                wide = int(np.searchsorted(np.cumsum(problem.weights[units]), most)) + 1
                units = units[: max(wide, FEWEST_CANDIDATES)]
            chosen = np.concatenate(([own], units))
        unit.append(chosen)
        cost.append(problem.costs[chosen, j])
        start.append(start[-1] + len(chosen))
    return np.array(start, dtype=np.int64), np.concatenate(unit).astype(np.int32), np.concatenate(cost)


def _cheapest_size(problem: PartitionProblem) -> int:
    """Patients of the body with the least size cost per head."""
    hi = _largest(problem)
    sizes = np.unique(np.linspace(max(1, min(problem.lo, hi)), hi, 2_001).astype(np.int64))
    return int(sizes[np.argmin(problem.size_cost(sizes) / sizes)])


def _slope(problem: PartitionProblem, at: float) -> float:
    """Marginal £ per patient of the size curve at a size."""
    reach = max(1.0, 0.02 * at)
    below, above = max(1.0, at - reach), at + reach
    low, high = problem.size_cost(np.array([below, above]))
    return float((high - low) / (above - below))


def _size_window(
    problem: PartitionProblem, hi: int, step: int, slope: float, lightest: NDArray[np.int64]
) -> NDArray[np.float64]:
    """For each Q: min of g(P) − slope (P − sQ) over P in [sQ, sQ + M(s − 1)] ∩ [lo, hi], rounded outward to whole
    slots.

    lightest: cumulative weight of the units from the lightest; M: how many of the fewest steps fit in Q.
    """
    slots = hi // step + 1
    lowest = np.full(slots, INF)
    chunk = max(1, 2_000_000 // step)
    for first in range(0, slots, chunk):
        last = min(slots, first + chunk)
        patients = np.arange(first * step, last * step)
        inside = (patients >= problem.lo) & (patients <= hi)
        value = np.where(inside, problem.size_cost(np.maximum(patients, 1)) - slope * patients, INF)
        lowest[first:last] = value.reshape(-1, step).min(axis=1)
    floored = np.cumsum(np.sort(np.diff(lightest, prepend=0) // step))
    most = np.searchsorted(floored, np.arange(slots), side="right")
    width = -(-most * (step - 1) // step)
    window = _window_minimum(lowest, width.astype(np.int64))
    return window + slope * step * np.arange(slots)


@numba.njit(cache=True)
def _window_minimum(values, width):
    """min of values[Q : Q + width[Q] + 1] for each Q."""
    out = values.copy()
    for Q in range(len(values)):
        for at in range(Q, min(len(values), Q + width[Q] + 1)):
            out[Q] = min(out[Q], values[at])
    return out


@numba.njit(cache=True)
def _knapsack(values, steps, top, take, record):
    """Least value of a set containing item 0, by total steps 0 … top; inf where none. take: items × (top + 1) flags."""
    rows = np.full((2, top + 1), INF)
    rows[0, steps[0]] = values[0]
    reached, now = steps[0], 0
    for k in range(1, len(values)):
        q, v = steps[k], values[k]
        reach = min(top, reached + q)
        old, new = rows[now], rows[1 - now]
        for Q in range(min(q, reach + 1)):
            new[Q] = old[Q]
        if record:
            flags = take[k]
            for Q in range(q, reach + 1):
                with_it = old[Q - q] + v
                better = with_it < old[Q]
                flags[Q] = better
                new[Q] = with_it if better else old[Q]
        else:
            for Q in range(q, reach + 1):
                new[Q] = min(old[Q], old[Q - q] + v)
        reached, now = reach, 1 - now
    return rows[now]


@numba.njit(cache=True)
def _items(j, slope, start, unit, cost, steps, remainder, window, pi):
    """(values, steps, place along the CSR) of the units that fit with centre j, its own first; empty when it does not
    fit.
    """
    top = window.shape[1] - 1
    a, b = start[j], start[j + 1]
    fits = np.empty(b - a, np.int64)
    values = np.empty(b - a)
    count = 0
    if a < b and steps[unit[a]] <= top:
        for e in range(a, b):
            i = unit[e]
            if steps[i] <= top:
                fits[count] = e
                values[count] = cost[e] - pi[i] + remainder[slope, i]
                count += 1
    return values[:count], steps[unit[fits[:count]]], fits[:count]


@numba.njit(cache=True, nogil=True)
def _price_some(first, every, start, unit, cost, steps, remainder, window, pi, reduced):
    """r of centres first, first + every, …: at each Q the greatest over the slopes, then the least over Q."""
    top = window.shape[1] - 1
    none = np.zeros((1, 1), np.bool_)
    height = np.empty(top + 1)
    for j in range(first, len(start) - 1, every):
        reduced[j] = INF
        for Q in range(top + 1):
            height[Q] = -INF
        for s in range(window.shape[0]):
            values, weights, _ = _items(j, s, start, unit, cost, steps, remainder, window, pi)
            if len(values) == 0:
                for Q in range(top + 1):
                    height[Q] = INF
                break
            row = _knapsack(values, weights, top, none, False)
            for Q in range(top + 1):
                height[Q] = max(height[Q], row[Q] + window[s, Q])
        for Q in range(top + 1):
            reduced[j] = min(reduced[j], height[Q])


@numba.njit(cache=True)
def _best_body(j, start, unit, cost, steps, remainder, window, pi):
    """Units of centre j's best body at the first slope; empty when there is none."""
    top = window.shape[1] - 1
    values, weights, fits = _items(j, 0, start, unit, cost, steps, remainder, window, pi)
    if len(values) == 0:
        return np.empty(0, np.int64)
    take = np.zeros((len(values), top + 1), np.bool_)
    row = _knapsack(values, weights, top, take, True)
    Q = 0
    for at in range(top + 1):
        if row[at] + window[0, at] < row[Q] + window[0, Q]:
            Q = at
    if row[Q] + window[0, Q] == INF:
        return np.empty(0, np.int64)
    members = np.empty(len(values), np.int64)
    members[0] = unit[fits[0]]
    count = 1
    for k in range(len(values) - 1, 0, -1):
        if take[k, Q]:
            members[count] = unit[fits[k]]
            count += 1
            Q -= weights[k]
    return members[:count]


def price(tables: Pricing, pi: NDArray[np.float64]) -> NDArray[np.float64]:
    """r_j of every centre, £ a year (inf where it has no body)."""
    reduced = np.empty(len(tables.start) - 1)
    threads = numba.get_num_threads()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda k: _price_some(k, threads, *tables.arrays(), pi, reduced), range(threads)))
    return reduced


def best_bodies(tables: Pricing, pi: NDArray[np.float64], centres: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Unit positions, ascending, of the best body of each of some centres."""
    return [np.sort(_best_body(j, *tables.arrays(), pi)) for j in centres]


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
