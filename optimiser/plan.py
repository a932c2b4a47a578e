"""The whole story, in order: who groups with whom, who commissions what, what it costs, how good it is, what it rests
on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from optimiser.breakaway import breakaway
from optimiser.caveats import caveats, short_of_gap, unfinished
from optimiser.clock import Clock, never
from optimiser.costing import team_cost
from optimiser.domain import Dataset, Placement, Structure
from optimiser.finished import Plan
from optimiser.given import existing_structure, honoured
from optimiser.hierarchy import build
from optimiser.journal import Journal
from optimiser.nesting import Report, silent
from optimiser.partition.budget import Budget
from optimiser.partition.solve import DEFAULT_BUDGET
from optimiser.pin_costs import pin_costs
from optimiser.placement import GAP, SERVICES_MOST, place
from optimiser.placement_reasons import Explained, explained
from optimiser.risk_report import risk_report
from optimiser.rounds import Round, alternate
from optimiser.scenario import Scenario
from optimiser.scorecard import score
from optimiser.sensitivity import EFFORT, sensitivity
from optimiser.service_risk import service_risk
from optimiser.wishes import check_wishes

__all__ = ["Plan", "make_plan"]

STRUCTURE_PART, SERVICES_PART, WHY_PART, PINS_PART = 0.6, 0.6, 0.5, 0.6  # of the time that is left when each begins
RISK_PART = 0.5


def make_plan(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    time_limit: float | None = None,
    budget: Budget = DEFAULT_BUDGET,
    report: Report = silent,
    gap: float | None = None,
    stop: Callable[[], bool] = never,
) -> Plan:
    """The best plan found for a dataset under a scenario, with its proof.

    time_limit: seconds, each stage having its part of what is left. gap: a fraction; work goes on until the plan is
    proved that close, within Budget.thorough. stop: once it says True the best plan so far is finished with the
    least work. Raises Infeasible, LimitReached, ScenarioError or SolverError; nothing is written.
    """
    clock = Clock(math.inf if time_limit is None else time_limit, stop)
    journal = Journal(report)
    check_wishes(dataset, scenario)

    with journal.stage("structure"):
        seconds = clock.part(STRUCTURE_PART).left()
        effort = replace(asked(budget, gap), seconds=seconds, stop=stop)
        hierarchy = build(dataset, scenario, seed, effort, journal)
        cut = hierarchy.cut
    with journal.stage("services"):
        placement, rounds = None, tuple[Round, ...]()
        if dataset.services and len(dataset.flows):

            def placing(structure: Structure, part: Clock, prove: bool) -> Placement:
                seconds, near = min(SERVICES_MOST, part.left()), GAP if gap is None else gap
                return place(dataset, scenario, structure, seed, seconds, near, stop, journal, prove)

            services = clock.part(SERVICES_PART)
            found = alternate(dataset, scenario, hierarchy, placing, seed, replace(EFFORT, stop=stop), services)
            hierarchy, placement, rounds, late = found
            cut += ("services",) * placement.cut_by_clock + ("rounds",) * late
        structure = hierarchy.structure
    with journal.stage("breakaway"):
        elsewhere = breakaway(dataset, scenario, structure)
    with journal.stage("why here"):
        told = Explained(None)
        if placement is not None:
            told = explained(dataset, scenario, structure, placement, seed, clock.part(WHY_PART))
            placement = told.placement
            cut += ("why here",) * told.late
    with journal.stage("scorecard"):
        scorecard = score(dataset, scenario, structure, placement)
        today = existing_structure(dataset, scenario)
        baseline = score(dataset, scenario, today) if today is not None else None
    with journal.stage("risk"):
        luck = risk_report(dataset, scenario, structure, placement, seed, clock.part(RISK_PART).over)
        cut += ("risk",) * (luck is not None and luck.cut)
    with journal.stage("pins"):
        kept, late = pin_costs(dataset, scenario, hierarchy, seed, effort, clock.part(PINS_PART), journal)
        cut += ("pins",) * late
    with journal.stage("sensitivity"):
        moves, late = sensitivity(dataset, scenario, hierarchy, seed, clock, journal)
        cut += ("sensitivity",) * late

    made = Plan(
        dataset=dataset,
        scenario=scenario,
        structure=structure,
        structure_terms=hierarchy.terms,
        placement=placement,
        rounds=rounds,
        why_here=told.why_here,
        wishes=told.wishes,
        certificates=hierarchy.certificates,
        price_of_nesting=hierarchy.price_of_nesting,
        nesting_interval=hierarchy.nesting_interval,
        scorecard=scorecard,
        baseline=baseline,
        today=today,
        sensitivity=moves,
        pin_costs=kept,
        outside={"team": team_cost(dataset.functions, float(dataset.patients.sum()), scenario, placement is not None)},
        warnings=(*honoured(dataset, scenario, structure), *caveats(dataset, scenario, placement, told.wishes, moves)),
        seconds=journal.seconds,
        breakaway=elsewhere,
        risk=luck,
        service_risk=service_risk(dataset, scenario, structure),
        cut=cut,
        interrupted=bool(cut) and stop(),
        progress=tuple(journal.lines),
    )
    made.check_bounds()
    how_far = (*unfinished(scenario, cut, made.interrupted), *short_of_gap(gap, made.gap))
    return replace(made, warnings=(*how_far, *made.warnings))


def asked(budget: Budget, gap: float | None) -> Budget:
    """The budget for a gap asked for: each scale alone goes on to half of it, since nesting and services need the rest,
    with more work before it gives up."""
    if gap is None:
        return budget
    return budget.thorough(gap / 2)
