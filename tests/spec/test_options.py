"""Stay alone, pool, merge, or mix: what a planner is told of each, on a region of two consortia of 100,000 people."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from optimiser.domain import Dataset, Wish
from optimiser.errors import ScenarioError
from optimiser.option_answers import answered
from optimiser.option_groups import cut_out
from optimiser.option_scenarios import FORMS, form_scenario, statutory_cost, under_one_officer
from optimiser.options import Comparison, Option, compare_options
from optimiser.placement_support import done_by_itself
from optimiser.providers import provider_income
from optimiser.scenario import load_scenario
from tests.option_worlds import QUICK, SIZES, both, groups, region, scenario

pytestmark = pytest.mark.usefixtures("one_thread")


@cache
def whole() -> Comparison:
    """The whole region under each form."""
    return compare_options(region(), scenario(), 1, budget=QUICK)


def option(found: Comparison, form: str) -> Option:
    return next(o for o in found.options if o.terms.form == form)


def members(found: Comparison, form: str) -> list[tuple[int, ...]]:
    return sorted(body.members for body in option(found, form).plan.anchors)


@pytest.mark.parametrize("form", ["standalone", "pooled", "mixed"])
def test_consortia_that_stay_are_kept_exactly_as_they_are(form):
    assert members(both(), form) == sorted(g.members for g in both().groups)
    assert option(both(), form).terms.figures.moved == 0


def test_consortia_that_merge_become_one():
    assert members(both(), "merged") == [tuple(range(32))]


def test_pooling_shrinks_luck_and_keeps_bodies_small_and_their_say():
    pooled, alone, merged = (option(both(), f).terms.figures for f in ("pooled", "standalone", "merged"))
    assert pooled.largest == alone.largest < merged.largest
    assert pooled.overspend == pytest.approx(merged.overspend, rel=0.2) and pooled.overspend < alone.overspend
    assert pooled.overspend_alone == pytest.approx(alone.overspend_alone)
    assert pooled.engagement == alone.engagement > merged.engagement
    assert pooled.autonomy > merged.autonomy


def test_merging_saves_cash_and_loses_engagement_and_ties_to_councils():
    merged, alone = (option(both(), f).terms.figures for f in ("merged", "standalone"))
    assert merged.cash < alone.cash
    assert merged.engagement < alone.engagement


def test_standing_alone_means_an_own_team_and_services_shared_only_where_people_are_too_few():
    plan = option(both(), "standalone").plan
    assert plan.structure.scales == ("locality", "consortium")
    assert {mode.mode for mode in plan.placement.functions} == {"make"}
    joint = {row.service for row in plan.placement.commissions if row.scale in ("footprint", "region")}
    assert joint == {"emergency"}, "it needs 250,000 people, outpatients 100,000, and each consortium has 100,000"
    jointly = {r.service for r in option(both(), "mixed").plan.placement.commissions if r.scale == "alliance"}
    assert joint < jointly


def test_every_form_is_planned_under_its_own_rules():
    held = {form: option(whole(), form).plan.scenario.risk_held_at for form in FORMS}
    assert held == {"standalone": "consortium", "pooled": "alliance", "merged": "consortium", "mixed": "consortium"}
    assert option(whole(), "mixed").plan.scenario == scenario()
    for form in FORMS:
        found = option(whole(), form)
        assert found.plan.certificates.keys() == set(found.plan.structure.scales)
        assert found.structure_gap >= 0 and found.services_gap >= -1e-9
    assert members(whole(), "merged") == [tuple(range(32))], "a region of fewer than a million merges whole"
    assert len({str(members(whole(), form)) for form in ("standalone", "merged", "mixed")}) > 1


def test_the_planners_own_rates_stay_in_every_form():
    mine = load_scenario(
        "base", {**SIZES, "rates.engagement.value": 144.0, "rates.management.value.locality": 55_000.0}
    )
    for form in FORMS:
        made = form_scenario(form, mine, region(), ())
        assert made.rate("engagement") == 144 and made.rate("management", "locality") == 55_000
        assert made.scale("locality").max_patients == 40_000


@pytest.mark.parametrize("own", [600_000.0, 1_100_000.0])
def test_doing_everything_alone_adds_the_teams_taken_on_to_what_the_planner_says_a_body_costs(own):
    """Forms differ by the work they do: never by whose figure of a fixed cost is used."""
    mine = load_scenario("base", {**SIZES, "rates.management.value.consortium": own, "costing.wte_gbp": 100_000.0})
    more = sum(f.fixed_wte * 100_000 + f.statutory_cost for f in region().functions if not done_by_itself(f, mine))
    for form in ("standalone", "merged"):
        made = form_scenario(form, mine, region(), ())
        assert made.rate("management", "consortium") == pytest.approx(own + more)
    assert form_scenario("mixed", mine, region(), ()).rate("management", "consortium") == own


def test_one_number_for_the_management_of_every_scale_is_one_in_every_form():
    mine = load_scenario("base", {**SIZES, "rates.management.value": 900_000.0})
    alone = form_scenario("standalone", mine, region(), ())
    assert alone.rate("management", "locality") == 900_000
    pooled = form_scenario("pooled", mine, region(), ())
    shared = under_one_officer(pooled, region().functions)
    saved = pooled.rate("management", "consortium") - shared.rate("management", "consortium")
    assert saved == pytest.approx(0.6 * statutory_cost(region().functions, pooled)) and saved > 0
    half = load_scenario("base", {**SIZES, "charged.management": {"consortium": 0.5, "alliance": 0.5}})
    own = statutory_cost(region().functions, half)
    moved = under_one_officer(half, region().functions)
    assert 0.5 * moved.rate("management", "consortium") == pytest.approx(0.5 * 1_100_000 - 0.6 * own)


def test_forms_follow_scales_of_other_names():
    clusters = load_scenario("icb-clusters-2026")
    assert form_scenario("standalone", clusters, region(), ()).scales_used == ("alliance",)
    assert form_scenario("pooled", clusters, region(), ()).risk_held_at == "agency"
    assert form_scenario("merged", clusters, region(), ()).scale("alliance").min_patients == 1_000_000


def test_a_scenario_without_anything_larger_cannot_pool():
    with pytest.raises(ScenarioError, match="plans nothing larger than consortium that commissions"):
        form_scenario("pooled", load_scenario("standalone"), region(), ())


def test_a_shared_officer_costs_what_the_arrangement_says():
    """£1.1m a consortium, all of it statutory in this region's function table: 40 % each, and 60 % once."""
    plan = option(both(), "pooled").plan
    alone = statutory_cost(region().functions, scenario())
    assert alone == pytest.approx(1_100_000)
    assert [officer.bodies for officer in plan.officers] == [2]
    fixed = plan.scenario.rate("management", "consortium") * 2 + plan.scenario.rate("management", "alliance")
    assert fixed - 700_000 == pytest.approx(2 * alone * 0.4 + 0.6 * alone) == pytest.approx(plan.officers[0].shared)


def test_both_sides_of_every_form_are_told_and_quote_its_own_figures():
    for found in (*both().options, *whole().options):
        assert len(found.terms.benefits) > 2 and len(found.terms.risks) > 2
        said = " ".join((*found.terms.benefits, *found.terms.risks))
        assert any(character.isdigit() for character in said)
    merged = option(both(), "merged").terms
    assert any(text.startswith("Least cash to run: £") for text in merged.benefits)
    assert any(text.startswith("Fewest GPs engaged: ") for text in merged.risks)
    assert any("where risk is held" in text for text in option(both(), "pooled").terms.benefits)


def test_the_way_is_counted_from_the_bodies_there_are():
    assert both().today is not None and both().today.filled
    assert "locality" in both().today.plan.structure.scales, "nobody has drawn localities: they are planned inside"
    merged = option(both(), "merged").terms.transition
    today = both().today.figures.cash
    assert merged.saving == pytest.approx((today - option(both(), "merged").terms.figures.cash) * 200_000)
    assert merged.saving > 0, "one team for everything where there were two"
    assert merged.years[0].realised == pytest.approx(0.36 * merged.saving)
    assert merged.leads == pytest.approx(3 * 71_400), "two consortia end and one begins"


def test_without_bodies_of_today_the_way_is_counted_from_standing_alone():
    nobody = replace(region(), practices=tuple(replace(p, existing={}, existing_names={}) for p in region().practices))
    found = compare_options(nobody, scenario(), 1, budget=QUICK)
    assert found.today is None
    alone = option(found, "standalone").terms.transition
    assert alone.one_off == 0 and alone.saving == 0
    assert [g.members for g in found.groups] == [b.members for b in option(found, "mixed").plan.anchors]


def with_wishes(*wishes: tuple[str, str, str]) -> Dataset:
    return replace(region(), wishes=tuple(Wish(who, service, scale, False) for who, service, scale in wishes))


def test_a_comparison_is_premature_until_every_consortium_has_answered_the_five_questions():
    assert whole().premature and whole().stood_in == 2
    assert all(answer.questions == () for answer in whole().answers)
    # practices and localities; alone; with neighbours; larger; outsourced
    five = [("nursing", "locality"), ("outpatients", "consortium"), ("emergency", "alliance"), ("referrals", "region")]
    one = with_wishes(*(("E1", service, scale) for service, scale in five))
    said = answered(one, scenario(), groups("E1,E2"))
    assert [a.questions for a in said] == [(1, 2, 3, 4), ()]
    more = [(who, service, scale) for who in ("E1", "E2") for service, scale in five]
    more += [("P001", "nursing", "authority"), ("P032", "nursing", "authority")]
    said = answered(with_wishes(*more), scenario(), groups("E1,E2"))
    assert all(a.complete for a in said), "a practice inside answers for its consortium too"
    assert not replace(both(), answers=said).premature


def test_firm_wishes_that_a_form_cannot_hear_are_a_risk_of_that_form():
    found = compare_options(
        replace(region(), wishes=(Wish("E1", "emergency", "alliance", True),)), scenario(), 1, groups("E1", "E2"), QUICK
    )
    said = "1 firm wish asks for a scale that it does not have"
    assert [said in o.terms.risks for o in found.options] == [True, False, True, False]


def test_the_data_of_a_set_are_cut_to_it_but_for_what_providers_earn():
    small, (south,) = cut_out(region(), [g for g in groups("E1", "E2") if g.code == "E1"])
    assert [p.existing["consortium"] for p in small.practices] == ["E1"] * len(small.practices)
    assert south.members == tuple(range(len(small.practices)))
    assert small.flows.spend.sum() < region().flows.spend.sum()
    assert {p.code for p in small.practices} >= {p for r in small.relationships for p in (r.practice, r.other)}
    assert small.adjacency.max() < len(small.practices)
    np.testing.assert_allclose(provider_income(small), provider_income(region()))
    practice = small.practices[int(small.flows.practice[5])].code
    assert practice == region().practices[int(region().flows.practice[5])].code


def test_consortia_are_found_by_code_or_name_and_a_misspelt_one_is_named():
    assert [g.code for g in groups("south pct", "E2")] == ["E1", "E2"]
    with pytest.raises(ScenarioError, match=r"there is no consortium 'South PCTs'.*Did you mean E1"):
        groups("South PCTs,E2")
    with pytest.raises(ScenarioError, match="Nobody can pool or merge alone"):
        groups("E1")


def test_the_same_seed_gives_the_same_figures():
    again = compare_options(region(), scenario(), 1, groups("E1,E2"), QUICK)
    assert [o.terms for o in again.options] == [o.terms for o in both().options]
