"""Every pound of a plan's cash falls on one body, one function and one team; what the function table says is kept."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geodata.catalogue import functions
from optimiser.domain import Certificate, Commission, Function, Placement
from optimiser.placement_support import support
from optimiser.scenario import load_scenario
from optimiser.team_costs import NO_FUNCTION, by_body, by_function, team_costs
from tests import plans, tiny

BASE = load_scenario("base")
FULL = {"locality": [[0], [1], [2], [3]], "consortium": [[0, 1], [2, 3]], "alliance": [[0, 1, 2, 3]],
        "agency": [[0, 1, 2, 3]]}  # fmt: skip


def world(groups, patients=(100_000, 50_000, 30_000, 20_000), lines=None):
    data = tiny.dataset([tiny.practice(i, p) for i, p in enumerate(patients)], [tiny.service("S")],
                        functions=functions() if lines is None else lines)  # fmt: skip
    return data, tiny.structure(data, groups)


def placed(data, scenario, built, **terms):
    """Every service with its own body, each commission costing `terms`."""
    rows = tuple(
        Commission("S", b.code, "consortium", b.code, "make", 1e6, "", terms) for b in built.bodies["consortium"]
    )
    proof = Certificate("placement", 0.0, 0.0, 0.0, "", "")
    return Placement(rows, (), (), support(data, scenario, built), {}, proof)


def test_in_a_plan_of_every_scale_each_pound_is_charged_once_and_where_the_work_is_done():
    data, built = world(FULL)
    placement = placed(data, BASE, built, contracts=100_000.0, agreements=4_000.0, leverage=9e6)
    fixed, team, contracts = 4 * 1e5 + 2 * 1.1e6 + 0.7e6 + 2.2e6, 11.315 * 200_000, 2 * 104_000
    cash = fixed + team + contracts
    rows = team_costs(data, BASE, built, placement, cash)
    assert sum(r.total for r in rows) == pytest.approx(cash)
    assert sum(r.fixed for r in rows) == pytest.approx(fixed)
    assert sum(r.growing for r in rows) == pytest.approx(team)
    west = {(r.function, r.supplier): r for r in rows if r.body == "consortium-01"}
    assert west["F01", "consortium-01"].fixed == pytest.approx(1.1e6 * 1.2e6 / (1.2e6 + 3.3 * 71_400))
    assert west["F07", "alliance-01"].fixed == pytest.approx(0.7e6 * 2 / 6.5 * 0.75), "three quarters of the patients"
    assert west["F08", "agency-01"].mode == "buy"
    assert west["F06", "alliance-01"].placed == pytest.approx(104_000) and west["F06", "alliance-01"].growing == 0
    assert west["F10", "consortium-01"].growing == pytest.approx(2.5 * 71_400 * 1.5, rel=0.005)
    assert west[NO_FUNCTION, "locality-01"].fixed == west[NO_FUNCTION, "locality-02"].fixed == 100_000
    assert west[NO_FUNCTION, "locality-01"].mode == "make", "a body's own groups are no outside supplier"
    assert {r.body for r in rows if r.supplier == "locality-03"} == {"consortium-02"}


def test_a_body_with_an_own_team_for_everything_pays_what_the_function_table_says():
    """The reference of EVIDENCE 2.2: £36 a head at 100,000, here in a plan rather than on a curve."""
    scenario = load_scenario("standalone")
    data, built = world({"locality": [[0]], "consortium": [[0]]}, patients=(100_000,))
    placement = placed(data, scenario, built)
    assert all(m.cost == 0 and m.mode == "make" for m in placement.functions)
    cash = 2.31e6 + 1e5 + 11.315 * 100_000
    rows = team_costs(data, scenario, built, placement, cash)
    assert not [r for r in rows if r.supplier == ""], "nothing is booked on nobody to make it sum"
    whole = by_body(rows)["consortium-01"]
    assert whole.total == pytest.approx(cash)
    assert whole.alone / 100_000 == pytest.approx(36, abs=0.5)
    for row in rows:
        if row.function not in (NO_FUNCTION, "F06"):
            assert row.total == pytest.approx(row.alone, rel=0.005), row.function


def test_bodies_that_share_no_team_are_not_charged_for_one_twice():
    """Standalone: £2.31m holds every function's fixed team, so nothing may be hosted or bought besides."""
    data, built = world({"locality": FULL["locality"], "consortium": FULL["consortium"]})
    assert sum(m.cost for m in support(data, load_scenario("standalone"), built)) == 0
    assert sum(m.cost for m in support(data, load_scenario("base"), built)) > 0


def test_what_is_hosted_or_bought_is_paid_by_whoever_has_it_done():
    data, built = world({"consortium": FULL["consortium"]})
    placement = placed(data, BASE, built)
    bought = sum(m.cost for m in placement.functions)
    cash = 2 * 1.1e6 + 11.315 * 200_000 + bought
    rows = team_costs(data, BASE, built, placement, cash)
    assert sum(r.total for r in rows) == pytest.approx(cash)
    for mode in placement.functions:
        (row,) = [r for r in rows if (r.body, r.function) == (mode.consortium, mode.function)]
        assert row.fixed == pytest.approx(mode.cost) if mode.cost else row.supplier == mode.consortium


def test_without_services_the_team_holds_contracting():
    data, built = world(FULL)
    cash = 4 * 1e5 + 2 * 1.1e6 + 0.7e6 + 2.2e6 + 13.1 * 200_000
    rows = team_costs(data, BASE, built, None, cash)
    assert sum(r.total for r in rows) == pytest.approx(cash)
    assert sum(r.growing for r in rows if r.function == "F06") == pytest.approx(2.5 * 71_400 * 2, rel=0.005)


def test_other_cash_of_a_scenario_is_shared_by_patients_and_not_lost():
    data, built = world(FULL)
    rows = team_costs(data, BASE, built, None, 4 * 1e5 + 2 * 1.1e6 + 2.9e6 + 13.1 * 200_000 + 80_000)
    rest = {r.body: r.fixed for r in rows if r.supplier == ""}
    assert rest == {"consortium-01": pytest.approx(60_000), "consortium-02": pytest.approx(20_000)}


def test_a_body_without_patients_pays_its_fixed_cost_and_divides_by_nobody():
    data, built = world({"consortium": [[0], [1]], "alliance": [[0, 1]]}, patients=(0, 0))
    rows = team_costs(data, BASE, built, None, 2 * 1.1e6 + 0.7e6)
    assert {c: r.total for c, r in by_body(rows).items()} == pytest.approx(
        {"consortium-01": 1.45e6, "consortium-02": 1.45e6}
    )


def test_one_function_and_none_at_all():
    one = (Function("X", "Everything", 1.0, 1.0, 0.0, "yes", "consortium"),)
    data, built = world({"consortium": [[0, 1, 2, 3]]}, lines=one)
    growing = 13.1 / 18.4 * 200_000  # one post per 100,000, where the bundled table has 18.4
    assert by_function(team_costs(data, BASE, built, None, 1.1e6 + growing)) == {"X": pytest.approx(1.1e6 + growing)}
    data, built = world({"consortium": [[0, 1, 2, 3]]}, lines=())
    assert by_function(team_costs(data, BASE, built, None, 5e6)) == {NO_FUNCTION: pytest.approx(5e6)}


def test_of_a_finished_plan_the_rows_sum_to_its_cash():
    plan = plans.plan()
    for made in (plan, replace(plan, placement=None)):
        rows = team_costs(made.dataset, made.scenario, made.structure, made.placement, made.cash)
        assert sum(r.total for r in rows) == pytest.approx(made.cash)
