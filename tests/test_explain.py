"""Why a practice is where it is: each price against every way there is, counted out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from optimiser.domain import Relationship, Structure
from optimiser.errors import DataError
from optimiser.explain import explain, find_practice
from optimiser.explain_words import sentences
from optimiser.hierarchy import assemble
from optimiser.scenario import load_scenario
from tests import nested_worlds, oracle, tiny

SCALES = ("locality", "consortium", "alliance")
WORLDS = 40


def world(seed: int, **more):
    """(dataset, scenario, every structure, one of them as a plan); None where there is none."""
    data = nested_worlds.random_region(seed, 7)
    scenario = nested_worlds.random_rules(seed, SCALES, more={"scale.alliance.min_members": 1, **more})
    every = nested_worlds.Every(data, scenario)
    drawn = every.some(np.random.default_rng(seed))
    return None if drawn is None else (data, scenario, every, assemble(data, scenario, drawn))


def same(a, b) -> bool:
    """Whether two memberships are one partition."""
    return oracle_sets(a) == oracle_sets(b)


def oracle_sets(of) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(of == b).tolist()) for b in np.unique(of)}


def by_hand(data, scenario, every, plan: Structure, scale: str, practice: int, to: int | None) -> float:
    """£ a year more than the plan of the cheapest structure in which what moves stands elsewhere, by looking at every
    partition of the scale; inf where there is none."""
    of = plan.membership[scale]
    below = scenario.below(scale)
    group = np.flatnonzero(plan.membership[below] == plan.membership[below][practice]) if below else np.array([practice])
    own = int(of[practice])
    touch = {own: set(), to: set()}
    for a, b in data.adjacency.tolist():
        for x, y in ((a, b), (b, a)):
            if int(of[x]) in touch and of[x] != of[y]:
                touch[int(of[x])].add(int(of[y]))
    free = {own, to} | touch[own] | touch[to]
    larger, change = {}, 0.0
    for name in scenario.around(scale)[1:]:
        after = plan.membership[name].copy()
        if to is not None:
            after[group] = plan.membership[name][plan.bodies[scale][to].members[0]]
        larger[name] = after
        found = [cost for cost, m in zip(every.cost[name], every.of[name], strict=True) if same(m, after)]
        before = [c for c, m in zip(every.cost[name], every.of[name], strict=True) if same(m, plan.membership[name])]
        if not found:
            return math.inf
        change += found[0] - before[0]
    cells = {tuple(int(m[i]) for m in larger.values()) for i in np.flatnonzero(of == own)}
    if to is not None:
        cells |= {tuple(int(m[i]) for m in larger.values()) for i in np.flatnonzero(of == to)}
    stays = [
        i for i in range(len(of)) if int(of[i]) not in free or tuple(int(m[i]) for m in larger.values()) not in cells
    ]
    core = None
    if to is None:
        pass
    elif plan.bodies[scale][own].centre not in group:
        core = plan.bodies[scale][own].centre
    elif len(group) < (of == own).sum():
        units = [np.flatnonzero(plan.membership[below] == b) for b in np.unique(plan.membership[below])] if below else [
            np.array([i]) for i in range(len(of))
        ]
        rest = [u for u in units if of[u[0]] == own and u[0] not in group]
        core = int(max(rest, key=lambda u: (data.patients[u].sum(), -u[0]))[0])
    least = math.inf
    now = next(c for c, m in zip(every.cost[scale], every.of[scale], strict=True) if same(m, of))
    for cost, m in zip(every.cost[scale], every.of[scale], strict=True):
        bodies = oracle_sets(m)
        mine = next(b for b in bodies if practice in b)
        if not set(group.tolist()) <= mine or (to is None and mine != set(group.tolist())):
            continue
        if to is not None and plan.bodies[scale][to].centre not in mine or core in mine:
            continue
        if any((m[i] == m[j]) != (of[i] == of[j]) for i in stays for j in range(len(of)) if i != j and j in stays):
            continue
        if any(m[i] == m[j] for i in stays for j in range(len(of)) if j not in stays):
            continue
        if below and any(len(set(m[plan.membership[below] == b].tolist())) > 1 for b in range(len(plan.bodies[below]))):
            continue
        if any(len({int(after[i]) for i in b}) > 1 for b in bodies for after in larger.values()):
            continue
        least = min(least, cost - now + change)
    return least


@pytest.mark.parametrize("seed", range(WORLDS))
def test_every_price_is_that_of_the_cheapest_way_there_is(seed: int) -> None:
    made = world(seed)
    if made is None:
        pytest.skip("no structure keeps these rules")
    data, scenario, every, plan = made
    practice = seed % 7
    for here in explain(data, scenario, plan, practice).scales:
        code = {b.code: k for k, b in enumerate(plan.bodies[here.scale])}
        for a in here.alternatives:
            wanted = by_hand(data, scenario, every, plan, here.scale, practice, code.get(a.to))
            got = math.inf if a.price is None else a.price
            assert got == pytest.approx(wanted, abs=0.01), (here.scale, a)
            if a.price is not None:
                assert a.proved and sum(a.terms.values()) == pytest.approx(a.price)


def test_the_worlds_hold_prices_and_refusals() -> None:
    made = [explain(w[0], w[1], w[3], s % 7) for s in range(12) if (w := world(s)) is not None]
    found = [a for e in made for here in e.scales for a in here.alternatives]
    assert len(made) > 5 and sum(a.price is None for a in found) > 5 and sum(a.price is not None for a in found) > 5
    assert any(a.break_even is not None and a.break_even.factor for a in found)
