"""HiGHS as PuLP calls it, in a thread of its own: while it computes it hears neither Ctrl-C nor a request to stop."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import pulp

from optimiser.clock import Clock

FEASIBLE = 2  # HiGHS's word for a feasible primal solution
LEAST = 0.1  # seconds: with none at all HiGHS would not even look at the answer it is given
ASK_EVERY = 0.1  # seconds


def run(highs: highspy.Highs, clock: Clock) -> None:
    """Run the model until solved, at one of its own limits, out of time, or asked to stop. Its status says which."""
    highs.setOptionValue("time_limit", max(LEAST, clock.left()))
    if not highs.HandleUserInterrupt:
        highs.HandleUserInterrupt = True
    highs.startSolve()
    while not highs.wait(ASK_EVERY)[0]:
        if clock.stop():
            highs.cancelSolve()  # type: ignore[no-untyped-call]


class Solver(pulp.HiGHS):
    """PuLP's own, but heard, and read from HiGHS itself. start: values of variables, by name, to begin with; PuLP's own
    way to give them is lost on HiGHS."""

    def __init__(self, clock: Clock, gap: float, **options: Any):
        super().__init__(msg=False, gapRel=gap, **options)
        self.clock, self.start = clock, dict[str, float]()

    def callSolver(self, lp: pulp.LpProblem) -> None:
        """Run the model that PuLP has built."""
        known = [(v.index, self.start[v.name]) for v in lp.variables() if v.name in self.start]
        if known:
            index, value = zip(*known, strict=True)
            lp.solverModel.setSolution(len(known), np.array(index, dtype=np.int32), np.array(value))
        run(lp.solverModel, self.clock)

    def findSolutionValues(self, lp: pulp.LpProblem) -> tuple[int, int]:
        """Values by variable; the stock version knows no answer to some limits and believes every status."""
        highs = lp.solverModel
        if int(highs.getInfo().primal_solution_status) != FEASIBLE:
            return pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound
        for variable, value in zip(lp.variables(), highs.getSolution().col_value, strict=False):
            variable.varValue = value
        return pulp.LpStatusOptimal, pulp.LpSolutionIntegerFeasible
