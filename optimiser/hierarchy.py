"""Scales nested: the anchor scale first, smaller scales inside its bodies, larger ones over them (docs/method.md).

Every scale also has an un-nested problem on practices. Its bound holds for the nested plan, and the un-nested
incumbents show what nesting costs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Body, Certificate, Dataset, Structure
from optimiser.errors import Infeasible, LimitReached, Problem
from optimiser.forces import PairCharges, structure_terms
from optimiser.naming import place_names
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.run import Budget, Progress
from optimiser.partition.solve import Solution, solve
from optimiser.scenario import Scenario
from optimiser.units import ScaleProblem, check_pins, scale_problem

Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Hierarchy:
    """A nested structure with what is proved of it. terms: scale → force → £ a year. price_of_nesting: £ a year lost to
    nesting against the best un-nested partitions found; it lies in nesting_interval whatever the best ones are."""

    structure: Structure
    terms: Mapping[str, Mapping[str, float]]
    certificates: Mapping[str, Certificate]
    price_of_nesting: float
    nesting_interval: tuple[float, float]


def build(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    budget: Budget,
    report: Report = lambda _: None,
) -> Hierarchy:
    """The best nested structure found, with a certificate for every scale. Raises Infeasible or LimitReached."""
    check_pins(dataset, scenario)
    scales = scenario.scales_used
    free = {name: scale_problem(dataset, scenario, scenario.scale(name)) for name in scales}
    for problem in (scale.problem for scale in free.values()):
        problem.check_feasible()
    loose = {}
    for k, name in enumerate(scales):
        loose[name] = solve(free[name].problem, seed + k, budget, report=report)
    anchor = scenario.anchor_scale
    effort = replace(budget, rounds=budget.rounds // 2, branches=3, gap=1e-5, cells=0.0)
    anchored = {anchor: free[anchor].membership(loose[anchor].assignment)}
    membership = nest(dataset, scenario, seed, effort, anchored, report)
    structure = assemble(dataset, scenario, membership)
    terms = structure_terms(dataset, scenario, structure)
    certificates = {name: _certificate(dataset, free[name], loose[name], sum(terms[name].values())) for name in scales}
    total = sum(c.objective for c in certificates.values())
    apart = sum(min(loose[name].objective, certificates[name].objective) for name in scales)
    width = total - sum(c.bound for c in certificates.values())
    return Hierarchy(structure, terms, certificates, total - apart, (0.0, width))


def restructure(
    dataset: Dataset, scenario: Scenario, structure: Structure, seed: int, effort: Budget
) -> tuple[Structure, float]:
    """The structure re-optimised under another scenario of the same scales and rules, or itself where nothing cheaper
    was found, and its £ a year; no bound is proved.
    """
    anchor = scenario.anchor_scale
    free = scale_problem(dataset, scenario, scenario.scale(anchor))
    found = solve(free.problem, seed, effort, start=structure.membership[anchor][free.first], prove=False)
    membership = nest(dataset, scenario, seed, effort, {anchor: free.membership(found.assignment)}, prove=False)
    choices = (structure, assemble(dataset, scenario, membership))
    return min(((s, _total(dataset, scenario, s)) for s in choices), key=lambda choice: choice[1])


def _total(dataset: Dataset, scenario: Scenario, structure: Structure) -> float:
    return sum(sum(terms.values()) for terms in structure_terms(dataset, scenario, structure).values())


def nest(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    effort: Budget,
    anchored: Mapping[str, NDArray[np.int32]],
    report: Report = lambda _: None,
    prove: bool = True,
) -> dict[str, NDArray[np.int32]]:
    """Membership by practice at every scale, from the anchor's outwards: each scale inside or over the last."""
    scales = scenario.scales_used
    anchor = scales.index(scenario.anchor_scale)
    membership = dict(anchored)
    for k in range(anchor - 1, -1, -1):
        held = scale_problem(dataset, scenario, scenario.scale(scales[k]), inside=membership[scales[k + 1]])
        found = _solve_nested(held.problem, seed + k, effort, _inside(report, "within"), prove)
        membership[scales[k]] = held.membership(found.assignment)
    for k in range(anchor + 1, len(scales)):
        over = scale_problem(dataset, scenario, scenario.scale(scales[k]), whole=membership[scales[k - 1]])
        found = _solve_nested(over.problem, seed + k, effort, _inside(report, "over"), prove)
        membership[scales[k]] = over.membership(found.assignment)
    return membership


def _solve_nested(problem: PartitionProblem, seed: int, effort: Budget, report: Report, prove: bool) -> Solution:
    """Solve inside or over bodies already chosen. That it cannot be done for these proves nothing for others."""
    try:
        return solve(problem, seed, effort, report=report, prove=prove)
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
    names = place_names(dataset, groups)
    limit = scenario.scale(scale).max_patients
    bodies: list[Body] = []
    for place, members in sorted(zip(names, groups, strict=True), key=lambda x: (x[0], x[1][0])):
        sums = charges.block(members, members).sum(axis=0)
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


def _certificate(dataset: Dataset, scale: ScaleProblem, loose: Solution, objective: float) -> Certificate:
    first = scale.first
    return Certificate(
        problem=f"{scale.problem.name}: un-nested partition of practices; its bound holds for the nested plan",
        objective=objective,
        bound=loose.bound,
        unavoidable=scale.problem.unavoidable(),
        method="Lagrangian relaxation priced by knapsacks, rounding allowance included",
        status="time limit" if loose.cut_by_clock else "budget spent",
        evidence={
            "un_nested_objective": loose.objective,
            "branches": [
                {
                    "fewest": branch.fewest,
                    "most": branch.most,
                    "bound": branch.bound,
                    "weight_step": branch.step,
                    "multipliers": {
                        dataset.practices[first[u]].code: float(p) for u, p in zip(loose.kept, branch.pi, strict=True)
                    },
                }
                for branch in loose.branches
            ],
        },
    )


def _inside(report: Report, word: str) -> Report:
    """Progress of a nested solve: its bound holds only for the bodies already chosen, so it is not shown."""
    return lambda p: report(replace(p, stage=f"{p.stage} ({word})", bound=-np.inf))
