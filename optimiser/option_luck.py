"""How an arrangement bears its luck: by what each holder of risk really holds, and who pays for whom in its pools."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from optimiser.domain import NO_BODY, Dataset, Placement, Structure
from optimiser.risk import overspend_sd, probability_exceeds, quantile
from optimiser.risk_held import held
from optimiser.risk_model import Floats
from optimiser.risk_pool import pooling
from optimiser.risk_report import Contribution, Pool, contributions, pool_of
from optimiser.scenario import Scenario
from optimiser.scenario_models import REGION


@dataclass(frozen=True)
class Luck:
    """Luck alone, without the common shock. overspend: chance that a year passes the scenario's tolerance, for the
    worst-off of those that hold where risk is held; overspend_alone: of the anchor scale, did each answer for every
    service of its people. reserve, reserve_alone: what all who hold any set aside, shares of all they hold. pools,
    paid: where risk is held above the anchor scale, each pool and what its members pay."""

    overspend: float
    overspend_alone: float
    reserve: float
    reserve_alone: float
    pools: tuple[Pool, ...] = ()
    paid: tuple[Contribution, ...] = ()


def luck_of(dataset: Dataset, scenario: Scenario, structure: Structure, placement: Placement | None) -> Luck:
    """How these bodies bear it; by their people alone where the dataset has no services."""
    if not any(s.cost_per_head > 0 for s in dataset.services):
        return _by_size(scenario, structure)
    found = held(dataset, scenario, structure, placement)
    own, whole = found.by_holder, found.whole
    local = np.isin(np.arange(len(found.holders)), found.holder[found.local])
    groups = [g for g in pooling(dataset, scenario, structure) if g.scale == scenario.risk_held_at]
    return Luck(
        overspend=_chance(own.sd_share[local] if local.any() else own.sd_share, scenario),
        overspend_alone=_chance(whole.sd_share, scenario),
        reserve=_reserve(own.variance, own.budget, scenario),
        reserve_alone=_reserve(whole.variance, whole.budget, scenario),
        pools=tuple(pool_of(found.brought, scenario, group) for group in groups),
        paid=tuple(row for group in groups for row in contributions(found.brought, scenario, group)),
    )


def _by_size(scenario: Scenario, structure: Structure) -> Luck:
    sizes = np.array([b.patients for b in structure.bodies[scenario.anchor_scale] if b.name != NO_BODY], dtype=float)
    held_at = scenario.risk_held_at
    pools = sizes
    if held_at == REGION:
        pools = sizes.sum(keepdims=True)
    elif held_at in structure.scales:
        pools = np.array([b.patients for b in structure.bodies[held_at] if b.name != NO_BODY], dtype=float)
    (sd, sd_alone), luck = (overspend_sd(people, scenario.risk) for people in (pools, sizes)), scenario.risk
    return Luck(
        overspend=_chance(sd, scenario),
        overspend_alone=_chance(sd_alone, scenario),
        reserve=quantile(luck.reserve_confidence) * float(np.average(sd, weights=pools)),
        reserve_alone=quantile(luck.reserve_confidence) * float(np.average(sd_alone, weights=sizes)),
    )


def _chance(sd: Floats, scenario: Scenario) -> float:
    """Of the worst-off; those with no budget have nothing to overspend."""
    return float(np.nanmax(probability_exceeds(scenario.risk.rule_tolerance, sd)))


def _reserve(variance: Floats, budget: Floats, scenario: Scenario) -> float:
    return quantile(scenario.risk.reserve_confidence) * float(np.sqrt(variance).sum() / budget.sum())
