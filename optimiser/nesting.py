"""Scales inside the bodies of the anchor scale and over them, one solve after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.dead_ends import DeadEnd, Outgrown, moved_whole, refuge
from optimiser.domain import Dataset
from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.partition.budget import Budget, Progress
from optimiser.partition.possible import witness
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.solve import Solution, solve
from optimiser.scenario import Scenario
from optimiser.units import scale_problem

Membership = NDArray[np.int32]  # body number by practice
Report = Callable[[Progress], None]

LEAST = Budget(moves=100, rounds=0, branches=1)  # yields a plan at all; hears neither the clock nor who asks to stop
ANCHOR_SHARE, NESTED_SHARE = 3.0, 1.0  # of the time, when it is short
DETOURS = 6  # times the anchor scale is solved again for the sake of practices that it strands


def silent(progress: Progress) -> None:
    """Tell nobody."""


class Work:
    """Deals a budget out to one solve after another: each gets its share of the time that is left, and the least work
    once none is. budget.seconds: for all of them. owed: the sum of the shares to come. cut: scales that got less than
    their work. kept: whether there is something to keep already when somebody asks to stop.
    """

    def __init__(self, budget: Budget, owed: float, kept: bool):
        self.budget, self.owed, self.cut, self.kept = budget, owed, set[str](), kept
        self.clock = Clock(budget.seconds, budget.stop)

    def solve(
        self,
        problem: PartitionProblem,
        seed: int,
        share: float,
        report: Report,
        prove: bool = True,
        start: Membership | None = None,
    ) -> Solution:
        """As optimiser.partition.solve, within `share` of what is owed."""
        part, self.owed = self.clock.part(share / self.owed), self.owed - share
        found = None
        if not part.over():
            try:
                budget = replace(self.budget, seconds=part.left())
                found = solve(problem, seed, budget, start, report, prove)
            except LimitReached:
                if part.stop() and not self.kept:
                    raise
                if not part.over():
                    start = witness(problem, part.over)
                    if start is None:
                        raise
                    found = solve(problem, seed, budget, start, report, prove)
        if found is None or found.cut_by_clock:
            self.cut.add(problem.name)
        self.kept = True
        return found or solve(problem, seed, LEAST, start, report, prove=False)


@dataclass
class Nesting:
    """What is the same for every nested solve. prove: bounds too, which sharpens the search. ties: practices kept
    together so far because bodies that part them strand one of them at a smaller scale. apart: bodies of each scale
    planned by itself; walls: those of them that the anchor's bodies may not leave, since others fitted none."""

    dataset: Dataset
    scenario: Scenario
    seed: int
    work: Work
    report: Report = silent
    prove: bool = True
    ties: list[tuple[int, int]] = field(default_factory=list)
    apart: Mapping[str, Membership] = field(default_factory=dict)
    walls: dict[str, Membership] = field(default_factory=dict)

    def around(self, anchored: Membership) -> dict[str, Membership]:
        """Membership at every scale, from that of the anchor scale outwards.

        Where the anchor's bodies strand practices of a smaller scale, these are tied to the neighbours they need and
        the anchor scale is solved again; where no body of a larger scale can hold them, it is solved again inside
        bodies of that scale. Raises LimitReached when no plan was found so.
        """
        for _ in range(DETOURS):
            try:
                return self._scales(anchored)
            except DeadEnd as stuck:
                more = [t for i in stuck.practices for t in refuge(self.dataset, self.scenario, stuck.scale, i)]
                if set(more) <= set(self.ties):
                    break
                self.ties += more
                anchored = self._again(anchored)
            except Outgrown as stuck:
                anchored = self._inside(stuck.scale, anchored)
        return self._scales(anchored, last=True)

    def _inside(self, scale: str, anchored: Membership) -> Membership:
        """The anchor scale solved again inside bodies of a larger scale planned by itself; its last bodies where that
        cannot be done."""
        self.walls[scale] = self.apart[scale]
        try:
            return self._again(anchored)
        except LimitReached:
            self.walls[scale] = np.zeros_like(anchored)
            return anchored

    def _again(self, anchored: Membership) -> Membership:
        """The anchor scale solved with practices tied and inside its walls, from its last bodies where a few moves mend
        those. Where no time is left that mending is all: the least work from there would only be luck."""
        anchor = self.scenario.scale(self.scenario.anchor_scale)
        inside = None
        if self.walls:
            cell = np.unique(list(self.walls.values()), axis=1, return_inverse=True)[1]
            inside = cell.ravel().astype(np.int32)
        tied = scale_problem(self.dataset, self.scenario, anchor, inside=inside, tied=self.ties)
        mended = moved_whole(tied, anchored)
        if mended is not None and self.work.clock.over():
            return tied.membership(mended)
        self.work.owed += ANCHOR_SHARE
        return tied.membership(self._solve(tied.problem, ANCHOR_SHARE, "again", mended).assignment)

    def leaned(self, lean: NDArray[np.float64]) -> Membership:
        """Bodies of the anchor scale whose search also pays `lean` (practices × centres, £)."""
        anchor = self.scenario.scale(self.scenario.anchor_scale)
        free = scale_problem(self.dataset, self.scenario, anchor, tied=self.ties)
        first = np.zeros((free.problem.units, len(free.unit)))
        np.add.at(first, free.unit, lean)
        steer = first if free.problem.steer is None else first + free.problem.steer
        self.work.owed += ANCHOR_SHARE
        problem = replace(free.problem, steer=steer)
        return free.membership(self._solve(problem, ANCHOR_SHARE, "again", prove=False).assignment)

    def _scales(self, anchored: Membership, last: bool = False) -> dict[str, Membership]:
        """Each scale inside or over the one solved before it. last: whether a dead end is the end."""
        dataset, scales = self.dataset, [self.scenario.scale(name) for name in self.scenario.scales_used]
        anchor = self.scenario.scales_used.index(self.scenario.anchor_scale)
        membership = {scales[anchor].name: anchored}
        self.work.owed = NESTED_SHARE * (len(scales) - 1)
        for k in range(anchor - 1, -1, -1):
            inside = membership[scales[k + 1].name]
            ties = self.ties if k else ()  # the smallest scale may part them: it was for its sake
            held = scale_problem(dataset, self.scenario, scales[k], inside=inside, tied=ties)
            stuck = held.first[held.problem.stranded()]
            if len(stuck) and not last:
                raise DeadEnd(scales[k], tuple(stuck.tolist()))
            found = self._solve(held.problem, NESTED_SHARE, "within")
            membership[scales[k].name] = held.membership(found.assignment)
            del held
        for k in range(anchor + 1, len(scales)):
            name, below = scales[k].name, self.scenario.within(scales[k].name)[-2]
            tried = last or name in self.walls or name not in self.apart
            try:
                over = scale_problem(dataset, self.scenario, scales[k], whole=membership[below])
                found = self._over(over.problem)
            except LimitReached:
                if tried:
                    raise
                raise Outgrown(name) from None
            membership[name] = over.membership(found.assignment)
            del over
        return membership

    def _over(self, problem: PartitionProblem) -> Solution:
        """Solve over smaller bodies; where no way was found to give every body its least number of them, without that
        rule, which is then reported as broken (given.honoured)."""
        try:
            return self._solve(problem, NESTED_SHARE, "over")
        except LimitReached:
            if problem.members is None:
                raise
        self.work.owed += NESTED_SHARE
        return self._solve(replace(problem, members=None, min_members=1), NESTED_SHARE, "over")

    def _solve(
        self,
        problem: PartitionProblem,
        share: float,
        word: str,
        start: Membership | None = None,
        prove: bool = True,
    ) -> Solution:
        """Solve given bodies already chosen. That it cannot be done for these proves nothing for others, and a bound
        that is proved for these holds for no others: it is not told."""

        def tell(p: Progress) -> None:
            if p.stage != "bound":
                self.report(replace(p, stage=f"{p.stage} ({word})", bound=-np.inf))

        seed = self.seed + self.scenario.scales_used.index(problem.name)
        try:
            return self.work.solve(problem, seed, share, tell, prove and self.prove, start)
        except Infeasible as dead_end:
            first = dead_end.problems[0]
            raise LimitReached(
                Problem(
                    f"no plan found: {first.what}, given the bodies chosen at the scale planned before it",
                    rule="Other bodies there may allow one.",
                    mend=f"{first.mend} Or try another seed, or sizes that nest more easily.",
                )
            ) from dead_end
