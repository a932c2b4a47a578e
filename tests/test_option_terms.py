"""What a change of form costs on the way, what autonomy it leaves, and both sides of every option."""

from __future__ import annotations

from dataclasses import fields

import pytest

from optimiser.domain import Certificate, Commission, Footprint, Placement
from optimiser.errors import ScenarioError
from optimiser.option_terms import SAID, Figures, OptionTerms, autonomy
from optimiser.scenario import load_scenario
from optimiser.transition import late_parts, transition
from tests import tiny

BASE = load_scenario("base")


def test_a_merger_saves_500_000_in_theory_and_what_trusts_had_in_practice():
    """Fulop 2002: £178,700 in the first year and £346,800 in the second, of £500,000."""
    made = transition(500_000, 0.0, 0.0, 2, BASE)
    assert [y.theoretical for y in made.years] == [500_000] * 3
    assert [y.realised for y in made.years] == pytest.approx([178_700, 346_800, 500_000], rel=0.01)
    assert [y.number for y in made.years] == [1, 2, 3]


def test_developments_are_eighteen_months_late_and_work_is_lost_meanwhile():
    assert late_parts(18, 3) == (1.0, 0.5, 0.0)
    assert late_parts(0, 2) == (0.0, 0.0) and late_parts(40, 3) == (1.0, 1.0, 1.0)
    made = transition(0.0, 10e6, 2e6, 2, BASE)
    assert [y.delayed for y in made.years] == [2e6, 1e6, 0.0]
    assert [y.dip for y in made.years] == pytest.approx([350_000, 175_000, 0.0])


def test_posts_are_paid_off_beyond_those_saved_since_some_are_taken_on_again():
    made = transition(714_000, 0.0, 0.0, 3, BASE)
    assert made.paid_off == pytest.approx(10 / 0.7)
    assert made.severance == pytest.approx(10 / 0.7 * 45_000)
    assert made.leads == pytest.approx(3 * 71_400)
    assert made.years[0].cash == pytest.approx(0.36 * 714_000 - made.one_off) and made.years[1].one_off == 0
    assert made.late == pytest.approx(714_000 * (0.64 + 0.31))


def test_when_the_cash_comes_back():
    made = transition(714_000, 0.0, 0.0, 3, BASE)
    spent, year, total = made.one_off, 0, 0.0
    while total < spent:
        total += 714_000 * (0.36, 0.69, 1.0)[min(year, 2)]
        year += 1
    assert made.pays_back() == year == 3
    assert transition(0.0, 1e6, 0.0, 0, BASE).pays_back() == 1, "nothing spent"
    assert transition(-1e5, 1e6, 0.0, 2, BASE).pays_back() is None, "a dearer form never pays back"


def test_a_dearer_form_costs_in_full_from_the_first_year_and_pays_nobody_off():
    made = transition(-200_000, 0.0, 0.0, 2, BASE)
    assert [y.realised for y in made.years] == [-200_000] * 3
    assert made.severance == 0 and made.leads > 0


def test_where_nothing_changes_nothing_is_lost():
    made = transition(300_000, 5e6, 1e6, 0, BASE)
    assert made.one_off == made.late == made.undone == made.delayed == 0.0
    assert [y.realised for y in made.years] == [300_000] * 3
    with pytest.raises(ValueError):
        transition(1.0, 1.0, 1.0, -1, BASE)


def option(**changes):
    way = transition(0.0, 0.0, 0.0, 0, BASE)
    figures = Figures(**dict.fromkeys((f.name for f in fields(Figures)), 0.5))
    given = {
        "name": "Merge", "form": "merged", "figures": figures, "transition": way, "benefits": ("one team",),
        "risks": ("remote",),
    }  # fmt: skip
    return OptionTerms(**{**given, **changes})


@pytest.mark.parametrize("side", ["benefits", "risks"])
def test_an_option_without_benefits_or_without_risks_cannot_be_made(side):
    assert option().benefits
    with pytest.raises(ScenarioError, match=f"names no {side}"):
        option(**{side: ()})
    with pytest.raises(ScenarioError, match="a blank"):
        option(**{side: ("fine", " ")})


def test_the_sources_say_something_for_and_against_every_form():
    assert set(SAID) == {"standalone", "pooled", "merged", "mixed"}
    for benefits, risks in SAID.values():
        assert benefits and risks and not set(benefits) & set(risks)


def world(consortia, places, localities=((0,), (1,), (2,), (3,))):
    """Four practices of 10,000, 30,000, 20,000 and 40,000; service → (scale, commissioner by consortium)."""
    data = tiny.dataset(
        [tiny.practice(i, p) for i, p in enumerate((10_000, 30_000, 20_000, 40_000))],
        [tiny.service(s) for s in places],
    )
    built = tiny.structure(data, {"locality": localities, "consortium": consortia, "alliance": [[0, 1, 2, 3]]})
    rows = tuple(
        Commission(s, b.code, scale, b.code if who == "itself" else who, "make", 100.0 * b.patients, "", {})
        for s, (scale, who) in places.items()
        for b in built.bodies["consortium"]
    )
    foot = Footprint("footprint-01", "Both", tuple(b.code for b in built.bodies["consortium"]), "")
    proof = Certificate("placement", 0.0, 0.0, 0.0, "", "")
    return data, built, Placement(rows, (foot,), (), (), {}, proof)


PLACES = {
    "S1": ("practice", "itself"), "S2": ("consortium", "itself"), "S3": ("footprint", "footprint-01"),
    "S4": ("alliance", "alliance-01"), "S5": ("region", "region"), "S6": ("authority", "U1"),
    "S7": ("locality", "itself"), "S8": ("condition_group", "charity"),
}  # fmt: skip


def test_a_body_keeps_what_it_and_those_inside_it_decide():
    made = world([[0, 1], [2, 3]], PLACES)
    kept = autonomy({0, 1}, *made, "consortium")
    assert kept.services == pytest.approx(3 / 8) and kept.spend == pytest.approx(3 / 8)


def test_whoever_merged_decides_nothing_that_the_merged_body_decides():
    """West is a half of the merged body; its practices still decide for themselves, and one locality is all its own."""
    made = world([[0, 1, 2, 3]], PLACES, localities=[[0], [1, 2], [3]])
    kept = autonomy({0, 1}, *made, "consortium")
    assert kept.services == pytest.approx((1 + 10_000 / 40_000) / 8), "S1, and S7 for the first practice"
    whole = autonomy({0, 1, 2, 3}, *made, "consortium")
    assert whole.services == pytest.approx(5 / 8), "those who decide together are themselves, the region is not"


def test_no_practice_is_an_error_and_no_patients_is_no_figure():
    data, built, placement = world([[0, 1], [2, 3]], {})
    with pytest.raises(ValueError, match="no practice"):
        autonomy((), data, built, placement, "consortium")
    assert autonomy({0}, data, built, placement, "consortium").services is None
