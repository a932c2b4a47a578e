"""Partition problems as the script that checks runs holds them, and worlds of every mixture of rules to hand it."""

from __future__ import annotations

import importlib.util
from collections import Counter

import numpy as np

from optimiser.partition.oversize import set_aside
from tests.bound_worlds import whole
from tests.checked import SCRIPT
from tests.partition_worlds import every_mixture, random_problem


def script():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("verify_plan", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Table:
    """A size curve by table, as jagged as may be."""

    def __init__(self, problem, total: int):
        self.pounds = [float(problem.size_cost(size)[0]) for size in range(total + 1)]

    def __call__(self, size: float) -> float:
        return self.pounds[int(size)]

    def floor(self, a: int, b: int) -> float:
        return min(self.pounds[a : b + 1])


class Columns:
    """Costs by unit and centre, charged to the unit's first centre."""

    def __init__(self, problem):
        self.costs, self.owner = problem.costs, problem.owner.tolist()
        self.first = [self.owner.index(u) == j for j, u in enumerate(self.owner)]

    def column(self, j: int) -> tuple[list[int], list[float]]:
        who = [k for k, u in enumerate(self.owner) if np.isfinite(self.costs[u, j])]
        return who, [float(self.costs[self.owner[k], j]) * self.first[k] for k in who]


def as_checked(checker, problem, connected: bool):
    """A partition problem without oversize or frozen units, as the script holds one."""
    made = checker.Unnested.__new__(checker.Unnested)
    made.unit, made.weight = problem.owner.tolist(), problem.weights.tolist()
    made.names, made.people = list(range(problem.units)), list(range(len(problem.owner)))
    made.costs, made.curve = Columns(problem), Table(problem, sum(made.weight))
    made.practices, made.alone, made.core = Counter(made.unit), set(), list(range(problem.units))
    made.lo, made.hi, made.connected = problem.lo, min(problem.hi, sum(made.weight)), connected
    pairs = [*problem.edges.tolist(), *problem.edges[:, ::-1].tolist()]
    made.touching = [{b for a, b in pairs if a == u} for u in range(problem.units)]
    pays = problem.splits.rate * problem.splits.patients if problem.kept_labels else np.empty((problem.units, 0))
    made.pieces = [{t: float(pounds) for t, pounds in enumerate(row) if pounds} for row in pays]
    made.whole = dict(enumerate(pays.sum(axis=0).tolist()))
    return made


def worlds(each: int):
    """(core problem, multipliers of units and labels) for every mixture of rules that leaves some number of bodies
    possible."""
    for seed, rules in every_mixture(each):
        core, _, _ = set_aside(random_problem(seed, **rules))
        if core is None or not (core.min_bodies or 0) <= min(core.units, core.max_bodies or core.units):
            continue
        rng = np.random.default_rng(seed)
        keep = rng.uniform(-0.2, 1.2, core.kept_labels) * (whole(core) if core.kept_labels else 0.0)
        yield core, np.append(core.weights * rng.uniform(0, 30) + rng.normal(0, 100, core.units), keep)
        yield core, np.append(rng.uniform(-200, 2_000, core.units), keep[::-1])
