"""What a move of some practices from one body to another, or out of it, changes at one scale: in £ for each side, and
which rules it breaks.

A body's cost is shared plainly: each practice pays what it costs to belong with the centre, the cost of size is the
same a head, and patients in a minority piece of a split authority pay for themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser import pins
from optimiser.domain import Dataset, Structure
from optimiser.forces import PairCharges, size_curve
from optimiser.scenario import Scenario
from optimiser.units import units_of

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Change:
    """£ a year more, for those who move, those they join, those they leave, and everybody else at the scale."""

    own: float = 0.0
    joined: float = 0.0
    left: float = 0.0
    others: float = 0.0

    def __add__(self, more: Change) -> Change:
        return Change(self.own + more.own, self.joined + more.joined, self.left + more.left, self.others + more.others)

    @property
    def total(self) -> float:
        """What the one total of the structure changes by."""
        return self.own + self.joined + self.left + self.others


class Ground:
    """One scale of a structure, its bodies priced once, so that moves between them are quick to judge."""

    def __init__(self, dataset: Dataset, scenario: Scenario, structure: Structure, name: str):
        self.dataset, self.scale, self.bodies = dataset, scenario.scale(name), structure.bodies[name]
        self.charges, self.curve = PairCharges(dataset, scenario, self.scale), size_curve(scenario, self.scale)
        self.members = [np.array(body.members, dtype=np.int64) for body in self.bodies]
        pairs = [self._pairs(members, members) for members in self.members]
        self.sums, self.barred = [costs for costs, _ in pairs], [barred for _, barred in pairs]
        self.unit = units_of(dataset, scenario, self.scale)
        self.near: list[set[int]] = [set() for _ in dataset.practices]
        for a, b in (*dataset.adjacency.tolist(), *pins.ties(dataset, scenario, self.scale)):
            self.near[a].add(b)
            self.near[b].add(a)
        self.apart = [set(pair) for pair in pins.apart(dataset, scenario, self.scale)]
        self.cell = pins.cells(dataset, scenario, self.scale)
        self.home = dataset.authority_of(self.scale.authority_tier)
        self.frozen = {body.members for body in pins.frozen_bodies(dataset, scenario, self.scale)}
        weight = np.bincount(self.unit, weights=dataset.patients)[self.unit]
        most = np.inf if self.scale.max_patients is None else self.scale.max_patients
        self.large = frozenset(np.flatnonzero(weight > most).tolist()) - {i for body in self.frozen for i in body}
        splits = self.charges.splits(scenario)
        self.rate = splits.rate if splits is not None else 0.0
        self.pieces = np.zeros((len(self.bodies) + 1, 0)) if splits is None else self._pieces(splits.patients)
        self.labels = splits.patients if splits is not None else np.zeros((len(dataset.practices), 0))

    def price(self, group: Ints, x: int, y: int | None) -> Change:
        """Practices `group` of body x move to body y, or stand alone (None). Positions of bodies."""
        people, size = int(self.dataset.patients[group].sum()), self.bodies[x].patients
        inside, barred = self._pairs(group, self.members[x])
        here = int(np.flatnonzero(self.members[x] == self.bodies[x].centre)[0])
        rest = ~np.isin(self.members[x], group)
        own = -inside[here] - people * self._per_head(size)
        left = 0.0
        if rest.any():
            sums = (self.sums[x] - inside)[rest]
            best = _cheapest(sums, (self.barred[x] - barred)[rest])
            left = sums[best] - (self.sums[x] - inside)[here]
            left += (size - people) * (self._per_head(size - people) - self._per_head(size))
        itself, itself_barred = self._pairs(group, group)
        joined = 0.0
        if y is None:
            own += itself[_cheapest(itself, itself_barred)] + people * self._per_head(people)
        else:
            theirs, there = self.members[y], self.bodies[y].patients
            mine, mine_barred = self._pairs(group, theirs)
            guests, guests_barred = self._pairs(theirs, group)
            mover = np.concatenate([mine, itself])
            host = np.concatenate([self.sums[y], guests])
            best = _cheapest(
                mover + host, np.concatenate([mine_barred + self.barred[y], itself_barred + guests_barred])
            )
            own += mover[best] + people * self._per_head(there + people)
            joined = host[best] - self.sums[y][np.flatnonzero(theirs == self.bodies[y].centre)[0]]
            joined += there * (self._per_head(there + people) - self._per_head(there))
        return Change(float(own), float(joined), float(left)) + self._split(group, x, y)

    def broken(self, group: Ints, x: int, y: int | None) -> Iterator[str]:
        """Rules of this scale that the move breaks, in plain words."""
        rest = np.setdiff1d(self.members[x], group)
        if tuple(self.members[x].tolist()) in self.frozen:
            yield f"{self.bodies[x].name} was agreed beforehand: nobody leaves it"
        if len(np.intersect1d(self.unit[group], self.unit[rest])):
            yield f"parts practices of {self.bodies[x].name} that must stay together"
        if len(rest):
            yield from (f"leaves {self.bodies[x].name} {wrong}" for wrong in self._wrong(rest, "with"))
        if y is None:
            yield from (f"would be a {self.scale.label} {wrong}" for wrong in self._wrong(group, "of"))
        else:
            if tuple(self.members[y].tolist()) in self.frozen:
                yield f"{self.bodies[y].name} was agreed beforehand: nobody joins it"
            together = np.union1d(self.members[y], group)
            if len(set(self.cell[together].tolist())) > 1:
                yield f"crosses the border of a body agreed beforehand to join {self.bodies[y].name}"
            if any(pair <= set(together.tolist()) for pair in self.apart):
                yield f"joins practices in {self.bodies[y].name} that must be kept apart"
            yield from (f"would make {self.bodies[y].name} {wrong}" for wrong in self._wrong(together, "of"))
        count = len(self.bodies) + (y is None) - (not len(rest))
        if self.scale.min_bodies is not None and count < self.scale.min_bodies:
            yield f"leaves {count} {self.scale.plural}, fewer than {self.scale.min_bodies}"
        if self.scale.max_bodies is not None and count > self.scale.max_bodies:
            yield f"makes {count} {self.scale.plural}, more than {self.scale.max_bodies}"

    def _wrong(self, members: Ints, word: str) -> Iterator[str]:
        """What rules of one body some practices would break together."""
        size = int(self.dataset.patients[members].sum())
        alone = len(set(self.unit[members].tolist())) == 1 and self.large.issuperset(members.tolist())
        if size < self.scale.min_patients:
            yield f"{word} {size:,} patients, fewer than {self.scale.min_patients:,}"
        if self.scale.max_patients is not None and size > self.scale.max_patients and not alone:
            yield f"{word} {size:,} patients, more than {self.scale.max_patients:,}"
        if self.scale.contiguous and (parts := self._parts(members)) > 1:
            yield f"in {parts} parts that do not touch"
        homes = {self.home[i] for i in members} - {""}
        if self.scale.authority_rule == "inside_one" and len(homes) > 1:
            yield "across " + " and ".join(sorted(self.dataset.authority_name(a) for a in homes))
        elif (self.scale.reach_km or self.scale.centres_each) and not self._within_reach(members):
            near = "" if self.scale.reach_km is None else f" within {self.scale.reach_km:g} km of all"
            yield f"without a centre{near}"

    def _within_reach(self, members: Ints) -> bool:
        """Whether some member is within reach of all; the one in the middle is asked first."""
        middle = np.hypot(*(self.dataset.xy[members] - self.dataset.xy[members].mean(axis=0)).T).argmin()
        for centres in (members[[middle]], members):
            if not self.charges.forbidden(members[:, None], centres[None, :]).any(axis=0).all():
                return True
        return False

    def _pairs(self, rows: Ints, centres: Ints) -> tuple[Floats, Ints]:
        """By centre: £ a year of all rows with it, and how many of them may not belong with it."""
        barred = self.charges.forbidden(rows[:, None], centres[None, :])
        return self.charges.priced(rows, centres).sum(axis=0), barred.sum(axis=0)

    def _per_head(self, patients: int) -> float:
        return float(self.curve(np.array([float(patients)]))[0]) / max(1, patients)

    def _pieces(self, patients: Floats) -> Floats:
        """bodies and one more for those who stand alone × authorities: patients."""
        table = np.zeros((len(self.bodies) + 1, patients.shape[1]))
        for b, members in enumerate(self.members):
            table[b] = patients[members].sum(axis=0)
        return table

    def _split(self, group: Ints, x: int, y: int | None) -> Change:
        """The charge on split authorities: the body that holds most of one keeps it free, all others pay."""
        mine = self.labels[group].sum(axis=0)
        moved = np.flatnonzero(mine > 0)
        if not self.rate or not len(moved):
            return Change()
        to = len(self.bodies) if y is None else y
        before, mine = self.pieces[:, moved], mine[moved]
        after = before.copy()
        after[x] -= mine
        after[to] += mine
        kept, keeps = before.argmax(axis=0), after.argmax(axis=0)
        own = mine @ ((keeps != to).astype(float) - (kept != x))
        joined = before[to] @ ((keeps != to).astype(float) - (kept != to))
        left = after[x] @ ((keeps != x).astype(float) - (kept != x))
        whole = float((before.max(axis=0) - after.max(axis=0)).sum())
        return Change(*(self.rate * float(part) for part in (own, joined, left, whole - own - joined - left)))

    def _parts(self, members: Ints) -> int:
        """Pieces that members fall into, who may touch through practices too large for any body."""
        left, passed, parts = set(members.tolist()), set[int](), 0
        while left:
            parts += 1
            waiting = [left.pop()]
            while waiting:
                beside = self.near[waiting.pop()]
                met, through = beside & left, beside & self.large - passed - left
                left -= met
                passed |= through
                waiting += [*met, *through]
        return parts


def _cheapest(costs: Floats, barred: Ints) -> int:
    """The centre that costs least of those that all may belong with; of all where there is none."""
    allowed = barred == 0
    return int(np.argmin(np.where(allowed, costs, np.inf) if allowed.any() else costs))
