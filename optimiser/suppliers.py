"""Who might do each management function, scored alike whatever their sector (EVIDENCE 2.2; seed 004).

Each kind of supplier of the scenario is priced for a body's size and scored on the same five criteria. The sector is
named and carries no points. What reflects members' own behaviour may not be handed over, and is refused with the
reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from optimiser import costing
from optimiser.domain import Function
from optimiser.scenario_models import Scenario
from optimiser.scenario_tables import Criterion, SupplierKind

BEST = 3.0  # points on a criterion
REFUSED = {
    "never": "it reflects members' own behaviour, which cannot be delegated",
    "partly": "only parts of it may leave the commissioning bodies",
}


@dataclass(frozen=True)
class Offer:
    """One kind of supplier for one function. cost: £ a year for the body. scores: by criterion, 0–3. total: weighted,
    0–3. refused: why it may not be chosen, "" where it may. best: the highest total of those that may."""

    function: str
    kind: str
    cost: float
    scores: Mapping[Criterion, float]
    total: float
    refused: str
    best: bool = False


def offers(functions: Sequence[Function], population: int, scenario: Scenario) -> tuple[Offer, ...]:
    """Every function × kind of supplier, for a body of `population` people, in the scenario's order.

    A kind's cost: its fixed team, divided by the people it serves, and the team that grows with people, both with its
    mark-up. Cost is scored against the cheapest kind that may, 3 × cheapest / cost and at most 3. Of equal totals the
    cheaper is best. ValueError for no population.
    """
    if population <= 0:
        raise ValueError("no population to buy for")
    return tuple(offer for function in functions for offer in _for(function, population, scenario))


def _for(function: Function, population: int, scenario: Scenario) -> list[Offer]:
    kinds, weights = scenario.suppliers.kinds, scenario.suppliers.weights
    costs = {name: _cost(function, kind, population, scenario) for name, kind in kinds.items()}
    refused = {name: _refused(function, kind) for name, kind in kinds.items()}
    cheapest = min((cost for name, cost in costs.items() if not refused[name]), default=min(costs.values()))
    found = []
    for name, kind in kinds.items():
        scores: dict[Criterion, float] = {
            "cost": min(BEST, BEST * cheapest / costs[name]) if costs[name] else BEST,
            "control": kind.control,
            "capacity": kind.capacity,
            "conflict": kind.conflict,
            "transition": kind.transition,
        }
        total = sum(weights[criterion] * score for criterion, score in scores.items())
        found.append(Offer(function.id, name, costs[name], scores, total, refused[name]))
    allowed = [o for o in found if not o.refused]
    best = min(allowed, key=lambda o: (-round(o.total, 9), o.cost), default=None)
    return [o if o is not best else Offer(o.function, o.kind, o.cost, o.scores, o.total, "", True) for o in found]


def _cost(function: Function, kind: SupplierKind, population: int, scenario: Scenario) -> float:
    team = costing.fixed_cost(function, scenario.costing) * population / max(kind.serves, population)
    growing = costing.variable_per_head([function], scenario.costing) * population
    return (team + growing) * (1 + kind.mark_up)


def _refused(function: Function, kind: SupplierKind) -> str:
    if function.delegable == "never":
        return REFUSED["never"] if kind.delegated or kind.serves else ""
    return REFUSED[function.delegable] if kind.delegated and function.delegable == "partly" else ""
