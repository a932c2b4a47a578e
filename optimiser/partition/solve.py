"""The driver: reads as the algorithm. Search finds plans, pricing proves how good they are, an integer programme
recombines them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.attempt import HEAT
from optimiser.partition.branches import Branch
from optimiser.partition.budget import Budget, Progress
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem, canonical
from optimiser.partition.run import Run

DEFAULT_BUDGET = Budget()


@dataclass(frozen=True)
class Solution:
    """assignment: body number per unit. objective and bound in £ a year. branches: what the bound is the least of, with
    multipliers by unit of the core problem (oversize units left out). relaxation: which sets they let bodies be.
    cut_by_clock: the time limit stopped the work, so another run may differ."""

    assignment: NDArray[np.int32]
    objective: float
    bound: float
    branches: tuple[Branch, ...]
    relaxation: str
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
        return Solution(assignment, fixed, fixed, (), "sets", restore.kept, False)
    run = Run(problem, core, fixed, seed, budget, report)
    run.search(None if start is None else canonical(start[restore.kept]), HEAT)
    run.search(run.best, HEAT)
    run.persist()
    if prove:
        run.prove()
        run.recombine()
        idle = 0
        for _ in range(budget.turns):
            if 2 * idle >= budget.turns or run.clock.over() or run.close():
                break
            idle = 0 if run.improve() else idle + 1
        run.certify()
    least = min((branch.bound for branch in run.branches), default=-np.inf)
    branches = run.branches if least > run.by_size.bound else [run.by_size]
    assignment = canonical(restore(run.incumbent()))
    run.tell("done")
    return Solution(
        assignment,
        problem.objective(assignment),
        run.lower + fixed,
        tuple(branches),
        run.relaxation.name,
        restore.kept,
        run.late or run.clock.over(),
    )
