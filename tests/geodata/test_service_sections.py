"""What the report says of services: every body's five answers, why here, the four factors, the wishes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from geodata.maps.report import render_report
from geodata.maps.service_sections import sections
from optimiser import terminal
from optimiser.plan import Plan
from tests import plans


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plans.plan()


def test_each_body_has_its_five_answers_with_who_how_and_what(plan):
    west, east = sections(plan)["answers"]
    assert (west["name"], west["patients"]) == (
        plan.structure.bodies["consortium"][0].name, plan.structure.bodies["consortium"][0].patients,
    )  # fmt: skip
    asked = [[(p["who"], p["mode"], p["names"]) for p in q["parts"]] for q in west["questions"]]
    assert asked == [
        [("Its localities", "make", ["District nursing"])],
        [("Itself", "make", ["Outpatient care"]), ("Itself", "make", ["Contracting"])],
        [("Westmoor footprint", "share", ["Emergency admissions"])],
        [("Westmoor (region)", "buy", ["Rare disorders"])],
        [("A supplier on the market", "buy", ["Finance"])],
    ]
    assert west["questions"][3]["parts"][0]["amount"] == "*", "a small count is hidden here too"
    assert east["questions"][4]["parts"] == []


def test_the_region_is_added_up_over_its_bodies(plan):
    region = sections(plan)["questions"]
    assert [len(rows) for _, rows in region] == [1, 2, 2, 1, 1]
    (nursing,) = region[0][1]
    assert (nursing["item_name"], nursing["bodies"], nursing["where"]) == ("District nursing", 2, "locality")


def test_why_here_has_a_row_a_service_and_marks_its_place(plan):
    made = sections(plan)
    assert [scale for scale, _ in made["places"]] == ["locality", "consortium", "footprint", "region"]
    rows = {row["name"]: row for row in made["why"]}
    assert [now for now, _ in rows["Emergency admissions"]["cells"]] == [False, False, True, False]
    people = sum(b.patients for b in plan.structure.bodies["consortium"])
    assert rows["Emergency admissions"]["cells"][1][1] == pytest.approx(2_000 * 1_000 / people)
    assert rows["Emergency admissions"]["down"] == ("consortium", "over the region's"), "150,000 of 141,000"
    assert rows["Rare disorders"]["down"] == ("consortium", "never")
    assert rows["Outpatient care"]["up"] is None


def test_the_report_prints_them_and_lists_names_with_semicolons(plan):
    first, second = plan.dataset.services[:2]
    services = (replace(first, name="Surgery, elective"), replace(second, name="Medicine, acute"))
    named = replace(plan, dataset=replace(plan.dataset, services=(*services, *plan.dataset.services[2:])))
    together = tuple(
        replace(c, scale="consortium", commissioner=c.consortium, mode="make") for c in plan.placement.commissions
    )
    named = replace(named, placement=replace(plan.placement, commissions=together))
    page = render_report(named, plans.ground(named.dataset))
    assert "Surgery, elective; Medicine, acute" in page
    for heading in ("The five questions", "Why here?", "The statutory four factors", "Wishes answered"):
        assert len(re.findall(rf">{re.escape(heading)}( <span[^>]*>estimated</span>)?</h2>", page)) == 1
    assert page.count(">estimated</span></h2>") == 3, "what rests on flows that nobody observed says so"
    assert "Old West PCT" in page and "We share the Royal" in page
    assert "12,345" in page and "to grant it, at most" in page
    assert "1 of 2 wishes are kept" in page


def test_without_placement_or_wishes_there_is_nothing_to_print(plan):
    bare = replace(plan, placement=None, why_here=(), wishes=())
    made = sections(bare)
    assert not any(made[name] for name in ("questions", "answers", "why", "example", "factors", "wishes"))
    page = render_report(bare, plans.ground(bare.dataset))
    assert "Why here?" not in page and "Wishes answered" not in page


def test_the_terminal_counts_the_wishes_and_names_the_dearest(plan, tmp_path, capsys):
    terminal.show(plan, tmp_path)
    said = " ".join(capsys.readouterr().out.split())
    assert "Wishes: 1 of 2 kept, 1 of 1 firm ones." in said
    assert "Arle Surgery: Rare disorders at consortium) would cost at most £12,345 a year." in said
