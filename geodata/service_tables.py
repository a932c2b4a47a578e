"""What is placed where, as tables: commissions, footprints, functions, contracts, and the five questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from geodata.disclosure import HIDDEN, suppress
from geodata.force_tables import FORCES
from geodata.plan_tables import Column, Table, anchor_columns, names
from optimiser.domain import EVIDENCE, Commission, Footprint, Service
from optimiser.five_questions import QUESTIONS, question_of
from optimiser.five_questions import five_questions as answers
from optimiser.measures import NO_FLOWS

if TYPE_CHECKING:
    from optimiser.plan import Plan


def placement(plan: Plan) -> Table:
    """Every service × commissioning body: where it is placed, how, why, and each force's £ a year."""
    commissions = plan.placement.commissions if plan.placement else ()
    forces = [f for f in FORCES if any(f in c.terms for c in commissions)]
    services = {s.id: s for s in plan.dataset.services}
    word = names(plan)
    columns = [
        Column("service", "Service id"),
        Column("service_name", "Service"),
        *anchor_columns(plan),
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
            _question(plan, c),
            _publishable(plan, services[c.service], c.spend),
            c.reason,
            *(c.terms.get(f, 0.0) for f in forces),
        )
        for c in commissions
    )
    return Table("placement", "Placement", tuple(columns), rows)


def footprints(plan: Plan) -> Table:
    """Every candidate footprint: who belongs to it, for which services and why, and whether the plan opens it."""
    columns = (
        Column("code", "Code"),
        Column("name", "Footprint"),
        Column("members", "Members"),
        Column("reason", "Why"),
        Column("services", "Found for services"),
        Column("shared_spend", "Shared spend", "money", "£ a year on these that members bring to the same providers"),
        Column("opened", "Opened", note="yes: the plan commissions something there"),
    )
    placed = plan.placement
    opened = {f.code for f in placed.footprints} if placed else set()
    rows = tuple(
        (f.code, f.name, ";".join(f.consortia), f.reason, ";".join(f.services), _shared(plan, f),
         "yes" if f.code in opened else "no")
        for f in (placed.candidates or placed.footprints if placed else ())
    )  # fmt: skip
    return Table("footprints", "Footprints", columns, rows)


def _shared(plan: Plan, footprint: Footprint) -> float | str:
    """What its members share; hidden where it would tell a small count of cases of a single service."""
    services = [s for s in plan.dataset.services if s.id in footprint.services]
    return _publishable(plan, services[0], footprint.shared_spend) if len(services) == 1 else footprint.shared_spend


def functions(plan: Plan) -> Table:
    """How each commissioning body gets its management work done."""
    word = names(plan)
    functions = {f.id: f.name for f in plan.dataset.functions}
    anchor = plan.scenario.anchor_scale
    commissioning = {b.code for b in plan.structure.bodies[anchor]}
    columns = (
        Column("function", "Function id"),
        Column("function_name", "Function"),
        *anchor_columns(plan),
        Column("mode", "How", note="make: own team; share: with others; buy: from an agency or the market"),
        Column("supplier", "Supplier code"),
        Column("supplier_name", "Supplier"),
        Column("hosted", "Hosted", note="yes: the supplier is one of them, whose team serves several"),
        Column("cost", "Cost", "money", "£ a year, cash"),
        Column("reason", "Why"),
    )
    rows = tuple(
        (f.function, functions.get(f.function, f.function), f.consortium, word.get(f.consortium, f.consortium), f.mode,
         f.supplier, word.get(f.supplier, f.supplier),
         "yes" if f.mode == "share" and f.supplier in commissioning else "no", f.cost, f.reason)
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
        Column("share", "Share of provider's income", "share", "of its whole income; blank where withheld"),
        Column("label", "Rests on", note="the label of most of the spend; a share on weaker flows is withheld"),
        Column("spend", "Spend", "money", "£ a year"),
        Column("cost", "Cost of the contract", "money", "£ a year, cash"),
        Column("lead_commissioner", "Lead commissioner", note="yes for the body with the largest contract"),
        Column("host", "Host code", note="the member that spends most with the provider does the work for the body"),
        Column("host_name", "Host"),
    )
    if plan.placement is None:
        return Table("contracts", "Contracts", columns, ())
    rows = tuple(
        (c.body, word.get(c.body, c.body), c.provider, word.get(c.provider, c.provider),
         kinds.get(c.provider, "").replace("_", " "), c.grade, c.share if label in EVIDENCE[:2] else None, label,
         c.spend, c.cost,
         "yes" if c.leads else "no", c.host, word.get(c.host, c.host))
        for c, label in zip(plan.placement.contracts, _contract_labels(plan), strict=True)
    )  # fmt: skip
    return Table("contracts", "Contracts", columns, rows)


def _contract_labels(plan: Plan) -> Iterator[str]:
    """What most of the spend of each contract rests on: the flows of those for whom its body commissions anything."""
    assert plan.placement is not None
    anchor, flows = plan.scenario.anchor_scale, plan.dataset.flows
    members = {body.code: body.members for body in plan.structure.bodies[anchor]}
    served: dict[str, set[int]] = {}
    for row in plan.placement.commissions:
        served.setdefault(row.commissioner, set()).update(members[row.consortium])
    position = {provider.code: k for k, provider in enumerate(plan.dataset.providers)}
    for contract in plan.placement.contracts:
        mine = np.isin(flows.practice, list(served.get(contract.body, ()))) & (
            flows.provider == position[contract.provider]
        )
        spend = np.bincount(flows.label[mine], weights=flows.spend[mine], minlength=len(EVIDENCE))
        yield EVIDENCE[int(spend.argmax())] if spend.any() else NO_FLOWS


def five_questions(plan: Plan) -> Table:
    """What each commissioning body does, as the five questions that it must answer before it chooses its form."""
    anchor = plan.scenario.anchor_scale
    word = names(plan)
    columns = (
        *anchor_columns(plan),
        Column("question", "Question no.", "whole"),
        Column("question_text", "Question"),
        Column("kind", "Kind", note="service, or management function"),
        Column("item", "Id"),
        Column("item_name", "Service or function"),
        Column("scale", "Where"),
        Column("who", "Who, code", note="commissioner of a service, supplier of a function"),
        Column("who_name", "Who"),
        Column("mode", "How", note="make, share or buy"),
        Column("amount", "Amount", "money", "£ a year: spend on a service, cost of a function"),
    )
    if plan.placement is None:
        return Table("five_questions", "The five questions", columns, ())
    lines = {s.id: s for s in plan.dataset.services}
    named = {s.id: s.name for s in plan.dataset.services} | {f.id: f.name for f in plan.dataset.functions}
    rows = tuple(
        (a.consortium, word.get(a.consortium, a.consortium), a.question, QUESTIONS[a.question - 1], a.kind, a.item,
         named.get(a.item, a.item), a.scale, a.who, word.get(a.who, a.who), a.mode,
         _publishable(plan, lines[a.item], a.amount) if a.kind == "service" else a.amount)
        for a in answers(plan.placement, plan.structure, anchor)
    )  # fmt: skip
    return Table("five_questions", "The five questions", columns, rows)


def _question(plan: Plan, commission: Commission) -> int:
    return question_of(commission.scale, plan.structure.scales, plan.scenario.anchor_scale)


def _publishable(plan: Plan, service: Service, spend: float) -> float | str:
    """Spend, or "*" where spend over the unit cost would give away a small count of cases."""
    cases = spend / service.cost_per_case if service.cost_per_case > 0 else 0.0
    return HIDDEN if cases > 0 and suppress(cases, plan.scenario.disclosure) == HIDDEN else spend
