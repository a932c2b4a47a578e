"""What one scale asks of another: how many consortia make an alliance, which councils stay whole, who is served."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optimiser.forces import structure_terms
from optimiser.given import broken_rules, honoured
from optimiser.hierarchy import Hierarchy, build
from optimiser.partition.budget import Budget
from optimiser.scenario import Scenario, load_scenario
from tests.ascii_map import drawn, region, same

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Budget(moves=300, rounds=6, branches=1)
PAIRS = {  # two practices make a consortium, and nothing but rules keeps an alliance from being one consortium
    "scales_used": ["consortium", "alliance"],
    "scale.consortium.min_patients": 40_000,
    "scale.consortium.max_patients": 50_000,
    "scale.alliance.min_patients": 40_000,
    "rates.management.value": {"consortium": 100_000.0, "alliance": 1.0},
    "rates.coordination.value": {"alliance": 40.0},
    "charged.leverage": {"placement": 1.0},
}
ROAD = "A A A A A A A A"


def scenario(rules: dict | None = None) -> Scenario:
    return load_scenario("base", {**PAIRS, **(rules or {})})


def made(drawing: str, rules: dict | None = None, **about) -> Hierarchy:
    return build(region(drawing, **about), scenario(rules), 1, QUICK)


def plan(drawing: str, rules: dict | None = None, scale: str = "alliance", **about) -> str:
    """The drawing's structure at a scale, as digits; it breaks no rule."""
    found = made(drawing, rules, **about).structure
    assert broken_rules(region(drawing, **about), scenario(rules), found) == ()
    return drawn(drawing, found, scale)


# --- an alliance is of at least two ----------------------------------------------------------------------------------


def test_an_alliance_is_of_two_consortia_unless_the_scenario_allows_one():
    assert plan(ROAD) == "1 1 1 1 2 2 2 2"
    assert plan(ROAD, {"scale.alliance.min_members": 1}) == "1 1 2 2 3 3 4 4"


def test_an_odd_consortium_joins_others_rather_than_standing_alone():
    assert plan("A A A A A A") == "1 1 1 1 1 1"


def test_three_may_be_asked_for():
    assert plan("A A A A A A A A A A A A", {"scale.alliance.min_members": 3}) == "1 1 1 1 1 1 2 2 2 2 2 2"


def test_a_consortium_that_nobody_can_join_is_an_alliance_by_itself_and_is_reported():
    """Water parts the town in the east from everybody else."""
    island = "A A A A ~ A A"
    assert plan(island) == "1 1 1 1 ~ 2 2"
    said = honoured(region(island), scenario(), made(island).structure)
    assert len(said) == 1 and said[0].startswith("alliance ")
    assert said[0].endswith("holds 1 consortium, fewer than 2: no others could join it within the rules")


def test_a_consortium_too_large_to_pair_is_an_alliance_by_itself():
    """a1 has 45,000 patients; with any neighbour it would pass the most that an alliance may have."""
    rules = {"scale.alliance.max_patients": 80_000}
    large = {"patients": lambda code: 45_000 if code == "a1" else 20_000}
    assert plan("A A A A A", rules, **large) == "1 2 2 2 2"


def test_where_pairs_cannot_be_made_for_all_the_odd_one_is_named():
    """Three consortia in a row, and any two fill an alliance: one is left over, whichever it is."""
    rules = {"scale.alliance.max_patients": 90_000}
    found = made("A A A A A A", rules).structure
    assert [len(b.members) for b in found.bodies["alliance"]].count(2) in (1, 3)
    said = honoured(region("A A A A A A"), scenario(rules), found)
    assert said and all("no plan was found in which others join it" in s for s in said)
    assert any("fewer than 2" in broken for broken in broken_rules(region("A A A A A A"), scenario(rules), found))


def test_the_rule_is_not_asked_of_practices():
    """Planned alone, alliances are made from practices, and one practice may be one."""
    rules = {"scales_used": ["alliance"], "scale.alliance.min_patients": 20_000}
    assert plan("A A A A", {**rules, "rates.coordination.value": {"alliance": 400.0}}) == "1 2 3 4"


def test_an_alliance_agreed_beforehand_may_be_of_one():
    pin = {"kind": "frozen", "scale": "alliance", "practices": ["a1", "b1"]}
    assert plan(ROAD, {"pins": [pin]}) == "1 1 2 2 2 2 2 2"


def test_more_alliances_than_there_are_pairs_of_consortia_for_are_reported():
    rules = {"scale.alliance.min_bodies": 4}
    said = honoured(region(ROAD), scenario(rules), made(ROAD, rules).structure)
    assert len(said) == 4 and all("fewer than 2: no plan was found" in s for s in said)


# --- whose councils stay whole ---------------------------------------------------------------------------------------

THREE_COUNCILS = "A A A A B B B B C C C C"


def test_an_alliance_of_three_whole_councils_pays_nothing_for_councils():
    rules = {"scale.alliance.min_patients": 240_000}
    found = made(THREE_COUNCILS, rules)
    assert drawn(THREE_COUNCILS, found.structure, "alliance") == "1 1 1 1 1 1 1 1 1 1 1 1"
    assert found.terms["alliance"]["authority"] == 0


def test_a_council_split_between_alliances_pays_for_its_smaller_piece():
    """Six consortia of two; alliances of three cut council B in the middle: 40,000 patients are in a minority piece."""
    rules = {"scale.alliance.min_patients": 120_000, "scale.alliance.max_patients": 120_000}
    found = made(THREE_COUNCILS, rules)
    assert drawn(THREE_COUNCILS, found.structure, "alliance") == "1 1 1 1 1 1 2 2 2 2 2 2"
    assert found.terms["alliance"]["authority"] == pytest.approx(2.0 * 40_000)


WHOLE = {
    "scale.alliance.authority_rule": "whole",
    "scale.alliance.max_patients": 100_000,
    "scale.consortium.max_patients": 60_000,
    "rates.authority.value": {"consortium": 0.0, "alliance": 0.0},
    "rates.management.value": {"consortium": 1_000_000.0, "alliance": 1.0},
}
FOUR_AND_FIVE = "A A A A B B B B B"


def test_consortia_left_to_themselves_cross_the_border_of_a_council():
    assert plan(FOUR_AND_FIVE, {**WHOLE, "scales_used": ["consortium"]}, scale="consortium") == "1 1 1 2 2 2 3 3 3"


@pytest.mark.parametrize("tier", ["lower", "upper"])
def test_alliances_of_whole_councils_keep_consortia_inside_what_an_alliance_can_be(tier):
    """Three consortia of three would be best by themselves, but the middle one ties both councils to one alliance,
    which would be too large. So consortia keep to either side of the border."""
    rules = {**WHOLE, "scale.alliance.authority_tier": tier}
    assert plan(FOUR_AND_FIVE, rules) == "1 1 1 1 2 2 2 2 2"
    assert plan(FOUR_AND_FIVE, rules, scale="consortium") in ("1 1 2 2 3 3 4 4 4", "1 1 2 2 3 3 3 4 4")


def test_a_consortium_may_cross_a_border_inside_an_alliance_of_two_whole_councils():
    rules = {**WHOLE, "scale.alliance.max_patients": 200_000}
    assert plan(FOUR_AND_FIVE, rules) == "1 1 1 1 1 1 1 1 1"
    assert plan(FOUR_AND_FIVE, rules, scale="consortium") == "1 1 1 2 2 2 3 3 3"


@pytest.mark.parametrize("tier", ["lower", "upper"])
def test_alliances_inside_one_council_keep_consortia_inside_one(tier):
    """Left to themselves consortia would ignore the border; an alliance that may not straddle it forbids that."""
    rules = {
        "scale.alliance.authority_rule": "inside_one",
        "scale.alliance.authority_tier": tier,
        "scale.consortium.max_patients": 80_000,
        "scale.alliance.min_members": 1,
        "rates.authority.value": {"consortium": 0.0, "alliance": 0.0},
        "rates.distance.value": {"consortium": 2.0, "alliance": 0.0},
    }
    councils = "A A A B B B B"
    assert plan(councils, rules, scale="consortium") == "1 1 1 2 2 3 3"
    assert plan(councils, rules) == "1 1 1 2 2 3 3"


LOCAL = {
    "scales_used": ["locality", "consortium"],
    "scale.locality.min_patients": 20_000,
    "scale.locality.max_patients": 60_000,
    "scale.locality.authority_rule": "inside_one",
    "scale.consortium.min_patients": 120_000,
    "scale.consortium.max_patients": 120_000,
    "rates.authority.value": {"locality": 0.0, "consortium": 0.0},
    "rates.management.value": {"locality": 500_000.0, "consortium": 100_000.0},
}


@pytest.mark.parametrize("tier", ["lower", "upper"])
def test_localities_inside_one_council_while_the_consortium_spans_two(tier):
    rules = {**LOCAL, "scale.locality.authority_tier": tier}
    councils = "A A B B B B"
    assert plan(councils, rules, scale="consortium") == "1 1 1 1 1 1"
    found = plan(councils, rules, scale="locality")
    assert found[:3] == "1 1" and found[4] != "1"
    free = {**rules, "scale.locality.authority_rule": "off"}
    assert plan(councils, free, scale="locality") == "1 1 1 2 2 2"


def test_localities_of_whole_councils_keep_them_whole_at_every_scale():
    rules = {**LOCAL, "scale.locality.authority_rule": "whole", "scale.locality.max_patients": 80_000}
    councils = "A A B B B B"
    assert plan(councils, rules, scale="locality") == "1 1 2 2 2 2"
    assert plan(councils, rules, scale="consortium") == "1 1 1 1 1 1"


def test_lower_tier_councils_count_where_the_tier_says_so():
    """One county of two districts: inside one county nothing is forbidden, inside one district the border is."""
    districts = region("A A A A A A")
    county = {p.code: ("X" if p.code < "c1" else "Y") for p in districts.practices}
    rules = {**LOCAL, "scale.locality.authority_tier": "lower"}
    data = _with_districts(districts, county)
    found = build(data, scenario(rules), 1, QUICK).structure
    assert drawn("A A A A A A", found, "locality")[:3] == "1 1"
    assert all(len({county[data.practices[i].code] for i in b.members}) == 1 for b in found.bodies["locality"])
    upper = build(data, scenario({**rules, "scale.locality.authority_tier": "upper"}), 1, QUICK).structure
    assert drawn("A A A A A A", upper, "locality") == "1 1 1 2 2 2"


def _with_districts(data, of):
    return replace(data, practices=tuple(replace(p, lower_authority=of[p.code]) for p in data.practices))


# --- an agency serves any set of consortia ---------------------------------------------------------------------------

AGENCIES = {
    **PAIRS,
    "scales_used": ["consortium", "alliance", "agency"],
    "scale.agency.min_patients": 80_000,
    "scale.agency.max_patients": 80_000,
    "rates.management.value": {"consortium": 100_000.0, "alliance": 1.0, "agency": 1.0},
    "rates.coordination.value": {"alliance": 40.0, "agency": 0.0},
    "rates.distance.value": {"consortium": 0.15, "alliance": 0.10, "agency": 0.0},
    "charged.likeness": {"agency": 1.0},
    "rates.likeness.value": 1.0,
}
TOWN = """
    A A ~ A A
    A A ~ A A
"""
KINDS = {"rural": lambda code: float(code[1] == "2")}


def test_an_agency_serves_consortia_of_several_alliances_that_need_not_touch():
    """Two banks, an alliance on each; the northern consortia are alike and so are the southern, across the water."""
    rules = {**AGENCIES, "scale.consortium.max_patients": 40_000}
    assert plan(TOWN, rules, **KINDS) == same("""
        1 1 ~ 2 2
        1 1 ~ 2 2
    """)
    assert plan(TOWN, rules, scale="agency", **KINDS) == same("""
        1 1 ~ 1 1
        2 2 ~ 2 2
    """)


def test_an_agency_holds_whole_alliances_where_the_scenario_says_so():
    rules = {**AGENCIES, "scale.consortium.max_patients": 40_000, "scale.agency.over": "none"}
    assert plan(TOWN, rules, scale="agency", **KINDS) == same("""
        1 1 ~ 2 2
        1 1 ~ 2 2
    """)


def test_a_consortium_belongs_to_its_alliance_and_an_alliance_to_no_agency():
    rules = {**AGENCIES, "scale.consortium.max_patients": 40_000}
    structure = made(TOWN, rules, **KINDS).structure
    alliances = {b.code for b in structure.bodies["alliance"]}
    assert {b.parent for b in structure.bodies["consortium"]} == alliances
    assert {b.parent for b in structure.bodies["alliance"]} == {""}


def test_what_is_pinned_in_an_alliance_is_free_in_an_agency():
    """The alliance pin ties north to south on the west bank; the agencies still part them."""
    pin = {"kind": "together", "scale": "alliance", "practices": ["a1", "a2"]}
    rules = {**AGENCIES, "scale.consortium.max_patients": 40_000, "pins": [pin]}
    assert plan(TOWN, rules, scale="agency", **KINDS) == same("""
        1 1 ~ 1 1
        2 2 ~ 2 2
    """)


def test_every_scale_pays_what_its_own_bodies_cost():
    rules = {**AGENCIES, "scale.consortium.max_patients": 40_000}
    found = made(TOWN, rules, **KINDS)
    again = structure_terms(region(TOWN, **KINDS), scenario(rules), found.structure)
    assert again == found.terms
    assert found.certificates["agency"].bound <= found.certificates["agency"].objective + 1e-6
