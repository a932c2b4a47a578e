"""What outputs say of risk: luck and its levers, service risk apart, published figures, and the fan."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from geodata import risk_tables, summary
from geodata.maps.report import render_report
from geodata.maps.risk_picture import described, fan_bytes
from geodata.maps.risk_sections import sections
from optimiser.plan import Plan
from optimiser.published import reproduced
from tests import plans


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plans.plan()


@pytest.fixture(scope="module")
def page(plan: Plan) -> str:
    return render_report(plan, plans.ground(plan.dataset))


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()


def test_every_body_that_answers_for_services_is_listed_with_what_it_holds(plan: Plan) -> None:
    found = {(r["scale"], r["body"]): r["services"] for r in risk_tables.insurance_risk(plan).records()}
    assert found == {  # of each: S01 by itself and S04 with its localities; S02 on a footprint, S03 in the region
        ("consortium", "consortium-01"): 2, ("consortium", "consortium-02"): 2,
        ("footprint", "footprint-01"): 1, ("region", "region"): 1,
    }  # fmt: skip


def test_shares_of_luck_are_labelled_with_what_they_rest_on(plan: Plan, page: str) -> None:
    row = risk_tables.insurance_risk(plan).records()[0]
    assert (row["need_evidence"], row["age_evidence"], row["turnover_evidence"]) == ("assumed", "observed", "assumed")
    said = words(page)
    assert "does not tell need or turnover of lists apart" in said
    assert "How much age and turnover matter is assumed" in said
    assert 'class="tag modelled" title="From the risk model' in page


def test_contributions_add_up_and_subsidies_cancel(plan: Plan) -> None:
    pools = risk_tables.risk_pools(plan).records()
    paid = risk_tables.risk_contributions(plan).records()
    for pool in pools:
        mine = [r for r in paid if r["pool"] == pool["pool"]]
        for way in ("flat", "fair"):
            assert sum(r[way] for r in mine) == pytest.approx(pool["held"])
        assert sum(r["subsidy"] for r in mine) == pytest.approx(0, abs=0.01)
        assert pool["fair_objectors"] == "" and pool["every_coalition"] == "yes"
        given = sum(s["subsidy"] for s in risk_tables.risk_subsidies(plan).records() if s["pool"] == pool["pool"])
        assert given == pytest.approx(sum(max(r["subsidy"], 0.0) for r in mine), abs=0.01)


def test_service_risk_stands_apart_with_its_evidence(plan: Plan, page: str) -> None:
    row = risk_tables.service_risk(plan).records()[0]
    assert row["exposed"] == 1 and row["single_supplier"] == 1  # every practice has one hospital
    section = words(page.split('id="supply"')[1].split("<section>")[0])
    assert "A number of its own" in section and "100 %" in section
    assert "service_risk" not in {c.name for c in risk_tables.insurance_risk(plan).columns}


def test_the_page_prints_every_published_figure_beside_ours(plan: Plan, page: str) -> None:
    section = words(page.split('id="validation"')[1].split("<section>")[0])
    rows = risk_tables.validation(plan).records()
    assert len(rows) == len(reproduced()) > 20
    for row in rows:
        assert row["quantity"] in section
        assert row["agrees"] == "yes"
    assert {row["label"] for row in rows} == {"fit", "calibration"}
    assert "outside" not in section


def test_levers_are_totals_over_bodies(plan: Plan) -> None:
    shown = sections(plan)["risk"]["levers"]
    rows = risk_tables.risk_levers(plan).records()
    for lever in shown:
        mine = [r for r in rows if (r["lever"], r["setting"]) == (lever["lever"], lever["setting"])]
        assert len(mine) == 2
        assert lever["kept"] == pytest.approx(sum(r["kept"] for r in mine))
        assert min(lever["small"], lever["large"]) <= lever["share"] <= max(lever["small"], lever["large"]) + 1e-12


def test_the_fan_is_the_same_each_time_and_prints_in_grey(plan: Plan) -> None:
    first, again = (fan_bytes(plan, plan.risk) for _ in range(2))
    assert first == again
    text = first.decode()
    assert "How much luck a body must bear" in text and "100,000: to read by, no rule" in text
    assert "consortium (2)" in text and "footprint (1)" in text
    for colour in re.findall(r"#[0-9a-f]{6}", text):
        channels = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
        assert max(channels) - min(channels) < 32, colour
    assert "4 bodies" in described(plan, plan.risk)


def test_mathematics_marks_in_names_are_harmless() -> None:
    hostile = plans.plan(names=[f"$\\frac{{{i}}}$ Surgery" for i in range(12)])
    assert fan_bytes(hostile, hostile.risk)


def test_the_summary_keeps_the_two_risks_apart(plan: Plan) -> None:
    document = summary.summary(plan)
    assert set(document["risk"]) == {"years", "chance", "alone", "pooled"}
    assert 0 < document["risk"]["pooled"] < document["risk"]["alone"] < 1
    assert document["service_risk"] == pytest.approx(1)


def test_a_plan_without_services_says_nothing_of_risk(plan: Plan) -> None:
    bare = replace(plan, risk=None, service_risk=())
    assert sections(bare)["risk"] is None and sections(bare)["supply"] == []
    assert summary.summary(bare)["risk"] is None and summary.summary(bare)["service_risk"] is None
    for make in (risk_tables.insurance_risk, risk_tables.risk_levers, risk_tables.risk_pools,
                 risk_tables.risk_contributions, risk_tables.risk_subsidies, risk_tables.service_risk,
                 risk_tables.service_exposures):  # fmt: skip
        assert make(bare) is None
    html = render_report(bare, plans.ground(plan.dataset))
    assert 'id="risk"' not in html and 'id="validation"' in html


def test_without_simulated_years_the_page_shows_the_closed_form(plan: Plan) -> None:
    bodies = tuple(replace(b, simulated=(), simulated_with_shock=(), pool_simulated=None) for b in plan.risk.bodies)
    closed = replace(plan, risk=replace(plan.risk, years=0, bodies=bodies))
    row = risk_tables.insurance_risk(closed).records()[0]
    assert row["simulated_over_1"] is None and row["over_1"] > 0
    assert "simulated years" not in words(render_report(closed, plans.ground(plan.dataset)).split('id="risk"')[1])


def test_a_body_too_small_for_its_luck_is_told_to_pool_before_it_merges(plan: Plan) -> None:
    strict = replace(
        plan,
        scenario=plan.scenario.model_copy(
            update={"risk": plan.scenario.risk.model_copy(update={"rule_probability": 1e-4})}
        ),
    )
    found = sections(strict)["risk"]
    named = {row["name"] for row in found["too_small"]}
    assert len(named) == found["of"] - found["passing"] > 0
    said = words(render_report(strict, plans.ground(plan.dataset)).split('id="risk"')[1].split('id="levers"')[0])
    assert "Keep the group, pool first, merge last" in said and all(name in said for name in named)
    assert not sections(plan)["risk"]["too_small"] or sections(plan)["risk"]["passing"] < sections(plan)["risk"]["of"]
