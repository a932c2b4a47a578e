"""The placement's bound, piece by piece: no piece cuts off a placement, no price lifts the bound above the best one."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from optimiser.clock import Clock
from optimiser.errors import Infeasible, ScenarioError
from optimiser.placement import place
from optimiser.placement_bound import Tree
from optimiser.placement_costs import survey
from optimiser.placement_cuts import broken
from optimiser.placement_model import Model
from optimiser.placement_options import NO_WISHES
from optimiser.placement_parts import divide, whole
from optimiser.placement_programme import build
from optimiser.placement_value import contract_steps
from optimiser.placement_variety import Variety
from tests import tiny
from tests.slow_placement import Slow, placements
from tests.test_placement import BASE, THREE, TWO, catalogue_world, hospitals, random_world, wishing


def brute_force(data, made, scenario=BASE):
    options = survey(data, scenario, made, 1).options
    slow = Slow(data, scenario, made, options)
    found = placements(options, data.services, len(made.bodies["consortium"]))
    return min(sum(slow.cost(p).values()) for p in found)


def tree(data, made, most, scenario=BASE):
    ground = survey(data, scenario, made, 1)
    model = Model(build(ground, NO_WISHES, whole(ground)))
    return ground, Tree(ground, NO_WISHES, model, model.relax(20, Clock()), divide(ground, most))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("held_at", ["consortium", "locality", "alliance"])
def test_the_bound_by_parts_is_never_above_brute_force_and_branching_closes_it(seed, held_at):
    data, made = random_world(seed, *((TWO, 3) if seed % 2 or held_at == "alliance" else (THREE, 2)))
    scenario = BASE.model_copy(update={"risk_held_at": held_at})
    best = brute_force(data, made, scenario)
    ground, found = tree(data, made, 1, scenario)
    back = ground.refunded
    relaxed = found.bound
    for _ in range(60):
        leaf = found.lowest
        if not leaf.by_parts:
            found.search_parts(leaf, 1.0, Clock())
        elif not found.split(leaf, Clock()):
            break
        assert relaxed - 0.01 <= found.bound <= best - back + 0.01
    if held_at != "alliance":  # there everybody shares one pool, and so one part
        assert found.parts.crossing


def test_parts_share_nothing():
    data, made = hospitals()
    ground = survey(data, BASE, made, 1)
    for most in (1, 2, 3, 6):
        parts = divide(ground, most)
        assert sorted(c for part in parts.clusters for c in part.anchors) == list(range(6))
        every = [*parts.clusters, *parts.crossing]
        assert sorted(o for part in every for o in part.owned) == list(range(len(ground.options)))
        assert sorted(p for part in every for p in part.pools) == list(range(len(ground.pools)))
        assert all(len(part.anchors) <= most for part in parts.clusters)
    assert not divide(ground, 6).crossing


@pytest.mark.parametrize("seed", range(4))
def test_no_piece_cuts_off_a_placement(seed):
    """Pieces broken by random answers, at all placements with their exact contracts and reserves."""
    data, made = random_world(seed, TWO, 3)
    ground = survey(data, BASE, made, 1)
    programme = build(ground, NO_WISHES, whole(ground))
    variables = programme.model.variables()
    for i, v in enumerate(variables):
        v.index = i
    rng = np.random.default_rng(seed)
    rows = [row for _ in range(20) for row in broken(programme, rng.random(len(variables)) * rng.random())]
    assert len(rows) > 20
    for placed in islice(placements(ground.options, data.services, 2), 0, None, 7):
        exact = np.zeros(len(variables))
        for s, chosen in enumerate(placed):
            for o in chosen:
                exact[programme.z[o, s].index] = 1
        for pool in programme.pools:
            held = [sum(exact[v.index] for v in vs) for vs in pool.held]
            exact[pool.reserve.index] = np.sqrt(pool.weights @ held / pool.weights.sum())
        for grade in programme.grades:
            carried = sum(a * exact[v.index] for a, v in zip(grade.amounts, grade.held, strict=True))
            exact[grade.taken.index] = carried > grade.above
        for columns, values, least in rows:
            assert exact[columns] @ values >= least - 1e-9


def test_steps_of_a_contract_are_those_of_its_grades():
    data, made = catalogue_world()
    ground = survey(data, BASE, made, 1)
    assert [k.extra for k in contract_steps(ground, 0)] == [3_000, 9_000, 98_000]


def test_the_evidence_alone_proves_the_bound():
    """Every part solved again at the prices that the certificate states, leaf by leaf."""
    data, made = hospitals()
    ground = survey(data, BASE, made, 1)
    proof = place(data, BASE, made, seed=1, time_limit=20).certificate
    told = proof.evidence
    position = {anchor.code: c for c, anchor in enumerate(ground.anchors)}
    parts = divide(ground, 4)
    assert sorted(len(codes) for codes in told["clusters"]) == [2, 4]
    assert [tuple(position[code] for code in codes) for codes in told["clusters"]] == [
        p.anchors for p in parts.clusters
    ]
    services = [s.id for s in data.services]
    least = []
    for leaf in told["leaves"]:
        decided = {(int(o), services.index(s)): yes for o, by in leaf["decided"].items() for s, yes in by.items()}
        total = sum(told["refunds"].values())
        for k, part in enumerate([*parts.clusters, *parts.crossing]):
            bill = {}
            for o, by_service in leaf["prices"].items():
                for s, by_cluster in by_service.items():
                    cell = int(o), services.index(s)
                    if part.anchors:
                        bill[cell] = by_cluster.get(str(k), 0.0)
                    elif int(o) in part.owned:
                        bill[cell] = -sum(by_cluster.values())
            programme = build(ground, NO_WISHES, part)
            if programme.z:
                model = Model(programme)
                model.charge({cell: price for cell, price in bill.items() if cell in model.z})
                model.decide(decided)
                total += max(model.relax(20, Clock()), model.search(0.01, 10**6, Clock()))
        assert total >= leaf["bound"] - 1
        least.append(leaf["bound"])
    assert min(least) == pytest.approx(told["solver_bound"])


def test_providers_that_differ_within_a_body_make_it_unlike():
    """By hand: two practices alike, £60 and £40 with a hospital each: 1 − 0.36 − 0.16 of two pounds differ."""
    practices = [tiny.practice(i, 1_000) for i in range(2)]
    at = np.zeros(2, dtype=np.int64)

    def unlike(rows):
        data = tiny.dataset(practices, [tiny.service("S")], [tiny.provider("RA"), tiny.provider("RB")], rows)
        cube = np.zeros((1, 2, 1))
        for _, p, _, pounds in rows:
            cube[0, p, 0] += pounds
        return float(Variety(data, at, cube).together([0])[0])

    assert unlike([(0, 0, 0, 60.0), (1, 1, 0, 40.0)]) == pytest.approx(0.48 / 2)
    assert unlike([(0, 0, 0, 60.0), (1, 0, 0, 40.0)]) == pytest.approx(0)
    assert unlike([(0, 0, 0, 30.0), (0, 1, 0, 30.0), (1, 0, 0, 20.0), (1, 1, 0, 20.0)]) == pytest.approx(0)


def limited(**limits):
    return BASE.model_copy(update={"contracts": BASE.contracts.model_copy(update=limits)})


def test_a_body_commissions_no_more_services_than_it_has_skills_for():
    data, made = catalogue_world()
    wished = wishing(data, acute="consortium")
    free = place(wished, BASE, made, 1, 20)
    count = {c.consortium: 0 for c in free.commissions}
    tight = place(wished, limited(most_services=1), made, 1, 20)
    for c in tight.commissions:
        count[c.consortium] += c.scale == "consortium"
    assert set(count.values()) == {1}
    assert tight.certificate.objective >= free.certificate.bound
    with pytest.raises(Infeasible, match="2 services can go to consortium 1 alone, which has the skills for 1"):
        place(wishing(data, acute="consortium", nursing="consortium"), limited(most_services=1), made, 1, 20)


def test_contracts_that_wishes_force_beyond_the_limit_are_counted_out():
    data, made = catalogue_world()
    rows = [r for r in tiny.spend_rows(data.practices, data.services, {i: {0: 0.5, 1: 0.5} for i in range(6)}) if r[3]]
    two = tiny.dataset(data.practices, data.services, [tiny.provider("RA"), tiny.provider("RB")], rows)
    with pytest.raises(Infeasible, match="the 1 services that can go to consortium 1 alone need 2 contracts"):
        place(wishing(two, acute="consortium"), limited(most_relationships=1), made, 1, 20)


def test_every_provider_has_one_lead_and_the_biggest_spender_hosts():
    data, made = hospitals()
    found = place(data, BASE, made, seed=1, time_limit=20)
    assert {c.provider: c.body for c in found.contracts if c.leads} == {"RA": "footprint-01", "RB": "footprint-02"}
    # all members spend alike, so the first of each hosts
    assert {c.body: c.host for c in found.contracts} == {
        "footprint-01": "consortium-01", "footprint-02": "consortium-04",
    }  # fmt: skip


def test_a_wish_to_delegate_what_members_must_do_themselves_is_refused():
    data, made = catalogue_world()
    with pytest.raises(ScenarioError, match="F02 is a function, no service"):
        place(wishing(data, F02="region"), BASE, made, 1, 20)
