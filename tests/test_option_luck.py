"""How an arrangement bears its luck: by what is really held, and who pays for whom."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, sqrt

import pytest

from optimiser.option_luck import luck_of
from optimiser.risk import probability_exceeds, quantile
from optimiser.risk_held import held
from tests.option_worlds import both, region

pytestmark = pytest.mark.usefixtures("one_thread")


def option(form):
    return next(o for o in both().options if o.terms.form == form)


def test_it_is_read_from_the_services_that_each_holds():
    found, luck = option("standalone"), option("standalone").luck
    plan = found.plan
    who = held(both().dataset, plan.scenario, plan.structure, plan.placement)
    own = who.by_holder
    z = quantile(plan.scenario.risk.reserve_confidence)
    assert luck.as_held.luck_alone == pytest.approx(z * sum(sqrt(v) for v in own.variance) / own.budget.sum())
    shock = plan.scenario.risk.common_shock_sd
    each = [hypot(sd, shock) for sd in own.sd_share]
    assert luck.as_held.reserve == pytest.approx(z * sum(own.budget * each) / own.budget.sum())
    at_anchor = [b for b, (scale, _) in enumerate(who.holders) if scale == "consortium"]
    tolerance = plan.scenario.risk.rule_tolerance
    assert luck.as_held.overspend == pytest.approx(max(probability_exceeds(tolerance, each[b]) for b in at_anchor))
    assert luck.as_held.over_1 == pytest.approx(max(probability_exceeds(0.01, each[b]) for b in at_anchor))
    assert found.terms.figures.overspend == luck.as_held.overspend and not luck.pools


def test_a_pool_of_two_sets_aside_less_and_its_fair_parts_are_all_of_it():
    luck = option("pooled").luck
    (pool,) = luck.pools
    assert len(pool.members) == 2 and pool.held < pool.alone and not pool.fair.members
    assert sum(row.fair for row in luck.paid) == pytest.approx(pool.held)
    assert sum(row.flat for row in luck.paid) == pytest.approx(pool.held)
    assert luck.as_held.overspend < luck.alone.overspend and luck.as_held.reserve < luck.alone.reserve
    saved = luck.as_held.reserve / luck.alone.reserve, luck.as_held.luck_alone / luck.alone.luck_alone
    assert saved[0] > saved[1], "the common shock does not pool"


def test_without_services_it_goes_by_people():
    """Two equal bodies: a pool needs 1/√2 of what each sets aside for itself."""
    plan = option("pooled").plan
    bare = replace(region(), services=())
    luck = luck_of(bare, plan.scenario, plan.structure, None)
    sizes = [b.patients for b in plan.structure.bodies["consortium"]]
    alone = sum(sqrt(n) for n in sizes) / sum(sizes)
    assert luck.as_held.luck_alone / luck.alone.luck_alone == pytest.approx(1 / sqrt(sum(sizes)) / alone)
    assert luck.alone.luck_alone == pytest.approx(quantile(0.95) * plan.scenario.risk.cv_person * alone)
