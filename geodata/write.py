"""A plan to text files: CSV, JSON and GraphML, the part of a run that programs and the independent check read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import networkx as nx

from geodata import pin_table, plan_tables, service_tables, summary
from geodata.disclosure import HIDDEN, Rule, suppress
from optimiser.providers import aggregate, provider_graph

if TYPE_CHECKING:
    from optimiser.plan import Plan

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
TABLES: tuple[Callable[[Plan], plan_tables.Table | None], ...] = (
    plan_tables.practices,
    plan_tables.bodies,
    plan_tables.bodies_today,
    pin_table.pins,
    service_tables.placement,
    service_tables.footprints,
    service_tables.functions,
    service_tables.contracts,
    service_tables.five_questions,
)
ATTRIBUTES = ("deprivation", "pct_65plus", "rural")


def write_tables(plan: Plan, folder: Path) -> None:
    """practices, bodies, bodies_today, pins, placement, footprints, functions, contracts and five_questions, as CSV."""
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


def write_graph(plan: Plan, folder: Path) -> None:
    """provider_graph.graphml: bodies of the anchor scale × providers, small counts hidden."""
    scale = plan.scenario.anchor_scale
    bodies = plan.structure.bodies[scale]
    flows = aggregate(plan.dataset, plan.structure.membership[scale], len(bodies))
    graph = provider_graph(plan.dataset, bodies, flows, plan.scenario.leverage)
    nx.write_graphml_xml(
        publishable(graph, plan.scenario.disclosure), folder / "provider_graph.graphml", prettyprint=True
    )


def publishable(graph: nx.Graph, rule: Rule) -> nx.Graph:
    """The provider graph with counts of cases suppressed and rounded; the spend that would give them away is left out.

    A hidden service is joined by the next smallest ones until together they exceed the rule, so that an edge's total
    less what is shown does not reveal it. Totals of a node are rounded to £10,000 for the same reason.
    """
    safe = nx.Graph()
    for node, facts in graph.nodes(data=True):
        rounded = round(facts["spend"], -4) if "spend" in facts else None
        safe.add_node(node, **(facts if rounded is None else {**facts, "spend": rounded}))
    for body, provider, facts in graph.edges(data=True):
        safe.add_edge(body, provider, **_safe_edge(facts, rule))
    return safe


def _safe_edge(facts: dict[str, Any], rule: Rule) -> dict[str, Any]:
    by_service = {key.removeprefix("activity:"): cases for key, cases in facts.items() if key.startswith("activity:")}
    hidden = _hidden(by_service, rule)
    total = suppress(facts["activity"], rule)
    safe: dict[str, Any] = {}
    for key, value in facts.items():
        name, _, service = key.partition(":")
        if name == "activity":
            cases = total if not service else HIDDEN if service in hidden else suppress(value, rule)
            safe[key] = str(cases)
        elif service in hidden or (total == HIDDEN and isinstance(value, float)):
            continue
        else:
            safe[key] = value
    return safe


def _hidden(cases: dict[str, float], rule: Rule) -> set[str]:
    smallest_first = sorted(cases, key=lambda service: (cases[service], service))
    hidden = {service for service in smallest_first if suppress(cases[service], rule) == HIDDEN}
    if not hidden:
        return hidden
    for service in smallest_first:
        if suppress(sum(cases[s] for s in hidden), rule) != HIDDEN and len(hidden) > 1:
            break
        hidden.add(service)
    return hidden


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
