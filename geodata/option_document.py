"""The comparison of options in one document, and the assumptions that it hangs on in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from geodata.option_tables import (
    LINES,
    PROOF,
    WAY,
    Line,
    allowances,
    answers,
    evidence,
    first_name,
    options,
    pools,
    years,
)
from optimiser.wording import percent

if TYPE_CHECKING:
    from optimiser.domain import Certificate
    from optimiser.options import Comparison, Option


def document(found: Comparison) -> dict[str, Any]:
    """Everything of the comparison in one document: the figures of options.csv, both sides, the years, the answers."""
    info, cells = found.dataset.info, options(found).records()
    by_option = {str(row["option"]): row for row in cells}
    lines = (*LINES, *WAY, *PROOF)
    return {
        "format": 1,
        "dataset": info.name,
        "scenario": found.scenario.name,
        "title": found.scenario.title,
        "seed": found.seed,
        "synthetic": info.synthetic,
        "premature": found.premature,
        "stood_in": found.stood_in,
        "of_set": found.chosen,
        "groups": [{"code": g.code, "name": g.name, "practices": len(g.members)} for g in found.groups],
        "counted_from": first_name(found) if found.from_there else found.options[0].terms.form,
        "impossible": [{"option": x.form, "why": [str(p) for p in x.problems]} for x in found.impossible],
        "figures": [
            {"name": x.name, "label": x.title, "unit": x.unit, "kind": x.kind, "evidence": evidence(found, x),
             "better": x.better}
            for x in lines
        ],
        "today": _figures(by_option[first_name(found)], lines) if found.today is not None else None,
        "options": [
            {
                "option": o.terms.form,
                "rules": o.plan.scenario.title,
                **_figures(by_option[o.terms.form], lines),
                "cut_short": o.plan.cut,
                "bodies_of": [
                    {"code": b.code, "name": b.name, "patients": b.patients, "practices": len(b.members)}
                    for b in o.plan.anchors
                ],
                "officers": [
                    {"bodies": x.bodies, "saved": x.saved, "attention": x.attention, "deputies": x.deputies}
                    for x in o.plan.officers
                ],
                "benefits": list(o.terms.benefits),
                "risks": list(o.terms.risks),
                "years": [{k: v for k, v in row.items() if k != "option"} for row in years(found).records()
                          if row["option"] == o.terms.form],
                "pools": [{k: v for k, v in row.items() if k != "option"} for row in pools(found).records()
                          if row["option"] == o.terms.form],
                "certificates": {
                    name: {"objective": c.objective, "bound": c.bound, "gap": c.gap} for name, c in _proofs(o)
                },
                "notes": list(o.notes),
            }
            for o in found.options
        ],
        "allowances": allowances(found).records(),
        "answers": answers(found).records(),
        "assumed": assumed(found),
        "warnings": list(found.dataset.warnings),
    }  # fmt: skip


def _figures(row: dict[str, object], lines: tuple[Line, ...]) -> dict[str, object]:
    return {line.name: row[line.name] for line in lines}


def _proofs(option: Option) -> Iterator[tuple[str, Certificate]]:
    yield from option.plan.certificates.items()
    if option.plan.placement is not None:
        yield "placement", option.plan.placement.certificate


def assumed(found: Comparison) -> list[str]:
    """The assumptions that the comparison hangs on most, in words, with their values."""
    s = found.scenario
    parts = ", ".join(percent(part) for part in s.transition.saving_realised)
    return [
        f"Engagement falls from {percent(s.engagement.e0)} in the smallest body towards {percent(s.engagement.e_inf)}, "
        f"half of the way at {s.engagement.n_half:,.0f} people; a GP who takes no part counts "
        f"£{s.amount('engagement'):,.0f} a patient and year (engagement.*, rates.engagement).",
        f"Luck: {_luck(found)}; a bad year is one more than {percent(s.risk.rule_tolerance)} over. The common shock, "
        "which no pool shrinks, is left out, but for what pools hold and their members pay (risk.*).",
        f"One officer and team serve several bodies with {percent(s.officer.shared)} of their statutory cost; each "
        f"body needs {percent(s.officer.attention)} of an officer's year, and each pair of bodies takes "
        f"{percent(s.officer.between)} of it (officer.*).",
        f"Savings come at {parts} of what theory says, year by year, developments {s.transition.delay_months:g} months "
        f"late, {percent(s.transition.productivity_dip)} of management work is lost meanwhile: what merged hospital "
        "trusts had, read through the press; that commissioners fare alike is assumed (transition.*).",
        f"Posts paid off cost £{s.transition.severance_gbp:,.0f} each, and {percent(s.transition.rehired)} of those "
        "paid off are taken on again (transition.*).",
        "Autonomy counts services that a group commissions with nobody else. Where services were decided before is not "
        "known: today's bodies are shown with services placed as suits them.",
    ]


def _luck(found: Comparison) -> str:
    if any(s.cost_per_head > 0 for s in found.dataset.services):
        return "cases and their cost, service by service, of the services that each really holds (services.csv)"
    return f"a year's cost varies with {found.scenario.risk.cv_person:g} / √people of budget"
