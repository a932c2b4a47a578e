"""Why here: every figure is the difference of two whole placements, worked out by an oracle that shares no code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.break_even import Growth
from optimiser.placement import place
from optimiser.placement_change import NOBODY, Books
from optimiser.placement_costs import survey
from optimiser.placement_reasons import explained, picks_of, why
from optimiser.placement_value import evaluate
from optimiser.scenario import load_scenario
from tests import tiny
from tests.slow_placement import Slow
from tests.test_placement import THREE, TWO, catalogue_world, random_world

BASE = load_scenario("base")


def placed(seed, groups=TWO, count=3, held_at="consortium"):
    data, made = random_world(seed, groups, count)
    scenario = BASE.model_copy(update={"risk_held_at": held_at})
    found = place(data, scenario, made, seed=1, time_limit=20)
    return data, scenario, made, found


def columns_of(picks):
    """A placement as the oracle takes it: for each service the options that hold it."""
    return [sorted(set(picks[:, s].tolist()) - {NOBODY}) for s in range(picks.shape[1])]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("held_at", ["consortium", "locality", "alliance"])
def test_a_change_is_the_difference_of_two_whole_costs(seed, held_at):
    data, scenario, made, found = placed(seed, TWO if seed % 2 or held_at == "alliance" else THREE, 3, held_at)
    ground = survey(data, scenario, made, 1)
    slow = Slow(data, scenario, made, ground.options)
    picks = picks_of(ground, found)
    before = slow.cost(columns_of(picks))
    books = Books(ground, picks)
    tried = 0
    for s in range(picks.shape[1]):
        for o, option in enumerate(ground.options):
            column = list(picks[:, s])
            for c in option.anchors:
                column[c] = o
            broken = {int(picks[c, s]) for c in option.anchors} - {o}
            column = [NOBODY if p in broken else p for p in column]
            after = picks.copy()
            after[:, s] = column
            cost = slow.cost(columns_of(after))
            change = books.change(s, tuple(column))
            for force, pounds in change.items():
                assert pounds == pytest.approx(cost.get(force, 0.0) - before.get(force, 0.0), abs=0.01), (force, option)
            tried += 1
    assert tried == picks.shape[1] * len(ground.options)


@pytest.mark.parametrize("seed", range(8))
def test_each_row_is_the_cheapest_such_placement_found_and_none_is_cheaper_than_the_plan(seed):
    data, scenario, made, found = placed(seed)
    rows = explained(data, scenario, made, found, 1).why_here
    ground = survey(data, scenario, made, 1)
    slow = Slow(data, scenario, made, ground.options)
    picks = picks_of(ground, found)
    whole = sum(slow.cost(columns_of(picks)).values())
    for row in rows:
        s, group = place_of(row, data, ground)
        assert {ground.options[picks[c, s]].code for c in group} == {row.commissioner}
        without = picks.copy()
        without[group, s] = NOBODY
        rest = sum(slow.cost(columns_of(without)).values())
        if row.scale == row.scale_now:
            assert row.total == pytest.approx(whole - rest, abs=0.01), "what it adds to the plan where it is"
            assert row.more == row.plan_more == row.dragged == 0 and row.break_even is None
            continue
        costs = [sum(slow.cost(p).values()) for p in elsewhere(ground, picks, s, group, row)]
        assert any(row.plan_more == pytest.approx(cost - whole, abs=0.01) for cost in costs), row
        assert row.plan_more >= -0.0051 * abs(found.certificate.objective - found.certificate.refunds), (
            "else the plan were bad"
        )
        if not row.dragged:
            assert row.more == pytest.approx(row.plan_more, abs=0.01), "nobody else is touched"


def place_of(row, data, ground):
    """(service, anchor bodies) of a row, by position."""
    s = [x.id for x in data.services].index(row.service)
    return s, [c for c, body in enumerate(ground.anchors) if body.code in row.consortia]


@pytest.mark.parametrize("seed", range(8))
def test_a_group_pays_its_part_of_what_is_shared(seed):
    """The parts of all bodies are what the service adds; of joint costs each is worked out from spend and people."""
    data, scenario, made, found = placed(seed)
    ground = survey(data, scenario, made, 1)
    slow = Slow(data, scenario, made, ground.options)
    picks = picks_of(ground, found)
    books = Books(ground, picks)
    everyone = range(len(ground.anchors))
    for s, service in enumerate(data.services):
        for o, option in enumerate(ground.options):
            if len(option.anchors) < len(everyone):
                continue
            after = picks.copy()
            after[:, s] = o
            without = picks.copy()
            without[:, s] = NOBODY
            full, rest = slow.cost(columns_of(after)), slow.cost(columns_of(without))
            parts = [books.part(s, tuple(after[:, s]), [c]) for c in everyone]
            for force in parts[0]:
                added = full.get(force, 0.0) - rest.get(force, 0.0)
                assert sum(p[force] for p in parts) == pytest.approx(added, abs=0.01), (force, option.scale)
            spent = [slow.spend(body.members, s) for body in ground.anchors]
            people = [body.patients for body in ground.anchors]
            for c, part in enumerate(parts):
                opened = full["footprints"] - rest["footprints"]
                assert part["footprints"] == pytest.approx(opened * people[c] / sum(people), abs=0.01)
                reserve = full["insurance"] - rest["insurance"]
                assert part["insurance"] == pytest.approx(reserve * people[c] / sum(people), abs=0.01)
                flows = any(f[2] == s for f in slow.flows())
                bought = (full["contracts"] - rest["contracts"]) * spent[c] / sum(spent) if flows else 0.0
                assert part["contracts"] == pytest.approx(bought, abs=0.01), service.id


def elsewhere(ground, picks, s, group, row):
    """Every placement that differs in one service and has it at a row's scale for as many of its group as it says."""
    from tests.slow_placement import placements

    service = ground.dataset.services[s]
    for (chosen,) in placements(ground.options, [service], len(ground.anchors)):
        served = {c for o in chosen if ground.options[o].scale == row.scale for c in ground.options[o].anchors}
        if len(served & set(group)) >= row.covered:
            yield [chosen if i == s else options for i, options in enumerate(columns_of(picks))]


def test_every_answer_has_a_reason_that_the_table_bears_out():
    data, made = catalogue_world()
    found = place(data, BASE, made, 1, 20)
    told = explained(data, BASE, made, found, 1)
    assert all(c.reason for c in told.placement.commissions)
    assert {c.reason for c in told.placement.commissions if c.service == "referral"} == {
        "cannot be delegated: it reflects members' own behaviour"
    }
    for service in ("nursing", "acute"):
        rows = [r for r in told.why_here if r.service == service]
        for commissioner in {r.commissioner for r in rows}:
            own = [r for r in rows if r.commissioner == commissioner]
            here = next(r for r in own if r.scale == r.scale_now)
            best = min((r for r in own if r is not here), key=lambda r: r.plan_more)
            assert best.more >= 0 and best.plan_more >= 0
            said = next(
                c.reason
                for c in told.placement.commissions
                if (c.service, c.commissioner, c.scale) == (service, commissioner, here.scale)
            )
            spared = max(best.terms[f] - here.terms[f] for f in here.terms)
            assert best.scale in said and (f"£{spared:,.0f}" in said or spared < 0.5)
            assert why(own) == said


FIXED_CUT = BASE.model_copy(update={"contracts": BASE.contracts.model_copy(update={"materiality_gbp": 20_000.0})})


def world_of_one(people: float = 1.0):
    """Two bodies that differ in nothing but size share two hospitals; `people` times as many in the first, the
    hospitals no larger."""
    practices = [tiny.practice(0, round(200_000 * people)), tiny.practice(1, 400_000)]
    services = [
        tiny.service("acute", cases_per_1000=20.0, cost_per_case=3_000.0, leverage=3, tailoring=0),
        tiny.service("other", cases_per_1000=5.0, cost_per_case=1_000.0, leverage=0, tailoring=0),
    ]
    rows = tiny.spend_rows(practices, services, {i: {0: 0.7, 1: 0.3} for i in range(2)})
    providers = [tiny.provider("RA", income=300e6), tiny.provider("RB", income=200e6)]
    data = tiny.dataset(practices, services, providers, rows)
    return data, tiny.structure(data, {"locality": [[0], [1]], "consortium": [[0], [1]]})


def alone(people: float) -> float:
    """£ a year that the acute service adds to what the first body commissions itself, when it has so many times its
    people: the whole cost with it less that without, from the flows of a world built anew."""
    data, made = world_of_one(people)
    ground = survey(data, FIXED_CUT, made, 1)
    slow = Slow(data, FIXED_CUT, made, ground.options)
    first, second = commissioning_alone(ground)
    both = [[first, second], [first, second]]
    return sum(slow.cost(both).values()) - sum(slow.cost([[second], both[1]]).values())


def commissioning_alone(ground) -> list[int]:
    at = {(o.code, o.scale): i for i, o in enumerate(ground.options)}
    return [at[f"consortium-0{k}", "consortium"] for k in (1, 2)]


@pytest.fixture(scope="module")
def growing():
    """(growth, the first body's option, what the acute service adds there)."""
    data, made = world_of_one()
    ground = survey(data, FIXED_CUT, made, 1)
    options = commissioning_alone(ground)
    books = Books(ground, np.array([[o, o] for o in options]))
    return Growth(books, data, made), options[0], books.part(0, books.columns[0], [0])


def test_a_body_that_grows_costs_what_a_body_of_that_size_costs(growing):
    growth, option, terms = growing
    cost = growth.cost(0, [option], [0], terms)
    for times in (0.05, 0.16, 0.3, 0.8, 1.0, 1.7, 2.5):
        assert float(cost(np.array([times]))[0]) == pytest.approx(alone(times), rel=1e-4), times


@pytest.mark.parametrize("dearer", [0.85, 0.95, 1.05, 1.2, 1.6, 3.0])
def test_at_the_break_even_the_two_scales_cost_the_same(growing, dearer):
    """The body is made a hundredth smaller and larger than the figure, in a world built anew, and costed from flows."""
    growth, option, terms = growing
    larger = sum(terms.values()) * dearer
    people = growth.break_even(0, [option], [0], terms, larger)
    assert (people < 200_000) == (dearer > 1)
    per_head = larger / 200_000
    assert alone(0.99 * people / 200_000) > per_head * 0.99 * people
    assert alone(1.01 * people / 200_000) < per_head * 1.01 * people


def test_a_break_even_that_no_size_reaches_is_none(growing):
    growth, option, terms = growing
    assert growth.break_even(0, [option], [0], terms, -1e12) is None, "always dearer than the larger scale"
    assert growth.break_even(0, [option], [0], terms, 1e12) is None, "always cheaper"


def test_evaluating_whole_agrees_with_the_books():
    data, scenario, made, found = placed(2)
    ground = survey(data, scenario, made, 1)
    picks = picks_of(ground, found)
    value = evaluate(ground, picks)
    assert np.allclose(Books(ground, picks).variance, value.variance)
    assert value.total == pytest.approx(found.certificate.objective - found.terms["support"])


def test_reasons_do_not_change_the_placement():
    data, scenario, made, found = placed(4)
    told = explained(data, scenario, made, found, 1).placement
    assert replace(told, commissions=tuple(replace(c, reason="") for c in told.commissions)) == found
