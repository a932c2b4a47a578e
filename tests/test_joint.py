"""Scales improved together: never dearer, no rule lost, what one scale alone would not do, and how near the least."""

from __future__ import annotations

import numpy as np
import pytest

from optimiser.clock import never
from optimiser.given import broken_rules, honoured
from optimiser.hierarchy import assemble, build
from optimiser.joint import improved, leaning
from optimiser.partition.budget import Budget
from optimiser.partition.problem import canonical
from optimiser.scenario import load_scenario
from tests.ascii_map import region
from tests.nested_worlds import Every, random_region, random_rules, total

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Budget(moves=200, rounds=8, branches=3)
TWO, THREE = ("locality", "consortium"), ("locality", "consortium", "alliance")
SOME = [(seed, THREE if seed % 3 else TWO) for seed in range(100, 124)]


def drawn_at_random(seed: int, scales: tuple[str, ...]):
    """A world with pins, in half of them a practice too large for any body, all its structures, and one of them (None
    where pins leave none)."""
    data = random_region(seed, 7, large=seed % 2 == 1)
    scenario = random_rules(seed, scales, pins=True)
    every = Every(data, scenario, members=seed % 2 == 0)
    return data, scenario, every, every.some(np.random.default_rng(seed))


def breaches(data, scenario, membership) -> set[str]:
    """Every rule broken."""
    return set(broken_rules(data, scenario, assemble(data, scenario, membership)))


def parts(of: np.ndarray) -> list[int]:
    """Bodies numbered as they are met."""
    return canonical(of).tolist()


# --- what must never happen ------------------------------------------------------------------------------------------


def test_never_dearer_and_no_rule_that_held_is_broken():
    started = better = 0
    for seed, scales in SOME:
        data, scenario, every, start = drawn_at_random(seed, scales)
        if start is None:
            continue
        started += 1
        found = improved(data, scenario, start, seed, never)
        before, after = total(data, scenario, start), total(data, scenario, found)
        assert after <= before + 1e-6, seed
        assert after >= every.least[0] - 1e-6, seed
        better += after < before - 1
        assert len(breaches(data, scenario, found)) <= len(breaches(data, scenario, start)), seed
        structure = assemble(data, scenario, found)
        for name in scales:
            bodies = {body.members for body in structure.bodies[name]}
            assert len(bodies) == len(set(start[name].tolist())), "moves neither open nor close a body"
    assert started >= 12 and better >= 6, "worlds where nothing can be improved test nothing"


def test_from_the_least_of_all_nothing_is_thought_cheaper():
    """Were a move priced too low at any scale, something would seem to beat the least there is."""
    met = 0
    for seed in range(30):
        data, scenario = random_region(seed, 6), random_rules(seed, THREE)
        least, start = Every(data, scenario).least
        if not start:
            continue
        met += 1
        found = improved(data, scenario, start, seed, never)
        assert total(data, scenario, found) == pytest.approx(least, abs=1e-4), seed
    assert met >= 20


def test_a_seed_gives_the_same_bytes_and_the_caller_keeps_its_own():
    data, scenario = random_region(4, 7), random_rules(4, THREE)
    start = Every(data, scenario).some(np.random.default_rng(4))
    kept = {name: of.tobytes() for name, of in start.items()}
    one, other = (improved(data, scenario, start, 7, never) for _ in range(2))
    assert {name: of.tobytes() for name, of in one.items()} == {name: of.tobytes() for name, of in other.items()}
    assert {name: of.tobytes() for name, of in start.items()} == kept


def test_nothing_is_tried_once_time_is_over():
    data, scenario = random_region(4, 7), random_rules(4, THREE)
    start = Every(data, scenario).some(np.random.default_rng(4))
    found = improved(data, scenario, start, 7, lambda: True)
    assert all(np.array_equal(found[name], start[name]) for name in THREE)


# --- what only a joint move finds ------------------------------------------------------------------------------------

BORDER, YESTERDAY = "A A A B B B", "E E E E F F"
PLANTED = {
    "scales_used": ["locality", "consortium", "alliance"],
    "forces_off": ["engagement", "likeness", "insurance", "coordination", "distance", "leverage"],
    "rates.management.value": {"locality": 1.0, "consortium": 1.0, "alliance": 1.0},
    "rates.continuity.value": {"consortium": 3.0},
    "scale.alliance.min_members": 1,
    "scale.alliance.authority_charge": "home",
    "scale.locality.contiguous": True,
    **{f"scale.{scale}.min_patients": 20_000 for scale in THREE},
    **{f"scale.{scale}.max_patients": 40_000 for scale in THREE},
}
GAIN = {"rates.authority.value": {"locality": 2.0, "consortium": 0.0, "alliance": 2.0}}


@pytest.mark.parametrize("alliances", ["home", "split"])
@pytest.mark.parametrize(("locality", "alliance", "moves"), [(2.0, 2.0, True), (2.0, 0.0, False), (0.0, 2.0, False)])
def test_a_practice_moves_where_two_scales_gain_what_a_third_loses(locality, alliance, moves, alliances):
    """d1 lies in council B and is today with council A. Its consortium pays £3 a patient if it leaves; its locality and
    its alliance gain £2 each. One alone would not pay, together they do."""
    rates = {"rates.authority.value": {"locality": locality, "consortium": 0.0, "alliance": alliance}}
    scenario = load_scenario("base", {**PLANTED, **rates, "scale.alliance.authority_charge": alliances})
    data = region(BORDER, patients=10_000, today=YESTERDAY)
    start = {name: np.array([0, 0, 0, 0, 1, 1], np.int32) for name in THREE}
    found = improved(data, scenario, start, 1, never)
    expected = [0, 0, 0, 1, 1, 1] if moves else [0, 0, 0, 0, 1, 1]
    for name in THREE:
        assert parts(found[name]) == expected
    saved = total(data, scenario, start) - total(data, scenario, found)
    assert saved == pytest.approx(10_000 if moves else 0)


PINS = {
    "together": {"kind": "together", "scale": "alliance", "practices": ["c1", "d1"]},
    "fixed": {"kind": "fixed", "scale": "consortium", "practices": ["d1"], "with": "a1"},
    "frozen": {"kind": "frozen", "scale": "alliance", "practices": ["a1", "b1", "c1", "d1"]},
    "frozen below": {"kind": "frozen", "scale": "locality", "practices": ["a1", "b1", "c1", "d1"]},
    "apart": {"kind": "apart", "scale": "locality", "practices": ["d1", "f1"]},
    "apart above": {"kind": "apart", "scale": "alliance", "practices": ["d1", "e1"]},
}


TWO_STREETS, THEN = "A A A B B B\n~ ~ ~ ~ ~ ~\nC C C D D D", "E E E E F F\n~ ~ ~ ~ ~ ~\nG G G G H H"


@pytest.mark.parametrize("pin", [None, *PINS])
def test_a_pin_at_any_scale_stops_the_move_and_no_other(pin):
    """The same street twice, and the pin speaks of the first: d1 stays, and d3 goes all the same."""
    scenario = load_scenario("base", {**PLANTED, **GAIN, "pins": [PINS[pin]] if pin else []})
    data = region(TWO_STREETS, patients=10_000, today=THEN)
    start = {name: np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 3, 3], np.int32) for name in THREE}
    assert breaches(data, scenario, start) == set()
    found = improved(data, scenario, start, 1, never)
    assert breaches(data, scenario, found) == set()
    first = [0, 0, 0, 0, 1, 1] if pin else [0, 0, 0, 1, 1, 1]
    assert all(parts(found[name]) == [*first, 2, 2, 2, 3, 3, 3] for name in THREE)


ROOMY = {f"scale.{scale}.min_patients": 10_000 for scale in THREE}
ROOMY |= {f"scale.{scale}.max_patients": 60_000 for scale in THREE}
ROOMY |= {f"scale.{scale}.contiguous": False for scale in THREE}
LIGHT = {"a1": 5_000, "b1": 5_000, "c1": 5_000}
HEAVY = {"e1": 20_000, "f1": 20_000}


@pytest.mark.parametrize(
    ("drawing", "patients", "rule"),
    [
        pytest.param(
            "A A A B B B",
            LIGHT,
            {"scale.consortium.min_patients": 20_000, "scale.alliance.min_patients": 20_000},
            id="too small",
        ),
        pytest.param("A A A B B B", HEAVY, {f"scale.{scale}.max_patients": 45_000 for scale in THREE}, id="too large"),
        pytest.param("A A A B . . B B", {}, {"scale.consortium.reach_km": 5.0}, id="out of reach"),
        pytest.param("A A A B ~ B B", {}, {"scale.alliance.contiguous": True}, id="in pieces"),
    ],
)
def test_a_rule_at_one_scale_stops_the_move_at_all(drawing, patients, rule):
    rules = {**PLANTED, **ROOMY, **GAIN}
    today = drawing.replace("A", "E").replace("B", "F").replace("F", "E", 1)
    data = region(drawing, patients=lambda code: patients.get(code, 10_000), today=today)
    start = {name: np.array([0, 0, 0, 0, 1, 1], np.int32) for name in THREE}
    free = improved(data, load_scenario("base", rules), start, 1, never)
    held = improved(data, load_scenario("base", {**rules, **rule}), start, 1, never)
    assert {tuple(parts(of)) for of in free.values()} == {(0, 0, 0, 1, 1, 1)}
    assert {tuple(parts(of)) for of in held.values()} == {(0, 0, 0, 0, 1, 1)}


@pytest.mark.parametrize(("fewest", "alliances"), [(1, [0, 1, 1, 1]), (2, [0, 0, 1, 1])])
def test_an_alliance_keeps_its_least_number_of_consortia(fewest, alliances):
    """b1 is a consortium of council B in an alliance with a1 of council A, which it would leave alone."""
    rules = {**PLANTED, **ROOMY, "scale.alliance.min_members": fewest}
    rules["rates.authority.value"] = {"locality": 0.0, "consortium": 0.0, "alliance": 2.0}
    start = {name: np.arange(4, dtype=np.int32) for name in TWO} | {"alliance": np.array([0, 0, 1, 1], np.int32)}
    found = improved(region("A B B B", patients=10_000), load_scenario("base", rules), start, 1, never)
    assert parts(found["alliance"]) == alliances


def test_bodies_touch_through_a_practice_too_large_for_any():
    """c1 has 150,000 patients. d1 joins its council beyond it, as if they lay side by side."""
    rules = {**PLANTED, **GAIN}
    sizes = {"patients": lambda code: 150_000 if code == "c1" else 10_000}
    data = region("A A A A B B", today="E E E F F F", **sizes)
    start = {name: np.array([0, 0, 1, 2, 2, 2], np.int32) for name in THREE}
    found = improved(data, load_scenario("base", rules), start, 1, never)
    assert {tuple(parts(of)) for of in found.values()} == {(0, 0, 1, 0, 2, 2)}


# --- the whole hierarchy ---------------------------------------------------------------------------------------------


def test_near_the_least_of_all_structures_and_never_below():
    excess = []
    for seed in range(200, 216):
        data, scenario = random_region(seed, 6), random_rules(seed, THREE)
        every = Every(data, scenario)
        least = every.least[0]
        made = build(data, scenario, 1, QUICK)
        assert broken_rules(data, scenario, made.structure) == honoured(data, scenario, made.structure) == ()
        assert made.objective == pytest.approx(total(data, scenario, made.structure.membership))
        assert made.objective >= least - 1e-6, seed
        excess.append(made.objective / least - 1)
        apart = {name: every.cost[name].min() for name in THREE}
        for name, proof in made.certificates.items():
            assert proof.bound <= apart[name] + 1e-6, (seed, name)
        assert 0 <= made.price_of_nesting <= made.nesting_interval[1] + 1e-6
        assert least - sum(apart.values()) <= made.nesting_interval[1] + 1e-6
    assert np.mean(excess) <= 0.01, excess


def test_leaning_only_where_nesting_lost_much():
    data, scenario = random_region(3, 6), random_rules(3, THREE)
    alone = {"alliance": np.array([0, 0, 0, 1, 1, 1], np.int32)}
    costs = {"consortium": (100.0, 200.0), "alliance": (1_000_000.0, 1_004_000.0)}
    assert leaning(data, scenario, alone, costs) is None, "0.4 % is little; the anchor itself does not count"
    lean = leaning(data, scenario, alone, {**costs, "alliance": (1_000_000.0, 1_100_000.0)})
    patients = data.patients
    assert lean[0, 2] == 0 and lean[4, 3] == 0
    assert lean[0, 3] == pytest.approx(2.0 * 1_000_000 * patients[0] / patients.sum())
    assert lean[3, 0] == pytest.approx(2.0 * 1_000_000 * patients[3] / patients.sum())
