"""A plan to text files: CSV and JSON, the part of a run that programs and the independent check read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geodata import (
    breakaway_table,
    budget_tables,
    cost_tables,
    pin_table,
    plan_tables,
    risk_tables,
    service_tables,
    summary,
    why_tables,
)

if TYPE_CHECKING:
    from optimiser.plan import Plan

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
TABLES: tuple[Callable[[Plan], plan_tables.Table | None], ...] = (
    plan_tables.practices,
    plan_tables.bodies,
    plan_tables.bodies_today,
    pin_table.pins,
    breakaway_table.breakaway,
    service_tables.placement,
    service_tables.footprints,
    service_tables.functions,
    service_tables.contracts,
    service_tables.five_questions,
    why_tables.why_here,
    why_tables.factors,
    why_tables.wishes_answered,
    cost_tables.costs,
    cost_tables.teams,
    cost_tables.function_costs,
    cost_tables.allowances,
    cost_tables.suppliers,
    cost_tables.shared_officer,
    budget_tables.budgets,
    budget_tables.budget_changes,
    risk_tables.insurance_risk,
    risk_tables.risk_levers,
    risk_tables.risk_pools,
    risk_tables.risk_contributions,
    risk_tables.risk_subsidies,
    risk_tables.service_risk,
    risk_tables.service_exposures,
    risk_tables.validation,
)
ATTRIBUTES = ("deprivation", "pct_65plus", "rural")


def write_tables(plan: Plan, folder: Path) -> None:
    """Every table of `TABLES` that the plan has, as CSV."""
    for make in TABLES:
        table = make(plan)
        if table is not None:
            write_csv(folder / f"{table.name}.csv", [c.name for c in table.columns], table.rows)


def write_documents(plan: Plan, folder: Path) -> None:
    """summary.json, scenario.json (every key resolved) and timings.json (seconds by stage, never hashed)."""
    write_json(folder / "summary.json", summary.summary(plan))
    document = plan.scenario.document()
    if document.get("dataset"):
        document["dataset"] = Path(str(document["dataset"])).name  # where it lay on this machine is nobody's business
    write_json(folder / "scenario.json", summary.plain(document))
    write_json(folder / "timings.json", summary.plain(plan.seconds))


def write_progress(plan: Plan, folder: Path) -> None:
    """progress.csv: what was found and proved when, blank where nothing was yet. Never hashed."""
    header = ["seconds", "scale", "stage", "bodies", "incumbent", "bound", "gap"]
    rows = []
    for p in plan.progress:
        found, proved = isfinite(p.incumbent), isfinite(p.bound)
        figures = (p.incumbent if found else None, p.bound if proved else None, p.gap if found and proved else None)
        rows.append((round(p.seconds, 2), p.name, p.stage, p.bodies if found else None, *figures))
    write_csv(folder / "progress.csv", header, rows)


def write_verification(plan: Plan, folder: Path) -> None:
    """What an independent program needs to check the plan from raw input.

    certificate.json; attributes.csv, one row a practice in dataset order; adjacency.csv, pairs of codes, and whether a
    declared link joins them; relationships.csv, the public ones only.
    """
    certificates = {name: summary.certificate_document(c) for name, c in plan.certificates.items()}
    placement = plan.placement
    write_json(
        folder / "certificate.json",
        {
            "objective": float(plan.objective),
            "bound": float(plan.bound),
            "terms": summary.plain(plan.terms),
            "scales": certificates,
            "placement": None
            if placement is None
            else summary.certificate_document(placement.certificate) | {"terms": summary.plain(placement.terms)},
        },
    )
    practices = plan.dataset.practices
    existing = list(dict.fromkeys(scale for p in practices for scale in p.existing))
    header = ["code", "easting", "northing", "patients", "lower_authority", "upper_authority"]
    header += [f"existing_{scale}" for scale in existing] + list(ATTRIBUTES)
    rows = (
        (p.code, float(p.easting), float(p.northing), p.patients, p.lower_authority, p.upper_authority,
         *(p.existing.get(scale, "") for scale in existing), *(getattr(p, name) for name in ATTRIBUTES))
        for p in practices
    )  # fmt: skip
    write_csv(folder / "attributes.csv", header, rows)
    links = {(min(pair), max(pair)) for pair in plan.dataset.links}
    write_csv(
        folder / "adjacency.csv",
        ["a", "b", "link"],
        ((practices[i].code, practices[j].code, (i, j) in links) for i, j in plan.dataset.adjacency.tolist()),
    )
    write_csv(
        folder / "relationships.csv",
        ["practice", "other", "strength"],
        ((r.practice, r.other, float(r.strength)) for r in plan.dataset.relationships if not r.confidential),
    )


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """UTF-8 with BOM, lines ended by a line feed, blanks for None, numbers that read back to the same bits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([cell(value) for value in row] for row in rows)
    path.write_text(out.getvalue(), encoding="utf-8-sig", newline="")


def cell(value: object) -> str:
    """One CSV cell. Text that a spreadsheet would run as a formula gets an apostrophe in front and stays text."""
    value = summary.plain(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    return repr(value)


def write_json(path: Path, document: Any) -> None:
    """Indented, keys in the order given, no NaN, one line feed at the end."""
    path.write_text(
        json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8", newline="\n"
    )
