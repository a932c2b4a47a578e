"""What planners may expect of wishes: a small region, read as a story."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optimiser.domain import Wish
from optimiser.errors import ScenarioError
from optimiser.placement import place
from optimiser.placement_reasons import explained
from optimiser.scenario import load_scenario
from optimiser.wishes import check_wishes
from tests import tiny

BASE = load_scenario("base")
WEST, MIDDLE, EAST = "consortium-01", "consortium-02", "consortium-03"


@pytest.fixture
def region():
    """Three consortia of two practices. Everybody uses one hospital, so acute care is best bought together; nursing is
    best near home. West and Middle are the old trusts W and M; East has none."""
    practices = []
    for i in range(6):
        old = {0: "W", 1: "W", 2: "M", 3: "M"}.get(i, "")
        practices.append(
            tiny.practice(
                i, 80_000 if i % 2 else 70_000, deprivation=10.0 * i,
                existing={"consortium": old}, existing_names={"consortium": f"{old} Trust"},
            )
        )  # fmt: skip
    services = [
        tiny.service("acute", cases_per_1000=70.0, cost_per_case=1_900.0, leverage=3, tailoring=1),
        tiny.service("nursing", cases_per_1000=35.0, cost_per_case=1_250.0, leverage=0, tailoring=3),
        tiny.service("referral", cases_per_1000=0.0, delegable=False, provider_kinds=()),
    ]
    rows = [r for r in tiny.spend_rows(practices, services, {i: {0: 1.0} for i in range(6)}) if r[3]]
    data = tiny.dataset(practices, services, [tiny.provider("RA", name="The Royal")], rows)
    groups = {"locality": [[i] for i in range(6)], "consortium": [[0, 1], [2, 3], [4, 5]]}
    return data, tiny.structure(data, groups)


def planned(region, *wishes: Wish):
    data, structure = region
    data = replace(data, wishes=wishes)
    told = explained(data, BASE, structure, place(data, BASE, structure, 1, 20, gap=0.0), 1)
    where = {(c.consortium, c.service): c.scale for c in told.placement.commissions}
    return where, told.wishes, told.placement.certificate.objective


def test_left_to_itself_the_region_buys_acute_care_together(region):
    where, wishes, _ = planned(region)
    assert {where[c, "acute"] for c in (WEST, MIDDLE, EAST)} == {"region"}
    assert wishes == ()


def test_a_soft_wish_is_priced_and_changes_nothing(region):
    before, _, _ = planned(region)
    where, (answer,), _ = planned(region, Wish("W", "acute", "consortium", firm=False))
    assert where == before
    assert answer.kept == (False,) and answer.how == "at most" and answer.price > 0
    assert "weight with its providers" in answer.reason, "what alone it would lose"


def test_made_firm_it_binds_and_costs_no_more_than_was_said(region):
    _, (soft,), before = planned(region, Wish("W", "acute", "consortium", firm=False))
    where, (firm,), after = planned(region, Wish("W", "acute", "consortium", firm=True))
    assert where[WEST, "acute"] == "consortium"
    assert firm.kept == (True,) and firm.binding
    assert 0 < after - before <= soft.price + 0.01
    assert firm.how == "at least" and firm.price <= after - before + 0.01


def test_the_practice_that_is_outvoted_is_told_so(region):
    where, (one, other), _ = planned(
        region,
        Wish("P01", "acute", "consortium", firm=True),  # 80,000 patients
        Wish("P00", "acute", "region", firm=True),  # 70,000
    )
    assert where[WEST, "acute"] == "consortium"
    assert one.kept == (True,) and other.kept == (False,)
    assert other.reason.startswith("outvoted: 70,000 of the 150,000 patients there")


def test_nobody_is_made_to_share_with_those_who_will_not(region):
    where, (west, middle), _ = planned(
        region, Wish("W", "acute", "region", firm=True), Wish("M", "acute", "consortium", firm=True)
    )
    assert where[MIDDLE, "acute"] == "consortium"
    assert where[WEST, "acute"] != "region"
    assert west.price is None and "hold firmly to consortium" in west.reason
    assert middle.binding


def test_what_cannot_be_is_refused_with_the_reasons_all_at_once(region):
    data, _ = region
    wishes = (
        Wish("W", "referral", "region", True, "", 2),
        Wish("W", "acute", "authority", True, "", 3),
        Wish("M", "nursing", "agency", True, "", 4),
    )
    with pytest.raises(ScenarioError) as refused:
        check_wishes(replace(data, wishes=wishes), BASE)
    for row, why in ((2, "members' own behaviour"), (3, "authority link"), (4, "supports others")):
        assert any(f"wishes.csv:{row}:" in str(p) and why in str(p) for p in refused.value.problems)
