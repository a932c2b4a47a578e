"""The bound against brute force: below the best partition whatever the multipliers, the work and the rules."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from types import SimpleNamespace

import numba
import numpy as np
import pytest

from optimiser.partition.bound import bound_value, price
from optimiser.partition.branches import Branch, children, plain, price_per_patient, root
from optimiser.partition.budget import Budget, Progress
from optimiser.partition.bundle import ascend
from optimiser.partition.connected import connected_tables, price_connected
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.solve import solve
from optimiser.partition.state import flatten
from tests import oracle
from tests.bound_worlds import (
    EACH,
    WORLDS,
    World,
    below,
    highest_bound,
    least_by_trying,
    some_multipliers,
    some_triples,
    with_charges,
    worlds,
)
from tests.partition_worlds import RULES, random_problem

pytestmark = pytest.mark.usefixtures("one_thread")
INF = np.inf
SMALL = Budget(moves=500, rounds=12, branches=3, gap=0.0, seconds=30)


def never(*seen) -> bool:
    return False


def some_worlds(first: int = 0, every: int = 1):
    """(k, world) of those that have a partition."""
    return ((k, w) for k, w in worlds(first, every) if w.best is not None)


def reprice(w: World, branch: Branch, relaxation: str) -> float:
    """LB(π, σ) of a branch in £ a year, from what a certificate says of it."""
    if relaxation == "connected sets":
        tables = connected_tables(w.core, flatten(w.core).curve)
        least = price_connected(tables, branch.pi, sets=10**6, triples=branch.triples).least
    else:
        parted = with_charges(w.core, (line for line in branch.lines if line.triple < 0))
        least = least_by_trying(parted, branch.pi, triples=branch.triples)
    return bound_value(branch.of(w.core), branch.pi, least) - float(branch.triples.charge.sum())


def pricer(w: World, nodes: int = 2_000):
    """Pricing over sets, as the ascent asks a relaxation for it."""
    return SimpleNamespace(price=lambda pi, cut, tolerance: price(w.tables, pi, cut, tolerance, nodes))


# --- what the bound is -----------------------------------------------------------------------------------------------


def test_the_worlds_are_many_feasible_and_of_every_mixture():
    assert len(WORLDS) >= 1_000
    feasible = [k for k, _ in some_worlds()]
    assert len(feasible) >= 680
    for rule in RULES:
        assert sum(WORLDS[k][1][rule] for k in feasible) >= 250
    assert len({tuple(WORLDS[k][1].values()) for k in feasible}) == 2 ** len(RULES)


def test_no_multipliers_and_no_shortage_of_work_lift_the_bound_above_the_best_partition():
    rng = np.random.default_rng(1)
    tight = 0
    for k, w in some_worlds():
        for place, pi in enumerate(some_multipliers(w.core, w.best, rng)):
            cut = float(rng.choice([0.0, 30.0, -100.0]))
            for priced in (
                price(w.tables, pi),
                price(w.tables, pi, nodes=3),
                price(w.tables, pi, cut),
                price(w.tables, pi, cut, nodes=3),
            ):
                bound = w.fixed + bound_value(w.core, pi, priced.least)
                assert below(bound, w.least), (k, bound, w.least)
                tight += place == 0 and bound > 0.9 * w.least
    assert tight > 1_000, "bounds that hold because they are far too low prove nothing"


def test_the_bound_is_its_formula():
    rng = np.random.default_rng(2)
    for k, w in some_worlds(0, 5):
        pi = rng.normal(100, 150, w.core.multipliers)
        expected = oracle.bound_by_definition(w.core, pi)
        assert bound_value(w.core, pi, price(w.tables, pi).least) == pytest.approx(expected, rel=1e-9, abs=1e-5), k


# --- raising it ------------------------------------------------------------------------------------------------------


def test_the_ascent_never_ends_below_its_start_and_returns_what_its_multipliers_are_worth():
    rng = np.random.default_rng(3)
    risen, counted = 0, 0
    for k, w in some_worlds(1, 3):
        start = list(some_multipliers(w.core, w.best, rng))[k % 3]
        before = bound_value(w.core, start, price(w.tables, start).least)
        pi, value = ascend(w.core, pricer(w), start, w.best, 12, never)
        assert value >= before - 1e-6 * abs(before), k
        if not w.core.contiguous:  # elsewhere the bound depends on the cut that the ascent aimed at
            assert value == pytest.approx(bound_value(w.core, pi, price(w.tables, pi).least), rel=1e-6, abs=1e-4), k
        assert below(w.fixed + value, w.least), k
        risen += value > before + 1.0
        counted += value > before + 1.0 and w.core.min_bodies is not None
    assert risen > 100
    assert counted > 40, "bounds on the number of bodies should be climbed as well"


def test_the_ascent_returns_the_highest_bound_that_it_met():
    rng = np.random.default_rng(3)
    for k, w in some_worlds(1, 3):
        start = list(some_multipliers(w.core, w.best, rng))[k % 3]
        heights = []
        _, value = ascend(w.core, pricer(w), start, w.best, 4, lambda *seen, to=heights: to.append(seen[-1]))
        assert heights == pytest.approx(np.maximum.accumulate(heights)), k
        assert value == pytest.approx(max(heights)), k


def test_the_ascent_mostly_reaches_the_highest_bound_there_is():
    """Over all sets; where bodies must touch it may pass that, and never the highest over sets in one piece."""
    rng = np.random.default_rng(8)
    reached: dict[tuple[bool, bool], list[float]] = defaultdict(list)  # by (touching, number of bodies bounded)
    for k, w in some_worlds(0, 11):
        start = plain(w.core).pi * rng.uniform(0.7, 1.3, w.core.multipliers)
        _, value = ascend(w.core, pricer(w), start, w.best, 60, never)
        highest = highest_bound(w.core)
        assert below(value, highest_bound(w.core, w.core.contiguous)), k
        reached[w.core.contiguous, w.core.min_bodies is not None].append((highest - value) / abs(highest))
    assert len(reached) == 4
    for mixture, short in reached.items():
        assert max(short) < (0.03 if mixture[0] else 0.002), mixture  # lines that part pieces depend on the way there
        assert np.mean(np.array(short) < 1e-5) > (0.8 if mixture[0] else 0.85), mixture


def test_the_ascent_climbs_where_nodes_run_out():
    rng = np.random.default_rng(4)
    for k, w in some_worlds(2, 12):
        start = next(some_multipliers(w.core, w.best, rng))
        before = bound_value(w.core, start, price(w.tables, start, nodes=2).least)
        pi, value = ascend(w.core, pricer(w, nodes=2), start, w.best, 8, never)
        assert before - 1e-6 * abs(before) <= value, k
        assert below(w.fixed + value, w.least), k
        exact = least_by_trying(w.core, pi, w.core.contiguous)
        assert value <= bound_value(w.core, pi, exact) + 1e-4, k


def test_the_ascent_stops_when_told_and_after_its_rounds():
    rng = np.random.default_rng(5)
    told = 0
    for k, w in some_worlds(0, 12):
        start = list(some_multipliers(w.core, w.best, rng))[1]
        for most in (1, 3, 6):
            seen, rounds = [], []
            for stop_at, log, allowed in ((most, seen, 50), (INF, rounds, most)):
                ascend(
                    w.core, pricer(w), start, w.best, allowed,
                    lambda *seen, log=log, stop_at=stop_at: log.append(seen[0]) or len(log) >= stop_at,
                )  # fmt: skip
                assert 1 <= len(log) <= most, k
            assert seen == rounds, "being stopped and running out of rounds are the same to those who look on"
            told += len(seen) == most
    assert told > 50


# --- branches --------------------------------------------------------------------------------------------------------


def test_branches_hold_every_number_of_bodies_once():
    rng = np.random.default_rng(6)
    for k, w in some_worlds(0, 5):
        pi = list(some_multipliers(w.core, w.best, rng))[1]
        least = price(w.tables, pi).least
        whole = root(w.core, pi, bound_value(w.core, pi, least), some_triples(w.core, rng, 50.0))
        assert whole.fewest <= len(np.unique(w.best)) <= whole.most
        for bodies in range(w.core.units + 2):
            parts = children(whole, bodies, w.core)
            held = [n for part in parts for n in range(part.fewest, part.most + 1)]
            assert sorted(held) == list(range(whole.fewest, whole.most + 1)), k
            assert all(part.triples is whole.triples for part in parts)
            values = [bound_value(part.of(w.core), pi, least) for part in parts if part.fewest <= w.core.units]
            assert min(values) == pytest.approx(bound_value(whole.of(w.core), pi, least)), k
            if whole.fewest <= bodies <= whole.most and whole.fewest < whole.most:
                assert (bodies, bodies) in {(part.fewest, part.most) for part in parts}


@pytest.mark.parametrize("seed", range(40))
def test_a_cut_on_their_number_starts_at_the_best_price_per_patient_for_size_alone(seed):
    problem = random_problem((seed, 88), units=8)
    curve, total = flatten(problem).curve, int(problem.weights.sum())
    sizes = np.arange(max(1, problem.lo), min(problem.hi, total) + 1)
    rng = np.random.default_rng(seed)
    fewest, most = sorted(rng.integers(-(-total // problem.hi), total // problem.lo + 1, 2).tolist())

    def bound(price: float) -> float:
        least = float((curve[sizes] - price * sizes).min())
        return price * total + min(fewest * least, most * least)

    found = price_per_patient(problem, fewest, most)
    steps = np.geomspace(1e-6, 1e3, 200)
    assert all(bound(found) >= bound(found + d) - 1e-6 * abs(bound(found)) for d in (*steps, *-steps))


def kept_apart(**changes) -> PartitionProblem:
    """Three practices that must be kept apart, which no bound over sets of practices knows."""
    road = np.arange(3)
    problem = PartitionProblem(
        name="alliance",
        labels=("A", "B", "C"),
        weights=np.array([10, 11, 12]),
        owner=road.astype(np.int32),
        costs=20.0 * np.abs(road[:, None] - road[None, :]),
        curve=lambda patients: np.full(np.shape(patients), 100.0),
        lo=5,
        hi=23,
        edges=np.array([(0, 1), (1, 2)], dtype=np.int32),
        contiguous=False,
        apart=((0, 1), (1, 2), (0, 2)),
    )
    return replace(problem, **changes)


def test_more_bodies_may_be_allowed_than_there_are_units():
    found = solve(kept_apart(min_bodies=1, max_bodies=5), 1, replace(SMALL, branches=5))
    assert (found.objective, below(found.bound, 300.0)) == (300.0, True)


def test_a_number_of_bodies_that_no_partition_has_is_bounded_by_a_number_all_the_same():
    beyond = np.append(20.0 * np.abs(np.arange(4)[:, None] - np.arange(3)), [[INF], [INF], [INF], [0.0]], axis=1)
    follower = kept_apart(
        labels=("A", "B", "C", "D"),
        weights=np.array([10, 11, 12, 1]),
        owner=np.arange(4, dtype=np.int32),
        costs=beyond,
    )
    found = solve(follower, 1, replace(SMALL, rounds=4, branches=5, turns=0))
    assert found.objective == 320.0
    assert all(np.isfinite(branch.bound) for branch in found.branches), "a certificate must hold numbers"


def test_the_plain_bound_holds_and_needs_no_pricing():
    for k, w in some_worlds(0, 2):
        easy = plain(w.core)
        assert easy.fewest <= len(np.unique(w.best)) <= easy.most
        assert below(w.fixed + easy.bound, w.least), k
        assert below(easy.bound, bound_value(easy.of(w.core), easy.pi, price(w.tables, easy.pi).least)), k


# --- what is published -----------------------------------------------------------------------------------------------


def test_what_solve_publishes_holds_in_every_mixture_of_rules():
    wrong, solved, charged = [], 0, 0
    for k, w in some_worlds(0, EACH):
        told: list[Progress] = []
        found = solve(w.problem, 1, replace(SMALL, turns=k // EACH % 4), report=told.append)
        bodies = oracle.as_bodies(found.assignment)
        if not all(below(p.bound, w.least) for p in told):
            wrong.append((k, "told", max(p.bound for p in told), w.least))
        if not below(found.bound, w.least):
            wrong.append((k, "bound", found.bound, w.least))
        if oracle.broken_by(w.problem, bodies):
            wrong.append((k, oracle.broken_by(w.problem, bodies)))
        if found.objective < w.least - 1e-6 or found.objective != pytest.approx(oracle.cost(w.problem, bodies)):
            wrong.append((k, "objective", found.objective, w.least))
        if found.bound != pytest.approx(w.fixed + min(branch.bound for branch in found.branches)):
            wrong.append((k, "branches", found.bound))
        for branch in found.branches:
            again = reprice(w, branch, found.relaxation)
            if branch.bound > again + 1e-5 * max(1.0, abs(again)):
                wrong.append((k, "a branch", branch.bound, again))
            charged += len(branch.triples.charge) > 0
        solved += 1
    assert not wrong
    assert solved >= 80
    assert charged >= 3


@pytest.mark.parametrize("contiguous", [False, True])
def test_any_number_of_threads_publishes_the_same_bytes(contiguous):
    problem = random_problem((902, 1), units=40, contiguous=contiguous)
    problem = replace(problem, costs=np.where(np.isfinite(problem.costs), problem.costs, 5_000.0))
    answers = []
    for threads in (1, 2):
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        answers.append(solve(problem, 7, SMALL))
    one, two = answers
    assert one.assignment.tobytes() == two.assignment.tobytes()
    assert (one.objective, one.bound, one.relaxation) == (two.objective, two.bound, two.relaxation)
    for a, b in zip(one.branches, two.branches, strict=True):
        assert (a.fewest, a.most, a.bound, a.pi.tobytes()) == (b.fewest, b.most, b.bound, b.pi.tobytes())
        assert a.triples.units.tobytes() == b.triples.units.tobytes()
        assert a.triples.charge.tobytes() == b.triples.charge.tobytes()
