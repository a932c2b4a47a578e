"""Bottom-up costing reproduces the rows of EVIDENCE 2.2 and part 4, row 3."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geodata.catalogue import functions
from optimiser import costing
from optimiser.scenario import load_scenario
from tests import tiny

BASE = load_scenario("base")
FUNCTIONS = functions()


@pytest.mark.parametrize(("people", "pounds"), [(100_000, 36), (226_000, 23), (300_000, 21), (1_000_000, 15.4)])
def test_cost_per_head_of_a_standalone_body(people, pounds):
    assert costing.standalone_per_head(FUNCTIONS, people, BASE.costing) == pytest.approx(pounds, abs=0.5)


def test_the_catalogue_sums():
    assert costing.standalone_fixed(FUNCTIONS, BASE.costing) == pytest.approx(2.31e6, rel=0.005)
    assert costing.variable_per_head(FUNCTIONS, BASE.costing) == pytest.approx(13.1, abs=0.05)


@pytest.mark.parametrize(("allowance", "people"), [(25, 194_000), (35, 106_000), (18.76, 410_000)])
def test_break_even_sizes(allowance, people):
    assert costing.break_even(allowance, 2.31e6, 13.1) == pytest.approx(people, rel=0.01)


def test_no_size_meets_an_allowance_below_the_variable_team():
    assert costing.break_even(13.0, 2.31e6, 13.1) == float("inf")


def test_ready_reckoner():
    """£20 × 175,000 people with £1.925m fixed leaves £9 a head; NHS London's fixed cost leaves £3 to £23 of £25."""
    assert costing.left_after_fixed(20, 175_000, 1.925e6) == pytest.approx(9.0)
    assert costing.left_after_fixed(25, 50_000, 1.1e6) == pytest.approx(3.0, abs=0.5)
    assert costing.left_after_fixed(25, 550_000, 1.1e6) == pytest.approx(23.0, abs=0.5)


def test_the_team_priced_by_contracts_is_not_charged_twice():
    assert costing.team_per_head(FUNCTIONS, BASE) == pytest.approx(13.1 - 2.5 * 71_400 / 100_000)
    assert costing.team_cost(FUNCTIONS, 100_000, BASE) == pytest.approx(1_131_500)


def test_management_by_scale_counts_bodies():
    data = tiny.dataset([tiny.practice(i) for i in range(4)], [tiny.service("S1")])
    made = tiny.structure(data, {"locality": [[0], [1], [2], [3]], "consortium": [[0, 1], [2, 3]]})
    assert costing.management_by_scale(made, BASE) == {"locality": 400_000, "consortium": 2_200_000}


def done_alone(people: int) -> dict[str, float]:
    return {c.function: c.total for c in costing.function_costs(FUNCTIONS, people, BASE.costing)}


def test_cost_the_work_says_what_an_allowance_pays_for_and_what_it_leaves_undone():
    """A million people in one body need £15.4 a head; of £13.1 all that is left over is the last in line."""
    scenario = BASE.model_copy(update={"allowances": {"plenty": 20.0, "short": 13.1}})
    plenty, short, _ = costing.cost_the_work(done_alone(1_000_000), 1_000_000, FUNCTIONS, scenario)
    assert plenty.need_per_head == pytest.approx(15.4, abs=0.05) and plenty.gap == pytest.approx(15.4 - 20, abs=0.05)
    assert len(plenty.deliverable) == 17 and plenty.undeliverable == ()
    assert short.gap == pytest.approx(2.3, abs=0.1) and short.undeliverable
    assert {"F01", "F02", "F04", "F14"} <= set(short.deliverable), "duties and what members cannot delegate come first"
    assert set(short.deliverable) | set(short.undeliverable) == {f.id for f in FUNCTIONS}


def test_what_is_paid_for_never_costs_more_than_the_allowance():
    costs = done_alone(226_000)
    for row in costing.cost_the_work(costs, 226_000, FUNCTIONS, BASE):
        assert sum(costs[f] for f in row.deliverable) <= row.per_head * 226_000 + 0.01, row.name
        assert all(row.per_head * 226_000 < sum(costs[f] for f in (*row.deliverable, f_)) for f_ in row.undeliverable)


def test_every_allowance_of_the_sources_is_compared_and_the_cut_comes_last():
    rows = costing.cost_the_work(done_alone(226_000), 226_000, FUNCTIONS, BASE)
    assert [r.per_head for r in rows[:-1]] == [25, 35, 20, 25, 24.73, 22.07, 18.76]
    cut = rows[-1]
    assert cut.cut and cut.per_head == pytest.approx(0.55 * cut.need_per_head)
    assert cut.gap == pytest.approx(0.45 * cut.need_per_head) and cut.undeliverable
    assert not any(r.cut for r in rows[:-1])


def test_what_no_function_stands_for_is_paid_last():
    (row,) = costing.cost_the_work(
        {"": 500_000.0, "F01": 1_200_000.0}, 100_000, FUNCTIONS, load_scenario("base", {"costing.management_cut": 0.0})
    )[:1]
    assert row.need_per_head == 17 and row.deliverable == ("F01", "")


def test_the_cut_comes_in_equal_steps():
    assert costing.phased_cut(37.0, BASE.costing) == pytest.approx((31.45, 25.9, 20.35))


def test_nobody_to_cost_for_is_an_error_that_says_so():
    for cost in (
        lambda: costing.standalone_per_head(FUNCTIONS, 0, BASE.costing),
        lambda: costing.left_after_fixed(25, 0, 1e6),
        lambda: costing.cost_the_work({"F01": 1.0}, 0, FUNCTIONS, BASE),
    ):
        with pytest.raises(ValueError, match="no population to cost for"):
            cost()


def test_contracting_is_in_the_team_unless_contracts_price_it():
    assert costing.team_cost(FUNCTIONS, 100_000, BASE, placed=False) == pytest.approx(1_310_000)


def test_dearer_staff_and_larger_teams_never_make_the_work_cheaper():
    dear = load_scenario("base", {"costing.wte_gbp": 142_800.0})
    assert costing.team_per_head(FUNCTIONS, dear) == pytest.approx(2 * costing.team_per_head(FUNCTIONS, BASE), rel=0.01)
    larger = [replace(f, wte_per_100k=2 * f.wte_per_100k) for f in FUNCTIONS]
    assert costing.team_per_head(larger, BASE) > costing.team_per_head(FUNCTIONS, BASE)
    assert costing.team_per_head((), BASE) == 13.1
