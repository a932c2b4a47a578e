"""What the plan costs and rests on, as tables: forces, today beside the plan, sensitivity, assumptions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from geodata.plan_tables import Column, Table, capital
from optimiser.avoidable import avoidable_shares

if TYPE_CHECKING:
    from optimiser.plan import Plan

FORCES: Mapping[str, tuple[str, str]] = {
    "engagement": ("Engagement lost", "GPs take less part as bodies grow"),
    "likeness": ("Unlike practices", "practices that differ, or would rather not work together"),
    "insurance": ("Insurance risk", "the cost of reserves against a bad year"),
    "management": ("Running the bodies", "the fixed cost of every body"),
    "coordination": ("Remoteness of large bodies", "what grows with size above the consortium"),
    "authority": ("Council boundaries", "patients outside a body's home authority, or in split ones"),
    "distance": ("Distance", "patients' practices far from the body's centre"),
    "continuity": ("Moving from today's bodies", "patients whose practice changes body"),
    "leverage": ("Weight with providers", "spend lost where a commissioner is a small part of a provider's income"),
    "tailoring": ("Local fit lost", "services commissioned too far from unlike practices"),
    "authority_link": ("Joint work with councils", "services tied to a council, commissioned across several"),
    "contracts": ("Contracts", "lead, associate and small contracts"),
    "agreements": ("Local agreements", "agreements below the consortium"),
    "footprints": ("Shared footprints", "every footprint that is opened"),
    "pathways": ("Split pathways", "one pathway commissioned at several scales"),
    "support": ("Bought support", "the mark-up on functions bought in"),
}
KINDS: Mapping[str, str] = {"cash": "cash", "expected_financial": "expected", "notional": "notional"}


def forces(plan: Plan) -> Table:
    """Each force in £ a year, by kind of money, with its share of the total."""
    columns = (
        Column("force", "Force"),
        Column("label", "What it stands for"),
        Column("kind", "Kind of money"),
        Column("pounds", "£-equivalent a year", "money"),
        Column("share", "Share of the total", "share"),
        Column("avoidable", "Share of avoidable cost", "share", "of the cost that decisions can change"),
        Column("note", "In words"),
    )
    avoidable = avoidable_shares(plan)
    rows: list[tuple[Any, ...]] = []
    for force, pounds in plan.terms.items():
        label, note = FORCES.get(force, (capital(force.replace("_", " ")), ""))
        share = pounds / plan.objective if plan.objective else 0.0
        rows.append((force, label, kind_of(plan, force), pounds, share, avoidable[force], note))
    rows.sort(key=lambda row: -row[3])
    return Table("forces", "What the total is made of", columns, tuple(rows))


def comparison(plan: Plan) -> Table:
    """The region's measures: today beside the plan."""
    columns = (
        Column("measure", "Measure id"),
        Column("label", "Measure"),
        Column("unit", "Unit"),
        Column("today", "Today", "number"),
        Column("plan", "Plan", "number"),
        Column("evidence", "Evidence"),
        Column("kind", "Kind"),
    )
    today = plan.baseline.region if plan.baseline is not None else {}
    rows = tuple(
        (m.name, m.label, m.unit, today[m.name].value if m.name in today else None, m.value, m.evidence, m.kind)
        for m in plan.scorecard.region.values()
    )
    return Table("comparison", "Today and the plan", columns, rows)


def sensitivity(plan: Plan) -> Table:
    """What becomes of the structure when a rate is moved. Services are not placed again: totals are the structure's."""
    scales = plan.scenario.scales
    columns = (
        Column("rate", "Rate"),
        Column("label", "What it stands for"),
        Column("value", "Value used"),
        Column("unit", "Unit"),
        Column("provenance", "Provenance", note="S seed, V verified, M memory, D derived, A assumed"),
        Column("change", "Changed by", "share"),
        Column("objective", "Structure, £-equivalent a year", "money"),
        Column("objective_change", "Change of the structure's total", "share"),
        *(Column(f"bodies_{s.name}", capital(s.plural), "whole") for s in scales),
        Column("patients_moved_share", "Patients who would change body", "share"),
    )
    whole = sum(c.objective for c in plan.certificates.values())
    rows = []
    for row in plan.sensitivity:
        rate = plan.scenario.rates.get(row.rate)  # type: ignore[call-overload]
        rows.append((
            row.rate,
            FORCES.get(row.rate, (capital(row.rate.replace("_", " ")), ""))[0],
            _rate_text(rate.value) if rate else "",
            rate.unit if rate else "",
            rate.provenance if rate else "",
            row.change,
            row.objective,
            row.objective / whole - 1 if whole else 0.0,
            *(row.bodies.get(s.name) for s in scales),
            row.patients_moved_share,
        ))  # fmt: skip
    return Table("sensitivity", "If the assumptions change", columns, tuple(rows))


def assumptions(plan: Plan) -> Table:
    """Every exchange rate with its value, range, kind, provenance and reason."""
    columns = (
        Column("rate", "Rate"),
        Column("value", "Value used"),
        Column("unit", "Unit"),
        Column("low", "Low", "number"),
        Column("high", "High", "number"),
        Column("kind", "Kind of money"),
        Column("provenance", "Provenance", note="S seed, V verified, M memory, D derived, A assumed"),
        Column("why", "Why"),
    )
    rows = tuple(
        (name, _rate_text(r.value) + ("" if plan.scenario.on(name) else " (switched off)"), r.unit, r.low, r.high,
         r.kind, r.provenance, r.why)
        for name, r in plan.scenario.rates.items()
    )  # fmt: skip
    return Table("assumptions", "Assumptions", columns, rows)


def kind_of(plan: Plan, force: str) -> str:
    """cash, expected or notional: the kind of money a force's rate is stated in."""
    return KINDS[plan.scenario.rates[force].kind]  # type: ignore[index]


def _rate_text(value: float | Mapping[str, float]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_rate_number(number)}" for key, number in value.items())
    return _rate_number(value)


def _rate_number(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")
