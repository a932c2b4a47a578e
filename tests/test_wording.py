"""Shares in words: never more said than is proved, and no minus before nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimiser.wording import percent, within


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.0123, "1.2 %"), (0.5, "50 %"), (-0.00001, "0 %"), (0.0, "0 %"), (0.00084, "0.08 %"), (-0.034, "-3.4 %")],
)
def test_a_share_has_three_figures_at_most(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(
    ("gap", "words"),
    [(0.0421, "4.3 %"), (0.00081, "0.09 %"), (1e-6, "0.01 %"), (0.02, "2.0 %"), (1e-10, "0 %"), (0.0991, "10 %")],
)
def test_a_gap_is_rounded_up(gap, words):
    assert within(gap) == words


def test_a_gap_may_have_so_many_digits():
    assert within(0.00010001, 3) == "0.011 %" and within(0.0, 3) == "0.000 %"


@given(st.floats(0, 1))
def test_what_is_said_to_be_proved_is(gap):
    said = float(within(gap).removesuffix(" %")) / 100
    assert gap - 1e-9 <= said <= gap + 0.01
