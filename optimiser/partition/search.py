"""The incumbent: annealed boundary moves and merge–splits (docs/method.md), compiled. Only valid partitions are ever
returned.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.clock import never
from optimiser.partition.districts import District, parted
from optimiser.partition.problem import PartitionProblem, canonical
from optimiser.partition.starts import starting_partition
from optimiser.partition.state import Flat, below, draw, fill, fresh, side
from optimiser.partition.trade import trade
from optimiser.partition.trees import merge_split

LEGS = 24  # pieces of a run: before each, districts are drawn anew
TOLD = 6  # times in a run that partitions are reported
TASKS = 4  # fewest annealings that may go on side by side: few districts are searched several times over
TREES = 0.3  # share of moves that merge and split, times units per body
CROWD = 20  # units per body above which the first temperature rises with the square
COLD = 0.1  # last temperature of every run, as a share of a typical difference


@numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)
def _anneal(flat, state, side, moves, hot, cold):
    """Anneal a fresh state in place, temperatures falling geometrically in £."""
    fill(flat, state)
    heat, cooling = hot, (cold / hot) ** (1.0 / moves)
    for _ in range(moves):
        heat *= cooling
        u = below(state, len(state.body))
        if draw(state) * len(state.body) < TREES * state.number[0]:
            moved = merge_split(flat, state, side, u, heat)
        else:
            moved = trade(flat, state, u, heat)
        if moved and state.tally[0] < state.tally[1] - 1e-7:
            state.tally[1] = state.tally[0]
            for v in range(len(state.best)):
                state.best[v] = state.body[v]


def run(
    problem: PartitionProblem,
    flat: Flat,
    rng: np.random.Generator,
    moves: int,
    start: NDArray[np.int32] | None,
    heat: float,
    see: Callable[[NDArray[np.int32]], None],
    over: Callable[[], bool] = never,
) -> NDArray[np.int32] | None:
    """The best valid partition met by annealing, or None.

    moves: tried per unit. heat: first temperature as a share of the typical difference between the centres of
    neighbours; the last is COLD of that difference. Without a start a greedy one cools once over all legs; from a start
    every leg cools by itself and each district keeps its best, so that a good start only improves. 2 to 4 suits both.
    see: called a few times with the best partitions of a leg. over: asked between legs; once it says True no further
    one is run. Threads (as many as Numba may use) change nothing but the time.
    """
    body = _whole(flat, (starting_partition(problem) if start is None else start).astype(np.int64))
    typical = typical_difference(problem)
    # a centre moves only when most of its members can follow: the more there are, the hotter the beginning
    hot = heat * typical * max(1.0, problem.units / (CROWD * (body.max() + 1))) ** 2
    cold = min(heat, COLD) * typical
    chains = [body] * -(-TASKS // len(parted(flat, body, rng)))
    best, least = None, np.inf
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        for leg in range(LEGS):
            steps = [Step(chain, parted(flat, chain, rng), rng) for chain in chains]
            ends = (0, LEGS) if start is not None else (leg, leg + 1)
            hotter, colder = (hot * (cold / hot) ** (x / LEGS) for x in ends)
            jobs = [(d.flat, s, moves * len(d.units) // LEGS + 1, hotter, colder) for x in steps for d, s in x.parts]
            for _ in threads.map(lambda job: _anneal(*job[:2], side(job[0]), *job[2:]), jobs):
                pass
            bests = [step.best() for step in steps]
            found, cost = min(bests, key=lambda x: x[1])
            for met, _ in bests if (leg + 1) % (LEGS // TOLD) == 0 else ():
                see(met)
            if cost < least and _in_bounds(problem, found):
                best, least = found, cost
            chains = [step.now() for step in steps] if start is None else [found.astype(np.int64)] * len(chains)
            if over():
                break
    return None if best is None or problem.violations(best) else canonical(best)


class Step:
    """One chain during one leg: its districts and the state of each."""

    def __init__(self, body: NDArray[np.int64], districts: list[District], rng: np.random.Generator):
        seeds = rng.integers(2**63, size=len(districts)).tolist()
        self.units = len(body)
        self.parts = [
            (d, fresh(d.flat, np.unique(body[d.units], return_inverse=True)[1], seed))
            for d, seed in zip(districts, seeds, strict=True)
        ]

    def now(self) -> NDArray[np.int64]:
        """Unit → body number, where the chain stands."""
        return self._together([state.body for _, state in self.parts])

    def best(self) -> tuple[NDArray[np.int32], float]:
        """The best partition met, each district at its best, and its cost with penalties."""
        body = self._together([state.best for _, state in self.parts])
        return body.astype(np.int32), sum(float(state.tally[1]) for _, state in self.parts)

    def _together(self, bodies: list[NDArray[np.int64]]) -> NDArray[np.int64]:
        whole = np.empty(self.units, dtype=np.int64)
        first = 0
        for (district, _), body in zip(self.parts, bodies, strict=True):
            whole[district.units] = first + body
            first += int(body.max()) + 1
        return np.unique(whole, return_inverse=True)[1]


def _whole(flat: Flat, body: NDArray[np.int64]) -> NDArray[np.int64]:
    """The partition with bodies that are in pieces, where they must touch, parted into these: no move mends them."""
    if not flat.contiguous:
        return np.unique(body, return_inverse=True)[1]
    rows = np.repeat(np.arange(len(body)), np.diff(flat.indptr))
    same = body[rows] == body[flat.indices]
    graph = sparse.coo_matrix((np.ones(same.sum()), (rows[same], flat.indices[same])), shape=(len(body),) * 2)
    return csgraph.connected_components(graph, directed=False)[1].astype(np.int64)


def _in_bounds(problem: PartitionProblem, body: NDArray[np.int32]) -> bool:
    """Sizes, members and the number of bodies keep the rules, which penalties alone enforce."""
    size = np.bincount(body, weights=problem.weights)
    enough = np.bincount(body, weights=problem.credit) >= problem.min_members
    fewest, most = problem.min_bodies or 0, problem.max_bodies
    return bool(
        (size >= problem.lo).all()
        and (size <= problem.hi).all()
        and enough.all()
        and fewest <= len(size) <= (most or len(size))
    )


def typical_difference(problem: PartitionProblem) -> float:
    """£ a year, in the middle of cases, that a unit pays more for belonging with a neighbour's centre than with its
    own."""
    centre = problem.usual_centre
    a, b = np.vstack([problem.edges, problem.edges[:, ::-1]]).T
    there, here = problem.costs[a, centre[b]], problem.costs[a, centre[a]]
    within = np.isfinite(there) & np.isfinite(here) & (centre[a] != centre[b])
    more = np.abs(there[within] - here[within])
    return max(1e-6, float(np.median(more))) if len(more) else 1.0
