"""What the management work costs, built up by function, and what each allowance would pay for.

A function needs a team of fixed_wte + wte_per_100k × N / 100,000 (EVIDENCE 2.2) or is a fixed statutory cost. Functions
priced in the placement (acute contracting) have their per-head team priced there, by the contracts actually held, so it
is left out of the variable team here: each pound is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from optimiser.domain import NO_BODY, Function, Structure
from optimiser.scenario_models import Costing, Scenario

PER = 100_000


@dataclass(frozen=True)
class FunctionCost:
    """£ a year of one function done alone for a population."""

    function: str
    fixed: float
    variable: float

    @property
    def total(self) -> float:
        """£ a year."""
        return self.fixed + self.variable


@dataclass(frozen=True)
class AllowanceRow:
    """Need against one allowance, in cash. Per-head figures in £; gap > 0 is money short. cut: the same after the
    management cut asked for. undeliverable: ids of functions that the allowance leaves unpaid."""

    name: str
    per_head: float
    need_per_head: float
    gap: float
    cut_need_per_head: float
    gap_after_cut: float
    undeliverable: tuple[str, ...]


def fixed_cost(function: Function, costing: Costing) -> float:
    """£ a year whatever the population."""
    return function.statutory_cost + function.fixed_wte * costing.wte_gbp


def variable_per_head(functions: Iterable[Function], costing: Costing) -> float:
    """£ per head a year of the teams that grow with population."""
    return sum(f.wte_per_100k for f in functions) * costing.wte_gbp / PER


def function_costs(functions: Sequence[Function], population: float, costing: Costing) -> tuple[FunctionCost, ...]:
    """Each function done alone by one body, in £ a year."""
    return tuple(
        FunctionCost(f.id, fixed_cost(f, costing), variable_per_head([f], costing) * population) for f in functions
    )


def standalone_fixed(functions: Iterable[Function], costing: Costing) -> float:
    """£ a year of a body that does everything alone, before any team that grows with people (£2.31m by default)."""
    return sum(fixed_cost(f, costing) for f in functions)


def standalone_per_head(functions: Sequence[Function], population: float, costing: Costing) -> float:
    """£ per head of a body that does everything alone."""
    return standalone_fixed(functions, costing) / population + variable_per_head(functions, costing)


def left_after_fixed(allowance: float, population: float, fixed: float) -> float:
    """£ per head left for commissioning once fixed costs are paid: the ready reckoner's arithmetic."""
    return allowance - fixed / population


def break_even(allowance: float, fixed: float, variable: float) -> float:
    """People at which fixed / N + variable per head meets the allowance; infinite when it never does."""
    return fixed / (allowance - variable) if allowance > variable else float("inf")


def team_per_head(functions: Iterable[Function], scenario: Scenario) -> float:
    """£ per head of the variable team that no decision changes: rates.team less what the placement prices."""
    return scenario.rate("team") - variable_per_head([f for f in functions if f.in_placement], scenario.costing)


def team_cost(functions: Iterable[Function], population: float, scenario: Scenario) -> float:
    """£ a year of that team for everybody; listed apart from the objective."""
    return team_per_head(functions, scenario) * population


def management_by_scale(structure: Structure, scenario: Scenario) -> Mapping[str, float]:
    """Scale → £ a year of fixed cost of its bodies."""
    return {
        scale: scenario.rate("management", scale)
        * scenario.share("management", scale)
        * sum(body.name != NO_BODY for body in structure.bodies[scale])
        for scale in structure.scales
    }


def cost_the_work(
    cash: float, population: float, bodies: int, functions: Sequence[Function], scenario: Scenario
) -> tuple[AllowanceRow, ...]:
    """What the plan needs in cash (£ a year, all bodies together) against every allowance of the scenario, and with
    need reduced by the management cut. ValueError for no population.

    What an allowance leaves undone is found by paying in order: duties of law, then what members cannot delegate, then
    the rest as listed, each function with the share of the cash that it has in one of `bodies` equal standalone bodies.
    """
    if population <= 0 or bodies < 1:
        raise ValueError("no population to cost for")
    need = cash / population
    cut = need * (1 - scenario.costing.management_cut)
    shares = _shares(functions, population / bodies, scenario.costing)
    return tuple(
        AllowanceRow(name, a, need, need - a, cut, cut - a, _unpaid(shares, a / need if need else 1.0))
        for name, a in scenario.allowances.items()
    )


def _shares(functions: Sequence[Function], population: float, costing: Costing) -> list[tuple[str, float]]:
    """Functions in paying order, each with its share of the whole cost."""
    order = sorted(functions, key=lambda f: (f.statutory_cost == 0, f.delegable != "never"))
    costs = [c.total for c in function_costs(order, population, costing)]
    whole = sum(costs) or 1.0
    return [(f.id, c / whole) for f, c in zip(order, costs, strict=True)]


def _unpaid(shares: Sequence[tuple[str, float]], money: float) -> tuple[str, ...]:
    """Functions left once the money, as a share of need, has been spent in order; what does not fit is passed over."""
    unpaid = []
    for function, share in shares:
        if share <= money + 1e-9:
            money -= share
        else:
            unpaid.append(function)
    return tuple(unpaid)
