"""The closed form reproduces the published and derived figures of EVIDENCE 2.1."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.catalogue import services
from optimiser import risk
from optimiser.errors import ScenarioError
from optimiser.scenario import load_scenario

RISK = load_scenario("base").risk

# population, sd %, P(> 1 %), reserve 95 %, reserve 99 %, £m at £1,612 a head (EVIDENCE 2.1.2)
LADDER = [
    (10_000, 3.70, None, 6.09, 8.61, 0.98),
    (30_000, 2.14, 32, 3.51, 4.97, 1.70),
    (50_000, 1.66, None, 2.72, 3.85, 2.19),
    (100_000, 1.17, 20, 1.92, 2.72, 3.10),
    (200_000, 0.83, None, 1.36, 1.92, 4.39),
    (300_000, 0.68, 7, 1.11, 1.57, 5.37),
    (500_000, 0.52, 2.8, 0.86, 1.22, 6.94),
    (1_000_000, 0.37, 0.3, 0.61, 0.86, 9.81),
    (5_000_000, 0.17, 0, 0.27, 0.38, 21.94),
]


@pytest.mark.parametrize(("row", "rung"), list(zip(LADDER, risk.ladder(RISK, budget_per_head=1_612), strict=True)))
def test_the_ladder_is_the_evidence_table(row, rung):
    population, sd, over_1, r95, r99, pool = row
    assert rung.population == population
    assert 100 * rung.sd == pytest.approx(sd, abs=0.0055)  # the table rounds 1.6547 up
    assert 100 * rung.reserve_95 == pytest.approx(r95, abs=0.0051)
    assert 100 * rung.reserve_99 == pytest.approx(r99, abs=0.0051)
    assert rung.reserve_gbp / 1e6 == pytest.approx(pool, abs=0.0051)
    if over_1 is not None:
        assert 100 * rung.over_1_percent == pytest.approx(over_1, abs=0.5)


def test_published_deficit_risk():
    """McKinsey 2010 (EVIDENCE part 4, row 2), ± 1 point."""
    got = [
        100 * float(risk.probability_overspend(n, t, RISK))
        for n, t in ((1e5, 0.02), (1e5, 0.01), (3e5, 0.01), (1e6, 0.01))
    ]
    assert got == pytest.approx([4, 20, 6, 0], abs=1.0)


def test_medicare_shared_savings_rows():
    """CMS and DeLia (EVIDENCE part 4, row 1) at their own person-level variation."""
    medicare = RISK.model_copy(update={"cv_person": 2.13})
    shares = [float(risk.reserve_share(n, medicare, c)) for n, c in ((5_000, 0.90), (20_000, 0.95), (50_000, 0.99))]
    assert [100 * s for s in shares] == pytest.approx([3.9, 2.5, 2.2], abs=0.05)
    false = risk.probability_overspend(np.array([5_000, 50_000]), 0.02, medicare)
    assert false == pytest.approx([0.25, 0.02], abs=0.02)


def test_mental_health_budgets():
    """Asthana 2011 (EVIDENCE part 4, row 5): overspends of 5 % among 500 and 600 consortia."""
    mental = RISK.model_copy(update={"cv_person": 8.6})
    expected = np.array([500, 600]) * risk.probability_overspend(np.array([104_000, 87_000]), 0.05, mental)
    assert expected == pytest.approx([15, 26], abs=3)


def test_the_common_shock_does_not_pool():
    sd = risk.overspend_sd(np.array([300_000, 1_000_000]), RISK, common_shock=True)
    assert 100 * sd == pytest.approx([0.84, 0.62], abs=0.005)


def test_nobody_has_no_luck_and_fewer_than_nobody_is_an_error():
    assert np.isnan(risk.overspend_sd(0, RISK)) and risk.probability_overspend(0, 0.02, RISK) == 0
    with pytest.raises(ValueError, match="population of -5"):
        risk.overspend_sd([100_000, -5], RISK)


@pytest.mark.parametrize("key", ["rule_probability", "reserve_confidence"])
def test_a_rule_that_half_of_all_years_break_is_none(key):
    with pytest.raises(ScenarioError, match=key):
        load_scenario("base", {f"risk.{key}": 0.5})


def test_pooling_pays_by_the_square_root():
    alone = 5 * risk.reserve(100_000, RISK)
    assert risk.reserve(500_000, RISK) == pytest.approx(alone / 5**0.5)
    assert risk.reserve(100_000, RISK) / 100_000 == pytest.approx(27.6, abs=0.1)
    assert risk.reserve(np.array([1e5, 4e5]), RISK)[1] == pytest.approx(2 * risk.reserve(100_000, RISK))


def test_the_catalogue_agrees_with_the_person_level_figure():
    """EVIDENCE 2.1.3: 54 services sum to CV 3.08 before over-dispersion, 3.7 after it."""
    catalogue = services()
    variance = risk.variance_per_head(catalogue, RISK)
    assert (variance / RISK.overdispersion) ** 0.5 / RISK.budget_per_head == pytest.approx(3.08, abs=0.01)
    some = risk.variance_per_head(catalogue[:20], RISK) + risk.variance_per_head(catalogue[20:], RISK)
    assert some == pytest.approx(variance)


def test_the_risk_rule_turns_at_about_a_hundred_thousand_people():
    n = risk.smallest_passing(RISK)
    assert 90_000 < n < 100_000
    assert list(risk.passes_rule(np.array([n * 0.99, n * 1.01]), RISK)) == [False, True]
