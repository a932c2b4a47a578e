"""The statutory four factors: worked out by hand, scored by the scenario's limits."""

from __future__ import annotations

import pytest

from optimiser.four_factors import four_factors
from optimiser.scenario import load_scenario
from tests import tiny

BASE = load_scenario("base")


def world():
    """Three bodies of 100,000, 200,000 and 300,000; one service many need, one that few do at one hospital."""
    practices = [tiny.practice(i, 100_000 * (i + 1)) for i in range(3)]
    services = [
        tiny.service("common", cases_per_1000=100.0, cost_per_case=200.0, case_cv=0.5),
        tiny.service("rare", cases_per_1000=0.04, cost_per_case=60_000.0, case_cv=0.8),
        tiny.service("unseen", cases_per_1000=1.0, cost_per_case=6_000.0),
        tiny.service("behaviour", cases_per_1000=0.0, cost_per_case=0.0, delegable=False),
    ]
    providers = [tiny.provider(code) for code in ("RA", "RB", "RC", "RD", "RE")]
    rows = [(i, p, 0, spend) for i in range(3) for p, spend in enumerate((4e6, 3e6, 2e6, 1e6, 1e4))]
    rows += [(i, 0, 1, 1e6) for i in range(3)]
    data = tiny.dataset(practices, services, providers, rows)
    return data, tiny.structure(data, {"consortium": [[0], [1], [2]]})


def test_each_factor_is_what_it_says_for_the_median_body():
    data, made = world()
    common, rare, unseen, behaviour = four_factors(data, BASE, made)
    assert (common.cases, rare.cases) == (20_000, 8)
    assert (common.providers, rare.providers, unseen.providers) == (4, 1, None), "a sliver of the spend is no provider"
    budget = 200_000 * (20.0 + 2.4 + 6.0)
    variance = 1.44 * 0.00004 * 60_000**2 * (1 + 0.8**2)
    assert rare.swing == pytest.approx((200_000 * variance) ** 0.5 / budget)
    assert behaviour.points == (0, 0, 0, 0)


def test_points_count_the_limits_passed():
    data, made = world()
    common, rare, unseen, _ = four_factors(data, BASE, made)
    assert common.points[:3] == (0, 0, 0)
    assert rare.points == (3, 3, 3, 3) and rare.total == 12
    assert unseen.points[:3] == (1, 2, 0), "what no flow shows gives no points"
    eased = BASE.model_copy(update={"rubric": BASE.rubric.model_copy(update={"cases": (5.0, 4.0, 3.0)})})
    assert four_factors(data, eased, made)[1].points == (0, 3, 3, 3)
