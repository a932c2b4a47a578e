"""The bound against brute force: below the best partition whatever the multipliers, the steps and the rules."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from optimiser.partition.ascent import ascend, publish, root
from optimiser.partition.bound import bound_value, price, rigorous, rough, starting_multipliers
from optimiser.partition.oversize import set_aside
from optimiser.partition.run import Budget
from optimiser.partition.solve import solve
from tests import oracle
from tests.partition_worlds import RULES, every_mixture, random_problem

pytestmark = pytest.mark.usefixtures("one_thread")
EACH = 7  # worlds of every mixture of rules
SMALL = Budget(moves=500, rounds=12, branches=3, seconds=30, cells=2e6)
WORLDS = list(every_mixture(EACH))


@cache
def world(k: int):
    """The k-th world, the oracle's least cost and its partition."""
    seed, rules = WORLDS[k]
    problem = random_problem(seed, **rules)
    return problem, *oracle.best(problem)


def bound_at(problem, pi, step: int) -> float:
    core, fixed, _ = set_aside(problem)
    typical = core.weights.sum() / 2
    return fixed + bound_value(core, pi, price(rigorous(core, step, typical), pi))[0]


def below(bound: float, least: float) -> bool:
    return bound <= least + 1e-7 * max(1.0, abs(least))


def test_the_worlds_are_many_feasible_and_of_every_mixture():
    feasible = [k for k in range(len(WORLDS)) if np.isfinite(world(k)[1])]
    assert len(feasible) >= 300
    for rule in RULES:
        assert sum(WORLDS[k][1][rule] for k in feasible) >= 100
    assert len({tuple(WORLDS[k][1].values()) for k in feasible}) == 2 ** len(RULES)


def test_no_multipliers_and_no_weight_step_lift_the_bound_above_the_best_partition():
    rng = np.random.default_rng(5)
    tight = 0
    for k in range(len(WORLDS)):
        problem, least, answer = world(k)
        if answer is None:
            continue
        core, _, restore = set_aside(problem)
        if core is None:
            continue
        n = core.units
        fair = starting_multipliers(problem, _assignment(problem, answer))[restore.kept]
        for pi in (fair, fair + rng.normal(0, 40, n), rng.normal(0, 300, n)):
            for step in (1, 4, 13):
                bound = bound_at(problem, pi, step)
                assert below(bound, least), (WORLDS[k], step, bound, least)
                tight += pi is fair and bound > 0.9 * least
    assert tight > 100, "bounds that hold because they are far too low prove nothing"


def test_at_steps_of_one_patient_the_bound_is_its_formula():
    rng = np.random.default_rng(6)
    for k in range(0, len(WORLDS), 4):
        core, fixed, _ = set_aside(world(k)[0])
        if core is None or world(k)[2] is None:
            continue
        pi = rng.normal(100, 150, core.units)
        expected = oracle.bound_by_definition(core, pi)
        got = bound_at(world(k)[0], pi, 1) - fixed
        assert got == pytest.approx(expected, rel=1e-9, abs=1e-6), WORLDS[k]


def test_finer_steps_are_tried_and_published_bounds_hold():
    raised = 0
    for k in range(2, len(WORLDS), 8):
        problem, least, answer = world(k)
        core, fixed, restore = set_aside(problem)
        if answer is None or core is None:
            continue
        pi = starting_multipliers(problem, _assignment(problem, answer))[restore.kept]
        coarse = publish(core, [root(core, pi, 0.0)], len(answer), 8, 1e-9)
        fine = publish(core, [root(core, pi, 0.0)], len(answer), 8, 1e9)
        assert fine[0].step == 1
        assert fine[0].bound >= coarse[0].bound
        assert fine[0].bound + fixed >= bound_at(problem, pi, 1) - 1e-6
        assert below(fine[0].bound + fixed, least)
        raised += fine[0].bound > coarse[0].bound
    assert raised > 10


def test_the_ascent_never_ends_below_its_start():
    rng = np.random.default_rng(7)
    risen = 0
    for k in range(1, len(WORLDS), 5):
        problem, least, answer = world(k)
        core, _, _ = set_aside(problem)
        if answer is None or core is None:
            continue
        tables = rough(core, core.weight_step)
        start = rng.normal(100, 100, core.units)
        before, _ = bound_value(core, start, price(tables, start))
        pi, after = ascend(core, tables, start, least, 12, lambda bodies, height: False)
        assert after >= before
        assert after == pytest.approx(bound_value(core, pi, price(tables, pi))[0])
        risen += after > before
    assert risen > 30


def test_what_solve_publishes_holds_in_every_mixture_of_rules():
    wrong, solved = [], 0
    for k in range(0, len(WORLDS), EACH):
        problem, least, answer = world(k)
        if answer is None:
            continue
        found = solve(problem, 1, SMALL)
        bodies = oracle.as_bodies(found.assignment)
        solved += 1
        if not below(found.bound, least):
            wrong.append((WORLDS[k], "bound", found.bound, least))
        if oracle.broken_by(problem, bodies):
            wrong.append((WORLDS[k], oracle.broken_by(problem, bodies)))
        if found.objective < least - 1e-6 or found.objective != pytest.approx(oracle.cost(problem, bodies)):
            wrong.append((WORLDS[k], "objective", found.objective, least))
    assert not wrong
    assert solved >= 40


def _assignment(problem, partition) -> np.ndarray:
    out = np.empty(problem.units, dtype=np.int32)
    for b, members in enumerate(partition):
        out[list(members)] = b
    return out
