"""Who answers for the luck of which services: as the placement reckons, and as patients differ."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser import risk
from optimiser.errors import DataError
from optimiser.placement import place
from optimiser.risk import quantile
from optimiser.risk_held import basis, dispersions, held
from optimiser.risk_report import risk_report
from optimiser.scenario import load_scenario
from tests import tiny
from tests.test_placement import TWO, random_world

BASE = load_scenario("base", {"risk.simulated_years": 2_000})


def alike(data):
    """The same dataset with average need everywhere."""
    return replace(data, practices=tuple(replace(p, need_index=1.0) for p in data.practices))


@pytest.mark.parametrize("held_at", ["locality", "consortium", "alliance", "region"])
@pytest.mark.parametrize("seed", range(3))
def test_reserves_are_those_that_the_placement_was_charged_for(seed: int, held_at: str) -> None:
    data, made = random_world(seed, TWO, 4)
    data, scenario = alike(data), BASE.model_copy(update={"risk_held_at": held_at})
    placed = place(data, scenario, made, seed=1, time_limit=20)
    charged = sum(row.terms.get("insurance", 0.0) for row in placed.commissions)
    found = held(data, scenario, made, placed).by_holder
    reserves = quantile(scenario.risk.reserve_confidence) * np.sqrt(found.variance)
    assert scenario.rate("insurance") * reserves.sum() == pytest.approx(charged)


def test_nothing_is_lost_or_held_twice() -> None:
    data, made = random_world(5, TWO, 6)
    placed = place(data, BASE, made, seed=1, time_limit=20)
    found = held(data, BASE, made, placed)
    need = sum(p.patients * p.need_index for p in data.practices)
    expected = need * np.array([s.cases_per_1000 / 1000 for s in data.services])
    assert found.by_holder.cases.sum(axis=0) == pytest.approx(expected)
    assert found.whole.cases.sum(axis=0) == pytest.approx(expected)
    assert (found.brought.cases <= found.whole.cases + 1e-9).all()
    assert found.whole.people.tolist() != [] and found.by_holder.variance.sum() == pytest.approx(
        found.whole.variance.sum()
    )


def test_unplaced_services_are_all_held_where_risk_is_held() -> None:
    data, made = random_world(5, TWO, 6)
    found = held(data, BASE, made, None)
    assert found.holders == tuple(("consortium", b.code) for b in made.bodies["consortium"])
    assert found.by_holder.people.tolist() == [b.patients for b in made.bodies["consortium"]]
    alone = BASE.model_copy(update={"risk_held_at": "county"})  # a scale that is not planned: the anchor holds
    assert held(data, alone, made, None).holders == found.holders


def world(**second):
    practices = [tiny.practice(0, 100_000), tiny.practice(1, 100_000, **second)]
    services = [tiny.service("S0", cases_per_1000=20.0, cost_per_case=2_000.0)]
    data = tiny.dataset(practices, services, [tiny.provider("RA")], [])
    return data, tiny.structure(data, {"consortium": [[0], [1]]})


def scenario_of(**risks):
    return load_scenario("base", {"scales_used": ["consortium"], "risk.simulated_years": 0}
                         | {f"risk.{key}": value for key, value in risks.items()})  # fmt: skip


def test_twice_the_need_is_twice_the_cases_and_less_luck_per_pound() -> None:
    data, made = world(need_index=2.0)
    found = held(data, scenario_of(), made, None).by_holder
    assert found.cases[1] == pytest.approx(2 * found.cases[0])
    assert found.sd_share[1] == pytest.approx(found.sd_share[0] / 2**0.5)


@pytest.mark.parametrize(("column", "effect"), [("pct_65plus", "age_effect"), ("turnover_pct", "turnover_effect")])
def test_older_people_and_changing_lists_cluster_cases_around_the_regions_mean(column: str, effect: str) -> None:
    data, made = world(**{column: 30.0})
    data = replace(data, practices=(replace(data.practices[0], **{column: 10.0}), data.practices[1]))
    scenario = scenario_of(**{effect: 0.5})
    spread = dispersions(data, scenario.risk)
    assert spread == pytest.approx([1 + 0.44 * 0.75, 1 + 0.44 * 1.25])
    assert spread.mean() == pytest.approx(scenario.risk.overdispersion)
    found = held(data, scenario, made, None).by_holder
    assert found.sd_share[1] > found.sd_share[0]
    assert dispersions(data, scenario_of(**{effect: 0.0}).risk) == pytest.approx([1.44, 1.44])
    known = basis(data, scenario.risk)
    assert {"age_effect": known.age, "turnover_effect": known.turnover}[effect] == "observed"
    assert known.need == "assumed"  # the same everywhere


def test_a_practice_of_unknown_age_is_taken_as_average() -> None:
    data, _ = world(pct_65plus=20.0)
    assert dispersions(data, scenario_of().risk) == pytest.approx([1.44, 1.44])


def test_a_place_without_people_is_refused() -> None:
    data = tiny.dataset([tiny.practice(0, 0)], [tiny.service("S0")], [tiny.provider("RA")], [])
    with pytest.raises(DataError, match="nobody is registered"):
        held(data, scenario_of(), tiny.structure(data, {"consortium": [[0]]}), None)


def test_a_body_without_people_beside_others_has_no_luck_and_no_share() -> None:
    data, made = world()
    data = replace(data, practices=(data.practices[0], replace(data.practices[1], patients=0)))
    report = risk_report(data, scenario_of(simulated_years=1_000), made, None, 1)
    assert report is not None
    empty = report.bodies[1]
    assert empty.budget == 0 and empty.simulated_with_shock == (0, 0, 0, 0) and np.isnan(empty.sd)
    assert [row.share for row in report.levers if row.body == empty.code and row.lever == "alone"] == [0]
    assert all(c.flat == c.fair == 0 for c in report.contributions if c.member == empty.code)


def test_one_service_and_a_dataset_without_any() -> None:
    data, made = world()
    report = risk_report(data, scenario_of(), made, None, 1)
    assert report is not None and report.years == 0 and not report.cut
    assert {b.services for b in report.bodies} == {1}
    closed = (risk.variance_per_head(data.services, scenario_of().risk) * 100_000) ** 0.5
    assert report.bodies[0].sd * report.bodies[0].budget == pytest.approx(closed)
    assert risk_report(replace(data, services=()), scenario_of(), made, None, 1) is None


def test_levers_are_reported_side_by_side_for_every_body() -> None:
    data, made = random_world(5, TWO, 6)
    placed = place(data, BASE, made, seed=1, time_limit=20)
    report = risk_report(data, BASE, made, placed, 1)
    assert report is not None
    rows = {(r.body, r.lever, r.setting): r for r in report.levers}
    assert len(rows) == len(report.levers)
    levers = {r.lever for r in report.levers}
    assert levers == {"alone", "as placed", "stop-loss", "stop-loss 99", "carve-out", "smoothing", "corridor",
                      "contingency", "pool"}  # fmt: skip
    for row in report.levers:
        assert row.kept >= 0 and row.elsewhere >= 0 and row.luck <= row.kept + row.elsewhere + 1e-6
    as_placed = [r for r in report.levers if r.lever == "as placed"]
    z = quantile(BASE.risk.reserve_confidence)
    whole = sum(z * b.sd_with_shock * b.budget for b in report.bodies)
    assert sum(r.kept + r.elsewhere for r in as_placed) == pytest.approx(whole)  # parts of holders add up to them
    pooled = sum(r.kept + r.elsewhere for r in report.levers if r.lever == "pool")
    assert pooled < sum(r.kept + r.elsewhere for r in as_placed)


def test_a_lever_gains_nothing_by_giving_money_another_name() -> None:
    """Contingency is money set aside; what a corridor passes on, others set aside, if less since they pool it."""
    data, made = random_world(5, TWO, 6)
    placed = place(data, BASE, made, seed=1, time_limit=20)
    small = {"levers.corridor": 0.001, "levers.contingency": 0.001}
    for values in ({}, small):
        report = risk_report(data, load_scenario("base", values), made, placed, 1)
        whole: dict[str, float] = {}
        for row in report.levers:
            whole[row.lever] = whole.get(row.lever, 0.0) + row.kept + row.elsewhere
        assert whole["contingency"] >= whole["as placed"] * (1 - 1e-9)
        assert whole["corridor"] >= whole["pool"] * (1 - 1e-9), "no cheaper than one pool for all"


def test_the_simulation_is_cut_when_asked_and_the_closed_form_stays() -> None:
    data, made = world()
    report = risk_report(data, scenario_of(simulated_years=5_000), made, None, 1, stop=lambda: True)
    assert report is not None and report.cut and report.years == 0
    assert report.bodies[0].simulated == () and report.bodies[0].over[0] > 0
