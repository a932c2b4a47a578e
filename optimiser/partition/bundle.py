"""Raising the bound: a proximal bundle on the multipliers, one model a neighbourhood.

LB(π) is Σ π plus a sum over units, each of which depends on the multipliers nearby alone. The bundle (Lemaréchal's;
metric: patients) keeps the linearisations seen so far and steps to where their model, less a quadratic in the distance
from the best π, is greatest. With one model for each neighbourhood (the units of one body of the incumbent) instead of
one for the whole map, distant parts of a country no longer wait for one another: on 513 practices 30 rounds reach what
a single model reaches in 110, and what 70 reach it does not reach in 400 (docs/method.md).

Multipliers are those of the units, then those of the labels whose split is charged. Bounds on the number of bodies are
one more, θ, in the model: a charge on every body. LB(π) itself takes them exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.partition.bound import by_unit, cheapest_count
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.relaxation import BEYOND, EXACT, Relaxation

Members = tuple[int, ...]
ENOUGH, MORE = 0.1, 0.5  # shares of the predicted rise that make a step serious, and the next ones longer
LONGER, SHORTER = 1.5, 0.6  # times
FAILURES = 6  # steps in a row that are not serious before shorter ones
IDLE = 12  # rounds without weight after which a linearisation is dropped
SWEEPS = 200  # over the neighbourhoods, to find the best mix of linearisations
COUNT_METRIC = 0.3  # of θ, times the square of a body's units, where that of a unit is patients over their mean
LABEL_METRIC = 1.0  # of a label, times its patients over the mean of a unit's
SMALL_RISE = 1e-6  # of the bound: a predicted rise not worth another pricing


@dataclass(frozen=True)
class Seen:
    """The bound at one point (π, θ): its value, each neighbourhood's part, and their slopes (neighbourhoods ×
    (multipliers + 1), θ last). count: bodies counted against θ: the bound on their number that binds. met: bodies of
    reduced cost below the cut.
    """

    point: NDArray[np.float64]
    value: float
    parts: NDArray[np.float64]
    slopes: sparse.csr_matrix
    count: int
    met: list[Members]


def ascend(
    problem: PartitionProblem,
    relaxation: Relaxation,
    start: NDArray[np.float64],
    incumbent: NDArray[np.int32],
    rounds: int,
    see: Callable[[list[Members], NDArray[np.float64], float], bool],
) -> tuple[NDArray[np.float64], float]:
    """Best multipliers found and their LB, after at most `rounds` pricings.

    incumbent: body by unit, of a partition to compare with. see(bodies priced this round, at
    these multipliers, best bound so far) → True to stop early.
    """
    metric = _metric(problem, int(incumbent.max()) + 1)
    upper = problem.objective(incumbent)
    typical = abs(upper) / (int(incumbent.max()) + 1)

    best = _look(problem, relaxation, start, incumbent, np.inf if problem.counted else 0.0, EXACT * typical)
    if see(best.met, start, best.value) or not np.isfinite(best.value):
        return start, best.value
    model = _Model(best)
    direction = model.direction(best.count)
    steepness = float(direction @ (metric * direction))
    if steepness == 0:
        return start, best.value
    top, reach, failures = best, max(upper - best.value, 1e-6 * abs(best.value)) / steepness, 0
    for _ in range(rounds - 1):
        error = model.mix_best(best.count, reach * metric, SMALL_RISE * abs(best.value))
        direction = model.direction(best.count)
        step = reach * metric * direction
        rise = float(direction @ step) + error
        if rise <= SMALL_RISE * abs(best.value):
            break
        cut = max(0.0, -float(best.point[-1])) + BEYOND * typical if problem.counted else 0.0
        trial = _look(problem, relaxation, (best.point + step)[:-1], incumbent, cut, EXACT * typical)
        top = max(top, trial, key=lambda seen: seen.value)
        stop = see(trial.met, trial.point[:-1], top.value)
        if trial.value >= best.value + ENOUGH * rise:
            model.move(best, trial)
            if trial.value - best.value > MORE * rise:
                reach *= LONGER
            best, failures = trial, 0
        else:
            behind = model.learn(best, trial)
            failures += 1
            if behind > rise or failures >= FAILURES:
                reach, failures = SHORTER * reach, 0
        if stop:
            break
    return top.point[:-1], top.value


def _metric(problem: PartitionProblem, bodies: int) -> NDArray[np.float64]:
    """How far each multiplier may go, compared with that of a mean unit."""
    mean = max(1.0, float(problem.weights.mean()))
    labels = np.empty(0)
    if problem.splits is not None and problem.kept_labels:
        labels = LABEL_METRIC * np.maximum(problem.splits.patients.sum(axis=0), 1) / mean
    count = COUNT_METRIC * (problem.units / bodies) ** 2 if problem.counted else 0.0
    return np.concatenate([np.maximum(problem.weights, 1) / mean, labels, [count]])


def _look(
    problem: PartitionProblem,
    relaxation: Relaxation,
    pi: NDArray[np.float64],
    near: NDArray[np.int32],
    cut: float,
    exact: float,
) -> Seen:
    """Price at π; the slopes are those of the bodies that LB(π) counts."""
    pi = problem.in_range(pi)
    priced = relaxation.price(pi, cut, exact)
    least, centre = by_unit(problem, priced.least)
    k, chosen = cheapest_count(problem, least)
    if problem.counted and k and np.inf > least[chosen[-1]] >= cut - exact:
        return _look(problem, relaxation, pi, near, np.inf, exact)  # a body beyond the cut is counted after all
    if not np.isfinite(least[chosen]).all():
        chosen = chosen[:0]  # no partition has so many bodies: nothing to step from
    theta, count = _charge(problem, least[chosen], k)
    bodies = [priced.body(int(centre[u])) for u in chosen]
    answers = [with_labels(problem, body, pi) for body in bodies]
    parts = np.zeros(int(near.max()) + 1)
    np.add.at(parts, near[chosen], least[chosen] + theta)
    rows = np.repeat(near[chosen], [len(a) + 1 for a in answers])
    columns = np.concatenate([np.append(a, len(pi)) for a in answers] or [np.empty(0, np.int64)])
    entries = np.where(columns == len(pi), 1.0, -1.0)
    slopes = sparse.csr_matrix((entries, (rows, columns)), shape=(len(parts), len(pi) + 1))
    value = float(pi.sum() + least[chosen].sum()) if len(chosen) == k else np.inf
    near_enough = bodies if np.isinf(cut) else [priced.body(int(j)) for j in centre[least < cut]]
    met = sorted({tuple(b.tolist()) for b in near_enough if len(b)})
    return Seen(np.append(pi, theta), value, parts, slopes, count, met)


def with_labels(problem: PartitionProblem, body: NDArray[np.int64], pi: NDArray[np.float64]) -> NDArray[np.int64]:
    """The multipliers that a body answers to: its units', and those of the labels it keeps."""
    if problem.splits is None or not problem.kept_labels:
        return body
    return np.append(body, problem.units + problem.splits.kept(body, pi[problem.units :]))


def _charge(problem: PartitionProblem, counted: NDArray[np.float64], k: int) -> tuple[float, int]:
    """(θ, the bound on the number of bodies that binds): each body counted gains by staying, at θ, and no other by
    coming; 0 where no bound binds.
    """
    low, high = problem.min_bodies or 0, problem.max_bodies
    last = float(counted[-1]) if len(counted) else 0.0
    if k == low and (last > 0 or high == low):
        return -last, low
    if high is not None and k == high:
        return max(0.0, -last), high
    return 0.0, k


class _Model:
    """The linearisations kept, by neighbourhood; the first of each is 0: no body there. errors: how far each lies above
    the bound at the best point, £. mix: their weights, 1 in all in each neighbourhood."""

    def __init__(self, seen: Seen):
        places = len(seen.parts)
        self.slopes = sparse.vstack([sparse.csr_matrix(seen.slopes.shape), seen.slopes]).tocsr()
        self.place = np.tile(np.arange(places), 2)
        self.errors = np.concatenate([-seen.parts, np.zeros(places)])
        self.mix = np.repeat([0.0, 1.0], places)
        self.idle = np.zeros(2 * places, dtype=np.int64)

    def direction(self, count: int) -> NDArray[np.float64]:
        """Slope of the model's mix: of Σ π − count × θ, and of what was priced."""
        return np.append(np.ones(self.slopes.shape[1] - 1), -float(count)) + self.slopes.T @ self.mix

    def mix_best(self, count: int, scale: NDArray[np.float64], tolerance: float) -> float:
        """Weigh the linearisations so that scale × direction is the step the model likes best; the mix's error, £."""
        order = np.argsort(self.place, kind="stable")
        first = np.concatenate(([0], np.cumsum(np.bincount(self.place))))
        parts = self.slopes.indptr, self.slopes.indices, self.slopes.data
        step = scale * self.direction(count)
        _mix(*parts, order, first, self.errors, scale, self.mix, step, SWEEPS, tolerance / len(first))
        return float(self.mix @ self.errors)

    def move(self, old: Seen, new: Seen) -> None:
        """The best point moves: every linearisation's error is measured from there, and the new ones join at none."""
        above = old.parts[self.place] + self.errors + self.slopes @ (new.point - old.point)
        self.errors = np.maximum(0.0, above - new.parts[self.place])
        self._join(new, np.zeros(len(new.parts)))

    def learn(self, best: Seen, trial: Seen) -> float:
        """The best point stays; the linearisations met elsewhere join. How far they lie above the bound, £."""
        above = trial.parts + trial.slopes @ (best.point - trial.point)
        errors = np.maximum(0.0, above - best.parts)
        self._join(trial, errors)
        return float(errors.sum())

    def _join(self, seen: Seen, errors: NDArray[np.float64]) -> None:
        places = len(seen.parts)
        self.idle = np.where(self.mix > 1e-9, 0, self.idle + 1)
        keep = self.idle < IDLE
        keep[:places] = True
        new = np.flatnonzero(np.diff(seen.slopes.indptr))
        self.slopes = sparse.vstack([self.slopes[keep], seen.slopes[new]]).tocsr()
        self.place = np.concatenate([self.place[keep], new])
        self.errors = np.concatenate([self.errors[keep], errors[new]])
        self.mix = np.concatenate([self.mix[keep], np.zeros(len(new))])
        self.idle = np.concatenate([self.idle[keep], np.zeros(len(new), dtype=np.int64)])
        lost = 1.0 - np.bincount(self.place, self.mix, places)
        self.mix[:places] += np.maximum(0.0, lost)


@numba.njit(cache=True)
def _mix(start, column, entry, order, first, errors, scale, mix, step, sweeps, tolerance):
    """Move weight between the worst pair of each neighbourhood's linearisations, sweep by sweep, until none helps:
    minimises the model's dual, ½ |direction|² + errors. step: kept equal to scale × direction.
    """
    gradient = np.empty(len(errors))
    dense = np.zeros(len(step))
    for _ in range(sweeps):
        worst = 0.0
        for b in range(len(first) - 1):
            for _ in range(3):
                low = high = -1
                for x in range(first[b], first[b + 1]):
                    c = order[x]
                    gradient[c] = errors[c]
                    for e in range(start[c], start[c + 1]):
                        gradient[c] += entry[e] * step[column[e]]
                    if low < 0 or gradient[c] < gradient[low]:
                        low = c
                    if mix[c] > 1e-12 and (high < 0 or gradient[c] > gradient[high]):
                        high = c
                if low < 0 or high < 0 or gradient[high] - gradient[low] <= tolerance:
                    break
                fall = gradient[high] - gradient[low]
                worst = max(worst, fall)
                bend = 0.0
                for e in range(start[low], start[low + 1]):
                    dense[column[e]] = entry[e]
                    bend += scale[column[e]] * entry[e] ** 2
                for e in range(start[high], start[high + 1]):
                    bend += scale[column[e]] * entry[e] * (entry[e] - 2 * dense[column[e]])
                move = mix[high] if bend <= 0 else min(mix[high], fall / bend)
                mix[low] += move
                mix[high] -= move
                for e in range(start[low], start[low + 1]):
                    step[column[e]] += move * scale[column[e]] * entry[e]
                    dense[column[e]] = 0.0
                for e in range(start[high], start[high + 1]):
                    step[column[e]] -= move * scale[column[e]] * entry[e]
        if worst <= tolerance:
            return
