"""Districts and starts: parts of a problem keep its rules, threads change nothing, tight capacities are met."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numba
import numpy as np
import pytest

from optimiser.partition import districts, search
from optimiser.partition.problem import PartitionProblem, steered
from optimiser.partition.starts import starting_partition
from optimiser.partition.state import flatten
from tests import oracle
from tests.partition_worlds import every_mixture, random_problem


@pytest.fixture
def small_districts(monkeypatch):
    monkeypatch.setattr(districts, "deal", partial(districts.deal, units=12))
    monkeypatch.setattr(districts, "BODIES", 2)


def world(seed: int, **rules) -> PartitionProblem:
    """Sixty units in which any may belong with any, and bodies of five to fifteen or so."""
    problem = random_problem((910, seed), units=60, **rules)
    far = ~np.isfinite(problem.costs)
    total = int(problem.weights.sum())
    return replace(problem, costs=np.where(far, 5_000.0, problem.costs), lo=total // 12, hi=total // 4)


def searched(problem: PartitionProblem, seed: int = 1, moves: int = 300, start=None, see=lambda _: None):
    return search.run(problem, flatten(problem), np.random.default_rng(seed), moves, start, 3.0, see)


# --- districts -------------------------------------------------------------------------------------------------------


def test_districts_hold_every_unit_once_and_whole_bodies(small_districts):
    problem = world(1, contiguous=True)
    body = starting_partition(problem)
    parts = districts.parted(flatten(problem), body, np.random.default_rng(1))
    assert len(parts) > 2
    assert sorted(np.concatenate([d.units for d in parts])) == list(range(60))
    assert sum(len(np.unique(body[d.units])) for d in parts) == len(np.unique(body))


def test_a_district_is_the_problem_of_its_units(small_districts):
    """Costs, weights, neighbours, centres and kept-apart pairs of a district are those of the whole among its units."""
    problem = world(2, contiguous=True, apart=True, several_centres=True)
    apart = tuple((a, b) for a in range(0, 60, 3) for b in range(a + 1, 60, 7))
    flat = flatten(replace(problem, apart=apart))
    links = {tuple(pair) for pair in problem.edges.tolist()} | {(b, a) for a, b in problem.edges.tolist()}
    for district in districts.parted(flat, starting_partition(problem), np.random.default_rng(2)):
        part, units = district.flat, district.units
        inside = set(units.tolist())
        assert part.weights.tolist() == problem.weights[units].tolist()
        for k, u in enumerate(units.tolist()):
            near = {int(units[v]) for v in part.indices[part.indptr[k] : part.indptr[k + 1]]}
            assert near == {b for a, b in links if a == u and b in inside}
            foes = {int(units[v]) for v in part.apart[part.apart_start[k] : part.apart_start[k + 1]]}
            assert foes == {x for pair in apart if u in pair for x in pair if x != u and x in inside}
            own = part.centres[part.centre_start[k] : part.centre_start[k + 1]]
            assert (part.owner[own] == k).all()
            assert (part.costs[:, own] == problem.costs[np.ix_(units, np.flatnonzero(problem.owner == u))]).all()


@pytest.mark.parametrize(("below", "above"), [(0, 0), (2, 0), (0, 3), (1, 2)])
def test_districts_together_never_overstep_the_number_of_bodies(small_districts, below, above):
    problem = world(3, contiguous=True)
    body = starting_partition(problem)
    count = len(np.unique(body))
    flat = flatten(replace(problem, min_bodies=count - below, max_bodies=count + above))
    parts = districts.parted(flat, body, np.random.default_rng(3))
    assert len(parts) > 2
    assert count - below <= sum(d.flat.fewest for d in parts) <= count
    assert sum(d.flat.most for d in parts) == count + above


def test_a_split_charge_or_a_wrong_number_of_bodies_keeps_one_district(small_districts):
    problem = world(4, contiguous=True, splits=True)
    body = starting_partition(problem)
    for whole in (problem, replace(problem, splits=None, max_bodies=len(np.unique(body)) - 1)):
        assert len(districts.parted(flatten(whole), body, np.random.default_rng(4))) == 1


# --- the search ------------------------------------------------------------------------------------------------------


def test_every_mixture_of_rules_is_kept():
    found = 0
    for seed, rules in every_mixture(1):
        problem = random_problem((911, *seed), **{**rules, "oversize": False, "frozen": False})
        answer = searched(problem, moves=60)
        if answer is not None:
            found += 1
            assert not oracle.broken_by(problem, oracle.as_bodies(answer))
    assert found >= 60


def test_every_mixture_of_rules_is_kept_by_districts(small_districts):
    for k in range(8):
        problem = world(k, contiguous=k % 2 == 0, apart=k % 3 == 0, several_centres=k % 4 == 1)
        if k % 3 == 1:
            problem = replace(problem, min_bodies=6, max_bodies=8)
        answer = searched(problem)
        assert answer is not None
        assert not problem.violations(answer)


@pytest.mark.parametrize("rules", [{"contiguous": True}, {"contiguous": True, "splits": True}, {}])
def test_threads_change_nothing(small_districts, rules):
    problem, answers, seen = world(5, **rules), [], []
    before = numba.get_num_threads()
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        told: list[bytes] = []
        answers.append(searched(problem, see=lambda body, told=told: told.append(body.tobytes())))
        seen.append(told)
    numba.set_num_threads(before)
    assert answers[0].tobytes() == answers[1].tobytes()
    assert seen[0] == seen[1] and len(seen[0]) >= search.TOLD


def test_what_the_compiled_moves_add_up_is_the_cost_of_the_partition():
    """Sums kept move by move, split charge included, against the objective counted from nothing."""
    for k, rules in enumerate(({"contiguous": True}, {"splits": True}, {"contiguous": True, "splits": True})):
        problem = steered(world(20 + k, several_centres=True, **rules))
        flat = flatten(problem)
        body = starting_partition(problem)
        step = search.Step(body, districts.parted(flat, body, np.random.default_rng(k)), np.random.default_rng(k))
        state = step.parts[0][1]
        search._anneal(flat, state, search.side(flat), 20_000, 100.0, 10.0)
        best, cost = step.best()
        assert cost == pytest.approx(problem.objective(best))
        assert state.tally[0] == pytest.approx(problem.objective(step.now().astype(np.int32)))


def test_a_good_start_is_never_made_worse(small_districts):
    problem = world(6, contiguous=True)
    start = searched(problem)
    again = searched(problem, seed=2, moves=30, start=start)
    assert problem.objective(again) <= problem.objective(start) + 1e-6


def test_a_start_whose_bodies_are_in_pieces_is_mended():
    problem = world(7, contiguous=True)
    scattered = (np.arange(60) % 6).astype(np.int32)
    assert problem.violations(scattered)
    assert searched(problem, start=scattered) is not None


# --- starts ----------------------------------------------------------------------------------------------------------


def median(seed: int, bodies: int, room: float) -> PartitionProblem:
    """A capacitated p-median: bodies need not touch, size costs nothing, capacities leave a share of room."""
    rng = np.random.default_rng((912, seed))
    xy, weights = rng.random((60, 2)) * 100, rng.integers(1, 20, 60)
    km = np.hypot(*np.moveaxis(xy[:, None] - xy[None], -1, 0))
    near = np.argsort(km, axis=1)[:, 1:9]
    pairs = np.unique(np.sort([(i, j) for i in range(60) for j in near[i]], axis=1), axis=0)
    return PartitionProblem(
        name="cluster",
        labels=tuple(map(str, range(60))),
        weights=weights.astype(np.int64),
        owner=np.arange(60, dtype=np.int32),
        costs=km,
        curve=lambda patients: np.zeros(np.shape(patients)),
        lo=0,
        hi=int(weights.sum() / bodies * (1 + room)),
        edges=pairs.astype(np.int32),
        contiguous=False,
        min_bodies=bodies,
        max_bodies=bodies,
    )


def test_units_gather_around_as_many_centres_as_bodies_are_asked_for():
    for seed in range(5):
        problem = median(seed, 6, 0.3)
        start = starting_partition(problem)
        assert not problem.violations(start.astype(np.int32))
        assert problem.objective(start) < 3 * problem.objective(searched(problem))


def test_a_start_with_tight_capacities_is_found():
    for seed in range(5):
        problem = median(seed, 6, 0.03)
        found = searched(problem)
        assert found is not None and len(np.unique(found)) == 6
