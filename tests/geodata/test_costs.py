"""What a plan costs, as it is printed: tables that add up, a report that says what is assumed, a picture in ink."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from geodata import budget_tables, cost_tables, summary
from geodata.catalogue import functions
from geodata.maps.cost_picture import cost_curve, curve_bytes
from geodata.maps.cost_sections import sections
from geodata.maps.report import render_report
from optimiser import terminal
from optimiser.domain import Finance
from optimiser.placement_support import support
from optimiser.plan import Plan
from tests import plans


@pytest.fixture(scope="module")
def plan() -> Plan:
    """The hand-made plan with the bundled function table."""
    made = plans.plan()
    data = replace(made.dataset, functions=functions())
    placed = replace(made.placement, functions=support(data, made.scenario, made.structure))
    return replace(made, dataset=data, placement=placed)


def test_every_way_of_adding_up_gives_the_plans_cash(plan):
    for table in (cost_tables.costs(plan), cost_tables.teams(plan), cost_tables.function_costs(plan)):
        rows = table.records()
        assert sum(row["total"] for row in rows) == pytest.approx(plan.cash), table.name
        for row in rows:
            assert row["fixed"] + row["growing"] + row["placed"] == pytest.approx(row["total"])


def test_each_body_has_its_cost_a_head_and_what_it_would_pay_alone(plan):
    for row in cost_tables.costs(plan).records():
        assert row["per_head"] == pytest.approx(row["total"] / row["patients"])
        assert row["alone_per_head"] == pytest.approx(2.31e6 / row["patients"] + 13.1, rel=0.005)


def test_allowances_of_the_plan_and_of_every_body_name_what_they_leave_unpaid(plan):
    rows = cost_tables.allowances(plan).records()
    whole = [row for row in rows if row["consortium"] == ""]
    assert [row["per_head"] for row in whole[:-1]] == [25, 35, 20, 25, 24.73, 22.07, 18.76]
    assert {row["consortium"] for row in rows} == {"", "consortium-01", "consortium-02"}
    for row in whole:
        assert row["need_per_head"] == pytest.approx(plan.cash / 141_000)
        assert row["gap"] == pytest.approx((row["need_per_head"] - row["per_head"]) * 141_000)
        assert (row["gap"] <= 0) == (row["undeliverable_names"] == "")
    assert "Running the localities" in whole[-1]["undeliverable_names"]
    assert [r["gap"] for r in summary.summary(plan)["allowances"]] == pytest.approx([r["gap_per_head"] for r in whole])


def test_suppliers_say_what_the_plan_does_beside_the_rubric(plan):
    rows = {(r["function"], r["kind"]): r for r in cost_tables.suppliers(plan).records()}
    assert rows["F02", "own"]["planned"] == 2 and rows["F02", "private"]["refused"]
    for function in {f for f, _ in rows}:
        assert sum(r["planned"] for (f, _), r in rows.items() if f == function) <= 2


def test_one_officer_is_priced_for_the_bodies_of_an_alliance(plan):
    (row,) = cost_tables.shared_officer(plan).records()
    assert (row["bodies"], row["patients"]) == (2, 141_000)
    assert row["shared"] == pytest.approx(row["apart"] * 0.7) and row["merged"] == pytest.approx(row["apart"] / 2)
    assert row["of_merger"] == pytest.approx(0.6)


def test_budgets_say_what_is_not_known(plan):
    assert not plan.dataset.finances
    for row in budget_tables.budgets(plan).records():
        assert row["today"] is row["distance"] is row["inherited"] is None
    text = render_report(plan, plans.ground(plan.dataset))
    assert "The dataset has no finances.csv" in text and "Nor does it say what is carried over" in text
    assert "gives no need index" in text


def test_budgets_with_finances_sum_to_what_there_is(plan):
    given = (Finance("5QA", 120e6, -2e6), Finance("5QB", 30e6, 1e6))
    made = replace(plan, dataset=replace(plan.dataset, finances=given))
    for scale in made.structure.scales:
        rows = [r for r in budget_tables.budgets(made).records() if r["scale"] == scale]
        assert sum(r["fair"] for r in rows) == sum(r["today"] for r in rows) == pytest.approx(150e6)
        assert sum(r["inherited"] for r in rows) == pytest.approx(-1e6)
    changes = budget_tables.budget_changes(made).records()
    assert sum(r["change"] for r in changes) == pytest.approx(0.0, abs=0.01)
    text = render_report(made, plans.ground(made.dataset))
    assert "finances.csv, a body" in text and "Nor does it say" not in text


def test_the_report_prints_need_against_allowances_and_says_that_it_rests_on_assumptions(plan):
    text = render_report(plan, plans.ground(plan.dataset))
    section = text[text.index('id="costs"') : text.index('id="budgets"')]
    assert section.startswith('id="costs">What it costs <span class="tag"') and ">assumed<" in section
    for name in plan.scenario.allowances:
        assert name in section
    for phrase in (
        "after a cut of 45 %",
        "Cash only.",
        "Suppliers on one rubric",
        "One accountable officer for several",
    ):
        assert phrase in section
    assert section.count("data:image/svg+xml;base64,") == 1
    assert re.search(r'alt="A falling curve: alone, a body pays £2.31m and £13.14 a head', section)


def test_the_terminal_prints_need_against_every_allowance(plan, capsys, tmp_path):
    terminal.show(plan, tmp_path)
    said = capsys.readouterr().out
    assert "allowance" in said and "left unpaid" in said
    assert all(name in said for name in plan.scenario.allowances)


def test_the_curve_is_drawn_in_ink_and_greys_the_same_each_time(plan):
    shown = cost_curve(plan)
    drawn = curve_bytes(shown)
    assert drawn == curve_bytes(cost_curve(plan))
    colours = set(re.findall(rb"#([0-9a-f]{6})", drawn))
    assert colours <= {b"16262f", b"4d5f69", b"ffffff", b"000000"}, "readable in black and white"
    for words in (b"everything alone", b"ICB 2025", b"assumed"):
        assert words in drawn
    assert drawn.count(b"no size") == 0


def test_an_allowance_that_no_size_meets_and_names_with_dollars_are_drawn(plan):
    scenario = plan.scenario.model_copy(update={"allowances": {"$1$": 9.0}})
    shown = cost_curve(replace(plan, scenario=scenario))
    assert b"at no size" in curve_bytes(shown) and "meets no allowance" in shown.described


def test_many_bodies_are_drawn_without_names(plan):
    shown = cost_curve(plan)
    many = replace(shown, dots=tuple((f"Body {n}", 50_000 + 5_000 * n, 30.0 - n / 10) for n in range(60)))
    assert b"Body 7" not in curve_bytes(many) and b"Westmoor" not in curve_bytes(many)


def test_a_plan_without_functions_or_services_is_costed_all_the_same():
    bare = plans.plan()
    bare = replace(bare, dataset=replace(bare.dataset, functions=()), placement=None, why_here=(), wishes=())
    assert sum(r["total"] for r in cost_tables.costs(bare).records()) == pytest.approx(bare.cash)
    assert cost_curve(bare) is None and sections(bare)["costs"] is None
    assert cost_tables.suppliers(bare).rows == cost_tables.shared_officer(bare).rows == ()
