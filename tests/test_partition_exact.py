"""Small problems solved to proof, against the oracle that tries every partition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.partition.exact import MOST_UNITS, exact
from optimiser.partition.merge import merged
from optimiser.partition.oversize import set_aside
from tests import oracle
from tests.partition_worlds import every_mixture, random_problem

WORLDS = list(every_mixture(1))


def least(core, together=()) -> float:
    """£ a year of the cheapest partition in which each pair shares a body, by trying all."""
    bodies = [b for b in oracle.allowed_bodies(core) if all((x in b) == (y in b) for x, y in together)]
    cost = {b: oracle.body_cost(core, b) for b in bodies}
    ways = oracle.partitions(tuple(range(core.units)), set(cost))
    return min(
        (sum(cost[b] for b in p) + oracle.split_cost(core, p) for p in ways if oracle.count_allowed(core, len(p))),
        default=np.inf,
    )


@pytest.mark.parametrize("k", range(0, len(WORLDS), 4))
def test_the_answer_is_the_oracles_and_is_proved(k: int) -> None:
    seed, rules = WORLDS[k]
    core, _, _ = set_aside(random_problem(seed, **{**rules, "oversize": False, "frozen": False}))
    rng = np.random.default_rng(k)
    for together in ([], [tuple(rng.choice(core.units, 2, replace=False).tolist())]):
        wanted, found = least(core, together), exact(core, together)
        assert found.proved
        if found.assignment is None:
            assert wanted == np.inf
            continue
        assert found.objective == pytest.approx(wanted)
        assert oracle.cost(core, oracle.as_bodies(found.assignment)) == pytest.approx(wanted)


@pytest.mark.parametrize("k", [k for k, (_, rules) in enumerate(WORLDS) if rules["splits"]][:16])
def test_a_body_elsewhere_may_keep_an_authority(k: int) -> None:
    """The same as with the body inside, standing alone as it does."""
    seed, rules = WORLDS[k]
    mixture = {**rules, "oversize": True, "frozen": False, "counts": False}
    problem = random_problem(seed, **mixture)
    core, fixed, restore = set_aside(problem)
    wanted, _ = oracle.best(problem)
    outside = problem.splits.patients[restore.alone]
    found = exact(core, (), outside.max(axis=0))
    held = problem.splits.rate * outside.sum()
    got = found.objective + fixed + held
    assert got == pytest.approx(wanted) or (np.isinf(wanted) and found.assignment is None)


def test_two_units_as_one_cost_what_they_cost_together() -> None:
    for k, (seed, rules) in enumerate(WORLDS[:32]):
        core, _, _ = set_aside(
            random_problem(seed, **{**rules, "oversize": False, "frozen": False, "contiguous": False})
        )
        a, b = np.random.default_rng(k).choice(core.units, 2, replace=False).tolist()
        if any({a, b} == set(pair) for pair in core.apart):
            continue
        one = replace(merged(core, a, b), hi=core.hi)
        if not one.alone.any():
            assert least(one) == pytest.approx(least(core, [(a, b)]))


def test_too_many_units_are_refused() -> None:
    with pytest.raises(ValueError, match="units"):
        exact(random_problem(1, units=MOST_UNITS + 1))
