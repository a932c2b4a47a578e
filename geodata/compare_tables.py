"""Plans side by side, as tables: what each is and measures. The same columns in CSV, workbook and page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.compare_between import changes, effects, pairs, practices, settled, streams
from geodata.compare_words import better, family
from geodata.plan_tables import Column, Table, capital
from geodata.plan_tables import measures as plan_measures
from optimiser.measures import CASH, EXPECTED, NOTIONAL, OBSERVED

if TYPE_CHECKING:
    from optimiser.compare import Compared
    from optimiser.scorecard import Measure

PRICES = (CASH, EXPECTED, NOTIONAL)


def plans(found: Compared) -> Table:
    """One row a plan: what it is, what it proved, the rules it breaks, gainers and losers of its budget."""
    columns = (
        Column("plan", "Plan"),
        Column("kind", "What it is", note="today, run or drawn"),
        Column("scales", "Scales", note="separated by semicolons"),
        Column("status", "Status of the run"),
        Column("structure_gap", "Structure proved within", "share", "by the run, under its own rates"),
        Column("services_gap", "Services proved within", "share", "by the run, given its structure"),
        Column("broken_rules", "Rules broken", "whole"),
        Column("budget_gainers", "Practices that gain", "whole", "if each body shared by need what its members have"),
        Column("budget_losers", "Practices that lose", "whole"),
        Column("budget_moved", "Would change hands", "money", "£ a year"),
        Column("budget_basis", "Gains counted from"),
    )
    rows = []
    for plan in found.plans:
        proof, gains = plan.laid.proof, plan.gains or (None, None, None)
        own = (proof.status, proof.structure_gap, proof.services_gap) if proof else (None, None, None)
        rows.append(
            (plan.name, plan.laid.kind, ";".join(plan.structure.scales), *own, len(plan.broken), *gains, found.basis)
        )
    return Table("compare_plans", "Plans", columns, tuple(rows))


def measures(found: Compared) -> Table:
    """Every measure of the region under every plan, with the differences to the first: true measures, then prices."""
    first, *rest = found.plans
    columns = [
        Column("scale", "Scale", note="blank for the region as a whole"),
        Column("measure", "Measure, name"),
        Column("label", "Measure"),
        Column("kind", "Kind", note="true and size are measures; cash, expected_financial and notional are prices"),
        Column("unit", "Unit"),
        Column("evidence", "Rests on"),
        Column("better", "Better", note="low or high; blank where neither is"),
        *(Column(plan.name, capital(plan.name), "number") for plan in found.plans),
        *(Column(f"{p.name}_difference", f"{capital(p.name)} less {first.name}", "number") for p in rest),
    ]
    names: dict[str, Measure] = {}
    for plan in found.plans:
        for name, measure in plan.card.region.items():
            names.setdefault(name, measure)
    rows = []
    for name, measure in sorted(names.items(), key=lambda item: item[1].kind in PRICES):
        met = [plan.card.region.get(name) for plan in found.plans]
        values = [m.value if m is not None else None for m in met]
        evidence = "; ".join(dict.fromkeys(m.evidence for m in met if m is not None))
        known = values[0]
        apart = [None if v is None or known is None else v - known for v in values[1:]]
        scale = family(name, found.scales)[1]
        rows.append(
            (scale, name, measure.label, measure.kind, measure.unit, evidence, better(found, name), *values, *apart)
        )
    return Table("compare_measures", "Side by side", tuple(columns), tuple(rows))


def prices(found: Compared) -> Table:
    """What each plan's structure is charged, force by force, and how far it is above the bound that a run proved."""
    first, *rest = found.plans
    columns = [
        Column("scale", "Scale"),
        Column("force", "Force", note="total: all forces; bound: no plan that keeps the rules costs less; above_bound: "
               "(total − bound) / total"),
        Column("kind", "Kind of money"),
        *(Column(plan.name, capital(plan.name), "number", "£-equivalent a year; a share in above_bound")
          for plan in found.plans),
        *(Column(f"{p.name}_difference", f"{capital(p.name)} less {first.name}", "number") for p in rest),
    ]  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for scale in found.scales:
        own = [plan.prices.get(scale) for plan in found.plans]
        for force in dict.fromkeys(force for part in own if part for force in part):
            values = [None if part is None else part.get(force, 0.0) for part in own]
            rows.append((scale, force, found.scenario.kind(force), *values, *_apart(values)))
        totals = [None if part is None else sum(part.values()) for part in own]
        rows.append((scale, "total", "", *totals, *_apart(totals)))
        if scale in found.bounds:
            nothing = [None] * len(rest)
            rows.append((scale, "bound", "", *([found.bounds[scale]] * len(found.plans)), *nothing))
            rows.append((scale, "above_bound", "", *(found.above_bound(p, scale) for p in found.plans), *nothing))
    return Table("compare_prices", "Prices of the structure", tuple(columns), tuple(rows))


def rules(found: Compared) -> Table:
    """Every rule that a plan breaks."""
    columns = (Column("plan", "Plan"), Column("rule", "Broken rule"))
    return Table(
        "compare_rules", "Broken rules", columns, tuple((p.name, rule) for p in found.plans for rule in p.broken)
    )


def bodies(found: Compared) -> Table:
    """Every body of every plan with every measure of the scorecard; what is not simply observed is labelled beside."""
    listed: dict[str, Measure] = {}
    graded = set()
    for plan in found.plans:
        listed |= {m.name: m for m in plan_measures(plan.card)}
        graded |= {m.name for scores in plan.card.bodies.values() for b in scores for m in b.measures.values()
                   if m.evidence != OBSERVED}  # fmt: skip
    columns = [
        Column("plan", "Plan"),
        Column("scale", "Scale"),
        Column("number", "Number", "whole", "the same in all plans for a body that lives on; blank: no common scale"),
        Column("name", "Name here", note="kept from plan to plan where two thirds of the patients of both are common"),
        Column("code", "Its code in the plan"),
        Column("own_name", "Its name in the plan"),
        Column("patients", "Patients", "whole"),
        Column("practices", "Practices", "whole"),
    ]
    for name, measure in listed.items():
        kind = "share" if measure.unit == "share" else "money" if measure.unit.startswith("£") else "number"
        columns.append(Column(name, measure.label, kind, measure.unit))
        if name in graded:
            columns.append(Column(f"{name}_evidence", f"{measure.label}: evidence"))
    rows = []
    for k, plan in enumerate(found.plans):
        for scale in plan.structure.scales:
            own = found.threads[scale][k] if scale in found.threads else []
            scored = plan.card.bodies[scale]
            for b, body in enumerate(plan.structure.bodies[scale]):
                number = own[b] + 1 if own and own[b] >= 0 else None
                name = found.body_name(k, scale, b)
                row = [plan.name, scale, number, name, body.code, body.name, body.patients, len(body.members)]
                for measure in (scored[b].measures[m] for m in listed):
                    row += [measure.value, measure.evidence] if measure.name in graded else [measure.value]
                rows.append(tuple(row))
    return Table("compare_bodies", "Bodies", tuple(columns), tuple(rows))


TABLES = (plans, measures, prices, rules, pairs, changes, bodies, streams, effects, practices, settled)


def _apart(values: list[float | None]) -> list[float | None]:
    first = values[0]
    return [None if v is None or first is None else v - first for v in values[1:]]
