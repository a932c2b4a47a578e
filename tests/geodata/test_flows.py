"""The gravity model and raking, on matrices small enough to work out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geodata.flows import (
    NEAR_KM,
    block_sums,
    decay,
    fit_decay,
    gravity,
    keep_largest,
    nearest_site_km,
    r_squared,
    rake,
)

POSITIVE = st.floats(0.01, 100)
N, M = 5, 4


def test_gravity_by_hand():
    km = np.array([[0.0, NEAR_KM], [2 * NEAR_KM, 0.0]])
    trips = gravity(np.array([70.0, 10.0]), np.array([3.0, 1.0]), decay(km, 1))
    # Pulls 3 × 1 and 1 × ½, then 3 × ⅓ and 1 × 1.
    assert trips == pytest.approx(np.array([[60.0, 10.0], [5.0, 5.0]]))


def test_a_practice_that_nothing_attracts_makes_no_trips():
    assert gravity(np.array([5.0]), np.zeros(2), np.ones((1, 2))) == pytest.approx(np.zeros((1, 2)))


def test_a_provider_nobody_can_locate_is_not_deterred():
    assert decay(np.array([[np.nan, 3.0]]), 2) == pytest.approx(np.array([[1.0, 0.25]]))


def test_distance_is_to_the_nearest_site_of_each_owner():
    sites = np.array([[0.0, 0.0], [10_000.0, 0.0], [0.0, 4_000.0]])
    km = nearest_site_km(np.array([[9_000.0, 0.0]]), sites, np.array([0, 0, 2]), 3)
    assert km[0, 0] == pytest.approx(1)
    assert np.isnan(km[0, 1])
    assert km[0, 2] == pytest.approx(np.hypot(9, 4))


def test_raking_a_flat_prior_gives_the_product_of_the_shares():
    trips, error = rake(np.ones((2, 2)), np.array([30.0, 70.0]), np.array([4.0, 6.0]))
    assert trips == pytest.approx(np.array([[12.0, 18.0], [28.0, 42.0]]))
    assert error < 1e-6


def test_raking_keeps_the_odds_of_the_prior():
    prior = np.array([[4.0, 1.0], [1.0, 2.0]])
    trips, _ = rake(prior, np.array([30.0, 70.0]), np.array([50.0, 50.0]))
    assert trips[0, 0] * trips[1, 1] / (trips[0, 1] * trips[1, 0]) == pytest.approx(8)


def test_raking_leaves_a_column_without_prior_empty_and_gives_its_total_to_the_others():
    trips, _ = rake(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([1.0, 1.0]), np.array([1.0, 9.0]))
    assert trips == pytest.approx(np.array([[1.0, 0.0], [1.0, 0.0]]))


@settings(max_examples=40, deadline=None)
@given(
    arrays(float, (N, M), elements=POSITIVE), arrays(float, N, elements=POSITIVE), arrays(float, M, elements=POSITIVE)
)
def test_raked_trips_are_never_negative_and_meet_both_margins(prior, rows, columns):
    trips, error = rake(prior, rows, columns)
    assert (trips >= 0).all()
    assert error <= 1e-6
    assert trips.sum(axis=1) == pytest.approx(rows, rel=1e-5)
    assert trips.sum(axis=0) == pytest.approx(columns * rows.sum() / columns.sum())


@settings(max_examples=40, deadline=None)
@given(arrays(float, (N, M), elements=st.just(0.0) | st.floats(1e-3, 100)), st.integers(1, 6), st.floats(0, 0.5))
def test_the_largest_that_are_kept_share_everything(trips, most, least):
    split = keep_largest(trips, most, least)
    assert (split.share > 0).all()
    sums = np.bincount(split.practice, split.share, minlength=N)
    assert sums == pytest.approx((trips.sum(axis=1) > 0).astype(float))
    assert np.bincount(split.practice, minlength=N).max() <= most


def test_small_providers_are_dropped():
    split = keep_largest(np.array([[30.0, 50.0, 1.0, 15.0, 4.0]]), most=3, least=0.1)
    assert split.provider.tolist() == [1, 0, 3]
    assert split.share == pytest.approx(np.array([50, 30, 15]) / 95)


def test_the_fit_finds_the_exponent_that_made_the_trips():
    rng = np.random.default_rng(7)
    km = rng.uniform(0.5, 60, (40, 5))
    origin, attraction, blocks = rng.uniform(1, 9, 40), rng.uniform(1, 9, 5), np.arange(40) % 8
    observed = block_sums(gravity(origin, attraction, decay(km, 2.5)), blocks, 8)
    fit = fit_decay(origin, attraction, km, blocks, observed)
    assert fit.exponent == pytest.approx(2.5, abs=0.02)
    assert fit.r_squared > 0.9999


def test_rows_without_a_block_are_left_out_of_the_sums():
    assert block_sums(np.array([[1.0], [2.0], [4.0]]), np.array([1, -1, 1]), 2).tolist() == [[0.0], [5.0]]


def test_r_squared_of_the_mean_is_nothing_and_of_the_truth_is_one():
    observed = np.array([1.0, 2.0, 6.0])
    assert r_squared(np.full(3, 3.0), observed) == pytest.approx(0)
    assert r_squared(observed, observed) == 1
