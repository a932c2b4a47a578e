"""A programme in HiGHS: relaxed with ever more pieces, or searched; at prices and with decisions that may change.

PuLP's own status is not believed: bounds, statuses and answers are read from HiGHS itself.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.errors import SolverError
from optimiser.highs import FEASIBLE, Solver, run
from optimiser.placement_cuts import broken
from optimiser.placement_programme import UNIT, Programme

DIGITS = 7  # of £ thousands: prices leave costs of 1e-17, over which HiGHS may search for ever
Cell = tuple[int, int]  # option, service
Floats = NDArray[np.float64]
BARRIER = 5_000  # columns from which all rounds but the last end inside, by interior points: that is faster, and breaks
# more pieces at once, than going from corner to corner
LATE = {"mip_allow_restart": False, "mip_detect_symmetry": False}  # what HiGHS does without a look at the clock
ENDED = ("Optimal", "TimeLimit", "SolutionLimit", "Interrupt")
STALLED = "Unknown"  # as HiGHS says it


class Model:
    """value: by column, of the last answer. dual: by row, of the last relaxation."""

    def __init__(self, programme: Programme):
        self.programme = programme
        solver = Solver(Clock(), 0.0, threads=1, **LATE)
        solver.createAndConfigureSolver(programme.model)
        solver.buildSolverModel(programme.model)
        self.highs: highspy.Highs = programme.model.solverModel
        self.z = {cell: v.index for cell, v in programme.z.items()}
        scale = 10.0**DIGITS
        self._cost = np.floor(np.array(self.highs.getLp().col_cost_) * scale) / scale  # never above: a bound stays one
        kinds = programme.model.variables()
        self._whole = np.array([v.index for v in kinds if v.cat == pulp.LpInteger], dtype=np.int32)
        self.value, self.dual, self.found = np.zeros(len(self._cost)), np.zeros(0), False

    def charge(self, prices: Mapping[Cell, float]) -> None:
        """Add prices (£) to the cost of cells, in place of those added before."""
        cost = self._cost.copy()
        for cell, price in prices.items():
            cost[self.z[cell]] += price / UNIT
        self.highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost.round(DIGITS))

    def decide(self, decided: Mapping[Cell, bool]) -> None:
        """Fix these cells, and no others."""
        columns = np.array(list(self.z.values()), dtype=np.int32)
        known = [decided.get(cell) for cell in self.z]
        low = np.array([float(d is True) for d in known])
        self.highs.changeColsBounds(len(columns), columns, low, np.array([float(d is not False) for d in known]))

    def cells(self) -> dict[Cell, float]:
        """The last answer, by cell."""
        return {cell: float(self.value[column]) for cell, column in self.z.items()}

    def relax(self, rounds: int, clock: Clock, anew: bool = True) -> float:
        """£ below which no answer is: the relaxation, solved at most `rounds` times with the pieces that it breaks in
        between. anew: nothing near it has been solved before. −inf where time ends it, inf where the decisions leave no
        answer."""
        self._kind(highspy.HighsVarType.kContinuous)
        wide, more, bound = anew and len(self._cost) >= BARRIER, True, -np.inf
        for left in range(rounds - 1, -1, -1):
            inside = wide and more and left > 0
            self.highs.setOptionValue("solver", "ipx" if wide else "simplex")
            self.highs.setOptionValue("run_crossover", "off" if inside else "on")
            status = self._run(clock, stalls=wide)
            if status == STALLED:  # the interior point came to rest short of an answer that counts
                wide = inside = False
                self.highs.setOptionValue("solver", "simplex")
                self.highs.setOptionValue("run_crossover", "on")
                status = self._run(clock)
            if status != "Optimal":
                return np.inf if status == "Infeasible" else bound
            solution = self.highs.getSolution()
            self.value, self.dual = np.array(solution.col_value), np.array(solution.row_dual)
            if not inside:
                bound = self.highs.getObjectiveValue() * UNIT + self.programme.constant
            more = left > 0 and self._add_broken()
            if not more and not inside:
                break
        return bound

    def search(self, near: float, tree: int, clock: Clock) -> float:
        """£ below which no answer is, by branch and bound, until within `near` £ of an answer or out of nodes. tree:
        columns × nodes. `found` says whether there is an answer; inf where the decisions leave none."""
        self._kind(highspy.HighsVarType.kInteger)
        self.highs.setOptionValue("solver", "choose")
        self.highs.setOptionValue("mip_abs_gap", max(0.0, near / UNIT))
        self.highs.setOptionValue("mip_max_nodes", max(1, tree // len(self._cost)))
        status = self._run(clock)
        info = self.highs.getInfo()
        self.found = int(info.primal_solution_status) == FEASIBLE
        if status == "Infeasible":
            return np.inf
        bound = float(info.mip_dual_bound) * UNIT + self.programme.constant
        if self.found:
            self.value = np.array(self.highs.getSolution().col_value)
            self._add_broken()
        return bound

    def start(self, chosen: Container[Cell]) -> None:
        """Begin the next search with these cells."""
        columns = np.array(list(self.z.values()), dtype=np.int32)
        self.highs.setSolution(len(columns), columns, np.array([float(cell in chosen) for cell in self.z]))

    def _kind(self, kind: highspy.HighsVarType) -> None:
        self.highs.changeColsIntegrality(len(self._whole), self._whole, np.array([kind] * len(self._whole)))

    def _run(self, clock: Clock, stalls: bool = False) -> str:
        """How HiGHS ended. stalls: whether it may end without knowing."""
        run(self.highs, Clock(clock.left(), clock.over))  # its own limit it may miss by minutes
        status = str(self.highs.getModelStatus()).rsplit(".k", 1)[-1]
        if status == "UnboundedOrInfeasible":
            return "Infeasible"
        if status not in (*ENDED, "Infeasible", *([STALLED] if stalls else [])):
            raise SolverError(f"HiGHS stopped: {status}")
        return status

    def _add_broken(self) -> bool:
        rows = list(broken(self.programme, self.value))
        for columns, values, least in rows:
            at = np.array(columns, dtype=np.int32)
            self.highs.addRow(least, highspy.kHighsInf, len(columns), at, np.array(values))
        return bool(rows)
