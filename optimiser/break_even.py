"""The size of a body at which a larger scale would be no cheaper: break-even populations.

A body grows by taking in more of the same people. Its providers' incomes stay, so its share of each rises with it;
contracts, openings and split pathways cost the same however many share them, and local agreements the same each; a
reserve that the body holds itself grows as the square root; whatever else it costs stays the same a head, and so does
the larger scale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset, Structure
from optimiser.placement_change import Books
from optimiser.placement_options import levels
from optimiser.placement_value import ROUNDING
from optimiser.providers import aggregate
from optimiser.scenario_models import PLACEMENT

Floats = NDArray[np.float64]
WIDEST = 100.0  # times smaller or larger than it is: as far as a break-even is sought
POINTS, REFINED, TIMES = 81, 33, 2  # sizes looked at between; then within the step that it lies in, so many times
FIXED = ("agreements", "footprints", "pathways")


class Growth:
    """What services cost in bodies that grow or shrink. structure, dataset: those of the books."""

    def __init__(self, books: Books, dataset: Dataset, structure: Structure):
        self.books, self.ground, self.dataset, self.structure = books, books.ground, dataset, structure
        scenario, flows = self.ground.scenario, dataset.flows
        at = structure.membership[scenario.anchor_scale].astype(np.int64)
        self.at, self.anchors = at, len(self.ground.anchors)
        key = flows.service.astype(np.int64) * self.anchors + at[flows.practice]
        self.order = np.argsort(key, kind="stable")
        self.first = np.searchsorted(key[self.order], np.arange(len(dataset.services) * self.anchors + 1))
        self.lever = scenario.share("leverage", PLACEMENT) * np.array(
            [scenario.rate("leverage", s.leverage) for s in dataset.services]
        )
        self.nil = scenario.leverage.nil_at_share
        level = levels(structure, scenario.anchor_scale)
        held = scenario.risk_held_at if scenario.risk_held_at in level else scenario.anchor_scale
        self.own_risk = {scale for scale in level if scale == held or level[scale] > level[held]}
        self._local: dict[str, tuple[Floats, NDArray[np.int64]]] = {}

    def break_even(
        self, s: int, small: Sequence[int], group: Sequence[int], terms: Mapping[str, float], large: float
    ) -> float | None:
        """People in a body of the smaller scale at which it costs a group as much as the larger; None where none of
        `WIDEST` does. small: its options. terms: force → £ a year that s costs the group there (`Books.part`); large: £
        at the larger scale."""
        cost = self.cost(s, small, group, terms)
        people = sum(self.books.people[o] for o in small) / sum(self.commissioners(o) for o in small)
        times = _crossing(lambda t: cost(t) - large * t)
        return None if times is None else people * times

    def cost(
        self, s: int, small: Sequence[int], group: Sequence[int], terms: Mapping[str, float]
    ) -> Callable[[Floats], Floats]:
        """£ a year that s costs the group at these options, by how many times their size they are; at 1, Σ terms."""
        lost, share = (np.concatenate(p) for p in zip(*(self._leverage(s, o, group) for o in small), strict=True))
        contracts = self._contracts(s, small, group)
        reserve = sum(self._reserve(s, o, group) for o in small)
        fixed = sum(terms[force] for force in FIXED)

        def grows(t: Floats) -> Floats:
            leverage = t * (lost[:, None] * np.maximum(0.0, 1 - share[:, None] * t)).sum(axis=0)
            return leverage + contracts(t) + reserve * np.sqrt(t) + fixed

        level = sum(terms.values()) - float(grows(np.ones(1))[0])
        return lambda t: grows(t) + level * t

    def commissioners(self, option: int) -> int:
        """How many bodies an option is: one, or all the practices or smaller bodies that it stands for."""
        chosen = self.ground.options[option]
        if not chosen.local:
            return 1
        inside = np.isin(self.at, chosen.anchors)
        return len(np.unique(self._pieces(chosen.scale)[inside]))

    def _pieces(self, scale: str) -> NDArray[np.int64]:
        """By practice, the local commissioner it belongs to."""
        n = len(self.at)
        inner = self.structure.membership[scale] if scale in self.structure.scales else np.arange(n)
        return self.at * n + inner

    def _leverage(self, s: int, option: int, group: Sequence[int]) -> tuple[Floats, Floats]:
        """Of each of the group's flows (or providers): £ lost without any leverage, and the commissioner's share of the
        income as a part of what is enough."""
        chosen = self.ground.options[option]
        mine = [c for c in chosen.anchors if c in set(group)]
        if chosen.local:
            rows = np.concatenate([self._rows(s, c) for c in mine])
            flows = self.dataset.flows
            shares, piece = self._shares(chosen.scale)
            at = shares[piece[flows.practice[rows]], flows.provider[rows]]
            return flows.spend[rows] * self.lever[s], at / self.nil
        members = list(chosen.anchors)
        spend = self.ground.flows.cube[mine, :, s].sum(axis=0)
        paid = np.flatnonzero(spend)
        return spend[paid] * self.lever[s], self.ground.flows.shares[members][:, paid].sum(axis=0) / self.nil

    def _rows(self, s: int, c: int) -> NDArray[np.int64]:
        key = s * self.anchors + c
        return self.order[self.first[key] : self.first[key + 1]]

    def _shares(self, scale: str) -> tuple[Floats, NDArray[np.int64]]:
        """Local commissioners × providers: shares of income; and by practice the commissioner's row."""
        if scale not in self._local:
            pieces, piece = np.unique(self._pieces(scale), return_inverse=True)
            self._local[scale] = aggregate(self.dataset, piece, len(pieces)).shares, piece
        return self._local[scale]

    def _contracts(self, s: int, small: Sequence[int], group: Sequence[int]) -> Callable[[Floats], Floats]:
        """£ a year that s adds to contracts, the group's part, by how much larger the bodies are."""
        held, rest, who, part = [], [], [], []
        for o in small:
            added = self.books.bought(o)[:, s]
            touched = np.flatnonzero(added)
            without = self.books.load(o) - (added if o in self.books.columns[s] else 0.0)
            held.append((without + added)[touched])
            rest.append(without[touched])
            who.append(touched)
            part.append(np.full(len(touched), self.books.shares(s, o, group)[0]))
        more, less, providers, share = (np.concatenate(x) for x in (held, rest, who, part))
        if not len(providers):
            return np.zeros_like

        def price(t: Floats, spend: Floats) -> Floats:
            return self.books.prices(np.outer(t, spend), providers, share)

        return lambda t: price(t, more) - price(t, less)

    def _reserve(self, s: int, option: int, group: Sequence[int]) -> float:
        """£ a year that s adds to the reserves which the body holds itself, the group's part."""
        if self.ground.options[option].scale not in self.own_risk:
            return 0.0
        v, total = float(self.ground.variance[s]), 0.0
        for pool, people in self.ground.holding[option]:
            added = float(people.sum()) * v
            now = float(self.books.variance[pool])
            rest = max(now - (added if option in self.books.columns[s] else 0.0), 0.0)
            total += (rest + added) ** 0.5 - rest**0.5
        return self.ground.insurance_rate * total * self.books.shares(s, option, group)[1]


def _crossing(dearer: Callable[[Floats], Floats]) -> float | None:
    """Where a body stops being dearer as it grows, nearest to its size of now, as a multiple of that. What lasts for
    less than a step (a contract that comes and goes) is passed over."""
    sizes = WIDEST ** np.linspace(0, 1, POINTS)
    if float(dearer(np.ones(1))[0]) <= ROUNDING:
        sizes = 1 / sizes
    signs = dearer(sizes) > ROUNDING
    other = signs != signs[0]
    lasting = np.flatnonzero(other & np.append(other[1:], other[-1]))
    if not len(lasting):
        return None
    low, high = sizes[lasting[0] - 1], sizes[lasting[0]]
    for _ in range(TIMES):
        between = np.geomspace(low, high, REFINED)
        same = np.flatnonzero((dearer(between) > ROUNDING) == signs[0])
        low, high = between[same[-1]], between[same[-1] + 1]
    return float((low * high) ** 0.5)
