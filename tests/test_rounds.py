"""Structure and services in turn: never dearer than before, near the least of every structure with every placement."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from optimiser.clock import Clock
from optimiser.domain import Dataset, Placement, Structure, Wish
from optimiser.forces import structure_terms
from optimiser.given import broken_rules
from optimiser.hierarchy import Hierarchy, assemble, build
from optimiser.partition.budget import Budget
from optimiser.placement import place
from optimiser.placement_costs import survey
from optimiser.plan import make_plan
from optimiser.rounds import Round, alternate, carried, weighed
from optimiser.scenario import Scenario, load_scenario
from optimiser.sensitivity import EFFORT
from tests import tiny
from tests.nested_worlds import Every, random_region, random_rules, total
from tests.slow_placement import Slow, placements

pytestmark = pytest.mark.usefixtures("one_thread")

QUICK = Budget(moves=200, rounds=8, branches=3)
SCALES = ("consortium", "alliance")
SIZES = {"scale.consortium.min_patients": 30_000, "scale.consortium.max_patients": 200_000}
SIZES |= {
    "scale.alliance.min_patients": 60_000,
    "scale.alliance.max_patients": 500_000,
    "scale.alliance.min_members": 1,
}


def random_world(seed: int) -> tuple[Dataset, Scenario]:
    """Four practices and two services, few enough for every structure with every placement."""
    rng = np.random.default_rng((seed, 2))
    ground = random_region(seed, 4)
    practices = tuple(replace(p, patients=3 * p.patients) for p in ground.practices)
    services = [
        tiny.service(
            f"S{k}",
            cases_per_1000=float(rng.choice([5, 60])),
            cost_per_case=float(rng.choice([2_000, 20_000])),
            tailoring=int(rng.integers(0, 4)),
            leverage=int(rng.integers(0, 4)),
            authority_link=int(rng.integers(0, 3)),
        )
        for k in range(2)
    ]
    serves = {i: dict(enumerate(rng.dirichlet([0.4, 0.4]))) for i in range(4)}
    providers = [tiny.provider("RA", income=60e6), tiny.provider("RB")]
    data = tiny.dataset(practices, services, providers, tiny.spend_rows(practices, services, serves))
    scenario = random_rules(seed, SCALES, more=SIZES)
    return replace(data, adjacency=ground.adjacency, relationships=ground.relationships), scenario


def placing(data: Dataset, scenario: Scenario):
    """Places services for a structure, to the last pound."""
    return lambda structure, clock, prove: place(data, scenario, structure, 1, 20.0, gap=0.0, prove=prove)


def planned(data: Dataset, scenario: Scenario) -> tuple[Hierarchy, Placement, tuple[Round, ...], bool]:
    made = build(data, scenario, 1, QUICK)
    return alternate(data, scenario, made, placing(data, scenario), 1, EFFORT, Clock())


def least_of_all(data: Dataset, scenario: Scenario) -> float:
    """£ a year of the cheapest structure with its cheapest placement, both by enumeration."""
    found = math.inf
    for pounds, membership in Every(data, scenario).structures():
        structure = assemble(data, scenario, membership)
        options = survey(data, scenario, structure, 1).options
        slow, anchors = Slow(data, scenario, structure, options), len(structure.bodies["consortium"])
        ways = placements(options, data.services, anchors)
        found = min(found, pounds + min(sum(slow.cost(way).values()) for way in ways))
    return found


def test_never_below_the_least_of_every_structure_with_every_placement_and_near_it():
    first, last, kept = [], [], 0
    for seed in range(10):
        data, scenario = random_world(seed)
        made, placement, rounds, late = planned(data, scenario)
        least, totals = least_of_all(data, scenario), [r.total for r in rounds if r.kept]
        reached = made.objective + placement.certificate.objective
        assert not late
        assert least - 0.01 <= reached == pytest.approx(totals[-1]), seed
        assert broken_rules(data, scenario, made.structure) == ()
        assert all(after < before for before, after in pairwise(totals)), "kept rounds fall"
        assert all(r.kept for r in rounds[:-1]) and rounds[-1].total >= totals[-1]
        first.append(totals[0] / least - 1)
        last.append(reached / least - 1)
        kept += len(totals) - 1
    assert kept >= 3 and np.mean(first) > 0.01, "worlds where turns never pay test nothing"
    assert np.mean(last) <= 0.005, last


# --- a world where they pay ------------------------------------------------------------------------------------------

PAYING = {
    **SIZES,
    "scales_used": ["consortium", "alliance"],
    "forces_off": ["likeness", "authority", "distance", "continuity", "coordination"],
    "rates.management.value": {"consortium": 200_000.0, "alliance": 100_000.0},
    "scale.alliance.min_patients": 240_000,
}


def shared_hospital(**nature) -> Dataset:
    """Four practices of 60,000 on a road, who all use one hospital for three services."""
    practices = [tiny.practice(i, 60_000) for i in range(4)]
    fields = {"cases_per_1000": 100.0, "cost_per_case": 2_000.0, "leverage": 3, "tailoring": 0, **nature}
    services = [tiny.service(f"S{k}", **fields) for k in range(3)]
    rows = tiny.spend_rows(practices, services, {i: {0: 1.0} for i in range(4)})
    return tiny.dataset(practices, services, [tiny.provider("RA")], rows)


@pytest.fixture(scope="module")
def paying() -> tuple[Dataset, Scenario]:
    return shared_hospital(), load_scenario("base", PAYING)


@pytest.fixture(scope="module")
def before(paying) -> Hierarchy:
    return build(*paying, 1, QUICK)


@pytest.fixture(scope="module")
def told(paying) -> tuple[Hierarchy, Placement, tuple[Round, ...], bool]:
    return planned(*paying)


def test_consortia_that_carry_no_insurance_become_smaller(paying, before, told):
    """Insurance makes pairs of practices. All services go to the alliance, which then carries the risk, so consortia of
    one, who keep their members more engaged, are cheaper in all."""
    data, scenario = paying
    made, placement, rounds, late = told
    assert sorted(body.members for body in before.structure.bodies["consortium"]) == [(0, 1), (2, 3)]
    assert sorted(body.members for body in made.structure.bodies["consortium"]) == [(0,), (1,), (2,), (3,)]
    assert {c.scale for c in placement.commissions} == {"alliance"}
    assert not late and [r.kept for r in rounds][:2] == [True, True]
    assert (rounds[0].insurance, rounds[0].leverage) == (1.0, 1.0)
    assert (rounds[1].insurance, rounds[1].leverage) == (0.0, 0.0), "the hospital's whole income is the alliance's"
    saved = before.objective - made.objective + (rounds[0].services - rounds[1].services)
    assert rounds[0].total - rounds[1].total == pytest.approx(saved)
    assert rounds[1].structure > rounds[0].structure, "under the scenario as given it is the dearer structure"
    assert rounds[1].total < rounds[0].total
    assert rounds[1].total == pytest.approx(least_of_all(data, scenario))


def test_what_a_scale_carries_by_hand(paying):
    """Reserves and lost leverage of made-up answers, against what the structure was charged from curves of size."""
    data, scenario = shared_hospital(leverage=0, tailoring=0), paying[1]
    made = build(data, scenario, 1, QUICK)
    placement = place(data, scenario, made.structure, 1, 20.0)
    where = ["consortium", "practice", "alliance"] * 2
    answers = tuple(
        replace(c, scale=scale, terms={"insurance": 1_000.0 * k, "leverage": 500.0 * k})
        for k, (c, scale) in enumerate(zip(placement.commissions, where, strict=True))
    )
    reserve = 0.10 * 1.6448536269514722 * 3.7 * 1_436 * 2 * math.sqrt(120_000)  # two consortia
    stand_in = 13.0 * 240_000 * (1 - 240_000 / 700_000)
    insurance, leverage = carried(scenario, made, replace(placement, commissions=answers))
    assert insurance == pytest.approx((0 + 1_000 + 3_000 + 4_000) / reserve), "risk is held at consortia and below"
    assert leverage == pytest.approx((2 * 500 + 5 * 500) / stand_in), "the stand-in is charged at alliances"


def test_what_was_not_charged_keeps_its_price_and_none_is_charged_more_than_fourfold(paying, before):
    (data, scenario), made = paying, before
    placement = place(data, scenario, made.structure, 1, 20.0)
    dear = tuple(replace(c, scale="consortium", terms={"insurance": 1e9}) for c in placement.commissions)
    assert carried(scenario, made, replace(placement, commissions=dear))[0] == 4.0
    free = replace(made, terms={**made.terms, "consortium": {}, "alliance": {}})
    assert carried(scenario, free, replace(placement, commissions=dear)) == (1.0, 1.0)
    nowhere = scenario.model_copy(update={"risk_held_at": "practice", "charged": {**scenario.charged, "leverage": {}}})
    assert carried(nowhere, made, placement) == (1.0, 1.0)


def test_a_scenario_weighed_charges_the_structure_so_many_times(paying, told):
    data, scenario = paying
    plain = structure_terms(data, scenario, told[0].structure)
    other = structure_terms(data, weighed(scenario, 0.5, 3.0), told[0].structure)
    assert other["consortium"]["insurance"] == pytest.approx(0.5 * plain["consortium"]["insurance"])
    assert other["alliance"]["leverage"] == pytest.approx(3.0 * plain["alliance"]["leverage"])
    assert other["consortium"]["engagement"] == plain["consortium"]["engagement"]


# --- which round is kept, and what is proved -------------------------------------------------------------------------


def test_a_round_that_saves_nothing_leaves_the_plan_of_the_round_before(paying, before):
    """Services are dearer in any structure but the first."""
    data, scenario = paying
    made, exact, asked = before, placing(*paying), list[Structure]()

    def dearer(structure: Structure, clock: Clock, prove: bool) -> Placement:
        asked.append(structure)
        found, more = exact(structure, clock, prove), 1e6 * (structure is not made.structure)
        proof = replace(found.certificate, objective=found.certificate.objective + more)
        return replace(found, certificate=proof)

    kept, placement, rounds, late = alternate(data, scenario, made, dearer, 1, EFFORT, Clock())
    assert kept is made and len(asked) == 2 and not late
    assert len(placement.commissions) == 2 * 3
    assert [r.kept for r in rounds] == [True, False] and rounds[1].total > rounds[0].total
    assert placement.certificate.objective == rounds[0].services


def test_every_figure_of_a_round_is_recomputed_under_the_scenario_as_given(paying, told):
    data, scenario = paying
    made, placement, rounds, _ = told
    last = [r for r in rounds if r.kept][-1]
    assert last.structure == pytest.approx(total(data, scenario, made.structure.membership))
    assert last.structure == pytest.approx(sum(sum(t.values()) for t in made.terms.values()))
    options = survey(data, scenario, made.structure, 1).options
    slow, at = Slow(data, scenario, made.structure, options), {(o.code, o.scale): k for k, o in enumerate(options)}
    ways = [
        sorted({at[c.commissioner, c.scale] for c in placement.commissions if c.service == s.id}) for s in data.services
    ]
    assert last.services == pytest.approx(sum(slow.cost(ways).values()))


def test_bounds_of_the_structure_outlast_the_round_and_those_of_services_are_conditional(paying, before, told):
    data, scenario = paying
    made, placement, _, _ = told
    every = Every(data, scenario)
    for name in SCALES:
        assert made.certificates[name].bound == before.certificates[name].bound
        assert made.certificates[name].bound <= every.cost[name].min() + 1e-6
        assert made.certificates[name].objective == pytest.approx(sum(made.terms[name].values()))
    assert made.nesting_interval[1] == pytest.approx(
        made.objective - sum(c.bound for c in before.certificates.values())
    )
    assert 0 <= made.price_of_nesting <= made.nesting_interval[1]
    assert placement.certificate.bound <= placement.certificate.objective
    assert placement.certificate.status.startswith("conditional")
    assert "for this structure" in placement.certificate.problem


def test_a_clock_that_ends_before_the_next_round_is_told(paying, before):
    data, scenario = paying
    made, exact, placed = before, placing(*paying), []

    def once(structure: Structure, clock: Clock, prove: bool) -> Placement:
        placed.append(structure)
        return exact(structure, clock, prove)

    clock = Clock(stop=lambda: bool(placed))
    kept, _, rounds, late = alternate(data, scenario, made, once, 1, EFFORT, clock)
    assert late and kept is made and len(rounds) == len(placed) == 1


def test_a_round_whose_services_cannot_be_placed_leaves_the_one_before():
    """Three firm wishes and room for two services: the first structure can keep them, that of the next round cannot."""
    firm = [Wish("P00", f"S{k}", "consortium", True) for k in range(3)]
    firm += [Wish("P01", f"S{k}", "alliance", True) for k in range(3)]
    data = replace(shared_hospital(), wishes=tuple(firm))
    plan = make_plan(data, load_scenario("base", {**PAYING, "contracts.most_services": 2}), 1, budget=QUICK)
    assert plan.placement is not None and len(plan.rounds) == 1 and plan.rounds[0].kept


def test_a_plan_tells_its_rounds_and_adds_up(paying):
    data, scenario = paying
    plan = make_plan(data, scenario, 1, budget=QUICK)
    assert plan.rounds[0].kept and plan.rounds[1].kept
    assert plan.objective == pytest.approx([r.total for r in plan.rounds if r.kept][-1])
    assert plan.objective == pytest.approx(sum(plan.terms.values())) and plan.bound <= plan.objective
    assert len(plan.structure.bodies["consortium"]) == 4 and "rounds" not in plan.cut
    hasty = make_plan(data, scenario, 1, time_limit=0.0, budget=QUICK)
    assert "rounds" in hasty.cut and len(hasty.rounds) == 1
    assert any("rounds" in warning for warning in hasty.warnings)
