"""What the report says of risk: luck by body, levers, pools; apart from it, providers; and published figures."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from geodata import plan_tables, risk_tables
from geodata.maps import words
from geodata.maps.risk_picture import described, fan_bytes
from optimiser.risk import ladder, passes_share, quantile, smallest_passing
from optimiser.risk_pool import EXACT
from optimiser.risk_report import TOLERANCES, BodyRisk, Pool, RiskReport

if TYPE_CHECKING:
    from optimiser.plan import Plan

MOST_PAIRS = 5  # subsidies named in a pool
LABELS = {"test": "kept", "fit": "", "calibration": "assumed"}  # what a published figure shows → the colour of its tag
Row = dict[str, Any]


def sections(plan: Plan) -> Row:
    """By name, what the template prints; None or empty where there is nothing to print."""
    table = risk_tables.service_risk(plan)
    return {
        "risk": None if plan.risk is None else _insurance(plan, plan.risk),
        "supply": [] if table is None else [_supply(plan, row) for row in table.records()],
        "supply_rules": plan.scenario.service_risk,
        "validation": [row | {"tag": LABELS[str(row["label"])]} for row in risk_tables.validation(plan).records()],
    }


def _insurance(plan: Plan, report: RiskReport) -> Row:
    luck = plan.scenario.risk.model_copy(update={"cv_person": report.cv})
    anchor = plan.scenario.anchor_scale
    mine = [b for b in report.bodies if b.scale == anchor]
    picture = base64.b64encode(fan_bytes(plan, report)).decode()
    table = risk_tables.insurance_risk(plan)
    alone = smallest_passing(luck, common_shock=True)
    return {
        "picture": f"data:image/svg+xml;base64,{picture}",
        "described": described(plan, report),
        "years": report.years,
        "ruin": report.ruin,
        "rule": luck,
        "least": smallest_passing(luck),
        "least_with_shock": None if math.isinf(alone) else alone,
        "ladder": ladder(luck, budget_per_head=sum(b.budget for b in report.bodies) / plan.dataset.patients.sum()),
        "passing": sum(bool(passes_share(b.sd, luck)) for b in mine),
        "of": len(mine),
        "tolerances": [f"{100 * t:g}\u00a0%" for t in TOLERANCES],
        "bodies": [
            row | {"where": plan_tables.scale_word(plan, str(row["scale"]))}
            for row in (table.records() if table is not None else [])
        ],
        "assumed": _assumed(report),
        "too_small": list(_too_small(plan, report, mine)),
        "levers": _levers(plan, report),
        "pools": [_pool(plan, report, pool) for pool in report.pools],
        "exact": EXACT,
    }


def _too_small(plan: Plan, report: RiskReport, mine: list[BodyRisk]) -> Iterator[Row]:
    """Bodies that hold too little for the risk rule, each with the smallest pool that would keep it: a group is kept as
    it is and pools first; merging is the last resort (EVIDENCE 2.36)."""
    luck, word = plan.scenario.risk, plan_tables.names(plan)
    z = quantile(luck.reserve_confidence)
    for body in mine:
        if passes_share(body.sd, luck):
            continue
        pools = [
            p for p in report.pools
            if body.code in p.members and len(p.members) > 1 and passes_share(p.held_luck / (z * p.budget), luck)
        ]  # fmt: skip
        best = min(pools, key=lambda p: len(p.members), default=None)
        yield {
            "name": word[body.code],
            "pool": None if best is None else word.get(best.code, "all of the region"),
            "size": 0 if best is None else len(best.members),
        }


def _assumed(report: RiskReport) -> list[str]:
    """What differs between practices in fact but could not be told from the dataset."""
    known = {"need": report.basis.need, "age": report.basis.age, "turnover of lists": report.basis.turnover}
    return [what for what, evidence in known.items() if evidence != "observed"]


def _levers(plan: Plan, report: RiskReport) -> list[Row]:
    """All bodies of the anchor scale together, lever by lever; the share of the smallest and of the largest body."""
    people = {b.code: b.patients for b in plan.structure.bodies[plan.scenario.anchor_scale]}
    small, large = min(people, key=people.__getitem__), max(people, key=people.__getitem__)
    found: dict[tuple[str, str], Row] = {}
    budget = sum((row.kept + row.elsewhere) / row.share for row in report.levers if row.lever == "alone" and row.share)
    for row in report.levers:
        entry = found.setdefault(
            (row.lever, row.setting),
            {"lever": row.lever, "setting": row.setting, "kept": 0.0, "elsewhere": 0.0, "luck": 0.0, "passed_on": 0.0},
        )
        for name in ("kept", "elsewhere", "luck", "passed_on"):
            entry[name] += getattr(row, name)
        if row.body == small:
            entry["small"] = row.share
        if row.body == large:
            entry["large"] = row.share
    whole = [
        entry | {"share": (entry["kept"] + entry["elsewhere"]) / budget if budget else 0.0} for entry in found.values()
    ]
    most = max((entry["share"] for entry in whole), default=0.0) or 1.0
    return [entry | {"drawn": 100 * entry["share"] / most} for entry in whole]


def _pool(plan: Plan, report: RiskReport, pool: Pool) -> Row:
    word = plan_tables.names(plan)
    pairs = sorted((s for s in report.subsidies if s.pool == pool.code), key=lambda s: -s.pounds)
    return {
        "name": word.get(pool.code, pool.code),
        "where": plan_tables.scale_word(plan, pool.scale),
        "size": len(pool.members),
        "alone": pool.alone,
        "held": pool.held,
        "saved": pool.alone - pool.held,
        "share_alone": pool.alone / pool.budget if pool.budget else 0.0,
        "share": pool.held / pool.budget if pool.budget else 0.0,
        "share_alone_luck": pool.alone_luck / pool.budget if pool.budget else 0.0,
        "share_luck": pool.held_luck / pool.budget if pool.budget else 0.0,
        "leavers": [word.get(pool.members[m], pool.members[m]) for m in pool.flat.members],
        "gain": pool.flat.gain,
        "stable": not pool.fair.members,
        "every": pool.flat.every,
        "pairs": [(word[s.payer], word[s.receiver], s.pounds) for s in pairs[:MOST_PAIRS]],
        "more": max(0, len(pairs) - MOST_PAIRS),
        "members": [
            {"name": word.get(c.member, c.member), "budget": c.budget, "alone": c.alone, "flat": c.flat, "fair": c.fair,
             "subsidy": c.flat - c.fair}
            for c in report.contributions if c.pool == pool.code
        ],
    }  # fmt: skip


def _supply(plan: Plan, row: Row) -> Row:
    """One body's service risk, with the providers that matter most."""
    tag, meaning = words.evidence_tag(str(row["label"]))
    word = plan_tables.names(plan)
    risk = next(r for r in plan.service_risk if r.body == row["body"])
    first = [f"{word.get(e.provider, e.provider)} ({', '.join(e.kinds)})" for e in risk.exposures[:3]]
    return row | {"tag": tag, "meaning": meaning, "first": first, "more": max(0, len(risk.exposures) - 3)}
