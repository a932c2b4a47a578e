"""Every force against figures worked by hand on three practices, and their sum against the partition problem."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import numpy as np
import pytest

from optimiser.domain import Dataset, Relationship
from optimiser.forces import STRUCTURE_FORCES, PairCharges, engagement, size_curve, size_terms, structure_terms
from optimiser.hierarchy import assemble
from optimiser.scenario import Scenario, load_scenario
from optimiser.units import scale_problem
from tests import tiny

BASE = load_scenario("base")


def three(**changes) -> Dataset:
    """A (10,000), B (20,000) and C (30,000), a kilometre apart; C lies in another authority and body, and is poorer."""
    practices = [
        tiny.practice(0, 10_000, "U1", deprivation=10.0, existing={"consortium": "E1"}),
        tiny.practice(1, 20_000, "U1", deprivation=20.0, existing={"consortium": "E1"}),
        tiny.practice(2, 30_000, "U2", deprivation=30.0, existing={"consortium": "E2"}),
    ]
    return replace(tiny.dataset(practices, []), **changes)


def charged(data: Dataset, i: int, j: int, scale: str = "consortium", scenario: Scenario = BASE) -> dict[str, float]:
    """Force → £ a year for practice i with centre j."""
    pairs = PairCharges(data, scenario, scenario.scale(scale))
    return {force: float(pounds[0]) for force, pounds in pairs.terms(np.array([i]), np.array([j])).items()}


def sized(scale: str, people: float, scenario: Scenario = BASE) -> dict[str, float]:
    """Force → £ a year for a body of so many people."""
    curves = size_terms(scenario, scenario.scale(scale))
    return {force: float(curve(np.array([people]))[0]) for force, curve in curves.items()}


# --- by size ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("people", "share"), [(30_000, 0.91), (100_000, 0.83), (226_000, 0.71), (500_000, 0.60), (1_000_000, 0.53)]
)
def test_engagement_falls_with_size_as_in_the_evidence(people, share):
    assert engagement(np.array([float(people)]), BASE)[0] == pytest.approx(share, abs=0.0052), (
        "as printed, to two places"
    )


def test_engagement_costs_what_the_disengaged_share_is_worth():
    """At N½ = 250,000, E = 0.45 + 0.50 / 2 = 0.70: 30 % of 250,000 people × £72 × the scale's share of the force."""
    whole = 0.30 * 250_000 * 72
    assert sized("consortium", 250_000)["engagement"] == pytest.approx(0.4 * whole)
    assert sized("locality", 250_000)["engagement"] == pytest.approx(0.6 * whole)
    assert "engagement" not in sized("alliance", 250_000)
    reluctant = load_scenario("base", {"engagement.voluntary": 0.5})
    assert sized("consortium", 250_000, reluctant)["engagement"] == pytest.approx(0.4 * 0.65 * 250_000 * 72)


def test_insurance_is_the_price_of_a_reserve_where_risk_is_held():
    """1.6449 × 3.7 × £1,436 × √100,000 × 10p: £2.8 a head at 100,000, four times the people for twice the money."""
    at_100k = sized("consortium", 100_000)["insurance"]
    assert at_100k == pytest.approx(0.10 * 1.644854 * 3.7 * 1_436 * sqrt(100_000), rel=1e-6)
    assert at_100k / 100_000 == pytest.approx(2.8, abs=0.05)
    assert sized("consortium", 400_000)["insurance"] == pytest.approx(2 * at_100k)
    assert "insurance" not in sized("alliance", 100_000)
    pooled = load_scenario("base", {"risk_held_at": "alliance"})
    assert "insurance" not in sized("consortium", 100_000, pooled)
    assert sized("alliance", 100_000, pooled)["insurance"] == pytest.approx(at_100k)


def test_management_is_a_sum_per_body_and_coordination_grows_with_the_square():
    assert sized("consortium", 60_000)["management"] == sized("consortium", 600_000)["management"] == 1_100_000
    assert sized("locality", 30_000)["management"] == 100_000
    assert sized("alliance", 500_000)["coordination"] == pytest.approx(4.0 * 500_000 * 0.5)
    assert sized("agency", 2_000_000)["coordination"] == pytest.approx(0.70 * 2_000_000 * 2)
    assert "coordination" not in sized("consortium", 500_000)


def test_leverage_stands_in_until_the_catchment_is_reached():
    assert sized("alliance", 350_000)["leverage"] == pytest.approx(13.0 * 350_000 * 0.5)
    assert sized("alliance", 900_000)["leverage"] == 0
    assert "leverage" not in sized("consortium", 350_000)


def test_the_size_curve_is_the_sum_of_its_terms():
    sizes = np.array([30_000.0, 250_000.0, 700_000.0])
    for scale in BASE.scales:
        parts = [sum(sized(scale.name, p).values()) for p in sizes]
        assert size_curve(BASE, scale)(sizes) == pytest.approx(parts)


# --- by pair ---------------------------------------------------------------------------------------------------------


def test_distance_is_patients_by_kilometres():
    assert charged(three(), 2, 0)["distance"] == pytest.approx(0.15 * 30_000 * 2)
    assert charged(three(), 0, 2)["distance"] == pytest.approx(0.15 * 10_000 * 2)
    assert charged(three(), 2, 0, "locality")["distance"] == pytest.approx(0.20 * 30_000 * 2)


def test_patients_outside_the_home_authority_are_charged():
    assert charged(three(), 2, 1)["authority"] == 8.0 * 30_000
    assert charged(three(), 0, 1)["authority"] == 0
    assert charged(three(), 2, 1, "locality")["authority"] == 2.0 * 30_000
    lower = load_scenario("base", {"scale.consortium.authority_tier": "lower"})
    assert charged(three(), 2, 1, scenario=lower)["authority"] == 0, "all three lie in one lower authority"


def test_moving_to_another_body_than_todays_is_charged_once_there_is_one():
    assert charged(three(), 2, 1)["continuity"] == 3.0 * 30_000
    assert charged(three(), 0, 1)["continuity"] == 0
    assert charged(three(), 2, 1, "locality")["continuity"] == 0, "nobody has a locality today"


def test_unlikeness_costs_engagement_and_a_declared_wish_forgives_it():
    """Deprivation 10, 20, 30: √1.5 standard deviations apart, √(1.5 / 3) over three attributes, of 3 at most."""
    unlike = sqrt(1.5 / 3) / 3
    rate = 0.10 * 0.4 * 72
    assert charged(three(), 0, 1)["likeness"] == pytest.approx(rate * 10_000 * unlike)
    assert charged(three(), 0, 2)["likeness"] == pytest.approx(rate * 10_000 * 2 * unlike)
    assert charged(three(), 1, 1)["likeness"] == 0
    fond = three(relationships=(Relationship("P01", "P00", 0.1, False),))
    assert charged(fond, 0, 1)["likeness"] == pytest.approx(rate * 10_000 * (unlike - 0.1))
    assert charged(fond, 1, 0)["likeness"] == pytest.approx(rate * 20_000 * (unlike - 0.1)), "either one's wish counts"
    devoted = three(relationships=(Relationship("P00", "P01", 0.9, False),))
    assert charged(devoted, 0, 1)["likeness"] == 0, "a wish forgives, it never pays"
    hostile = three(relationships=(Relationship("P00", "P01", -1.0, False), Relationship("P01", "P00", -1.0, False)))
    assert charged(hostile, 0, 1)["likeness"] == pytest.approx(rate * 10_000 * (unlike + 1.0))


def test_confidential_wishes_steer_and_are_charged_nowhere():
    secret = three(relationships=(Relationship("P00", "P01", -0.5, True),))
    assert charged(secret, 0, 1) == charged(three(), 0, 1)
    scale = BASE.scale("consortium")
    rate = 0.10 * 0.4 * 72
    steer = PairCharges(secret, BASE, scale).steer()
    assert steer is not None
    assert steer[0, 1] == pytest.approx(0.5 * rate * 10_000) and steer[1, 0] == pytest.approx(0.5 * rate * 20_000)
    assert np.count_nonzero(steer) == 2
    assert PairCharges(three(), BASE, scale).steer() is None
    membership = {name: np.zeros(3, np.int32) for name in BASE.scales_used}
    for data in (secret, three()):
        structure = assemble(data, BASE, membership)
        assert structure_terms(data, BASE, structure) == structure_terms(three(), BASE, structure)
        problem = scale_problem(data, BASE, scale).problem
        assert np.array_equal(problem.costs, scale_problem(three(), BASE, scale).problem.costs)


def test_larger_scales_charge_the_smaller_pieces_of_a_split_authority():
    """{A}, {B, C} at alliances: U1 has 10,000 and 20,000 patients, so 10,000 are in its minority piece; U2 is whole."""
    data = three()
    scales = {"scales_used": ["alliance"], "scale.alliance.min_patients": 10_000}
    scenario = load_scenario("base", scales)
    assert "authority" not in charged(data, 2, 1, "alliance", scenario)
    structure = assemble(data, scenario, {"alliance": np.array([0, 1, 1], np.int32)})
    assert structure_terms(data, scenario, structure)["alliance"]["authority"] == 2.0 * 10_000


def test_a_force_that_is_off_is_charged_nowhere():
    structure = assemble(three(), BASE, {name: np.array([0, 0, 1], np.int32) for name in BASE.scales_used})
    for force in STRUCTURE_FORCES:
        scenario = load_scenario("base", {"forces_off": [force]})
        terms = structure_terms(three(), scenario, structure)
        assert all(force not in by_force for by_force in terms.values())
        on = structure_terms(three(), BASE, structure)
        others = [{f: p for f, p in on[scale].items() if f != force} for scale in on]
        assert list(terms.values()) == others


# --- rules on pairs --------------------------------------------------------------------------------------------------


def test_reach_stops_at_its_limit_and_a_link_lends_the_reach_of_its_far_end():
    data = three()
    scenario = load_scenario("base", {"scale.locality.reach_km": 1.0})
    scale = scenario.scale("locality")
    assert np.isinf(PairCharges(data, scenario, scale).matrix()).tolist() == [
        [False, False, True],
        [False, False, False],
        [True, False, False],
    ]
    ferry = PairCharges(replace(data, links=((0, 1),)), scenario, scale).matrix()
    assert np.isfinite(ferry).all(), "A is within reach of whatever is within reach of B, the other end of its ferry"


@pytest.mark.parametrize(
    ("around", "places"),
    [(10_000, "ABC"), (10_001, "BC"), (20_000, "BC"), (20_001, "AC"), (30_000, "AC"), (30_001, "C"), (90_000, "C")],
)
def test_large_practices_are_places_for_a_centre_and_small_ones_where_none_is_near(around, places):
    """C, the largest, is a place first. B has 20,000 patients nearer than C; where that is too few to be a place of its
    own, A has 30,000 nearer than C, B's and its own."""
    rules = {"scale.alliance.min_patients": 2 * around, "scale.alliance.centres_each": 2}
    scenario = load_scenario("base", rules | {"scale.alliance.reach_km": "none"})
    charges = PairCharges(three(), scenario, scenario.scale("alliance"))
    assert [name for name, may in zip("ABC", charges.may_be_centre, strict=True) if may] == list(places)
    assert np.isfinite(charges.matrix()).all(axis=0).tolist() == [name in places for name in "ABC"]


def test_everybody_has_a_place_near_by_whatever_the_lists():
    """Equal lists, and lists that rise from west to east: each practice has a place among its nearest patients."""
    for lists in (np.full(40, 10_000), 5_000 + 500 * np.arange(40)):
        data = tiny.dataset([tiny.practice(k, int(n), "U1") for k, n in enumerate(lists)], [])
        scenario = load_scenario("base", {"scale.alliance.min_patients": 100_000, "scale.alliance.centres_each": 2})
        places = PairCharges(data, scenario, scenario.scale("alliance")).may_be_centre
        assert 4 <= places.sum() <= 20
        for i in range(40):
            far = np.abs(data.xy[:, 0] - data.xy[i, 0])
            assert data.patients[far < far[places].min()].sum() < 50_000 or places[i]


def test_without_the_rule_anybody_is_a_place():
    scenario = load_scenario("base", {"scale.alliance.min_patients": 50_000, "scale.alliance.centres_each": 0})
    assert PairCharges(three(), scenario, scenario.scale("alliance")).may_be_centre.all()


def test_inside_one_forbids_bodies_across_authorities():
    scenario = load_scenario("base", {"scale.locality.authority_rule": "inside_one"})
    assert np.isinf(PairCharges(three(), scenario, scenario.scale("locality")).matrix()).tolist() == [
        [False, False, True],
        [False, False, True],
        [True, True, False],
    ]


def test_whole_authorities_move_as_one():
    scenario = load_scenario("base", {"scale.consortium.authority_rule": "whole"})
    held = scale_problem(three(), scenario, scenario.scale("consortium"))
    assert held.unit.tolist() == [0, 0, 1]
    assert held.problem.weights.tolist() == [30_000, 30_000]
    assert held.problem.owner.tolist() == [0, 0, 1], "either practice of a whole authority may be the centre"
    assert held.membership(np.array([4, 7])).tolist() == [4, 4, 7]


# --- the sum ---------------------------------------------------------------------------------------------------------


def scattered(rng: np.random.Generator, n: int = 9) -> Dataset:
    """Practices anywhere in ten kilometres, in three authorities and bodies, some attributes missing, wishes made."""
    practices = [
        replace(
            tiny.practice(i, int(rng.integers(2_000, 40_000)), f"U{rng.integers(1, 4)}"),
            easting=400_000 + 10_000 * rng.random(),
            northing=300_000 + 10_000 * rng.random(),
            deprivation=None if rng.random() < 0.2 else 40 * rng.random(),
            pct_65plus=30 * rng.random(),
            existing={"consortium": f"E{rng.integers(0, 3)}", "alliance": ""},
        )
        for i in range(n)
    ]
    said = tuple(
        Relationship(f"P{a:02d}", f"P{b:02d}", float(rng.uniform(-1, 1)), bool(rng.random() < 0.3))
        for a, b in rng.permutation(n)[:8].reshape(4, 2)
    )
    return replace(tiny.dataset(practices, []), relationships=said)


def test_the_terms_of_any_structure_sum_to_the_problems_objective():
    rng = np.random.default_rng(3)
    for _ in range(25):
        data = scattered(rng)
        pins = [{"kind": "together", "scale": "locality", "practices": ["P00", "P05"]}]
        rules = {"scale.locality.min_patients": 1_000, "pins": pins if rng.random() < 0.5 else []}
        rules |= {"scale.alliance.centres_each": 0, "scale.agency.centres_each": 0}  # any body has a centre
        scenario = load_scenario("base", rules)
        problems = {s.name: scale_problem(data, scenario, s) for s in scenario.scales}
        drawn = {name: rng.integers(0, 3, p.problem.units).astype(np.int32) for name, p in problems.items()}
        structure = assemble(data, scenario, {n: problems[n].membership(drawn[n]) for n in problems})
        terms = structure_terms(data, scenario, structure)
        for name, held in problems.items():
            assert sum(terms[name].values()) == pytest.approx(held.problem.objective(drawn[name]), rel=1e-12)
