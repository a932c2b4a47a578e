"""Scales nested: the anchor scale first, smaller scales inside its bodies, larger ones over them (docs/method.md).

Every scale also has an un-nested problem on practices. Its bound holds for the nested plan, and the un-nested
incumbents show what nesting costs. At national size one problem holds 300 MB of costs, so each is made when needed and
let go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.domain import Body, Certificate, Dataset, Structure
from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.forces import PairCharges, structure_terms
from optimiser.naming import place_names
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.run import Budget, Progress
from optimiser.partition.solve import Solution, solve
from optimiser.pins import check_pins, frozen_bodies
from optimiser.scenario import Scenario
from optimiser.units import ScaleProblem, scale_problem

Report = Callable[[Progress], None]
Start = NDArray[np.int32] | None


LEAST = Budget(moves=20_000, rounds=0, branches=1)  # yields a plan at all; hears neither the clock nor who asks to stop
ANCHOR_SHARE, OTHER_SHARE, NESTED_SHARE = 3.0, 2.0, 1.0  # of the time, when it is short


@dataclass(frozen=True)
class Hierarchy:
    """A nested structure with what is proved of it. terms: scale → force → £ a year. price_of_nesting: £ a year lost to
    nesting against the best un-nested partitions found; it lies in nesting_interval whatever the best ones are.
    cut: the scales whose work a clock, or somebody asking to stop, ended early."""

    structure: Structure
    terms: Mapping[str, Mapping[str, float]]
    certificates: Mapping[str, Certificate]
    price_of_nesting: float
    nesting_interval: tuple[float, float]
    cut: tuple[str, ...] = ()


class Work:
    """Deals a budget out to one solve after another: each gets its share of the time that is left, and the least work
    once none is. budget.seconds: for all of them. owed: the sum of the shares to come. cut: scales that got less than
    their work.
    """

    def __init__(self, budget: Budget, owed: float):
        self.budget, self.owed, self.cut = budget, owed, set[str]()
        self.clock = Clock(budget.seconds, budget.stop)

    def solve(
        self,
        problem: PartitionProblem,
        seed: int,
        share: float,
        report: Report,
        prove: bool = True,
        start: Start = None,
    ) -> Solution:
        """As optimiser.partition.solve, within `share` of what is owed."""
        part, self.owed = share / self.owed, self.owed - share
        budget = LEAST if self.clock.over() else replace(self.budget, seconds=self.clock.part(part).left())
        found = solve(problem, seed, budget, start, report, prove and budget is not LEAST)
        if found.cut_by_clock or budget is LEAST:
            self.cut.add(problem.name)
        return found


def build(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    budget: Budget,
    report: Report = lambda _: None,
) -> Hierarchy:
    """The best nested structure found, with a certificate for every scale. budget.seconds: for the whole structure.

    Raises Infeasible, or LimitReached when no valid partition of some scale was found.
    """
    check_pins(dataset, scenario)
    scales, anchor = scenario.scales_used, scenario.anchor_scale
    for name in scales:
        scale_problem(dataset, scenario, scenario.scale(name)).problem.check_feasible()

    clock = Clock(budget.seconds, budget.stop)
    apart = ANCHOR_SHARE + OTHER_SHARE * (len(scales) - 1)
    nested = NESTED_SHARE * (len(scales) - 1)
    work = Work(replace(budget, seconds=clock.part(apart / (apart + nested)).left()), apart)
    proofs: dict[str, Certificate] = {}
    for name in sorted(scales, key=lambda name: name != anchor):
        free = scale_problem(dataset, scenario, scenario.scale(name))
        share = ANCHOR_SHARE if name == anchor else OTHER_SHARE
        found = work.solve(free.problem, seed + scales.index(name), share, report)
        proofs[name] = _certificate(dataset, free, found, name in work.cut)
        if name == anchor:
            anchored = {anchor: free.membership(found.assignment)}
        del free

    finer = replace(
        budget, rounds=budget.rounds // 2, branches=3, gap=1e-5, cells=0.0, seconds=clock.left()
    )  # what is proved inside bodies already chosen is not published
    within = Work(finer, nested)
    membership = nest(
        dataset, scenario, seed, within, anchored, lambda p: report(replace(p, bound=proofs[p.name].bound))
    )
    structure = assemble(dataset, scenario, membership)
    terms = structure_terms(dataset, scenario, structure)
    certificates = {name: replace(proofs[name], objective=sum(terms[name].values())) for name in scales}
    total = sum(c.objective for c in certificates.values())
    best_apart = sum(min(proofs[name].objective, certificates[name].objective) for name in scales)
    width = total - sum(c.bound for c in certificates.values())
    cut = tuple(name for name in scales if name in work.cut | within.cut)
    return Hierarchy(structure, terms, certificates, total - best_apart, (0.0, width), cut)


def restructure(
    dataset: Dataset, scenario: Scenario, structure: Structure, seed: int, effort: Budget
) -> tuple[Structure, float, bool]:
    """The structure re-optimised under another scenario of the same scales and rules, or itself where nothing cheaper
    was found; its £ a year; and whether a clock cut the work. No bound is proved.
    """
    anchor = scenario.anchor_scale
    work = Work(effort, 1.0 * len(scenario.scales_used))
    free = scale_problem(dataset, scenario, scenario.scale(anchor))
    found = work.solve(free.problem, seed, 1.0, silent, False, structure.membership[anchor][free.first])
    anchored = {anchor: free.membership(found.assignment)}
    del free
    membership = nest(dataset, scenario, seed, work, anchored, silent, prove=False)
    choices = [(s, _total(dataset, scenario, s)) for s in (structure, assemble(dataset, scenario, membership))]
    return *min(choices, key=lambda choice: choice[1]), bool(work.cut)


def _total(dataset: Dataset, scenario: Scenario, structure: Structure) -> float:
    return sum(sum(terms.values()) for terms in structure_terms(dataset, scenario, structure).values())


def nest(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    work: Work,
    anchored: Mapping[str, NDArray[np.int32]],
    report: Report,
    prove: bool = True,
) -> dict[str, NDArray[np.int32]]:
    """Membership by practice at every scale, from the anchor's outwards: each scale inside or over the last."""
    scales = scenario.scales_used
    anchor = scales.index(scenario.anchor_scale)
    membership = dict(anchored)
    for k in range(anchor - 1, -1, -1):
        held = scale_problem(dataset, scenario, scenario.scale(scales[k]), inside=membership[scales[k + 1]])
        found = _solve_nested(held.problem, seed + k, work, _placed(report, "within"), prove)
        membership[scales[k]] = held.membership(found.assignment)
        del held
    for k in range(anchor + 1, len(scales)):
        over = scale_problem(dataset, scenario, scenario.scale(scales[k]), whole=membership[scales[k - 1]])
        found = _solve_nested(over.problem, seed + k, work, _placed(report, "over"), prove)
        membership[scales[k]] = over.membership(found.assignment)
        del over
    return membership


def _solve_nested(problem: PartitionProblem, seed: int, work: Work, report: Report, prove: bool) -> Solution:
    """Solve inside or over bodies already chosen. That it cannot be done for these proves nothing for others."""
    try:
        return work.solve(problem, seed, NESTED_SHARE, report, prove)
    except Infeasible as dead_end:
        first = dead_end.problems[0]
        raise LimitReached(
            Problem(
                f"no plan found: {first.what}, given the bodies chosen at the scale planned before it",
                rule="Other bodies there may allow one.",
                mend=f"{first.mend} Or try another seed, or sizes that nest more easily.",
            )
        ) from dead_end


def assemble(dataset: Dataset, scenario: Scenario, membership: Mapping[str, NDArray[np.int32]]) -> Structure:
    """Bodies with names, centres, homes and parents, numbered by name; membership renumbered to match."""
    scales = scenario.scales_used
    made: dict[str, list[Body]] = {}
    for name in scales:
        made[name] = _bodies(dataset, scenario, name, membership[name])
    return _with_parents(scales, made, len(dataset.practices))


def _bodies(dataset: Dataset, scenario: Scenario, scale: str, membership: NDArray[np.int32]) -> list[Body]:
    charges = PairCharges(dataset, scenario, scenario.scale(scale))
    groups = [np.flatnonzero(membership == b) for b in np.unique(membership)]
    frozen = {body.members: body for body in frozen_bodies(dataset, scenario, scenario.scale(scale))}
    settled = [frozen.get(tuple(members.tolist())) for members in groups]
    names = place_names(dataset, groups, [body.name if body else "" for body in settled])
    limit = scenario.scale(scale).max_patients
    bodies: list[Body] = []
    for place, members, body in sorted(zip(names, groups, settled, strict=True), key=lambda x: (x[0], x[1][0])):
        sums = (charges.block if body is None else charges.priced)(members, members).sum(axis=0)
        centre = int(members[np.argmin(sums)])
        patients = int(dataset.patients[members].sum())
        bodies.append(
            Body(
                scale=scale,
                code=f"{scale}-{len(bodies) + 1:03d}",
                name=place,
                members=tuple(int(i) for i in members),
                centre=centre,
                patients=patients,
                home_authority=dataset.practices[centre].upper_authority,
                oversize=limit is not None and patients > limit,
                agreed=body is not None and not body.left_over,
            )
        )
    return bodies


def _with_parents(scales: tuple[str, ...], made: Mapping[str, list[Body]], n: int) -> Structure:
    membership: dict[str, NDArray[np.int32]] = {}
    for name in scales:
        of = np.full(n, -1, dtype=np.int32)
        for k, body in enumerate(made[name]):
            of[list(body.members)] = k
        of.setflags(write=False)
        membership[name] = of
    bodies: dict[str, tuple[Body, ...]] = {}
    for k, name in enumerate(scales):
        above = scales[k + 1] if k + 1 < len(scales) else None
        bodies[name] = tuple(
            body if above is None else replace(body, parent=made[above][membership[above][body.members[0]]].code)
            for body in made[name]
        )
    return Structure(tuple(scales), bodies, membership)


def _certificate(dataset: Dataset, scale: ScaleProblem, alone: Solution, cut: bool) -> Certificate:
    """What is proved of a scale, its objective that of the un-nested partition: the plan's own takes its place."""
    first = scale.first
    return Certificate(
        problem=f"{scale.problem.name}: un-nested partition of practices; its bound holds for the nested plan",
        objective=alone.objective,
        bound=alone.bound,
        unavoidable=scale.problem.unavoidable(),
        method="Lagrangian relaxation priced by knapsacks, rounding allowance included",
        status="stopped by the clock or by hand" if cut else "work spent",
        evidence={
            "un_nested_objective": alone.objective,
            "relaxation": "sets",
            "branches": [
                {
                    "fewest": branch.fewest,
                    "most": branch.most,
                    "bound": branch.bound,
                    "multipliers": {
                        dataset.practices[first[u]].code: float(p) for u, p in zip(alone.kept, branch.pi, strict=True)
                    },
                }
                for branch in alone.branches
            ],
        },
    )


def _placed(report: Report, word: str) -> Report:
    """Progress of a nested solve. The bound proved there holds only for the bodies already chosen: it is not told."""
    return lambda p: report(replace(p, stage=f"{p.stage} ({word})", bound=-np.inf))


def silent(progress: Progress) -> None:
    """Tell nobody."""
