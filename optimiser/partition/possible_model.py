"""Whether bodies can hold all needed units, as an integer programme (PuLP + HiGHS) with connectivity cuts.

    x_ij = 1: unit i is in the body around centre j;  the body exists when its centre's owner is in it: y_j = x_{o(j) j}
    Σ_j x_ij = 1 for needed units, ≤ 1 for others;  x_ij ≤ y_j;  lo y_j ≤ Σ_i w_i x_ij ≤ hi y_j;  a ≤ Σ_j y_j ≤ b
    x_ij ≤ Σ of x_vj over neighbours v of i (where bodies must touch);  x_uj + x_vj ≤ y_j for pairs kept apart

A body that comes back in several parts is answered with cuts, that a part apart from the centre needs a unit around it,
and the programme is solved again. "Impossible" is believed only when a second solve without presolve says it too.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

import highspy
import numpy as np
import pulp
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.clock import Clock, never
from optimiser.partition.pool import Pool
from optimiser.partition.problem import PartitionProblem

ROUNDS = 40  # of cuts
SECONDS = 10.0  # for all rounds: a last resort, since running out proves nothing
FEASIBLE = 2  # HiGHS's word for a feasible primal solution
IMPOSSIBLE = (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible)


def covered(
    problem: PartitionProblem, need: NDArray[np.bool_], stop: Callable[[], bool] = never
) -> tuple[bool | None, list[list[int]]]:
    """Whether disjoint bodies that keep every rule can hold all needed units (others may be left out), in an allowed
    number, and such bodies. None when the limits ended the work first. problem: without oversize and frozen units."""
    centres = _centres(problem)
    graph = problem.graph()
    cuts: list[tuple[int, list[int], list[int]]] = []
    clock = Clock(SECONDS, stop)
    for _ in range(ROUNDS):
        status, bodies = _solved(problem, need, centres, graph, cuts, "choose", clock)
        if status in IMPOSSIBLE:
            again, _ = _solved(problem, need, centres, graph, cuts, "off", Clock(SECONDS))
            return (False if again == highspy.HighsModelStatus.kInfeasible else None), []
        if bodies is None or clock.over():
            return None, []
        new = _broken(problem, graph, bodies) if problem.contiguous else []
        if not new:
            return (True, list(bodies.values())) if _holds(problem, need, bodies) else (None, [])
        cuts += new
    return None, []


def _centres(problem: PartitionProblem) -> list[int]:
    """Centres within their own reach; of two of one unit, one that reaches all the other does is enough."""
    reach = np.isfinite(problem.costs)
    kept: list[int] = []
    for j in np.argsort(-reach.sum(axis=0), kind="stable").tolist():
        same = [k for k in kept if problem.owner[k] == problem.owner[j]]
        if reach[problem.owner[j], j] and not any((reach[:, j] <= reach[:, k]).all() for k in same):
            kept.append(j)
    return sorted(kept)


def _solved(
    problem: PartitionProblem,
    need: NDArray[np.bool_],
    centres: list[int],
    graph: sparse.csr_matrix,
    cuts: list[tuple[int, list[int], list[int]]],
    presolve: str,
    clock: Clock,
) -> tuple[highspy.HighsModelStatus, dict[int, list[int]] | None]:
    """(HiGHS's own status, centre → members of its body where there is an answer)."""
    model, x = _model(problem, need, centres, graph, cuts)
    solver = pulp.HiGHS(msg=False, timeLimit=max(0.1, clock.left()), presolve=presolve)
    with contextlib.redirect_stdout(io.StringIO()):
        model.solve(solver)
    highs = model.solverModel
    if int(highs.getInfo().primal_solution_status) != FEASIBLE:
        return highs.getModelStatus(), None
    values = highs.getSolution().col_value
    bodies: dict[int, list[int]] = {}
    for (i, j), variable in x.items():
        if values[variable.index] > 0.5:
            bodies.setdefault(j, []).append(i)
    return highs.getModelStatus(), bodies


def _model(
    problem: PartitionProblem,
    need: NDArray[np.bool_],
    centres: list[int],
    graph: sparse.csr_matrix,
    cuts: list[tuple[int, list[int], list[int]]],
) -> tuple[pulp.LpProblem, dict[tuple[int, int], pulp.LpVariable]]:
    reach, credit = np.isfinite(problem.costs), problem.credit
    # Where everybody may be a centre and reach everybody, a body's first unit may as well be it: one name for a body.
    plain = bool(reach[:, centres].all()) and len({int(problem.owner[j]) for j in centres}) == problem.units
    model = pulp.LpProblem("possible", pulp.LpMinimize)
    pairs = [(i, j) for j in centres for i in np.flatnonzero(reach[:, j]).tolist()]
    x = {(i, j): model.add_variable(f"x_{i}_{j}", cat="Binary") for i, j in pairs if not plain or i >= problem.owner[j]}
    y = {j: x[int(problem.owner[j]), j] for j in centres}
    bodies = model.add_variable("bodies", lowBound=problem.min_bodies or 0, upBound=problem.max_bodies, cat="Integer")
    model += 0 * bodies
    model += pulp.lpSum(y.values()) == bodies, "number"
    of_unit: dict[int, list[pulp.LpVariable]] = {i: [] for i in range(problem.units)}
    of_centre: dict[int, dict[int, pulp.LpVariable]] = {j: {} for j in centres}
    for (i, j), variable in x.items():
        of_unit[i].append(variable)
        of_centre[j][i] = variable
    for i, terms in of_unit.items():
        model += (pulp.lpSum(terms) == 1 if need[i] else pulp.lpSum(terms) <= 1), f"once_{i}"
    for j, members in of_centre.items():
        size = pulp.lpSum(int(problem.weights[i]) * variable for i, variable in members.items())
        model += size >= problem.lo * y[j], f"least_{j}"
        model += size <= problem.hi * y[j], f"most_{j}"
        if problem.min_members > 1:
            enough = pulp.lpSum(int(credit[i]) * variable for i, variable in members.items())
            model += enough >= problem.min_members * y[j], f"members_{j}"
        for i, variable in members.items():
            if i != problem.owner[j]:
                model += variable <= y[j], f"exists_{i}_{j}"
                if problem.contiguous:
                    near = [members[v] for v in graph[i].indices.tolist() if v in members]
                    model += variable <= pulp.lpSum(near), f"touches_{i}_{j}"
        for a, b in problem.apart:
            if a in members and b in members:
                model += members[a] + members[b] <= y[j], f"apart_{a}_{b}_{j}"
    for k, (j, part, around) in enumerate(cuts):
        members = of_centre[j]
        outside = pulp.lpSum(members[v] for v in around if v in members)
        for i in part:
            model += members[i] <= outside, f"cut_{k}_{i}"
    return model, x


def _broken(
    problem: PartitionProblem, graph: sparse.csr_matrix, bodies: dict[int, list[int]]
) -> list[tuple[int, list[int], list[int]]]:
    """(centre, a part of its body without the centre's owner, units around that part) for every body in parts."""
    cuts = []
    for j, members in bodies.items():
        inside = np.array(members)
        count, part = csgraph.connected_components(graph[inside][:, inside], directed=False)
        home = part[members.index(int(problem.owner[j]))]
        for p in range(count):
            if p != home:
                lost = inside[part == p]
                around = np.setdiff1d(graph[lost].indices, lost)
                cuts.append((j, lost.tolist(), around.tolist()))
    return cuts


def _holds(problem: PartitionProblem, need: NDArray[np.bool_], bodies: dict[int, list[int]]) -> bool:
    """The answer checked from the rules themselves: valid bodies, no unit twice, every needed unit once."""
    held = sorted(i for members in bodies.values() for i in members)
    pool = Pool(problem)
    pool.add(tuple(sorted(members)) for members in bodies.values())
    low, high = problem.min_bodies or 0, problem.units if problem.max_bodies is None else problem.max_bodies
    whole = len(held) == len(set(held)) and set(np.flatnonzero(need).tolist()) <= set(held)
    return whole and len(pool) == len(bodies) and low <= len(bodies) <= high
