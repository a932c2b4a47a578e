"""The options side by side as tables: figures, the years of each way, both sides of each, who is in which body, and who
has answered the five questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from geodata.plan_tables import Column, Table, capital
from optimiser.domain import EVIDENCE
from optimiser.measures import ASSUMED, CASH, EXPECTED, MODELLED, NOTIONAL, SIZE, TRUE
from optimiser.wording import percent

if TYPE_CHECKING:
    from optimiser.option_terms import Figures
    from optimiser.options import Comparison, Option

TODAY, DRAWN = "as today", "as drawn"
FLOWS = "flows"  # evidence of figures that rest on flows, whatever they are in the dataset
PER_HEAD = "£ per head"
HELD = "of the services each really holds, common shock included"


@dataclass(frozen=True)
class Line:
    """A figure of every option. better: which end of it is, "" where neither is. kind: of money, or as measures have
    it. note: what it means."""

    name: str
    title: str
    unit: str
    kind: str
    evidence: str
    better: Literal["low", "high", ""]
    note: str = ""


LINES = (
    Line("cash", "Cash", PER_HEAD, CASH, ASSUMED, "low", "all that is compared with allowances; teams are assumed"),
    Line("expected", "Expected financial", PER_HEAD, EXPECTED, MODELLED, "low", "risk, lost weight, moves, on average"),
    Line("notional", "Notional", PER_HEAD, NOTIONAL, ASSUMED, "low", "engagement, distance and other judgements in £"),
    Line("overspend", "Overspend likely, worst-off where risk is held", "share", EXPECTED, MODELLED, "low", HELD),
    Line("over_1", "More than 1 % over likely, the same", "share", EXPECTED, MODELLED, "low"),
    Line("overspend_alone", "Overspend likely, worst-off, were nothing pooled", "share", EXPECTED, MODELLED, "low"),
    Line("reserve", "Set aside by all who hold risk, of budget", "share", EXPECTED, MODELLED, "low", "with the shock"),
    Line("reserve_luck", "Without the shock that no pool shrinks", "share", EXPECTED, MODELLED, "low"),
    Line("reserve_alone", "Set aside by all, were nothing pooled", "share", EXPECTED, MODELLED, "low"),
    Line("exposed", "Service risk: spend exposed to a provider", "share", TRUE, FLOWS, "low", "no pool shrinks it"),
    Line("provider_share", "Share of its main provider's income", "share", TRUE, FLOWS, "high", "by patients"),
    Line("leverage", "Lost for lack of weight with providers", PER_HEAD, EXPECTED, FLOWS, "low", "part of expected"),
    Line("engagement", "GPs engaged", "share", NOTIONAL, ASSUMED, "high"),
    Line("alignment", "Patients inside their body's main council", "share", TRUE, MODELLED, "high"),
    Line(
        "autonomy",
        "Services that the groups there are still decide",
        "share",
        TRUE,
        MODELLED,
        "high",
        "not measured where one body is everybody",
    ),
    Line("autonomy_of_spend", "Spending that they still decide", "share", TRUE, MODELLED, "high"),
    Line("bodies", "Number", "", SIZE, MODELLED, ""),
    Line("median", "Median size", "patients", SIZE, MODELLED, ""),
    Line("smallest", "Smallest", "patients", SIZE, MODELLED, ""),
    Line("largest", "Largest", "patients", SIZE, MODELLED, ""),
    Line("moved", "Patients whose practice changes body", "patients", TRUE, MODELLED, "low"),
)
WAY = (
    Line("saving", "Cash saved a year, all done", "£", CASH, ASSUMED, "high", "below zero: it costs more"),
    Line("saving_first", "Of it in the first year", "£", CASH, ASSUMED, "high", "as merged hospital trusts had it"),
    Line("one_off", "Spent once", "£", CASH, ASSUMED, "low", "posts paid off, transition leads"),
    Line("late", "Savings that come late, in all", "£", CASH, ASSUMED, "low"),
    Line("undone", "Work not done meanwhile", "£", NOTIONAL, ASSUMED, "low"),
    Line("delayed", "Gains in weight and luck that come late", "£", EXPECTED, ASSUMED, "low"),
    Line("pays_back", "Back by the end of year", "year", CASH, ASSUMED, "low", "blank where it never is"),
)
PROOF = (
    Line("structure_gap", "Structure proved within", "share", TRUE, MODELLED, ""),
    Line("services_gap", "Services proved within, given it", "share", TRUE, MODELLED, ""),
)


def value(found: Comparison, option: Option | None, line: Line) -> float | None:
    """A figure of an option, or of today where there is none; None where it is not known."""
    if option is None:
        figures: Figures | None = found.today.figures if found.today else None
        return getattr(figures, line.name, None)
    if line in PROOF:
        return getattr(option, line.name)
    way = option.terms.transition
    if line.name == "saving_first":
        return way.years[0].realised
    if line.name == "pays_back":
        return way.pays_back()
    return getattr(way if line in WAY else option.terms.figures, line.name)


def evidence(found: Comparison, line: Line) -> str:
    """What a figure rests on: of those that rest on flows, the label that most of their spending has."""
    if line.evidence != FLOWS:
        return line.evidence
    flows = found.dataset.flows
    if not len(flows):
        return "no flows"
    label = EVIDENCE[int(np.bincount(flows.label, weights=flows.spend, minlength=len(EVIDENCE)).argmax())]
    return label if label in EVIDENCE[:2] else f"{ASSUMED} ({label})"


def first_name(found: Comparison) -> str:
    """What the bodies there are, or those drawn, are called."""
    return DRAWN if found.drawn else TODAY


def columns_of(found: Comparison) -> list[tuple[str, Option | None]]:
    """What stands side by side: today where it is known, then every form."""
    today: list[tuple[str, Option | None]] = [(first_name(found), None)] if found.today is not None else []
    return today + [(option.terms.form, option) for option in found.options]


def tolerance(found: Comparison) -> str:
    """The overspend that the risk rule speaks of, in words."""
    return percent(found.scenario.risk.rule_tolerance)


def options(found: Comparison) -> Table:
    """One row an option, today's bodies first."""
    lines = (*LINES, *WAY, *PROOF)
    columns = [
        Column("option", "Option"),
        Column("premature", "Premature", note="yes: not all five questions answered"),
    ]
    columns += [
        Column(line.name, line.title, note=f"{line.unit} ({line.kind}; {evidence(found, line)})") for line in lines
    ]
    columns.append(Column("cut_short", "Cut short", note="yes: a clock ended some of its search"))
    rows = tuple(
        (name, found.premature, *(value(found, option, line) for line in lines), _cut(found, option))
        for name, option in columns_of(found)
    )
    return Table("options", "Options side by side", tuple(columns), rows)


def _cut(found: Comparison, option: Option | None) -> bool:
    arranged = option.plan if option is not None else found.today.plan if found.today else None
    return arranged is not None and arranged.cut


def allowances(found: Comparison) -> Table:
    """Cash a head of every option against each allowance of the scenario."""
    columns = (
        Column("option", "Option"),
        Column("allowance", "Allowance"),
        Column("per_head", "It gives, a head", "money", "£ a head, in money of its own year"),
        Column("need_per_head", "Needed, a head", "money", "£ of cash a head"),
        Column("gap_per_head", "Short, a head", "money", "£ a head; below 0 is money over"),
    )
    rows = tuple(
        (name, allowance, amount, cash, None if cash is None else cash - amount)
        for allowance, amount in found.scenario.allowances.items()
        for name, option in columns_of(found)
        for cash in (value(found, option, LINES[0]),)
    )
    return Table("option_allowances", "Against allowances", columns, rows)


def years(found: Comparison) -> Table:
    """The way to each option, year by year."""
    cash = "£, cash"
    columns = (
        Column("option", "Option"),
        Column("year", "Year", "whole"),
        Column("theoretical", "Saved in theory", "money", cash),
        Column("realised", "Saved in practice", "money", cash),
        Column("one_off", "Spent once", "money", cash),
        Column("cash", "Better or worse off", "money", f"{cash}: realised less what is spent once"),
        Column("dip", "Work not done", "money", "£, notional"),
        Column("delayed", "Gains that come late", "money", "£, expected"),
    )
    rows = tuple(
        (o.terms.form, y.number, y.theoretical, y.realised, y.one_off, y.cash, y.dip, y.delayed)
        for o in found.options
        for y in o.terms.transition.years
    )
    return Table("option_years", "On the way", columns, rows)


def sides(found: Comparison) -> Table:
    """What speaks for and against each option."""
    columns = (Column("option", "Option"), Column("side", "Side", note="benefit or risk"), Column("text", "Said"))
    rows = tuple(
        (o.terms.form, side, text)
        for o in found.options
        for side, said in (("benefit", o.terms.benefits), ("risk", o.terms.risks))
        for text in said
    )
    return Table("option_sides", "Benefits and risks", columns, rows)


def practices(found: Comparison) -> Table:
    """Which body each practice is in under each option."""
    anchor = found.scenario.anchor_scale
    label = capital(found.scenario.scale(anchor).label)
    columns = [Column("practice", "Practice code"), Column("name", "Practice"), Column("patients", "Patients", "whole")]
    for option in found.options:
        form = option.terms.form
        columns += [Column(form, f"{label}, {form}: code"), Column(f"{form}_name", f"{label}, {form}")]
    rows = tuple((p.code, p.name, p.patients, *_bodies(found, i)) for i, p in enumerate(found.dataset.practices))
    return Table("option_practices", "Who is where", tuple(columns), rows)


def _bodies(found: Comparison, practice: int) -> Iterator[str]:
    for option in found.options:
        body = option.plan.structure.body_of(found.scenario.anchor_scale, practice)
        yield body.code
        yield body.name


def answers(found: Comparison) -> Table:
    """Which of the five questions each consortium has answered itself."""
    columns = (
        Column("code", "Code"),
        Column("name", "Name"),
        *(Column(f"question_{n}", f"Question {n}", note="yes: its own wishes answer it") for n in range(1, 6)),
        Column("wishes", "Wishes", "whole", "its own, and those of groups and practices inside it"),
    )
    rows = tuple((a.code, a.name, *(n in a.questions for n in range(1, 6)), a.wishes) for a in found.answers)
    return Table("option_answers", "Five questions answered", columns, rows)


def pools(found: Comparison) -> Table:
    """Where risk is pooled: what each member pays, and for whose luck."""
    pounds = "£ set aside; expected_financial"
    columns = (
        Column("option", "Option"),
        Column("pool", "Pool: code"),
        Column("pool_name", "Pool"),
        Column("member", "Member: code"),
        Column("member_name", "Member"),
        Column("budget", "Budget brought", "money", "£ a year of the services whose luck is pooled"),
        Column("alone", "Sets aside alone", "money", pounds),
        Column("flat", "At the pool's flat percentage", "money", pounds),
        Column("fair", "By the risk it adds", "money", pounds),
        Column("pays_for_others", "Flat above fair", "money", "below zero: others pay for it"),
    )
    rows = []
    for option in found.options:
        called = {b.code: b.name for bodies in option.plan.structure.bodies.values() for b in bodies}
        rows += [
            (option.terms.form, c.pool, called.get(c.pool, capital(c.pool)), c.member, called[c.member], c.budget,
             c.alone, c.flat, c.fair, c.flat - c.fair)
            for c in option.luck.paid
        ]  # fmt: skip
    return Table("option_pools", "Who pays for whom", columns, tuple(rows))


TABLES = (options, allowances, years, sides, practices, answers, pools)
