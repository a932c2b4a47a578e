"""The driver: reads as the algorithm. Search finds plans, pricing proves how good they are, an integer programme
recombines them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.ascent import Branch, publish
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem, canonical
from optimiser.partition.run import Budget, Progress, Run

DEFAULT_BUDGET = Budget()


@dataclass(frozen=True)
class Solution:
    """assignment: body number per unit. objective and bound in £ a year. branches: what the bound is the least of, with
    multipliers by unit of the core problem (oversize units left out).
    cut_by_clock: the time limit stopped the work, so another run may differ."""

    assignment: NDArray[np.int32]
    objective: float
    bound: float
    branches: tuple[Branch, ...]
    kept: NDArray[np.int64]
    cut_by_clock: bool


def solve(
    problem: PartitionProblem,
    seed: int,
    budget: Budget = DEFAULT_BUDGET,
    start: NDArray[np.int32] | None = None,
    report: Callable[[Progress], None] = lambda _: None,
    prove: bool = True,
) -> Solution:
    """Best partition found within the budget and, a bound valid for the true weights: close with `prove`, plain
    without.

    Raises Infeasible with the arithmetic when the rules cannot be met, LimitReached when no valid partition was found.
    """
    problem.check_feasible()
    core, fixed, restore = set_aside(problem)
    if core is None:
        assignment = restore(np.empty(0, np.int32))
        return Solution(assignment, fixed, fixed, (), restore.kept, False)
    run = Run(problem, core, fixed, np.random.default_rng(seed), budget, report)
    run.search(None if start is None else canonical(start[restore.kept]), heat=3.0)
    run.search(run.best, heat=3.0)
    run.persist()
    branches = run.prove() if prove else []
    if branches and not run.clock.over():
        run.recombine(branches)
        run.search(run.best, heat=4.0)
        run.recombine(branches)
    coarse = max(1, core.weight_step // 5)
    branches = publish(core, branches, run.bodies(), coarse, 0.0 if run.clock.over() else budget.cells)
    lower = min(b.bound for b in branches)
    assignment = canonical(restore(run.incumbent()))
    run.tell("done", lower)
    return Solution(
        assignment,
        problem.objective(assignment),
        lower + fixed,
        tuple(branches),
        restore.kept,
        run.late or run.clock.over(),
    )
