"""Charges that hold bodies together: below every set in one piece, checked by anyone, and they do raise bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from optimiser.partition.bound import bound_value, last_counted, price
from optimiser.partition.budget import Budget
from optimiser.partition.lines import MOST, WIDEST, Line
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.solve import solve
from tests import oracle
from tests.bound_worlds import (
    EACH,
    World,
    below,
    in_one_piece,
    least_by_trying,
    some_multipliers,
    tables_of,
    with_charges,
    worlds,
)
from tests.connected_worlds import grid

pytestmark = pytest.mark.usefixtures("one_thread")
INF = np.inf
NEAR = 2e-6  # £: the tolerance of pricing, and rounding
CUTS = (0.0, 40.0, -450.0)


def touching(first: int = 0, every: int = 1) -> Iterator[tuple[int, World]]:
    """(k, world) of those whose bodies must touch."""
    return ((k, w) for k, w in worlds(first, every) if w.core.contiguous)


def parts(core: PartitionProblem, due: Line) -> bool:
    """Whether no path of candidates leads from the centre's own unit to the one charged past those held."""
    candidates = set(np.flatnonzero(np.isfinite(core.costs[:, due.centre])).tolist())
    own, barred = int(core.owner[due.centre]), set(due.held)
    reached, more = set(), {own}
    while more:
        reached |= more
        ends = {b for a, b in core.edges.tolist() if a in more} | {a for a, b in core.edges.tolist() if b in more}
        more = (ends & candidates) - barred - reached
    return {own, due.units[0]} <= candidates - barred and due.units[0] not in reached


# --- against every set -----------------------------------------------------------------------------------------------


def test_sets_in_one_piece_are_those_of_the_oracle():
    for k, w in touching(0, 13):
        kept = set_aside(w.problem)[2].kept
        sets = (np.arange(1, 2**w.core.units)[:, None] >> np.arange(w.core.units) & 1) > 0
        expected = [oracle.in_one_piece(w.problem, tuple(kept[s].tolist())) for s in sets]
        assert in_one_piece(w.core, sets).tolist() == expected, k


def test_charges_lift_no_least_above_every_set_in_one_piece_nor_lower_one():
    rng = np.random.default_rng(1)
    raised = 0
    for k, w in touching():
        for pi in some_multipliers(w.core, w.best, rng):
            anyhow, together = least_by_trying(w.core, pi), least_by_trying(w.core, pi, touching=True)
            for cut in CUTS:
                least = price(w.tables, pi, cut).least
                assert below(least, together + NEAR), (k, cut)
                assert (least >= np.minimum(cut, anyhow) - NEAR).all(), (k, cut)
                assert below(price(w.tables, pi, cut, nodes=3).least, together + NEAR), (k, cut)
                raised += int((least > anyhow + 1.0)[anyhow < cut].sum())
    assert raised > 1_000, "charges that lift nothing test nothing"


def test_anyone_gets_the_bound_from_the_charges_by_trying_every_set():
    rng = np.random.default_rng(2)
    number = exact = 0
    for k, w in touching(1, 2):
        for pi in some_multipliers(w.core, w.best, rng):
            for cut in CUTS:
                for nodes in (2_000, 3):
                    found = price(w.tables, pi, cut, nodes=nodes)
                    again = least_by_trying(with_charges(w.core, found.lines()), pi)
                    assert (again >= found.least - NEAR).all(), (k, cut, nodes)
                    number += len(found.lines())
                    if nodes > 3:
                        cheap = found.least < cut - NEAR
                        exact += int(cheap.sum())
                        assert found.least[cheap] == pytest.approx(again[cheap], rel=1e-9, abs=NEAR), (k, cut)
                    for due in found.lines():
                        assert 0 < due.charge < INF, (k, due)
                        assert len(due.held) <= WIDEST, (k, due)
                        assert parts(w.core, due), (k, due)
    assert number > 1_000
    assert exact > 1_000


def test_the_bound_rises_where_bodies_must_touch_and_stays_below_the_best_partition():
    rng = np.random.default_rng(3)
    higher = total = 0
    for k, w in touching():
        if w.best is None:
            continue
        for pi in some_multipliers(w.core, w.best, rng):
            loose = price(w.tables, pi)
            cut = max(0.0, last_counted(w.core, loose.least)) + 50.0 * w.core.counted
            bound, free = (bound_value(w.core, pi, least) for least in (price(w.tables, pi, cut).least, loose.least))
            assert below(w.fixed + bound, w.least), k
            assert below(free, bound + 1e-5), k
            higher, total = higher + (bound > free + 1.0), total + 1
    assert higher > total / 10, "contiguity should tell in these worlds"


def test_nothing_is_charged_where_bodies_need_not_touch():
    rng = np.random.default_rng(4)
    for _, w in worlds(0, 3):
        if not w.core.contiguous:
            assert price(w.tables, next(some_multipliers(w.core, w.best, rng)), 0.0).lines() == ()


def test_more_separators_than_there_is_room_for_hold_what_they_prove():
    problem = grid(5, side=8, hi=200_000)
    pi = problem.weights * problem.cheapest_per_head() * np.random.default_rng(5).uniform(0.4, 2.2, problem.units)
    free = price(tables_of(problem), pi).least
    cut = float(np.median(free)) + 60_000
    found = price(tables_of(problem), pi, cut, tolerance=1.0)
    again = price(tables_of(with_charges(problem, found.lines())), pi, nodes=20_000).least
    assert below(found.least, again + 1.0)
    assert (found.least > free + 100.0).sum() > problem.units / 2
    assert all(parts(problem, due) for due in found.lines())
    assert max(len(due.held) for due in found.lines()) > 5
    assert found.shifts.number.max() == MOST


# --- worlds whose answers can be read off ----------------------------------------------------------------------------

MADE = {  # value of each unit, less 200 for the body; who touches whom; r by centre over all sets, and in one piece
    "a dear unit between two rich ones": ([-60, 100, -150], [(0, 1), (1, 2)], [-10, 90, -10], [90, 90, 50]),
    "a peninsula": (
        [-20, 70, 60, -240],
        [(0, 1), (1, 2), (2, 3)],
        [-60, 10, 0, -60],
        [70, 70, 20, -40],
    ),
    "two ways round": (
        [-10, 100, 120, -210],
        [(0, 1), (0, 2), (1, 3), (2, 3)],
        [-20, 80, 100, -20],
        [80, 80, 100, -10],
    ),
    "a ring": ([-30, 60, 60, -190], [(0, 1), (1, 2), (2, 3), (3, 0)], [-20, 40, 40, -20], [-20, 40, 40, -20]),
    "a ring with a missing link": (
        [-30, 60, 60, -190],
        [(0, 1), (1, 2), (2, 3)],
        [-20, 40, 40, -20],
        [100, 100, 70, 10],
    ),
    "an island": ([-60, 30, -300], [(0, 1)], [-160, -130, -160], [140, 170, -100]),
}


def by_value(values, edges) -> tuple[PartitionProblem, np.ndarray]:
    """Units of ten patients that cost nothing and bodies that cost £200, with multipliers that make units worth the
    values."""
    n = len(values)
    problem = PartitionProblem(
        name="consortium",
        labels=tuple("ABCDE"[:n]),
        weights=np.full(n, 10),
        owner=np.arange(n, dtype=np.int32),
        costs=np.zeros((n, n)),
        curve=lambda patients: np.full(np.shape(patients), 200.0),
        lo=10,
        hi=10 * n,
        edges=np.array(edges, dtype=np.int32),
        contiguous=True,
    )
    return problem, -np.array(values, dtype=float)


@pytest.mark.parametrize("name", MADE)
def test_a_body_pays_for_what_lies_between(name):
    values, edges, anyhow, together = MADE[name]
    problem, pi = by_value(values, edges)
    assert least_by_trying(problem, pi).tolist() == anyhow
    assert least_by_trying(problem, pi, touching=True).tolist() == together
    tables = tables_of(problem)
    assert price(tables, pi).least == pytest.approx(anyhow, abs=NEAR)
    for j, value in enumerate(together):
        found = price(tables, pi, cut=float(value))
        assert found.least[j] == pytest.approx(value, abs=NEAR), j
        assert any(due.centre == j for due in found.lines()) == (value > anyhow[j]), j


def test_the_charge_on_a_rich_unit_pays_for_the_dear_one_on_the_way():
    values, edges, _, _ = MADE["a dear unit between two rich ones"]
    problem, pi = by_value(values, edges)
    for centre, rich, least, low, high in ((0, 2, 90.0, 100, 150), (2, 0, 50.0, 60, 100)):
        due = next(due for due in price(tables_of(problem), pi, cut=least).lines() if due.centre == centre)
        assert (due.units[0], due.held) == (rich, (1,))
        assert low - NEAR <= due.charge <= high + NEAR, "less lets the dear one be skipped, more makes it worth taking"


# --- what is published -----------------------------------------------------------------------------------------------


def test_what_solve_publishes_of_touching_sets_holds(monkeypatch):
    monkeypatch.setattr("optimiser.partition.connected.FEW_UNITS", 0)  # no problem is small enough to meet every set
    budget = Budget(moves=500, rounds=12, branches=3, gap=0.0, seconds=30)
    charged = branches = 0
    for k, w in touching(3, 2 * EACH):
        if w.best is None:
            continue
        found = solve(w.problem, 1, replace(budget, turns=k // EACH % 4))
        assert found.relaxation == "touching sets"
        assert below(found.bound, w.least), k
        assert found.bound == pytest.approx(w.fixed + min(branch.bound for branch in found.branches)), k
        for branch in found.branches:
            least = least_by_trying(with_charges(w.core, branch.lines), branch.pi)
            again = bound_value(branch.of(w.core), branch.pi, least)
            assert branch.bound <= again + 1e-5 * max(1.0, abs(again)), k
            charged += len(branch.lines) > 0
        branches += len(found.branches) > 1
    assert charged >= 3
    assert branches >= 3
