"""Other programs on the same problem: spopt's MaxP, Ward, Skater and AZP, and GerryChain's short bursts.

Each is given what helps it: the number of bodies that ours has, features in £ a patient, the size rule as far as it
knows one, several settings and seeds. Each is a generator of plans (a body number per unit); the caller keeps the best
and interrupts it when the time is up. None of them is needed to plan: `pip install '.[bench]'` brings them.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import count, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimiser.partition.problem import PartitionProblem

Labels = NDArray[np.int32]
PER_PATIENT_OUT_OF_BOUNDS = 1e3  # £: how AZP and GerryChain are told of the size rule, as our own search is
OUT_OF_REACH = 1e9  # £: dearer than any body
STEPS_A_ROUND = 300  # of each setting of GerryChain
MOST_TREES = 200  # drawn before GerryChain merges another pair


class OutOfTime(Exception):
    """Raised inside a peer by the caller's alarm."""


@dataclass(frozen=True)
class Question:
    """The problem without oversize units, and how a peer sees it: features in £ a patient and places in km by unit (see
    `bench_cases.Instance`), districts whose borders cost, how many bodies ours has."""

    problem: PartitionProblem
    features: NDArray[np.float64]
    places: NDArray[np.float64]
    districts: NDArray[np.int64]
    bodies: int
    seed: int

    @property
    def mean_size(self) -> float:
        """Patients of a body if all were alike."""
        return float(self.problem.weights.sum()) / self.bodies

    def body_cost(self, members: NDArray[np.int64]) -> float:
        """£ a year of one body, with a steep charge for patients outside the size bounds."""
        cost = min(self.problem.body_cost(members)[0], OUT_OF_REACH)
        size = int(self.problem.weights[members].sum())
        return cost + PER_PATIENT_OUT_OF_BOUNDS * max(0, self.problem.lo - size, size - self.problem.hi)


def ward(question: Question) -> Iterator[Labels]:
    """Ward's clustering along adjacency: every number of bodies from ¾ to 1⅓ of ours, and two sets of features."""
    from spopt.region import WardSpatial

    for bodies, columns in product(_around(question.bodies), (question.features, question.places)):
        model = WardSpatial(_frame(columns), _weights(question), list(range(columns.shape[1])), bodies)
        model.solve()
        yield np.asarray(model.labels_, dtype=np.int32)


def maxp(question: Question) -> Iterator[Labels]:
    """Max-p: it makes as many bodies as its floor allows, so the floor is set for about as many as ours."""
    from spopt.region import MaxPHeuristic

    floors = (0.65, 0.55, 0.75, 0.85)
    for attempt in count():
        np.random.seed(question.seed + attempt)  # spopt draws from numpy's global generator
        columns = question.features if attempt % 2 == 0 else question.places
        frame = _frame(columns, patients=question.problem.weights)
        floor = max(question.problem.lo, floors[attempt // 2 % len(floors)] * question.mean_size)
        model = MaxPHeuristic(
            frame, _weights(question), list(range(columns.shape[1])), "patients", floor,
            top_n=2, max_iterations_construction=20, max_iterations_sa=1,
        )  # fmt: skip
        model.solve()
        yield np.asarray(model.labels_, dtype=np.int32)


def skater(question: Question) -> Iterator[Labels]:
    """Skater: cuts a tree of least dissimilarity, one body at a time. Its floor counts units, not patients, so it is
    set so that an average body of that many units is large enough. Interrupted, it gives the bodies cut so far.
    """
    from spopt.region.skater import SpanningForest

    fewest = question.problem.lo / float(np.mean(question.problem.weights))
    for floor, columns in product((fewest, 1.5 * fewest, 0.5 * fewest), (question.features, question.places)):
        model = SpanningForest(dissimilarity=_manhattan)
        try:
            model.fit(question.bodies, _weights(question), data=columns, quorum=floor, trace=True)
        finally:
            cuts = getattr(model, "_trace", [])
            if cuts:
                yield np.asarray(cuts[-1][0], dtype=np.int32)


def azp(question: Question) -> Iterator[Labels]:
    """AZP with our own objective, from Ward's plans (the best first) and then from random ones."""
    from spopt.region import AZP
    from spopt.region.objective_function import ObjectiveFunction

    class OurObjective(ObjectiveFunction):
        """£ a year of a partition; the only attribute of an area is which unit it is."""

        def __init__(self) -> None:
            super().__init__()
            self._cost: dict[bytes, float] = {}

        def __call__(self, labels: NDArray, attr: NDArray) -> float:
            return sum(self._body(attr[labels == region, 0]) for region in np.unique(labels))

        def update(self, moving_area: int, recipient_region: float, labels: NDArray, attr: NDArray) -> float:
            units, here = attr[:, 0], labels == labels[moving_area]
            there = labels == recipient_region
            before = self._body(units[here]) + self._body(units[there])
            here[moving_area], there[moving_area] = False, True
            return self._body(units[here]) + self._body(units[there]) - before

        def _body(self, units: NDArray) -> float:
            key = units.tobytes()
            if key not in self._cost:
                self._cost[key] = question.body_cost(units.astype(np.int64))
            return self._cost[key]

    objective = OurObjective()
    units = np.arange(question.problem.units)
    starts = sorted(ward(question), key=lambda labels: objective(labels, units[:, None]))
    for attempt in count():
        start = starts[attempt] if attempt < len(starts) else None
        model = AZP(
            _frame(units[:, None]), _weights(question), [0], question.bodies,
            random_state=question.seed + attempt, initial_labels=start, objective_func=objective,
        )  # fmt: skip
        if start is not None:
            model.n_clusters = len(np.unique(start))
        model.solve()
        yield np.asarray(model.labels_, dtype=np.int32)


def gerrychain(question: Question) -> Iterator[Labels]:
    """Short bursts of recombination on our own objective. Twelve settings start, the worse half is dropped after every
    round, the last one runs on. The surcharge on tree edges between authorities helps most.
    """
    from gerrychain import Graph
    from gerrychain.optimization import SingleMetricOptimizer
    from gerrychain.partition import Partition
    from gerrychain.partition.initial_partition_generators import recursive_tree_part
    from gerrychain.proposals import recom
    from gerrychain.tree import bipartition_tree

    graph = Graph.from_networkx(_network(question))
    target, rng = question.mean_size, random.Random(question.seed)
    widest = min(1 - question.problem.lo / target, question.problem.hi / target - 1)
    cost: dict[frozenset, float] = {}

    def score(plan: Partition) -> float:
        for members in plan.parts.values():
            if members not in cost:
                cost[members] = question.body_cost(_units(plan, members))
        return sum(cost[members] for members in plan.parts.values())

    def labels(plan: Partition) -> Labels:
        out = np.empty(question.problem.units, dtype=np.int32)
        for number, members in enumerate(plan.parts.values()):
            out[_units(plan, members)] = number
        return out

    def bursts(start: Partition, width: float, surcharge: float, length: int) -> Partition:
        split = partial(bipartition_tree, max_attempts=MOST_TREES, allow_pair_reselection=True)
        propose = partial(
            recom, pop_col="patients", pop_target=target, epsilon=width, bipartition_tree_fn=split,
            region_surcharge={"district": surcharge},
        )  # fmt: skip
        walk = SingleMetricOptimizer(propose, [], start, score, maximize=False, rng=rng)
        for _ in walk.short_bursts(length, STEPS_A_ROUND // length):
            pass
        return walk.best_part

    settings = list(product((0.85 * widest, 0.6 * widest), (0.3, 0.5, 0.7), (3, 5)))
    walks = [
        (Partition(graph, recursive_tree_part(graph, range(question.bodies), target, "patients", width, rng=rng)), s)
        for s in settings
        for width in s[:1]
    ]
    while True:
        for k, (plan, setting) in enumerate(walks):
            walks[k] = (bursts(plan, *setting), setting)
            yield labels(walks[k][0])
        walks = sorted(walks, key=lambda walk: score(walk[0]))[: max(1, len(walks) // 2)]


PEERS: dict[str, tuple[str, Callable[[Question], Iterator[Labels]]]] = {
    "spopt-maxp": ("spopt", maxp),
    "spopt-ward": ("spopt", ward),
    "spopt-skater": ("spopt", skater),
    "spopt-azp": ("spopt", azp),
    "gerrychain": ("gerrychain", gerrychain),
}


def missing(method: str) -> str:
    """Why a peer cannot run here, or "" when it can."""
    package, _ = PEERS[method]
    return "" if find_spec(package) else f"{package} is not installed: pip install '.[bench]'"


def plans(method: str, question: Question) -> Iterator[Labels]:
    """The plans of a peer as it finds them, its warnings left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from PEERS[method][1](question)


def _around(bodies: int) -> list[int]:
    """Numbers of bodies to try, the nearest to ours first."""
    span = range(max(1, round(0.75 * bodies)), round(1.34 * bodies) + 1)
    return sorted(span, key=lambda k: (abs(k - bodies), k))


def _frame(columns: NDArray, **more: NDArray) -> Any:
    import pandas as pd

    return pd.DataFrame(columns).assign(**more)


def _weights(question: Question) -> Any:
    """Adjacency in the form spopt takes."""
    from libpysal.weights import W

    graph = question.problem.graph()
    ends = graph.indptr
    beside = {i: graph.indices[ends[i] : ends[i + 1]].tolist() for i in range(question.problem.units)}
    return W(beside, silence_warnings=True)


def _network(question: Question) -> Any:
    import networkx as nx

    graph = nx.Graph()
    units = zip(question.problem.weights.tolist(), question.districts.tolist(), strict=True)
    graph.add_nodes_from((i, {"patients": w, "district": d}) for i, (w, d) in enumerate(units))
    graph.add_edges_from(question.problem.edges.tolist())
    return graph


def _units(plan: Any, members: frozenset) -> NDArray[np.int64]:
    """Units of a part: a chain numbers its nodes anew."""
    original = plan.graph.original_nx_node_id_for_internal_node_id
    return np.sort(np.fromiter((original(node) for node in members), dtype=np.int64))


def _manhattan(one: NDArray, other: NDArray | None) -> NDArray[np.float64]:
    """Distances of every row to every other, or to one centre; faster than the checked library call."""
    from scipy.spatial.distance import cdist

    return cdist(one, one if other is None else other, "cityblock")
