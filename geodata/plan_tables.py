"""A plan as tables: the same columns in CSV, workbook, GeoPackage and web page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from geodata.disclosure import HIDDEN, suppress
from optimiser.domain import Commission, Service
from optimiser.five_questions import QUESTIONS
from optimiser.plan import avoidable_shares

if TYPE_CHECKING:
    from optimiser.plan import Plan
    from optimiser.scorecard import BodyScore, Measure, Scorecard

Kind = Literal["text", "whole", "number", "money", "share"]

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


def names(plan: Plan) -> dict[str, str]:
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
            Column(scale.name, f"{_capital(scale.label)} code"),
            Column(f"{scale.name}_name", _capital(scale.label)),
        ]
    for name in today:
        columns += [
            Column(f"existing_{name}", f"{_capital(scale_word(plan, name))} today, code"),
            Column(f"existing_{name}_name", f"{_capital(scale_word(plan, name))} today"),
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
    measures = _measures(plan.scorecard)
    columns = [
        Column("scale", "Scale"),
        Column("code", "Code"),
        Column("name", "Name"),
        Column("parent", "Belongs to, code", note="the body one scale up that holds it"),
        Column("parent_name", "Belongs to"),
        Column("patients", "Patients", "whole"),
        Column("practices", "Practices", "whole"),
        Column("centre", "Centre practice", note="code of the practice at its middle"),
        Column("home_authority", "Home council, code"),
        Column("home_authority_name", "Home council"),
        Column("oversize", "Oversize", note="yes: one practice above the scale's upper bound, left alone"),
    ]
    graded = {m.name for m in measures if any(_evidence(b, m.name) not in ("", "observed") for b in scored.values())}
    for m in measures:
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
            row.append("yes" if b.oversize else "no")
            score = scored.get((scale, b.code))
            for m in measures:
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
    measures = _measures(plan.baseline)
    columns = [Column("scale", "Scale"), Column("code", "Code"), Column("name", "Name")]
    columns += [Column("patients", "Patients", "whole"), Column("practices", "Practices", "whole")]
    columns += [Column(m.name, m.label, _kind(m.unit), m.unit) for m in measures]
    rows = []
    for scale, scores in plan.baseline.bodies.items():
        for b in scores:
            values = [b.measures[m.name].value if m.name in b.measures else None for m in measures]
            rows.append((scale, b.code, b.name, b.patients, b.practices, *values))
    return Table("bodies_today", "Today's bodies", tuple(columns), tuple(rows))


def placement(plan: Plan) -> Table:
    """Every service × commissioning body: where it is placed, how, why, and each force's £ a year."""
    commissions = plan.placement.commissions if plan.placement else ()
    forces = [f for f in FORCES if any(f in c.terms for c in commissions)]
    services = {s.id: s for s in plan.dataset.services}
    word = names(plan)
    anchor = plan.scenario.anchor_scale
    columns = [
        Column("service", "Service id"),
        Column("service_name", "Service"),
        Column(anchor, f"{_capital(scale_word(plan, anchor))} code"),
        Column(f"{anchor}_name", _capital(scale_word(plan, anchor))),
        Column("scale", "Commissioned at"),
        Column("commissioner", "Commissioner code"),
        Column("commissioner_name", "Commissioner"),
        Column("mode", "How", note="make, share or buy"),
        Column("question", "Question", "whole", "which of the five questions this answers"),
        Column("spend", "Spend", "money", "£ a year; * where it would give away a small count of cases"),
        Column("reason", "Why"),
        *(Column(f"term_{f}", FORCES[f][0], "money", f"£ a year: {FORCES[f][1]}") for f in forces),
    ]
    rows = tuple(
        (
            c.service,
            services[c.service].name,
            c.consortium,
            word.get(c.consortium, c.consortium),
            c.scale,
            c.commissioner,
            word.get(c.commissioner, c.commissioner),
            c.mode,
            question_of(plan, c),
            _publishable(plan, services[c.service], c.spend),
            c.reason,
            *(c.terms.get(f, 0.0) for f in forces),
        )
        for c in commissions
    )
    return Table("placement", "Placement", tuple(columns), rows)


def footprints(plan: Plan) -> Table:
    """The footprints opened: who belongs to each and why."""
    columns = (
        Column("code", "Code"),
        Column("name", "Footprint"),
        Column("members", "Members"),
        Column("reason", "Why"),
    )
    opened = plan.placement.footprints if plan.placement else ()
    rows = tuple((f.code, f.name, ";".join(f.consortia), f.reason) for f in opened)
    return Table("footprints", "Footprints", columns, rows)


def functions(plan: Plan) -> Table:
    """How each commissioning body gets its management work done."""
    word = names(plan)
    functions = {f.id: f.name for f in plan.dataset.functions}
    anchor = plan.scenario.anchor_scale
    columns = (
        Column("function", "Function id"),
        Column("function_name", "Function"),
        Column(anchor, f"{_capital(scale_word(plan, anchor))} code"),
        Column(f"{anchor}_name", _capital(scale_word(plan, anchor))),
        Column("mode", "How", note="make: own team; share: with neighbours; buy: from an agency or the market"),
        Column("supplier", "Supplier code"),
        Column("supplier_name", "Supplier"),
        Column("cost", "Cost", "money", "£ a year, cash"),
        Column("reason", "Why"),
    )
    rows = tuple(
        (f.function, functions.get(f.function, f.function), f.consortium, word.get(f.consortium, f.consortium), f.mode,
         f.supplier, word.get(f.supplier, f.supplier), f.cost, f.reason)
        for f in (plan.placement.functions if plan.placement else ())
    )  # fmt: skip
    return Table("functions", "Functions", columns, rows)


def contracts(plan: Plan) -> Table:
    """Contracts held by each commissioning body with each provider."""
    word = names(plan)
    kinds = {p.code: p.kind for p in plan.dataset.providers}
    columns = (
        Column("body", "Body code"),
        Column("body_name", "Body"),
        Column("provider", "Provider code"),
        Column("provider_name", "Provider"),
        Column("provider_kind", "Kind of provider"),
        Column("grade", "Grade", note="lead, associate or small, by share of the provider's income"),
        Column("share", "Share of provider's income", "share", "of its whole income, other commissioners included"),
        Column("spend", "Spend", "money", "£ a year"),
        Column("cost", "Cost of the contract", "money", "£ a year, cash"),
    )
    rows = tuple(
        (c.body, word.get(c.body, c.body), c.provider, word.get(c.provider, c.provider),
         kinds.get(c.provider, "").replace("_", " "), c.grade, c.share, c.spend, c.cost)
        for c in (plan.placement.contracts if plan.placement else ())
    )  # fmt: skip
    return Table("contracts", "Contracts", columns, rows)


def five_questions(plan: Plan) -> Table:
    """What each scale does, as the five questions a group of practices must answer before it chooses its form."""
    columns = (
        Column("question", "Question no.", "whole"),
        Column("question_text", "Question"),
        Column("kind", "Kind", note="service, or management function"),
        Column("item", "Id"),
        Column("item_name", "Service or function"),
        Column("scale", "Where"),
        Column("mode", "How"),
        Column("bodies", "Bodies", "whole", "commissioning bodies that answer so"),
        Column("share", "Share of bodies", "share"),
        Column("amount", "Amount", "money", "£ a year: spend on a service, cost of a function"),
    )
    if plan.placement is None:
        return Table("five_questions", "The five questions", columns, ())
    total = len(plan.structure.bodies[plan.scenario.anchor_scale])
    lines = {s.id: s for s in plan.dataset.services}
    services = {s.id: s.name for s in plan.dataset.services}
    functions = {f.id: f.name for f in plan.dataset.functions}
    grouped: dict[tuple[int, str, str, str, str], list[float]] = {}
    for c in plan.placement.commissions:
        grouped.setdefault((question_of(plan, c), "service", c.service, c.scale, c.mode), []).append(c.spend)
    for f in plan.placement.functions:
        number = {"make": 2, "share": 3, "buy": 5}[f.mode]
        where = plan.scenario.anchor_scale if f.mode == "make" else f.supplier if f.supplier == "market" else "shared"
        grouped.setdefault((number, "function", f.function, where, f.mode), []).append(f.cost)
    catalogue = {key: n for n, key in enumerate((*services, *functions))}
    rows = [
        (q, QUESTIONS[q - 1], kind, item, (services | functions).get(item, item), where, mode, len(spends),
         len(spends) / total,
         _publishable(plan, lines[item], sum(spends)) if kind == "service" else sum(spends))
        for (q, kind, item, where, mode), spends in grouped.items()
    ]  # fmt: skip
    rows.sort(key=lambda row: (row[0], row[2] == "function", catalogue.get(str(row[3]), 0), row[5], row[6]))
    return Table("five_questions", "The five questions", columns, tuple(rows))


def question_of(plan: Plan, commission: Commission) -> int:
    """Which of the five questions a commission answers, 1–4; the fifth is answered by functions that are bought.

    1 within (practice, smaller scales); 2 alone; 3 with neighbours (footprint, next scale up) or a council; 4 larger.
    """
    scales = plan.structure.scales
    anchor = scales.index(plan.scenario.anchor_scale)
    if commission.scale == "practice" or commission.scale in scales[:anchor]:
        return 1
    if commission.scale == plan.scenario.anchor_scale:
        return 2
    if commission.scale in ("footprint", "authority", *scales[anchor + 1 : anchor + 2]):
        return 3
    return 4


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
        label, note = FORCES.get(force, (_capital(force.replace("_", " ")), ""))
        share = pounds / plan.objective if plan.objective else 0.0
        rows.append((force, label, kind_of(plan, force), pounds, share, avoidable[force], note))
    return Table("forces", "What the total is made of", columns, tuple(sorted(rows, key=lambda row: -row[3])))


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
        *(Column(f"bodies_{s.name}", _capital(s.plural), "whole") for s in scales),
        Column("patients_moved_share", "Patients who would change body", "share"),
    )
    whole = sum(c.objective for c in plan.certificates.values())
    rows = []
    for row in plan.sensitivity:
        rate = plan.scenario.rates.get(row.rate)  # type: ignore[call-overload]
        rows.append((
            row.rate,
            FORCES.get(row.rate, (_capital(row.rate.replace("_", " ")), ""))[0],
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


def _publishable(plan: Plan, service: Service, spend: float) -> float | str:
    """Spend, or "*" where spend over the unit cost would give away a small count of cases."""
    cases = spend / service.cost_per_case if service.cost_per_case > 0 else 0.0
    return HIDDEN if cases > 0 and suppress(cases, plan.scenario.disclosure) == HIDDEN else spend


def _existing_scales(plan: Plan) -> list[str]:
    found: dict[str, None] = {}
    for practice in plan.dataset.practices:
        found |= dict.fromkeys(practice.existing)
    return list(found)


def _measures(card: Scorecard) -> list[Measure]:
    """One of each measure that any body carries, in the order met."""
    found: dict[str, Measure] = {}
    for scores in card.bodies.values():
        for body in scores:
            for name, measure in body.measures.items():
                found.setdefault(name, measure)
    return list(found.values())


def _evidence(body: BodyScore, name: str) -> str:
    return body.measures[name].evidence if name in body.measures else ""


def _kind(unit: str) -> Kind:
    if unit in ("share", "fraction"):
        return "share"
    return "money" if unit.startswith("£") else "number"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _rate_text(value: float | Mapping[str, float]) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_rate_number(number)}" for key, number in value.items())
    return _rate_number(value)


def _rate_number(value: float) -> str:
    return f"{value:,.4f}".rstrip("0").rstrip(".")
