"""Every wish answered: kept or not, and what it would cost to grant it, or save to drop it.

A price is that of the best change found of this one service, everything else staying, costed exactly. Other services
might move too once it is made, so granting costs at most so much, and dropping saves at least so much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset, Structure, Wish
from optimiser.placement_change import Books, Column, Rearranged, Terms
from optimiser.placement_costs import Ground
from optimiser.placement_options import may
from optimiser.placement_value import Picks
from optimiser.wishes import meant, members, refusal, settle, voices

How = Literal["exactly", "at most", "at least", ""]
MORE = {  # force → what granting a wish would cost most in
    "leverage": "less weight with its providers",
    "tailoring": "a worse fit with local need",
    "authority_link": "care shared with councils, commissioned across several",
    "agreements": "local agreements",
    "contracts": "contracts",
    "footprints": "another shared commissioner to run",
    "pathways": "a pathway split over more scales",
    "insurance": "money held against the luck of costly cases",
}


@dataclass(frozen=True)
class Answered:
    """A wish answered. name: of who wishes. consortia: codes of the anchor bodies of the plan in which it speaks for
    somebody; given: the scale of each; kept: whether that is what was wished for; patients: for whom it speaks in each.
    binding: it forced the answer somewhere. price: £ a year: to grant it where it is not kept, saved by dropping it
    where it binds, 0 where the plan does so anyway; None where it cannot be granted. how: whether that is exact, or the
    most (of a cost) or the least (of a saving) that it can be. reason: in plain words."""

    wish: Wish
    name: str
    consortia: tuple[str, ...]
    given: tuple[str, ...]
    kept: tuple[bool, ...]
    patients: tuple[int, ...]
    binding: bool
    price: float | None
    how: How
    reason: str

    @property
    def kept_share(self) -> float | None:
        """The part (0–1) of the patients it speaks for, for whom it is kept; None where it speaks for none."""
        whole = sum(self.patients)
        return sum(p for p, kept in zip(self.patients, self.kept, strict=True) if kept) / whole if whole else None


def answered(ground: Ground, dataset: Dataset, structure: Structure, picks: Picks) -> tuple[Answered, ...]:
    """Every wish, in the order given. picks: anchors × services → option."""
    if not dataset.wishes:
        return ()
    answers = _Answers(ground, dataset, structure, picks)
    return tuple(answers.of(w) for w in range(len(dataset.wishes)))


class _Answers:
    """Answers wishes one by one."""

    def __init__(self, ground: Ground, dataset: Dataset, structure: Structure, picks: Picks):
        self.ground, self.dataset, self.books = ground, dataset, Books(ground, picks)
        self.at: NDArray[np.integer] = structure.membership[ground.scenario.anchor_scale]
        self.heard = voices(dataset, dataset.wishes)
        self.speaks = members(dataset)
        self.settled = settle(dataset, ground.scenario, self.at, ground.options, dataset.wishes)
        self.service = {s.id: i for i, s in enumerate(dataset.services)}

    def of(self, w: int) -> Answered:
        """The answer to the wish at a position."""
        wish = self.dataset.wishes[w]
        mine = self.heard[wish.service] == w
        where = np.unique(self.at[mine]).tolist()
        s = self.service[wish.service]
        scales = {c: meant(wish.scale, c, self.ground.options, self.ground.scenario) for c in where}
        given = {c: self.books.scale[self.books.columns[s][c]] for c in where}
        unkept = [c for c in where if given[c] != scales[c]]
        binds = [c for c in where if wish.firm and self.settled.firm.get((c, wish.service)) == scales[c]]
        price: float | None = 0.0
        how: How = "exactly"
        if not where:
            price, how, reason = None, "", "all its practices speak for themselves, or smaller groups for them"
        elif unkept:
            price, how, reason = self._grant(wish, s, {c: scales[c] for c in unkept})
        elif binds:
            price, how, reason = self._drop(wish, s, binds)
        elif any((c, wish.service) in self.settled.firm for c in where):
            reason = "others there hold to it firmly"
        else:
            reason = "the plan does so anyway"
        return Answered(
            wish=wish,
            name=self._name(wish.who),
            consortia=tuple(self.ground.anchors[c].code for c in where),
            given=tuple(given[c] for c in where),
            kept=tuple(c not in unkept for c in where),
            patients=tuple(int(self.dataset.patients[mine & (self.at == c)].sum()) for c in where),
            binding=bool(binds),
            price=price,
            how=how,
            reason=reason,
        )

    def _name(self, who: str) -> str:
        if who in self.dataset.index:
            return self.dataset.practices[self.dataset.index[who]].name
        first = self.dataset.practices[self.speaks[who][0]]
        return next((first.existing_names.get(scale, "") for scale, code in first.existing.items() if code == who), "")

    def _grant(self, wish: Wish, s: int, unkept: dict[int, str]) -> tuple[float | None, How, str]:
        """unkept: anchor body → the scale it would be given."""
        moves = Rearranged(self.books, {**self.settled.firm, **{(c, wish.service): k for c, k in unkept.items()}})
        yielded = {self.settled.yielded.get((c, wish.service, k), "") for c, k in unkept.items() if wish.firm} - {""}
        lost = [c for c, scale in unkept.items() if not moves.at(s, scale, c)]
        found = None if lost else _best(moves, s, self._ways(moves, s, unkept))
        if found is None:
            why = yielded or {self._never(wish, s, c, unkept[c]) for c in lost or unkept}
            return None, "", "; ".join(sorted(why))
        terms = found[1]
        worst = max(terms, key=lambda force: terms[force])
        said = f"it would cost most in {MORE[worst]}, £{terms[worst]:,.0f} a year" if terms[worst] >= 0.5 else ""
        return sum(terms.values()), "at most", "; ".join(filter(None, (*sorted(yielded), said)))

    @staticmethod
    def _ways(moves: Rearranged, s: int, unkept: dict[int, str]) -> Iterable[Sequence[int]]:
        """Sets of options that grant a wish."""
        for scale in set(unkept.values()):
            group = [c for c, k in unkept.items() if k == scale]
            yield moves.cover(s, scale, group)
            for o in moves.at(s, scale, group[0]):
                if set(unkept) <= set(moves.ground.options[o].anchors):
                    yield [o]

    def _drop(self, wish: Wish, s: int, binds: Sequence[int]) -> tuple[float, How, str]:
        """binds: anchor bodies where it does. What binds elsewhere goes on doing so, and nothing else begins to."""
        others = [other for other in self.dataset.wishes if other.service == wish.service and other is not wish]
        without = settle(self.dataset, self.ground.scenario, self.at, self.ground.options, others).firm
        firm = dict(self.settled.firm)
        freed = [c for c in binds if without.get((c, wish.service)) != firm[c, wish.service]]
        if not freed:
            return 0.0, "exactly", "others hold to it firmly too"
        for c in freed:
            del firm[c, wish.service]
        moves = Rearranged(self.books, firm)
        ways = [moves.cover(s, scale, freed) for scale in moves.scales(s, freed)]
        ways += [[o] for c in freed for o in moves.options(s, c)]
        found = _best(moves, s, ways)
        saved = max(0.0, -sum(found[1].values())) if found else 0.0
        return saved, "at least", "held firmly, by most of those there who wish for anything"

    def _never(self, wish: Wish, s: int, c: int, scale: str) -> str:
        """Why an anchor body cannot be granted a wish at all."""
        service, ground = self.dataset.services[s], self.ground
        if refused := refusal(service, wish.scale, ground.scenario):
            return refused
        if not any(may(o, service, {}) for o in ground.options if o.scale == scale and c in o.anchors):
            return f"no {scale.replace('_', ' ')} covers {ground.anchors[c].name} in this plan"
        return "no way found: others hold firmly to what they have, or would have too many contracts"


def _best(moves: Rearranged, s: int, ways: Iterable[Sequence[int]]) -> tuple[Column, Terms] | None:
    found = (moves.cheapest(s, way) for way in ways if way)
    return min(filter(None, found), key=lambda made: sum(made[1].values()), default=None)
