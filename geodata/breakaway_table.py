"""Who would be better off elsewhere, as a table: one row for each move of each locality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geodata.plan_tables import Column, Table, capital, names, scale_word
from optimiser.breakaway import best

if TYPE_CHECKING:
    from optimiser.finished import Plan

MOST_SHOWN = 10


def breakaway(plan: Plan) -> Table | None:
    """Every move that was priced, localities in the structure's order; None where nobody could move."""
    if not plan.breakaway:
        return None
    anchor = plan.scenario.anchor_scale
    below = plan.scenario.below(anchor)
    word, who = names(plan), capital(scale_word(plan, anchor))
    money = "£-equivalent a year more"
    columns = (
        Column("code", f"{capital(scale_word(plan, below)) if below else 'Practice'} code"),
        Column("name", capital(scale_word(plan, below)) if below else "Practice"),
        Column("patients", "Patients", "whole"),
        Column(anchor, f"{who} code"),
        Column(f"{anchor}_name", who),
        Column("move", "Move", note="next door, or alone"),
        Column("to", f"{who} joined, code"),
        Column("to_name", f"{who} joined"),
        Column("own", "For itself", "money", f"{money}: its own share; below zero it would be better off"),
        Column("own_per_head", "For itself, a head", "money", money),
        Column("joined", "For those it joins", "money", money),
        Column("left", "For those it leaves", "money", money),
        Column("others", "For all others", "money", money),
        Column("total", "In all", "money", f"{money}: the one total of the structure"),
        Column("better_off", "Better off", note="yes: it would pay less itself, and no rule forbids it"),
        Column("welcome", "Welcome", note="yes: those it joins would pay no more; blank alone"),
        Column("broken_rules", "Rules it would break"),
    )
    rows = tuple(
        (
            m.code, m.name, m.patients, m.body, word.get(m.body, m.body), "next door" if m.to else "alone", m.to,
            word.get(m.to, ""), m.change.own, m.change.own / max(1, m.patients), m.change.joined, m.change.left,
            m.change.others, m.change.total, _yes(m.better_off), _yes(m.welcome) if m.to else "", "; ".join(m.broken),
        )
        for m in plan.breakaway
    )  # fmt: skip
    return Table("breakaway", "Better off elsewhere", columns, rows)


def shown(plan: Plan) -> list[dict[str, Any]]:
    """The rows of those who would be better off, next door or alone, each at its best, most saved first; a page of
    them."""
    table = breakaway(plan)
    if table is None:
        return []
    chosen = [*best(plan.breakaway, alone=False), *best(plan.breakaway, alone=True)]
    wanted = {(m.code, m.to) for m in sorted(chosen, key=lambda m: m.change.own)[:MOST_SHOWN]}
    found = [row for row in table.records() if (row["code"], row["to"]) in wanted]
    return sorted(found, key=lambda row: row["own"])  # type: ignore[arg-type, return-value]


def _yes(value: bool) -> str:
    return "yes" if value else "no"
