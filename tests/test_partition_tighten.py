"""The linear programme that charges triples: its bound is never above the best partition, and close."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from optimiser.clock import Clock
from optimiser.partition.bound import starting_multipliers
from optimiser.partition.connected import price_connected
from optimiser.partition.search import starting_partition
from optimiser.partition.tighten import tighten
from tests import oracle
from tests.connected_worlds import WORLDS, grid, lagrangian, relaxation_of, tables_of, world


def test_tightening_never_passes_the_best_partition_and_mostly_reaches_it():
    rng = np.random.default_rng(5)
    solved, reached, charged = 0, 0, 0
    for k in range(0, len(WORLDS), 2):
        problem, core, fixed, kept = world(k)
        if core is None or problem.splits is not None or problem.apart:
            continue
        least, answer = oracle.best(problem)
        if answer is None:
            continue
        back = {int(unit): i for i, unit in enumerate(kept)}
        incumbent = np.empty(core.units, dtype=np.int32)
        for b, body in enumerate(body for body in answer if body[0] in back):
            incumbent[[back[u] for u in body]] = b
        start = starting_multipliers(core, incumbent) * rng.uniform(0.8, 1.2, core.multipliers)
        before = lagrangian(core, start, price_connected(tables_of(core), start).least) + fixed
        found = tighten(core, relaxation_of(core), start, incumbent, [], 30, Clock(), lambda bound: False)
        bound = found.bound + fixed
        again = price_connected(tables_of(core), found.pi, triples=found.triples).least
        assert lagrangian(core, found.pi, again, found.triples.charge) == pytest.approx(found.bound)
        assert before - 1e-6 <= bound <= least + 1e-7 * max(1.0, abs(least)), WORLDS[k]
        assert {tuple(np.flatnonzero(incumbent == b).tolist()) for b in np.unique(incumbent)} <= set(found.bodies)
        solved, reached = solved + 1, reached + (bound >= least - 1e-5 * abs(least))
        charged += bool((found.triples.charge > 0).any())
    assert solved > 30
    assert reached > 0.9 * solved
    assert charged > 3


def test_tightening_raises_what_multipliers_alone_cannot():
    problem = grid(11, side=7, hi=45_000)
    incumbent = starting_partition(problem).astype(np.int32)
    start = starting_multipliers(problem, incumbent)
    seen: list[float] = []
    found = tighten(
        problem, relaxation_of(problem), start, incumbent, [], 40, Clock(), lambda bound: bool(seen.append(bound))
    )
    assert seen == sorted(seen)
    assert len(found.triples.charge)
    assert (found.triples.charge >= 0).all()
    alone = price_connected(tables_of(problem), found.pi).least
    assert found.bound > lagrangian(problem, found.pi, alone)
    assert seen[0] < found.bound <= problem.objective(incumbent)


def test_tightening_stops_when_told_or_when_there_is_no_time():
    problem = grid(11, side=7, hi=45_000)
    incumbent = starting_partition(problem).astype(np.int32)
    start, relaxation = starting_multipliers(problem, incumbent), relaxation_of(problem)
    before = lagrangian(problem, start, price_connected(tables_of(problem), start, sets=1_000_000).least)
    asked: list[float] = []
    told = tighten(
        problem,
        relaxation,
        start,
        incumbent,
        [],
        40,
        Clock(),
        lambda bound: bool(asked.append(bound)) or len(asked) > 2,
    )
    assert len(asked) == 3
    assert told.bound >= before
    late = tighten(problem, relaxation, start, incumbent, [], 40, Clock(stop=lambda: True), lambda bound: False)
    assert late.bound == pytest.approx(before)
    assert not len(late.triples.charge)


def test_any_number_of_threads_gives_the_same_bytes():
    problem = grid(12, side=7, hi=45_000)
    incumbent = starting_partition(problem).astype(np.int32)
    start = starting_multipliers(problem, incumbent)
    before, answers = numba.get_num_threads(), []
    try:
        for threads in (1, 2):
            numba.set_num_threads(min(threads, before))
            answers.append(
                tighten(problem, relaxation_of(problem), start, incumbent, [], 10, Clock(), lambda bound: False)
            )
    finally:
        numba.set_num_threads(before)
    one, two = answers
    assert one.pi.tobytes() == two.pi.tobytes()
    assert one.triples.charge.tobytes() == two.triples.charge.tobytes()
    assert (one.bound, one.bodies) == (two.bound, two.bodies)
