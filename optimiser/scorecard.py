"""A structure measured: the figures a planner would ask for, of every body and of the region, of a plan or of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser import costing, relations, risk
from optimiser.domain import NO_BODY, Body, Dataset, Placement, Structure
from optimiser.given import broken_rules, existing_structure, membership_structure
from optimiser.measures import (
    ASSUMED,
    CASH,
    EXPECTED,
    GRADES,
    MODELLED,
    NOTIONAL,
    OBSERVED,
    SIZE,
    TRUE,
    Column,
    Measure,
    columns,
)
from optimiser.scenario import Scale, Scenario
from optimiser.scenario_models import REGION
from optimiser.standing import Standing, mean_within, ranks_agree, sd_within

__all__ = [
    "BodyScore",
    "Measure",
    "Scorecard",
    "broken_rules",
    "existing_structure",
    "membership_structure",
    "score",
]

Floats = NDArray[np.float64]
ByName = Mapping[str, Column]


@dataclass(frozen=True)
class BodyScore:
    """One body measured."""

    code: str
    name: str
    scale: str
    patients: int
    practices: int
    measures: Mapping[str, Measure]


@dataclass(frozen=True)
class Scorecard:
    """region: measures of the whole. bodies: scale → its bodies, in the structure's order."""

    region: Mapping[str, Measure]
    bodies: Mapping[str, tuple[BodyScore, ...]]


def score(dataset: Dataset, scenario: Scenario, structure: Structure, placement: Placement | None = None) -> Scorecard:
    """Measure a structure, planned or of today. placement: the services placed on it, for what they cost in cash."""
    standing = Standing.of(dataset)
    measured = {
        name: {c.name: c for c in columns(dataset, scenario, structure, name, standing)} for name in structure.scales
    }
    bodies = {
        name: tuple(
            BodyScore(
                code=body.code,
                name=body.name,
                scale=name,
                patients=body.patients,
                practices=len(body.members),
                measures={c.name: c.measure(b) for c in measured[name].values()},
            )
            for b, body in enumerate(structure.bodies[name])
        )
        for name in structure.scales
    }
    region = [
        *_money(dataset, scenario, structure, placement),
        *_luck(scenario, structure),
        *_engaged(scenario, structure, measured),
    ]
    for name in structure.scales:
        region += _of_scale(dataset, scenario.scale(name), structure, measured[name], standing)
    region.append(_orphans(structure, standing))
    region += _agreement(dataset, scenario, structure, measured)
    return Scorecard({m.name: m for m in region}, bodies)


def _money(
    dataset: Dataset, scenario: Scenario, structure: Structure, placement: Placement | None
) -> Iterator[Measure]:
    """Cash, and cash only, of everything: the bodies, the team, and what placing services costs.

    Without a placement the whole team is priced by its rate a head, contracting included; with one, contracting is
    priced by the contracts held, so that each pound counts once.
    """
    people = float(dataset.patients.sum())
    fixed = sum(costing.management_by_scale(structure, scenario).values())
    team, placed = costing.team_cost(dataset.functions, people, scenario, placed=placement is not None), 0.0
    if placement is not None:
        cash = {name for name, rate in scenario.rates.items() if rate.kind == CASH}
        placed = sum(pounds for force, pounds in placement.terms.items() if force in cash)
    contracting = "contracts and agreements" if placement else "contracts and agreements (priced within the team)"
    for name, label, pounds in (
        ("cash_per_head", "Cash a head", fixed + team + placed),
        ("cash_bodies_per_head", "Cash a head: running the bodies", fixed),
        ("cash_team_per_head", "Cash a head: the team", team),
        ("cash_services_per_head", f"Cash a head: {contracting}", placed if placement else None),
    ):
        yield Measure(name, label, None if pounds is None else pounds / people, "£ per head", MODELLED, CASH)


def _luck(scenario: Scenario, structure: Structure) -> Iterator[Measure]:
    """Patients whose commissioner is too small for luck: where the scenario holds the risk, and were nothing pooled."""
    anchor = _anchor(scenario, structure)
    held = scenario.risk_held_at if scenario.risk_held_at in structure.scales else anchor
    pools = {
        "failing_risk_rule": [b.patients for b in _real(structure.bodies[held])],
        "failing_risk_rule_unpooled": [b.patients for b in _real(structure.bodies[anchor])],
    }
    if scenario.risk_held_at == REGION:
        pools["failing_risk_rule"] = [sum(b.patients for b in structure.bodies[anchor])]
    rule = f"Patients where overspending by {100 * scenario.risk.rule_tolerance:g} % is too likely by size alone"
    for name, label in (("failing_risk_rule", rule), ("failing_risk_rule_unpooled", f"{rule}, nothing pooled")):
        failing = float(sum(size for size in pools[name] if not risk.passes_rule(size, scenario.risk)))
        yield Measure(name, label, failing, "patients", MODELLED, EXPECTED)


def _engaged(scenario: Scenario, structure: Structure, measured: Mapping[str, ByName]) -> Iterator[Measure]:
    """E over the scales that engagement is charged at, by patients."""
    weight = {s: share for s in structure.scales if (share := scenario.share("engagement", s))}
    if weight:
        total = sum(w * _mean(measured[s]["engagement"].values, _people(structure, s)) for s, w in weight.items())
        yield Measure("engagement", "GPs engaged", total / sum(weight.values()), "share", ASSUMED, NOTIONAL)


def _of_scale(
    dataset: Dataset, scale: Scale, structure: Structure, measured: ByName, standing: Standing
) -> Iterator[Measure]:
    """The region's measures of one scale, each name ending in the scale's."""
    of, people = structure.membership[scale.name], _people(structure, scale.name)
    home = np.array(dataset.authority_of(scale.authority_tier))
    deprived = mean_within(standing.deprived.astype(float), standing.patients, of, len(people)) * people
    real = np.array([b.name != NO_BODY for b in structure.bodies[scale.name]])
    sizes = people[real] if real.any() else np.zeros(1)
    values = {name: column.values for name, column in measured.items()}
    resting = max(measured["lead_provider_share"].evidence, key=GRADES.index)
    for name, label, value, unit, kind, evidence in (
        ("bodies", "number", real.sum(), "bodies", SIZE, OBSERVED),
        ("median_size", "median size", np.median(sizes), "patients", SIZE, OBSERVED),
        ("smallest_size", "smallest", sizes.min(), "patients", SIZE, OBSERVED),
        ("largest_size", "largest", sizes.max(), "patients", SIZE, OBSERVED),
        ("outside_main_authority", "patients outside the main council",
         _mean(values["outside_main_authority"], people), "share", TRUE, OBSERVED),
        ("authority_splits", "councils split", sum(len(set(of[home == code])) > 1 for code in np.unique(home)),
         "councils", TRUE, OBSERVED),
        ("straddling", "bodies that straddle councils", values["straddles"][real].sum(), "bodies", TRUE, OBSERVED),
        ("moved_patients", "patients whose practice changes body", values["moved_patients"].sum(), "patients", TRUE,
         OBSERVED),
        ("km_to_centre", "distance to the centre", _mean(values["km_to_centre"], people), "km", TRUE, OBSERVED),
        ("deprived_fifth_km", "distance of the most deprived fifth", _mean(values["deprived_fifth_km"], deprived),
         "km", TRUE, OBSERVED),
        ("lead_provider_share", "share of the main provider's income", _mean(values["lead_provider_share"], people),
         "share", TRUE, resting),
    ):  # fmt: skip
        known = float(value) if np.isfinite(value) else None
        words = f"{scale.plural[:1].upper()}{scale.plural[1:]}: {label}"
        yield Measure(f"{name}_{scale.name}", words, known, unit, evidence, kind)


def _orphans(structure: Structure, standing: Standing) -> Measure:
    """Practices nobody wants that are left among themselves at some scale: no fellow member is one that others want."""
    alone: set[int] = set()
    for scale in structure.scales:
        for body in _real(structure.bodies[scale]):
            if not body.oversize and standing.unwanted[list(body.members)].all():
                alone |= set(body.members)
    return Measure("orphaned_practices", "Practices left on the shelf", float(len(alone)), "practices", OBSERVED, TRUE)


def _agreement(
    dataset: Dataset, scenario: Scenario, structure: Structure, measured: Mapping[str, ByName]
) -> Iterator[Measure]:
    """How far the optimiser's linear stand-ins rank the bodies of the commissioning scale as the true measures do."""
    anchor = _anchor(scenario, structure)
    of, bodies, mine = structure.membership[anchor], structure.bodies[anchor], measured[anchor]
    n, patients = len(bodies), dataset.patients.astype(float)
    centre = np.array([b.centre for b in bodies])[of]
    home = np.array(dataset.authority_of(scenario.scale(anchor).authority_tier))
    abroad = mean_within((home != home[centre]).astype(float), patients, of, n)
    alike = relations.standardised(dataset)
    unlike = mean_within(relations.unlikeness(alike, np.arange(len(of)), centre), patients, of, n)
    spread = np.sqrt(sum(sd_within(column, patients, of, n) ** 2 for column in alike.T))
    for name, words, stand_in, truth in (
        ("authority", "council boundaries", abroad, mine["outside_main_authority"].values),
        ("distance", "distance", mine["km_to_centre"].values, mine["km_to_centroid"].values),
        ("likeness", "likeness", unlike, spread),
    ):
        agree = ranks_agree(stand_in, truth)
        label = f"Stand-in ranks bodies as the truth does: {words}"
        yield Measure(f"agreement_{name}", label, agree, "rank correlation", MODELLED, TRUE)


def _anchor(scenario: Scenario, structure: Structure) -> str:
    """The commissioning scale, or the largest there is where a structure of today lacks it."""
    return scenario.anchor_scale if scenario.anchor_scale in structure.scales else structure.scales[-1]


def _real(bodies: Sequence[Body]) -> list[Body]:
    return [b for b in bodies if b.name != NO_BODY]


def _people(structure: Structure, scale: str) -> Floats:
    return np.array([b.patients for b in structure.bodies[scale]], dtype=float)


def _mean(values: Floats, weights: Floats) -> float:
    """Weighted mean over what is known; NaN when nothing is."""
    known = np.isfinite(values)
    whole = weights[known].sum()
    return float((values[known] * weights[known]).sum() / whole) if whole else float("nan")
