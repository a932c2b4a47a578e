"""The last of the bound where bodies are small: triples, charged by a linear programme over the bodies that matter.

    min Σ cost(B) x_B,   Σ_{B ∋ i} x_B = 1 for every unit i,   a ≤ Σ x_B ≤ b,   Σ_{B holds T} x_B ≤ 1 for triples T

Its duals are multipliers π and charges σ; pricing at those gives a bound, and bodies that the programme lacks; its
solution shows which triples it breaks. It begins with the bodies of low reduced cost and adds what is met, until
nothing is missing. Multipliers may leave the best ones known by a share of a unit's size cost only (a unit may be over-
or under-covered at that price), or those of the first rounds would be wild: the box of Marsten, Hogan and Blankenship
1975, Operations Research 23(3).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from optimiser import highs
from optimiser.clock import Clock
from optimiser.partition.bound import bound_value, last_counted
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.relaxation import EXACT, Relaxation
from optimiser.partition.triples import NONE, Holding, Triples, broken

Members = tuple[int, ...]
INF = np.inf

NEAR = 0.07  # reduced cost of the bodies to begin with, as a share of a typical body's cost
LIKELY = 0.01  # the same, of bodies likely in the best partition
KEPT = 20  # most of them by centre
MET = 3  # bodies by centre that one pricing adds
BOX = 0.2  # how far multipliers may move, as a share of a unit's size cost
SOME = 1e-6  # a share of a body that is neither none nor all


@dataclass(frozen=True)
class Tightened:
    """pi, triples: multipliers and charges. bound: LB(π, σ) in £ a year. bodies: those of low reduced cost under them,
    the incumbent's among them: what the best partition is most likely made of.
    """

    pi: NDArray[np.float64]
    triples: Triples
    bound: float
    bodies: list[Members]


def tighten(
    problem: PartitionProblem,
    relaxation: Relaxation,
    pi: NDArray[np.float64],
    incumbent: NDArray[np.int32],
    known: Iterable[Members],
    rounds: int,
    clock: Clock,
    see: Callable[[float], bool],
) -> Tightened:
    """Raise the bound from multipliers π with charges on triples, in at most `rounds` pricings.

    incumbent: body by unit of the best partition known. known: bodies to begin with. see(best bound so far) → True to
    stop early.
    """
    own = [tuple(np.flatnonzero(incumbent == b).tolist()) for b in np.unique(incumbent)]
    typical = problem.objective(incumbent) / len(own)
    exact = EXACT * typical
    best, last = _priced_for_good(problem, relaxation, pi, NONE, typical)
    programme = _Programme(problem, pi)
    programme.add(own)
    programme.add(known)
    programme.add(relaxation.price(pi, last + NEAR * typical, exact, most=KEPT).bodies())
    for _ in range(rounds):
        if see(best.bound) or clock.over() or not programme.solve(clock):
            break
        priced = relaxation.price(programme.pi, programme.per_body, exact, programme.triples, MET)
        bound = bound_value(problem, programme.pi, priced.least) - float(programme.triples.charge.sum())
        if bound > best.bound:
            best = Tightened(programme.pi, programme.triples, bound, [])
            programme.centre(best.pi)
        triples = broken(*programme.parted())
        if programme.add(priced.bodies()) + programme.charge(triples) == 0 and not programme.widen():
            break
    good, last = _priced_for_good(problem, relaxation, best.pi, best.triples, typical)
    likely = relaxation.price(best.pi, last + LIKELY * typical, exact, best.triples, KEPT).bodies()
    return Tightened(best.pi, best.triples, max(best.bound, good.bound), sorted({*own, *likely}))


def _priced_for_good(
    problem: PartitionProblem, relaxation: Relaxation, pi: NDArray[np.float64], triples: Triples, typical: float
) -> tuple[Tightened, float]:
    """The bound at multipliers and charges, and what bodies cost at its margin (0 where their number is free)."""
    priced = relaxation.price_for_good(problem, pi, typical, triples)
    bound = bound_value(problem, pi, priced.least) - float(triples.charge.sum())
    return Tightened(pi, triples, bound, []), last_counted(problem, priced.least)


class _Programme:
    """The linear programme, as HiGHS holds it: a row by unit, one for the number of bodies, then the triples; two
    columns by unit that over- and under-cover it, then the bodies. After `solve`: pi, per_body (the dual of the number
    of bodies), triples and their charges, share (of every body).
    """

    def __init__(self, problem: PartitionProblem, pi: NDArray[np.float64]):
        self._problem, self._holding, self._known = problem, Holding(), set[Members]()
        n = problem.units
        self._reach = BOX * np.maximum(np.abs(pi), problem.weights * problem.cheapest_per_head())
        fewest = problem.min_bodies or 0
        most = n if problem.max_bodies is None else problem.max_bodies
        self._highs = highspy.Highs()
        self._highs.setOptionValue("output_flag", False)
        ones, none = np.ones(n), np.empty(0)
        rows = np.append(ones, fewest), np.append(ones, most)
        self._highs.addRows(n + 1, *rows, 0, np.zeros(n + 1, np.int32), none.astype(np.int32), none)
        unit = np.arange(n, dtype=np.int32)
        for sign in (1.0, -1.0):
            self._highs.addCols(n, ones, np.zeros(n), np.full(n, INF), n, unit, unit, sign * ones)
        self._centre = pi
        self.centre(pi)

    def centre(self, pi: NDArray[np.float64]) -> None:
        """Multipliers may move around these."""
        n, self._centre = self._problem.units, pi
        price = np.concatenate([pi + self._reach, self._reach - pi])
        self._highs.changeColsCost(2 * n, np.arange(2 * n, dtype=np.int32), price)

    def widen(self) -> bool:
        """Let multipliers move twice as far, if any has gone as far as it may."""
        if not self._leans:
            return False
        self._reach = 2 * self._reach
        self.centre(self._centre)
        return True

    def add(self, bodies: Iterable[Members]) -> int:
        """Bodies that are new to it join; how many."""
        new = [body for body in bodies if body not in self._known]
        self._known.update(new)
        if new:
            n = self._problem.units
            rows = [[*body, n, *(n + 1 + t for t in self._holding.add_body(body))] for body in new]
            start = np.cumsum([0] + [len(r) for r in rows])
            index = np.concatenate(rows).astype(np.int32)
            zero, top = np.zeros(len(new)), np.full(len(new), INF)
            self._highs.addCols(
                len(new),
                self._costs(new),
                zero,
                top,
                len(index),
                start[:-1].astype(np.int32),
                index,
                np.ones(len(index)),
            )
        return len(new)

    def charge(self, triples: Iterable[tuple[int, int, int]]) -> int:
        """Triples join; how many."""
        count = 0
        for triple in triples:
            held = 2 * self._problem.units + np.array(self._holding.add_triple(triple), dtype=np.int32)
            self._highs.addRow(-INF, 1.0, len(held), held, np.ones(len(held)))
            count += 1
        return count

    def solve(self, clock: Clock) -> bool:
        """Solve it; False where the clock came first."""
        highs.run(self._highs, clock)
        if self._highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return False
        n, solution = self._problem.units, self._highs.getSolution()
        dual, value = np.array(solution.row_dual), np.array(solution.col_value)
        self.pi, self.per_body, self.share = dual[:n], float(dual[n]), value[2 * n :]
        units = np.array(self._holding.triples, dtype=np.int64).reshape(-1, 3)
        self.triples = Triples(units, np.maximum(0.0, -dual[n + 1 :]))
        self._leans = bool((value[: 2 * n] > SOME).any())
        return True

    def parted(self) -> tuple[list[Members], NDArray[np.float64]]:
        """Bodies of which it takes a share, and the shares."""
        some = np.flatnonzero((self.share > SOME) & (self.share < 1 - SOME))
        return [self._holding.bodies[k] for k in some], self.share[some]

    def _costs(self, bodies: list[Members]) -> NDArray[np.float64]:
        """£ a year of bodies, split charge apart."""
        p = self._problem
        order = np.argsort(p.owner, kind="stable")
        first = np.searchsorted(p.owner[order], np.arange(p.units + 1))
        cost = np.empty(len(bodies))
        for k, body in enumerate(bodies):
            members = np.array(body)
            centres = np.concatenate([order[first[i] : first[i + 1]] for i in body])
            cost[k] = p.costs[np.ix_(members, centres)].sum(axis=0).min()
        return cost + p.size_cost(np.array([int(p.weights[list(body)].sum()) for body in bodies]))
