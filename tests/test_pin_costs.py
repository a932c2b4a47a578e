"""What decisions taken beforehand cost, on worlds small enough to know it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geodata import pin_table
from geodata.maps.report import render_report
from optimiser.clock import Clock
from optimiser.hierarchy import build
from optimiser.partition.budget import Budget
from optimiser.pin_costs import ALL, PinCost, pin_costs
from optimiser.scenario import Scenario, load_scenario
from optimiser.units import scale_problem
from tests import oracle, plans
from tests.ascii_map import region

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = Budget(moves=300, rounds=12, branches=3)
TWO_COUNCILS = """
    A A A A
    B B B B
"""
RULES = {
    "scales_used": ["consortium"],
    "scale.consortium.min_patients": 40_000,
    "scale.consortium.max_patients": 90_000,
    "rates.authority.value": {"consortium": 40.0},
}
CROSSING = {"kind": "together", "scale": "consortium", "practices": ["a1", "a2"], "reason": "One building."}
ODD_ONES = {"kind": "frozen", "scale": "consortium", "practices": ["b1", "b2"], "name": "The Odd Ones"}
CORNER = {"kind": "together", "scale": "consortium", "practices": ["c1", "d1"]}


def scenario(*pins: dict) -> Scenario:
    return load_scenario("base", {**RULES, "pins": list(pins)})


def priced(*pins: dict, clock: Clock | None = None) -> tuple[tuple[PinCost, ...], bool]:
    data, chosen = region(TWO_COUNCILS), scenario(*pins)
    plan = build(data, chosen, 1, QUICK)
    return pin_costs(data, chosen, plan, 1, QUICK, clock or Clock())


def true_cost(*pins: dict, without: int) -> float:
    """£ a year by which the best plan with all pins is dearer than the best with one of them less, by trying all."""
    data, kept = region(TWO_COUNCILS), [pin for n, pin in enumerate(pins, start=1) if without not in (ALL, n)]
    best = [
        oracle.best(scale_problem(data, chosen, chosen.scale("consortium")).problem)[0]
        for chosen in (scenario(*pins), scenario(*kept))
    ]
    return best[0] - best[1]


def test_the_cost_is_the_difference_of_the_best_plans_and_lies_in_its_interval():
    pins = (CROSSING, ODD_ONES, CORNER)
    found, late = priced(*pins)
    assert not late and [row.pin for row in found] == [ALL, 2, 1, 3], "all together, then frozen bodies, then the rest"
    for row in found:
        truth = true_cost(*pins, without=row.pin)
        assert row.cost == pytest.approx(truth, abs=1.0), row
        assert row.least <= truth + 1.0 and truth <= row.most + 1.0, row
    assert [row.in_full for row in found] == [True, True, False, False]
    assert min(row.cost for row in found[:2]) > 1_000.0, "crossing a border costs £40 a patient"


def test_a_single_pin_is_all_pins():
    (row,), _ = priced(ODD_ONES)
    assert row.pin == 1 and row.in_full
    assert row.cost == pytest.approx(true_cost(ODD_ONES, without=1), abs=1.0)


def test_what_would_be_done_anyway_costs_nothing():
    (row,), _ = priced(CORNER)
    assert (row.cost, row.least, row.patients_moved_share) == (0.0, 0.0, 0.0)
    assert priced() == ((), False)


def test_once_the_time_is_over_nothing_is_priced_and_that_is_said():
    assert priced(ODD_ONES, clock=Clock(0.0)) == ((), True)


def test_the_table_has_a_row_for_every_pin_priced_or_not():
    rows = [PinCost(ALL, 5e5, 0.0, 2e6, True, 0.1), PinCost(2, 4e5, 1e5, 2e6, True, 0.05)]
    made = plans.plan()
    chosen = made.scenario.model_copy(update={"pins": scenario(CROSSING, ODD_ONES).pins})
    table = pin_table.pins(replace(made, scenario=chosen, pin_costs=tuple(rows)))
    assert [(r["pin"], r["cost"], r["method"]) for r in table.records()] == [
        ("all", 5e5, pin_table.IN_FULL),
        ("1", None, pin_table.NOT_PRICED),
        ("2", 4e5, pin_table.IN_FULL),
    ]
    assert table.records()[1]["practices"] == "a1;a2" and table.records()[1]["reason"] == "One building."
    assert table.records()[2]["name"] == "The Odd Ones"
    assert pin_table.pins(made) is None


def test_the_report_says_what_was_decided_and_what_keeping_it_costs():
    made = plans.plan()
    chosen = made.scenario.model_copy(update={"pins": scenario(CROSSING, ODD_ONES).pins})
    priced = (PinCost(ALL, 512_345.0, 0.0, 2e6, True, 0.1), PinCost(2, 4e5, 1e5, 2e6, True, 0.05))
    page = render_report(replace(made, scenario=chosen, pin_costs=priced), plans.ground(made.dataset))
    assert "Decided beforehand" in page and "£512,345" in page and "The Odd Ones" in page and "One building." in page
    assert pin_table.NOT_PRICED in page
    assert "Decided beforehand" not in render_report(made, plans.ground(made.dataset))
