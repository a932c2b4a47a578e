"""Risk as tables: luck by body, levers, pools and who pays whom in them; apart from it, trouble with providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geodata.plan_tables import Column, Table, names
from optimiser.published import reproduced
from optimiser.risk_report import TOLERANCES

if TYPE_CHECKING:
    from optimiser.plan import Plan

ROUND = 3  # decimals of shares of spending, so that no small count shows
PERCENT = tuple(f"{100 * t:g}" for t in TOLERANCES)


def insurance_risk(plan: Plan) -> Table | None:
    """One row a body that answers for services: what it holds, its chance of overspending, the pool it needs."""
    if plan.risk is None:
        return None
    word, basis = names(plan), plan.risk.basis
    columns = [
        Column("scale", "Scale"),
        Column("body", "Body code"),
        Column("body_name", "Body"),
        Column("people", "People", "whole"),
        Column("services", "Services held", "whole", "whose risk it carries"),
        Column("budget", "Budget held", "money", "£ a year at the catalogue's rates and the need of its people"),
        Column("over_dispersion", "Over-dispersion", "number", "1 is chance alone; by age and turnover, assumed"),
        Column(
            "equivalent_people",
            "Equivalent people",
            "whole",
            "average people, all services, as much luck per pound",
        ),
        Column("sd", "Standard deviation of luck", "share", "of the budget held"),
        Column("sd_with_shock", "The same with the common shock", "share"),
    ]
    for name, words in (
        ("over", "closed form"),
        ("over_with_shock", "closed form, with the common shock"),
        ("simulated_over", "simulated"),
        ("simulated_over_with_shock", "simulated, with the common shock"),
    ):
        columns += [Column(f"{name}_{p}", f"Chance of more than {p} % over, {words}", "share") for p in PERCENT]
    columns += [
        Column("pool", "Pool needed", "share", f"of the budget held, short with chance {plan.risk.ruin:.0%}; no shock"),
        Column("pool_with_shock", "Pool needed, with the common shock", "share"),
        Column("pool_simulated", "Pool needed, simulated with the common shock", "share"),
        Column("pool_gbp", "Pool needed, with the common shock, £", "money"),
        Column("need_evidence", "Need rests on"),
        Column("age_evidence", "Age rests on", note="its effect on risk is assumed in any case"),
        Column("turnover_evidence", "Turnover rests on", note="its effect on risk is assumed in any case"),
    ]
    blank = (None,) * len(TOLERANCES)
    rows = tuple(
        (b.scale, b.code, word.get(b.code, b.code), round(b.people), b.services, b.budget, b.dispersion,
         round(b.equivalent), b.sd, b.sd_with_shock, *b.over, *b.over_with_shock, *(b.simulated or blank),
         *(b.simulated_with_shock or blank), b.pool, b.pool_with_shock, b.pool_simulated,
         b.pool_with_shock * b.budget if b.budget else 0.0, basis.need, basis.age, basis.turnover)
        for b in plan.risk.bodies
    )  # fmt: skip
    return Table("insurance_risk", "Insurance risk", tuple(columns), rows)


def risk_levers(plan: Plan) -> Table | None:
    """Every commissioning body under every way to bear its luck."""
    if plan.risk is None:
        return None
    word = names(plan)
    columns = (
        Column("body", "Body code"),
        Column("body_name", "Body"),
        Column("lever", "Lever"),
        Column("setting", "Setting"),
        Column("kept", "It sets aside", "money", "£, with the common shock"),
        Column("elsewhere", "Others set aside for it", "money", "£, its fair part, with the common shock"),
        Column("luck", "Both without the common shock", "money", "£"),
        Column("share", "Both, of its whole indicative budget", "share"),
        Column("passed_on", "Cost that others bear", "money", "£ a year on average"),
    )
    rows = tuple(
        (r.body, word.get(r.body, r.body), r.lever, r.setting, r.kept, r.elsewhere, r.luck, r.share, r.passed_on)
        for r in plan.risk.levers
    )
    return Table("risk_levers", "Risk levers", columns, rows)


def risk_pools(plan: Plan) -> Table | None:
    """Who could pool, what it saves, and whether anybody would rather leave."""
    if plan.risk is None:
        return None
    word = names(plan)
    columns = (
        Column("pool", "Pool code"),
        Column("pool_name", "Pool"),
        Column("scale", "Scale"),
        Column("members", "Members"),
        Column("budget", "Budget", "money", "£ a year that they hold together"),
        Column("alone", "Set aside alone", "money", "£, all members, with the common shock"),
        Column("held", "Set aside together", "money", "£, with the common shock"),
        Column("alone_luck", "Alone, without the shock", "money", "£"),
        Column("held_luck", "Together, without the shock", "money", "£"),
        Column("pool_share", "Pool", "share", "smallest share of budget, with the common shock"),
        Column("pool_share_luck", "Pool, without the shock", "share"),
        Column("flat_objectors", "Better off outside at a flat percentage", note="the coalition that gains most"),
        Column("flat_gain", "What they gain", "money", "£"),
        Column("fair_objectors", "Better off outside if each pays for its risk"),
        Column("every_coalition", "All coalitions tried", note="yes, or no: those that matter by an argument"),
    )
    rows = tuple(
        (p.code, word.get(p.code, p.code), p.scale, ";".join(p.members), p.budget, p.alone, p.held, p.alone_luck,
         p.held_luck, p.held / p.budget if p.budget else 0.0, p.held_luck / p.budget if p.budget else 0.0,
         ";".join(p.members[m] for m in p.flat.members), p.flat.gain, ";".join(p.members[m] for m in p.fair.members),
         "yes" if p.flat.every else "no")
        for p in plan.risk.pools
    )  # fmt: skip
    return Table("risk_pools", "Risk pools", columns, rows)


def risk_contributions(plan: Plan) -> Table | None:
    """What each member of each pool pays, flat and for its risk."""
    if plan.risk is None:
        return None
    word = names(plan)
    columns = (
        Column("pool", "Pool code"),
        Column("pool_name", "Pool"),
        Column("member", "Member code"),
        Column("member_name", "Member"),
        Column("budget", "Budget held", "money", "£ a year"),
        Column("alone", "Alone", "money", "£ set aside, with the common shock"),
        Column("flat", "Flat percentage", "money", "£"),
        Column("fair", "For the risk it adds", "money", "£"),
        Column("subsidy", "Pays for others", "money", "£: flat less fair; below zero others pay for it"),
    )
    rows = tuple(
        (c.pool, word.get(c.pool, c.pool), c.member, word.get(c.member, c.member), c.budget, c.alone, c.flat, c.fair,
         c.flat - c.fair)
        for c in plan.risk.contributions
    )  # fmt: skip
    return Table("risk_contributions", "Contributions to pools", columns, rows)


def risk_subsidies(plan: Plan) -> Table | None:
    """Who pays for whom where a pool takes the same percentage of everybody."""
    if plan.risk is None:
        return None
    word = names(plan)
    columns = (
        Column("pool", "Pool code"),
        Column("payer", "Payer code"),
        Column("payer_name", "Pays"),
        Column("receiver", "Receiver code"),
        Column("receiver_name", "For"),
        Column("subsidy", "Subsidy", "money", "£"),
    )
    rows = tuple(
        (s.pool, s.payer, word.get(s.payer, s.payer), s.receiver, word.get(s.receiver, s.receiver), s.pounds)
        for s in plan.risk.subsidies
    )
    return Table("risk_subsidies", "Subsidies in pools", columns, rows)


def service_risk(plan: Plan) -> Table | None:
    """One row a commissioning body: the part of its spend in trouble if a provider is. No part of insurance risk."""
    if not plan.service_risk:
        return None
    word = names(plan)
    columns = (
        Column("scale", "Scale"),
        Column("body", "Body code"),
        Column("body_name", "Body"),
        Column("exposed", "Service risk", "share", "of its spend, touched by any of the three"),
        Column("single_supplier", "On a single supplier", "share"),
        Column("fragile_provider", "With fragile providers", "share"),
        Column(
            "dependent_provider", "With providers that live from it", "share", "of what is known; blank: nothing is"
        ),
        Column("known", "Known", "share", "of its spend, for which it can be told whether providers live from it"),
        Column("label", "Rests on", note="the label of most of the spend"),
    )
    rows = tuple(
        (r.scale, r.body, word.get(r.body, r.body),
         *(None if v is None else round(v, ROUND) for v in (r.exposed, r.single, r.fragile, r.dependent, r.known)),
         r.label)
        for r in plan.service_risk
    )  # fmt: skip
    return Table("service_risk", "Service risk", columns, rows)


def service_exposures(plan: Plan) -> Table | None:
    """Which providers each commissioning body is exposed to, and why; those with less than 0.1 % of it left out."""
    if not plan.service_risk:
        return None
    word, called = names(plan), {s.id: s.name for s in plan.dataset.services}
    columns = (
        Column("body", "Body code"),
        Column("body_name", "Body"),
        Column("provider", "Provider code"),
        Column("provider_name", "Provider"),
        Column("kinds", "Why", note="single supplier, fragile provider, dependent provider"),
        Column("services", "Only supplier of: ids"),
        Column("service_names", "Only supplier of"),
        Column("share", "Exposed", "share", "of the body's spend"),
        Column("share_of_provider", "Share of provider's income", "share", "blank where flows are too weak to say"),
        Column("label", "Rests on"),
    )
    rows = tuple(
        (r.body, word.get(r.body, r.body), e.provider, word.get(e.provider, e.provider), "; ".join(e.kinds),
         ";".join(e.services), "; ".join(called[s] for s in e.services), round(e.share, ROUND),
         None if e.income_share is None else round(e.income_share, ROUND), e.label)
        for r in plan.service_risk for e in r.exposures if round(e.share, ROUND) > 0
    )  # fmt: skip
    return Table("service_exposures", "Exposure to providers", columns, rows)


def validation(_: Plan) -> Table:
    """Published figures beside what the model makes of the same inputs; the same for every plan."""
    columns = (
        Column("row", "Row", "whole", "of the list of published results"),
        Column("source", "Source"),
        Column("quantity", "Quantity"),
        Column("unit", "Unit"),
        Column("published", "Published", "number"),
        Column("tolerance", "Tolerance", "number"),
        Column("reproduced", "Reproduced", "number"),
        Column("agrees", "Agrees"),
        Column("label", "What it shows", note="test: inputs from elsewhere; fit: one parameter from it; calibration"),
        Column("inputs", "Inputs"),
    )
    rows = tuple(
        (r.row, r.source, r.quantity, r.unit, r.published, r.tolerance, r.reproduced, "yes" if r.agrees else "no",
         r.label, r.inputs)
        for r in reproduced()
    )  # fmt: skip
    return Table("validation", "Published and reproduced", columns, rows)
