"""What the report says of cost: need against allowances, every body and function, whose teams, suppliers, budgets."""

from __future__ import annotations

import base64
from itertools import groupby
from typing import TYPE_CHECKING, Any

from geodata import budget_tables, cost_tables, plan_tables
from geodata.maps.cost_picture import cost_curve, curve_bytes
from optimiser.costing import phased_cut
from optimiser.officer import span
from optimiser.plan_costs import PlanCosts

if TYPE_CHECKING:
    from optimiser.plan import Plan

Row = dict[str, Any]
HOW = {"make": "own", "share": "shared", "buy": "bought"}


def sections(plan: Plan) -> Row:
    """By name, what the template prints; None where there is nothing to print."""
    return {"costs": _costs(plan), "budgets": _budgets(plan)}


def _costs(plan: Plan) -> Row | None:
    found = PlanCosts(plan)
    shown = cost_curve(plan)
    if not found.people or shown is None:
        return None
    bodies = cost_tables.costs(plan).records()
    picture = base64.b64encode(curve_bytes(shown)).decode()
    allowances = found.allowances
    return {
        "picture": f"data:image/svg+xml;base64,{picture}",
        "described": shown.described,
        "cash": plan.cash,
        "need": plan.cash / found.people,
        "today": None if plan.baseline is None else plan.baseline.region["cash_per_head"].value,
        "parts": [(part, sum(row[part] for row in bodies) / found.people) for part in ("fixed", "growing", "placed")],
        "alone": sum(row["alone"] for row in bodies) / found.people,
        "allowances": [_allowance(plan, row, found.people) for row in allowances],
        "cut": plan.scenario.costing.management_cut,
        "phased": phased_cut(plan.cash / found.people, plan.scenario.costing),
        "bodies": [row | {"lives_on": _lives_on(plan, row["per_head"])} for row in bodies],
        "functions": _functions(plan, found),
        "teams": _teams(plan),
        "officers": cost_tables.shared_officer(plan).records(),
        "span": span(plan.scenario.officer),
        "officer": plan.scenario.officer,
        "suppliers": _suppliers(plan),
        "kinds": [kind.label for kind in plan.scenario.suppliers.kinds.values()],
        "weights": plan.scenario.suppliers.weights,
        "price_year": plan.dataset.info.price_year,
        "median": found.median,
        "wte": plan.scenario.costing.wte_gbp,
    }


def _allowance(plan: Plan, row: Any, people: int) -> Row:
    unpaid = [cost_tables.function_name(plan, f) for f in row.undeliverable]
    return {
        "name": row.name,
        "per_head": row.per_head,
        "gap": row.gap,
        "pounds": row.gap * people,
        "paid": len(row.deliverable),
        "of": len(row.deliverable) + len(row.undeliverable),
        "unpaid": unpaid,
    }


def _lives_on(plan: Plan, per_head: float | None) -> str:
    """The least allowance that pays for a body, in words."""
    if per_head is None:
        return "–"
    enough = [amount for amount in plan.scenario.allowances.values() if per_head <= amount]
    return f"£{min(enough):g}" if enough else "none of them"


def _functions(plan: Plan, found: PlanCosts) -> list[Row]:
    made = []
    for function, group in groupby(sorted(found.rows, key=_order(plan)), key=lambda r: r.function):
        rows = list(group)
        bodies: dict[str, set[str]] = {}
        for row in rows:
            bodies.setdefault(HOW[row.mode], set()).add(row.body)
        how = ", ".join(f"{way} {len(who)}" if len(bodies) > 1 else way for way, who in bodies.items())
        sums = {part: sum(getattr(r, part) for r in rows) for part in ("fixed", "growing", "placed", "total", "alone")}
        made.append({
            "name": cost_tables.function_name(plan, function), "how": how if function else "", **sums,
            "per_head": sums["total"] / found.people, "alone_per_head": sums["alone"] / found.people,
        })  # fmt: skip
    return made


def _order(plan: Plan) -> Any:
    at = {f.id: n for n, f in enumerate(plan.dataset.functions)}
    return lambda row: at.get(row.function, len(at))


def _teams(plan: Plan) -> list[Row]:
    """Teams added up by scale."""
    made = []
    for scale, group in groupby(cost_tables.teams(plan).records(), key=lambda row: row["scale"]):
        rows = list(group)
        label = {"market": "the market", "": "nobody in particular"}.get(str(scale), "")
        ids = sorted({f for row in rows for f in str(row["functions"]).split(";") if f})
        made.append({
            "where": plan_tables.capital(label or plan.scenario.scale(str(scale)).plural),
            "number": len(rows),
            "functions": [cost_tables.function_name(plan, f) for f in ids],
            "total": sum(row["total"] for row in rows),
            "wte": sum(row["wte"] for row in rows),
            "per_head": sum(row["total"] for row in rows) / PlanCosts(plan).people,
        })  # fmt: skip
    return made


def _suppliers(plan: Plan) -> list[Row]:
    """A row a function: of every kind of supplier its score and cost, or why it may not, and who has it so."""
    rows = cost_tables.suppliers(plan).records()
    return [
        {"name": name, "cells": list(group)}
        for name, group in groupby(rows, key=lambda row: row["function_name"])
    ]  # fmt: skip


def _budgets(plan: Plan) -> Row | None:
    found = PlanCosts(plan).budgets
    if found is None:
        return None
    rows = [r for r in budget_tables.budgets(plan).records() if r["scale"] == plan.scenario.anchor_scale]
    changes = [r for r in budget_tables.budget_changes(plan).records() if r["change_per_head"] is not None]
    changes.sort(key=lambda r: -r["change_per_head"])
    needs = {p.need_index for p in plan.dataset.practices}
    return {
        "known": found.known,
        "carried": any(row.inherited is not None for row in plan.dataset.finances),
        "basis": found.basis,
        "need_known": len(needs) > 1,
        "rows": rows,
        "most": [*changes[:5], *changes[-5:]] if len(changes) > 10 else changes,
        "whole": float(found.fair.sum()),
    }
