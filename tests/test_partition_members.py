"""The least number of smaller bodies in a body: kept by search, pool and integer programme, as the oracle has it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.errors import Infeasible, LimitReached
from optimiser.partition.budget import Budget
from optimiser.partition.members import with_members
from optimiser.partition.possible import possible, witness
from optimiser.partition.solve import solve
from tests import oracle
from tests.partition_worlds import random_problem

pytestmark = pytest.mark.usefixtures("one_thread")
SMALL = Budget(moves=500, rounds=12, branches=3, gap=0.0, seconds=30)
RULES = [
    {"contiguous": True},
    {"contiguous": True, "oversize": True},
    {"apart": True, "counts": True},
    {"contiguous": True, "frozen": True, "several_centres": True},
]


def world(k: int, least: int):
    """A random problem whose units are one to three smaller bodies each, with the rule and before it."""
    problem = random_problem((7, k), **RULES[k % len(RULES)])
    held = np.random.default_rng(k).choice([1, 1, 1, 2, 3], problem.units)
    return with_members(problem, held, least), held


@pytest.mark.parametrize("least", [2, 3])
def test_the_best_partition_of_small_worlds_is_found_and_its_bound_holds(least):
    found = changed = 0
    for k in range(24):
        problem, _ = world(k, least)
        best, _ = oracle.best(problem)
        if not np.isfinite(best):
            with pytest.raises((Infeasible, LimitReached)):
                solve(problem, 1, SMALL)
            continue
        solution = solve(problem, 1, SMALL)
        assert problem.violations(solution.assignment) == []
        assert oracle.broken_by(problem, oracle.as_bodies(solution.assignment)) == []
        assert solution.objective == pytest.approx(best)
        assert solution.bound <= best + 1e-6
        found += 1
        changed += best > oracle.best(replace(problem, members=None, min_members=1))[0] + 1e-6
    assert found >= 10 and changed >= 2


@pytest.mark.parametrize("least", [2, 3])
def test_nobody_is_exempt_whom_others_could_join(least):
    exempt = 0
    for k in range(60):
        problem, held = world(k, least)
        free = replace(problem, members=None, min_members=1, lo=0)
        enough = [b for b in oracle.allowed_bodies(free) if sum(held[i] for i in b) >= least]
        for u in np.flatnonzero((problem.members >= least) & (held < least) & ~problem.alone):
            exempt += 1
            assert not any(u in body for body in enough)
    assert exempt >= 10


def test_whether_it_can_be_done_is_answered_as_by_the_oracle():
    """By trying every body, and by bodies that are shown."""
    answers = {True: 0, False: 0}
    for k in range(60):
        problem, _ = world(k, 2)
        can = np.isfinite(oracle.best(problem)[0])
        verdict = possible(problem).possible
        assert verdict is None or verdict == can
        if verdict is not None:
            answers[verdict] += 1
        shown = witness(problem)
        assert shown is None or (can and problem.violations(shown) == [])
    assert min(answers.values()) >= 3


def test_too_few_members_for_the_bodies_asked_for_is_said_with_the_arithmetic():
    problem = random_problem(3, units=6)
    asked = replace(with_members(replace(problem, lo=0), np.ones(6, np.int64), 2), min_bodies=4, max_bodies=None)
    with pytest.raises(Infeasible, match="4 bodies asked for, but sizes allow at most 3"):
        asked.check_feasible()


def test_a_rule_of_one_changes_nothing():
    problem = random_problem(3)
    assert with_members(problem, np.ones(problem.units, np.int64), 1) is problem
