"""Support over several groups, hosted by one of them (seed 004): who hosts for whom, what each pays, who stays out."""

from __future__ import annotations

import pytest

from optimiser.domain import Function
from optimiser.placement_support import support
from optimiser.scenario import load_scenario
from tests import tiny

BASE = load_scenario("base")
TEAM = 0.5 * 71_400  # half a post, whoever employs it
AGREEMENT = 2_000
ASSURANCE = Function("F17", "Risk pool assurance", 0.5, 0.2, 0.0, "partly", "alliance")
PROCUREMENT = Function("F09", "Procurement", 1.0, 0.4, 0.0, "yes", "agency")


def modes(patients, function=ASSURANCE, rules=None, **larger):
    """Consortium number (from 1) → how it gets the function done; consortia of one practice each, along a road.
    larger: scale → groups of positions."""
    practices = [tiny.practice(i, p) for i, p in enumerate(patients)]
    data = tiny.dataset(practices, [tiny.service("S")], functions=[function])
    made = tiny.structure(data, {"consortium": [[i] for i in range(len(patients))], **larger})
    scenario = load_scenario("base", rules) if rules else BASE
    return {int(f.consortium[-2:]): f for f in support(data, scenario, made)}


def test_the_one_in_the_middle_hosts_for_the_neighbours_it_touches():
    found = modes([100_000, 100_000, 100_000])
    assert {f.supplier for f in found.values()} == {"consortium-02"}
    assert {f.mode for f in found.values()} == {"share"}
    assert found[2].cost == pytest.approx(TEAM / 3)
    assert found[1].cost == found[3].cost == pytest.approx(TEAM / 3 + AGREEMENT)
    assert found[1].reason.startswith("hosted by consortium 2 for 3 consortia, £21,800 a year cheaper")
    assert found[2].reason.startswith("its own team, hosted for 3 consortia, £23,800 a year cheaper")


def test_a_chain_of_five_needs_two_hosts_since_support_goes_no_further_than_a_neighbour():
    found = modes([100_000] * 5)
    assert [found[k].supplier[-2:] for k in range(1, 6)] in (
        ["02", "02", "02", "04", "04"], ["02", "02", "02", "05", "05"], ["01", "01", "04", "04", "04"],
        ["02", "02", "04", "04", "04"],
    )  # fmt: skip


def test_the_largest_of_an_alliance_hosts_for_all_of_it_though_they_do_not_touch():
    """Procurement belongs to an agency, and none is planned; the market charges a mark-up on all of the team."""
    found = modes([400_000, 300_000, 500_000, 450_000], PROCUREMENT, alliance=[[0, 2], [1, 3]])
    assert [found[k].supplier for k in range(1, 5)] == [
        "consortium-03",
        "consortium-04",
        "consortium-03",
        "consortium-04",
    ]
    team = 71_400
    assert found[3].cost == pytest.approx(team * 5 / 9)
    assert found[1].cost == pytest.approx(team * 4 / 9 + AGREEMENT)


def test_an_agency_or_an_alliance_that_is_planned_for_it_does_it_and_nobody_hosts():
    whole = [[0, 1, 2]]
    assert {f.supplier for f in modes([300_000] * 3, alliance=whole).values()} == {"alliance-01"}
    assert {f.supplier for f in modes([400_000] * 3, PROCUREMENT, agency=whole).values()} == {"agency-01"}
    assert {f.supplier for f in modes([400_000] * 3, ASSURANCE, agency=whole).values()} == {"consortium-01"}


def test_nobody_is_hosted_who_would_pay_more_than_otherwise():
    """A consortium with a hundred times the people would carry nearly the whole team: it gains little, and the small
    one's agreement costs more than the market."""
    found = modes([500_000, 5_000], PROCUREMENT)
    assert found[2].mode == "buy" and found[2].supplier == "market"
    for k, way in modes([60_000, 250_000, 90_000, 700_000, 130_000], PROCUREMENT).items():
        alone = modes([[60_000, 250_000, 90_000, 700_000, 130_000][k - 1]], PROCUREMENT)[1]
        assert way.cost <= alone.cost + 1e-6


def test_a_team_serves_a_million_and_more_people_take_more_of_it():
    """Three of half a million share one and a half teams: no cheaper a head than two, who fill one."""
    found = modes([500_000] * 3, PROCUREMENT, alliance=[[0, 1, 2]])
    assert found[1].cost == pytest.approx(71_400 * 1.5 / 3)


def test_what_members_must_do_themselves_is_never_hosted():
    never = Function("F02", "Referral management", 0.5, 1.0, 0.0, "never", "practice/locality")
    assert {f.mode for f in modes([100_000] * 3, never).values()} == {"make"}


def test_dear_agreements_leave_everybody_alone():
    dear = {"rates.agreements.value": {"own": 0.0, "framework": 40_000.0, "framework_untailored": 40_000.0}}
    assert {f.mode for f in modes([100_000] * 3, rules=dear).values()} == {"make"}


def test_hosting_is_the_cheapest_set_of_hosts_on_a_short_road():
    """Against every way to choose hosts on a road of five: the greedy choice costs at most a tenth more."""
    from itertools import product

    patients = [80_000, 200_000, 60_000, 150_000, 90_000]
    best = min(
        total
        for choice in product(*[[k for k in (i - 1, i, i + 1) if 0 <= k < 5] for i in range(5)])
        if (total := _cost(choice, patients)) is not None
    )
    found = sum(f.cost for f in modes(patients).values())
    assert best - 1e-6 <= found <= 1.1 * best


def _cost(choice, patients):
    """£ of a choice of host for each; None where somebody's host does not host for itself."""
    if any(choice[h] != h for h in choice):
        return None
    return sum(TEAM for h in set(choice)) + sum(AGREEMENT for i, h in enumerate(choice) if h != i)
