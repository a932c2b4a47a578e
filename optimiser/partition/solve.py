"""The driver: reads as the algorithm. Search finds plans, pricing proves how good they are, a set-partitioning programme recombines."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.partition import bound, pool, search
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem, canonical, steered


@dataclass(frozen=True)
class Budget:
    """How much work to do: counts, so that a seed gives the same bytes on any machine; `seconds` is only a last resort."""

    rounds: int = 150
    moves: int = 400_000
    cycles: int = 3
    gap: float = 1e-4
    seconds: float = 600.0
    nearest: int = 160
    columns: int = 20_000


@dataclass(frozen=True)
class Progress:
    """One line of progress: seconds since the start, bound and incumbent in £ a year, number of bodies, what is going on."""

    name: str
    stage: str
    seconds: float
    bound: float
    incumbent: float
    bodies: int

    @property
    def gap(self) -> float:
        """(incumbent − bound) / incumbent, a fraction."""
        return (self.incumbent - self.bound) / self.incumbent if np.isfinite(self.incumbent) and self.incumbent else 1.0


@dataclass(frozen=True)
class Solution:
    """assignment: body number per unit. objective and bound in £ a year. pi: multipliers by unit (0 for oversize ones).
    step: weight step of the published bound. cut_by_clock: the time limit stopped the work, so another run may differ."""

    assignment: NDArray[np.int32]
    objective: float
    bound: float
    pi: NDArray[np.float64]
    step: int
    cut_by_clock: bool


def solve(
    problem: PartitionProblem,
    seed: int,
    budget: Budget = Budget(),
    start: NDArray[np.int32] | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    prove: bool = True,
) -> Solution:
    """Best partition found within the budget and, with `prove`, a bound valid for the true weights (else −inf).

    Raises Infeasible with the arithmetic when the rules cannot be met, LimitReached when no valid partition was found.
    """
    problem.check_feasible()
    core, fixed, restore = set_aside(problem)
    if core is None:
        assignment = restore(np.empty(0, np.int32))
        return Solution(assignment, fixed, fixed, np.zeros(problem.units), problem.weight_step, False)
    guide = steered(core)
    clock = _Clock(budget.seconds)
    rng = np.random.default_rng(seed)
    bodies = pool.Pool(guide)
    best = _search(guide, rng, budget, None if start is None else start[restore.kept], bodies, hot=0.3)
    lower, pi, tables, ascent = -np.inf, None, None, None
    for cycle in range(budget.cycles):
        value = guide.objective(best) if best is not None else np.inf
        report(_progress(problem, "search", clock, lower + fixed, core, best, fixed))
        if prove and best is not None and not clock.over():
            if ascent is None:
                tables = bound.pricing(core, core.weight_step, budget.nearest)
                ascent = bound.Ascent(core, tables, bound.starting_multipliers(core, best))
            for turn in range(max(1, budget.rounds // budget.cycles)):
                bodies.add(ascent.round(core.objective(best)))
                lower = ascent.best
                if turn % 10 == 9:
                    report(_progress(problem, "bound", clock, lower + fixed, core, best, fixed))
                if clock.over() or core.objective(best) - lower <= budget.gap * abs(core.objective(best)):
                    break
            pi = ascent.best_pi
        if clock.over():
            break
        found = _search(guide, rng, budget, best, bodies, hot=0.05 / (cycle + 1))
        if found is not None and (best is None or guide.objective(found) < value - 1e-6):
            best = found
        if best is None:
            continue
        bodies.add_partition(best)
        slack = max(0.0, guide.objective(best) - lower) if np.isfinite(lower) else np.inf
        keep = [tuple(int(i) for i in np.flatnonzero(best == b)) for b in np.unique(best)]
        columns, costs = bodies.columns(pi, slack, budget.columns, keep)
        found = pool.recombine(guide, columns, costs, max(1.0, min(60.0, clock.left())))
        if found is not None and guide.objective(found) < guide.objective(best) - 1e-6:
            best = found
        report(_progress(problem, "recombine", clock, lower + fixed, core, best, fixed))
    if best is None or (broken := guide.violations(best)):
        detail = broken[0] if best is not None else "no partition that keeps every rule was found"
        if clock.over():
            raise LimitReached(Problem(f"{problem.name}: time limit reached; {detail}", mend="Allow more time."))
        raise Infeasible(
            Problem(f"{problem.name}: {detail}", mend="Widen the size bounds or reach, add links, or drop a pin.")
        )
    step = core.weight_step
    if pi is not None:
        step = max(1, core.weight_step // 4)
        lower = bound.published_bound(core, pi, step)
    assignment = canonical(restore(best))
    full_pi = np.zeros(problem.units)
    if pi is not None:
        full_pi[restore.kept] = pi
    objective = problem.objective(assignment)
    report(_progress(problem, "done", clock, lower + fixed, core, best, fixed))
    return Solution(assignment, objective, lower + fixed, full_pi, step, clock.over())


def _search(guide, rng, budget: Budget, start, bodies: pool.Pool, hot: float) -> NDArray[np.int32] | None:
    """One annealing run from `start` (or from a greedy partition); hot: first temperature, as a share of a body's cost."""
    flat = search.ground(guide)
    body = search.starting_partition(guide) if start is None else start.astype(np.int64)
    body = body.copy()
    scale = guide.objective(start) / len(np.unique(start)) if start is not None else _typical_cost(guide)
    chunks = 8
    per_chunk = max(1, budget.moves // chunks)
    best, best_cost = None, np.inf
    for c in range(chunks):
        heat = hot * scale * 0.02 ** (c / chunks)
        cool = hot * scale * 0.02 ** ((c + 1) / chunks)
        found, cost = search.anneal(
            *flat.arrays(), body, per_chunk, heat, cool, rng, 0.02, 12,
            -1 if guide.max_bodies is None else guide.max_bodies, -1 if guide.min_bodies is None else guide.min_bodies,
        )  # fmt: skip
        bodies.add_partition(found.astype(np.int32))
        bodies.add_partition(body.astype(np.int32))
        if cost < best_cost and not guide.violations(found.astype(np.int32)):
            best, best_cost = canonical(found.astype(np.int32)), cost
    return best


def _typical_cost(problem: PartitionProblem) -> float:
    """£ a year of one body of the cheapest size per head: sets the first temperature."""
    top = min(problem.hi, int(problem.weights.sum()))
    sizes = np.unique(np.linspace(max(1, min(problem.lo, top)), top, 500).astype(np.int64))
    cost = problem.size_cost(sizes)
    return float(cost[np.argmin(cost / sizes)])


def _progress(problem, stage, clock, lower, core, best, fixed) -> Progress:
    value = core.objective(best) + fixed if best is not None else np.inf
    alone = problem.units - core.units
    count = (len(np.unique(best)) if best is not None else 0) + alone
    return Progress(problem.name, stage, clock.elapsed(), lower, value, count)


class _Clock:
    """Monotonic time against a limit."""

    def __init__(self, limit: float):
        self._start, self._limit = time.monotonic(), limit

    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def left(self) -> float:
        return self._limit - self.elapsed()

    def over(self) -> bool:
        return self.left() <= 0


def without_proof(budget: Budget) -> Budget:
    """The same search effort with no pricing rounds."""
    return replace(budget, rounds=0)
