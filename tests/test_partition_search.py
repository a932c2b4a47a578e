"""The search and the driver: they find what the oracle finds, the same thing twice, and say when nothing can be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.errors import Infeasible, LimitReached
from optimiser.partition import search
from optimiser.partition.budget import Budget
from optimiser.partition.problem import PartitionProblem, SplitCharge, canonical, steered
from optimiser.partition.solve import solve
from optimiser.partition.state import flatten
from tests import oracle
from tests.partition_worlds import random_problem

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = Budget(moves=500, rounds=12, branches=3, gap=0.0, seconds=30)
QUICK = replace(SMALL, rounds=4, branches=1)


def road(patients, lo: int, hi: int, **more) -> PartitionProblem:
    """Practices along a road, one kilometre apart, each touching the next; £1 a kilometre a practice, £100 a body."""
    weights = np.array(patients, dtype=np.int64)
    n = len(weights)
    fields = {
        "name": "consortium",
        "labels": tuple(f"Surgery {i + 1}" for i in range(n)),
        "weights": weights,
        "owner": np.arange(n, dtype=np.int32),
        "costs": np.abs(np.arange(n)[:, None] - np.arange(n)[None, :]).astype(float),
        "curve": lambda p: np.full(np.shape(p), 100.0),
        "lo": lo,
        "hi": hi,
        "edges": np.array([(i, i + 1) for i in range(n - 1)], dtype=np.int32).reshape(-1, 2),
        "contiguous": True,
    }
    return PartitionProblem(**{**fields, **more})


def search_once(problem: PartitionProblem, seed: int, moves: int = 1_000):
    flat = flatten(problem)
    return search.run(problem, flat, np.random.default_rng(seed), moves, None, 3.0, lambda _: None)


# --- what is found ---------------------------------------------------------------------------------------------------


def test_solve_finds_the_best_partition_of_small_worlds():
    rules = [
        {"contiguous": True},
        {"contiguous": True, "apart": True, "splits": True},
        {"contiguous": True, "counts": True, "several_centres": True},
        {"splits": True, "counts": True},
        {"contiguous": True, "oversize": True, "apart": True},
    ]
    feasible = found = 0
    for k in range(75):
        problem = random_problem((900, k), **rules[k % len(rules)])
        least, answer = oracle.best(problem)
        if answer is None:
            continue
        feasible += 1
        solution = solve(problem, k, SMALL)
        assert not oracle.broken_by(problem, oracle.as_bodies(solution.assignment))
        assert solution.objective >= least - 1e-6
        found += solution.objective <= least + 1e-6
    assert feasible >= 50
    assert found >= 0.95 * feasible


def test_the_search_alone_finds_the_best_partition_in_most_worlds():
    feasible = found = 0
    for k in range(60):
        problem = random_problem((901, k), units=8, contiguous=True)
        least, answer = oracle.best(problem)
        if answer is None:
            continue
        feasible += 1
        assignment = search_once(problem, k)
        if assignment is not None:
            assert not oracle.broken_by(problem, oracle.as_bodies(assignment))
            found += oracle.cost(problem, oracle.as_bodies(assignment)) <= least + 1e-6
    assert feasible >= 40
    assert found >= 0.75 * feasible


def test_a_seed_gives_the_same_answer_twice():
    problem = random_problem((902, 1), units=40, contiguous=True)
    problem = replace(problem, costs=np.where(np.isfinite(problem.costs), problem.costs, 5_000.0))
    one, two = (solve(problem, 7, SMALL) for _ in range(2))
    assert one.assignment.tobytes() == two.assignment.tobytes()
    assert (one.objective, one.bound, one.relaxation) == (two.objective, two.bound, two.relaxation)
    assert all(a.pi.tobytes() == b.pi.tobytes() for a, b in zip(one.branches, two.branches, strict=True))


def test_bodies_are_numbered_by_their_first_unit():
    assert canonical(np.array([7, 7, 2, 9, 2])).tolist() == [0, 0, 1, 2, 1]


def test_penalties_are_never_passed_off_as_a_valid_partition():
    """Eight worlds without any valid partition: the search says None rather than return its least bad."""
    hopeless = 0
    for k in range(40):
        problem = random_problem((903, k), contiguous=True, apart=True, counts=True)
        if oracle.best(problem)[1] is None:
            hopeless += 1
            assert search_once(problem, k, 200) is None
    assert hopeless >= 8


def test_the_number_of_bodies_asked_for_is_reached_from_either_side():
    roads = road([10] * 24, 10, 240)
    for asked in (1, 5, 12, 24):
        found = search_once(replace(roads, min_bodies=asked, max_bodies=asked), 1)
        assert found is not None and len(np.unique(found)) == asked


def test_a_start_is_kept_or_improved_and_may_be_numbered_in_any_way():
    """Two practices beside twelve that are too large for any body, numbered as in a plan of fourteen."""
    problem = road([10, 10] + [100] * 12, 20, 60)
    start = np.array([12, 12, *range(12)])
    assert solve(problem, 1, QUICK, start=start).objective == pytest.approx(problem.objective(start))


def test_a_body_may_hold_more_units_than_the_search_usually_makes_room_for():
    problem = road([10] * 1_200, 8_000, 12_000)
    found = search_once(problem, 1, 10)
    assert found is not None and len(np.unique(found)) == 1


def test_costs_of_nothing_are_no_obstacle():
    free = road([10] * 12, 20, 60, curve=lambda p: np.zeros(np.shape(p)), costs=np.zeros((12, 12)))
    assert solve(free, 1, QUICK).objective == 0


def test_wishes_that_steer_the_search_are_no_part_of_what_it_reports():
    """Surgeries 1 and 6 ask in confidence to lead: bodies gather around them; the published cost is the public one."""
    plain = road([10] * 12, 30, 60)
    steer = np.zeros((12, 12))
    steer[:, [0, 5]] = -50.0
    found = solve(replace(plain, steer=steer), 1, SMALL)
    assert found.objective == pytest.approx(oracle_free_cost(plain, found.assignment))
    assert found.objective > solve(plain, 1, SMALL).objective
    assert found.bound <= solve(plain, 1, SMALL).objective
    assert np.allclose(steered(replace(plain, steer=steer)).costs, plain.costs + steer)


def oracle_free_cost(problem, assignment) -> float:
    return oracle.cost(problem, oracle.as_bodies(assignment))


# --- where it starts -------------------------------------------------------------------------------------------------


def test_the_starting_partition_fills_bodies_with_neighbours():
    problem = road([10] * 9, 30, 60)
    start = search.starting_partition(problem)
    assert not oracle.broken_by(problem, oracle.as_bodies(start))


def test_the_starting_partition_parts_those_kept_apart():
    problem = road([10] * 6, 20, 60, apart=((2, 3),))
    assert not oracle.broken_by(problem, oracle.as_bodies(search.starting_partition(problem)))


# --- oversize practices ----------------------------------------------------------------------------------------------


def test_a_practice_too_large_for_any_body_stands_alone_and_others_may_touch_through_it():
    problem = road([20, 100, 20], 30, 60)
    found = solve(problem, 1, QUICK)
    assert found.assignment.tolist() == [0, 1, 0]
    assert found.bound == pytest.approx(found.objective)


def test_only_practices_too_large_for_any_body():
    found = solve(road([100, 100], 30, 60), 1, QUICK)
    assert found.assignment.tolist() == [0, 1]
    assert found.objective == found.bound == 200.0


def test_an_authority_split_by_a_practice_that_stands_alone_is_charged_in_the_total():
    """100 of the council's 140 patients are in the practice that stands alone: the piece beside it is the minority."""
    patients = np.array([[20.0], [100.0], [20.0]])
    problem = road([20, 100, 20], 30, 60, splits=SplitCharge(2.0, patients, ("A",)))
    found = solve(problem, 1, QUICK)
    assert found.objective == pytest.approx(100 + 100 + 2 + 2.0 * 40)
    assert found.bound <= found.objective


# --- plans that cannot be --------------------------------------------------------------------------------------------


def said(problem: PartitionProblem) -> str:
    with pytest.raises(Infeasible) as error:
        solve(problem, 1, QUICK)
    return error.value.report()


def test_too_few_patients_for_one_body():
    words = said(road([10_000, 20_000, 5_000], 50_000, 90_000))
    assert "35,000 patients in all, but one body needs at least 50,000" in words
    assert "min_patients" in words


def test_no_number_of_bodies_fits_the_total():
    """110,000 patients: one body of at most 60,000 is too few, two of at least 58,000 too many."""
    words = said(road([11_000] * 10, 58_000, 60_000))
    assert "110,000 patients need at least 2 bodies of at most 60,000, but only 1 bodies of at least 58,000" in words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"min_bodies": 4}, "4 bodies asked for, but sizes allow at most 3"),
        ({"max_bodies": 1}, "1 bodies asked for, but sizes allow at least 2"),
    ],
)
def test_more_or_fewer_bodies_than_sizes_allow(rule, words):
    assert words in said(road([10] * 9, 30, 60, **rule))


def test_more_bodies_than_practices():
    assert "5 bodies asked for, but sizes allow at most 3" in said(road([10] * 3, 1, 30, min_bodies=5))


def test_fewer_bodies_than_practices_that_stand_alone():
    assert "2 bodies asked for, but sizes allow at least 3" in said(road([100] * 3, 5, 30, max_bodies=2))


def test_an_island_out_of_reach_is_named():
    costs = np.abs(np.arange(6)[:, None] - np.arange(6)[None, :]).astype(float)
    costs[5, :5] = costs[:5, 5] = np.inf
    words = said(road([10] * 6, 20, 60, costs=costs))
    assert "Surgery 6 (10 patients) fits no body: no centre within its reach can gather 20 patients" in words
    assert "Surgery 5" not in words


def test_practices_pinned_together_that_no_centre_can_reach_are_named():
    """One unit of two practices far apart: each is out of the other's reach, so neither can be the centre of both."""
    costs = np.array([[0.0, 1, 1], [1, 0, 1], [np.inf, np.inf, np.inf]])
    assert "Surgery 3 (10 patients) fits no body" in said(road([10] * 3, 10, 30, costs=costs))


def test_a_piece_of_the_map_too_small_to_stand_alone_is_named():
    edges = np.array([(0, 1), (1, 2), (2, 3), (4, 5)], dtype=np.int32)
    words = said(road([10] * 6, 30, 60, edges=edges))
    assert "Surgery 5 and 1 neighbours" in words
    assert "20 patients, fewer than 30" in words and "links.csv" in words


def test_rules_that_fail_only_together_are_refused_with_a_count():
    """Three in a row where the ends must meet only through the middle, which must be kept from both."""
    words = said(road([20] * 3, 40, 60, apart=((0, 1), (1, 2))))
    assert "3 units can form 7 bodies, 0 of which keep the rules" in words


def test_a_large_world_that_the_search_cannot_fill_is_not_called_impossible():
    """Forty practices that must be apart from all but a few: no proof is made, and none is claimed."""
    apart = tuple((a, b) for a in range(40) for b in range(a + 1, 40))
    with pytest.raises(LimitReached, match="not a proof"):
        solve(road([10] * 40, 20, 60, apart=apart), 1, QUICK)


def test_a_problem_whose_unit_has_no_centre_of_its_own_is_refused():
    with pytest.raises(ValueError, match="at least one centre"):
        road([10] * 3, 10, 30, owner=np.array([0, 1], dtype=np.int32), costs=np.zeros((3, 2)))
