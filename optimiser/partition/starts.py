"""Where a search starts when it is given nothing: a partition that keeps as many rules as a greedy rule can."""

from __future__ import annotations

from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.problem import PartitionProblem
from optimiser.partition.state import OUT_OF_REACH

ROUNDS = 10  # of assigning units to centres and finding the best centres again


def starting_partition(problem: PartitionProblem) -> NDArray[np.int64]:
    """A first partition (unit → body number): bodies of one unit that grow until every size fits, or units gathered
    around as many centres as there may be bodies, where bodies need not touch and growth leaves too many."""
    body = _grown(problem)
    most = problem.max_bodies
    if most is not None and body.max() >= most and not problem.contiguous:
        body = _gathered(problem, most)
    return np.unique(body, return_inverse=True)[1].astype(np.int64)


def _grown(problem: PartitionProblem) -> NDArray[np.int64]:
    """Smallest bodies join the neighbour with which they cost least, until no size and no least number of members, and
    where bodies must touch no number of bodies, asks for another join, or none can be made."""
    n, graph = problem.units, problem.graph()
    body, size, credit = np.arange(n), problem.weights.tolist(), problem.credit.tolist()
    near = [set(graph.indices[graph.indptr[u] : graph.indptr[u + 1]].tolist()) for u in range(n)]
    members: dict[int, list[int]] = {u: [u] for u in range(n)}
    foes: dict[int, list[int]] = {}
    for a, b in problem.apart:
        foes.setdefault(a, []).append(b)
        foes.setdefault(b, []).append(a)
    enough = problem.max_bodies if problem.max_bodies is not None and problem.contiguous else n
    smallest = [(size[b], b) for b in members]
    heapify(smallest)
    while smallest:
        weight, b = heappop(smallest)
        if b not in members or size[b] != weight:
            continue  # joined another, or grew, since it was listed
        if weight >= problem.lo and len(members) <= enough and credit[b] >= problem.min_members:
            continue
        barred = {int(body[y]) for x in members[b] for y in foes.get(x, ())}
        options = [c for c in sorted(near[b] - barred) if weight + size[c] <= problem.hi]
        if not options:
            continue
        costs = problem.costs[np.ix_(np.array(members[b]), problem.usual_centre[options])]
        sums = np.where(np.isfinite(costs), costs, OUT_OF_REACH).sum(axis=0)
        c = min(zip(sums.tolist(), [size[x] for x in options], options, strict=True))[2]
        body[members[b]] = c
        members[c] += members.pop(b)
        size[c] += weight
        credit[c] += credit[b]
        near[c] = (near[c] | near[b]) - {b, c}
        for d in near[b] - {c}:
            near[d].discard(b)
            near[d].add(c)
        heappush(smallest, (size[c], c))
    return body


def _gathered(problem: PartitionProblem, bodies: int) -> NDArray[np.int64]:
    """Units gathered around centres far from each other, dearest regret first, each where there is room; then around
    the best centre of each body, a few times over (capacitated k-medians)."""
    costs = np.where(np.isfinite(problem.costs), problem.costs, OUT_OF_REACH)
    elsewhere = problem.owner[problem.usual_centre] != np.arange(problem.units)
    chosen = [int(np.argmin(costs.sum(axis=0)))]
    while len(chosen) < min(bodies, problem.units):
        nearest = costs[:, chosen].min(axis=1)
        nearest[problem.owner[chosen]] = nearest[elsewhere] = -1.0
        chosen.append(int(problem.usual_centre[np.argmax(nearest)]))
    body = np.zeros(problem.units, dtype=np.int64)
    for _ in range(ROUNDS):
        body = _assigned(problem, costs[:, chosen], problem.owner[chosen])
        before = chosen
        chosen = []
        for b in range(len(before)):
            members = np.flatnonzero(body == b)
            own = np.flatnonzero(np.isin(problem.owner, members))
            chosen.append(int(own[np.argmin(costs[np.ix_(members, own)].sum(axis=0))]))
        if chosen == before:
            break
    return body


def _assigned(problem: PartitionProblem, costs: NDArray[np.float64], seats: NDArray[np.int32]) -> NDArray[np.int64]:
    """Units to bodies (costs: units × bodies) whose first members are `seats`: largest regret first, each to the
    cheapest with room, or to the emptiest when none has."""
    body = np.full(problem.units, -1, dtype=np.int64)
    body[seats] = np.arange(len(seats))
    room = problem.hi - problem.weights[seats]
    ranked = np.argsort(costs, axis=1, kind="stable")
    two = np.take_along_axis(costs, ranked[:, :2], axis=1)
    for u in np.argsort(two[:, 0] - two[:, -1], kind="stable"):
        if body[u] < 0:
            fits = ranked[u][room[ranked[u]] >= problem.weights[u]]
            body[u] = fits[0] if len(fits) else int(np.argmax(room))
            room[body[u]] -= problem.weights[u]
    return body
