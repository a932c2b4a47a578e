"""What the management work costs, built up by function, and what each allowance would pay for.

A function needs a team of fixed_wte + wte_per_100k × N / 100,000 (EVIDENCE 2.2) or is a fixed statutory cost. Functions
priced in the placement (acute contracting) have their per-head team priced there, by the contracts actually held, so it
is left out of the variable team here: each pound is counted once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from optimiser.domain import NO_BODY, Function, Structure
from optimiser.scenario_models import Scenario
from optimiser.scenario_tables import Costing

PER = 100_000
BUNDLED_TEAM = 18.4 * 71_400.0 / PER
"""£ a head of the growing teams in the bundled function table at its price of a post: what rates.team rounds."""


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
    """Need against one allowance, in cash. £ a head; gap > 0 is money short. deliverable, undeliverable: ids of
    functions that the allowance pays for, and that it leaves unpaid. cut: it is what a management cut would leave."""

    name: str
    per_head: float
    need_per_head: float
    gap: float
    deliverable: tuple[str, ...]
    undeliverable: tuple[str, ...]
    cut: bool = False


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
    """£ per head of a body that does everything alone. ValueError for no population."""
    if population <= 0:
        raise ValueError("no population to cost for")
    return standalone_fixed(functions, costing) / population + variable_per_head(functions, costing)


def left_after_fixed(allowance: float, population: float, fixed: float) -> float:
    """£ per head left for commissioning once fixed costs are paid: the ready reckoner's arithmetic. ValueError for no
    population."""
    if population <= 0:
        raise ValueError("no population to cost for")
    return allowance - fixed / population


def break_even(allowance: float, fixed: float, variable: float) -> float:
    """People at which fixed / N + variable per head meets the allowance; infinite when it never does."""
    return fixed / (allowance - variable) if allowance > variable else float("inf")


def team_per_head(functions: Sequence[Function], scenario: Scenario, placed: bool = True) -> float:
    """£ per head of the variable team that no decision changes. placed: less what the placement prices.

    rates.team speaks of the bundled function table at £71,400 a post; another table, or another price, moves it in
    proportion.
    """
    table = variable_per_head(functions, scenario.costing)
    whole = scenario.rate("team") * (table / BUNDLED_TEAM if functions else 1.0)
    return whole - (variable_per_head([f for f in functions if f.in_placement], scenario.costing) if placed else 0.0)


def team_cost(functions: Sequence[Function], population: float, scenario: Scenario, placed: bool = True) -> float:
    """£ a year of that team for everybody; listed apart from the objective. placed: contracting is priced by the
    contracts held; otherwise it counts within the team."""
    return team_per_head(functions, scenario, placed) * population


def management_by_scale(structure: Structure, scenario: Scenario) -> Mapping[str, float]:
    """Scale → £ a year of fixed cost of its bodies."""
    return {
        scale: scenario.rate("management", scale)
        * scenario.share("management", scale)
        * sum(body.name != NO_BODY for body in structure.bodies[scale])
        for scale in structure.scales
    }


def cost_the_work(
    costs: Mapping[str, float], population: float, functions: Sequence[Function], scenario: Scenario
) -> tuple[AllowanceRow, ...]:
    """What the work needs in cash against every allowance of the scenario, then against what a management cut leaves.

    costs: function → £ a year of cash, all of what is compared; other keys than functions are paid last. What an
    allowance leaves undone is found by paying in order: duties of law, then what members cannot delegate, then the rest
    as listed; what no longer fits is passed over. ValueError for no population.
    """
    if population <= 0:
        raise ValueError("no population to cost for")
    need = sum(costs.values()) / population
    rest = [name for name in costs if name not in {f.id for f in functions}]
    paid = sorted(functions, key=lambda f: (f.statutory_cost == 0, f.delegable != "never"))
    order = [f.id for f in paid if f.id in costs] + rest
    cut = scenario.costing.management_cut
    rows = [(name, amount, False) for name, amount in scenario.allowances.items()]
    rows += [(f"after a cut of {100 * cut:.0f} %", need * (1 - cut), True)] if cut else []
    return tuple(
        AllowanceRow(name, amount, need, need - amount, *_paid(order, costs, amount * population), cut=is_cut)
        for name, amount, is_cut in rows
    )


def phased_cut(need: float, costing: Costing) -> tuple[float, ...]:
    """What is left of a need, in its own unit, at the end of each year of the management cut, in equal steps."""
    years = costing.cut_years
    return tuple(need * (1 - costing.management_cut * year / years) for year in range(1, years + 1))


def _paid(order: Sequence[str], costs: Mapping[str, float], money: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(paid, unpaid) once the money has been spent in order."""
    paid: list[str] = []
    unpaid: list[str] = []
    for name in order:
        fits = costs[name] <= money + 0.005  # half a penny
        (paid if fits else unpaid).append(name)
        money -= costs[name] if fits else 0.0
    return tuple(paid), tuple(unpaid)
