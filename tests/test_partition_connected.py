"""Pricing of connected bodies against their definition, and the bound it gives against brute force."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest

from optimiser.partition.connected import price_connected, suits
from optimiser.partition.problem import PartitionProblem
from tests import oracle
from tests.connected_worlds import WORLDS, grid, lagrangian, reduced_costs, sets_of, some_multipliers, tables_of, world
from tests.partition_worlds import random_problem


def test_what_it_prices_is_its_definition():
    rng = np.random.default_rng(1)
    compared, without = 0, 0
    for k in range(len(WORLDS)):
        problem, core, _, kept = world(k)
        if core is None:
            continue
        sets, tables = sets_of(problem, core, kept), tables_of(core)
        for pi in some_multipliers(core, rng):
            found = price_connected(tables, pi)
            assert not found.unfinished.any()
            for j, costs in enumerate(reduced_costs(core, sets, pi)):
                least = min(costs.values(), default=np.inf)
                assert found.least[j] == pytest.approx(least, rel=1e-9, abs=1e-6), (WORLDS[k], j)
                body = tuple(found.body(j).tolist())
                assert (costs[body] == pytest.approx(least, rel=1e-9, abs=1e-6)) if costs else body == ()
                compared, without = compared + 1, without + (not costs)
    assert compared > 3_000
    assert without > 100


def test_the_best_bodies_of_a_centre_are_all_met_below_the_cut():
    rng = np.random.default_rng(2)
    met = 0
    for k in range(0, len(WORLDS), 3):
        problem, core, _, kept = world(k)
        if core is None:
            continue
        sets, pi = sets_of(problem, core, kept), next(some_multipliers(core, rng))
        every = reduced_costs(core, sets, pi)
        values = sorted(v for costs in every for v in costs.values())
        cut = values[len(values) // 2] + 1e-3 if values else 0.0
        found = price_connected(tables_of(core), pi, cut, most=4)
        for j, costs in enumerate(every):
            least = sorted(v for v in costs.values() if v < cut)[:4]
            assert np.sort(found.cost[j])[: len(least)] == pytest.approx(least)
            assert np.isinf(np.sort(found.cost[j])[len(least) :]).all()
            assert found.least[j] == pytest.approx(
                min(least, default=cut if np.isfinite(core.costs[core.owner[j], j]) else np.inf)
            )
            met += len(least)
        bodies = found.bodies()
        assert bodies == sorted(set(bodies))
        assert set(bodies) <= {body for costs in every for body, v in costs.items() if v < cut}
    assert met > 1_000


def test_the_bound_is_below_the_best_partition_and_not_below_the_one_over_all_sets():
    rng = np.random.default_rng(3)
    solved, higher = 0, 0
    for k in range(len(WORLDS)):
        problem, core, fixed, _ = world(k)
        if core is None:
            continue
        least, answer = oracle.best(problem)
        if answer is None:
            continue
        for pi in some_multipliers(core, rng):
            bound = lagrangian(core, pi, price_connected(tables_of(core), pi).least) + fixed
            loose = oracle.bound_by_definition(replace(core, splits=None), pi) + fixed
            assert bound <= least + 1e-7 * max(1.0, abs(least)), WORLDS[k]
            assert bound >= loose - 1e-7 * max(1.0, abs(loose)), WORLDS[k]
            higher += bound > loose + 1.0
        solved += 1
    assert solved > 150
    assert higher > 60, "contiguity should tell in these worlds"


def test_a_cheaper_partition_is_made_of_the_bodies_within_the_gap():
    rng = np.random.default_rng(5)
    complete, fewer = 0, 0
    for k in range(len(WORLDS)):
        problem, core, fixed, kept = world(k)
        if core is None or problem.min_bodies is not None or problem.splits is not None:
            continue
        least, answer = oracle.best(problem)
        if answer is None:
            continue
        tables, pi = tables_of(core), next(some_multipliers(core, rng))
        bound = lagrangian(core, pi, price_connected(tables, pi).least) + fixed
        found = price_connected(tables, pi, least - bound + 1e-6, most=300)
        assert found.complete()
        back = {int(unit): i for i, unit in enumerate(kept)}
        assert {tuple(back[u] for u in body) for body in answer if body[0] in back} <= set(found.bodies()), WORLDS[k]
        complete, fewer = complete + 1, fewer + (len(found.bodies()) < len(sets_of(problem, core, kept)))
        few = price_connected(tables, pi, most=1)
        assert few.complete() == (few.held[:, 0] == 0).all()
    assert complete > 40
    assert fewer > 20


def test_a_search_cut_short_bounds_from_below_and_says_so():
    rng = np.random.default_rng(4)
    short, loose = 0, 0
    for k in range(0, len(WORLDS), 3):
        _, core, _, _ = world(k)
        if core is None:
            continue
        tables = tables_of(core)
        for pi in some_multipliers(core, rng):
            whole = price_connected(tables, pi)
            for sets in (1, 3, 10):
                part = price_connected(tables, pi, sets=sets)
                assert (part.tried <= sets).all()
                assert (part.least <= whole.least + 1e-6).all()
                assert part.least[~part.unfinished] == pytest.approx(whole.least[~part.unfinished])
                short += int(part.unfinished.sum())
                loose += int((part.least < whole.least - 1e-6).sum())
    assert short > 500
    assert loose > 100, "a search that is never short of sets tests nothing"


def test_patients_by_the_thousand_are_priced_to_the_patient():
    for seed in range(12):
        problem = grid(seed, side=5, hi=40_000)
        tables = tables_of(problem)
        pi = problem.weights * problem.cheapest_per_head() * np.random.default_rng(seed).uniform(0.8, 1.4, 25)
        found = price_connected(tables, pi, most=3)
        for j, costs in enumerate(reduced_costs(problem, grown(problem), pi)):
            least = sorted(costs.values())[:3]
            assert np.sort(found.cost[j])[: len(least)] == pytest.approx(least, rel=1e-12)


def test_any_number_of_threads_gives_the_same_bytes():
    problem = grid(7, side=9, hi=60_000)
    tables, pi = tables_of(problem), grid(7, side=9, hi=60_000).weights * 9.0
    before, answers = numba.get_num_threads(), []
    try:
        for threads in (1, 2):
            numba.set_num_threads(min(threads, before))
            answers.append(price_connected(tables, pi, most=3, sets=300))
    finally:
        numba.set_num_threads(before)
    assert answers[0].unfinished.any()
    assert not answers[0].unfinished.all()
    assert [field.tobytes() for field in answers[0]] == [field.tobytes() for field in answers[1]]


def test_a_body_of_small_units_fills_up_to_the_brim():
    problem = grid(3, side=6, hi=40_000, weights=np.full(36, 1_000))
    found = price_connected(tables_of(problem), np.full(36, 1e6), sets=2_000)
    assert max(len(found.body(j)) for j in range(36)) == 36, "40 units of weight 1,000 would fit, and there are 36"
    tight = grid(3, side=6, hi=5_500, weights=np.full(36, 1_000))
    found = price_connected(tables_of(tight), np.full(36, 1e6))
    assert {len(found.body(j)) for j in range(36)} == {5}


def test_it_suits_bodies_of_few_units_that_must_touch():
    small, large = grid(1, side=5, hi=40_000), grid(1, side=5, hi=400_000)
    assert suits(small)
    assert not suits(large)
    loose = random_problem(1, contiguous=False)
    assert not suits(loose)


def grown(problem: PartitionProblem) -> list[tuple[int, ...]]:
    """Every connected set of at most hi patients, grown a unit at a time; the order of growth is forgotten."""
    touching: dict[int, set[int]] = {i: set() for i in range(problem.units)}
    for a, b in problem.edges.tolist():
        touching[a].add(b)
        touching[b].add(a)
    layer = {frozenset([i]) for i in range(problem.units)}
    found: set[frozenset[int]] = set()
    while layer:
        found |= layer
        wider = {s | {v} for s in layer for u in s for v in touching[u] - s}
        layer = {s for s in wider if sum(int(problem.weights[i]) for i in s) <= problem.hi}
    return [tuple(sorted(s)) for s in found]
