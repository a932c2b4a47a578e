"""What the report says of services: the five questions body by body, why here, the four factors, wishes answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from geodata import plan_tables, service_tables, why_tables
from geodata.disclosure import HIDDEN
from geodata.force_tables import FORCES
from geodata.maps.words import pounds
from optimiser.five_questions import QUESTIONS
from optimiser.why_here import AtScale

if TYPE_CHECKING:
    from optimiser.plan import Plan

Row = dict[str, Any]
MODES = {"make": "by itself", "share": "shared", "buy": "bought in"}
BEYOND = "over the region's"
PER = 1_000  # patients: costs a head would be pennies


def sections(plan: Plan) -> Row:
    """By name, what the template prints; empty where there is nothing to print."""
    questions = service_tables.five_questions(plan).records()
    return {
        "questions": _region(plan, questions),
        "answers": _by_body(plan, questions),
        "places": _places(plan) if plan.why_here else [],
        "why": _why(plan) if plan.why_here else [],
        "example": _example(plan) if plan.why_here else None,
        "factors": _factors(plan),
        "wishes": _wishes(plan),
        "unobserved": _unobserved(plan),
    }


def _region(plan: Plan, rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The five questions in order, each with its answers and how many bodies give them; empty lists stay."""
    if not rows:
        return []
    found: dict[tuple[int, str, str, str], Row] = {}
    for row in rows:
        where = row["scale"] if row["kind"] == "service" or row["scale"] == "market" else plan.scenario.anchor_scale
        where = "" if row["kind"] == "function" and row["mode"] == "share" else where
        entry = found.setdefault(
            (row["question"], row["item"], where, row["mode"]),
            {"item_name": row["item_name"], "where": plan_tables.scale_word(plan, where), "mode": row["mode"],
             "bodies": 0, "amounts": []},
        )  # fmt: skip
        entry["bodies"] += 1
        entry["amounts"].append(row["amount"])
    catalogue = {x.id: n for n, x in enumerate((*plan.dataset.services, *plan.dataset.functions))}
    order = sorted(found, key=lambda key: (key[0], catalogue.get(key[1], 0), key[2], key[3]))
    described = [(key[0], found[key] | {"amount": _sum(found[key]["amounts"])}) for key in order]
    return [(text, [row for q, row in described if q == n]) for n, text in enumerate(QUESTIONS, start=1)]


def _by_body(plan: Plan, rows: Sequence[Row]) -> list[Row]:
    """For each commissioning body its five answers, services gathered by who does them and how."""
    anchor = plan.scenario.anchor_scale
    patients = {b.code: b.patients for b in plan.structure.bodies[anchor]}
    made = []
    for (code, name), own in groupby(rows, key=lambda row: (row[anchor], row[f"{anchor}_name"])):
        asked: list[Row] = [{"text": text, "parts": []} for text in QUESTIONS]
        gathered: dict[tuple, list[Row]] = {}
        for row in own:
            gathered.setdefault((row["question"], row["kind"], row["scale"], row["who"], row["mode"]), []).append(row)
        for (number, kind, scale, who, mode), found in gathered.items():
            asked[number - 1]["parts"].append({
                "who": _who(plan, code, scale, who, found[0]["who_name"]),
                "how": MODES[mode] if kind == "function" or mode != "make" else "",
                "mode": mode,
                "kind": kind,
                "names": [row["item_name"] for row in found],
                "amount": _sum([row["amount"] for row in found]),
            })  # fmt: skip
        made.append({"name": name, "patients": patients.get(code, 0), "questions": asked})
    return made


def _who(plan: Plan, body: str, scale: str, who: str, name: str) -> str:
    if scale == "practice":
        return "Its practices"
    if who == body:
        return "Itself" if scale == plan.scenario.anchor_scale else f"Its {plan.scenario.scale(scale).plural}"
    if scale == "market":
        return "A supplier on the market"
    word = plan_tables.scale_word(plan, scale)
    return name if word.lower() in name.lower() or scale == "authority" else f"{name} ({word})"


def _sum(amounts: Iterable[float | str]) -> str:
    """£ in words; "*" in place of what disclosure control hides."""
    found = list(amounts)
    shown = sum(a for a in found if not isinstance(a, str))
    if HIDDEN in found:
        return f"{pounds(shown)} and {HIDDEN}" if shown else HIDDEN
    return pounds(shown) if shown else ""


def _places(plan: Plan) -> list[tuple[str, str]]:
    """(scale, its word), small to large, of every scale that some service could have."""
    scales = plan.structure.scales
    at = scales.index(plan.scenario.anchor_scale) + 1
    order = ("practice", *scales[:at], "footprint", "authority", *scales[at:], "region", "condition_group")
    met = {row.scale for row in plan.why_here}
    return [(scale, plan_tables.scale_word(plan, scale)) for scale in order if scale in met]


def _why(plan: Plan) -> list[Row]:
    """A row a service: where most patients have it, what it would cost them more elsewhere for every PER (a
    mean over the commissioners there), and the sizes at which the next scales would be as cheap."""
    names = {s.id: s.name for s in plan.dataset.services}
    order = [scale for scale, _ in _places(plan)]
    people = int(plan.dataset.patients.sum())
    made = []
    for service, found in groupby(plan.why_here, key=lambda row: row.service):
        rows = list(found)
        held: dict[str, int] = {}
        for row in rows:
            if row.scale == row.scale_now:
                held[row.scale] = held.get(row.scale, 0) + row.patients
        main = max(held, key=lambda scale: held[scale])
        mine = [row for row in rows if row.scale_now == main]
        cells = {scale: _mean([row for row in mine if row.scale == scale]) for scale in order}
        at = order.index(main)
        made.append({
            "name": names[service],
            "main": main,
            "share": held[main] / sum(held.values()),
            "cells": [(scale == main, cells[scale]) for scale in order],
            "up": _next(mine, order[at + 1 :], people),
            "down": _next(mine, order[:at][::-1], people),
        })  # fmt: skip
    return made


def _mean(rows: Sequence[AtScale]) -> float | None:
    people = sum(row.patients for row in rows)
    return PER * sum(row.more for row in rows) / people if people else None


def _next(rows: Sequence[AtScale], scales: Sequence[str], people: int) -> tuple[str, float | str] | None:
    """The nearest of these scales that any row has, and the break-even of the row with the median one. people: in the
    region."""
    for scale in scales:
        there = sorted(row.break_even or 0.0 for row in rows if row.scale == scale)
        if there:
            return scale, _even(round(there[len(there) // 2], -2), people)
    return None


def _even(size: float | None, people: int) -> float | str:
    return why_tables.NEVER if not size else BEYOND if size > people else size


def _example(plan: Plan) -> Row:
    """The largest commissioning body: each of its services with every force at every scale."""
    body = max(plan.structure.bodies[plan.scenario.anchor_scale], key=lambda b: b.patients)
    names = {s.id: s.name for s in plan.dataset.services}
    people = int(plan.dataset.patients.sum())
    services = []
    mine = [row for row in plan.why_here if body.code in row.consortia]
    for service, found in groupby(mine, key=lambda row: row.service):
        rows = list(found)
        here = next(row for row in rows if row.scale == row.scale_now)
        forces = [f for f in FORCES if any(abs(row.terms.get(f, 0.0)) >= 0.5 for row in rows)]
        services.append({
            "name": names[service],
            "here": plan_tables.scale_word(plan, here.scale),
            "sharing": len(here.consortia),
            "scales": [(plan_tables.scale_word(plan, row.scale), row is here) for row in rows],
            "forces": [(FORCES[f][0], [row.terms.get(f, 0.0) for row in rows]) for f in forces],
            "totals": [row.total for row in rows],
            "more": [row.more for row in rows],
            "plan_more": [row.plan_more for row in rows],
            "even": [None if row is here else _even(row.break_even, people) for row in rows],
        })  # fmt: skip
    return {"name": body.name, "patients": body.patients, "services": services}


def _factors(plan: Plan) -> list[Row]:
    rows = [
        row | {"where": plan_tables.scale_word(plan, str(row["scale"]))} for row in why_tables.factors(plan).records()
    ]
    return sorted(rows, key=lambda row: -row["points"])


def _wishes(plan: Plan) -> list[Row]:
    table = why_tables.wishes_answered(plan)
    anchor = plan.scenario.anchor_scale
    return [
        row | {
            "body": row[f"{anchor}_name"],
            "wished": plan_tables.scale_word(plan, str(row["wished"])),
            "given": [plan_tables.scale_word(plan, scale) for scale in str(row["given"]).split(";") if scale],
        }
        for row in (table.records() if table is not None else [])
    ]  # fmt: skip


def _unobserved(plan: Plan) -> float:
    """The part (0–1) of the spend on services that rests on flows nobody observed."""
    flows = plan.dataset.flows
    whole = float(flows.spend.sum())
    return float(flows.spend[flows.label > 0].sum()) / whole if whole else 0.0
