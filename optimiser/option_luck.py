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

FIRST = 0.01
"""Overspend that is told of beside the scenario's tolerance (STORIES, A)."""


@dataclass(frozen=True)
class Borne:
    """Luck borne in one way, common shock included. overspend, over_1: chance that a year passes the scenario's
    tolerance, and 1 %, for the worst-off of those that hold where risk is held. reserve: what all who hold any set
    aside, a share of all they hold. luck_alone: the reserve without the shock."""

    overspend: float
    over_1: float
    reserve: float
    luck_alone: float


@dataclass(frozen=True)
class Luck:
    """as_held: by who really holds what. alone: did each body of the anchor scale answer for every service of its
    people. pools, paid: where risk is held above the anchor scale, each pool and what its members pay."""

    as_held: Borne
    alone: Borne
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
        as_held=_borne(own.sd_share, own.budget, local if local.any() else ~local, scenario),
        alone=_borne(whole.sd_share, whole.budget, np.ones(len(whole.codes), dtype=bool), scenario),
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
    by_pool, by_body = (
        _borne(overspend_sd(n, scenario.risk), n, np.ones(len(n), dtype=bool), scenario) for n in (pools, sizes)
    )
    return Luck(by_pool, by_body)


def _borne(sd: Floats, budget: Floats, worst_of: np.ndarray, scenario: Scenario) -> Borne:
    """sd: of luck, shares of these budgets, NaN where there is none. worst_of: among whom the worst-off is sought."""
    some = budget > 0  # those with no budget have nothing to overspend
    both = np.hypot(sd, scenario.risk.common_shock_sd)
    z = quantile(scenario.risk.reserve_confidence)

    def chance(tolerance: float) -> float:
        return float(probability_exceeds(tolerance, both[some & worst_of]).max(initial=0.0))

    return Borne(
        overspend=chance(scenario.risk.rule_tolerance),
        over_1=chance(FIRST),
        reserve=z * float(np.average(both[some], weights=budget[some])),
        luck_alone=z * float(np.average(sd[some], weights=budget[some])),
    )
