"""Footprints follow providers, not councils: read from the flows, each for the services that gave it its reason."""

from __future__ import annotations

import pytest

from optimiser.footprints import MOST, PER_BODIES, candidates
from optimiser.placement import place
from optimiser.providers import aggregate
from optimiser.scenario import load_scenario
from tests import tiny

BASE = load_scenario("base")
WEST, EAST, TRUST = range(3)
COUNCILS = ["U1", "U1", "U2", "U2", "U3", "U3"]
ACUTE, ELECTIVE, MIND = range(3)


def world(acute: dict[int, dict[int, float]], mind: dict[int, dict[int, float]] | None = None, providers=None):
    """Six consortia of one practice, two in each of three councils, which are its alliances. acute, mind: for each
    consortium, provider → the part of its spend on two hospital services and on mental health. The east is poorer."""
    practices = [tiny.practice(i, 150_000, COUNCILS[i], deprivation=10.0 if i < 3 else 40.0) for i in range(6)]
    services = [
        tiny.service("emergency", cases_per_1000=70.0, cost_per_case=1_900.0, leverage=3, tailoring=2),
        tiny.service("elective", cases_per_1000=60.0, cost_per_case=1_900.0, leverage=3, tailoring=2),
        tiny.service("mind", cases_per_1000=40.0, cost_per_case=1_500.0, leverage=3, provider_kinds=("mental_health",)),
    ]
    trust = tiny.provider("RM", kind="mental_health", name="Mental Health Trust")
    providers = providers or [
        tiny.provider("RW", name="West Hospital"),
        tiny.provider("RE", name="East Hospital"),
        trust,
    ]
    rows = tiny.spend_rows(practices, services[:2], acute)
    rows += (
        [(i, p, MIND, money) for i, p, _, money in tiny.spend_rows(practices, services[2:], mind or {})] if mind else []
    )
    data = tiny.dataset(practices, services, providers, rows)
    groups = {"consortium": [[i] for i in range(6)], "alliance": [[0, 1], [2, 3], [4, 5]]}
    return data, tiny.structure(data, groups)


def found(data, made, taken=(), **more):
    bodies = made.bodies["consortium"]
    return candidates(data, bodies, aggregate(data, made.membership["consortium"], 6), set(taken), 1, **more)


HALVES = {i: {WEST: 0.9, EAST: 0.1} if i < 3 else {WEST: 0.1, EAST: 0.9} for i in range(6)}
WEST_HALF, EAST_HALF = (0, 1, 2), (3, 4, 5)


def test_two_hospitals_that_serve_half_a_region_each_give_two_footprints_along_their_catchments():
    """The middle council is cut in two, as the catchments cut it; no candidate follows the councils."""
    sets = [c.members for c in found(*world(HALVES))]
    assert sets == [WEST_HALF, EAST_HALF]
    assert not {(0, 1), (2, 3), (4, 5)} & set(sets)


def test_the_plan_opens_both_and_commissions_hospital_services_there():
    data, made = world(HALVES)
    placed = place(data, BASE, made, seed=1, time_limit=20)
    assert [f.consortia for f in placed.footprints] == [
        tuple(f"consortium-{i + 1:02d}" for i in half) for half in (WEST_HALF, EAST_HALF)
    ]
    assert {c.scale for c in placed.commissions if c.service in ("emergency", "elective")} == {"footprint"}


def test_taking_the_shared_providers_away_takes_the_footprints_away_and_changes_the_placement():
    """As many providers as consortia, each serving one: nothing is shared, and nothing is gained together."""
    shared = place(*_placing(world(HALVES)), seed=1, time_limit=20)
    own = [tiny.provider(f"R{i}") for i in range(6)]
    data, made = world({i: {i: 1.0} for i in range(6)}, providers=own)
    assert found(data, made) == ()
    alone = place(data, BASE, made, seed=1, time_limit=20)
    assert not alone.candidates and not alone.footprints
    scales = {c.service: c.scale for c in shared.commissions}, {c.service: c.scale for c in alone.commissions}
    assert scales[0]["emergency"] == "footprint" and scales[1]["emergency"] != "footprint"


def _placing(made):
    data, structure = made
    return data, BASE, structure


def test_each_candidate_says_which_services_it_came_from_and_why():
    """Mental health has a catchment of its own, across both hospitals'; each set names its services and its reason."""
    mind = {i: {TRUST: 1.0} if 1 <= i <= 4 else {WEST: 1.0} for i in range(6)}
    by_set = {c.members: c for c in found(*world(HALVES, mind))}
    assert by_set[WEST_HALF].services == (ACUTE, ELECTIVE)
    assert by_set[WEST_HALF].reason == (
        "West Hospital is the main hospital of each of them for Service emergency and 1 more"
    )
    assert by_set[1, 2, 3, 4].services == (MIND,)
    assert (
        by_set[1, 2, 3, 4].reason
        == "Mental Health Trust is the main mental health provider of each of them for Service mind"
    )


def test_shared_spend_is_what_all_but_the_largest_bring_to_the_same_providers():
    """Two hospital services at £133 and £114 a head, 150,000 people in each consortium of the west."""
    each = 150_000 * (70 * 1.9 + 60 * 1.9)
    west = next(c for c in found(*world(HALVES)) if c.members == WEST_HALF)
    assert west.shared == pytest.approx(2 * each * 0.9 + 2 * each * 0.1)


def test_the_same_set_found_for_several_services_is_one_candidate():
    """Mental health goes to two trusts along the very same halves."""
    mind = {i: {WEST: 1.0} if i < 3 else {EAST: 1.0} for i in range(6)}
    sets = {
        c.members: c.services
        for c in found(*world({i: {WEST: 0.6, EAST: 0.4} if i < 3 else {EAST: 1.0} for i in range(6)}, mind))
    }
    assert sets[WEST_HALF] == (ACUTE, ELECTIVE, MIND)


def test_a_set_that_is_a_body_already_is_no_footprint():
    data, made = world({i: {i // 2: 1.0} for i in range(6)})
    assert [c.members for c in found(data, made)] == [(0, 1), (2, 3), (4, 5)]
    assert found(data, made, taken=[(0, 1), (2, 3), (4, 5)]) == ()


def test_the_most_shared_spend_comes_first_where_candidates_are_capped():
    data, made = world(
        {0: {WEST: 1.0}, 1: {WEST: 1.0}, 2: {WEST: 1.0}, 3: {EAST: 1.0}, 4: {EAST: 1.0}, 5: {TRUST: 1.0}}
    )
    assert [c.members for c in found(data, made, most=1)] == [(0, 1, 2)]
    assert [c.members for c in found(data, made)] == [(0, 1, 2), (3, 4)]


def test_the_cap_grows_with_the_region():
    """Forty for a region of 25 consortia or fewer, four hundred for a country of 250."""
    assert MOST == 40 and PER_BODIES == 25
    rows = [(i, i // 2, 0, 1e6) for i in range(250)]
    practices = [tiny.practice(i, 1_000) for i in range(250)]
    data = tiny.dataset(practices, [tiny.service("S")], [tiny.provider(f"R{p}") for p in range(125)], rows)
    made = tiny.structure(data, {"consortium": [[i] for i in range(250)]})
    flows = aggregate(data, made.membership["consortium"], 250)
    assert len(candidates(data, made.bodies["consortium"], flows, (), 1)) == 125
