"""Raising the bound: a proximal bundle on the multipliers, then branching on the number of bodies.

The bundle (Lemaréchal's; metric: patients) keeps the linearisations of LB(π) seen so far and steps to where their
minimum, less a quadratic in the distance from the best π, is greatest. On these problems it reaches in 40 rounds what a
deflected subgradient reaches in 160 (docs/method.md). Fixing the number of bodies forbids the relaxation a fractional
number of them, which is most of what is left on a region: the bound is the least over the branches k ≤ a − 1, k = a, k
≥ a + 1 …
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.bound import Pricing, best_bodies, bound_value, price, rigorous
from optimiser.partition.problem import PartitionProblem

Members = tuple[int, ...]
ENOUGH = 0.1  # share of the predicted rise that makes a step serious
MOST_CUTS = 60


@dataclass(frozen=True)
class Branch:
    """Partitions with fewest … most bodies. bound: LB in £ a year at multipliers pi (units). step: weight step at which
    the bound was priced (0: only estimated).
    """

    fewest: int
    most: int
    pi: NDArray[np.float64]
    bound: float
    step: int = 0

    def of(self, problem: PartitionProblem) -> PartitionProblem:
        """The problem restricted to this branch."""
        return replace(problem, min_bodies=self.fewest, max_bodies=self.most)


def ascend(
    problem: PartitionProblem,
    tables: Pricing,
    start: NDArray[np.float64],
    incumbent: float,
    rounds: int,
    see: Callable[[list[Members], float], bool],
) -> tuple[NDArray[np.float64], float]:
    """Best multipliers found and their LB, after at most `rounds` pricings.

    see(bodies priced this round, best bound so far) → True to stop early.
    """
    metric = problem.weights / max(1.0, float(problem.weights.mean()))

    def value_at(pi: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], list[Members]]:
        value, centres = bound_value(problem, pi, price(tables, pi))
        bodies = best_bodies(tables, pi, centres)
        slope = np.ones(problem.units)
        for members in bodies:
            slope[members] -= 1
        return value, slope, sorted({tuple(m.tolist()) for m in bodies})

    centre = start
    height, slope, bodies = value_at(centre)
    norm = float((slope * metric) @ slope)
    if see(bodies, height) or norm == 0 or not np.isfinite(height):
        return centre, height
    reach = max(incumbent - height, 1e-6 * abs(height)) / norm
    slopes, errors, failures = slope[None, :], np.zeros(1), 0
    for _ in range(rounds - 1):
        mix = _nearest_mix(reach * (slopes * metric) @ slopes.T, errors)
        direction = mix @ slopes
        error = float(mix @ errors)
        rise = reach * float((direction * metric) @ direction) + error
        if rise <= 1e-7 * abs(height):
            break
        trial = centre + reach * metric * direction
        value, slope, bodies = value_at(trial)
        stop = see(bodies, max(height, value))
        if len(errors) >= MOST_CUTS:
            keep = np.argsort(-mix, kind="stable")[: MOST_CUTS // 2]
            slopes, errors = np.vstack([direction, slopes[keep]]), np.concatenate([[error], errors[keep]])
        if value >= height + ENOUGH * rise:
            errors = np.maximum(0.0, errors + height - value + slopes @ (trial - centre))
            slopes, errors = np.vstack([slopes, slope]), np.append(errors, 0.0)
            if value - height > 0.5 * rise:
                reach *= 1.5
            centre, height, failures = trial, value, 0
        else:
            behind = max(0.0, value + float(slope @ (centre - trial)) - height)
            slopes, errors = np.vstack([slopes, slope]), np.append(errors, behind)
            failures += 1
            if behind > rise or failures >= 6:
                reach, failures = 0.6 * reach, 0
        if stop:
            break
    return centre, height


def _nearest_mix(quadratic: NDArray[np.float64], linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights a ≥ 0, Σ a = 1, that minimise ½ aᵀQa + eᵀa, by moving weight between the worst pair until none helps."""
    a = np.zeros(len(linear))
    a[int(np.argmin(linear + 0.5 * np.diag(quadratic)))] = 1.0
    gradient = quadratic @ a + linear
    for _ in range(2_000):
        held = np.flatnonzero(a > 1e-12)
        i, j = int(np.argmin(gradient)), int(held[np.argmax(gradient[held])])
        fall = gradient[j] - gradient[i]
        if fall <= 1e-9 * max(1.0, abs(gradient[j])):
            break
        bend = quadratic[i, i] + quadratic[j, j] - 2 * quadratic[i, j]
        move = a[j] if bend <= 0 else min(a[j], fall / bend)
        a[i] += move
        a[j] -= move
        gradient += move * (quadratic[:, i] - quadratic[:, j])
    return a


def root(problem: PartitionProblem, pi: NDArray[np.float64], bound: float) -> Branch:
    """The branch that holds every partition."""
    fewest = problem.min_bodies or 1
    most = problem.units if problem.max_bodies is None else problem.max_bodies
    return Branch(fewest, most, pi, bound)


def children(branch: Branch, bodies: int) -> list[Branch]:
    """The branch cut at the incumbent's number of bodies, or at its end nearest to it."""
    a, b = branch.fewest, branch.most
    k = min(max(bodies, a), b)
    cuts = [(a, k - 1), (k, k), (k + 1, b)]
    return [replace(branch, fewest=lo, most=hi) for lo, hi in cuts if lo <= hi]


def publish(problem: PartitionProblem, branches: list[Branch], bodies: int, step: int, work: float) -> list[Branch]:
    """The branches with bounds that hold for the true weights.

    All are priced at `step`; then the weakest is priced again at half its step while `work` (knapsack cells) lasts and
    that can still raise the least. Without branches or work, or where that is weaker, one branch at π = w × min g(P)/P,
    whose bound needs no pricing since assignment costs are never negative.
    """
    per_head = problem.cheapest_per_head()
    plain = replace(
        root(problem, np.asarray(per_head * problem.weights, dtype=float), per_head * float(problem.weights.sum())),
        step=1,
    )
    if not branches or work <= 0:
        return [plain]
    typical = problem.weights.sum() / bodies
    tables = {step: rigorous(problem, step, typical)}
    done = [_held(problem, branch, tables[step], step) for branch in branches]
    work -= len(done) * tables[step].work
    while True:
        k = min(range(len(done)), key=lambda x: (done[x].bound, x))
        finer = max(1, done[k].step // 2)
        if finer == done[k].step or 2 * tables[done[k].step].work > work:
            break
        if finer not in tables:
            tables[finer] = rigorous(problem, finer, typical)
        work -= tables[finer].work
        again = _held(problem, done[k], tables[finer], finer)
        done[k] = max(replace(done[k], step=finer), again, key=lambda b: b.bound)
    return [plain] if plain.bound > min(b.bound for b in done) else done


def _held(problem: PartitionProblem, branch: Branch, tables: Pricing, step: int) -> Branch:
    value = bound_value(branch.of(problem), branch.pi, price(tables, branch.pi))[0]
    return replace(branch, bound=value, step=step)
