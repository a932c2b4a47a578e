"""A whole problem being solved: search, prove, improve, with what is told on the way."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numba
import numpy as np
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.partition.attempt import Attempt
from optimiser.partition.bound import bound_value, starting_multipliers
from optimiser.partition.branches import Branch, children, plain, root
from optimiser.partition.budget import Budget, Progress
from optimiser.partition.districts import deal
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.tighten import NEAR, tighten

HOTTER, HOTTER_TRIES = 10.0, 3  # annealing where no valid partition was met
DISTRICT = 800  # units of a district to be improved, about
FEW_BODIES = 12  # so few that a relaxation gains by a fractional number of them
SMALL, PER_BODY = 150, 12  # units in all, and of a body, where charges on triples close the gap of any sets
PROVING = 0.5  # of the time, where it is short, for the root's bound
NEWS = 1e-4  # of the bound: a rise worth telling while it climbs
WORTH = 1e-5  # of the bound: a rise worth a branch
SAVING = 1e-6  # of the objective: less is none


class Run(Attempt):
    """The attempt at a whole problem, oversize units (fixed: what they cost, £ a year) set aside. lower: the bound
    proved, the least over `branches` or that of size alone (by_size)."""

    def __init__(
        self,
        problem: PartitionProblem,
        core: PartitionProblem,
        fixed: float,
        seed: int,
        budget: Budget,
        report: Callable[[Progress], None],
    ):
        super().__init__(core, np.random.default_rng(seed), budget, Clock(budget.seconds, budget.stop))
        self.problem, self.fixed, self.report = problem, fixed, report
        self.branches: list[Branch] = []
        self.by_size = plain(core)
        self.lower = self.by_size.bound

    def search(self, start: NDArray[np.int32] | None, heat: float) -> None:
        """As any attempt's, told."""
        super().search(start, heat)
        self.tell("search")

    def recombine(self) -> None:
        """As any attempt's, told."""
        super().recombine()
        self.tell("recombine")

    def prove(self) -> None:
        """The root's bound; then triples where bodies are connected sets or few, else branches on their number."""
        start = starting_multipliers(self.core, self.incumbent())
        if self.core.kept_labels:
            start = self.by_size.pi  # a poor partition's shares leave bodies worth so little that pricing them is dear
        self.pi, self.height = self.ascend(self.core, start, self.budget.rounds, PROVING, self._raise)
        self._proved([root(self.core, self.pi, self.height)])
        if self.relaxation.connected is not None or self._is_small():
            self._tighten()
        if self.relaxation.connected is None and self.bodies() <= FEW_BODIES:
            self._branch()

    def certify(self) -> None:
        """Every branch priced once more at its multipliers, which tells the charges that its bound rests on."""
        if self.relaxation.connected is None:
            self._proved([self._priced(branch) for branch in self.branches])

    def improve(self) -> bool:
        """Every district looks around; then integer programmes recombine what is known of each. No body is of two
        districts, so what they save adds up. True where that is anything.
        """
        before = self.guide.objective(self.incumbent())
        units = deal(self.flat, self.incumbent().astype(np.int64), self.rng, DISTRICT)
        parts = [self.part(kept) for kept in units] if len(units) > 1 else [self]
        count = numba.get_num_threads()  # new threads know nothing of the number allowed, and price in threads too
        each = max(1, count // len(parts))
        with ThreadPoolExecutor(count, initializer=numba.set_num_threads, initargs=(each,)) as threads:
            list(threads.map(lambda part: part.look_around(), parts))
        if self.height > self.lower and parts[0] is self and self.relaxation.connected is None:
            assert self.pi is not None
            self._proved([root(self.core, self.pi, self.height)])
        found, first = self.incumbent().copy(), 0
        for kept, part in zip(units, parts, strict=True):
            if not self.clock.over():
                part.recombine()
            found[kept] = first + part.incumbent()
            first += part.bodies()
            if part is not self:
                self.pool.take(part.pool.bodies(), kept)
                self.late |= part.late
        self.keep(found)
        self.tell("improve")
        return self.guide.objective(self.incumbent()) < before - SAVING * abs(before)

    def persist(self) -> None:
        """Where no valid partition was met yet: hotter searches, then the integer programme over every body seen.

        Raises Infeasible where every possible body was tried, LimitReached where one that was not may do.
        """
        for _ in range(HOTTER_TRIES):
            if self.best is None and not self.clock.over():
                self.search(None, HOTTER)
        if self.best is None:
            self.recombine()
        if self.best is None and self.every_body:
            raise Infeasible(
                Problem(
                    f"{self.problem.name}: {self.core.units} units can form {2**self.core.units - 1:,} bodies, "
                    f"{len(self.pool):,} of which keep the rules, and no set of these holds every unit exactly once",
                    mend="Widen the size bounds or reach, add links, or drop a pin.",
                )
            )
        if self.best is None:
            why, more = "the search is not a proof", "Widen"
            if self.late or self.clock.over():
                why, more = "the time limit cut the search short", "Allow more time, widen"
            raise LimitReached(
                Problem(
                    f"{self.problem.name}: no partition that keeps every rule was found",
                    rule=f"One may exist: {why}.",
                    mend=f"{more} the size bounds or reach, add links, drop a pin, or try another seed.",
                )
            )

    def close(self) -> bool:
        """Proved as near to the best as was asked."""
        value = self.core.objective(self.incumbent())
        return value - self.lower <= self.budget.gap * abs(value)

    def tell(self, stage: str) -> None:
        """Report where things stand."""
        value = np.inf if self.best is None else self.core.objective(self.best) + self.fixed
        alone = self.problem.units - self.core.units
        count = alone + (0 if self.best is None else self.bodies())
        self.report(Progress(self.problem.name, stage, self.clock.elapsed(), self.lower + self.fixed, value, count))

    def _raise(self, bound: float) -> None:
        if bound > self.lower + NEWS * abs(bound):
            self.lower = bound
            self.tell("bound")

    def _is_small(self) -> bool:
        """Whether charges on triples are worth their price where sets are not met one by one."""
        small = self.core.units <= min(SMALL, PER_BODY * self.bodies())
        return small and not self.core.contiguous and not self.core.kept_labels

    def _branch(self) -> None:
        """The weakest branch is cut in three at a number of bodies, while that can raise the least bound."""
        while len(self.branches) < self.budget.branches and not self.clock.over() and not self.close():
            weakest = min(self.branches, key=lambda b: (b.bound, b.fewest))
            if weakest.fewest == weakest.most:
                break
            cut: list[Branch] = []
            for child in children(weakest, self.bodies(), self.core):
                pi, height = self.ascend(child.of(self.core), child.pi, self.budget.rounds // 2)
                child = self._at_most(replace(child, pi=pi, bound=height))
                if child.bound <= weakest.bound + WORTH * abs(weakest.bound):
                    return
                cut.append(child)
            self._proved([*(b for b in self.branches if b is not weakest), *cut])

    def _priced(self, branch: Branch) -> Branch:
        """The branch with its bound from a pricing of its own."""
        problem = self.core if len(self.branches) == 1 else branch.of(self.core)
        value = self.core.objective(self.incumbent())
        priced = self.relaxation.price_for_good(problem, branch.pi, abs(value) / self.bodies(), branch.triples)
        bound = bound_value(problem, branch.pi, priced.least) - float(branch.triples.charge.sum())
        return self._at_most(replace(branch, bound=bound, lines=priced.lines()))

    def _at_most(self, branch: Branch) -> Branch:
        """The branch with its bound no higher than the incumbent where that lies in another, which cannot win then.
        Where it lies in this one a higher bound is a fault, for `Plan.check_bounds` to see."""
        if branch.fewest <= self.bodies() <= branch.most:
            return branch
        return replace(branch, bound=min(branch.bound, self.core.objective(self.incumbent())))

    def _tighten(self) -> None:
        """Charges on triples raise the bound; the bodies they leave cheap join the pool."""
        assert self.pi is not None
        value = self.core.objective(self.incumbent())

        def see(height: float) -> bool:
            return value - height <= self.budget.gap * abs(value)

        known, _ = self.pool.columns(self.pi, NEAR * value / self.bodies(), self.budget.columns, [])
        work = self.budget.rounds, self.clock
        found = tighten(self.core, self.relaxation, self.pi, self.incumbent(), known, *work, see)
        self.pool.add(found.bodies)
        self._proved([root(self.core, found.pi, found.bound, found.triples)])

    def _proved(self, branches: list[Branch]) -> None:
        self.branches = branches
        self.lower = max(self.by_size.bound, min(b.bound for b in branches))
        self.tell("bound")
