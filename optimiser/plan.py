"""The whole story, in order: who groups with whom, who commissions what, what it costs, how good it is, what it rests
on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np

from optimiser import costing
from optimiser.domain import Certificate, Dataset, Placement, Structure
from optimiser.errors import VerificationError
from optimiser.forces import size_curve, size_terms
from optimiser.given import existing_structure, honoured
from optimiser.hierarchy import build
from optimiser.partition.run import Budget, Progress
from optimiser.partition.solve import DEFAULT_BUDGET
from optimiser.placement import place
from optimiser.scenario import Scenario
from optimiser.scorecard import Scorecard, score
from optimiser.sensitivity import SensitivityRow, sensitivity

Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Plan:
    """Structure, placement, costs, scorecard and certificates for one dataset and one scenario.

    terms: force → £ a year, summing to objective. bound: no plan of the stated problem costs less (conditional where
    services are placed: see docs/method.md). outside: £ a year that no decision changes. baseline: today's bodies,
    measured alike.
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
    def objective(self) -> float:
        """£-equivalent a year: the certified objectives of every scale and of the placement."""
        return sum(c.objective for c in self._proved())

    @property
    def bound(self) -> float:
        """£-equivalent a year: the sum of the certified bounds."""
        return sum(c.bound for c in self._proved())

    @property
    def cash(self) -> float:
        """£ a year of cash, the only money compared with allowances; what no decision changes is included."""
        spent = [pounds for force, pounds in self.terms.items() if self.scenario.kind(force) == "cash"]
        return sum(spent) + sum(self.outside.values())

    def _proved(self) -> Iterator[Certificate]:
        yield from self.certificates.values()
        if self.placement is not None:
            yield self.placement.certificate


def make_plan(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    time_limit: float | None = None,
    budget: Budget = DEFAULT_BUDGET,
    report: Report = lambda _: None,
) -> Plan:
    """The best plan found for a dataset under a scenario, with its proof. time_limit: seconds, shared among the stages.

    Raises Infeasible, LimitReached, ScenarioError or SolverError; nothing is written.
    """
    seconds: dict[str, float] = {}
    limit = time_limit if time_limit is not None else 24 * 3600.0
    effort = replace(budget, seconds=0.5 * limit / len(scenario.scales_used))

    with _timed(seconds, "structure"):
        hierarchy = build(dataset, scenario, seed, effort, report)
    with _timed(seconds, "placement"):
        placement = None
        if dataset.services and len(dataset.flows):
            placement = place(dataset, scenario, hierarchy.structure, seed, min(120.0, 0.3 * limit))
    proofs = [*hierarchy.certificates.values(), *([placement.certificate] if placement else [])]
    for proof in proofs:
        if not proof.bound <= proof.objective + 1e-6 * abs(proof.objective) + 1e-3:
            raise VerificationError(
                f"{proof.problem}: bound £{proof.bound:,.0f} above the plan's £{proof.objective:,.0f}"
            )

    with _timed(seconds, "scorecard"):
        scorecard = score(dataset, scenario, hierarchy.structure, placement)
        today = existing_structure(dataset, scenario)
        baseline = score(dataset, scenario, today) if today is not None else None
    with _timed(seconds, "sensitivity"):
        moves = sensitivity(dataset, scenario, hierarchy, seed, 0.2 * limit)

    return Plan(
        dataset=dataset,
        scenario=scenario,
        structure=hierarchy.structure,
        structure_terms=hierarchy.terms,
        placement=placement,
        certificates=hierarchy.certificates,
        price_of_nesting=hierarchy.price_of_nesting,
        nesting_interval=hierarchy.nesting_interval,
        scorecard=scorecard,
        baseline=baseline,
        sensitivity=moves,
        outside={"team": costing.team_cost(dataset.functions, float(dataset.patients.sum()), scenario)},
        warnings=(
            *honoured(dataset, scenario, hierarchy.structure),
            *_warnings(dataset, scenario, placement, moves),
        ),
        seconds=seconds,
    )


def avoidable_shares(plan: Plan) -> dict[str, float]:
    """Force → its share of the cost that decisions can change, summing to 1.

    What every partition must pay for size alone (each scale's cheapest size per head) is taken from the force that
    charges it.
    """
    avoidable = plan.terms
    people = float(plan.dataset.patients.sum())
    for scale in plan.scenario.scales:
        top = people if scale.max_patients is None else min(people, scale.max_patients)
        sizes = np.unique(np.linspace(max(1.0, min(scale.min_patients, top)), top, 20_001))
        best = sizes[np.argmin(size_curve(plan.scenario, scale)(sizes) / sizes)]
        for force, curve in size_terms(plan.scenario, scale).items():
            avoidable[force] -= people * float(curve(np.array([best]))[0]) / best
    total = sum(avoidable.values())
    return {force: pounds / total if total else 0.0 for force, pounds in avoidable.items()}


def _warnings(
    dataset: Dataset, scenario: Scenario, placement: Placement | None, moves: tuple[SensitivityRow, ...]
) -> Iterator[str]:
    yield from scenario.warnings
    left_out = [r for r in scenario.sensitivity.rates if scenario.on(r) and sum(m.rate == r for m in moves) < 2]
    if left_out:
        yield f"no plan was found in time at both ends of these rates: {', '.join(left_out)}"
    rates, spending = scenario.price_year, dataset.info.price_year
    if rates[:4] != spending[:4]:
        yield f"rates are at {rates} prices, spending at {spending} prices"
    if placement is not None:
        used = {c.scale for c in placement.commissions}
        for scale in scenario.scales:
            if scale.role == "commissions" and scale.name not in used:
                yield f"{scale.plural} commission nothing in this plan: try it without them (scales_used)"
    if scenario.on("insurance") and scenario.risk_held_at not in scenario.scales_used:
        yield f"risk is held at {scenario.risk_held_at}, which is not planned: the structure is charged no insurance"
    if placement is None:
        yield "no flows in the dataset: services are not placed"


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.monotonic()
    yield
    seconds[stage] = time.monotonic() - start
