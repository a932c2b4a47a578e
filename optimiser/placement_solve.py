"""Solving the placement programme with HiGHS: relax, make an answer near that, search wherever a better one could be.

PuLP's own status is not believed: the bound, the solution status and the answer are read from HiGHS itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.errors import Infeasible, Problem, SolverError
from optimiser.highs import FEASIBLE, Solver, run
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
MOVES = 0.1  # part of the time left for each search by moves
SLACK = 1e-6  # £ thousand: what the solver may err in a reduced cost
BROKEN = 1e-4  # part of a pool's greatest reserve by which a piece must be broken to be added


See = Callable[[str, float, float], None]


@dataclass(frozen=True)
class Answer:
    """What the solver found (None without a solution) and proved (£, constants included; −inf when nothing).
    cut_by_clock: a clock ended some of the work, or somebody who asked to stop."""

    picks: Picks | None
    bound: float
    status: str
    cut_by_clock: bool


class _Highs(Solver):
    """Relaxes, adding broken pieces of insurance; makes an answer near the relaxation; then searches among the columns
    that could be part of anything better. `proved` is the bound, in the model's unit. see: told the stage, the bound
    and the worth of the answer (£)."""

    def __init__(self, ground: Ground, programme: Programme, search: Search, clock: Clock, gap: float, see: See):
        super().__init__(clock, gap, **PLAIN)
        self.ground, self.programme, self.search = ground, programme, search
        self.see, self.proved = see, -np.inf
        picks = search.from_scratch(clock.part(MOVES))
        self.worth = np.inf if picks is None else worth(self.ground, picks)
        self.picks = picks if np.isfinite(self.worth) else None
        self._tell("search")

    def callSolver(self, lp: pulp.LpProblem) -> None:
        highs = lp.solverModel
        whole = np.array([v.index for v in lp.variables() if v.cat == pulp.LpInteger], dtype=np.int32)
        self._integrality(highs, whole, highspy.HighsVarType.kContinuous)
        relaxed = self._relax(highs)
        z = np.array([v.index for v in self.programme.z.values()], dtype=np.int32)
        if relaxed and not self.clock.over():
            self._round(np.array(highs.getSolution().col_value)[z])
        self._tell("bound")
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
        run(highs, self.clock)
        self.proved = max(self.proved, min(float(highs.getInfo().mip_dual_bound), best))

    def _tell(self, stage: str) -> None:
        self.see(stage, self.proved * UNIT + self.programme.constant, self.worth)

    def _round(self, value: NDArray[np.float64]) -> None:
        """Start from the best answer near the relaxation, where that is better than the one given."""
        near = dict(zip(self.programme.z, value.tolist(), strict=True))
        picks = self.search.near(near, self.clock.part(MOVES))
        if picks is not None and (near_worth := worth(self.ground, picks)) < self.worth:
            self.worth, self.picks = near_worth, picks

    def _columns(self, picks: Picks) -> NDArray[np.float64]:
        first = [option.anchors[0] for option in self.ground.options]
        return np.array([float(picks[first[o], s] == o) for o, s in self.programme.z])

    def _relax(self, highs: highspy.Highs) -> bool:
        """Solve the relaxation until no piece is broken; whether it was solved at all."""
        highs.setOptionValue("solver", "ipm")
        solved = False
        for _ in range(ROUNDS):
            run(highs, self.clock)
            highs.setOptionValue("solver", "simplex")
            if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break
            solved, self.proved = True, highs.getObjectiveValue()
            self._tell("bound")
            if not self._add_broken(highs):
                break
        highs.setOptionValue("solver", "choose")
        return solved and highs.getModelStatus() == highspy.HighsModelStatus.kOptimal

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


def solve(ground: Ground, programme: Programme, search: Search, clock: Clock, gap: float, see: See) -> Answer:
    """Solve within the time left and a relative gap. Raises Infeasible when HiGHS proves that nothing satisfies the
    rules, SolverError when it stops for any reason but its limits."""
    solver = _Highs(ground, programme, search, clock, gap, see)
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
    cut = clock.over() or search.late or status in ("TimeLimit", "Interrupt")
    return Answer(solver.picks, solver.proved * UNIT + programme.constant, status, cut)


def in_haste(ground: Ground, search: Search) -> Answer:
    """An answer where no time is left to prove anything."""
    picks = search.from_scratch(Clock(0.0))
    found = picks is not None and np.isfinite(worth(ground, picks))
    return Answer(picks if found else None, -np.inf, "NotSet", cut_by_clock=True)


def worth(ground: Ground, picks: Picks) -> float:
    """£ a year of an answer; inf where it breaks a rule."""
    try:
        return evaluate(ground, picks).total
    except SolverError:
        return np.inf


def _read(ground: Ground, programme: Programme) -> Picks | None:
    picks = np.full((len(ground.anchors), len(ground.variance)), -1, dtype=np.int64)
    for (o, s), variable in programme.z.items():
        if (variable.varValue or 0) > 0.5:
            picks[list(ground.options[o].anchors), s] = o
    return picks if (picks >= 0).all() else None
