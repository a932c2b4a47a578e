"""A plan as tables: the same columns in CSV, workbook, GeoPackage and web page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from geodata.arrangement import Arrangement
    from optimiser.plan import Plan
    from optimiser.scorecard import BodyScore, Measure, Scorecard

Kind = Literal["text", "whole", "number", "money", "share"]

KIND_WORDS: Mapping[str, str] = {
    "cash": "cash",
    "expected_financial": "expected (financial risk)",
    "notional": "notional (a judgement in pounds)",
}
SCALE_WORDS: Mapping[str, str] = {
    "practice": "practice",
    "footprint": "footprint",
    "region": "region",
    "authority": "local authority",
    "condition_group": "condition group",
}


@dataclass(frozen=True)
class Column:
    """name: in CSV. title: for people. note: what it means, with its unit."""

    name: str
    title: str
    kind: Kind = "text"
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows aligned with columns; None is a blank. name: file and sheet. title: for people."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]

    def records(self) -> list[dict[str, object]]:
        """One mapping a row, by column name."""
        names = [c.name for c in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]


def scale_word(plan: Plan, scale: str) -> str:
    """The scenario's label of a scale, or plain words for the places of placement that are no scale."""
    declared = {s.name: s.label for s in plan.scenario.scales}
    return declared.get(scale, SCALE_WORDS.get(scale, scale.replace("_", " ")))


def anchor_columns(plan: Plan, note: str = "") -> tuple[Column, Column]:
    """Code and name of the body of the anchor scale that a row is of. note: on the code."""
    anchor = plan.scenario.anchor_scale
    word = capital(scale_word(plan, anchor))
    return Column(anchor, f"{word} code", note=note), Column(f"{anchor}_name", word)


def a_head(pounds: float | None, people: float) -> float | None:
    """£ a head; None where the pounds are not known or nobody is there."""
    return pounds / people if pounds is not None and people else None


def names(plan: Plan | Arrangement) -> dict[str, str]:
    """Name by code: bodies, footprints, authorities, providers, and "region"."""
    found = {a.code: a.name for a in plan.dataset.authorities}
    found |= {p.code: p.name for p in plan.dataset.providers}
    found |= {body.code: body.name for bodies in plan.structure.bodies.values() for body in bodies}
    if plan.placement is not None:
        found |= {f.code: f.name for f in plan.placement.footprints}
    return found | {"region": plan.dataset.info.name}


def practices(plan: Plan) -> Table:
    """One row a practice: who it is, its body at every scale, its body today."""
    scales = plan.scenario.scales
    today = _existing_scales(plan)
    columns = [
        Column("code", "Practice code"),
        Column("name", "Practice"),
        Column("postcode", "Postcode"),
        Column("patients", "Registered patients", "whole", f"List of {plan.dataset.info.list_year}"),
        Column("easting", "Easting", "number", "metres, EPSG:27700"),
        Column("northing", "Northing", "number", "metres, EPSG:27700"),
        Column("lower_authority", "District code"),
        Column("lower_authority_name", "District"),
        Column("upper_authority", "Council code"),
        Column("upper_authority_name", "Upper-tier council"),
    ]
    for scale in scales:
        columns += [
            Column(scale.name, f"{capital(scale.label)} code"),
            Column(f"{scale.name}_name", capital(scale.label)),
        ]
    for name in today:
        columns += [
            Column(f"existing_{name}", f"{capital(scale_word(plan, name))} today, code"),
            Column(f"existing_{name}_name", f"{capital(scale_word(plan, name))} today"),
        ]
    rows = []
    for i, p in enumerate(plan.dataset.practices):
        row: list[object] = [p.code, p.name, p.postcode, p.patients, p.easting, p.northing]
        for code in (p.lower_authority, p.upper_authority):
            row += [code, plan.dataset.authority_name(code)]
        for scale in scales:
            body = plan.structure.body_of(scale.name, i)
            row += [body.code, body.name]
        for name in today:
            row += [p.existing.get(name, ""), p.existing_names.get(name, "")]
        rows.append(tuple(row))
    return Table("practices", "Practices", tuple(columns), tuple(rows))


def bodies(plan: Plan) -> Table:
    """Every body at every scale with every measure of the scorecard; what rests on estimates is labelled beside it."""
    scored = {(s, b.code): b for s, scores in plan.scorecard.bodies.items() for b in scores}
    listed = measures(plan.scorecard)
    columns = [
        Column("scale", "Scale"),
        Column("code", "Code"),
        Column("name", "Name"),
        Column("parent", "Belongs to, code", note="the body that holds it at the next scale made of such bodies"),
        Column("parent_name", "Belongs to"),
        Column("patients", "Patients", "whole"),
        Column("practices", "Practices", "whole"),
        Column("centre", "Centre practice", note="code of the practice at its middle"),
        Column("home_authority", "Home council, code"),
        Column("home_authority_name", "Home council"),
        Column("oversize", "Oversize", note="yes: one unit above the scale's upper bound, left alone"),
        Column("agreed", "Agreed beforehand", note="yes: a frozen pin of the scenario settled it"),
    ]
    graded = {m.name for m in listed if any(_evidence(b, m.name) not in ("", "observed") for b in scored.values())}
    for m in listed:
        columns.append(
            Column(m.name, m.label, _kind(m.unit), f"{m.unit}, {KIND_WORDS.get(m.kind, m.kind)}".strip(", "))
        )
        if m.name in graded:
            columns.append(Column(f"{m.name}_evidence", f"{m.label}: evidence"))
    word = names(plan)
    rows = []
    for scale in plan.structure.scales:
        for b in plan.structure.bodies[scale]:
            row: list[object] = [scale, b.code, b.name, b.parent, word.get(b.parent, ""), b.patients, len(b.members)]
            row += [
                plan.dataset.practices[b.centre].code,
                b.home_authority,
                plan.dataset.authority_name(b.home_authority),
            ]
            row += ["yes" if b.oversize else "no", "yes" if b.agreed else "no"]
            score = scored.get((scale, b.code))
            for m in listed:
                found = score.measures.get(m.name) if score else None
                row.append(found.value if found else None)
                if m.name in graded:
                    row.append(found.evidence if found else "")
            rows.append(tuple(row))
    return Table("bodies", "Bodies", tuple(columns), tuple(rows))


def bodies_today(plan: Plan) -> Table | None:
    """The scorecard of today's bodies, with the measures of `bodies`; None when the dataset names none."""
    if plan.baseline is None:
        return None
    listed = measures(plan.baseline)
    columns = [Column("scale", "Scale"), Column("code", "Code"), Column("name", "Name")]
    columns += [Column("patients", "Patients", "whole"), Column("practices", "Practices", "whole")]
    columns += [Column(m.name, m.label, _kind(m.unit), m.unit) for m in listed]
    rows = []
    for scale, scores in plan.baseline.bodies.items():
        for b in scores:
            values = [b.measures[m.name].value if m.name in b.measures else None for m in listed]
            rows.append((scale, b.code, b.name, b.patients, b.practices, *values))
    return Table("bodies_today", "Today's bodies", tuple(columns), tuple(rows))


def measures(card: Scorecard) -> list[Measure]:
    """One of each measure that any body carries, in the order met."""
    found: dict[str, Measure] = {}
    for scores in card.bodies.values():
        for body in scores:
            for name, measure in body.measures.items():
                found.setdefault(name, measure)
    return list(found.values())


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]


def _existing_scales(plan: Plan) -> list[str]:
    found: dict[str, None] = {}
    for practice in plan.dataset.practices:
        found |= dict.fromkeys(practice.existing)
    return list(found)


def _evidence(body: BodyScore, name: str) -> str:
    return body.measures[name].evidence if name in body.measures else ""


def _kind(unit: str) -> Kind:
    if unit in ("share", "fraction"):
        return "share"
    return "money" if unit.startswith("£") else "number"
