"""The provider graph as tables: every material edge at every scale, and each provider's purchasers before and after."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from geodata.arrangement import TODAY, Arrangement, Level
from geodata.disclosure import HIDDEN, suppress
from geodata.plan_tables import Column, Table
from geodata.provider_files import DECIMALS, ROUGH
from optimiser.domain import EVIDENCE
from optimiser.power import power, reached, resting_on, weight_of
from optimiser.providers import WITHHELD, band, provider_income, weak

VIEWS = {"today": "today", "alone": "each body for itself", "placed": "as services are placed"}


def provider_shares(arrangement: Arrangement) -> Table:
    """Bodies × providers at every scale of the plan and of today, edges above materiality only."""
    columns = (
        Column("map", "Map", note="plan, drawn by hand, or today"),
        Column("scale", "Scale"),
        Column("body", "Body code"),
        Column("body_name", "Body"),
        Column("provider", "Provider code"),
        Column("provider_name", "Provider"),
        Column("provider_kind", "Kind of provider"),
        Column("spend", "Spend", "money", "£ a year; * where it would give away a small count of cases"),
        Column("share_of_body", "Share of the body's spend", "share"),
        Column("share_of_provider", "Share of provider's income", "share", "of its whole income; blank where withheld"),
        Column("band", "Weight", note="negligible, associate, significant or lead, by share of provider's income"),
        Column("weight_today", "Weight behind its spend today", "share", "share of income, by today's bodies"),
        Column("weight_placed", "Weight behind its spend as placed", "share", "share of income, by who commissions"),
        Column("label", "Rests on", note="the label of most of the spend"),
    )
    rows = (row for level in arrangement.levels for row in _edges(arrangement, level))
    return Table("provider_shares", "Bodies and providers", columns, tuple(rows))


def provider_power(arrangement: Arrangement) -> Table:
    """One row a provider: who pays it, and the weight behind that, today, with each body for itself, and as placed."""
    dataset, scenario = arrangement.dataset, arrangement.scenario
    bands = reached(scenario)
    views = arrangement.purchasers
    columns = [
        Column("provider", "Provider code"),
        Column("provider_name", "Provider"),
        Column("provider_kind", "Kind of provider"),
        Column("income", "Income", "money", "£ a year, all commissioners"),
        Column("spend", "Spend from here", "money", "£ a year, to the nearest £10,000"),
        Column("label", "Rests on", note="the label of most of the spend"),
        Column("scale", "Bodies are", note="the scale of each body for itself"),
        Column("today_scale", "Bodies of today are", note="the scale of today's bodies compared"),
    ]
    for view, words in VIEWS.items():
        columns += [
            Column(f"{view}_purchasers", f"Purchasers, {words}", "whole", "who spend more than materiality"),
            Column(f"{view}_hhi", f"Concentration of purchasers (HHI), {words}", "number", "0–1"),
            Column(f"{view}_largest", f"Largest purchaser, {words}"),
            Column(f"{view}_largest_share", f"Its share of the spend from here, {words}", "share"),
            Column(f"{view}_weight", f"Weight behind the average pound, {words}", "share", "of the provider's income"),
        ]
        columns += [Column(f"{view}_{name}", f"Purchasers at {name} or above, {words}", "whole") for name in bands]
    found = {view: power(dataset, scenario, buyers) for view, buyers in views.items()}
    flows, income = dataset.flows, provider_income(dataset)
    spend = np.bincount(flows.provider, weights=flows.spend, minlength=len(dataset.providers))
    cases = np.bincount(flows.provider, weights=flows.activity, minlength=len(dataset.providers))
    rows = []
    for p, (provider, label) in enumerate(zip(dataset.providers, resting_on(dataset), strict=True)):
        if not label:
            continue
        hidden = suppress(float(cases[p]), scenario.disclosure) == HIDDEN
        row: list[object] = [
            provider.code, provider.name, provider.kind.replace("_", " "), float(income[p]),
            HIDDEN if hidden else float(round(spend[p], ROUGH)), label, arrangement.anchor, arrangement.today_scale,
        ]  # fmt: skip
        for view in VIEWS:
            if hidden or view not in found or not math.isfinite(found[view].hhi[p]):
                row += [HIDDEN if hidden else None] * (5 + len(bands))
                continue
            seen, judged = found[view], not weak(label)
            row += [
                int(seen.purchasers[p]),
                round(float(seen.hhi[p]), DECIMALS),
                views[view].names[int(seen.largest[p])],
                round(float(seen.largest_share[p]), DECIMALS),
                round(float(seen.weight[p]), DECIMALS) if judged else None,
                *(int(seen.above[name][p]) if judged else None for name in bands),
            ]
        rows.append(tuple(row))
    paid = spend[[p for p, label in enumerate(resting_on(dataset)) if label]]
    ordered = tuple(rows[k] for k in np.argsort(-paid, kind="stable"))
    return Table("provider_power", "Power with providers", tuple(columns), ordered)


def average_weight(arrangement: Arrangement) -> tuple[dict[str, float], float]:
    """View → the share of its provider's income that stands behind the average pound paid to any provider, and the part
    (0–1) of spending for which flows are known well enough to say: the average is over that."""
    dataset = arrangement.dataset
    whole = np.bincount(dataset.flows.provider, weights=dataset.flows.spend, minlength=len(dataset.providers))
    known = np.array([not weak(label) for label in resting_on(dataset)]) & (whole > 0)
    if not known.any():
        return {}, 0.0
    found = {
        view: power(dataset, arrangement.scenario, buyers).weight for view, buyers in arrangement.purchasers.items()
    }
    means = {view: float(np.average(weight[known], weights=whole[known])) for view, weight in found.items()}
    return means, float(whole[known].sum() / whole.sum())


def _edges(arrangement: Arrangement, level: Level) -> Iterator[tuple[object, ...]]:
    dataset, flows, bands = arrangement.dataset, level.flows, arrangement.scenario.leverage
    of_body = flows.table.sum(axis=1)
    by_label = np.zeros((flows.bodies, len(dataset.providers), len(EVIDENCE)))
    np.add.at(by_label, (flows.body, flows.provider), flows.by_label)
    behind = {}
    if not level.compared and level.scale == arrangement.anchor:
        of = arrangement.structure.membership[level.scale]
        behind = {
            view: weight_of(dataset, buyers, of, flows.bodies)
            for view, buyers in arrangement.purchasers.items()
            if view != "alone"
        }
    for b, p in np.argwhere(level.material).tolist():
        body, provider, label = level.bodies[b], dataset.providers[p], EVIDENCE[int(by_label[b, p].argmax())]
        spend = float(flows.table[b, p]) if level.map != TODAY else float(round(flows.table[b, p], ROUGH))
        whole = float(round(of_body[b], ROUGH))
        weights = [
            None if weak(label) or view not in behind or math.isnan(behind[view][b, p])
            else round(float(behind[view][b, p]), DECIMALS)
            for view in ("today", "placed")
        ]  # fmt: skip
        figures: tuple[object, ...] = (
            spend,
            min(spend / whole, 1.0) if whole else None,
            None if weak(label) else min(spend / flows.income[p], 1.0),
            WITHHELD if weak(label) else band(float(flows.shares[b, p]), bands),
            *weights,
        )
        if level.hidden[b, p]:
            figures = (HIDDEN,) * len(figures)
        yield (
            level.map, level.scale, body.code, body.name, provider.code, provider.name,
            provider.kind.replace("_", " "), *figures, label,
        )  # fmt: skip
