"""Budgets by need, as tables: every body's fair share and distance from it, and what grouping changes for a
practice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geodata.plan_tables import Column, Table, a_head, anchor_columns
from optimiser.budgets import body_budgets, grouped
from optimiser.plan_costs import PlanCosts

if TYPE_CHECKING:
    from optimiser.plan import Plan


def budgets(plan: Plan) -> Table:
    """Every body of every scale: its fair share, what it has today and carries over, gainers and losers inside it."""
    found = PlanCosts(plan).budgets
    columns = (
        Column("scale", "Scale"),
        Column("code", "Code"),
        Column("name", "Name"),
        Column("patients", "Patients", "whole"),
        Column("need_index", "Need a head", "number", "1 = average"),
        Column("fair", "Fair share", "money", "£ a year, by patients and need"),
        Column("fair_per_head", "Fair share, a head", "money", "£ a head"),
        Column("today", "Today", "money", "£ a year; blank where finances.csv does not say"),
        Column("distance", "Distance from target", "share", "(today − fair share) / fair share"),
        Column("inherited", "Carried over", "money", "£; below 0 is a deficit; blank where finances.csv does not say"),
        Column("inherited_per_head", "Carried over, a head", "money", "£ a head"),
        Column("basis", "Gains counted from"),
        Column("gainers", "Practices that gain", "whole", "if it shared by need what its members have"),
        Column("losers", "Practices that lose", "whole"),
        Column("moved", "Would change hands", "money", "£ a year"),
    )
    rows = [] if found is None else [
        (b.scale, b.code, b.name, b.patients, b.need, b.fair, a_head(b.fair, b.patients), b.today, b.distance,
         b.inherited, a_head(b.inherited, b.patients), found.basis, b.gainers, b.losers, b.moved)
        for scale in plan.structure.scales for b in body_budgets(found, plan.structure, scale)
    ]  # fmt: skip
    return Table("budgets", "Budgets", columns, tuple(rows))


def budget_changes(plan: Plan) -> Table:
    """Every practice: its fair share, what it has today, and what it would have in its commissioning body."""
    found = PlanCosts(plan).budgets
    anchor = plan.scenario.anchor_scale
    columns = (
        Column("code", "Practice code"),
        Column("name", "Practice"),
        *anchor_columns(plan),
        Column("patients", "Patients", "whole"),
        Column("need_index", "Need a head", "number", "1 = average"),
        Column("fair", "Fair share", "money", "£ a year"),
        Column("today", "Today", "money", "£ a year; of a body of today, its part by patients and need"),
        Column("distance", "Distance from target", "share", "(today − fair share) / fair share"),
        Column("inherited", "Carried over", "money", "£; below 0 is a deficit"),
        Column("basis", "Gains counted from"),
        Column("has", "It brings", "money", "£ a year, on that basis"),
        Column("grouped", "In its body", "money", "£ a year, if the body shared by need what its members bring"),
        Column("change", "Gain", "money", "£ a year; below 0 is a loss"),
        Column("change_per_head", "Gain, a head", "money", "£ a head"),
    )
    if found is None:
        return Table("budget_changes", "Gainers and losers", columns, ())
    after = grouped(found, plan.structure, anchor)
    rows = []
    for i, p in enumerate(plan.dataset.practices):
        body = plan.structure.body_of(anchor, i)
        fair, today, has, then = (float(v[i]) for v in (found.fair, found.today, found.has, after))
        change = _known(then - has)
        distance = _known(today / fair - 1) if fair else None
        rows.append((
            p.code, p.name, body.code, body.name, p.patients, p.need_index, fair, _known(today), distance,
            _known(float(found.inherited[i])), found.basis, _known(has), _known(then), change,
            a_head(change, p.patients),
        ))  # fmt: skip
    return Table("budget_changes", "Gainers and losers", columns, tuple(rows))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
