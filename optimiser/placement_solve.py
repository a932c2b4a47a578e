"""Solving the placement programme with HiGHS: relax, make an answer near that, search wherever a better one could be.

PuLP's own status is not believed: the bound, the solution status and the answer are read from HiGHS itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray

from optimiser.errors import Infeasible, Problem, SolverError
from optimiser.placement_costs import Ground
from optimiser.placement_programme import UNIT, Programme
from optimiser.placement_start import Search
from optimiser.placement_value import Picks, evaluate

ROUNDS = 40  # of added pieces before the integer search
NODES = 5_000  # columns × nodes of the search: it ends at the same place on any machine, unless time ends it first
# The solver's own ways to an answer cost minutes here and seldom beat moves made near the relaxation.
PLAIN = {
    "mip_heuristic_effort": 0.01,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_root_reduced_cost": False,
    "mip_allow_restart": False,
    "mip_detect_symmetry": False,
}
MOVES = 0.1  # part of the time for each search by moves
SLACK = 1e-6  # £ thousand: what the solver may err in a reduced cost
FEASIBLE = 2  # HiGHS's word for a feasible primal solution
BROKEN = 1e-4  # part of a pool's greatest reserve by which a piece must be broken to be added


@dataclass(frozen=True)
class Answer:
    """What the solver found (None without a solution) and proved (£, constants included; −inf when nothing)."""

    picks: Picks | None
    bound: float
    status: str


class _Highs(pulp.HiGHS):
    """Relaxes, adding broken pieces of insurance; makes an answer near the relaxation; then searches among the columns
    that could be part of anything better. `proved` is the bound, in the model's unit."""

    def __init__(self, ground: Ground, programme: Programme, search: Search, seconds: float, gap: float):
        super().__init__(msg=False, gapRel=gap, **PLAIN)
        self.ground, self.programme, self.search = ground, programme, search
        self.began, self.seconds, self.proved = monotonic(), seconds, -np.inf
        picks = search.from_scratch(MOVES * seconds)
        self.worth = np.inf if picks is None else self._worth(picks)
        self.picks = picks if np.isfinite(self.worth) else None

    def callSolver(self, lp: pulp.LpProblem) -> None:
        highs = lp.solverModel
        whole = np.array([v.index for v in lp.variables() if v.cat == pulp.LpInteger], dtype=np.int32)
        self._integrality(highs, whole, highspy.HighsVarType.kContinuous)
        relaxed = self._relax(highs)
        z = np.array([v.index for v in self.programme.z.values()], dtype=np.int32)
        if relaxed:
            self._round(np.array(highs.getSolution().col_value)[z])
        dear = np.array(highs.getSolution().col_dual)[z] if relaxed else np.zeros(len(z))
        self._integrality(highs, whole, highspy.HighsVarType.kInteger)
        best = (self.worth - self.programme.constant) / UNIT
        possible = (dear <= best - self.proved + SLACK) if relaxed else np.ones(len(z), bool)
        known = None if self.picks is None else self._columns(self.picks)
        if known is not None:
            possible |= known > 0
        highs.setOptionValue("mip_max_nodes", max(1, NODES // highs.getNumCol()))
        highs.changeColsBounds(len(z), z, np.zeros(len(z)), possible.astype(float))
        if known is not None:
            highs.setSolution(len(z), z, known)
        self._run(highs)
        self.proved = max(self.proved, min(float(highs.getInfo().mip_dual_bound), best))

    def _round(self, value: NDArray[np.float64]) -> None:
        """Start from the best answer near the relaxation, where that is better than the one given."""
        near = dict(zip(self.programme.z, value.tolist(), strict=True))
        picks = self.search.near(near, MOVES * self.seconds)
        if picks is not None and (worth := self._worth(picks)) < self.worth:
            self.worth, self.picks = worth, picks

    def _worth(self, picks: Picks) -> float:
        try:
            return evaluate(self.ground, picks).total
        except SolverError:
            return np.inf

    def _columns(self, picks: Picks) -> NDArray[np.float64]:
        first = [option.anchors[0] for option in self.ground.options]
        return np.array([float(picks[first[o], s] == o) for o, s in self.programme.z])

    def findSolutionValues(self, lp: pulp.LpProblem) -> tuple[int, int]:
        """Values by variable; the stock version knows no answer to a node limit and believes every status."""
        highs = lp.solverModel
        if int(highs.getInfo().primal_solution_status) != FEASIBLE:
            return pulp.LpStatusNotSolved, pulp.LpSolutionNoSolutionFound
        for variable, value in zip(lp.variables(), highs.getSolution().col_value, strict=False):
            variable.varValue = value
        return pulp.LpStatusOptimal, pulp.LpSolutionIntegerFeasible

    def _relax(self, highs: highspy.Highs) -> bool:
        """Solve the relaxation until no piece is broken; whether it was solved at all."""
        highs.setOptionValue("solver", "ipm")
        solved = False
        for _ in range(ROUNDS):
            self._run(highs)
            highs.setOptionValue("solver", "simplex")
            if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break
            solved, self.proved = True, highs.getObjectiveValue()
            if not self._add_broken(highs):
                break
        highs.setOptionValue("solver", "choose")
        return solved and highs.getModelStatus() == highspy.HighsModelStatus.kOptimal

    def _run(self, highs: highspy.Highs) -> None:
        highs.setOptionValue("time_limit", max(0.1, self.began + self.seconds - monotonic()))
        highs.run()

    @staticmethod
    def _integrality(highs: highspy.Highs, columns: NDArray[np.int32], kind: highspy.HighsVarType) -> None:
        highs.changeColsIntegrality(len(columns), columns, np.array([kind] * len(columns)))

    def _add_broken(self, highs: highspy.Highs) -> bool:
        value = highs.getSolution().col_value
        added = False
        for pool in self.programme.pools:
            part = np.array([sum(value[v.index] for v in vs) for vs in pool.held])
            slopes = pool.slopes(np.argsort(-part, kind="stable"))
            if slopes @ part > value[pool.reserve.index] + BROKEN:
                columns = [pool.reserve.index] + [v.index for vs in pool.held for v in vs]
                values = [1.0] + [-float(m) for vs, m in zip(pool.held, slopes, strict=True) for _ in vs]
                highs.addRow(0.0, highspy.kHighsInf, len(columns), np.array(columns, dtype=np.int32), np.array(values))
                added = True
        return added


def solve(ground: Ground, programme: Programme, search: Search, seconds: float, gap: float) -> Answer:
    """Solve within a time limit (s) and relative gap. Raises Infeasible when HiGHS proves that nothing satisfies the
    rules, SolverError when it stops for any reason but its limits."""
    solver = _Highs(ground, programme, search, seconds, gap)
    programme.model.solve(solver)
    highs = programme.model.solverModel
    status = str(highs.getModelStatus()).rsplit(".k", 1)[-1]
    if status in ("Infeasible", "UnboundedOrInfeasible"):
        problem = "no way to place every service keeps the firm wishes and the limit on relationships"
        raise Infeasible(Problem(problem, "wishes"))
    if status not in ("Optimal", "TimeLimit", "SolutionLimit", "Interrupt"):
        raise SolverError(f"HiGHS stopped: {status}")
    found = _read(ground, programme) if int(highs.getInfo().primal_solution_status) == FEASIBLE else None
    if found is not None and evaluate(ground, found).total < solver.worth:
        solver.picks = found
    return Answer(solver.picks, solver.proved * UNIT + programme.constant, status)


def _read(ground: Ground, programme: Programme) -> Picks | None:
    picks = np.full((len(ground.anchors), len(ground.variance)), -1, dtype=np.int64)
    for (o, s), variable in programme.z.items():
        if (variable.varValue or 0) > 0.5:
            picks[list(ground.options[o].anchors), s] = o
    return picks if (picks >= 0).all() else None
