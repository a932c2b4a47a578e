"""Countervailing power in a world small enough to reckon by hand: who buys, and what weight stands behind a pound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser import power
from optimiser.domain import EVIDENCE, NO_BODY, Certificate, Commission, Footprint, Placement
from optimiser.scenario import load_scenario
from tests import tiny

BASE = load_scenario("base")
NEAR, FAR, WARD = tiny.service("near"), tiny.service("far"), tiny.service("ward")
ROWS = [
    (0, 0, 0, 1e6),  # (practice, provider, service, £)
    (1, 0, 0, 1e6),
    (2, 0, 1, 4e6),
    (3, 0, 1, 2e6),
    (3, 1, 2, 3e6),
]


@pytest.fixture
def world():
    """Four practices, two consortia of two; hospital RA earns 16 m, 8 m of it here, RB all of its 3 m."""
    practices = [tiny.practice(i) for i in range(4)]
    data = tiny.dataset(practices, [NEAR, FAR, WARD], [tiny.provider("RA", income=16e6), tiny.provider("RB")], ROWS)
    return data, tiny.structure(data, {"locality": [[0], [1], [2, 3]], "consortium": [[0, 1], [2, 3]]})


def placement(*rows: tuple[str, str, str, str]) -> Placement:
    """rows: (service, consortium, scale, commissioner)."""
    commissions = tuple(Commission(s, c, scale, by, "make", 0.0, "", {}) for s, c, scale, by in rows)
    footprint = Footprint("footprint-01", "Both", ("consortium-01", "consortium-02"), "")
    proof = Certificate("", 0.0, 0.0, 0.0, "", "")
    return Placement(commissions, (footprint,), (), (), {}, proof)


def everything(**chosen: str) -> Placement:
    """Each service at one scale for both consortia."""
    rows = []
    for service, scale in chosen.items():
        for consortium in ("consortium-01", "consortium-02"):
            by = {"footprint": "footprint-01", "region": "region"}.get(scale, consortium)
            rows.append((service, consortium, scale, by))
    return placement(*rows)


def test_each_body_for_itself(world):
    data, built = world
    buyers = power.each_alone(data, built, "consortium")
    found = power.power(data, BASE, buyers)
    assert buyers.spend.tolist() == [[2e6, 0], [6e6, 3e6]]
    assert buyers.behind.tolist() == [[0.125, 0], [0.375, 1]]
    assert found.purchasers.tolist() == [2, 1]
    assert found.hhi.tolist() == [0.25**2 + 0.75**2, 1]
    assert [buyers.names[k] for k in found.largest] == ["consortium 2", "consortium 2"]
    assert found.largest_share.tolist() == [0.75, 1]
    assert found.weight.tolist() == [0.25 * 0.125 + 0.75 * 0.375, 1]
    assert {name: counts.tolist() for name, counts in found.above.items()} == {
        "associate": [2, 1], "significant": [1, 1], "lead": [0, 1],
    }  # fmt: skip


def test_a_footprint_stands_behind_every_pound_it_spends(world):
    """Two bodies that buy together put both their shares behind it: 0.125 + 0.375 of the hospital's income."""
    data, built = world
    placed = everything(near="footprint", far="footprint", ward="consortium")
    joint = power.as_placed(data, built, "consortium", placed, {"footprint-01": "Both"})
    found = power.power(data, BASE, joint)
    assert joint.names[0] == "Both" and joint.spend[0].tolist() == [8e6, 0]
    assert found.weight.tolist() == [0.5, 1.0]
    assert found.above["lead"].tolist() == [1, 1]
    assert found.hhi[0] == 1


def test_practices_and_localities_stand_alone(world):
    data, built = world
    local = power.as_placed(data, built, "consortium", everything(near="practice", far="locality", ward="region"), {})
    assert sorted(local.names) == ["Surgery 0", "Surgery 1", "Surgery 2", "Surgery 3", "locality 1", "locality 2",
                                   "locality 3", "region"]  # fmt: skip
    weight = power.power(data, BASE, local).weight
    assert weight[0] == pytest.approx((1 * 1 / 16 + 1 * 1 / 16 + 6 * 6 / 16) / 8)
    assert weight[1] == 1, "the region acts for all, and brings it all"


def test_a_service_placed_alone_splits_the_purchaser_but_not_the_weight(world):
    """Two commissioners for the same people: each signs for less, both speak for all that the people bring."""
    data, built = world
    whole = power.power(data, BASE, power.each_alone(data, built, "consortium"))
    split = power.as_placed(
        data, built, "consortium", everything(near="consortium", far="footprint", ward="consortium"), {}
    )
    found = power.power(data, BASE, split)
    assert found.purchasers[0] == 2 and found.largest_share[0] == 0.75
    assert found.weight[0] == pytest.approx(0.25 * 0.125 + 0.75 * 0.5) and found.weight[0] > whole.weight[0]


def test_weight_of_one_body_is_that_of_whoever_buys_for_it(world):
    data, built = world
    of = built.membership["consortium"]
    alone = power.weight_of(data, power.each_alone(data, built, "consortium"), of, 2)
    joint = power.as_placed(
        data, built, "consortium", everything(near="footprint", far="footprint", ward="consortium"), {}
    )
    np.testing.assert_allclose(alone, [[0.125, np.nan], [0.375, 1]])
    np.testing.assert_allclose(power.weight_of(data, joint, of, 2), [[0.5, np.nan], [0.5, 1]])


def test_practices_in_no_body_today_buy_nothing(world):
    data, built = world
    first, second = built.bodies["consortium"]
    today = replace(built, bodies={**built.bodies, "consortium": (first, replace(second, name=NO_BODY))})
    buyers = power.each_alone(data, today, "consortium")
    found = power.power(data, BASE, buyers)
    assert buyers.names == ("consortium 1",) and buyers.spend.tolist() == [[2e6, 0]]
    assert found.hhi[0] == 1 and np.isnan(found.hhi[1]) and found.largest[1] == power.NOBODY


def test_what_a_provider_rests_on_is_the_label_of_most_of_its_spend(world):
    data, _ = world
    label = np.array([0, 0, 3, 0, 1], dtype=np.int8)
    mixed = replace(data, flows=replace(data.flows, label=label))
    assert power.resting_on(mixed) == (EVIDENCE[0], EVIDENCE[1]), (
        "4 m of 8 m is observed: the better label of two as large"
    )
    heavier = replace(data, flows=replace(data.flows, label=np.array([0, 3, 3, 0, 1], dtype=np.int8)))
    assert power.resting_on(heavier)[0] == "distance only"


@pytest.mark.parametrize(
    ("wanted", "offered", "found"),
    [("consortium", ("locality", "consortium"), "consortium"), ("consortium", ("locality", "alliance"), "alliance"),
     ("consortium", ("locality",), "locality"), ("locality", ("alliance", "agency"), "alliance")],
)  # fmt: skip
def test_the_nearest_scale_of_today_is_compared(wanted, offered, found):
    assert power.nearest_scale(wanted, offered, BASE.scales_used) == found
