"""Pools: what they hold, fair and flat contributions, and whether anybody would be better off outside."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser.errors import ScenarioError
from optimiser.risk import quantile
from optimiser.risk_pool import Game, objection, transfers
from tests.risk_books import RISK, catalogue

Z = quantile(0.95)


def pool(people: list[float], shock: float = 0.0) -> Game:
    book = catalogue(people)
    return Game(book.variance, book.budget, shock, Z)


def brute_force(game: Game, paid: np.ndarray) -> float:
    """What the coalition that gains most would gain, by trying all of them one by one."""
    members = range(len(paid))
    gains = [
        sum(paid[i] for i in s)
        - Z * (sum(game.variance[i] for i in s) + (game.shock * sum(game.budget[i] for i in s)) ** 2) ** 0.5
        for k in range(1, len(paid) + 1)
        for s in combinations(members, k)
    ]
    return max(gains)


def test_five_bodies_of_a_hundred_thousand() -> None:
    """EVIDENCE 2.1.2: 1.92 % alone, 0.86 % together; with the common shock visibly less is saved."""
    apart, shaken = pool([100_000] * 5), pool([100_000] * 5, RISK.common_shock_sd)
    share = [100 * pounds / apart.budget.sum() for pounds in (apart.alone.sum(), apart.held)]
    assert share == pytest.approx([1.92, 0.86], abs=0.006)
    with_shock = [100 * pounds / shaken.budget.sum() for pounds in (shaken.alone.sum(), shaken.held)]
    assert with_shock == pytest.approx([2.09, 1.19], abs=0.006)
    assert shaken.held / shaken.alone.sum() > apart.held / apart.alone.sum() + 0.1
    assert apart.flat == pytest.approx(apart.fair)


games = st.lists(st.tuples(st.floats(0, 1e13), st.floats(1, 1e9)), min_size=1, max_size=7)


@given(games, st.sampled_from([0.0, 0.005, 0.05]))
def test_paying_for_the_risk_one_adds_is_in_the_core(members: list[tuple[float, float]], shock: float) -> None:
    variance, budget = np.array(members).T
    game = Game(variance, budget, shock, Z)
    assert game.fair.sum() == pytest.approx(game.held)
    assert objection(game, game.fair).members == ()
    assert brute_force(game, game.fair) <= 1e-6 * game.held + 1e-6


@given(games, st.sampled_from([0.0, 0.005]))
def test_the_objection_is_the_one_that_gains_most(members: list[tuple[float, float]], shock: float) -> None:
    variance, budget = np.array(members).T
    game = Game(variance, budget, shock, Z)
    found = objection(game, game.flat)
    most = brute_force(game, game.flat)
    assert found.gain == pytest.approx(max(0.0, most), abs=1e-6 * max(game.held, 1.0))
    assert found.every and found.tried == 2 ** len(members) - 1


@given(games, st.sampled_from([0.0, 0.02]))
def test_in_large_pools_an_objection_to_a_flat_percentage_is_found_where_there_is_one(
    members: list[tuple[float, float]], shock: float
) -> None:
    variance, budget = np.array(members).T
    game = Game(variance, budget, shock, Z)
    quick, most = objection(game, game.flat, most=0), brute_force(game, game.flat)
    assert not quick.every
    assert quick.gain <= max(0.0, most) + 1e-6 * game.held
    if most > 1e-6 * game.held + 1e-3:
        assert quick.members
    if shock == 0:
        assert quick.gain == pytest.approx(max(0.0, most), abs=1e-6 * max(game.held, 1.0))


def test_a_flat_percentage_makes_the_steady_pay_for_the_others_until_they_leave() -> None:
    steady, risky = 4e10, 4e12  # £²: the same budget, a tenth of the luck
    game = Game(np.array([steady, risky, risky]), np.array([1e8] * 3), 0.0, Z)
    found = objection(game, game.flat)
    assert found.members == (0,) and found.gain == pytest.approx(game.flat[0] - game.alone[0])
    paid = transfers(game.flat, game.fair)
    assert {(a, b) for a, b, _ in paid} == {(0, 1), (0, 2)}
    assert sum(p for *_, p in paid) == pytest.approx(game.flat[0] - game.fair[0])


def test_large_pools_with_fair_contributions_keep_everybody() -> None:
    people = np.random.default_rng(4).uniform(50_000, 600_000, 60).tolist()
    game = pool(people, RISK.common_shock_sd)
    assert objection(game, game.fair).members == ()
    assert game.fair.sum() == pytest.approx(game.held) and (game.fair < game.alone).all()


def test_pools_of_one_of_nobody_and_without_budget() -> None:
    alone = pool([100_000], 0.005)
    assert alone.held == pytest.approx(alone.alone[0]) == pytest.approx(alone.flat[0]) == pytest.approx(alone.fair[0])
    assert objection(alone, alone.flat).members == () and transfers(alone.flat, alone.fair) == ()
    empty = Game(np.zeros(2), np.zeros(2), 0.005, Z)
    assert empty.held == 0 and empty.flat.tolist() == empty.fair.tolist() == [0, 0]
    assert objection(empty, empty.flat).members == ()
    with pytest.raises(ScenarioError, match="without members"):
        Game(np.zeros(0), np.zeros(0), 0.0, Z)
    with pytest.raises(ScenarioError, match="below zero"):
        Game(np.array([-1.0]), np.array([1.0]), 0.0, Z)
