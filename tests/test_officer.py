"""One officer for several bodies: the arithmetic of EVIDENCE 2.2, and attention that runs out."""

from __future__ import annotations

import pytest

from optimiser.officer import share_officer, span
from optimiser.scenario import load_scenario

OFFICER = load_scenario("base").officer


@pytest.mark.parametrize(("bodies", "shared", "merged"), [(2, 8.40, 6.00), (3, 7.20, 4.00), (5, 6.24, 2.40)])
def test_shared_and_merged_a_head_at_100_000_each(bodies, shared, merged):
    found = share_officer(bodies, bodies * 100_000, 1.2e6, OFFICER)
    assert found.per_head(found.apart) == pytest.approx(12.0)
    assert found.per_head(found.shared) == pytest.approx(shared)
    assert found.per_head(found.merged) == pytest.approx(merged)


def test_sixty_per_cent_of_a_mergers_saving_by_assumption_until_deputies_are_paid():
    free = OFFICER.model_copy(update={"deputy_gbp": 0.0})
    assert [share_officer(k, 1, 1.2e6, free).of_merger for k in (2, 3, 5)] == pytest.approx([0.6, 0.6, 0.6])
    assert share_officer(5, 1, 1.2e6, OFFICER).of_merger < 0.6


def test_attention_falls_faster_than_one_over_k_and_deputies_fill_the_gap():
    found = {k: share_officer(k, 100_000 * k, 1.2e6, OFFICER) for k in (1, 2, 3, 5)}
    assert [found[k].attention for k in (1, 2, 3, 5)] == pytest.approx([1.0, 0.97 / 2, 0.91 / 3, 0.70 / 5])
    assert [found[k].deputies for k in (1, 2, 3, 5)] == pytest.approx([0.0, 0.0, 3 * 0.4 - 0.91, 5 * 0.4 - 0.70])
    assert found[5].deputy_cost == pytest.approx(1.3 * 110_000)
    assert found[5].saved == pytest.approx(500_000 * (12 - 6.24) - 143_000)
    assert span(OFFICER) == 2


def test_alone_nothing_is_saved_and_nothing_is_missing():
    one = share_officer(1, 100_000, 1.2e6, OFFICER)
    assert one.saved == one.deputy_cost == one.of_merger == 0.0
    needy = OFFICER.model_copy(update={"attention": 1.0})
    assert share_officer(1, 100_000, 1.2e6, needy).deputies == 0.0 and span(needy) == 1


def test_nobody_to_serve_and_nobody_to_divide_by_are_clear():
    with pytest.raises(ValueError, match="no body to share an officer among"):
        share_officer(0, 0, 1.2e6, OFFICER)
    with pytest.raises(ValueError, match="no patients"):
        share_officer(2, 0, 1.2e6, OFFICER).per_head(1.0)


def test_more_bodies_than_an_officer_has_time_for_get_none():
    assert share_officer(30, 1, 1.2e6, OFFICER).attention == 0.0
