"""The partition problem, frozen: units, weights, candidate centres, costs, size curve, adjacency, rules.

Minimise, over partitions of the units into bodies B,

    Σ_B [ min over centres j owned by a unit of B of Σ_{i in B} c[i, j]  +  g(P(B)) ]  +  split charge,   P(B) = Σ w_i

with lo ≤ P(B) ≤ hi (a unit heavier than hi stands alone, and so does a frozen one of any weight), optional bounds on
the number of bodies, a least number of members, pairs kept apart, and contiguity. The split charge is rate × Σ_labels
(patients of the label outside the body that keeps it, the one that holds most of them).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.errors import Infeasible, Problem, raise_all

SizeCurve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True)
class SplitCharge:
    """rate: £ per patient in a minority piece. patients: units × labels. names: of the labels."""

    rate: float
    patients: NDArray[np.float64]
    names: tuple[str, ...]

    @cached_property
    def whole(self) -> NDArray[np.float64]:
        """By label, £ a year were nobody to keep it."""
        return self.rate * self.patients.sum(axis=0)

    def kept(self, members: NDArray[np.int64], prices: NDArray[np.float64]) -> NDArray[np.int64]:
        """Labels worth keeping for a body of these units: what it leaves outside costs less than the price, £."""
        return np.flatnonzero(self.whole - self.rate * self.patients[members].sum(axis=0) < prices)


@dataclass(frozen=True)
class PartitionProblem:
    """n units, m candidate centres.

    name: for messages ("consortium"). labels: a name per unit, for messages. weights: n patients, whole numbers.
    owner: m, the unit each centre belongs to. costs: n × m, £ a year if the unit belongs with the centre; inf = out of
    reach. curve: g(P), £ a year, any shape, vectorised. edges: k × 2 unit pairs that touch. apart: pairs never
    together. frozen: units that are bodies already, whatever their size. steer: optional n × m extra costs that guide
    the search only (confidential wishes) and are no part of the objective. members: n, how many smaller bodies each
    unit is made of, and as many as min_members where no others could join it; None: one.
    """

    name: str
    labels: tuple[str, ...]
    weights: NDArray[np.int64]
    owner: NDArray[np.int32]
    costs: NDArray[np.float64]
    curve: SizeCurve
    lo: int
    hi: int
    edges: NDArray[np.int32]
    contiguous: bool
    apart: tuple[tuple[int, int], ...] = ()
    frozen: tuple[int, ...] = ()
    min_bodies: int | None = None
    max_bodies: int | None = None
    splits: SplitCharge | None = None
    steer: NDArray[np.float64] | None = None
    members: NDArray[np.int64] | None = None
    min_members: int = 1

    def __post_init__(self) -> None:
        n, m = self.costs.shape
        if len(self.weights) != n or len(self.owner) != m or len(self.labels) != n:
            raise ValueError("weights, labels and owner must match the cost matrix")
        if len(np.unique(self.owner)) != n:
            raise ValueError("every unit owns at least one centre")
        if not 0 <= self.lo <= self.hi:
            raise ValueError(f"size bounds {self.lo} … {self.hi} are not an interval")

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.weights)

    @property
    def kept_labels(self) -> int:
        """Number of labels whose split is charged. Each has a multiplier, after those of the units."""
        return len(self.splits.names) if self.splits is not None and self.splits.rate > 0 else 0

    @property
    def multipliers(self) -> int:
        """How many a bound has: of the units, then of the labels."""
        return self.units + self.kept_labels

    def in_range(self, pi: NDArray[np.float64]) -> NDArray[np.float64]:
        """Multipliers of units and labels, a label's at most what it pays in all: beyond that a body without any of its
        patients would keep it.
        """
        if self.splits is None or not self.kept_labels:
            return pi
        return np.append(pi[: self.units], np.minimum(pi[self.units :], self.splits.whole))

    @property
    def counted(self) -> bool:
        """Whether the number of bodies has a bound."""
        return self.min_bodies is not None or self.max_bodies is not None

    @property
    def oversize(self) -> NDArray[np.bool_]:
        """n: units heavier than any body, not frozen: they stand alone, and contiguity may pass through them."""
        large = self.weights > self.hi
        large[list(self.frozen)] = False
        return large

    @property
    def alone(self) -> NDArray[np.bool_]:
        """n: units that are bodies of their own, oversize or frozen."""
        alone = self.weights > self.hi
        alone[list(self.frozen)] = True
        return alone

    @property
    def credit(self) -> NDArray[np.int64]:
        """n: what each unit counts towards the least number of members; units that stand alone have enough."""
        count = np.ones(self.units, np.int64) if self.members is None else self.members
        return np.where(self.alone, self.min_members, count)

    def size_cost(self, patients: ArrayLike) -> NDArray[np.float64]:
        """g(P) in £ a year, elementwise."""
        return self.curve(np.atleast_1d(np.asarray(patients, dtype=float)))

    @cached_property
    def usual_centre(self) -> NDArray[np.int64]:
        """n: the first centre that each unit owns, or the cheapest within its reach where its own may not be one."""
        first = np.empty(self.units, dtype=np.int64)
        first[self.owner[::-1]] = np.arange(len(self.owner))[::-1]
        own = np.isfinite(self.costs[np.arange(self.units), first])
        return np.where(own, first, self.costs.argmin(axis=1))

    def graph(self) -> sparse.csr_matrix:
        """Symmetric n × n adjacency of the units."""
        a, b = self.edges[:, 0], self.edges[:, 1]
        ones = np.ones(len(a), dtype=np.int8)
        half = sparse.coo_matrix((ones, (a, b)), shape=(self.units, self.units))
        return ((half + half.T) > 0).tocsr()

    def body_cost(self, members: NDArray[np.int64]) -> tuple[float, int]:
        """Cost of one body in £ a year (split charge apart) and its best centre (position among the m centres)."""
        own = np.flatnonzero(np.isin(self.owner, members))
        sums = self.costs[np.ix_(members, own)].sum(axis=0)
        best = int(np.argmin(sums))
        return float(sums[best] + self.size_cost(int(self.weights[members].sum()))[0]), int(own[best])

    def split_costs(self, assignment: NDArray[np.int32]) -> NDArray[np.float64]:
        """By label, £ a year for its patients in minority pieces; empty where no split is charged."""
        if self.splits is None or not self.kept_labels:
            return np.empty(0)
        pieces = np.zeros((int(assignment.max()) + 1, self.kept_labels))
        np.add.at(pieces, assignment, self.splits.patients)
        return self.splits.rate * (pieces.sum(axis=0) - pieces.max(axis=0))

    def objective(self, assignment: NDArray[np.int32]) -> float:
        """£ a year of a partition given as a body number per unit, recomputed from scratch."""
        bodies = (np.flatnonzero(assignment == b) for b in np.unique(assignment))
        return sum(self.body_cost(members)[0] for members in bodies) + float(self.split_costs(assignment).sum())

    def cheapest_per_head(self) -> float:
        """min of g(P)/P over every whole number of patients a body may have, £ a year."""
        top = min(self.hi, int(self.weights[~self.alone].sum()))
        least = np.inf
        for first in range(max(1, min(self.lo, top)), top + 1, 1_000_000):
            sizes = np.arange(first, min(top + 1, first + 1_000_000))
            least = min(least, float((self.size_cost(sizes) / sizes).min()))
        return least if np.isfinite(least) else 0.0

    def unavoidable(self) -> float:
        """Σ w × min over sizes of g(P)/P, and units that stand alone at their own size: what any partition must pay for
        size alone (docs/method.md). Assignment costs are never negative, so this is a bound too: LB(π) at π = w × that
        minimum.
        """
        inside, alone = self.weights[~self.alone], self.weights[self.alone]
        fixed = float(self.size_cost(alone).sum()) if len(alone) else 0.0
        return fixed + float(inside.sum()) * self.cheapest_per_head()

    def violations(self, assignment: NDArray[np.int32]) -> list[str]:
        """Rules that a partition breaks, in plain words; empty when it is valid."""
        found = []
        graph, credit = self.graph(), self.credit
        bodies = np.unique(assignment)
        for b in bodies:
            members = np.flatnonzero(assignment == b)
            size = int(self.weights[members].sum())
            where = f"{self.name} of {self.labels[members[0]]}"
            if len(members) > 1 and len(joined := np.intersect1d(members, self.frozen)):
                found.append(f"{where}: {self.labels[joined[0]]} is a body of its own, which nobody joins")
            if not (len(members) == 1 and self.alone[members[0]]) and not self.lo <= size <= self.hi:
                found.append(f"{where}: {size:,} patients, outside {self.lo:,}–{self.hi:,}")
            if credit[members].sum() < self.min_members:
                found.append(f"{where}: {credit[members].sum()} members, fewer than {self.min_members}")
            if not np.isfinite(self.body_cost(members)[0]):
                found.append(f"{where}: no centre within reach of every member")
            if self.contiguous and len(members) > 1 and not self._connected(graph, members):
                found.append(f"{where}: its members do not touch")
        found += [
            f"{self.labels[a]} and {self.labels[b]} must be kept apart"
            for a, b in self.apart
            if assignment[a] == assignment[b]
        ]
        if self.min_bodies is not None and len(bodies) < self.min_bodies:
            found.append(f"{len(bodies)} bodies, fewer than {self.min_bodies}")
        if self.max_bodies is not None and len(bodies) > self.max_bodies:
            found.append(f"{len(bodies)} bodies, more than {self.max_bodies}")
        return found

    def _connected(self, graph: sparse.csr_matrix, members: NDArray[np.int64]) -> bool:
        """Members touch, directly or through oversize units."""
        keep = np.union1d(members, np.flatnonzero(self.oversize))
        _, part = csgraph.connected_components(graph[keep][:, keep], directed=False)
        return len(set(part[np.isin(keep, members)])) == 1

    def stranded(self) -> NDArray[np.int64]:
        """Units that no centre within their reach could gather into a body of the least size."""
        inside = np.flatnonzero(~self.alone)
        reachable = np.isfinite(self.costs)
        enough = self.weights[inside] @ reachable[inside] >= self.lo
        enough &= np.isin(self.owner, inside) & reachable[self.owner, np.arange(len(self.owner))]
        return inside[~reachable[inside][:, enough].any(axis=1)]

    def check_feasible(self) -> None:
        """Raise Infeasible with the arithmetic when no partition can exist, naming the units at fault.

        Necessary conditions only: they catch what planners meet (too few patients, an island out of reach, a component
        too small) before any iteration, where a bound would otherwise grow without limit.
        """
        inside = np.flatnonzero(~self.alone)
        total = int(self.weights[inside].sum())
        torn = [i for i in np.flatnonzero(self.alone) if not np.isfinite(self.body_cost(np.array([i]))[0])]
        raise_all(
            Infeasible,
            [
                Problem(
                    f"{self.name}: {self.labels[i]} and those tied to it ({self.weights[i]:,} patients) stand "
                    "alone, and no centre is within reach of them all",
                    mend="Raise reach_km, or drop the pin that ties them.",
                )
                for i in torn
            ],
        )
        if len(inside) and total < self.lo:
            raise Infeasible(
                Problem(
                    f"{self.name}: {total:,} patients in all, but one body needs at least {self.lo:,}",
                    mend=f"Lower scale.{self.name}.min_patients or plan a larger area.",
                )
            )
        full = int(self.credit[inside].sum()) // self.min_members  # bodies that there are members enough for
        each = f"{self.lo:,}" + (f" and {self.min_members} members" if self.min_members > 1 else "")
        fewest, most = -(-total // self.hi), min(len(inside), total // max(1, self.lo), full)
        if fewest > most:
            raise Infeasible(
                Problem(
                    f"{self.name}: {total:,} patients need at least {fewest} bodies of at most {self.hi:,}, "
                    f"but only {most} bodies of at least {each} can be filled",
                    mend=f"Widen scale.{self.name}.min_patients … max_patients"
                    + (", or lower min_members." if self.min_members > 1 else "."),
                )
            )
        alone = len(self.weights) - len(inside)
        for limit, wrong, word in (
            (self.min_bodies, lambda k: k > most + alone, "at most"),
            (self.max_bodies, lambda k: k < fewest + alone, "at least"),
        ):
            if limit is not None and wrong(limit):
                count = most + alone if word == "at most" else fewest + alone
                raise Infeasible(Problem(f"{self.name}: {limit} bodies asked for, but sizes allow {word} {count}"))
        problems = [
            Problem(
                f"{self.name}: {self.labels[i]} ({self.weights[i]:,} patients) fits no body: "
                f"no centre within its reach can gather {self.lo:,} patients",
                mend="Declare a link or raise reach_km, lower min_patients, or leave it out.",
            )
            for i in self.stranded()
        ]
        if self.contiguous and not problems:
            open_ground = np.setdiff1d(np.arange(self.units), self.frozen)
            part = np.full(self.units, -1)
            part[open_ground] = csgraph.connected_components(self.graph()[open_ground][:, open_ground], directed=False)[
                1
            ]
            for p in np.unique(part[inside]):
                piece = inside[part[inside] == p]
                if self.weights[piece].sum() < self.lo:
                    problems.append(
                        Problem(
                            f"{self.name}: {self.labels[piece[0]]} and {len(piece) - 1} neighbours touch no other and "
                            f"have {int(self.weights[piece].sum()):,} patients, fewer than {self.lo:,}",
                            mend="Declare a link in links.csv (ferry, bridge), or lower min_patients.",
                        )
                    )
        if problems:
            raise Infeasible(*problems)


def steered(problem: PartitionProblem) -> PartitionProblem:
    """The problem the search works on: confidential wishes added to the costs."""
    return problem if problem.steer is None else replace(problem, costs=problem.costs + problem.steer, steer=None)


def canonical(assignment: NDArray[np.int32]) -> NDArray[np.int32]:
    """Bodies numbered by their first unit, so equal partitions have equal arrays."""
    _, first, inverse = np.unique(assignment, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    return order[inverse].astype(np.int32)
