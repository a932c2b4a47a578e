"""What luck costs, service by service: the same variance as the closed form, and what a stop-loss leaves of it."""

from __future__ import annotations

import numpy as np
import pytest

from geodata.catalogue import services
from optimiser import risk
from optimiser.errors import ScenarioError
from optimiser.risk_model import limited_moments, percentile_of_case, stop_loss
from tests.risk_books import RISK, catalogue, one


def test_the_variance_is_what_the_optimiser_is_charged_for() -> None:
    book = catalogue([50_000, 300_000])
    assert book.variance == pytest.approx(risk.variance_per_head(services(), RISK) * book.people)
    assert book.sd_share == pytest.approx(risk.overspend_sd(book.people, RISK), rel=0.005)
    assert book.budget == pytest.approx(book.people * RISK.budget_per_head, rel=0.001)


def test_counts_are_dispersed_so_that_cost_is() -> None:
    """Var(S) = mean count × (severity variance + count dispersion × mean²) must be φ λ m² (1 + c²)."""
    book = catalogue([100_000])
    by_parts = book.cases @ (book.cost**2 * book.cv**2) + (book.cases * book.count_dispersion) @ book.cost**2
    assert by_parts == pytest.approx(book.variance)
    assert (book.count_dispersion >= 1).all()


def test_bodies_together_vary_as_the_sum_of_their_variances() -> None:
    book = catalogue([100_000] * 5)
    whole = book.grouped(["all", "nobody"], [range(5), []])
    assert whole.variance[0] == pytest.approx(book.variance.sum())
    assert whole.people.tolist() == [500_000, 0]
    assert whole.budget[1] == whole.variance[1] == 0 and np.isnan(whole.sd_share[1])


@pytest.mark.parametrize("cv", [0.0, 0.3, 0.9, 1.0, 1.5, 3.0])
@pytest.mark.parametrize("most", [200.0, 1_000.0, 20_000.0])
def test_capped_costs_have_the_moments_of_a_million_capped_draws(cv: float, most: float) -> None:
    random, mean = np.random.default_rng(5), 1_000.0
    if cv == 0:
        drawn = np.full(10, mean)
    elif cv <= 1:
        drawn = random.gamma(1 / cv**2, mean * cv**2, 1_000_000)
    else:
        spread = np.sqrt(np.log1p(cv**2))
        drawn = random.lognormal(np.log(mean) - spread**2 / 2, spread, 1_000_000)
    first, second = limited_moments(mean, cv, most)
    capped = np.minimum(drawn, most)
    assert float(first) == pytest.approx(capped.mean(), rel=0.01)
    assert float(second) == pytest.approx((capped**2).mean(), rel=0.02)
    if cv:
        assert (drawn < float(percentile_of_case([mean], [cv], 0.99)[0])).mean() == pytest.approx(0.99, abs=0.001)


def test_a_stop_loss_of_everything_and_of_nothing() -> None:
    book = catalogue([100_000])
    everything, nothing = stop_loss(book, 0.0), stop_loss(book, np.inf)
    assert everything.kept[0] == everything.kept_variance[0] == 0
    assert everything.ceded == pytest.approx(book.budget) and everything.ceded_variance == pytest.approx(book.variance)
    assert nothing.kept == pytest.approx(book.budget) and nothing.kept_variance == pytest.approx(book.variance)
    assert nothing.ceded[0] == pytest.approx(0, abs=1e-6) and nothing.ceded_variance[0] == pytest.approx(0, abs=1e-3)


def test_the_higher_a_stop_loss_attaches_the_more_is_kept() -> None:
    book = catalogue([100_000])
    splits = [stop_loss(book, most) for most in (0, 1_000, 10_000, 100_000, 1_000_000)]
    kept = [float(s.kept_variance[0]) for s in splits]
    assert kept == sorted(kept) and kept[1] < kept[-2] < float(book.variance[0])
    assert all(float(s.kept[0] + s.ceded[0]) == pytest.approx(float(book.budget[0])) for s in splits)


def test_one_service_and_one_without_cost() -> None:
    assert one(100.0, 0.0, 0.0).variance[0] == 0
    assert one(100.0, 50.0, 0.0).variance[0] == pytest.approx(100 * 50**2)  # Poisson with a fixed price


def test_what_cannot_be_is_refused_all_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        one(-1.0, float("nan"), -2.0, dispersion=0.5)
    assert len(caught.value.problems) == 4
    with pytest.raises(ScenarioError, match="stop-loss of £-5"):
        stop_loss(one(1.0, 1.0, 1.0), -5.0)
