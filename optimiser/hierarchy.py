"""Scales nested: the anchor scale first, smaller scales inside its bodies, larger ones over them, then all together
(docs/method.md).

Every scale also has an un-nested problem on practices. Its bound holds for the nested plan, and the un-nested
incumbents show what nesting costs. At national size one problem holds 300 MB of costs, so each is made when needed and
let go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.clock import Clock
from optimiser.domain import Body, Certificate, Dataset, Structure
from optimiser.errors import LimitReached
from optimiser.few_members import too_few
from optimiser.forces import PairCharges, structure_terms
from optimiser.joint import improved, leaning
from optimiser.naming import place_names
from optimiser.nesting import ANCHOR_SHARE, NESTED_SHARE, Membership, Nesting, Report, Work, silent
from optimiser.partition.branches import Branch
from optimiser.partition.budget import Budget, Progress
from optimiser.partition.solve import Solution
from optimiser.pins import check_pins, frozen_bodies
from optimiser.scenario import Scenario
from optimiser.units import ScaleProblem, scale_problem

OTHER_SHARE = 2.0  # of the time, when it is short


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

    @property
    def objective(self) -> float:
        """£ a year of all scales."""
        return sum(c.objective for c in self.certificates.values())


def build(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    budget: Budget,
    report: Report = silent,
) -> Hierarchy:
    """The best nested structure found, with a certificate for every scale. budget.seconds: for the whole structure.

    Raises Infeasible, or LimitReached when no valid partition of some scale was found.
    """
    check_pins(dataset, scenario)
    scales, anchor = scenario.scales_used, scenario.anchor_scale
    clock = Clock(budget.seconds, budget.stop)
    for name in scales:
        scale_problem(dataset, scenario, scenario.scale(name)).problem.check_feasible()

    apart = ANCHOR_SHARE + OTHER_SHARE * (len(scales) - 1)
    nested = NESTED_SHARE * (len(scales) - 1)
    seconds = clock.part(apart / (apart + nested)).left()
    work = Work(replace(budget, seconds=seconds, turns=-(-budget.turns // 2)), apart, kept=False)
    proofs: dict[str, Certificate] = {}
    alone: dict[str, Membership] = {}
    for name in sorted(scales, key=lambda name: name != anchor):
        free = scale_problem(dataset, scenario, scenario.scale(name))
        share = ANCHOR_SHARE if name == anchor else OTHER_SHARE
        found = work.solve(free.problem, seed + scales.index(name), share, report)
        proofs[name] = _certificate(dataset, free, found, name in work.cut)
        alone[name] = free.membership(found.assignment)
        del free

    turns = -(-budget.turns // 4)
    finer = replace(budget, rounds=budget.rounds // 2, turns=turns, branches=3, gap=1e-5, seconds=clock.left())
    within = Work(finer, nested, kept=True)

    def tell(p: Progress) -> None:
        report(replace(p, bound=proofs[p.name].bound))  # the un-nested problem's, which holds for every plan

    nesting = Nesting(dataset, scenario, seed, within, tell, apart=alone)
    structure, terms = _nested(nesting, alone, {name: proofs[name].objective for name in scales})
    cut = tuple(name for name in scales if name in work.cut | within.cut)
    return _proved(structure, terms, proofs, cut)


def _proved(
    structure: Structure,
    terms: Mapping[str, Mapping[str, float]],
    proofs: Mapping[str, Certificate],
    cut: tuple[str, ...],
) -> Hierarchy:
    """proofs: of each scale by itself, their objectives those of the best partitions found so."""
    certificates = {name: replace(proofs[name], objective=sum(terms[name].values())) for name in structure.scales}
    total = sum(c.objective for c in certificates.values())
    best_apart = sum(min(proofs[name].objective, c.objective) for name, c in certificates.items())
    width = total - sum(c.bound for c in certificates.values())
    return Hierarchy(structure, terms, certificates, total - best_apart, (0.0, width), cut)


def restructured(dataset: Dataset, scenario: Scenario, hierarchy: Hierarchy, structure: Structure) -> Hierarchy:
    """What is proved, of another structure: the bounds hold for every one."""
    proofs = {
        name: replace(c, objective=float(c.evidence["un_nested_objective"]))  # type: ignore[arg-type]
        for name, c in hierarchy.certificates.items()
    }
    return _proved(structure, structure_terms(dataset, scenario, structure), proofs, hierarchy.cut)


def _nested(
    nesting: Nesting, alone: Mapping[str, Membership], apart: Mapping[str, float]
) -> tuple[Structure, Mapping[str, Mapping[str, float]]]:
    """The better of two nested structures (where fewer bodies lack members, then the cheaper), both improved at all
    scales together, and its terms: one around the best bodies of the anchor scale, and where that costs larger scales
    much, one around bodies that lean on theirs. apart: £ a year of each scale by itself."""
    dataset, scenario, over = nesting.dataset, nesting.scenario, nesting.work.clock.over
    found = [_priced(nesting, nesting.around(alone[scenario.anchor_scale]))]
    nested = {name: (pounds, sum(found[0][1][name].values())) for name, pounds in apart.items()}
    lean = leaning(dataset, scenario, alone, nested)
    if lean is not None and not over():
        with contextlib.suppress(LimitReached):
            found.append(_priced(nesting, nesting.around(nesting.leaned(lean))))
    return min(found, key=lambda made: (too_few(dataset, scenario, made[0]), _sum(made[1])))


def _priced(
    nesting: Nesting, membership: Mapping[str, Membership]
) -> tuple[Structure, Mapping[str, Mapping[str, float]]]:
    """The structure improved at all scales together, and its terms."""
    dataset, scenario = nesting.dataset, nesting.scenario
    better = improved(dataset, scenario, membership, nesting.seed, nesting.work.clock.over)
    structure = assemble(dataset, scenario, better)
    return structure, structure_terms(dataset, scenario, structure)


def restructure(
    dataset: Dataset, scenario: Scenario, structure: Structure, seed: int, effort: Budget, valid: bool = True
) -> tuple[Structure, float, bool]:
    """The structure re-optimised under another scenario of the same scales, or itself where nothing cheaper was found;
    its £ a year; and whether a clock cut the work. No bound is proved. valid: it keeps that scenario's rules; where it
    does not it is only what the search begins from. Raises LimitReached when no plan was found so.
    """
    anchor = scenario.anchor_scale
    work = Work(effort, 1.0 + NESTED_SHARE * (len(scenario.scales_used) - 1), kept=True)
    free = scale_problem(dataset, scenario, scenario.scale(anchor))
    found = work.solve(free.problem, seed, 1.0, silent, False, structure.membership[anchor][free.first])
    anchored = free.membership(found.assignment)
    del free
    nesting = Nesting(dataset, scenario, seed, work, prove=False, apart=structure.membership)
    membership = nesting.around(anchored)
    either = (*((structure,) if valid else ()), assemble(dataset, scenario, membership))
    choices = [(made, _sum(structure_terms(dataset, scenario, made))) for made in either]
    chosen = min(choices, key=lambda choice: (too_few(dataset, scenario, choice[0]), choice[1]))
    return *chosen, bool(work.cut)


def _sum(terms: Mapping[str, Mapping[str, float]]) -> float:
    return sum(sum(forces.values()) for forces in terms.values())


def assemble(dataset: Dataset, scenario: Scenario, membership: Mapping[str, NDArray[np.int32]]) -> Structure:
    """Bodies with names, centres, homes and parents, numbered by name; membership renumbered to match."""
    scales = scenario.scales_used
    made: dict[str, list[Body]] = {}
    for name in scales:
        made[name] = _bodies(dataset, scenario, name, membership[name])
    return _with_parents(scenario, made, len(dataset.practices))


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


def _with_parents(scenario: Scenario, made: Mapping[str, list[Body]], n: int) -> Structure:
    """The parent is the body of the next scale that holds bodies of this one whole."""
    scales = scenario.scales_used
    membership: dict[str, NDArray[np.int32]] = {}
    for name in scales:
        of = np.full(n, -1, dtype=np.int32)
        for k, body in enumerate(made[name]):
            of[list(body.members)] = k
        of.setflags(write=False)
        membership[name] = of
    bodies: dict[str, tuple[Body, ...]] = {}
    for name in scales:
        above = next(iter(scenario.around(name)[1:]), None)
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
        method=f"Lagrangian relaxation over {alone.relaxation}, priced in whole patients",
        status="stopped by the clock or by hand" if cut else "work spent",
        evidence={
            "un_nested_objective": alone.objective,
            "relaxation": alone.relaxation,
            "branches": [
                {
                    "fewest": branch.fewest,
                    "most": branch.most,
                    "bound": branch.bound,
                    "multipliers": {
                        dataset.practices[first[u]].code: float(p)
                        for u, p in zip(alone.kept, branch.pi[: len(alone.kept)], strict=True)
                    },
                    **_charged(dataset, scale, alone.kept, branch),
                }
                for branch in alone.branches
            ],
        },
    )


def _charged(dataset: Dataset, scale: ScaleProblem, kept: NDArray[np.int64], branch: Branch) -> dict[str, object]:
    """The charges on triples of units, and on units that others part from a centre, and the multipliers of authorities
    whose split is charged, where there are any; a unit is named by its first practice, a centre is one.
    """
    codes = [practice.code for practice in dataset.practices]
    unit = [codes[i] for i in scale.first[kept]]
    centre = [codes[j] for j in np.flatnonzero(np.isin(scale.problem.owner, kept))]
    due = np.flatnonzero(branch.triples.charge > 0)
    triples = [
        {"practices": [unit[u] for u in branch.triples.units[t]], "charge": float(branch.triples.charge[t])}
        for t in due
    ]
    parted = [
        {"centre": centre[x.centre], "unit": unit[x.units[0]], "without": [unit[u] for u in x.held], "charge": x.charge}
        for x in branch.lines
        if x.triple < 0
    ]
    splits = scale.problem.splits
    kept_whole = zip(splits.names if splits else (), branch.pi[len(kept) :].tolist(), strict=False)
    found = (("triples", triples), ("separators", parted), ("authorities", dict(kept_whole)))
    return {name: charges for name, charges in found if charges}
