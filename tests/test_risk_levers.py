"""Ways to bear luck other than size: each does what it says, and its ends make sense."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.errors import ScenarioError
from optimiser.risk import quantile
from optimiser.risk_levers import (
    Position,
    beyond_contingency,
    corridor,
    requirement,
    smoothed,
)
from tests.risk_books import RISK, catalogue

RUIN = 0.05


def body(people: float, shock: float = 0.0) -> Position:
    book = catalogue([people])
    budget = float(book.budget[0])
    return Position(budget, float(book.variance[0]) ** 0.5, shock * budget)


def pool_percentage(position: Position, ruin: float) -> float:
    return requirement(position, ruin) / position.budget


def test_the_pool_percentage_is_the_published_ladder() -> None:
    assert 100 * pool_percentage(body(100_000), RUIN) == pytest.approx(1.92, abs=0.006)
    assert 100 * pool_percentage(body(500_000), RUIN) == pytest.approx(0.86, abs=0.006)
    assert 100 * pool_percentage(body(100_000), 0.01) == pytest.approx(2.72, abs=0.006)
    assert 100 * pool_percentage(body(500_000, RISK.common_shock_sd), RUIN) == pytest.approx(1.19, abs=0.006)


def test_it_is_the_smallest_that_is_short_so_seldom() -> None:
    position = body(200_000, RISK.common_shock_sd)
    drawn = np.random.default_rng(3).normal(0, position.sd, 400_000)
    share = pool_percentage(position, RUIN) * position.budget
    assert (drawn > share).mean() == pytest.approx(RUIN, abs=0.0015)
    assert (drawn > 0.99 * share).mean() > RUIN


def test_three_years_of_ten_thousand_are_one_of_thirty_thousand() -> None:
    """Bachmann and Bevan (EVIDENCE part 4, row 6)."""
    small, large = smoothed(body(10_000), 3), body(30_000)
    assert small.luck / small.budget == pytest.approx(large.luck / large.budget)
    assert smoothed(body(10_000, 0.005), 3).shock == body(10_000, 0.005).shock
    assert smoothed(small, 1) == small


def test_a_corridor_shares_what_lies_beyond_it() -> None:
    position = body(30_000, RISK.common_shock_sd)
    whole = requirement(position, RUIN)
    edge = 0.02 * position.budget
    half = corridor(position, 0.02, 0.5, RUIN)
    assert half.requirement == pytest.approx(edge + (whole - edge) / 2)
    drawn = np.random.default_rng(3).normal(0, position.sd, 400_000)
    assert half.passed_on == pytest.approx(0.5 * np.maximum(drawn - edge, 0).mean(), rel=0.02)
    assert corridor(position, 0.02, 1.0, RUIN).requirement == pytest.approx(whole)
    assert corridor(position, 0.02, 1.0, RUIN).passed_on == 0
    assert corridor(position, 0.5, 0.0, RUIN).requirement == pytest.approx(whole)  # never reached
    nothing = corridor(position, 0.0, 0.0, RUIN)
    assert nothing.requirement == 0 and nothing.passed_on == pytest.approx(np.maximum(drawn, 0).mean(), rel=0.02)


def test_a_contingency_covers_its_part_and_never_more_than_all() -> None:
    position = body(100_000)
    assert beyond_contingency(position, 0.005, RUIN) == pytest.approx(
        requirement(position, RUIN) - 0.005 * position.budget
    )
    assert beyond_contingency(position, 0.5, RUIN) == 0
    assert requirement(position, 0.9) == 0  # a pool that may well fail needs nothing


def test_a_body_without_budget() -> None:
    nobody = Position(0.0, 0.0, 0.0)
    assert requirement(nobody, RUIN) == 0 and corridor(nobody, 0.02, 0.5, RUIN).passed_on == 0


@pytest.mark.parametrize(
    "asked",
    [
        lambda p: smoothed(p, 0),
        lambda p: corridor(p, -0.01, 0.5, RUIN),
        lambda p: corridor(p, 0.02, 1.5, RUIN),
        lambda p: requirement(p, 0.0),
        lambda p: requirement(p, 1.0),
    ],
)
def test_what_cannot_be_is_refused(asked) -> None:
    with pytest.raises(ScenarioError):
        asked(body(100_000))


def test_the_common_shock_is_never_averaged_away() -> None:
    position = body(1_000_000, 0.005)
    least = quantile(1 - RUIN) * position.shock
    assert requirement(smoothed(position, 10), RUIN) > least
    assert requirement(replace(position, luck=0.0), RUIN) == pytest.approx(least)
