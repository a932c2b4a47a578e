"""Worlds drawn with letters and the plans that should come of them, drawn the same way."""

from __future__ import annotations

import pytest

from optimiser.domain import Relationship
from optimiser.errors import Infeasible
from optimiser.hierarchy import build
from optimiser.partition.budget import Budget
from optimiser.scenario import load_scenario
from tests.ascii_map import drawn, region, same

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Budget(moves=300, rounds=6, branches=1)
CONSORTIA = {"scales_used": ["consortium"], "scale.consortium.min_patients": 60_000}


def plan(drawing: str, rules: dict | None = None, scale: str = "consortium", **about) -> str:
    """The drawing's best structure at a scale, as digits."""
    scenario = load_scenario("base", {**CONSORTIA, **(rules or {})})
    return drawn(drawing, build(region(drawing, **about), scenario, 1, QUICK).structure, scale)


TWO_TOWNS = """
    A A ~ A A
    A A ~ A A
"""


def test_two_towns_and_a_river_become_two_consortia():
    assert plan(TWO_TOWNS) == same("""
        1 1 ~ 2 2
        1 1 ~ 2 2
    """)


def test_a_bridge_over_the_river_makes_them_one():
    assert plan(TWO_TOWNS, links=[("b1", "d1")]) == same("""
        1 1 ~ 1 1
        1 1 ~ 1 1
    """)


ISLAND = """
    A A A . ~ A
    A A A . ~ ~
    . . . . ~ ~
    A A A . ~ ~
    A A A . ~ ~
"""
NORTH_AND_SOUTH = {"scale.consortium.max_patients": 150_000}


def test_an_island_joins_by_its_ferry():
    """Its ferry sails to the southern town, though the northern one is nearer."""
    assert plan(ISLAND, NORTH_AND_SOUTH, links=[("f1", "c4")]) == same("""
        1 1 1 . ~ 2
        1 1 1 . ~ ~
        . . . . ~ ~
        2 2 2 . ~ ~
        2 2 2 . ~ ~
    """)


def test_an_island_without_a_ferry_is_named():
    with pytest.raises(Infeasible) as error:
        plan(ISLAND, NORTH_AND_SOUTH)
    assert "Surgery f1" in error.value.report() and "links.csv" in error.value.report()


BORDER = """
    A A B B
    A A B B
    A A B B
    A B B B
"""


def test_a_council_border_is_kept_when_the_price_is_high():
    rules = {"scale.consortium.max_patients": 200_000, "rates.authority.value": {"consortium": 40.0}}
    assert plan(BORDER, rules) == same("""
        1 1 2 2
        1 1 2 2
        1 1 2 2
        1 2 2 2
    """)


def test_a_council_border_is_no_border_when_crossing_it_is_free():
    rules = {"scale.consortium.min_patients": 40_000, "scale.consortium.max_patients": 80_000}
    dear = {**rules, "rates.authority.value": {"consortium": 40.0}}
    free = {**rules, "rates.authority.value": {"consortium": 0.0}, "rates.distance.value": {"consortium": 5.0}}
    assert plan("A A A A B B", dear) == "1 1 1 1 2 2"
    assert plan("A A A A B B", free) == "1 1 1 2 2 2"


def test_councils_that_must_stay_whole_do():
    rules = {"scale.consortium.authority_rule": "whole", "rates.authority.value": {"consortium": 0.0}}
    rules |= {"scale.consortium.max_patients": 190_000}
    assert plan(BORDER, rules) == same("""
        1 1 2 2
        1 1 2 2
        1 1 2 2
        1 2 2 2
    """)


ROAD = "A A A A A A"


def test_practices_that_cannot_stand_each_other_are_parted_by_a_pin():
    """A road of six would be one consortium; a2 and b1 may not share it, so it breaks between them."""
    pin = {"kind": "apart", "scale": "consortium", "practices": ["c1", "d1"]}
    assert plan(ROAD) == "1 1 1 1 1 1"
    assert plan(ROAD, {"pins": [pin]}) == "1 1 1 2 2 2"


def test_practices_pinned_together_pull_their_neighbours_along():
    """Two towns of three with a border between them; the pin reaches over it, and only one practice crosses."""
    rules = {
        "scale.consortium.max_patients": 80_000,
        "rates.authority.value": {"consortium": 40.0},
        "scale.consortium.min_patients": 40_000,
    }
    pin = {"kind": "together", "scale": "consortium", "practices": ["c1", "d1"]}
    assert plan("A A A B B B", rules) == "1 1 1 2 2 2"
    assert plan("A A A B B B", {**rules, "pins": [pin]}) in ("1 1 1 1 2 2", "1 1 2 2 2 2")


def test_a_practice_too_large_for_any_consortium_stands_alone_and_parts_nobody():
    """c1 lists 150,000; its neighbours still make one consortium through it."""
    sizes = {"scale.consortium.max_patients": 100_000}
    assert plan("A A A A A", sizes, patients=lambda code: 150_000 if code == "c1" else 20_000) == "1 1 2 1 1"


def test_todays_bodies_survive_when_moving_is_dear():
    today = """
        A A A
        A A A
        B B B
        B B B
    """
    drawing = today.replace("B", "A")
    rules = {
        "scale.consortium.max_patients": 130_000,
        "rates.continuity.value": {"consortium": 50.0},
    }
    assert plan(drawing, rules, today=today) == same("""
        1 1 1
        1 1 1
        2 2 2
        2 2 2
    """)
    columns = """
        A B B
        A B B
        A B B
        A A B
    """
    rules |= {"scale.consortium.max_patients": 150_000}
    assert plan(drawing, rules, today=columns) == same("""
        1 2 2
        1 2 2
        1 2 2
        1 1 2
    """)


@pytest.mark.parametrize(("pair", "expected"), [(("b1", "c1"), "1 1 2 2 2"), (("c1", "d1"), "1 1 1 2 2")])
def test_a_road_breaks_where_two_neighbours_would_rather_not_meet(pair, expected):
    """Five practices make two consortia, two and three; the quarrel says which two."""
    rules = {"scale.consortium.min_patients": 40_000, "scale.consortium.max_patients": 60_000}
    assert plan("A A A A A", rules, relationships=[Relationship(*pair, -1.0, False)]) == expected


def test_localities_lie_inside_consortia_even_across_a_river():
    """The towns on both banks are one consortium over the bridge, and each bank keeps its own locality."""
    rules = {"scales_used": ["locality", "consortium"]}
    rules |= {"scale.locality.min_patients": 60_000, "scale.locality.max_patients": 80_000}
    about = {"links": [("b1", "d1")], "patients": 20_000}
    assert plan(TWO_TOWNS, rules, **about) == same("""
        1 1 ~ 1 1
        1 1 ~ 1 1
    """)
    assert plan(TWO_TOWNS, rules, scale="locality", **about) == same("""
        1 1 ~ 2 2
        1 1 ~ 2 2
    """)
