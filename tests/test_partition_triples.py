"""Charges on triples of units: priced by their definition, never lifting the bound above the best partition."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from optimiser.partition.connected import price_connected
from optimiser.partition.triples import Holding, Triples, broken
from tests import oracle
from tests.connected_worlds import WORLDS, grid, lagrangian, reduced_costs, sets_of, some_multipliers, tables_of, world


def some_triples(units: int, rng: np.random.Generator) -> Triples:
    """A few triples with charges, among them one that costs nothing."""
    every = np.array(list(combinations(range(units), 3)), dtype=np.int64).reshape(-1, 3)
    chosen = every[rng.permutation(len(every))[: int(rng.integers(0, 8))]]
    charge = rng.uniform(0, 150, len(chosen))
    charge[:1] = 0.0
    return Triples(chosen, charge)


def test_charges_are_priced_by_their_definition_and_keep_the_bound_below_the_best_partition():
    rng = np.random.default_rng(1)
    solved, due = 0, 0
    for k in range(0, len(WORLDS), 2):
        problem, core, fixed, kept = world(k)
        if core is None:
            continue
        sets, tables = sets_of(problem, core, kept), tables_of(core)
        least, answer = oracle.best(problem)
        for pi in some_multipliers(core, rng):
            triples = some_triples(core.units, rng)
            charges = list(zip(triples.units.tolist(), triples.charge.tolist(), strict=True))
            found = price_connected(tables, pi, triples=triples)
            free = price_connected(tables, pi)
            for j, costs in enumerate(reduced_costs(core, sets, pi, charges)):
                assert found.least[j] == pytest.approx(min(costs.values(), default=np.inf), rel=1e-9, abs=1e-6)
            due += int((found.least > free.least + 1.0).sum())
            if answer is not None:
                bound = lagrangian(core, pi, found.least, triples.charge) + fixed
                assert bound <= least + 1e-7 * max(1.0, abs(least)), WORLDS[k]
                solved += 1
    assert solved > 200
    assert due > 100, "charges that are never due test nothing"


def test_charges_keep_a_search_cut_short_below():
    rng = np.random.default_rng(2)
    problem = grid(2, side=6, hi=45_000)
    tables, pi = tables_of(problem), problem.weights * problem.cheapest_per_head() * 1.2
    near = np.array([(i, i + 1, i + 6) for i in range(29)], dtype=np.int64)
    triples = Triples(near, rng.uniform(0, 30_000, len(near)))
    whole = price_connected(tables, pi, sets=1_000_000, triples=triples)
    assert not whole.unfinished.any()
    for sets in (5, 20, 60):
        part = price_connected(tables, pi, sets=sets, triples=triples)
        assert (part.least <= whole.least + 1e-6).all()
        assert part.unfinished.any()


def test_three_halves_that_share_three_units_in_pairs_break_a_triple():
    bodies = [(0, 1, 5), (1, 2), (0, 2, 7), (5, 7)]
    assert broken(bodies, np.array([0.5, 0.5, 0.5, 0.5])) == [(0, 1, 2), (0, 5, 7)]
    assert broken(bodies[:3], np.array([0.5, 0.5, 0.0])) == []
    assert broken([(0, 1), (2, 3)], np.array([1.0, 1.0])) == []


def test_no_unit_joins_many_triples_at_one_time():
    rng = np.random.default_rng(3)
    bodies = [tuple(sorted(rng.choice(8, 3, replace=False).tolist())) for _ in range(40)]
    triples = broken(bodies, np.full(40, 0.5))
    assert triples
    assert np.bincount(np.ravel(triples)).max() <= 2
    assert len(set(triples)) == len(triples)


def test_who_holds_whom_is_kept_as_both_lists_grow():
    rng = np.random.default_rng(4)
    holding = Holding()
    found: set[tuple[int, int]] = set()
    for _ in range(200):
        units = tuple(sorted(rng.choice(12, int(rng.integers(1, 6)), replace=False).tolist()))
        if len(units) == 3 and rng.random() < 0.5:
            place = len(holding.triples)
            found |= {(place, body) for body in holding.add_triple(units)}
        else:
            place = len(holding.bodies)
            found |= {(triple, place) for triple in holding.add_body(units)}
    expected = {
        (t, b)
        for t, triple in enumerate(holding.triples)
        for b, body in enumerate(holding.bodies)
        if len(set(triple) & set(body)) >= 2
    }
    assert found == expected
    assert len(expected) > 100
