"""Whether anything keeps the rules, against trying every partition: by every way of answering, in every mixture of
rules."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations

import numpy as np
import pytest

from optimiser.partition.oversize import set_aside
from optimiser.partition.pieces import bare, pieces_of
from optimiser.partition.possible import possible, witness
from optimiser.partition.possible_model import covered
from optimiser.partition.tries import grown, tried
from tests import oracle
from tests.partition_worlds import every_mixture, random_problem

pytestmark = pytest.mark.usefixtures("one_thread")
WORLDS = list(every_mixture(3))


def narrow(seed: tuple[int, ...], rules: dict[str, bool]):
    """A random world with sizes so near one another that about half of them are impossible, and who is needed."""
    problem = random_problem(seed, **rules)
    rng = np.random.default_rng((9, *seed))
    lo = int(problem.lo * rng.uniform(0.8, 2.2))
    need = rng.random(problem.units) < rng.choice((0.2, 0.6, 1.0))
    return bare(replace(problem, lo=lo, hi=max(lo, min(problem.hi, int(lo * rng.uniform(1, 2.2)))))), need


def can_be_placed(problem, need) -> bool:
    """Whether disjoint bodies that keep the rules hold every needed unit, in an allowed number: every way is tried."""
    bodies = [frozenset(body) for body in oracle.allowed_bodies(problem)]
    alone = {i for i in range(problem.units) if problem.weights[i] > problem.hi or i in problem.frozen}
    if any(need[i] and frozenset((i,)) not in bodies for i in alone):
        return False
    free = [body for body in bodies if not body & alone]
    needed = {i for i in range(problem.units) if need[i]} - alone

    @cache
    def numbers(left: frozenset) -> frozenset[int]:
        """How many bodies may be made of some of the units left so that all needed ones among them are placed."""
        if not left:
            return frozenset((0,))
        first = min(left)
        found = set() if first in needed else set(numbers(left - {first}))
        for body in free:
            if first in body and body <= left:
                found |= {k + 1 for k in numbers(left - body)}
        return frozenset(found)

    counts = numbers(frozenset(range(problem.units)) - alone)
    return any(oracle.count_allowed(problem, k + len(alone)) for k in counts)


def test_possible_and_impossible_are_what_trying_everything_says():
    seen = {True: 0, False: 0}
    for seed, rules in WORLDS:
        problem, need = narrow(seed, rules)
        verdict = possible(problem, need)
        expected = can_be_placed(problem, need)
        assert verdict.possible is expected, (seed, rules)
        seen[expected] += 1
        if not expected and need.any():
            blame = np.isin(np.arange(problem.units), verdict.blame)
            assert (need | ~blame).all() and not can_be_placed(problem, blame), (seed, rules)
    assert min(seen.values()) > 100, seen


def test_the_programme_and_the_trial_of_every_body_agree_with_it():
    seen = {True: 0, False: 0}
    for seed, rules in WORLDS[::5]:
        problem, need = narrow(seed, rules)
        core, _, restore = set_aside(problem)
        if core is None:
            continue
        expected = can_be_placed(core, need[restore.kept])
        assert tried(core, need[restore.kept]) is expected, (seed, rules)
        assert covered(core, need[restore.kept])[0] is expected, (seed, rules)
        assert expected or not grown(core, need[restore.kept]), (seed, rules)
        seen[expected] += 1
    assert min(seen.values()) > 15, seen


def test_no_body_holds_units_of_two_pieces():
    parted = 0
    for seed, rules in WORLDS[::2]:
        core, _, _ = set_aside(narrow(seed, rules)[0])
        if core is None:
            continue
        pieces = pieces_of(core)
        assert sorted(int(i) for piece in pieces for i in piece) == list(range(core.units))
        whole = replace(core, lo=0, hi=int(core.weights.sum()), apart=())
        of = {int(i): k for k, piece in enumerate(pieces) for i in piece}
        for a, b in combinations(range(core.units), 2):
            if of[a] != of[b]:
                assert not any(a in body and b in body for body in oracle.allowed_bodies(whole)), (seed, rules)
                parted += 1
    assert parted > 30


def test_a_witness_is_found_where_one_can_be_and_keeps_every_rule():
    found = missing = 0
    for seed, rules in WORLDS[::3]:
        problem, _ = narrow(seed, rules)
        everyone = np.ones(problem.units, bool)
        made = witness(problem)
        if can_be_placed(problem, everyone):
            assert made is not None and problem.violations(made) == [], (seed, rules)
            found += 1
        else:
            assert made is None or problem.violations(made), (seed, rules)
            missing += 1
    assert min(found, missing) > 20
