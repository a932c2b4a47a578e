"""The whole story, in order: who groups with whom, who commissions what, what it costs, how good it is, what it rests
on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from optimiser.caveats import caveats, short_of_gap, unfinished
from optimiser.clock import Clock, never
from optimiser.costing import team_cost
from optimiser.domain import Certificate, Dataset, Placement, Structure
from optimiser.errors import VerificationError
from optimiser.given import existing_structure, honoured
from optimiser.hierarchy import build
from optimiser.journal import Journal
from optimiser.nesting import Report, silent
from optimiser.partition.run import Budget, Progress
from optimiser.partition.solve import DEFAULT_BUDGET
from optimiser.placement import GAP, place
from optimiser.scenario import Scenario
from optimiser.scorecard import Scorecard, score
from optimiser.sensitivity import SensitivityRow, sensitivity

STRUCTURE_PART, SERVICES_PART = 0.6, 0.6  # of the time that is left when each begins
SERVICES_MOST = 120.0  # seconds, without a limit too


@dataclass(frozen=True)
class Plan:
    """Structure, placement, costs, scorecard and certificates for one dataset and one scenario.

    terms: force → £ a year, summing to objective. bound: no plan of the stated problem costs less (conditional where
    services are placed: see docs/method.md). outside: £ a year that no decision changes. baseline: today's bodies,
    measured alike. cut: scales, "services" or "sensitivity" whose work a clock ended, or somebody who asked to stop
    (interrupted). seconds, progress: how the time went, no part of what the plan says.
    """

    dataset: Dataset
    scenario: Scenario
    structure: Structure
    structure_terms: Mapping[str, Mapping[str, float]]
    placement: Placement | None
    certificates: Mapping[str, Certificate]
    price_of_nesting: float
    nesting_interval: tuple[float, float]
    scorecard: Scorecard
    baseline: Scorecard | None
    sensitivity: tuple[SensitivityRow, ...]
    outside: Mapping[str, float]
    warnings: tuple[str, ...]
    seconds: Mapping[str, float]
    cut: tuple[str, ...] = ()
    interrupted: bool = False
    progress: tuple[Progress, ...] = ()

    @property
    def terms(self) -> dict[str, float]:
        """Force → £ a year over all scales and the placement."""
        total: dict[str, float] = {}
        parts = [*self.structure_terms.values(), *([self.placement.terms] if self.placement else [])]
        for part in parts:
            for force, pounds in part.items():
                total[force] = total.get(force, 0.0) + pounds
        return total

    @property
    def proofs(self) -> dict[str, Certificate]:
        """The certificate of every scale, then "placement"."""
        return {**self.certificates, **({"placement": self.placement.certificate} if self.placement else {})}

    @property
    def objective(self) -> float:
        """£-equivalent a year: the certified objectives of every scale and of the placement."""
        return sum(c.objective for c in self.proofs.values())

    @property
    def bound(self) -> float:
        """£-equivalent a year: the sum of the certified bounds."""
        return sum(c.bound for c in self.proofs.values())

    @property
    def gap(self) -> float:
        """(objective − bound) / objective, a fraction."""
        return (self.objective - self.bound) / self.objective if self.objective else 0.0

    def check_bounds(self) -> None:
        """Raise VerificationError where a bound is above what it bounds."""
        for proof in self.proofs.values():
            if not proof.bound <= proof.objective + 1e-6 * abs(proof.objective) + 1e-3:
                raise VerificationError(
                    f"{proof.problem}: bound £{proof.bound:,.0f} above the plan's £{proof.objective:,.0f}"
                )

    @property
    def cash(self) -> float:
        """£ a year of cash, the only money compared with allowances; what no decision changes is included."""
        spent = [pounds for force, pounds in self.terms.items() if self.scenario.kind(force) == "cash"]
        return sum(spent) + sum(self.outside.values())


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
    proved that close, within four times the budget. stop: once it says True the best plan so far is finished with the
    least work. Raises Infeasible, LimitReached, ScenarioError or SolverError; nothing is written.
    """
    clock = Clock(math.inf if time_limit is None else time_limit, stop)
    journal = Journal(report)

    with journal.stage("structure"):
        seconds = clock.part(STRUCTURE_PART).left()
        effort = replace(asked(budget, gap), seconds=seconds, stop=stop)
        hierarchy = build(dataset, scenario, seed, effort, journal)
        structure, cut = hierarchy.structure, hierarchy.cut
    with journal.stage("services"):
        placement = None
        if dataset.services and len(dataset.flows):
            seconds = min(SERVICES_MOST, clock.part(SERVICES_PART).left())
            near = GAP if gap is None else gap
            placement = place(dataset, scenario, structure, seed, seconds, gap=near, stop=stop, report=journal)
            cut += ("services",) * placement.cut_by_clock
    with journal.stage("scorecard"):
        scorecard = score(dataset, scenario, structure, placement)
        today = existing_structure(dataset, scenario)
        baseline = score(dataset, scenario, today) if today is not None else None
    with journal.stage("sensitivity"):
        moves, late = sensitivity(dataset, scenario, hierarchy, seed, clock, journal)
        cut += ("sensitivity",) * late

    made = Plan(
        dataset=dataset,
        scenario=scenario,
        structure=structure,
        structure_terms=hierarchy.terms,
        placement=placement,
        certificates=hierarchy.certificates,
        price_of_nesting=hierarchy.price_of_nesting,
        nesting_interval=hierarchy.nesting_interval,
        scorecard=scorecard,
        baseline=baseline,
        sensitivity=moves,
        outside={"team": team_cost(dataset.functions, float(dataset.patients.sum()), scenario)},
        warnings=(*honoured(dataset, scenario, structure), *caveats(dataset, scenario, placement, moves)),
        seconds=journal.seconds,
        cut=cut,
        interrupted=bool(cut) and stop(),
        progress=tuple(journal.lines),
    )
    made.check_bounds()
    how_far = (*unfinished(scenario, cut, made.interrupted), *short_of_gap(gap, made.gap))
    return replace(made, warnings=(*how_far, *made.warnings))


def asked(budget: Budget, gap: float | None) -> Budget:
    """The budget for a gap asked for: each scale alone goes on to half of it, since nesting and services need the rest,
    with four times the work before it gives up."""
    if gap is None:
        return budget
    return replace(budget, gap=gap / 2, rounds=4 * budget.rounds, branches=4 * budget.branches)
