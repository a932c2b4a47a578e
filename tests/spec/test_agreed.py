"""Groups that have formed already: they are kept exactly as agreed, and the rest is planned around them."""

from __future__ import annotations

import pytest

from optimiser.errors import Infeasible, ScenarioError
from optimiser.given import broken_rules, honoured
from optimiser.hierarchy import Hierarchy, build
from optimiser.partition.budget import Budget
from optimiser.scenario import load_scenario
from tests.ascii_map import drawn, region, same

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Budget(moves=300, rounds=6, branches=1)
ROAD = "A A A A A A"
SIZES = {"scales_used": ["consortium"], "scale.consortium.min_patients": 40_000}


def agreed(*practices: str, scale: str = "consortium", **more) -> dict:
    """A pin that freezes the practices as one body."""
    return {"kind": "frozen", "scale": scale, "practices": list(practices), **more}


def scenario(*pins: dict, rules: dict | None = None):
    return load_scenario("base", {**SIZES, **(rules or {}), "pins": list(pins)})


def made(drawing: str, *pins: dict, rules: dict | None = None, **about) -> Hierarchy:
    return build(region(drawing, **about), scenario(*pins, rules=rules), 1, QUICK)


def plan(drawing: str, *pins: dict, rules: dict | None = None, scale: str = "consortium", **about) -> str:
    """The drawing's best structure at a scale, as digits."""
    return drawn(drawing, made(drawing, *pins, rules=rules, **about).structure, scale)


def notes(drawing: str, *pins: dict, rules: dict | None = None, **about) -> tuple[str, ...]:
    """What a planner is told about the groups that were kept; no rule may be broken beside."""
    data, chosen = region(drawing, **about), scenario(*pins, rules=rules)
    structure = build(data, chosen, 1, QUICK).structure
    assert broken_rules(data, chosen, structure) == ()
    return honoured(data, chosen, structure)


def test_nobody_joins_and_nobody_leaves_a_group_that_has_formed():
    """The road would be one consortium; two practices in its middle have formed theirs, so three remain."""
    assert plan(ROAD) == "1 1 1 1 1 1"
    assert plan(ROAD, agreed("c1", "d1")) == "1 1 2 2 3 3"


def test_two_practices_pinned_together_are_joined_by_others_where_frozen_ones_are_not():
    together = {"kind": "together", "scale": "consortium", "practices": ["c1", "d1"]}
    assert plan(ROAD, together) == "1 1 1 1 1 1"


def test_contiguity_does_not_pass_through_a_group_that_has_formed():
    """a1 and b1 touch nobody but c1, which is taken: they are too few for a consortium, and are named."""
    with pytest.raises(Infeasible, match=r"Surgery a1 \(a1\) and 1 neighbours touch no other and have 40,000"):
        plan(ROAD, agreed("c1", "d1"), rules={"scale.consortium.min_patients": 50_000})


def test_a_group_that_is_too_small_or_too_large_is_kept_and_said_to_be():
    rules = {"scale.consortium.max_patients": 80_000}
    assert plan(ROAD, agreed("a1"), rules=rules)[:3] == "1 2"
    assert notes(ROAD, agreed("a1", name="The Few"), rules=rules) == (
        "consortium The Few was agreed beforehand and is kept, though it has 20,000 patients, fewer than 40,000",
    )
    (said,) = notes(ROAD, agreed("a1", "b1", "c1", "d1", "e1", "f1"), rules=rules)
    assert said.endswith("is kept, though it has 120,000 patients, more than 80,000")
    assert notes(ROAD, agreed("a1", "b1")) == ()


def test_a_group_in_two_parts_out_of_reach_and_across_a_border_is_kept_and_said_to_be():
    rules = {"scale.consortium.reach_km": 8.0, "scale.consortium.authority_rule": "inside_one"}
    row = "A A A B B B\nA A A B B B"
    pin = agreed("a1", "f1", name="Both Ends")
    assert plan(row, pin, rules=rules) == same("""
        1 2 2 3 3 1
        2 2 2 3 3 3
    """)
    assert notes(row, pin, rules=rules) == (
        "consortium Both Ends was agreed beforehand and is kept, though it has no centre within 8 km of all its "
        "practices, straddles A-shire and B-shire and is in 2 parts that do not touch",
    )


def test_the_number_of_consortia_counts_groups_that_have_formed():
    rules = {"scale.consortium.min_bodies": 3, "scale.consortium.max_bodies": 3}
    assert plan(ROAD, agreed("a1", "b1"), rules=rules) == "1 1 2 2 3 3"


def test_councils_stay_whole_as_far_as_a_group_leaves_them_so():
    rules = {"scale.consortium.authority_rule": "whole", "scale.consortium.max_patients": 100_000}
    assert plan("A A A A B B B B", rules=rules) == "1 1 1 1 2 2 2 2"
    assert plan("A A A A B B B B", agreed("a1", "b1"), rules=rules) == "1 1 2 2 3 3 3 3"


NESTED = {
    "scales_used": ["locality", "consortium", "alliance"],
    "scale.locality.min_patients": 40_000,
    "scale.locality.max_patients": 60_000,
    "scale.consortium.max_patients": 120_000,
    "scale.alliance.min_patients": 80_000,
    "rates.management.value": {"locality": 1.0, "consortium": 200_000.0, "alliance": 150_000.0},
}
TOWN = """
    A A A A
    A A A A
    A A A A
"""


def test_localities_lie_inside_a_consortium_that_has_formed_and_alliances_hold_it_whole():
    corner = agreed("a1", "b1", "a2", "b2", name="Corner")
    structure = made(TOWN, corner, rules=NESTED).structure
    data = region(TOWN)
    members = {data.index[code] for code in ("a1", "b1", "a2", "b2")}
    for body in structure.bodies["locality"]:
        assert set(body.members) <= members or not members & set(body.members)
    for body in structure.bodies["alliance"]:
        assert members <= set(body.members) or not members & set(body.members)
    assert [b.name for b in structure.bodies["consortium"] if b.agreed] == ["Corner"]
    assert set(next(b.members for b in structure.bodies["consortium"] if b.agreed)) == members


def test_consortia_lie_inside_an_alliance_that_has_formed():
    half = agreed("a1", "a2", "a3", "b1", "b2", "b3", scale="alliance")
    west = {region(TOWN).index[code] for code in half["practices"]}
    structure = made(TOWN, half, rules=NESTED).structure
    for scale in ("locality", "consortium"):
        for body in structure.bodies[scale]:
            assert set(body.members) <= west or not west & set(body.members), scale
    assert [set(b.members) for b in structure.bodies["alliance"] if b.agreed] == [west]


def test_what_is_left_of_a_small_consortium_is_one_locality():
    """Two practices of 15,000 are fewer than a locality needs; the consortium they agreed on is one all the same."""
    rules = {**NESTED, "scale.consortium.min_patients": 20_000, "scale.locality.min_patients": 40_000}
    few = {"patients": lambda code: 15_000 if code in ("a1", "b1") else 20_000}
    pair = agreed("a1", "b1", name="Pair")
    assert plan(TOWN, pair, rules=rules, scale="locality", **few).startswith("1 1 2")
    (said,) = notes(TOWN, pair, rules=rules, **few)
    assert "has 30,000 patients, fewer than 40,000: it is what is left of Pair, which was agreed beforehand" in said


def test_a_body_of_today_is_frozen_by_its_code_and_keeps_its_name():
    today = "E E E F F F"
    pin = {"kind": "frozen", "scale": "consortium", "body": "E"}
    assert plan(ROAD, pin, today=today) == "1 1 1 2 2 2"
    data = region(ROAD, today=today)
    named = build(data, scenario({**pin, "name": "Eastgate"}), 1, QUICK).structure.bodies["consortium"]
    assert [b.name for b in named if b.agreed] == ["Eastgate"]


@pytest.mark.parametrize(
    ("other", "over"),
    [
        (agreed("b1", "c1"), "over b1 and a1"),
        (agreed("b1", "c1", scale="locality"), "over b1 and c1"),
        ({"kind": "together", "scale": "consortium", "practices": ["b1", "c1"]}, "over b1 and c1"),
        ({"kind": "together", "scale": "locality", "practices": ["b1", "c1"]}, "over b1 and c1"),
        ({"kind": "fixed", "scale": "consortium", "practices": ["c1"], "with": "a1"}, "over a1 and c1"),
        ({"kind": "apart", "scale": "alliance", "practices": ["a1", "b1"]}, "over a1 and b1"),
        ({"kind": "forbidden", "scale": "consortium", "practices": ["a1"], "with": "b1"}, "over a1 and b1"),
    ],
)
def test_a_pin_that_would_open_a_frozen_body_contradicts_it(other, over):
    rules = {"scales_used": ["locality", "consortium", "alliance"]}
    with pytest.raises(ScenarioError) as refused:
        scenario(agreed("a1", "b1"), other, rules=rules)
    assert over in refused.value.report() and "pin 1" in refused.value.report() and "pin 2" in refused.value.report()


@pytest.mark.parametrize(
    "other",
    [
        agreed("a1", scale="locality"),
        agreed("a1", "b1", "c1", scale="alliance"),
        {"kind": "together", "scale": "alliance", "practices": ["b1", "c1"]},
        {"kind": "apart", "scale": "locality", "practices": ["a1", "b1"]},
        {"kind": "together", "scale": "locality", "practices": ["a1", "b1"]},
    ],
)
def test_pins_inside_and_above_a_frozen_body_agree_with_it(other):
    assert len(scenario(agreed("a1", "b1"), other, rules={"scales_used": ["locality", "consortium", "alliance"]}).pins)


def test_a_body_of_today_cannot_be_frozen_and_joined():
    today = "E E E F F F"
    frozen = {"kind": "frozen", "scale": "consortium", "body": "E"}
    joined = {"kind": "fixed", "scale": "consortium", "practices": ["d1"], "body": "E"}
    for other in (joined, {"kind": "together", "scale": "consortium", "practices": ["c1", "d1"]}):
        with pytest.raises(ScenarioError, match=r"pins\[.\] and pins\[.\].*frozen at consortium: body E"):
            build(region(ROAD, today=today), scenario(frozen, other), 1, QUICK)


@pytest.mark.parametrize(
    ("pin", "said"),
    [
        ({"kind": "frozen", "scale": "consortium"}, "gives either practices or body"),
        ({"kind": "frozen", "scale": "consortium", "practices": ["a1"], "body": "E"}, "gives either practices or body"),
        ({"kind": "frozen", "scale": "consortium", "practices": ["a1"], "with": "b1"}, "and no with"),
        ({"kind": "apart", "scale": "consortium", "practices": ["a1", "b1"], "name": "X"}, "Only a frozen pin names"),
    ],
)
def test_a_frozen_pin_is_complete(pin, said):
    with pytest.raises(ScenarioError, match=said):
        scenario(pin)
