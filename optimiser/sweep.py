"""One case of a sweep: the scenario with some values changed, planned again with little work from a parent plan that is
fixed beforehand, so that no case depends on another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from optimiser.clock import never
from optimiser.domain import Dataset, Placement, Structure
from optimiser.errors import ConsortiaError, Infeasible, LimitReached, OutputError, ScenarioError
from optimiser.forces import structure_terms
from optimiser.given import broken_rules
from optimiser.hierarchy import assemble, build, restructure
from optimiser.nesting import Report, silent
from optimiser.partition.budget import Budget
from optimiser.partition.solve import DEFAULT_BUDGET
from optimiser.pins import check_pins
from optimiser.placement import SERVICES_MOST, place
from optimiser.scenario import Scenario
from optimiser.scorecard import Measure, score
from optimiser.sensitivity import EFFORT, moved_share
from optimiser.units import scale_problem

ANEW = replace(EFFORT, moves=1_000, rounds=10, branches=1, turns=1)  # where nothing of the parent can be kept
Status = Literal["planned", "impossible", "no plan found", "not a scenario", "failed"]
Start = Literal["", "parent", "parent, mended", "anew"]


@dataclass(frozen=True)
class Case:
    """number: from 1; 0 is the parent. values: key → its value here. scenario: None where they make none, which
    `refused` says."""

    number: int
    values: Mapping[str, object]
    scenario: Scenario | None
    refused: tuple[Status, str] = ("planned", "")


@dataclass(frozen=True)
class Parent:
    """What every case starts from. services: whether services are placed, too."""

    dataset: Dataset
    scenario: Scenario
    structure: Structure
    services: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a case. start: what its search began from: the parent; the parent though it breaks rules of this
    case; or nothing. objective: £ a year of structure, and of services where they are placed. moved_share: patients
    whose anchor body is not the one that succeeds the parent's; None where the anchor scale is another. cut: a clock
    ended some of the work, so another run may differ."""

    status: Status
    reason: str = ""
    start: Start = ""
    structure: Structure | None = None
    objective: float | None = None
    services: float | None = None
    region: Mapping[str, Measure] = field(default_factory=dict)
    moved_share: float | None = None
    cut: bool = False


def cases(
    scenario_of: Callable[[Mapping[str, object]], Scenario], points: Sequence[Mapping[str, object]]
) -> tuple[Case, ...]:
    """A case for each point. scenario_of: makes the scenario with these values. Raises what it raises where no point
    makes a scenario: then the keys are wrong, not some of the values."""
    made, fault = [], None
    for number, values in enumerate(points, start=1):
        try:
            made.append(Case(number, values, scenario_of(values)))
        except (ScenarioError, Infeasible) as error:
            fault = fault or error
            made.append(Case(number, values, None, (_status(error), str(error))))
    if fault is not None and all(case.scenario is None for case in made):
        raise fault
    return tuple(made)


def parent_structure(
    dataset: Dataset,
    scenario: Scenario,
    budget: Budget = DEFAULT_BUDGET,
    stop: Callable[[], bool] = never,
    report: Report = silent,
) -> tuple[Structure, bool]:
    """The structure without variations: built with the usual work, then searched on as every case is, so that a case
    differs from it by its values and not by that search; and whether a clock cut the work. Raises as `build`."""
    built = build(dataset, scenario, scenario.seed, replace(budget, stop=stop), report)
    structure, _, cut = restructure(dataset, scenario, built.structure, scenario.seed, replace(EFFORT, stop=stop))
    return structure, cut or bool(built.cut)


def plan_case(case: Case, parent: Parent, stop: Callable[[], bool] = never) -> Outcome:
    """Plan a case. What makes it impossible is its outcome, not an error."""
    if case.scenario is None:
        return Outcome(case.refused[0], case.refused[1])
    try:
        return _planned(parent, case.scenario, stop)
    except OutputError:
        raise
    except ConsortiaError as fault:
        return Outcome(_status(fault), str(fault))


def measured(parent: Parent) -> Outcome:
    """The parent itself, measured as its cases are."""
    terms = structure_terms(parent.dataset, parent.scenario, parent.structure)
    objective = sum(sum(forces.values()) for forces in terms.values())
    return _measured(parent, parent.scenario, parent.structure, "", objective, False, never)


def _planned(parent: Parent, scenario: Scenario, stop: Callable[[], bool]) -> Outcome:
    dataset, seed = parent.dataset, scenario.seed
    start: Start = "parent"
    structure = parent.structure
    if _shape(scenario) != _shape(parent.scenario):
        start = "anew"
    elif _rules(scenario) != _rules(parent.scenario):
        check_pins(dataset, scenario)
        for scale in scenario.scales:
            scale_problem(dataset, scenario, scale).problem.check_feasible()
        start = "parent, mended" if broken_rules(dataset, scenario, structure) else "parent"
        structure = assemble(dataset, scenario, structure.membership)  # whose bodies know the rules of this case
    effort = replace(EFFORT, stop=stop)
    if start != "anew":
        try:
            made, objective, cut = restructure(dataset, scenario, structure, seed, effort, valid=start == "parent")
            return _measured(parent, scenario, made, start, objective, cut, stop)
        except LimitReached:
            if stop():
                raise
    built = build(dataset, scenario, seed, replace(ANEW, stop=stop))
    return _measured(parent, scenario, built.structure, "anew", built.objective, bool(built.cut), stop)


def _measured(
    parent: Parent,
    scenario: Scenario,
    structure: Structure,
    start: Start,
    objective: float,
    cut: bool,
    stop: Callable[[], bool],
) -> Outcome:
    dataset, anchor = parent.dataset, parent.scenario.anchor_scale
    placement: Placement | None = None
    if parent.services and dataset.services and len(dataset.flows):
        placement = place(dataset, scenario, structure, scenario.seed, SERVICES_MOST, stop=stop, prove=False)
        cut |= placement.cut_by_clock
    services = placement.certificate.objective if placement is not None else None
    moved = None
    if anchor in structure.membership and scenario.anchor_scale == anchor:
        before, after = parent.structure.membership[anchor], structure.membership[anchor]
        share = moved_share(before, after, np.asarray(dataset.patients))
        moved = share if share > 1e-12 else 0.0
    region = score(dataset, scenario, structure, placement).region
    return Outcome("planned", "", start, structure, float(objective + (services or 0.0)), services, region, moved, cut)


def _shape(scenario: Scenario) -> tuple[Any, ...]:
    return scenario.scales_used, scenario.anchor_scale, [scenario.below(name) for name in scenario.scales_used]


def _rules(scenario: Scenario) -> tuple[Any, ...]:
    return scenario.scale_tables, scenario.pins


def _status(fault: ConsortiaError) -> Status:
    kinds: tuple[tuple[type[ConsortiaError], Status], ...] = (
        (Infeasible, "impossible"),
        (LimitReached, "no plan found"),
        (ScenarioError, "not a scenario"),
    )
    return next((status for kind, status in kinds if isinstance(fault, kind)), "failed")
