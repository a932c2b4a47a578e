"""Placement: never below brute force, its bound never above it, its rules kept, its parts adding up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geodata.catalogue import functions
from optimiser.domain import Wish
from optimiser.errors import Infeasible, ScenarioError
from optimiser.five_questions import five_questions
from optimiser.placement import place
from optimiser.placement_costs import survey
from optimiser.placement_options import SEAT, Option, may
from optimiser.placement_parts import whole
from optimiser.placement_programme import build
from optimiser.scenario import load_scenario
from tests import tiny
from tests.slow_placement import Slow, placements

BASE = load_scenario("base")
GOLDEN = Path(__file__).parent / "golden"
TWO = {"locality": [[0], [1, 2], [3], [4]], "consortium": [[0, 1, 2], [3, 4]], "alliance": [[0, 1, 2, 3, 4]]}
THREE = {"locality": [[0, 1], [2, 3], [4], [5]], "consortium": [[0, 1], [2, 3], [4, 5]]}


def random_world(seed: int, groups, count: int):
    """Practices, services and flows drawn at random, with everything that moves a force varying."""
    rng = np.random.default_rng(seed)
    n = 1 + max(m for sets in groups.values() for g in sets for m in g)
    practices = [
        tiny.practice(
            i,
            int(rng.integers(20_000, 90_000)),
            f"U{rng.integers(1, 3)}",
            need_index=float(rng.uniform(0.8, 1.2)),
            deprivation=float(rng.uniform(5, 50)),
            rural=float(rng.integers(0, 2)) if i else None,
        )
        for i in range(n)
    ]
    services = [
        tiny.service(
            f"S{k}",
            cases_per_1000=float(rng.choice([0.5, 5, 60])),
            cost_per_case=float(rng.choice([200, 2_000, 20_000])),
            tailoring=int(rng.integers(0, 4)),
            leverage=int(rng.integers(0, 4)),
            authority_link=int(rng.integers(0, 4)),
            pathway=str(rng.choice(["", "heart"])),
            delegable=bool(rng.random() > 0.1),
            condition_group=bool(rng.random() < 0.2),
            provider_kinds=("practice_owned",) if rng.random() < 0.2 else ("acute",),
        )
        for k in range(count)
    ]
    providers = [tiny.provider("RA", income=60e6), tiny.provider("RB"), tiny.provider("RC", kind="community")]
    serves = {i: dict(enumerate(rng.dirichlet([0.4, 0.4, 0.4]))) for i in range(n)}
    data = tiny.dataset(practices, services, providers, tiny.spend_rows(practices, services[:-1], serves))
    return data, tiny.structure(data, groups)


def as_columns(placement, data, options, anchors):
    """A placement as the oracle writes it."""
    position = {(o.code, o.scale): i for i, o in enumerate(options)}
    at = [
        sorted({position[c.commissioner, c.scale] for c in placement.commissions if c.service == s.id})
        for s in data.services
    ]
    assert len(placement.commissions) == len(data.services) * anchors
    return at


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("held_at", ["consortium", "locality", "alliance"])
def test_never_below_brute_force_nor_bound_above_it(seed, held_at):
    groups, count = (TWO, 3) if seed % 2 or held_at == "alliance" else (THREE, 2)
    data, made = random_world(seed, groups, count)
    scenario = BASE.model_copy(update={"risk_held_at": held_at})
    found = place(data, scenario, made, seed=1, time_limit=20)
    options = survey(data, scenario, made, 1).options
    slow = Slow(data, scenario, made, options)
    best = min(sum(slow.cost(p).values()) for p in placements(options, data.services, len(made.bodies["consortium"])))
    columns = as_columns(found, data, options, len(made.bodies["consortium"]))
    worked_out = slow.cost(columns)
    assert found.certificate.objective == pytest.approx(sum(worked_out.values()), rel=1e-9, abs=0.01)
    for force, pounds in worked_out.items():
        assert found.terms[force] == pytest.approx(pounds, rel=1e-9, abs=0.01), force
    assert found.certificate.objective >= best - 0.01
    assert found.certificate.bound <= best + 0.01
    gross = found.certificate.objective - found.certificate.refunds
    assert found.certificate.objective - best <= 0.0051 * gross + 1


def hospitals():
    """Six consortia in three authorities; two hospitals, each serving half; the halves cut an authority in two."""
    practices = [tiny.practice(i, 150_000, f"U{i // 2}", need_index=1.0 + 0.01 * (i % 2)) for i in range(6)]
    services = [
        tiny.service(f"S{k}", cases_per_1000=70.0, cost_per_case=1_900.0, leverage=3, tailoring=1) for k in range(3)
    ]
    providers = [tiny.provider("RA", name="West Hospital"), tiny.provider("RB", name="East Hospital")]
    serves = {i: {0 if i < 3 else 1: 1.0} for i in range(6)}
    data = tiny.dataset(practices, services, providers, tiny.spend_rows(practices, services, serves))
    groups = {"locality": [[i] for i in range(6)], "consortium": [[i] for i in range(6)]}
    groups["alliance"] = [[0, 1], [2, 3], [4, 5]]
    return data, tiny.structure(data, groups)


def test_two_hospitals_make_two_footprints_along_their_catchments():
    data, made = hospitals()
    found = place(data, BASE, made, seed=1, time_limit=20)
    assert [f.consortia for f in found.footprints] == [
        ("consortium-01", "consortium-02", "consortium-03"),
        ("consortium-04", "consortium-05", "consortium-06"),
    ]
    assert {c.scale for c in found.commissions} == {"footprint"}
    assert all("main hospital" in f.reason for f in found.footprints)


def test_without_the_shared_provider_the_footprints_go():
    data, made = hospitals()
    serves = {i: {i: 1.0} for i in range(6)}
    own = [tiny.provider(f"R{i}") for i in range(6)]
    apart = tiny.dataset(data.practices, data.services, own, tiny.spend_rows(data.practices, data.services, serves))
    found = place(apart, BASE, made, seed=1, time_limit=20)
    assert not found.footprints


def catalogue_world():
    practices = [tiny.practice(i, 60_000, f"U{i // 3}", deprivation=float(i), rural=float(i % 2)) for i in range(6)]
    services = [
        tiny.service("referral", cases_per_1000=0.0, delegable=False, provider_kinds=()),
        tiny.service("nursing", tailoring=3, leverage=1, authority_link=3, pathway="frail"),
        tiny.service("acute", cases_per_1000=100.0, leverage=3, tailoring=0, pathway="frail"),
    ]
    providers = [tiny.provider("RA", name="County Hospital")]
    rows = tiny.spend_rows(practices, services, {i: {0: 1.0} for i in range(6)})
    data = tiny.dataset(practices, services, providers, [r for r in rows if r[3]], functions())
    groups = {"locality": [[i] for i in range(6)], "consortium": [[0, 1], [2, 3], [4, 5]]}
    return data, tiny.structure(data, groups)


def wishing(data, **scales):
    """Every practice holds firmly to a scale for each service named."""
    wishes = tuple(Wish(p.code, service, scale, True) for p in data.practices for service, scale in scales.items())
    return replace(data, wishes=wishes)


def test_rows_add_up_to_the_terms():
    data, made = catalogue_world()
    found = place(data, BASE, made, seed=1, time_limit=20)
    refunds = found.certificate.evidence["refunds"]
    for force in found.terms:
        if force != "support":
            rows = sum(c.terms.get(force, 0.0) for c in found.commissions)
            assert rows + refunds.get(force, 0.0) == pytest.approx(found.terms[force], abs=0.01), force
    assert sum(found.terms.values()) == pytest.approx(found.certificate.objective)
    assert sum(c.cost for c in found.contracts) == pytest.approx(found.terms["contracts"])
    assert sum(f.cost for f in found.functions) == pytest.approx(found.terms["support"])


def test_what_reflects_behaviour_stays_with_members_and_asking_otherwise_is_refused():
    data, made = catalogue_world()
    found = place(data, BASE, made, seed=1, time_limit=20)
    assert {c.scale for c in found.commissions if c.service == "referral"} == {"practice"}
    assert all(f.mode == "make" and f.cost == 0 for f in found.functions if f.function == "F02")
    with pytest.raises(ScenarioError, match="members' own behaviour"):
        place(wishing(data, referral="region"), BASE, made, 1, 20)


def test_a_limit_on_relationships_that_wishes_cannot_keep_is_infeasible():
    data, made = catalogue_world()
    serves = {i: {0: 0.5, 1: 0.5} for i in range(6)}
    rows = [r for r in tiny.spend_rows(data.practices, data.services, serves) if r[3]]
    two = tiny.dataset(data.practices, data.services, [tiny.provider("RA"), tiny.provider("RB")], rows)
    tight = BASE.model_copy(update={"contracts": BASE.contracts.model_copy(update={"most_relationships": 1})})
    found = place(two, tight, made, 1, 20)
    assert all(c.body not in {b.code for b in made.bodies["consortium"]} for c in found.contracts)
    with pytest.raises(Infeasible):
        place(wishing(two, acute="consortium"), tight, made, 1, 20)


def test_leverage_without_flows_is_refused():
    data, made = catalogue_world()
    empty = tiny.dataset(data.practices, data.services, data.providers)
    with pytest.raises(ScenarioError, match="leverage"):
        place(empty, BASE, made, 1, 20)
    without = BASE.model_copy(update={"forces_off": ("leverage",)})
    assert place(empty, without, made, 1, 20).terms["leverage"] == 0


@pytest.mark.parametrize(
    "force",
    ["leverage", "tailoring", "authority_link", "contracts", "agreements", "footprints", "pathways", "insurance"],
)
def test_each_force_can_be_switched_off(force):
    data, made = random_world(1, TWO, 3)
    found = place(data, BASE.model_copy(update={"forces_off": (force,)}), made, 1, 20)
    assert found.terms[force] == 0


def test_the_same_seed_gives_the_same_placement():
    data, made = random_world(3, TWO, 3)
    assert place(data, BASE, made, 5, 20) == place(data, BASE, made, 5, 20)


def test_support_is_free_where_planned_and_bought_or_hosted_where_not():
    data, made = catalogue_world()
    alone = {f.function: f for f in place(data, BASE, made, 1, 20).functions if f.consortium == "consortium-01"}
    assert alone["F16"].mode == "buy" and alone["F16"].supplier == "market"
    team = 0.3 * 1.2 * 71_400
    part = 0.7 * 71_400 * 0.12
    assert alone["F16"].cost == pytest.approx(part + 0.1 * (part + team))
    assert alone["F10"].mode == "make" and alone["F10"].cost == 0
    assert alone["F17"].mode == "share" and alone["F17"].supplier == "consortium-02"
    assert alone["F17"].cost == pytest.approx(0.5 * 71_400 / 3 + 2_000)
    whole = {"alliance": [list(range(6))], "agency": [list(range(6))]}
    groups = {s: [list(b.members) for b in made.bodies[s]] for s in made.scales} | whole
    planned = place(data, BASE, tiny.structure(data, groups), 1, 20)
    assert planned.terms["support"] == 0
    assert {f.supplier for f in planned.functions if f.function == "F09"} == {"agency-01"}
    assert {f.mode for f in planned.functions if f.function == "F12"} == {"share"}


def test_the_five_questions_answer_for_every_body():
    data, made = catalogue_world()
    found = place(wishing(data, nursing="consortium", acute="region"), BASE, made, 1, 20)
    rows = five_questions(found, made, "consortium")
    assert len(rows) == len(found.commissions) + len(found.functions)
    for body in ("consortium-01", "consortium-02", "consortium-03"):
        own = [r for r in rows if r.consortium == body]
        assert {r.item: (r.question, r.scale) for r in own if r.kind == "service"} == {
            "referral": (1, "practice"), "nursing": (2, "consortium"), "acute": (4, "region"),
        }  # fmt: skip
        assert ("F16", 5, "buy", "market") in {(r.item, r.question, r.mode, r.scale) for r in own}
    assert [r.consortium for r in rows] == sorted(r.consortium for r in rows)


def test_joint_boards_arise_where_a_body_straddles():
    practices = [
        tiny.practice(0, 90_000, "U1"),
        tiny.practice(1, int(90_000 * SEAT * 1.2), "U2"),
        tiny.practice(2, 80_000, "U2"),
    ]
    services = [tiny.service("S", authority_link=3)]
    data = tiny.dataset(
        practices,
        services,
        [tiny.provider("RA")],
        tiny.spend_rows(practices, services, {i: {0: 1.0} for i in range(3)}),
    )
    made = tiny.structure(data, {"consortium": [[0, 1], [2]]})
    boards = {o.code: o.anchors for o in survey(data, BASE, made, 1).options if o.kind == "authority"}
    assert boards == {"U1": (0,), "U2": (1,), "board-U1-U2": (0, 1)}


@pytest.mark.parametrize("family", ["coverage", "contracts", "footprints", "pathways", "insurance"])
def test_golden_programme(family, tmp_path):
    """Coverage alone, and with each family of constraints, for two bodies and two services; files read by eye."""
    practices = [tiny.practice(i, 100_000) for i in range(2)]
    services = [tiny.service(f"S{k}", pathway="heart", cases_per_1000=50.0 * (k + 1)) for k in range(2)]
    rows = tiny.spend_rows(practices, services, {i: {0: 1.0} for i in range(2)})
    data = tiny.dataset(practices, services, [tiny.provider("RA")], rows)
    made = tiny.structure(data, {"consortium": [[0], [1]]})
    silent = tuple(f for f in ("contracts", "footprints", "pathways", "insurance") if f != family)
    ground = survey(data, BASE.model_copy(update={"forces_off": silent}), made, 1)
    model = build(ground, {}, whole(ground)).model
    written = tmp_path / f"{family}.lp"
    model.writeLP(str(written))
    golden = GOLDEN / f"placement_{family}.lp"
    assert written.read_text(encoding="utf-8") == golden.read_text(encoding="utf-8")


def overlapping_footprints():
    """Four bodies; one service that three of them must place in a footprint. Footprints of each two of the three and of
    all three: half of every pair costs a relaxation less than the three, and no rounding of it is an answer."""
    practices = [tiny.practice(i, 100_000) for i in range(4)]
    small = {"cases_per_1000": 5.0, "cost_per_case": 1000.0, "leverage": 0, "tailoring": 0}
    services = [tiny.service(f"X{k}", **small) for k in range(4)]
    services.append(tiny.service("T", cases_per_1000=300.0, cost_per_case=2000.0, leverage=0, tailoring=3, case_cv=0.1))
    rows = [
        (i, k if i in together else 4 + i, k, 500_000.0)
        for k, together in enumerate([(0, 1), (1, 2), (0, 2), (0, 1, 2)])
        for i in range(4)
    ]
    rows += [(i, 8 + i, 4, 60_000_000.0) for i in range(4)]
    data = tiny.dataset(practices, services, [tiny.provider(f"R{k}") for k in range(12)], rows)
    made = tiny.structure(data, {"locality": [[i] for i in range(4)], "consortium": [[i] for i in range(4)]})
    return replace(data, wishes=tuple(Wish(f"P{i:02d}", "T", "footprint", True) for i in range(3))), made


def test_an_answer_is_found_where_no_rounding_of_the_relaxation_is_one():
    data, made = overlapping_footprints()
    found = place(data, BASE, made, 1, 60)
    placed = {c.consortium: c.scale for c in found.commissions if c.service == "T"}
    assert list(placed.values()).count("footprint") == 3
    assert not found.cut_by_clock and found.certificate.gap <= 0.005


def test_the_gap_is_of_what_services_cost_before_refunds():
    data, made = hospitals()
    found = place(data, BASE, made, 1, 60)
    proof = found.certificate
    assert proof.refunds < 0
    cost = sum(pounds for c in found.commissions for pounds in c.terms.values()) + found.terms["support"]
    assert proof.objective - proof.refunds == pytest.approx(cost)
    assert proof.gap == pytest.approx((proof.objective - proof.bound) / cost) and 0 <= proof.gap <= 0.005


def test_a_service_that_needs_more_people_is_not_offered_to_practices_or_small_bodies():
    few, many = (replace(tiny.service("S1"), min_population=people) for people in (10_000, 300_000))
    practices = Option("c", "practices", "practice", "practice", (0,), 0, people=15_000)
    assert may(practices, few, {}) and not may(practices, many, {})
    assert may(Option("c", "the body", "consortium", "anchor", (0,), 2), many, {})
