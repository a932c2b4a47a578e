"""No scale is planned for itself alone: consortia give way to alliances, and to where services went."""

from __future__ import annotations

from dataclasses import replace

import pytest

from optimiser.domain import Dataset
from optimiser.hierarchy import build
from optimiser.partition.budget import Budget
from optimiser.plan import Plan, make_plan
from optimiser.scenario import load_scenario
from tests import tiny
from tests.ascii_map import drawn, region

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Budget(moves=300, rounds=6, branches=1)

# --- consortia and alliances -----------------------------------------------------------------------------------------

COUNCILS = "A A A A B B B B B"
TODAY = "E E E E E F F F F"
BORDER = {
    "scale.consortium.min_patients": 40_000,
    "scale.consortium.max_patients": 100_000,
    "scale.alliance.min_patients": 60_000,
    "scale.alliance.max_patients": 100_000,
    "scale.alliance.min_members": 1,
    "forces_off": ["likeness", "distance"],
    "rates.management.value": {"consortium": 300_000.0},
    "rates.continuity.value": {"consortium": 3.0, "alliance": 0.0},
}


def road(alliance: float, *scales: str) -> str:
    """Consortia on a road through two councils; their alliances pay so much for every patient cut off from a council,
    consortia nothing."""
    rates = {"rates.authority.value": {"consortium": 0.0, "alliance": alliance}, "scales_used": list(scales)}
    made = build(region(COUNCILS, today=TODAY), load_scenario("base", {**BORDER, **rates}), 1, QUICK)
    return drawn(COUNCILS, made.structure, scales[0])


def test_a_consortium_gives_up_a_practice_for_the_sake_of_its_alliance():
    """e1, of council B, is with its neighbours of council A today, and leaving them costs £3 a patient. Consortia by
    themselves stay so. Where alliances pay more than that for a council cut in two, e1 goes to its own council's."""
    assert road(8.0, "consortium") == "1 1 1 1 1 2 2 2 2"
    assert road(8.0, "alliance") == "1 1 1 1 2 2 2 2 2"
    assert road(8.0, "consortium", "alliance") == "1 1 1 1 2 2 2 2 2"


def test_it_keeps_the_practice_where_that_would_cost_more_than_the_alliance_gains():
    assert road(2.0, "consortium", "alliance") == "1 1 1 1 1 2 2 2 2"


# --- structure and services ------------------------------------------------------------------------------------------

STREET = "A A A A"
PAIRS_OR_SINGLES = {
    "scales_used": ["consortium", "alliance"],
    "scale.consortium.min_patients": 30_000,
    "scale.alliance.min_patients": 240_000,
    "scale.alliance.min_members": 1,
    "forces_off": ["likeness", "authority", "distance", "continuity", "coordination"],
    "rates.management.value": {"consortium": 200_000.0, "alliance": 100_000.0},
}


def street(hospitals: str, **nature: int) -> Dataset:
    """Four practices of 60,000, poor in the east; a letter for the hospital that each uses, for three services of the
    same nature."""
    ground = region(STREET, patients=60_000, deprivation=lambda code: 10.0 if code in ("a1", "b1") else 40.0)
    nature |= {"cases_per_1000": 100, "cost_per_case": 2_000, "min_population": 30_000}
    services = tuple(tiny.service(f"S{k}", **nature) for k in range(3))
    names = sorted(set(hospitals.split()))
    serves = {i: {names.index(letter): 1.0} for i, letter in enumerate(hospitals.split())}
    rows = tiny.spend_rows(ground.practices, services, serves)
    providers = tuple(tiny.provider(name) for name in names)
    return replace(ground, services=services, providers=providers, flows=tiny.flows(rows))


def planned(data: Dataset) -> Plan:
    return make_plan(data, load_scenario("base", PAIRS_OR_SINGLES), 1, budget=QUICK)


def test_consortia_shrink_once_the_alliance_carries_their_risk():
    """Pairs would share a reserve. But all use one hospital, so the alliance commissions everything and holds the risk;
    what is left to a consortium, keeping its members engaged, it does best when it is small."""
    plan = planned(street("R R R R", leverage=3, tailoring=0))
    assert {c.scale for c in plan.placement.commissions} == {"alliance"}
    assert drawn(STREET, plan.structure, "consortium") == "1 2 3 4"
    first, second = plan.rounds[:2]
    assert second.kept and second.total < first.total
    assert second.insurance == 0, "consortia no longer carry any"


def test_consortia_stay_large_where_they_carry_the_risk_themselves():
    """West and east differ, use a hospital each, and want services to their measure: these stay with each pair, and so
    does the risk."""
    plan = planned(street("R R S S", leverage=0, tailoring=3))
    assert {c.scale for c in plan.placement.commissions} == {"consortium"}
    assert drawn(STREET, plan.structure, "consortium") == "1 1 2 2"
    assert plan.objective == plan.rounds[0].total
