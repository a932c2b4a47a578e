"""Plans side by side: what is measured alike, who gains, what is settled, and what may be said of bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geodata.compare_tables import TABLES
from geodata.compare_words import headline, settled_said, verdict, who_moves
from optimiser.compare import Compared, Laid, Proof, compare
from optimiser.domain import Finance
from optimiser.errors import ScenarioError
from optimiser.forces import structure_terms
from optimiser.scenario import load_scenario
from optimiser.scorecard import score
from tests import plans

SCENARIO = load_scenario("base", {"scales_used": ["locality", "consortium"], "scale.consortium.min_patients": 40_000})
LEFT, RIGHT = "AABB AABB AABB", "AAAB AAAB AAAB"
LOCALITIES = "AABB CADD CCDD"


def laid(name: str, consortia: str = "", localities: str = "", kind="drawn", proof=None) -> Laid:
    drawings = {"locality": localities, "consortium": consortia}
    return Laid(name, kind, plans.structure(plans.dataset(), {s: d for s, d in drawings.items() if d}), proof)


def side_by_side(*given: Laid, data=None, scale: str = "") -> Compared:
    return compare(data or plans.dataset(), SCENARIO, given, scale)


def test_one_plan_is_refused():
    with pytest.raises(ScenarioError, match="only one plan"):
        side_by_side(laid("a", LEFT))


def test_a_scale_that_not_all_have_is_refused_with_those_they_have():
    with pytest.raises(ScenarioError, match="All have consortium"):
        side_by_side(laid("a", LEFT, LOCALITIES), laid("b", RIGHT), scale="locality")


def test_two_plans_alike_differ_in_nothing():
    found = side_by_side(laid("a", LEFT, LOCALITIES), laid("b", LEFT, LOCALITIES))
    for between in found.between:
        assert not between.matched.moved.any()
        assert between.patients.information == 0 and between.patients.rand == 1
        assert {c.fate for c in between.matched.changed} == {"kept"}
        assert all(e.gain.practices == e.lose.practices == 0 for e in between.effects)
    assert headline(found) == "B groups everybody as a does."
    table = next(make(found) for make in TABLES if make.__name__ == "measures")
    assert {row["b_difference"] for row in table.records()} <= {0.0, None}
    assert not found.settled.open.any()


def test_a_column_that_moves_is_counted_and_measured():
    found = side_by_side(laid("a", LEFT), laid("b", RIGHT))
    between = found.pair(0, 1, "consortium")
    third = [i for i in range(12) if i % 4 == 2]
    assert np.flatnonzero(between.matched.moved).tolist() == third
    assert between.moved.patients == sum(9_000 + 500 * i for i in third)
    assert between.split == ("U2",) and between.healed == ()
    assert "Council newly divided: East Council." in who_moves(found, between)
    council = next(e for e in between.effects if e.name == "council")
    assert (council.gain.practices, council.lose.practices) == (0, 3)
    assert found.settled.groups == ((0, 1, 4, 5, 8, 9), (3, 7, 11), (2, 6, 10))


def test_the_figures_are_the_scorecard_s_own():
    found = side_by_side(laid("a", LEFT, LOCALITIES), laid("b", RIGHT, LOCALITIES))
    for plan in found.plans:
        assert plan.card.region == score(plans.dataset(), SCENARIO, plan.structure).region


def test_plans_of_other_scales_are_measured_over_those_they_share():
    deep, shallow = laid("deep", LEFT, LOCALITIES), laid("shallow", LEFT)
    found = side_by_side(deep, shallow)
    assert found.common == ("consortium",) and {b.scale for b in found.between} == {"consortium"}
    cash = [plan.card.region["cash_per_head"].value for plan in found.plans]
    assert cash[0] == cash[1]
    assert found.plans[0].card.region["bodies_locality"].value == 4
    assert "bodies_locality" not in found.plans[1].card.region
    for make in TABLES:
        table = make(found)
        assert all(len(row) == len(table.columns) for row in table.rows), table.name


def test_plans_without_a_common_scale_are_laid_side_by_side_and_nobody_moves():
    found = side_by_side(laid("a", LEFT), laid("b", "", LOCALITIES))
    assert found.scale == "" and found.between == () and found.settled is None
    assert "no scale in common" in headline(found)
    for make in TABLES:
        make(found)


def test_better_and_worse_follow_the_measure():
    found = side_by_side(laid("a", LEFT), laid("b", RIGHT))
    before, after = (p.card.region for p in found.plans)
    name = "outside_main_authority_consortium"
    assert before[name].value == 0 < after[name].value
    assert verdict(found, name, before[name], after[name]) == "worse"
    assert verdict(found, name, after[name], before[name]) == "better"
    assert verdict(found, name, before[name], before[name]) == "same"
    assert verdict(found, "median_size_consortium", before["median_size_consortium"], None) == ""


def test_a_bound_stands_beside_prices_only_where_it_is_of_the_same_costs():
    drawn = laid("run", LEFT)
    price = sum(structure_terms(plans.dataset(), SCENARIO, drawn.structure)["consortium"].values())
    proof = Proof("feasible", 0.1, None, {"consortium": price}, {"consortium": 0.9 * price}, True)
    other = laid("b", RIGHT)
    found = side_by_side(replace(drawn, kind="run", proof=proof), other)
    assert found.bounds == {"consortium": 0.9 * price}
    assert found.above_bound(found.plans[0], "consortium") == pytest.approx(0.1)
    assert found.above_bound(found.plans[1], "consortium") > 0.1
    for wrong in (replace(proof, alike=False), replace(proof, objectives={"consortium": 1.01 * price})):
        assert side_by_side(replace(drawn, proof=wrong), other).bounds == {}


def test_settled_is_asked_of_proposals_and_today_stands_aside():
    today = laid("today", "AAAA AAAA AAAA", kind="today")
    found = side_by_side(today, laid("a", LEFT), laid("b", LEFT))
    assert found.settled.plans == (1, 2)
    assert np.nanmin(found.settled.kept) == 1
    pair = side_by_side(today, laid("a", LEFT))
    assert pair.settled.plans == (0, 1) and np.nanmin(pair.settled.kept) < 0.6
    assert "Asked of today and a" in settled_said(pair)


def test_company_kept_is_the_share_of_patients_that_every_plan_puts_it_with():
    found = side_by_side(laid("a", LEFT), laid("b", RIGHT))
    people = plans.dataset().patients
    west, middle = [0, 1, 4, 5, 8, 9], [2, 6, 10]
    with_first = people[[i for i in west if i != 0]].sum()
    assert found.settled.kept[0] == pytest.approx(with_first / (with_first + people[middle].sum()))
    # in the third column two companions of eleven stay, in both plans
    assert found.settled.kept[2] == pytest.approx(people[[6, 10]].sum() / (people.sum() - people[2]))
    assert found.settled.open.tolist() == [i % 4 >= 2 for i in range(12)]


def test_budgets_gain_and_lose_only_where_needs_or_budgets_are_told():
    plain = side_by_side(laid("a", LEFT), laid("b", RIGHT))
    assert plain.basis == "" and plain.plans[0].gains is None
    assert not next(e for e in plain.between[0].effects if e.name == "budget").known
    data = replace(
        plans.dataset(),
        finances=(Finance("P01", 20e6, None), *(Finance(f"P{i:02d}", 15e6, None) for i in range(2, 13))),
    )
    told = side_by_side(laid("a", LEFT), laid("b", RIGHT), data=data)
    budget = next(e for e in told.between[0].effects if e.name == "budget")
    assert budget.known and told.basis == "today's budgets"
    assert budget.gain.practices + budget.lose.practices == 12
    assert sum(told.plans[0].gains[:2]) == 12 and told.plans[0].gains[2] > 0


def test_what_rests_on_assumptions_says_so_in_the_headline():
    found = side_by_side(laid("a", LEFT), laid("b", "AAAA AAAA AAAA"))
    assert "GPs engaged, assumed (" in headline(found)
    assert "cash a head, modelled (" in headline(found)
