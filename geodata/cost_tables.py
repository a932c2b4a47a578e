"""What the plan costs, as tables: who pays, whose team it is, function by function, allowances, suppliers, one
officer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from geodata.plan_tables import Column, Table, a_head, anchor_columns, capital, names
from optimiser.costing import AllowanceRow
from optimiser.plan_costs import MARKET, PlanCosts
from optimiser.scenario_tables import CRITERIA
from optimiser.team_costs import NO_FUNCTION

if TYPE_CHECKING:
    from optimiser.plan import Plan

CASH = "£ a year, cash"
HOW = {"make": "own", "share": "shared", "buy": "bought"}


def costs(plan: Plan) -> Table:
    """Every commissioning body: what it pays, and what it would pay to do everything alone."""
    found = PlanCosts(plan)
    columns = (
        *anchor_columns(plan),
        Column("patients", "Patients", "whole"),
        Column("fixed", "Fixed teams", "money", f"{CASH}: its own, and its part of those it shares or buys from"),
        Column("growing", "Teams that grow with people", "money", CASH),
        Column("placed", "Contracts and joint work", "money", f"{CASH}: contracts, agreements, footprints, pathways"),
        Column("total", "In all", "money", CASH),
        Column("per_head", "A head", "money", "£ of cash a head: what allowances are compared with"),
        Column("alone", "Alone", "money", f"{CASH}, if it did every function by itself, by the function table"),
        Column("alone_per_head", "Alone, a head", "money", "£ a head, by the function table"),
    )
    rows = tuple(
        (b.code, b.name, b.patients, c.fixed, c.growing, c.placed, c.total, a_head(c.total, b.patients), c.alone,
         a_head(c.alone, b.patients))
        for b, c in found.bodies
    )  # fmt: skip
    return Table("costs", "What it costs", columns, rows)


def teams(plan: Plan) -> Table:
    """Whose the teams are: bodies of every scale, and the market."""
    found = PlanCosts(plan)
    columns = (
        Column("scale", "Scale"),
        Column("code", "Code"),
        Column("name", "Name"),
        Column("patients", "Patients it works for", "whole"),
        Column("functions", "Functions", note="ids of the function table; blank where the body does none of it"),
        Column("fixed", "Fixed team", "money", CASH),
        Column("growing", "Team that grows with people", "money", CASH),
        Column("placed", "Contracts and joint work", "money", CASH),
        Column("total", "In all", "money", CASH),
        Column(
            "wte",
            "Posts",
            "number",
            "as many as the money would pay for, statutory cost and contracts included",
        ),
    )
    rows = tuple(
        (t.scale, t.code, t.name or ("the market" if t.code == MARKET else ""), t.patients, ";".join(t.functions),
         t.fixed, t.growing, t.placed, t.total, t.total / plan.scenario.costing.wte_gbp)
        for t in found.teams
    )  # fmt: skip
    return Table("teams", "Whose teams", columns, rows)


def function_costs(plan: Plan) -> Table:
    """Every commissioning body × function × team."""
    found = PlanCosts(plan)
    word, named = names(plan), _functions(plan)
    columns = (
        Column("function", "Function id"),
        Column("function_name", "Function"),
        *anchor_columns(plan),
        Column("mode", "How", note="make: own team; share: with others; buy: from an agency or the market"),
        Column("supplier", "Team's code"),
        Column("supplier_name", "Whose team"),
        Column("fixed", "Fixed team", "money", f"{CASH}: its part"),
        Column("growing", "Team that grows with people", "money", CASH),
        Column("placed", "Contracts and joint work", "money", CASH),
        Column("total", "In all", "money", CASH),
        Column("per_head", "A head", "money", "£ a head"),
        Column("alone", "Alone", "money", f"{CASH}, by the function table"),
    )
    patients = {b.code: b.patients for b in found.anchor}
    rows = tuple(
        (r.function, named[r.function], r.body, word.get(r.body, r.body), r.mode, r.supplier,
         word.get(r.supplier, r.supplier), r.fixed, r.growing, r.placed, r.total, a_head(r.total, patients[r.body]),
         r.alone)
        for r in found.rows
    )  # fmt: skip
    return Table("function_costs", "What each function costs", columns, rows)


def allowances(plan: Plan) -> Table:
    """Need against every allowance: the whole plan, then every commissioning body."""
    found = PlanCosts(plan)
    columns = (
        *anchor_columns(plan, "blank: the whole plan"),
        Column("allowance", "Allowance"),
        Column("per_head", "It gives, a head", "money", "£ a head, for running costs"),
        Column("need_per_head", "Needed, a head", "money", "£ of cash a head, as planned"),
        Column("gap_per_head", "Short, a head", "money", "£ a head; below 0 is money over"),
        Column("gap", "Short", "money", "£ a year; below 0 is money over"),
        Column("deliverable", "Functions paid for", note="ids, duties of law and what cannot be delegated first"),
        Column("undeliverable", "Functions left unpaid", note="ids, in paying order"),
        Column("undeliverable_names", "Left unpaid"),
    )
    named = _functions(plan)
    rows = [_allowance("", plan.dataset.info.name, found.people, row, named) for row in found.allowances]
    for body, own in found.allowances_of_bodies:
        rows += [_allowance(body.code, body.name, body.patients, row, named) for row in own]
    return Table("allowances", "Against allowances", columns, tuple(rows))


def suppliers(plan: Plan) -> Table:
    """Every function × kind of supplier on one rubric, for a commissioning body of median size."""
    found = PlanCosts(plan)
    kinds, named = plan.scenario.suppliers.kinds, _functions(plan)
    done: dict[tuple[str, str], int] = {}
    for row in found.rows:
        key = row.function, "agency" if row.mode == "buy" else HOW[row.mode]
        done[key] = done.get(key, 0) + 1
    columns = (
        Column("function", "Function id"),
        Column("function_name", "Function"),
        Column("kind", "Kind of supplier"),
        Column("label", "Supplier"),
        Column("cost", "Cost", "money", f"£ a year for {found.median:,} people, the median; assumed"),
        *(Column(f"score_{c}", capital(c.replace("_", " ")), "number", "0 poor to 3 good; assumed") for c in CRITERIA),
        Column("total", "Weighted score", "number", "0 to 3; the weights are the scenario's"),
        Column("best", "Best of those that may"),
        Column("refused", "Why it may not"),
        Column("planned", "In the plan", "whole", "commissioning bodies that have it done so"),
    )
    rows = tuple(
        (o.function, named[o.function], o.kind, kinds[o.kind].label, o.cost, *(o.scores[c] for c in CRITERIA), o.total,
         "yes" if o.best else "no", o.refused, done.get((o.function, o.kind), 0))
        for o in found.offers
    )  # fmt: skip
    return Table("suppliers", "Suppliers compared", columns, rows)


def shared_officer(plan: Plan) -> Table:
    """For every group of commissioning bodies: apart, under one accountable officer, and merged."""
    found = PlanCosts(plan)
    columns = (
        Column("group", "Group, code"),
        Column("group_name", "Group"),
        Column("bodies", "Bodies", "whole"),
        Column("patients", "Patients", "whole"),
        Column("apart", "Apart", "money", f"{CASH}: statutory fixed cost of each"),
        Column("shared", "Under one officer", "money", f"{CASH}; the part that is shared is assumed"),
        Column("merged", "Merged", "money", CASH),
        Column("attention", "Attention", "share", "of an officer's year that each body gets; assumed"),
        Column("need", "Needed", "share", "of an officer's year that each body needs; assumed"),
        Column("deputies", "Deputies", "number", "posts that make up for it"),
        Column("deputy_cost", "Deputies cost", "money", CASH),
        Column("saved", "Saved", "money", f"{CASH}, deputies paid, against staying apart"),
        Column("saved_per_head", "Saved, a head", "money", "£ a head"),
        Column("of_merger", "Of a merger's saving", "share", "deputies paid"),
    )
    rows = tuple(
        (g.code, g.name, o.bodies, o.patients, o.apart, o.shared, o.merged, o.attention, o.need, o.deputies,
         o.deputy_cost, o.saved, a_head(o.saved, o.patients), o.of_merger)
        for g, o in found.officers
    )  # fmt: skip
    return Table("shared_officer", "One officer for several", columns, rows)


def function_name(plan: Plan, function: str) -> str:
    """The name of a function; what no function stands for is running the bodies."""
    return _functions(plan)[function]


def _functions(plan: Plan) -> dict[str, str]:
    anchor = plan.scenario.anchor_scale
    below = [s.plural for s in plan.scenario.scales if s.name in plan.scenario.within(anchor) and s.name != anchor]
    rest = f"Running the {' and '.join(below)}" if below else "Other cash"
    return {f.id: f.name for f in plan.dataset.functions} | {NO_FUNCTION: rest}


def _allowance(code: str, name: str, people: int, row: AllowanceRow, named: dict[str, str]) -> tuple[object, ...]:
    def ids(found: Iterable[str]) -> str:
        return ";".join(f for f in found if f)

    unpaid = "; ".join(named[f] for f in row.undeliverable)
    return (
        code, name, row.name, row.per_head, row.need_per_head, row.gap, row.gap * people, ids(row.deliverable),
        ids(row.undeliverable), unpaid,
    )  # fmt: skip
