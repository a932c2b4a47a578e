"""The driver: reads as the algorithm. Search finds plans, pricing proves how good they are, a set-partitioning
programme recombines.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.partition import pool, search
from optimiser.partition.ascent import Branch, ascend, children, publish, root
from optimiser.partition.bound import rough, starting_multipliers
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem, canonical, steered


@dataclass(frozen=True)
class Budget:
    """How much work to do: counts, so that a seed gives the same bytes on any machine; `seconds` is only a last resort.

    moves: of each annealing run. rounds: pricings at the root and, half as many, in each branch. branches: most of
    them. gap: stop when proved this close. columns: most bodies offered to the integer programme. cells: knapsack cells
    spent on the published bound.
    """

    moves: int = 300_000
    rounds: int = 40
    branches: int = 7
    gap: float = 1e-3
    seconds: float = 600.0
    columns: int = 5_000
    cells: float = 4e9


DEFAULT_BUDGET = Budget()


@dataclass(frozen=True)
class Progress:
    """One line of progress: seconds since the start, bound and incumbent in £ a year, number of bodies, what is going
    on.
    """

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
    """assignment: body number per unit. objective and bound in £ a year. branches: what the bound is the least of, with
    multipliers by unit of the core problem (oversize units left out). step: weight step of the published bound.
    cut_by_clock: the time limit stopped the work, so another run may differ."""

    assignment: NDArray[np.int32]
    objective: float
    bound: float
    branches: tuple[Branch, ...]
    kept: NDArray[np.int64]
    step: int
    cut_by_clock: bool


def solve(
    problem: PartitionProblem,
    seed: int,
    budget: Budget = DEFAULT_BUDGET,
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
        return Solution(assignment, fixed, fixed, (), restore.kept, problem.weight_step, False)
    run = _Run(problem, core, fixed, np.random.default_rng(seed), budget, report)
    run.search(None if start is None else start[restore.kept], heat=0.3)
    run.search(run.best, heat=0.05)
    branches = run.prove() if prove and run.best is not None else []
    run.recombine(branches)
    if branches and not run.clock.over():
        run.search(run.best, heat=0.02)
        run.recombine(branches)
    run.insist()
    coarse = max(1, core.weight_step // 5)
    branches, step = publish(core, branches, run.bodies(), coarse, budget.cells)
    lower = min((b.bound for b in branches), default=-np.inf)
    assignment = canonical(restore(run.incumbent()))
    run.tell("done", lower)
    return Solution(
        assignment, problem.objective(assignment), lower + fixed, tuple(branches), restore.kept, step, run.clock.over()
    )


class _Run:
    """What one solve holds while it works: the incumbent, the pool, the clock. `guide` is the problem the search sees
    (confidential wishes included); bounds and published objectives are those of `core`.
    """

    def __init__(self, problem, core, fixed, rng, budget, report):
        self.problem, self.core, self.fixed, self.guide = problem, core, fixed, steered(core)
        self.rng, self.budget, self.report = rng, budget, report
        self.clock = Clock(budget.seconds)
        self.pool = pool.Pool(self.guide)
        self.flat = search.flatten(self.guide)
        self.best: NDArray[np.int32] | None = None
        self.lower = -np.inf

    def search(self, start: NDArray[np.int32] | None, heat: float) -> None:
        """One annealing run; heat: first temperature as a share of a body's cost."""
        found = search.run(self.guide, self.flat, self.rng, self.budget.moves, start, heat, self.pool.add_partition)
        self._keep(found)
        self.tell("search", self.lower)

    def prove(self) -> list[Branch]:
        """The root's bound, then branches on the number of bodies, always the weakest next, while that can raise the
        least.
        """
        tables = rough(self.core, self.core.weight_step)
        start = starting_multipliers(self.core, self.incumbent())
        pi, height = self._ascend(self.core, tables, start, self.budget.rounds)
        branches = [root(self.core, pi, height)]
        while len(branches) < self.budget.branches and not self.clock.over() and not self._close(branches):
            weakest = min(branches, key=lambda b: (b.bound, b.fewest))
            if weakest.fewest == weakest.most:
                break
            branches.remove(weakest)
            for child in children(weakest, self.bodies()):
                pi, height = self._ascend(child.of(self.core), tables, child.pi, self.budget.rounds // 2)
                branches.append(replace(child, pi=pi, bound=max(height, weakest.bound)))
        return branches

    def recombine(self, branches: list[Branch]) -> None:
        """The best partition among the bodies seen, by integer programme."""
        if self.best is None:
            return
        self.pool.add_partition(self.best)
        weakest = min(branches, key=lambda b: (b.bound, b.fewest), default=None)
        slack = np.inf if weakest is None else max(0.0, self.guide.objective(self.best) - weakest.bound)
        keep = [tuple(int(i) for i in np.flatnonzero(self.best == b)) for b in np.unique(self.best)]
        columns, costs = self.pool.columns(weakest.pi if weakest else None, slack, self.budget.columns, keep)
        self._keep(pool.recombine(self.guide, columns, costs, max(1.0, min(30.0, self.clock.left()))))
        self.tell("recombine", self.lower)

    def insist(self) -> None:
        """Raise unless the incumbent keeps every rule."""
        broken = (
            ["no partition that keeps every rule was found"] if self.best is None else self.guide.violations(self.best)
        )
        if not broken:
            return
        name = self.problem.name
        if self.clock.over():
            raise LimitReached(Problem(f"{name}: time limit reached; {broken[0]}", mend="Allow more time."))
        raise Infeasible(
            Problem(f"{name}: {broken[0]}", mend="Widen the size bounds or reach, add links, or drop a pin.")
        )

    def incumbent(self) -> NDArray[np.int32]:
        """The best partition so far; call it only when there is one."""
        assert self.best is not None
        return self.best

    def bodies(self) -> int:
        """Bodies of the incumbent."""
        return len(np.unique(self.incumbent()))

    def tell(self, stage: str, lower: float) -> None:
        value = np.inf if self.best is None else self.core.objective(self.best) + self.fixed
        alone = self.problem.units - self.core.units
        count = alone + (0 if self.best is None else len(np.unique(self.best)))
        self.report(Progress(self.problem.name, stage, self.clock.elapsed(), lower + self.fixed, value, count))

    def _ascend(self, core, tables, start, rounds):
        value = self.core.objective(self.best)

        def see(bodies, height) -> bool:
            self.pool.add(bodies)
            return self.clock.over() or value - height <= self.budget.gap * abs(value)

        pi, height = ascend(core, tables, start, value, rounds, see)
        self.tell("bound", height)
        return pi, height

    def _close(self, branches: list[Branch]) -> bool:
        self.lower = min(b.bound for b in branches)
        value = self.core.objective(self.best)
        return value - self.lower <= self.budget.gap * abs(value)

    def _keep(self, found: NDArray[np.int32] | None) -> None:
        if found is None or self.guide.violations(found):
            return
        if self.best is None or self.guide.objective(found) < self.guide.objective(self.best) - 1e-6:
            self.best = found


class Clock:
    """Monotonic time against a limit, in seconds."""

    def __init__(self, limit: float):
        self._start, self._limit = time.monotonic(), limit

    def elapsed(self) -> float:
        return time.monotonic() - self._start

    def left(self) -> float:
        return self._limit - self.elapsed()

    def over(self) -> bool:
        return self.left() <= 0
