"""Decisions taken beforehand, and what keeping each costs, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geodata.plan_tables import Column, Table
from optimiser.pin_costs import ALL
from optimiser.pins import name_of

if TYPE_CHECKING:
    from optimiser.finished import Plan

IN_FULL, IMPROVED, NOT_PRICED = "planned anew without it", "improved from the plan", "not priced in time"


def pins(plan: Plan) -> Table | None:
    """One row for all pins together (where there are several), then one a pin; None without pins."""
    if not plan.scenario.pins:
        return None
    columns = (
        Column("pin", "Pin", note="its number in the scenario, from 1"),
        Column("kind", "Kind"),
        Column("scale", "Scale"),
        Column("name", "Name"),
        Column("practices", "Practices", note="codes"),
        Column("with", "Relative to practice"),
        Column("body", "Relative to body of today, code"),
        Column("reason", "Reason"),
        Column(
            "cost", "Cost of keeping it, £-equivalent a year", "money", "plan less the best found without: an estimate"
        ),
        Column("cost_least", "At least", "money", "from the bounds of both problems"),
        Column("cost_most", "At most", "money", "from the bounds of both problems"),
        Column("patients_moved_share", "Patients grouped otherwise without it", "share"),
        Column("method", "How it was priced"),
    )
    priced = {cost.pin: cost for cost in plan.pin_costs}
    rows: list[tuple[Any, ...]] = []
    described: list[tuple[Any, ...]] = [(ALL, "all", "", "all pins together", "", "", "", "")] if ALL in priced else []
    described += [
        (
            number,
            pin.kind,
            pin.scale,
            name_of(plan.dataset, pin),
            ";".join(pin.practices),
            pin.with_,
            pin.body,
            pin.reason,
        )
        for number, pin in enumerate(plan.scenario.pins, start=1)
    ]
    for number, *said in described:
        found = priced.get(number)
        figures: tuple[Any, ...] = (None, None, None, None, NOT_PRICED)
        if found is not None:
            how = IN_FULL if found.in_full else IMPROVED
            figures = (found.cost, found.least, found.most, found.patients_moved_share, how)
        rows.append((str(number) if number else "all", *said, *figures))
    return Table("pins", "Decided beforehand", columns, tuple(rows))
