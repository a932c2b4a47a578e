"""Suppliers of management work: one rubric for all, and what may not be handed over is refused."""

from __future__ import annotations

import pytest

from geodata.catalogue import functions
from optimiser.scenario import load_scenario
from optimiser.suppliers import offers

BASE = load_scenario("base")
FUNCTIONS = functions()


def found(population=226_000, scenario=BASE):
    return {(o.function, o.kind): o for o in offers(FUNCTIONS, population, scenario)}


def test_every_kind_is_scored_for_every_function_on_the_five_criteria():
    rows = found()
    assert len(rows) == 17 * 6
    assert {kind for _, kind in rows} == {"own", "shared", "agency", "private", "third_sector", "local_authority"}
    for row in rows.values():
        assert set(row.scores) == {"cost", "control", "capacity", "conflict", "transition"}
        assert all(0 <= score <= 3 for score in row.scores.values())
        assert row.total == pytest.approx(sum(BASE.suppliers.weights[c] * s for c, s in row.scores.items()))


def test_two_kinds_with_the_same_scores_fare_alike_whatever_their_sector():
    """The sector is named and carries no points (seed 004: get past good public and bad private)."""
    private = BASE.suppliers.kinds["private"]
    same = BASE.suppliers.model_copy(
        update={"kinds": {**BASE.suppliers.kinds, "agency": private.model_copy(update={"label": "NHS support agency"})}}
    )
    rows = found(scenario=BASE.model_copy(update={"suppliers": same}))
    for f in FUNCTIONS:
        one, other = rows[f.id, "private"], rows[f.id, "agency"]
        assert (one.cost, one.scores, one.total, one.refused) == (other.cost, other.scores, other.total, other.refused)


def test_what_reflects_members_behaviour_stays_with_them_though_a_third_meant_to_buy_it():
    rows = found()
    for kind in ("shared", "agency", "private", "third_sector", "local_authority"):
        assert "cannot be delegated" in rows["F02", kind].refused
    assert rows["F02", "own"].best
    assert "only parts" in rows["F10", "private"].refused and rows["F10", "shared"].refused == ""
    assert rows["F08", "private"].refused == ""


def test_exactly_one_kind_is_best_and_it_is_one_that_may():
    rows = found()
    for f in FUNCTIONS:
        (best,) = [o for (function, _), o in rows.items() if function == f.id and o.best]
        assert not best.refused
        assert best.total == max(o.total for (g, _), o in rows.items() if g == f.id and not o.refused)


def test_a_team_that_serves_many_is_cheap_for_a_small_body_and_no_cheaper_for_a_large_one():
    """Business intelligence, 3 posts and 1.5 for every 100,000: an agency's team is divided by a million people."""
    small, large = found(100_000), found(2_000_000)
    assert small["F08", "own"].cost == pytest.approx(4.5 * 71_400)
    assert small["F08", "agency"].cost == pytest.approx((0.3 + 1.5) * 71_400 * 1.1)
    assert large["F08", "agency"].cost == pytest.approx(1.1 * large["F08", "own"].cost)
    assert small["F08", "agency"].scores["cost"] > small["F08", "own"].scores["cost"]
    assert large["F08", "own"].scores["cost"] == 3.0


def test_nobody_to_buy_for_is_an_error():
    with pytest.raises(ValueError, match="no population"):
        offers(FUNCTIONS, 0, BASE)
