"""Bottom-up costing reproduces the rows of EVIDENCE 2.2 and part 4, row 3."""

from __future__ import annotations

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


def test_cost_the_work_names_what_an_allowance_leaves_undone():
    rows = {r.name: r for r in costing.cost_the_work(23e6, 1_000_000, 4, FUNCTIONS, BASE)}
    enough, short = rows["CCG 2013/14"], rows["ICB 2025"]
    assert enough.need_per_head == pytest.approx(23) and enough.gap == pytest.approx(-2)
    assert enough.undeliverable == ()
    assert short.gap == pytest.approx(23 - 18.76)
    assert short.undeliverable and "F01" not in short.undeliverable and "F02" not in short.undeliverable
    assert short.cut_need_per_head == pytest.approx(23 * 0.55) and short.gap_after_cut < 0
