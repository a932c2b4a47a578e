"""Budgets by need: fair shares, distance from target, what is carried over, gainers and losers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.budgets import EQUAL, GIVEN, body_budgets, budgets, grouped
from optimiser.domain import Finance
from optimiser.scenario import load_scenario
from tests import tiny

BASE = load_scenario("base")
NEEDS = (1.2, 0.8, 1.0, 1.0)


def world(finances=(), patients=(10_000, 10_000, 10_000, 10_000), needs=NEEDS):
    """Four practices in a row; the first two are in PCT A today, the others in B."""
    data = tiny.dataset(
        [
            tiny.practice(i, p, need_index=n, existing={"consortium": "A" if i < 2 else "B"})
            for i, (p, n) in enumerate(zip(patients, needs, strict=True))
        ],
        [tiny.service("S")],
    )
    return replace(data, finances=tuple(finances)), tiny.structure(data, {"consortium": [[0, 1], [2, 3]]})


def test_fair_shares_follow_patients_and_need_and_sum_to_the_whole():
    data, _ = world()
    found = budgets(data, BASE)
    assert found.fair == pytest.approx(1_436 * 10_000 * np.array(NEEDS))
    assert found.fair.sum() == pytest.approx(1_436 * 40_000)
    assert found.basis == EQUAL and not found.known and np.isnan(found.today).all()


def test_a_body_of_today_shares_its_money_by_need_and_the_distance_is_from_a_fair_share():
    """A has £66m for half of the need, B £54m: 10 % above target and 10 % below."""
    data, built = world([Finance("A", 66e6, -3e6), Finance("B", 54e6, 1e6)])
    found = budgets(data, BASE)
    assert found.basis == GIVEN
    assert found.today == pytest.approx([39.6e6, 26.4e6, 27e6, 27e6])
    assert found.fair == pytest.approx([36e6, 24e6, 30e6, 30e6])
    west, east = body_budgets(found, built, "consortium")
    assert (west.distance, east.distance) == (pytest.approx(0.10), pytest.approx(-0.10))
    assert (west.inherited, east.inherited) == (pytest.approx(-3e6), pytest.approx(1e6))
    assert west.need == pytest.approx(1.0)


def test_who_gains_and_loses_when_practices_share_one_budget():
    """Practices bring £20m, £10m, £15m, £15m; the first two share £30m by need, 1.2 to 0.8."""
    data, built = world([Finance(f"P0{i}", m * 1e6, None) for i, m in enumerate((20, 10, 15, 15))])
    found = budgets(data, BASE)
    assert grouped(found, built, "consortium") == pytest.approx([18e6, 12e6, 15e6, 15e6])
    west, east = body_budgets(found, built, "consortium")
    assert (west.gainers, west.losers, west.moved) == (1, 1, pytest.approx(2e6))
    assert (east.gainers, east.losers, east.moved) == (0, 0, 0.0)
    assert west.inherited is None, "nobody says"


def test_grouping_moves_money_and_makes_none():
    rng = np.random.default_rng(1)
    data, built = world(
        [Finance(f"P0{i}", m, None) for i, m in enumerate(rng.uniform(5e6, 20e6, 4))], needs=rng.uniform(0.7, 1.4, 4)
    )
    found = budgets(data, BASE)
    after = grouped(found, built, "consortium")
    assert after[:2].sum() == pytest.approx(found.today[:2].sum()) and after[2:].sum() == pytest.approx(
        found.today[2:].sum()
    )


def test_without_finances_gains_are_counted_from_an_equal_amount_a_head_and_no_distance_is_claimed():
    data, built = world()
    west, east = body_budgets(budgets(data, BASE), built, "consortium")
    assert west.distance is None and west.today is None
    assert (west.gainers, west.losers) == (1, 1) and west.moved == pytest.approx(0.2 * 1_436 * 10_000)
    assert (east.gainers, east.losers) == (0, 0)


def test_what_is_known_of_some_is_said_of_them_only():
    data, built = world([Finance("A", 30e6, None)])
    found = budgets(data, BASE)
    west, east = body_budgets(found, built, "consortium")
    assert west.distance == pytest.approx(0.0) and east.distance is None and east.today is None
    assert east.fair == pytest.approx(30e6), "at the same amount for each weighted head"
    assert (east.gainers, east.losers, east.moved) == (0, 0, 0.0)


def test_a_practice_without_patients_has_no_share_and_nobody_at_all_is_an_error():
    data, built = world(patients=(10_000, 0, 0, 0))
    west, east = body_budgets(budgets(data, BASE), built, "consortium")
    assert west.fair == pytest.approx(1_436 * 10_000) and east.fair == 0.0
    assert east.need is None and east.distance is None
    empty, _ = world(patients=(0, 0, 0, 0))
    with pytest.raises(ValueError, match="no need-weighted population"):
        budgets(empty, BASE)
