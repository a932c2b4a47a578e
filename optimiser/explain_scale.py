"""One scale of a structure around one practice: what it would cost if what moves with the practice stood in another
body, by local re-optimisation.

What moves is the practice's body of the scale below, whole, or at the smallest scale the practice with those it is
pinned to. At larger scales it follows into the bodies that hold its new one. At this scale its body, the other, and
those that touch either and lie in the same larger bodies are formed anew out of smaller bodies kept whole. All else
stays as planned. Confidential wishes play no part.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from optimiser import pins
from optimiser.breakaway_scale import Ground
from optimiser.domain import Body, Dataset, Structure
from optimiser.errors import Infeasible, LimitReached
from optimiser.forces import PairCharges, size_terms
from optimiser.partition.budget import Budget
from optimiser.partition.exact import MOST_UNITS, exact
from optimiser.partition.merge import merged
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.restrict import restrict
from optimiser.partition.solve import solve
from optimiser.scenario import Scenario
from optimiser.units import scale_problem

Ints = NDArray[np.int64]
Membership = NDArray[np.int32]

EFFORT = Budget(moves=500, rounds=60, branches=1, turns=1, gap=1e-4)  # of a bound where exact work does not end


@dataclass(frozen=True)
class Local:
    """The cheapest way found. membership: by scale that changes, body number by practice. objective, bound: £ a year of
    the bodies formed anew at this scale (inf and None where there is no way). free: positions of the bodies formed
    anew."""

    membership: Mapping[str, Membership]
    objective: float
    bound: float
    free: tuple[int, ...]


class ScaleAround:
    """A scale of a structure, around the body of one practice."""

    def __init__(self, dataset: Dataset, scenario: Scenario, structure: Structure, name: str, practice: int):
        self.dataset, self.scenario, self.structure, self.name = dataset, scenario, structure, name
        self.of = structure.membership[name]
        self.bodies = structure.bodies[name]
        self.at = int(self.of[practice])
        below = scenario.below(name)
        whole = structure.membership[below] if below is not None else None
        made = scale_problem(dataset, scenario, scenario.scale(name), whole=whole)
        self.problem, self.unit = replace(made.problem, steer=None), made.unit
        self.core, _, restore = set_aside(self.problem)
        self.kept = restore.kept if self.core is not None else np.empty(0, np.int64)
        self.unit_body = self.of[made.first]
        self.mover = int(self.unit[practice])
        self.walls = scenario.around(name)[1:]
        self.near = self._touching()
        self.piece, self.edges = self._pieces()
        self.too_large = False

    @property
    def group(self) -> Ints:
        """The practices that move as one."""
        return np.flatnonzero(self.unit == self.mover)

    @property
    def body(self) -> Body:
        """The body of the practice."""
        return self.bodies[self.at]

    @property
    def stands_alone(self) -> bool:
        """Whether what would move is a body of its own by rule: agreed beforehand, or too large for any other."""
        return self.mover not in self.kept

    def neighbours(self) -> list[int]:
        """Positions of the bodies that touch the practice's."""
        return sorted(self.near[self.at])

    def holder(self, scale: str, body: int) -> int:
        """Position of the body of a larger scale that holds one of this."""
        return int(self.structure.membership[scale][self.bodies[body].members[0]])

    def broken_above(self, to: int) -> Iterator[str]:
        """Rules of larger scales that following into the holders of another body breaks, in plain words."""
        left: int | None = self.at if len(self.group) == len(self.body.members) else None
        for scale in self.walls:
            x, y = self.holder(scale, self.at), self.holder(scale, to)
            bodies = self.structure.bodies[scale]
            if x != y:
                yield from Ground(self.dataset, self.scenario, self.structure, scale).broken(self.group, x, y)
                below = self.scenario.below(scale)
                asked, held = self.scenario.members_asked(scale), self._held(scale, x)
                if below != self.name and left is not None and held - 1 < asked <= held:
                    yield f"leaves {bodies[x].name} with {held - 1} of the bodies it is built from, fewer than {asked}"
            left = x if len(self.group) == len(bodies[x].members) else None

    def broken_here(self, to: int | None) -> list[str]:
        """Rules of this scale that the bare move breaks, nobody else moving."""
        ground = Ground(self.dataset, self.scenario, self.structure, self.name)
        return list(ground.broken(self.group, self.at, to))

    def stay(self) -> Local | None:
        """The practice's body and those that touch it formed anew, nothing asked."""
        cells = self._cells(None)
        free = self._free({self.at}, {cells[self.mover]}, cells)
        if self._most(free, cells) > MOST_UNITS:
            return None
        return self._solved(free, cells, [], [], False)

    def move(self, to: int | None, prove: bool = True) -> Local | None:
        """What moves stands with the centre of another body, and apart from its own (None: it stands alone); None where
        no way keeps the rules of this scale, or where there are too many bodies to form anew (too_large). prove: seek a
        bound from the engine too where the problem is not solved outright."""
        cells = self._cells(to)
        ends = {self.at} | ({to} if to is not None else set())
        inside = {cells[np.flatnonzero(self.unit_body == b)[-1]] for b in ends} | {cells[self.mover]}
        inside |= {cells[u] for u in np.flatnonzero(self.unit_body == self.at)}
        together, apart = [], []
        if to is None:
            apart = [(self.mover, int(v)) for v in self.kept if v != self.mover]
        else:
            together = [(self.mover, int(self.unit[self.bodies[to].centre]))]
            stands_for = self._core_of_own()
            apart = [(self.mover, stands_for)] if stands_for is not None else []
        if to is not None and together[0][1] not in self.kept:
            return None
        found = None
        for near in (True, False):
            free = self._free(ends, inside, cells, near)
            if self._most(free, cells) <= MOST_UNITS:
                found = self._solved(free, cells, together, apart, prove)
                break
        else:
            self.too_large = True
        if found is None or to is None:
            return found
        above = {}
        for scale in self.walls:
            x, y = self.holder(scale, self.at), self.holder(scale, to)
            if x != y:
                above[scale] = self.structure.membership[scale].copy()
                above[scale][self.group] = y
        return replace(found, membership={**found.membership, **above})

    def _core_of_own(self) -> int | None:
        """The unit that stands for the body left behind: its centre's, or the largest where that is the one that
        moves."""
        centre = int(self.unit[self.body.centre])
        if centre != self.mover:
            return centre
        others = [int(u) for u in np.flatnonzero(self.unit_body == self.at) if u != self.mover]
        return max(others, key=lambda u: (self.problem.weights[u], -u)) if others else None

    def _touching(self) -> list[set[int]]:
        found: list[set[int]] = [set() for _ in self.bodies]
        for a, b in self.dataset.adjacency.tolist():
            if self.of[a] != self.of[b]:
                found[self.of[a]].add(int(self.of[b]))
                found[self.of[b]].add(int(self.of[a]))
        return found

    def _pieces(self) -> tuple[Membership, Membership]:
        """By practice, the number of the piece it is in of those that its unit falls into; and pairs of pieces that
        touch, directly or through units too large for any body."""
        if not self.problem.contiguous:
            return self.unit.astype(np.int32), np.empty((0, 2), np.int32)
        near = [*map(tuple, self.dataset.adjacency.tolist())]
        near += pins.ties(self.dataset, self.scenario, self.scenario.scale(self.name))
        n = len(self.unit)
        large = np.flatnonzero(self.problem.oversize[self.unit])
        through = pins.joined(n, [(a, b) for a, b in near if a in set(large) and b in set(large)])
        for p in np.unique(through[large]):
            members = set(large[through[large] == p].tolist())
            rim = sorted({x for a, b in near for x, y in ((a, b), (b, a)) if y in members and x not in members})
            near += list(combinations(rim, 2))
        inside = [(a, b) for a, b in near if self.unit[a] == self.unit[b]]
        piece = pins.joined(n, inside).astype(np.int32)
        pairs = {tuple(sorted((int(piece[a]), int(piece[b])))) for a, b in near if piece[a] != piece[b]}
        return piece, np.array(sorted(pairs), dtype=np.int32).reshape(-1, 2)

    def _pieces_of(self, part: Ints) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The pieces of some units, by place: the unit of each, and those that touch."""
        place = {int(u): k for k, u in enumerate(part)}
        numbers = np.unique(self.piece[np.isin(self.unit, part)])
        owner = [place[int(self.unit[np.argmax(self.piece == p)])] for p in numbers]
        at = {int(p): k for k, p in enumerate(numbers)}
        touching = [(at[a], at[b]) for a, b in self.edges.tolist() if a in at and b in at]
        return np.array(owner, dtype=np.int32), np.array(touching, dtype=np.int32).reshape(-1, 2)

    def _cells(self, to: int | None) -> list[tuple[int, ...]]:
        """By unit: the larger bodies that hold it, once what moves has followed."""
        first = np.unique(self.unit, return_index=True)[1]
        cells = [tuple(int(self.structure.membership[s][i]) for s in self.walls) for i in first]
        if to is not None:
            cells[self.mover] = tuple(self.holder(s, to) for s in self.walls)
        return cells

    def _free(
        self, ends: set[int], inside: set[tuple[int, ...]], cells: Sequence[tuple[int, ...]], near: bool = True
    ) -> Ints:
        """Units of the bodies formed anew: the ends, and where asked those that touch either, within their walls."""
        bodies = set(ends).union(*(self.near[b] for b in ends)) if near else set(ends)
        chosen = [u for u in self.kept if int(self.unit_body[u]) in bodies and cells[u] in inside]
        return np.array(chosen, dtype=np.int64)

    def _most(self, free: Ints, cells: Sequence[tuple[int, ...]]) -> int:
        return max((len(self._pieces_of(part)[0]) for part in self._parts(free, cells)), default=0)

    def _parts(self, free: Ints, cells: Sequence[tuple[int, ...]]) -> list[Ints]:
        """Free units by larger body; all together where a charge or a rule joins what lies in several."""
        if self.problem.kept_labels or self.problem.counted:
            return [free]
        labels = sorted({cells[u] for u in free})
        return [np.array([u for u in free if cells[u] == cell], dtype=np.int64) for cell in labels]

    def _solved(
        self,
        free: Ints,
        cells: Sequence[tuple[int, ...]],
        together: Sequence[tuple[int, int]],
        apart: Sequence[tuple[int, int]],
        prove: bool,
    ) -> Local | None:
        assert self.core is not None
        body = self.unit_body.astype(np.int64).copy()
        start = body.copy()
        if together:
            start[self.mover] = start[together[0][1]]
        objective = bound = 0.0
        number = len(self.bodies)
        for part in self._parts(free, cells):
            place = {int(u): k for k, u in enumerate(part)}
            problem = self._part(part, free, cells, place, apart)
            pairs = [(place[a], place[b]) for a, b in together if a in place and b in place]
            found = exact(problem, pairs, self._elsewhere(free), start[part].astype(np.int32), self._pieces_of(part))
            if found.assignment is None:
                return None
            body[part] = number + found.assignment
            number += int(found.assignment.max()) + 1
            least = found.bound if found.proved or not prove else max(found.bound, _least(problem, pairs))
            objective, bound = objective + found.objective, bound + min(least, found.objective)
        free_bodies = sorted({int(b) for b in self.unit_body[free]})
        return Local({self.name: body[self.unit].astype(np.int32)}, objective, bound, tuple(free_bodies))

    def _part(
        self,
        part: Ints,
        free: Ints,
        cells: Sequence[tuple[int, ...]],
        place: Mapping[int, int],
        apart: Sequence[tuple[int, int]],
    ) -> PartitionProblem:
        """The problem of some free units, with the walls of larger bodies and the least number of bodies in each."""
        assert self.core is not None
        core, position = self.core, {int(u): k for k, u in enumerate(self.kept)}
        problem = restrict(core, np.array([position[int(u)] for u in part], dtype=np.int64))
        label = {cell: k for k, cell in enumerate(sorted({cells[u] for u in part}))}
        wall = np.array([label[cells[u]] for u in part])
        costs = problem.costs.copy()
        costs[wall[:, None] != wall[problem.owner][None, :]] = np.inf
        pairs = {(min(place[a], place[b]), max(place[a], place[b])) for a, b in apart if a in place and b in place}
        outside = len(set(self.of.tolist()) - {int(b) for b in self.unit_body[free]})
        few, many = self.problem.min_bodies, self.problem.max_bodies
        few = None if few is None else max(0, few - outside)
        if len(label) == 1:
            few = max(few or 0, self._members_left(cells[part[0]], free)) or None
        return replace(
            problem,
            costs=costs,
            apart=tuple(sorted({*problem.apart, *pairs})),
            min_bodies=few,
            max_bodies=None if many is None else many - outside,
        )

    def _held(self, scale: str, body: int) -> int:
        """How many bodies of the scale below a body of a larger scale holds."""
        below = self.scenario.below(scale)
        members = list(self.structure.bodies[scale][body].members)
        return len(set(self.structure.membership[below][members].tolist())) if below is not None else 0

    def _members_left(self, cell: tuple[int, ...], free: Ints) -> int:
        """The least number of bodies that the free units of a cell must form, so that each larger body over it holds as
        many as it must (or as it does, where that is fewer)."""
        least = 0
        for k, scale in enumerate(self.walls):
            if self.scenario.below(scale) == self.name:
                asked = min(self.scenario.members_asked(scale), self._held(scale, cell[k]))
                members = np.array(self.structure.bodies[scale][cell[k]].members)
                fixed = set(self.of[members].tolist()) - {int(b) for b in self.unit_body[free]}
                least = max(least, asked - len(fixed) if asked > 1 else 0)
        return least

    def _elsewhere(self, free: Ints) -> NDArray[np.float64] | None:
        """By label, the most patients that one body outside the free ones holds."""
        if self.problem.splits is None or not self.problem.kept_labels:
            return None
        patients = self.problem.splits.patients
        held = np.zeros((len(self.bodies), patients.shape[1]))
        others = np.setdiff1d(np.arange(len(self.unit_body)), free)
        np.add.at(held, self.unit_body[others], patients[others])
        return held.max(axis=0)


def _least(problem: PartitionProblem, pairs: Sequence[tuple[int, int]]) -> float:
    """A bound from the partition engine, in £ a year, for a problem too large to be solved outright. It leaves the
    split charge out, since bodies elsewhere may keep an authority, and takes a pair that must share a body to touch."""
    for a, b in pairs:
        problem = merged(problem, a, b)
    try:
        return solve(replace(problem, splits=None), 0, EFFORT).bound
    except (LimitReached, Infeasible):
        return -np.inf


def changed_terms(
    dataset: Dataset, scenario: Scenario, name: str, before: Membership, after: Membership
) -> dict[str, float]:
    """Force → £ a year more at one scale, of the bodies that differ, each with the centre that costs it least."""
    scale = scenario.scale(name)
    charges, curves = PairCharges(dataset, scenario, scale), size_terms(scenario, scale)
    sets = [{tuple(np.flatnonzero(of == b).tolist()) for b in np.unique(of)} for of in (before, after)]
    found: dict[str, float] = {}
    for sign, bodies in ((-1.0, sets[0] - sets[1]), (1.0, sets[1] - sets[0])):
        for body in sorted(bodies):
            members = np.array(body)
            sums = charges.block(members, members).sum(axis=0)
            if not np.isfinite(sums).any():
                sums = charges.priced(members, members).sum(axis=0)
            centre = int(members[np.argmin(sums)])
            for force, value in charges.terms(members, np.full(len(members), centre)).items():
                found[force] = found.get(force, 0.0) + sign * float(value.sum())
            size = np.array([float(dataset.patients[members].sum())])
            for force, curve in curves.items():
                found[force] = found.get(force, 0.0) + sign * float(curve(size)[0])
    splits = charges.splits(scenario)
    if splits is not None:
        for sign, of in ((-1.0, before), (1.0, after)):
            pieces = np.zeros((int(of.max()) + 1, splits.patients.shape[1]))
            np.add.at(pieces, of, splits.patients)
            lost = splits.rate * float((pieces.sum(axis=0) - pieces.max(axis=0)).sum())
            found["authority"] = found.get("authority", 0.0) + sign * lost
    return found


def who_moves(before: Membership, after: Membership, patients: NDArray[np.int64]) -> Ints:
    """Practices outside the body that succeeds theirs, bodies matched one to one for the greatest overlap."""
    overlap = np.zeros((int(before.max()) + 1, int(after.max()) + 1))
    np.add.at(overlap, (before, after), patients)
    old, new = linear_sum_assignment(-overlap)
    heir = dict(zip(old.tolist(), new.tolist(), strict=True))
    return np.flatnonzero([heir.get(int(b)) != int(a) for b, a in zip(before, after, strict=True)])
