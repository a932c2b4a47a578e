"""How an arrangement bears its luck: by what is really held, and who pays for whom."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

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
    assert luck.reserve == pytest.approx(z * sum(sqrt(v) for v in own.variance) / own.budget.sum())
    at_anchor = [b for b, (scale, _) in enumerate(who.holders) if scale == "consortium"]
    tolerance = plan.scenario.risk.rule_tolerance
    assert luck.overspend == pytest.approx(max(probability_exceeds(tolerance, own.sd_share[b]) for b in at_anchor))
    assert found.terms.figures.overspend == luck.overspend and not luck.pools


def test_a_pool_of_two_sets_aside_less_and_its_fair_parts_are_all_of_it():
    luck = option("pooled").luck
    (pool,) = luck.pools
    assert len(pool.members) == 2 and pool.held < pool.alone and not pool.fair.members
    assert sum(row.fair for row in luck.paid) == pytest.approx(pool.held)
    assert sum(row.flat for row in luck.paid) == pytest.approx(pool.held)
    assert luck.overspend < luck.overspend_alone and luck.reserve < luck.reserve_alone


def test_without_services_it_goes_by_people():
    """Two equal bodies: a pool needs 1/√2 of what each sets aside for itself."""
    plan = option("pooled").plan
    bare = replace(region(), services=())
    luck = luck_of(bare, plan.scenario, plan.structure, None)
    sizes = [b.patients for b in plan.structure.bodies["consortium"]]
    alone = sum(sqrt(n) for n in sizes) / sum(sizes)
    assert luck.reserve / luck.reserve_alone == pytest.approx(1 / sqrt(sum(sizes)) / alone)
    assert luck.reserve_alone == pytest.approx(quantile(0.95) * plan.scenario.risk.cv_person * alone)
