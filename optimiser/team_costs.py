"""What the management work of a plan costs: each commissioning body, each function, and whose team does it.

The plan's cash, spread so that every pound falls on one row. A planned body's management cost is the fixed team of the
functions it does, in proportion to what the function table says each needs (EVIDENCE 2.2). The team that grows with
people works wherever the function is done. What placing services costs in cash belongs to contracting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from optimiser import costing
from optimiser.domain import Body, Dataset, Function, FunctionMode, Placement, Structure
from optimiser.placement_support import support
from optimiser.scenario_models import Scenario

NO_FUNCTION = ""  # what no function of the table stands for


@dataclass(frozen=True)
class TeamCost:
    """What a body of the anchor scale pays for a function, £ a year of cash.

    function: its id, or NO_FUNCTION. supplier: code of the body whose team it is, "market", or "" where none is. fixed:
    its part of a team that is there whatever the population. growing: of the team that grows with people. placed: of
    contracts, agreements, footprints and pathways, as services are placed. alone: the same work by the function table
    if the body did it by itself.
    """

    body: str
    function: str
    mode: Literal["make", "share", "buy"]
    supplier: str
    fixed: float = 0.0
    growing: float = 0.0
    placed: float = 0.0
    alone: float = 0.0

    @property
    def total(self) -> float:
        """£ a year."""
        return self.fixed + self.growing + self.placed


def team_costs(
    dataset: Dataset, scenario: Scenario, structure: Structure, placement: Placement | None, cash: float
) -> tuple[TeamCost, ...]:
    """The plan's `cash` (£ a year) by anchor body, function and supplier; totals sum to it. Bodies and functions in
    their order, then what no function stands for. Without a placement contracting counts within the team."""
    bodies = structure.bodies[scenario.anchor_scale]
    modes = placement.functions if placement else _uncharged(support(dataset, scenario, structure))
    rates = _growing_rates(dataset.functions, scenario, placed=placement is not None)
    fixed = _fixed(dataset, scenario, structure, modes)
    placed = _placed(scenario, placement)
    contracting = next((f.id for f in dataset.functions if f.in_placement), NO_FUNCTION)
    alone = {
        b.code: {c.function: c.total for c in costing.function_costs(dataset.functions, b.patients, scenario.costing)}
        for b in bodies
    }
    patients = {b.code: b.patients for b in bodies}
    rows = [
        TeamCost(
            m.consortium, m.function, m.mode, m.supplier,
            fixed=m.cost + fixed.pop((m.consortium, m.function, m.supplier), 0.0),
            growing=rates[m.function] * patients[m.consortium],
            placed=placed.pop(m.consortium, 0.0) if m.function == contracting else 0.0,
            alone=alone[m.consortium][m.function],
        )
        for m in modes
    ]  # fmt: skip
    smaller = structure.scales[: structure.scales.index(scenario.anchor_scale) + 1]
    inside = {b.code for scale in smaller for b in structure.bodies[scale]}
    rows += [
        TeamCost(payer, function, "make" if at in inside else "share", at, fixed=pounds)
        for (payer, function, at), pounds in fixed.items()
    ]
    rows += [TeamCost(b, NO_FUNCTION, "make", b, placed=pounds) for b, pounds in placed.items() if pounds]
    rows += _rest(bodies, cash - sum(row.total for row in rows))
    order = {b.code: n for n, b in enumerate(bodies)}
    functions = {f.id: n for n, f in enumerate(dataset.functions)}
    return tuple(sorted(rows, key=lambda r: (order[r.body], functions.get(r.function, len(functions)), r.supplier)))


def by_function(rows: Iterable[TeamCost]) -> dict[str, float]:
    """Function → £ a year, all bodies together."""
    total: dict[str, float] = {}
    for row in rows:
        total[row.function] = total.get(row.function, 0.0) + row.total
    return total


def by_body(rows: Iterable[TeamCost]) -> dict[str, TeamCost]:
    """Code of the body → its costs of all functions together, in one row."""
    total: dict[str, TeamCost] = {}
    for row in rows:
        sum_ = total.setdefault(row.body, TeamCost(row.body, NO_FUNCTION, "make", row.body))
        total[row.body] = replace(
            sum_,
            fixed=sum_.fixed + row.fixed,
            growing=sum_.growing + row.growing,
            placed=sum_.placed + row.placed,
            alone=sum_.alone + row.alone,
        )
    return total


def _uncharged(modes: Sequence[FunctionMode]) -> tuple[FunctionMode, ...]:
    """Without services placed the plan's cash holds no charge for support outside the structure."""
    return tuple(replace(mode, cost=0.0) for mode in modes)


def _growing_rates(functions: Sequence[Function], scenario: Scenario, placed: bool) -> dict[str, float]:
    """Function → £ a head of its team that grows with people, by the function table, in all what the scenario says."""
    own = {
        f.id: 0.0 if f.in_placement and placed else costing.variable_per_head([f], scenario.costing) for f in functions
    }
    table = sum(own.values())
    wanted = costing.team_per_head(functions, scenario, placed)
    return {f: rate * wanted / table if table else 0.0 for f, rate in own.items()}


def _fixed(
    dataset: Dataset, scenario: Scenario, structure: Structure, modes: Sequence[FunctionMode]
) -> dict[tuple[str, str, str], float]:
    """(anchor body, function, body whose team it is) → £ a year of that body's management cost."""
    weights = {f.id: costing.fixed_cost(f, scenario.costing) for f in dataset.functions}
    does: dict[str, dict[str, float]] = {}
    for mode in modes:
        if mode.cost == 0.0:  # its fixed team is in the management cost of whoever does it
            does.setdefault(mode.supplier, {})[mode.function] = weights[mode.function]
    found: dict[tuple[str, str, str], float] = {}
    for scale in structure.scales:
        pounds = scenario.rate("management", scale) * scenario.share("management", scale)
        for body in structure.bodies[scale]:
            work = does.get(body.code, {})
            whole = sum(work.values())
            parts = {f: w / whole for f, w in work.items() if w} if whole else {NO_FUNCTION: 1.0}
            for payer, share in _payers(structure, scenario.anchor_scale, body):
                for function, part in parts.items():
                    found[payer, function, body.code] = pounds * share * part
    return found


def _payers(structure: Structure, anchor: str, body: Body) -> list[tuple[str, float]]:
    """The anchor bodies that a body works for, each with its share (0–1) by patients; evenly where there are none."""
    positions = dict.fromkeys(int(structure.membership[anchor][i]) for i in body.members)
    own = [structure.bodies[anchor][p] for p in positions]
    people = sum(b.patients for b in own)
    return [(b.code, b.patients / people if people else 1 / len(own)) for b in own]


def _placed(scenario: Scenario, placement: Placement | None) -> dict[str, float]:
    """Anchor body → £ a year of cash that placing its services costs."""
    found: dict[str, float] = {}
    for row in placement.commissions if placement else ():
        pounds = sum(amount for force, amount in row.terms.items() if scenario.kind(force) == "cash")
        found[row.consortium] = found.get(row.consortium, 0.0) + pounds
    return found


def _rest(bodies: Sequence[Body], pounds: float) -> list[TeamCost]:
    """Whatever else the scenario counts as cash, by patients."""
    people = sum(b.patients for b in bodies)
    if abs(pounds) < 0.5 or not people:
        return []
    return [TeamCost(b.code, NO_FUNCTION, "make", "", fixed=pounds * b.patients / people) for b in bodies]
