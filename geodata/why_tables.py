"""Why services are where they are, as tables: every scale priced, the statutory factors, and the wishes answered."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from geodata.force_tables import FORCES
from geodata.plan_tables import Column, Table, anchor_columns, names
from optimiser.four_factors import FACTORS, four_factors

if TYPE_CHECKING:
    from optimiser.plan import Plan
    from optimiser.wish_prices import Answered

NEVER = "never"
PRICE_IS = {
    "at most": "to grant it, at most",
    "at least": "saved by dropping it, at least",
    "exactly": "exactly: nothing to grant, nothing to save",
    "": "",
}


def why_here(plan: Plan) -> Table:
    """What each service would cost at every scale that may have it, for those who share its commissioner."""
    forces = [f for f in FORCES if any(f in row.terms for row in plan.why_here)]
    services = {s.id: s.name for s in plan.dataset.services}
    word = names(plan)
    columns = (
        Column("service", "Service id"),
        Column("service_name", "Service"),
        Column("commissioner", "Commissioner code"),
        Column("commissioner_name", "Commissioner"),
        Column("members", "For whom, codes", note="the bodies that share the commissioner"),
        Column("patients", "Patients", "whole"),
        Column("scale_now", "Commissioned at"),
        Column("scale", "Were it at"),
        *(Column(f"term_{f}", FORCES[f][0], "money", f"£ a year that it costs them there: {FORCES[f][1]}")
          for f in forces),
        Column("total", "In all", "money", "£ a year that the service costs them there"),
        Column("difference", "More than now", "money", "£ a year for them, everything else staying"),
        Column("plan_difference", "More than now, whole plan", "money",
               "£ a year, with those who are drawn in or left behind"),
        Column("bodies", "Commissioners", "whole", "how many there would be"),
        Column("served", "Of those served", "whole", "the others would go where it is cheapest"),
        Column("dragged", "Others who move too", "whole"),
        Column("break_even", "Break-even population", "whole",
               "people in a body of the smaller of the two scales: with fewer the larger scale is cheaper"),
    )  # fmt: skip
    rows = tuple(
        (r.service, services[r.service], r.commissioner, word.get(r.commissioner, r.commissioner),
         ";".join(r.consortia), r.patients, r.scale_now, r.scale, *(r.terms.get(f, 0.0) for f in forces), r.total,
         r.more, r.plan_more, r.bodies, r.covered, r.dragged,
         None if r.scale == r.scale_now else NEVER if r.break_even is None else round(r.break_even))
        for r in plan.why_here
    )  # fmt: skip
    return Table("why_here", "Why here", columns, rows)


def factors(plan: Plan) -> Table:
    """The statutory four factors of each service, beside the scale that the plan gives it."""
    columns = (
        Column("service", "Service id"),
        Column("service_name", "Service"),
        Column("scale", "Commissioned at", note="for most bodies"),
        Column("points", "Points", "whole", "0 to 12: many speak for a larger scale"),
        Column("cases", "Cases a year", "number", "in the commissioning body of median size, by the catalogue's rate"),
        Column("cases_points", "Points: people who need it", "whole"),
        Column("cost_per_case", "£ a case", "money"),
        Column("cost_per_case_points", "Points: cost", "whole"),
        Column("providers", "Providers", "whole", "with a real part of the spend on it in the region"),
        Column("providers_points", "Points: able providers", "whole"),
        Column("swing", "Swing", "share", "one standard deviation of luck there, of the body's whole budget"),
        Column("swing_points", "Points: what it would mean for a commissioner alone", "whole"),
    )
    where: dict[str, Counter[str]] = {}
    for c in plan.placement.commissions if plan.placement else ():
        where.setdefault(c.service, Counter())[c.scale] += 1
    services = {s.id: s.name for s in plan.dataset.services}
    found = four_factors(plan.dataset, plan.scenario, plan.structure) if where else ()
    rows = []
    for f in found:
        points = dict(zip(FACTORS, f.points, strict=True))
        rows.append((
            f.service, services[f.service], where[f.service].most_common(1)[0][0], f.total, f.cases, points["cases"],
            f.cost_per_case, points["cost_per_case"], f.providers, points["providers"], f.swing, points["swing"],
        ))  # fmt: skip
    return Table("four_factors", "Four factors", columns, tuple(rows))


def wishes_answered(plan: Plan) -> Table | None:
    """Every wish and what became of it; None where nobody wished or nothing is placed."""
    if not plan.wishes:
        return None
    services = {s.id: s.name for s in plan.dataset.services}
    word = names(plan)
    columns = (
        Column("who", "Who wishes, code"),
        Column("who_name", "Who wishes"),
        Column("service", "Service id"),
        Column("service_name", "Service"),
        Column("wished", "Wished at"),
        Column("strength", "Strength", note="firm or soft"),
        *anchor_columns(plan, "those in which it speaks for somebody"),
        Column("patients", "Patients it speaks for", "whole"),
        Column("given", "Given", note="the scale of the plan, of each"),
        Column("kept", "Kept", note="yes, no, or in part: somewhere"),
        Column("kept_share", "Kept for", "share", "of the patients it speaks for"),
        Column("binds", "Binds", note="yes: the wish forced an answer"),
        Column("price", "Price", "money", "£ a year"),
        Column("price_is", "What the price is", note="what granting costs at most, or dropping saves at least"),
        Column("reason", "Why"),
        Column("note", "In their words"),
    )
    rows = tuple(
        (a.wish.who, a.name, a.wish.service, services[a.wish.service], a.wish.scale,
         "firm" if a.wish.firm else "soft", ";".join(a.consortia), "; ".join(word[c] for c in a.consortia),
         sum(a.patients), ";".join(dict.fromkeys(a.given)), _kept(a), a.kept_share, "yes" if a.binding else "no",
         a.price, PRICE_IS[a.how], a.reason, a.wish.note)
        for a in plan.wishes
    )  # fmt: skip
    return Table("wishes_answered", "Wishes answered", columns, rows)


def _kept(answer: Answered) -> str:
    return "" if not answer.kept else "yes" if all(answer.kept) else "in part" if any(answer.kept) else "no"
