"""The statutory test for commissioning a service at a larger scale, in four factors (NHS Act 2006 s.3B).

How many people need it; what providing it costs; how many are able to provide it; and what it would mean for a
commissioner's money to arrange it alone. Each factor gives 0 to 3 points; many points speak for a larger scale. The
plan does not use them: they stand beside it.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np

from optimiser import risk
from optimiser.domain import Dataset, Structure
from optimiser.scenario_models import Scenario

FACTORS = ("cases", "cost_per_case", "providers", "swing")


@dataclass(frozen=True)
class FourFactors:
    """A service's factors. cases: a year in the anchor body of median size. cost_per_case: £. providers: how many have
    at least the rubric's share of the spend on it; None where no flow shows any. swing: one standard deviation of luck
    there as a share of what that body spends on all services. points: by factor, 0–3; a factor not known gives none."""

    service: str
    cases: float
    cost_per_case: float
    providers: int | None
    swing: float
    points: tuple[int, int, int, int]

    @property
    def total(self) -> int:
        """0–12."""
        return sum(self.points)


def four_factors(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[FourFactors, ...]:
    """One row a service, in catalogue order. Services that cost nothing get no points."""
    people = statistics.median(body.patients for body in structure.bodies[scenario.anchor_scale])
    budget = people * sum(s.cost_per_head for s in dataset.services)
    flows, rubric = dataset.flows, scenario.rubric
    rows = []
    for s, service in enumerate(dataset.services):
        here = flows.service == s
        paid = np.bincount(flows.provider[here], weights=flows.spend[here])
        able = int((paid >= rubric.provider_share * paid.sum()).sum()) if paid.sum() > 0 else None
        cases = people * service.cases_per_1000 / 1000
        swing = (people * risk.variance_per_head([service], scenario.risk)) ** 0.5 / budget if budget else 0.0
        points = (
            sum(cases < limit for limit in rubric.cases),
            sum(service.cost_per_case >= limit for limit in rubric.cost_per_case),
            sum(able is not None and able <= limit for limit in rubric.providers),
            sum(swing >= limit for limit in rubric.swing),
        )
        rows.append(
            FourFactors(
                service.id, cases, service.cost_per_case, able, swing, points if service.cost_per_head else (0, 0, 0, 0)
            )
        )
    return tuple(rows)
