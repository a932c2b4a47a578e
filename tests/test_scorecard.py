"""The scorecard's figures against sums done by hand on lines of a few practices, one kilometre apart."""

from __future__ import annotations

from dataclasses import replace
from math import erfc, sqrt

import numpy as np
import pytest

from optimiser.domain import Certificate, Function, Placement, Relationship
from optimiser.forces import PairCharges
from optimiser.given import NO_BODY, centre_of
from optimiser.scenario import load_scenario
from optimiser.scorecard import existing_structure, membership_structure, score
from optimiser.standing import fifth, ranks_agree, successors
from tests import tiny


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("base", {"scales_used": ["locality", "consortium"]})


@pytest.fixture(scope="module")
def data():
    """Four practices in a line, a service, two hospitals. P00–P02 are in PCT A, P03 in PCT B. The west is deprived."""
    facts = (
        (10_000, "U1", "A", 40.0, 10.0),
        (20_000, "U1", "A", 30.0, 20.0),
        (30_000, "U2", "A", 20.0, None),
        (40_000, "U2", "B", 10.0, 30.0),
    )
    practices = [
        tiny.practice(i, n, authority, existing={"consortium": pct}, existing_names={"consortium": f"PCT {pct}"},
                      deprivation=imd, pct_65plus=old, need_index=1.0 + i / 10)
        for i, (n, authority, pct, imd, old) in enumerate(facts)
    ]  # fmt: skip
    hospitals = (tiny.provider("RA1", 2_000_000.0), tiny.provider("RB1", 10_000_000.0))
    rows = [(0, 0, 0, 600_000.0), (1, 0, 0, 600_000.0), (1, 1, 0, 300_000.0), (2, 1, 0, 900_000.0), (3, 1, 0, 1e6)]
    return tiny.dataset(practices, [tiny.service("S1")], hospitals, rows)


@pytest.fixture(scope="module")
def built(data):
    return tiny.structure(data, {"locality": [[0], [1, 2], [3]], "consortium": [[0, 1, 2], [3]]})


@pytest.fixture(scope="module")
def card(data, scenario, built):
    return score(data, scenario, built)


def values(card, scale: str, name: str) -> list[float | None]:
    return [b.measures[name].value for b in card.bodies[scale]]


def test_sizes_engagement_and_luck_of_each_body(card):
    first, second = card.bodies["consortium"]
    assert (first.patients, first.practices, first.code) == (60_000, 3, "consortium-01")
    engaged = 0.45 + 0.5 / (1 + (60_000 / 250_000) ** 1.2)
    assert first.measures["engagement"].value == pytest.approx(engaged)
    assert first.measures["engagement"].evidence == "assumed"
    sd = 3.7 / sqrt(60_000)
    over = [erfc(t / s / sqrt(2)) / 2 for t in (0.01, 0.02) for s in (sd, sqrt(sd**2 + 0.005**2))]
    names = ("over_1_percent", "over_1_percent_with_shock", "over_2_percent", "over_2_percent_with_shock")
    assert [first.measures[n].value for n in names] == pytest.approx(over)
    assert first.measures["reserve"].value == pytest.approx(1.6448536 * 3.7 * 1436 * sqrt(60_000))
    assert second.measures["management_per_head"].value == pytest.approx(1_100_000 / 40_000)


def test_councils_are_judged_by_where_most_patients_live_not_by_the_centre(card):
    assert values(card, "consortium", "outside_main_authority") == [pytest.approx(0.5), 0.0]
    assert values(card, "locality", "outside_main_authority") == [0.0, pytest.approx(20_000 / 50_000), 0.0]
    assert values(card, "consortium", "authorities_spanned") == [2, 1]
    assert values(card, "locality", "straddles") == [0, 1, 0]
    assert card.region["authority_splits_locality"].value == 2  # U1 and U2 each lie in two localities
    assert card.region["authority_splits_consortium"].value == 1
    assert card.region["outside_main_authority_consortium"].value == pytest.approx(0.3)


def test_distance_to_the_centre_and_to_the_middle_of_the_patients(card):
    # The first consortium's centre is P00; its patients' middle is (0·10 + 1·20 + 2·30) / 60 = 4/3 km along.
    assert values(card, "consortium", "km_to_centre") == [pytest.approx(80 / 60), 0.0]
    middle = (10 * 4 / 3 + 20 * 1 / 3 + 30 * 2 / 3) / 60
    assert values(card, "consortium", "km_to_centroid") == [pytest.approx(middle), pytest.approx(0.0)]


def test_the_most_deprived_fifth_takes_whole_practices_until_a_fifth_is_reached(card):
    # P00 holds 10 % and P01 passes 20 %: together they are the fifth. Their mean distance is 20/30 km.
    assert values(card, "consortium", "deprived_fifth_km") == [pytest.approx(2 / 3), None]
    assert values(card, "consortium", "deprivation_fifth_gap") == [pytest.approx(2 / 3 - 80 / 60), None]
    assert card.region["deprived_fifth_km_consortium"].value == pytest.approx(2 / 3)
    assert card.region["deprived_fifth_km_locality"].value == pytest.approx(0.0)


def test_spread_and_need_weigh_by_patients_and_leave_out_what_is_unknown(card):
    mean = (40 * 1 + 30 * 2 + 20 * 3) / 6
    spread = sqrt(((40 - mean) ** 2 + 2 * (30 - mean) ** 2 + 3 * (20 - mean) ** 2) / 6)
    assert values(card, "consortium", "spread_deprivation")[0] == pytest.approx(spread)
    assert values(card, "consortium", "spread_age")[0] == pytest.approx(sqrt(100 * 1 * 2 / 9))  # P02 unknown
    assert values(card, "consortium", "spread_rural") == [None, None]
    assert values(card, "consortium", "need_index")[0] == pytest.approx((1.0 + 2 * 1.1 + 3 * 1.2) / 6)
    assert card.bodies["consortium"][0].measures["need_index"].evidence == "observed"


def test_what_a_body_means_to_its_main_provider(card):
    # First consortium: £1.2m of RA1's £2m and £1.2m of RB1's £10m; the first of equals is its main provider.
    assert values(card, "consortium", "lead_provider_share") == [pytest.approx(0.6), pytest.approx(0.1)]
    assert values(card, "consortium", "lead_provider_band") == [3, 1]
    assert values(card, "consortium", "provider_hhi") == [pytest.approx(0.5), pytest.approx(1.0)]
    # Material: 0.5 % of £1.2m and of £2.2m, far below each of these.
    assert values(card, "consortium", "material_contracts") == [2, 1]
    assert values(card, "locality", "material_contracts") == [1, 2, 1]
    assert card.bodies["consortium"][0].measures["lead_provider_share"].evidence == "observed"


@pytest.mark.parametrize(("label", "words"), [(2, "assumed (proxy service)"), (3, "assumed (distance only)")])
def test_a_share_of_income_that_rests_on_modelled_flows_is_withheld(data, scenario, built, label, words):
    weak = replace(data, flows=replace(data.flows, label=np.full(len(data.flows), label, dtype=np.int8)))
    card = score(weak, scenario, built)
    for name in ("lead_provider_share", "lead_provider_band"):
        assert values(card, "consortium", name) == [None, None]
        assert card.bodies["consortium"][0].measures[name].evidence == words
    assert card.region["lead_provider_share_consortium"].value is None
    assert card.region["lead_provider_share_consortium"].evidence == words
    assert values(card, "consortium", "provider_hhi")[0] == pytest.approx(0.5)
    assert card.bodies["consortium"][0].measures["provider_hhi"].evidence == words[9:-1]


def test_flows_spread_from_totals_are_shown_and_say_so(data, scenario, built):
    spread = replace(data, flows=replace(data.flows, label=np.full(len(data.flows), 1, dtype=np.int8)))
    measure = score(spread, scenario, built).bodies["consortium"][0].measures["lead_provider_share"]
    assert (measure.value, measure.evidence) == (pytest.approx(0.6), "disaggregated")


def test_without_flows_nothing_is_said_of_providers(data, scenario, built):
    bare = tiny.dataset(data.practices, data.services)
    measure = score(bare, scenario, built).bodies["consortium"][0].measures["provider_hhi"]
    assert (measure.value, measure.evidence) == (None, "no flows")


def test_patients_moved_follow_one_successor_a_body(data, scenario, card):
    assert values(card, "consortium", "moved_patients") == [0, 0]
    halves = tiny.structure(data, {"consortium": [[0, 1], [2], [3]]})
    moved = score(data, scenario, halves)
    # PCT A lives on in the second (30,000) or the first (30,000): either way 30,000 of its patients are in a new body.
    assert moved.region["moved_patients_consortium"].value == 30_000
    merged = score(data, scenario, tiny.structure(data, {"consortium": [[0, 1, 2, 3]]}))
    assert merged.region["moved_patients_consortium"].value == 40_000
    assert card.region["moved_patients_locality"].value is None  # no localities today


def test_cash_counts_bodies_and_team_once_and_placement_without_the_teams_it_prices(data, scenario, built):
    card = score(data, scenario, built)
    bodies = 3 * 100_000 + 2 * 1_100_000
    assert card.region["cash_per_head"].value == pytest.approx(bodies / 100_000 + 13.1)
    acute = Function("F1", "Acute contracting", 2.0, 3.0, 0.0, "yes", "C", in_placement=True)
    terms = {"contracts": 150_000.0, "pathways": 25_000.0, "leverage": 9e6, "insurance": 4e6, "tailoring": 1e6}
    placed = Placement((), (), (), (), terms, Certificate("placement", 0.0, 0.0, 0.0, "", ""))
    priced = score(replace(data, functions=(acute,)), scenario, built, placed)
    team = 13.1 * 3.0 / 18.4 - 3.0 * 71_400 / 100_000  # rates.team speaks of a table of 18.4 posts
    assert priced.region["cash_team_per_head"].value == pytest.approx(team)
    assert priced.region["cash_per_head"].value == pytest.approx((bodies + 175_000) / 100_000 + team)
    assert priced.region["cash_per_head"].kind == "cash"


def test_patients_in_bodies_too_small_for_luck(data, scenario, built):
    assert score(data, scenario, built).region["failing_risk_rule"].value == 100_000
    pooled = score(
        data, load_scenario("base", {"scales_used": ["locality", "consortium"], "risk_held_at": "region"}), built
    )
    assert pooled.region["failing_risk_rule"].value == 0
    assert pooled.region["failing_risk_rule_unpooled"].value == 100_000


def test_engagement_of_the_region_weighs_scales_as_the_scenario_charges_them(card):
    def engaged(n: float) -> float:
        return 0.45 + 0.5 / (1 + (n / 250_000) ** 1.2)

    local = (10 * engaged(10_000) + 50 * engaged(50_000) + 40 * engaged(40_000)) / 100
    large = (60 * engaged(60_000) + 40 * engaged(40_000)) / 100
    assert card.region["engagement"].value == pytest.approx(0.6 * local + 0.4 * large)


def test_numbers_and_sizes_of_the_region(card):
    found = {n: card.region[f"{n}_locality"].value for n in ("bodies", "median_size", "smallest_size", "largest_size")}
    assert found == {"bodies": 3, "median_size": 40_000, "smallest_size": 10_000, "largest_size": 50_000}


def test_practices_nobody_wants_left_among_themselves_are_counted(data, scenario):
    shunned = ("P01", "P02")
    said = tuple(Relationship(a, b, -0.8, False) for b in shunned for a in ("P00", "P03"))
    known = replace(data, relationships=said)
    together = tiny.structure(known, {"consortium": [[0, 3], [1, 2]]})
    apart = tiny.structure(known, {"consortium": [[0, 1], [2, 3]]})
    assert score(known, scenario, together).region["orphaned_practices"].value == 2
    assert score(known, scenario, apart).region["orphaned_practices"].value == 0
    secret = replace(data, relationships=tuple(replace(r, confidential=True) for r in said))
    assert score(secret, scenario, together).region["orphaned_practices"].value == 0


def test_poor_figures_on_all_three_counts_make_a_practice_unwanted(data, scenario):
    poor = {"referral_index": 1.5, "prescribing_index": 1.4, "satisfaction_pct": 50.0}
    fine = {"referral_index": 1.0, "prescribing_index": 1.0, "satisfaction_pct": 90.0}
    people = tuple(replace(p, **(poor if i == 0 else fine)) for i, p in enumerate(data.practices))
    alone = tiny.structure(data, {"locality": [[0], [1, 2, 3]]})
    assert score(replace(data, practices=people), scenario, alone).region["orphaned_practices"].value == 1
    half = (replace(people[0], satisfaction_pct=95.0), *people[1:])
    assert score(replace(data, practices=half), scenario, alone).region["orphaned_practices"].value == 0


def test_todays_bodies_keep_codes_and_names_and_best_centres(data, scenario):
    today = existing_structure(data, scenario)
    assert today.scales == ("consortium",)
    first, second = today.bodies["consortium"]
    assert (first.code, first.name, first.members) == ("A", "PCT A", (0, 1, 2))
    charges = PairCharges(data, scenario, scenario.scale("consortium"))
    cost = [sum(t.sum() for t in charges.terms(np.arange(3), np.full(3, j)).values()) for j in range(3)]
    assert first.centre == int(np.argmin(cost)) == centre_of(charges, np.arange(3), data.patients)
    assert (second.centre, second.home_authority) == (3, "U2")
    assert score(data, scenario, today).region["moved_patients_consortium"].value == 0


def test_practices_in_no_body_today_are_gathered_apart_and_not_counted_as_a_body(data, scenario):
    some = tuple(replace(p, existing={} if i == 1 else p.existing) for i, p in enumerate(data.practices))
    known = replace(data, practices=some)
    today = existing_structure(known, scenario)
    assert [b.name for b in today.bodies["consortium"]] == ["PCT A", "PCT B", NO_BODY]
    card = score(known, scenario, today)
    assert card.region["bodies_consortium"].value == 2 and card.region["smallest_size_consortium"].value == 40_000
    nobody = replace(data, practices=tuple(replace(p, existing={}) for p in data.practices))
    assert existing_structure(nobody, scenario) is None


def test_a_drawn_map_finds_parents_only_where_bodies_nest(data, scenario):
    rows = {"P00": ("x", "N"), "P01": ("x", "N"), "P02": ("y", "N"), "P03": ("y", "S")}
    made = membership_structure(
        data, scenario, {c: dict(zip(scenario.scales_used, r, strict=True)) for c, r in rows.items()}
    )
    assert [b.parent for b in made.bodies["locality"]] == ["consortium-01", ""]
    with pytest.raises(ValueError, match="no row"):
        membership_structure(data, scenario, {"P00": {"agency": "x"}})


def test_a_centre_is_found_by_distance_where_nothing_is_charged(data, scenario):
    rules = {"scales_used": ["agency"], "forces_off": ["distance"], "scale.agency.centres_each": 0}
    free = load_scenario("base", rules)
    assert not PairCharges(data, free, free.scale("agency")).terms(np.arange(4), np.arange(4))
    made = membership_structure(data, free, {p.code: {"agency": "all"} for p in data.practices})
    assert made.bodies["agency"][0].centre == 2  # (20 + 20 + 0 + 40) patient-km, the least


def test_tools():
    assert fifth(np.array([1.0, 1.0]), np.ones(2)).tolist() == [False, False]
    assert fifth(np.array([5.0, np.nan, 1.0]), np.array([1.0, 8.0, 9.0])).tolist() == [True, False, True]
    assert fifth(np.array([5.0, np.nan, 1.0]), np.array([2.0, 8.0, 8.0])).tolist() == [True, False, False]
    assert successors(np.array([[5.0, 4.0], [4.0, 0.0]])) == [1, 0]  # 8 stay, against 5
    assert ranks_agree(np.array([1.0, 2, 3, 4]), np.array([10.0, 20, 40, 30])) == pytest.approx(0.8)
    assert ranks_agree(np.array([1.0, 1, 1, 1]), np.arange(4.0)) is None
    assert ranks_agree(np.arange(3.0), np.arange(3.0)) is None
