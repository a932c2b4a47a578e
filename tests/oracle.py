"""The slow, obvious answer: every way to group up to nine units, every rule from scratch, every cost by definition.

Nothing here calls the engine; only the fields of PartitionProblem are read. A partition is a tuple of bodies, a body a
tuple of unit positions.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

Body = tuple[int, ...]
Partition = tuple[Body, ...]
MOST_UNITS = 9


def best(problem) -> tuple[float, Partition | None]:
    """(£ a year of the cheapest partition that keeps every rule, that partition); (inf, None) when there is none."""
    cost = {body: body_cost(problem, body) for body in allowed_bodies(problem)}
    least, answer = math.inf, None
    for partition in partitions(tuple(range(len(problem.weights))), set(cost)):
        if not count_allowed(problem, len(partition)):
            continue
        total = sum(cost[body] for body in partition) + split_cost(problem, partition)
        if total < least:
            least, answer = total, partition
    return least, answer


def partitions(units: Body, allowed: set[Body]) -> Iterator[Partition]:
    """Every way to part the units into allowed bodies: the first unit's body, then the rest."""
    if not units:
        yield ()
        return
    first, rest = units[0], units[1:]
    for size in range(len(rest) + 1):
        for others in combinations(rest, size):
            body = (first, *others)
            if body in allowed:
                left = tuple(u for u in rest if u not in others)
                for more in partitions(left, allowed):
                    yield (body, *more)


def allowed_bodies(problem) -> list[Body]:
    """Every set of units that may be a body."""
    n = len(problem.weights)
    assert n <= MOST_UNITS, "too many units to enumerate"
    sets = (body for size in range(1, n + 1) for body in combinations(range(n), size))
    return [body for body in sets if not broken_by_body(problem, body)]


def broken_by_body(problem, body: Body) -> list[str]:
    """Rules that one body breaks."""
    found = []
    patients = sum(int(problem.weights[i]) for i in body)
    frozen = any(i in problem.frozen for i in body)
    if frozen and len(body) > 1:
        found.append("frozen")
    oversize = len(body) == 1 and patients > problem.hi
    if not (oversize or frozen) and not problem.lo <= patients <= problem.hi:
        found.append("size")
    held = sum(1 if problem.members is None else int(problem.members[i]) for i in body)
    if not (oversize or frozen) and held < problem.min_members:
        found.append("members")
    if body_cost(problem, body) == math.inf:
        found.append("reach")
    if problem.contiguous and not in_one_piece(problem, body):
        found.append("contiguity")
    if any(a in body and b in body for a, b in problem.apart):
        found.append("apart")
    return found


def broken_by(problem, partition: Sequence[Body]) -> list[str]:
    """Rules that a partition breaks; empty when it is a valid one."""
    found = [rule for body in partition for rule in broken_by_body(problem, tuple(body))]
    if sorted(u for body in partition for u in body) != list(range(len(problem.weights))):
        found.append("every unit once")
    if not count_allowed(problem, len(partition)):
        found.append("number of bodies")
    return found


def count_allowed(problem, bodies: int) -> bool:
    """Whether the number of bodies keeps its bounds."""
    fewest = 0 if problem.min_bodies is None else problem.min_bodies
    most = math.inf if problem.max_bodies is None else problem.max_bodies
    return fewest <= bodies <= most


def body_cost(problem, body: Body) -> float:
    """min over centres owned by a member of Σ c[i, centre], plus g(P)."""
    patients = sum(int(problem.weights[i]) for i in body)
    sums = [
        sum(float(problem.costs[i, j]) for i in body) for j, owner in enumerate(problem.owner) if int(owner) in body
    ]
    size = float(problem.curve(np.array([float(patients)]))[0])
    return min(sums, default=math.inf) + size


def split_cost(problem, partition: Sequence[Body]) -> float:
    """rate × Σ labels (patients of the label − those in the body that holds most of them)."""
    if problem.splits is None:
        return 0.0
    lost = 0.0
    for t in range(problem.splits.patients.shape[1]):
        held = [sum(float(problem.splits.patients[i, t]) for i in body) for body in partition]
        lost += sum(held) - max(held)
    return problem.splits.rate * lost


def cost(problem, partition: Sequence[Body]) -> float:
    """£ a year of a partition."""
    return sum(body_cost(problem, tuple(body)) for body in partition) + split_cost(problem, partition)


def in_one_piece(problem, body: Body) -> bool:
    """Every member is reached from the first, stepping on members and on units too large for any body, frozen ones
    excepted."""
    steps = {int(i) for i, w in enumerate(problem.weights) if w > problem.hi and i not in problem.frozen} | set(body)
    touching = [(int(a), int(b)) for a, b in problem.edges]
    reached = {body[0]}
    while True:
        more = {b for a, b in touching if a in reached} | {a for a, b in touching if b in reached}
        more = (more & steps) - reached
        if not more:
            return set(body) <= reached
        reached |= more


def as_bodies(assignment) -> Partition:
    """A body number per unit, as bodies."""
    groups: dict[int, list[int]] = {}
    for unit, body in enumerate(assignment):
        groups.setdefault(int(body), []).append(unit)
    return tuple(tuple(members) for members in groups.values())


def bound_by_definition(problem, pi) -> float:
    """LB(π) = Σ π + min over a ≤ k ≤ b of the sum of the k least r; inf when no number of bodies is possible.

    r of a unit: the least, over its centres and every subset S of the units that holds it, of Σ (c − π) + g(P) +
    Σ over labels of min(0, what those of it outside S pay − π). Multipliers: by unit, then by label, of which none
    counts above what the label pays in all.
    """
    n = len(problem.weights)
    least = [math.inf] * n
    pays = [] if problem.splits is None else (problem.splits.rate * problem.splits.patients).tolist()
    whole = [sum(column) for column in zip(*pays, strict=True)]
    keep = [min(float(price), most) for price, most in zip(pi[n:], whole, strict=True)]
    sets = [body for size in range(1, n + 1) for body in combinations(range(n), size)]
    for j, owner in enumerate(problem.owner):
        for body in sets:
            patients = sum(int(problem.weights[i]) for i in body)
            if int(owner) not in body or not problem.lo <= patients <= problem.hi:
                continue
            linear = sum(float(problem.costs[i, j]) - float(pi[i]) for i in body)
            size = float(problem.curve(np.array([float(patients)]))[0])
            for t, price in enumerate(keep):
                linear += min(0.0, whole[t] - sum(pays[i][t] for i in body) - price)
            least[int(owner)] = min(least[int(owner)], linear + size)
    least.sort()
    fewest = problem.min_bodies or 0
    most = n if problem.max_bodies is None else min(n, problem.max_bodies)
    return float(sum(pi[:n])) + sum(keep) + min((sum(least[:k]) for k in range(fewest, most + 1)), default=math.inf)
