"""Would any locality be better off next door, or alone? A first check of whether the plan would hold together.

For each locality of every consortium: what changes in the one total of the structure if it moved to a neighbour, or
stood alone; and what changes for itself, for those it joins, and for those it leaves. After the stability of hedonic
coalitions: nobody can gain by moving (Nash stable), or nobody can whom the others would welcome (individually stable)
(Bogomolnaia and Jackson 2002). Services are not placed again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.breakaway_scale import Change, Ground
from optimiser.domain import Dataset, Structure
from optimiser.scenario import Scenario
from optimiser.units import first_of, units_of

WORTH = 1.0  # £ a year: less is rounding


@dataclass(frozen=True)
class Move:
    """One locality leaves its consortium, or practices that move as one where no smaller scale is planned. code, name:
    of those who move; body, to: codes of the bodies of the anchor scale ("" alone). change: £ a year, over all scales
    from the anchor up. broken: rules that forbid it, in plain words.
    """

    code: str
    name: str
    patients: int
    body: str
    to: str
    change: Change
    broken: tuple[str, ...]

    @property
    def better_off(self) -> bool:
        """Whether those who move would pay less themselves, and no rule forbids it."""
        return not self.broken and self.change.own < -WORTH

    @property
    def welcome(self) -> bool:
        """Whether those they would join pay no more for it."""
        return self.change.joined <= WORTH


def breakaway(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[Move, ...]:
    """Every move of a locality to a consortium that it touches, then alone; localities in the structure's order. A
    locality that is all of its consortium can only join another."""
    anchor = scenario.anchor_scale
    groups = _groups(dataset, scenario, structure)
    of = structure.membership[anchor]
    beside, size = _beside(dataset, of, groups), np.bincount(of)
    tried = [
        (k, int(of[members[0]]), to)
        for k, (_, _, members) in enumerate(groups)
        for to in (*sorted(beside[k]), *([None] if len(members) < size[of[members[0]]] else []))
    ]
    changes = [Change() for _ in tried]
    broken: list[tuple[str, ...]] = [() for _ in tried]
    for scale in structure.scales[structure.scales.index(anchor) :]:
        ground = Ground(dataset, scenario, structure, scale)
        holder = [int(structure.membership[scale][b.members[0]]) for b in structure.bodies[anchor]]
        held = Counter(holder)
        for m, (k, x, y) in enumerate(tried):
            members = groups[k][2]
            at, to = (x, y) if scale == anchor else (holder[x], holder[x if y is None else y])
            if at != to:
                changes[m] += ground.price(members, at, to)
                broken[m] += tuple(ground.broken(members, at, to))
            if len(members) == size[x] and 0 < held[at] - 1 < _members_asked(scenario, scale):
                plural = scenario.scale(anchor).plural
                broken[m] += (f"leaves {structure.bodies[scale][at].name} with {held[at] - 1} {plural}, too few",)
    codes = [b.code for b in structure.bodies[anchor]]
    return tuple(
        Move(
            *groups[k][:2], int(dataset.patients[groups[k][2]].sum()), codes[x], "" if y is None else codes[y],
            changes[m], broken[m],
        )
        for m, (k, x, y) in enumerate(tried)
    )  # fmt: skip


def best(moves: Sequence[Move], alone: bool) -> tuple[Move, ...]:
    """For each locality that would be better off next door (or alone), its best such move; most saved first."""
    found: dict[str, Move] = {}
    for move in moves:
        if move.better_off and (move.to == "") == alone:
            known = found.get(move.code)
            if known is None or move.change.own < known.change.own:
                found[move.code] = move
    return tuple(sorted(found.values(), key=lambda m: (m.change.own, m.code)))


def _members_asked(scenario: Scenario, scale: str) -> int:
    """The least number of anchor bodies in a body of the scale; 0 where they are no members of it."""
    return scenario.members_asked(scale) if scenario.anchor_scale in scenario.within(scale)[-2:-1] else 0


def verdict(moves: Sequence[Move], scenario: Scenario, structure: Structure) -> str:
    """What the check comes to, in a few sentences; "" where nobody could move."""
    if not moves:
        return ""
    anchor = scenario.scale(scenario.anchor_scale)
    below = scenario.below(anchor.name)
    who, one = (scenario.scale(below).plural, scenario.scale(below).label) if below else ("practices", "practice")
    near, alone = best(moves, alone=False), best(moves, alone=True)
    count = len({m.code for m in moves})
    said = f"{len(near) or 'None'} of {count:,} {who if count > 1 else one} would be better off next door"
    if near:
        said += f" by their own share, {sum(m.welcome for m in near)} of them where those they join would pay no more"
    said += f"; {len(alone) or 'none'} alone."
    if near or alone:
        most = min((*near[:1], *alone[:1]), key=lambda m: m.change.own)
        names = {b.code: b.name for b in structure.bodies[anchor.name]}
        where = f"by joining {names[most.to]}" if most.to else "alone"
        said += f" Most of all {most.name} of {names[most.body]}, £{-most.change.own:,.0f} a year {where}."
    cheaper = sum(not m.broken and m.change.total < -WORTH for m in moves)
    if cheaper:
        said += f" {cheaper} such moves would also lower the total of the structure: the search left them."
    return said


Group = tuple[str, str, NDArray[np.int64]]  # code, name, practices


def _groups(dataset: Dataset, scenario: Scenario, structure: Structure) -> list[Group]:
    """Who may break away: bodies of the scale below the anchor, or practices that move as one."""
    below = scenario.below(scenario.anchor_scale)
    if below in structure.scales:
        return [(b.code, b.name, np.array(b.members, dtype=np.int64)) for b in structure.bodies[below]]
    unit = units_of(dataset, scenario, scenario.scale(scenario.anchor_scale))
    named = [dataset.practices[i] for i in first_of(unit)]
    return [(p.code, p.name, np.flatnonzero(unit == u)) for u, p in enumerate(named)]


def _beside(dataset: Dataset, of: NDArray[np.int32], groups: Sequence[Group]) -> list[set[int]]:
    """By group: bodies of the anchor scale that one of its practices touches, its own apart."""
    group = np.empty(len(of), dtype=np.int64)
    for k, (_, _, members) in enumerate(groups):
        group[members] = k
    found: list[set[int]] = [set() for _ in groups]
    for a, b in dataset.adjacency.tolist():
        if of[a] != of[b]:
            found[group[a]].add(int(of[b]))
            found[group[b]].add(int(of[a]))
    return found
