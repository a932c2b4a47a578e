"""How unlike two maps are: against hand-computed values, against pairs counted one by one, and against scikit-learn."""

from __future__ import annotations

from itertools import combinations
from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from optimiser.partition_distance import adjusted_rand, distance, entropy, purity, shared, variation_of_information

HALVES = np.array([0, 0, 0, 1, 1, 1])
CROSSED = np.array([0, 0, 1, 1, 2, 2])
ONES = np.ones(6)
maps = st.integers(2, 9).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 3), min_size=n, max_size=n) for _ in range(2)),
                        st.lists(st.integers(1, 6), min_size=n, max_size=n))
)  # fmt: skip


def made(drawn):
    one, other, weight = map(np.array, drawn)
    return one, other, weight


def test_three_and_three_against_two_two_and_two_by_hand():
    found = distance(HALVES, CROSSED, ONES)
    # H(halves) = ln 2, H(crossed) = ln 3, jointly cells of 2, 1, 1 and 2 sixths
    joint = -(2 * (2 / 6) * log(2 / 6) + 2 * (1 / 6) * log(1 / 6))
    assert found.information == pytest.approx(2 * joint - log(2) - log(3))
    assert found.information_share == pytest.approx((2 * joint - log(2) - log(3)) / joint)
    # 2 pairs together in both; 6 in halves, 3 in crossed, 15 in all: (2 − 18/15) / (4.5 − 18/15)
    assert found.rand == pytest.approx((2 - 1.2) / (4.5 - 1.2))
    assert found.purity == pytest.approx(5 / 6)
    assert found.purity_back == pytest.approx(4 / 6)


def test_the_example_of_hubert_and_arabie_s_form_with_nothing_in_common():
    rows, columns = np.divmod(np.arange(16), 4)
    found = distance(rows, columns, np.ones(16))
    assert found.information == pytest.approx(2 * log(4)) and found.information_share == pytest.approx(1)
    # no pair is together in both: (0 − 24²/120) / (24 − 24²/120)
    assert found.rand == pytest.approx(-4.8 / 19.2)
    assert found.purity == found.purity_back == 0.25


@settings(deadline=None)
@given(maps)
def test_a_map_against_itself_however_its_bodies_are_numbered(drawn):
    one, _, weight = made(drawn)
    found = distance(one, (one + 2) % 4, weight)
    assert found.information == found.information_share == 0
    assert found.rand == pytest.approx(1) and found.purity == found.purity_back == 1


@settings(deadline=None)
@given(maps)
def test_the_distance_is_the_same_both_ways(drawn):
    one, other, weight = made(drawn)
    to, back = distance(one, other, weight), distance(other, one, weight)
    assert to.information == pytest.approx(back.information, abs=1e-12)
    assert to.rand == pytest.approx(back.rand) and to.purity == pytest.approx(back.purity_back)
    assert 0 <= to.information <= entropy(weight) * 2 and 0 <= to.information_share <= 1


@settings(deadline=None)
@given(maps)
def test_adjusted_rand_is_that_of_pairs_of_patients_counted_one_by_one(drawn):
    one, other, weight = made(drawn)
    a, b = np.repeat(one, weight), np.repeat(other, weight)
    pairs = list(combinations(range(len(a)), 2))
    both = sum(a[i] == a[j] and b[i] == b[j] for i, j in pairs)
    first, second = (sum(m[i] == m[j] for i, j in pairs) for m in (a, b))
    expected = first * second / len(pairs)
    most = (first + second) / 2
    truth = (both - expected) / (most - expected) if most != expected else 1.0
    assert adjusted_rand(shared(one, other, weight)) == pytest.approx(truth, abs=1e-9)


@settings(deadline=None)
@given(maps)
def test_information_is_a_sum_over_patients_of_what_one_map_leaves_open_of_the_other(drawn):
    one, other, weight = made(drawn)
    whole, total = weight.sum(), 0.0
    for i in range(len(one)):
        cell = weight[(one == one[i]) & (other == other[i])].sum()
        for own in (weight[one == one[i]].sum(), weight[other == other[i]].sum()):
            total -= weight[i] / whole * log(cell / own)
    assert variation_of_information(shared(one, other, weight)) == pytest.approx(total, abs=1e-9)


@settings(deadline=None)
@given(maps, st.lists(st.integers(0, 3), min_size=9, max_size=9))
def test_information_is_a_metric(drawn, third):
    one, other, weight = made(drawn)
    between = np.array(third[: len(one)])
    direct = distance(one, other, weight).information
    assert direct <= distance(one, between, weight).information + distance(between, other, weight).information + 1e-9


def test_all_together_and_all_apart_are_not_divided_by_nothing():
    together, apart = np.zeros(4, dtype=int), np.arange(4)
    assert distance(together, together, np.ones(4)).rand == 1
    assert distance(apart, apart, np.ones(4)).rand == 1
    crossed = distance(together, apart, np.ones(4))
    assert crossed.rand == 0 and crossed.information == pytest.approx(log(4)) and crossed.information_share == 1
    assert crossed.purity == 1 and crossed.purity_back == 0.25


def test_nothing_has_weight():
    with pytest.raises(ValueError, match="nothing to compare"):
        distance(HALVES, CROSSED, np.zeros(6))


def test_england_s_patients_do_not_overflow():
    of, patients = np.arange(6_000) % 200, np.full(6_000, 10_000)
    assert distance(of, of, patients).rand == pytest.approx(1)


@pytest.fixture(scope="module")
def metrics():
    return pytest.importorskip("sklearn.metrics")


@pytest.mark.peers
@settings(deadline=None)
@given(maps)
def test_scikit_learn_says_the_same(metrics, drawn):
    one, other, weight = made(drawn)
    a, b = np.repeat(one, weight), np.repeat(other, weight)
    found, table = distance(one, other, weight), shared(one, other, weight)
    assert found.rand == pytest.approx(metrics.adjusted_rand_score(a, b), abs=1e-9)
    mutual = metrics.mutual_info_score(a, b)
    assert found.information == pytest.approx(
        entropy(table.sum(axis=0)) + entropy(table.sum(axis=1)) - 2 * mutual, abs=1e-9
    )
    matrix = metrics.cluster.contingency_matrix(a, b)
    assert purity(table) == pytest.approx(matrix.max(axis=0).sum() / matrix.sum())
