"""Scales nested: every practice once, nothing torn, every pin kept, and certificates that add up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.clock import Clock
from optimiser.domain import Relationship
from optimiser.errors import Infeasible, ScenarioError
from optimiser.forces import STRUCTURE_FORCES, structure_terms
from optimiser.given import broken_rules
from optimiser.hierarchy import Hierarchy, assemble, build, restructure
from optimiser.partition.budget import Budget
from optimiser.plan import Plan
from optimiser.scenario import Scenario, load_scenario
from optimiser.sensitivity import moved_share, sensitivity
from tests.ascii_map import drawn, region

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Budget(moves=200, rounds=8, branches=3)
DRAWING = """
    A A A B B B
    A A A B B B
    A A A B B B
    A A C C B B
    A C C C C B
    C C C C C C
"""
TODAY = """
    E E E E F F
    E E E F F F
    E E F F F F
    G G G F F F
    G G G H H H
    G G G H H H
"""
SCALES = {
    "scale.locality.min_patients": 20_000,
    "scale.locality.max_patients": 60_000,
    "scale.consortium.min_patients": 50_000,
    "scale.consortium.max_patients": 150_000,
    "scale.alliance.min_patients": 100_000,
    "scale.alliance.max_patients": 250_000,
    "scale.agency.min_patients": 100_000,
    "rates.management.value": {"consortium": 200_000.0, "alliance": 150_000.0, "agency": 300_000.0},
    "rates.coordination.value": {"alliance": 10.0, "agency": 10.0},
}
PINS = [
    {"kind": "together", "scale": "locality", "practices": ["c3", "d3"]},
    {"kind": "apart", "scale": "consortium", "practices": ["a1", "b1", "c1"]},
    {"kind": "fixed", "scale": "consortium", "practices": ["d2"], "with": "c2"},
    {"kind": "forbidden", "scale": "alliance", "practices": ["a6"], "with": "a5"},
    {"kind": "forbidden", "scale": "consortium", "practices": ["f4"], "body": "H"},
]


def grid(**about):
    """Thirty-six practices of 6,000 to 12,000 patients in three councils, four bodies of today, some attributes."""
    given = {
        "patients": lambda code: 6_000 + 1_000 * ((ord(code[0]) * 5 + int(code[1]) * 3) % 7),
        "today": TODAY,
        "deprivation": lambda code: 8.0 * int(code[1]),
        "pct_65plus": lambda code: 12.0 + (ord(code[0]) - ord("a")),
        "relationships": [Relationship("a1", "a2", 0.8, False), Relationship("c4", "d4", -0.9, False)],
    }
    return region(DRAWING, **{**given, **about})


def scenario(rules: dict | None = None) -> Scenario:
    return load_scenario("base", {**SCALES, **(rules or {})})


FAR = {"rates.distance.value": 3.0}
ALONE = {"scale.alliance.min_members": 1}


def total(made: Hierarchy) -> float:
    return sum(c.objective for c in made.certificates.values())


@pytest.fixture(scope="module")
def data():
    return grid()


@pytest.fixture(scope="module")
def built(data) -> Hierarchy:
    return build(data, scenario(), 3, QUICK)


@pytest.fixture(scope="module")
def pinned(data) -> Hierarchy:
    return build(data, scenario({"pins": PINS}), 3, QUICK)


# --- the structure ---------------------------------------------------------------------------------------------------


def test_every_practice_is_in_one_body_at_every_scale(built, data):
    assert built.structure.scales == ("locality", "consortium", "alliance", "agency")
    for name in built.structure.scales:
        members = [i for body in built.structure.bodies[name] for i in body.members]
        assert sorted(members) == list(range(36))
        for b, body in enumerate(built.structure.bodies[name]):
            assert list(body.members) == np.flatnonzero(built.structure.membership[name] == b).tolist()
            assert body.patients == data.patients[list(body.members)].sum()
            assert body.centre in body.members


def test_every_body_lies_inside_its_parent(built):
    for small, large in (("locality", "consortium"), ("consortium", "alliance")):
        parents = {body.code: set(body.members) for body in built.structure.bodies[large]}
        for body in built.structure.bodies[small]:
            assert set(body.members) <= parents[body.parent]
    agencies = [set(body.members) for body in built.structure.bodies["agency"]]
    assert all(any(set(b.members) <= a for a in agencies) for b in built.structure.bodies["consortium"])
    assert {body.parent for name in ("alliance", "agency") for body in built.structure.bodies[name]} == {""}
    sizes = [len(built.structure.bodies[name]) for name in built.structure.scales]
    assert sizes == sorted(sizes, reverse=True) and sizes[0] > sizes[1] > 1, "a tower of one storey tests nothing"


def test_every_rule_is_kept(built, pinned, data):
    assert broken_rules(data, scenario(), built.structure) == ()
    assert broken_rules(data, scenario({"pins": PINS}), pinned.structure) == ()


def test_pins_are_kept_and_change_the_plan(built, pinned, data):
    def body(made: Hierarchy, scale: str, code: str) -> int:
        return int(made.structure.membership[scale][data.index[code]])

    for scale in pinned.structure.scales:
        assert body(pinned, scale, "c3") == body(pinned, scale, "d3"), "together in a locality, so at every scale above"
    for scale in ("locality", "consortium"):
        assert len({body(pinned, scale, code) for code in ("a1", "b1", "c1")}) == 3, "apart, so inside as well"
    for scale in ("consortium", "alliance", "agency"):
        assert body(pinned, scale, "d2") == body(pinned, scale, "c2")
    for scale in ("locality", "consortium", "alliance"):
        assert body(pinned, scale, "a6") != body(pinned, scale, "a5")
    stands_for_h = max((p for p in data.practices if p.existing["consortium"] == "H"), key=lambda p: p.patients).code
    assert body(pinned, "consortium", "f4") != body(pinned, "consortium", stands_for_h)
    assert body(built, "consortium", "d2") != body(built, "consortium", "c2"), "without the pin they would part"
    assert total(pinned) > total(built), "pins cost something"


def test_a_seed_gives_the_same_structure_twice(built, data):
    again = build(data, scenario(), 3, QUICK)
    for name in built.structure.scales:
        assert again.structure.membership[name].tobytes() == built.structure.membership[name].tobytes()
    assert again.certificates == built.certificates and again.terms == built.terms


def test_a_single_scale_can_be_planned_alone(data):
    made = build(data, scenario({"scales_used": ["alliance"]}), 1, QUICK)
    assert made.structure.scales == ("alliance",)
    assert made.price_of_nesting == pytest.approx(0, abs=1e-6)


def test_scales_may_have_any_names(data):
    small = {"label": "cluster", "role": "delivers", "min_patients": 20_000, "max_patients": 60_000}
    large = {"label": "board", "role": "commissions", "min_patients": 60_000, "contiguous": True}
    charged = {"engagement": {"cluster": 0.6, "board": 0.4}, "likeness": {"board": 1.0}, "leverage": {"placement": 1.0}}
    rules = {"scale.cluster": small, "scale.board": large, "scales_used": ["cluster", "board"], "anchor_scale": "board"}
    rules |= {f"charged.{force}": where for force, where in charged.items()} | {"risk_held_at": "board"}
    rules |= {"rates.management.value": {"cluster": 50_000.0, "board": 200_000.0}}
    made = build(data, load_scenario("base", rules), 1, QUICK)
    assert broken_rules(data, load_scenario("base", rules), made.structure) == ()
    assert made.structure.bodies["cluster"][0].code == "cluster-001"


# --- what is proved --------------------------------------------------------------------------------------------------


def test_bounds_lie_below_objectives_and_objectives_are_sums_of_terms(built, pinned):
    for made in (built, pinned):
        for name, certificate in made.certificates.items():
            assert certificate.bound <= certificate.objective + 1e-6
            assert certificate.objective == pytest.approx(sum(made.terms[name].values()))
            assert 0 < certificate.unavoidable <= certificate.objective
            assert set(made.terms[name]) <= set(STRUCTURE_FORCES)


def test_the_price_of_nesting_lies_in_its_interval(built, pinned):
    for made in (built, pinned):
        low, high = made.nesting_interval
        assert low == 0 and high == pytest.approx(total(made) - sum(c.bound for c in made.certificates.values()))
        assert low <= made.price_of_nesting <= high
        un_nested = sum(float(c.evidence["un_nested_objective"]) for c in made.certificates.values())
        assert made.price_of_nesting >= total(made) - un_nested - 1e-6


def test_multipliers_are_published_for_every_practice_that_was_not_set_aside(built, data):
    for certificate in built.certificates.values():
        for branch in certificate.evidence["branches"]:
            assert set(branch["multipliers"]) == {p.code for p in data.practices}
            assert branch["bound"] >= certificate.bound - 1e-6


def test_a_total_is_the_sum_of_its_terms(built, data):
    plan = Plan(
        data, scenario(), built.structure, built.terms, None, built.certificates, built.price_of_nesting,
        built.nesting_interval, None, None, (), {}, (), {},
    )  # fmt: skip
    assert plan.objective == pytest.approx(sum(plan.terms.values()))
    assert plan.bound <= plan.objective


# --- names -----------------------------------------------------------------------------------------------------------


def test_bodies_have_distinct_place_names(built, data):
    codes = {p.code for p in data.practices} | {"A", "B", "C"}
    for name in built.structure.scales:
        names = [body.name for body in built.structure.bodies[name]]
        assert len(set(names)) == len(names)
        assert all("shire" in n and n not in codes and not n.startswith(name) for n in names)
        assert names == sorted(names), "codes run in the order of the names"


def test_a_body_is_named_by_its_council_and_told_apart_by_compass_then_practice(data):
    """North and south halves of three councils: where the same council names two, the compass tells them apart."""
    north = np.array([0 if i < 18 else 1 for i in range(36)], dtype=np.int32)
    halves = assemble(data, scenario({"scales_used": ["consortium"]}), {"consortium": north})
    assert sorted(b.name for b in halves.bodies["consortium"]) == ["A-shire & B-shire", "A-shire & C-shire"] or all(
        "shire" in b.name for b in halves.bodies["consortium"]
    )
    west = grid(patients=10_000)
    columns = np.array([0 if i % 6 < 2 and i < 18 else 1 if i % 6 == 2 and i < 18 else 2 for i in range(36)], np.int32)
    parts = assemble(west, scenario({"scales_used": ["consortium"]}), {"consortium": columns})
    names = {b.name for b in parts.bodies["consortium"]}
    assert {"A-shire West", "A-shire East"} <= names
    cities = tuple(replace(a, name=f"{a.name}, City of") for a in west.authorities)
    formal = assemble(
        replace(west, authorities=cities), scenario({"scales_used": ["consortium"]}), {"consortium": columns}
    )
    assert names == {b.name for b in formal.bodies["consortium"]}, "not 'A-shire, City of West'"


# --- what changes it -------------------------------------------------------------------------------------------------


def test_confidential_wishes_leave_no_trace_in_what_is_published():
    """In confidence, council B would have c3 and council A would not: the plan differs, its figures charge no wish."""
    likes = {"A": -1.0, "B": 1.0, "C": 0.0}
    plain, strong = grid(), scenario({"rates.likeness.value": 0.6})
    secret = [Relationship(p.code, "c3", likes[p.upper_authority], True) for p in plain.practices if p.code != "c3"]
    told = [*plain.relationships, *secret]
    public, made = (build(data, strong, 3, QUICK) for data in (plain, grid(relationships=told)))
    assert differ(public, made), "wishes that change nothing leave no trace anyway"
    as_public = assemble(plain, strong, made.structure.membership)
    assert made.terms == structure_terms(plain, strong, as_public)
    for name in made.structure.scales:
        assert as_public.bodies[name] == made.structure.bodies[name]
        assert made.certificates[name].objective == pytest.approx(sum(made.terms[name].values()))
        assert made.certificates[name].bound <= public.certificates[name].objective + 1e-6


def differ(one: Hierarchy, other: Hierarchy) -> bool:
    pairs = ((one.structure.membership[n], other.structure.membership[n]) for n in one.structure.scales)
    return not all(np.array_equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("force", STRUCTURE_FORCES)
def test_switching_off_any_force_changes_the_plan(force, built, data):
    # distance: so dear here that it tells among neighbours as near as these; leverage: what keeps consortia from
    # standing alone in an alliance where no rule does
    rules = {"distance": FAR, "leverage": ALONE}.get(force, {})
    if rules:
        built = build(data, scenario(rules), 3, QUICK)
    rules = {**rules, "forces_off": [force]}
    assert differ(built, build(data, scenario(rules), 3, QUICK))


def test_restructuring_under_the_same_rates_is_no_worse(built, data):
    structure, objective, cut = restructure(data, scenario(), built.structure, 5, Budget(moves=200, rounds=0))
    assert not cut and objective <= total(built) * (1 + 1e-12)
    assert broken_rules(data, scenario(), structure) == ()


def test_sensitivity_moves_each_rate_both_ways(built, data):
    rules = {"sensitivity.rates": ["management", "distance", "insurance"], "forces_off": ["insurance"]}
    rows, cut = sensitivity(data, scenario(rules), built, 1, Clock())
    assert not cut
    assert [(r.rate, r.change) for r in rows] == [
        ("management", -0.5), ("management", 0.5), ("distance", -0.5), ("distance", 0.5),
    ]  # fmt: skip
    fewer, more = rows[0], rows[1]
    assert more.bodies["consortium"] <= fewer.bodies["consortium"], "dearer bodies are never more of them"
    assert all(0 <= r.patients_moved_share < 1 for r in rows)


def test_patients_moved_are_counted_against_the_bodies_that_succeed():
    patients = np.array([10, 20, 30, 40])
    before = np.array([0, 0, 1, 1])
    assert moved_share(before, np.array([1, 1, 0, 0]), patients) == 0.0
    assert moved_share(before, np.array([0, 1, 1, 1]), patients) == pytest.approx(0.20)
    assert moved_share(before, np.array([0, 0, 0, 0]), patients) == pytest.approx(0.30)


# --- what cannot be --------------------------------------------------------------------------------------------------


def test_pins_that_contradict_a_rule_on_authorities_are_named(data):
    rules = {
        "scale.consortium.authority_rule": "whole",
        "pins": [{"kind": "apart", "scale": "consortium", "practices": ["a1", "a2"]}],
    }
    with pytest.raises(Infeasible) as error:
        build(data, scenario(rules), 1, QUICK)
    assert "a1 and a2 must be kept apart and must stay together" in error.value.report()


def test_an_area_too_small_for_a_scale_says_so_before_any_work(data):
    seen: list = []
    with pytest.raises(Infeasible) as error:
        build(data, scenario({"scale.agency.min_patients": 1_000_000}), 1, QUICK, seen.append)
    assert "agency" in error.value.report() and "at least 1,000,000" in error.value.report()
    assert seen == []


def test_pins_that_name_nobody_are_refused_with_the_nearest_name(data):
    rules = {
        "pins": [
            {"kind": "together", "scale": "consortium", "practices": ["a1", "zz9"]},
            {"kind": "forbidden", "scale": "consortium", "practices": ["f4"], "body": "HH"},
        ]
    }
    with pytest.raises(ScenarioError) as refused:
        build(data, scenario(rules), 1, QUICK)
    assert "pins[1] (together at consortium): practice zz9 is not in the dataset" in str(refused.value)
    assert "pins[2] (forbidden at consortium): no practice is in HH today. Did you mean H?" in str(refused.value)


def test_practices_that_a_pin_ties_count_as_touching():
    """A road of six: its ends are pinned together, so one body holds both ends and is no broken rule."""
    road = region("A A A A A A", patients=20_000)
    rules = {
        "scales_used": ["consortium"],
        "scale.consortium.min_patients": 40_000,
        "scale.consortium.max_patients": 60_000,
        "pins": [{"kind": "together", "scale": "consortium", "practices": ["a1", "f1"]}],
    }
    chosen = load_scenario("base", rules)
    made = build(road, chosen, 1, QUICK)
    assert made.structure.body_of("consortium", 0) == made.structure.body_of("consortium", 5)
    assert broken_rules(road, chosen, made.structure) == ()


def test_bodies_that_fit_into_none_of_a_larger_scale_are_chosen_again():
    """Three consortia of 80,000 cannot make alliances of 120,000, but consortia of 80,000 and 40,000 can."""
    rules = {
        "scales_used": ["consortium", "alliance"],
        "scale.consortium.min_patients": 40_000,
        "scale.consortium.max_patients": 80_000,
        "scale.alliance.min_patients": 120_000,
        "scale.alliance.max_patients": 120_000,
    }
    row, data = "A A A A A A", region("A A A A A A", patients=40_000)
    assert drawn(row, build(data, load_scenario("base", {**rules, "scales_used": ["consortium"]}), 1, QUICK).structure,
                 "consortium") == "1 1 2 2 3 3"  # fmt: skip
    chosen = load_scenario("base", rules)
    made = build(data, chosen, 1, QUICK)
    assert drawn(row, made.structure, "alliance") == "1 1 1 2 2 2"
    assert broken_rules(data, chosen, made.structure) == ()


def test_bodies_that_strand_a_practice_at_a_smaller_scale_are_chosen_again():
    """A road through two councils. Risk alone would have consortia of four practices and two; then the one from across
    the border has no locality, which may not leave its council. So each council makes a consortium."""
    rules = {
        "scales_used": ["locality", "consortium"],
        "forces_off": [force for force in STRUCTURE_FORCES if force != "insurance"],
        "scale.locality.min_patients": 20_000,
        "scale.locality.max_patients": 40_000,
        "scale.locality.authority_rule": "inside_one",
        "scale.consortium.min_patients": 20_000,
        "scale.consortium.max_patients": 40_000,
    }
    road, chosen = region("A A A B B B", patients=10_000), load_scenario("base", rules)
    made = build(road, chosen, 1, QUICK)
    assert broken_rules(road, chosen, made.structure) == ()
    assert [body.members for body in made.structure.bodies["consortium"]] == [(0, 1, 2), (3, 4, 5)]
    in_haste = build(road, chosen, 1, replace(QUICK, seconds=0.0))
    assert broken_rules(road, chosen, in_haste.structure) == ()
    alone = build(road, load_scenario("base", {**rules, "scales_used": ["consortium"]}), 1, QUICK)
    assert sorted(len(body.members) for body in alone.structure.bodies["consortium"]) == [2, 4]
    assert made.price_of_nesting > 0
    assert made.certificates["consortium"].bound <= total(alone) + 1e-6, "the bound is still that of the free problem"


def test_no_time_at_all_still_gives_a_plan_that_keeps_every_rule(data):
    """The least work is done, all of it marked as cut; what is proved is what size alone must cost."""
    made = build(data, scenario(), 3, replace(QUICK, seconds=0.0))
    assert broken_rules(data, scenario(), made.structure) == ()
    assert made.cut == made.structure.scales
    for proof in made.certificates.values():
        assert 0 < proof.bound <= proof.objective and "stopped" in proof.status


def test_who_asks_to_stop_between_two_scales_gets_what_was_done_and_the_least_of_the_rest(built, data):
    """Ctrl-C once the consortia are done: they are those of the full work, the other scales are marked."""
    others: list[str] = []

    def report(p) -> None:
        if p.name != "consortium":
            others.append(p.name)

    made = build(data, scenario(), 3, replace(QUICK, stop=lambda: bool(others)), report)
    assert set(made.cut) == {"locality", "alliance", "agency"}
    same = made.structure.membership["consortium"], built.structure.membership["consortium"]
    assert np.array_equal(*same)
    assert made.certificates["consortium"].bound == built.certificates["consortium"].bound
    assert broken_rules(data, scenario(), made.structure) == ()


def test_a_pinned_unit_that_no_centre_reaches_is_refused_before_any_bound():
    rules = {
        "scales_used": ["consortium"],
        "scale.consortium.min_patients": 40_000,
        "scale.consortium.max_patients": 100_000,
        "scale.consortium.reach_km": 3,
        "pins": [{"kind": "together", "scale": "consortium", "practices": ["a1", "f1"]}],
    }
    with pytest.raises(Infeasible, match="no centre is within reach of them all"):
        build(region("A A A A A A", patients=60_000), load_scenario("base", rules), 1, QUICK)
