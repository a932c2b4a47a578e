"""What a placement would cost if one service were placed otherwise, everything else staying: exact, from what changes.

A column is the option of each anchor body for one service; `NOBODY` where it is left out, which prices what a service
adds. Each difference equals that of two full evaluations (`placement_value.evaluate`) and takes a thousandth of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from optimiser.placement_costs import CELL_FORCES, Ground
from optimiser.placement_limits import excess
from optimiser.placement_options import NO_WISHES, Firm, may
from optimiser.placement_value import FORCES, ROUNDING, Picks, contract_steps, pathway_price
from optimiser.scenario_models import PLACEMENT

Column = tuple[int, ...]
Terms = dict[str, float]  # force → £ a year
NOBODY = -1


class Books:
    """A placement's columns, and what every option, provider and pool carries under them."""

    def __init__(self, ground: Ground, picks: Picks):
        self.ground = ground
        self.columns: list[Column] = [tuple(picks[:, s].tolist()) for s in range(picks.shape[1])]
        self.scale = [o.scale for o in ground.options]
        self.fee = ground.scenario.share("footprints", PLACEMENT) * ground.scenario.rate("footprints")
        self.path = {s: services for services in ground.pathways.values() for s in services}
        steps = [contract_steps(ground, p) for p in range(len(ground.cut))]
        self._above = np.array([[k.above for k in three] for three in steps]).reshape(-1, 3)
        self._extra = np.array([[k.extra for k in three] for three in steps]).reshape(-1, 3)
        self._cells = [np.array([cell[f].sum(axis=0) for f in CELL_FORCES]) for cell in ground.cells]
        self.people = [float(ground.people[list(o.anchors)].sum()) or 1.0 for o in ground.options]
        self.split = pathway_price(ground.scenario)
        self._holding = [[(pool, float(people.sum())) for pool, people in held] for held in ground.holding]
        self._bought: dict[int, NDArray[np.float64]] = {}
        self._remembered: dict[tuple[int, int, int], Terms] = {}
        self.used: dict[int, list[int]] = {}
        for s, column in enumerate(self.columns):
            for o in set(column):
                self.used.setdefault(o, []).append(s)
        self.carried = {o: self.bought(o)[:, services].sum(axis=1) for o, services in self.used.items()}
        self.variance = np.zeros(len(ground.pools))
        for o, services in self.used.items():
            for pool, people in self._holding[o]:
                self.variance[pool] += people * ground.variance[services].sum()

    def bought(self, option: int) -> NDArray[np.float64]:
        """providers × services: £ a year for the people an option covers; nothing where it contracts with nobody."""
        if option not in self._bought:
            table = self.ground.bought(option)
            self._bought[option] = np.zeros_like(table) if self.ground.options[option].local else table
        return self._bought[option]

    def own(self, option: int, s: int) -> float:
        """£ a year of an option's own forces for a service: what does not depend on other decisions."""
        return float(self._cells[option][:, s].sum())

    def load(self, option: int) -> NDArray[np.float64]:
        """£ a year by provider that an option's contracts carry now."""
        return self.carried[option] if option in self.carried else np.zeros(len(self.ground.cut))

    def price(self, carried: NDArray[np.float64], providers: NDArray[np.integer]) -> float:
        """£ a year of one body's contracts with these providers, by the spend that it has with every one."""
        return float(self.prices(carried[None, providers], providers)[0])

    def prices(
        self, spend: NDArray[np.float64], providers: NDArray[np.integer], part: NDArray[np.float64] | float = 1.0
    ) -> NDArray[np.float64]:
        """£ a year of contracts, case by case. spend: cases × contracts, £; providers: of each contract. part: of each
        contract that counts (0–1)."""
        above, cut = self._above[providers], self.ground.cut[providers, None]
        passed = (spend[..., None] > cut + ROUNDING) & ((above <= cut) | (spend[..., None] >= above))
        return ((passed * self._extra[providers]).sum(axis=2) * part).sum(axis=1)

    def change(self, s: int, column: Column) -> Terms:
        """Force → £ a year that the placement would cost more if service s had this column."""
        now = self.columns[s]
        old, new = set(now) - {NOBODY}, set(column) - {NOBODY}
        terms = dict.fromkeys(FORCES, 0.0)
        for options, sign in ((new - old, 1), (old - new, -1)):
            for o in options:
                for force, pounds in self._alone(o, s, sign).items():
                    terms[force] += pounds
        for pool, added in self.held(s, column).items():
            before = float(self.variance[pool])
            terms["insurance"] += self.ground.insurance_rate * (max(before + added, 0.0) ** 0.5 - before**0.5)
        if s in self.path:
            moved = [c for c, o in enumerate(column) if o != now[c]]
            splits = sum(self._scales(s, c, column[c]) - self._scales(s, c, now[c]) for c in moved)
            terms["pathways"] = self.split * splits
        return terms

    def part(self, s: int, column: Column, group: Sequence[int]) -> Terms:
        """Force → £ a year that service s costs some anchor bodies under a column: their own forces and splits, and of
        what it adds to their commissioners' contracts (by spend), openings and reserves (by people) their part. Over
        disjoint groups with commissioners of their own, differences of parts add up to `change`."""
        ground, members = self.ground, set(group)
        terms = dict.fromkeys(FORCES, 0.0)
        reserves: dict[int, tuple[float, float]] = {}  # by pool: £² that s brings, and of that the group's
        for o in {column[c] for c in group} - {NOBODY}:
            at = [k for k, c in enumerate(ground.options[o].anchors) if c in members]
            for force in CELL_FORCES:
                terms[force] += float(ground.cells[o][force][at, s].sum())
            taken = self._alone(o, s, 1) if o not in self.columns[s] else self._alone(o, s, -1)
            by_spend, by_people = self.shares(s, o, group)
            terms["contracts"] += abs(taken["contracts"]) * by_spend
            terms["footprints"] += abs(taken["footprints"]) * by_people
            for pool, people in ground.holding[o]:
                whole, own = reserves.get(pool, (0.0, 0.0))
                v = float(ground.variance[s])
                reserves[pool] = whole + v * float(people.sum()), own + v * float(people[at].sum())
        held = self.held(s, column)
        for pool, (whole, own) in reserves.items():
            full = max(float(self.variance[pool]) + held.get(pool, 0.0), whole)
            if whole:
                terms["insurance"] += ground.insurance_rate * (full**0.5 - (full - whole) ** 0.5) * own / whole
        if s in self.path:
            splits = sum(self._scales(s, c, column[c]) - self._scales(s, c, NOBODY) for c in group)
            terms["pathways"] = self.split * splits
        return terms

    def shares(self, s: int, option: int, group: Sequence[int]) -> tuple[float, float]:
        """The part (0–1) of an option's spend on s, and of its people, that some anchor bodies are."""
        here = [c for c in self.ground.options[option].anchors if c in set(group)]
        spend = float(self.bought(option)[:, s].sum())
        mine = float(self.ground.flows.cube[here, :, s].sum()) if spend else 0.0
        return (mine / spend if spend else 0.0), float(self.ground.people[here].sum()) / self.people[option]

    def held(self, s: int, column: Column) -> dict[int, float]:
        """£² more by pool, were service s to have this column."""
        old, new = set(self.columns[s]) - {NOBODY}, set(column) - {NOBODY}
        drift: dict[int, float] = {}
        for options, sign in ((new - old, 1), (old - new, -1)):
            for o in options:
                for pool, people in self._holding[o]:
                    drift[pool] = drift.get(pool, 0.0) + sign * people * float(self.ground.variance[s])
        return drift

    def keeps_limits(self, s: int, column: Column) -> bool:
        """Whether no anchor body would hold more contracts or services than it can manage."""
        for o in set(column) - set(self.columns[s]) - {NOBODY}:
            carried = self.load(o) + self.bought(o)[:, s]
            contracts = int((carried > self.ground.cut + ROUNDING).sum())
            if excess(self.ground, o, contracts, len(self.used.get(o, ())) + 1):
                return False
        return True

    def _alone(self, option: int, s: int, sign: int) -> Terms:
        """Force → £ a year more when an option takes a service on (sign 1) or gives it up (−1), whatever else moves."""
        key = option, s, sign
        if key not in self._remembered:
            added = self.bought(option)[:, s]
            touched = np.flatnonzero(added)
            before = self.load(option)
            others = len(self.used.get(option, ())) - (sign < 0)
            self._remembered[key] = {
                **{force: sign * float(self._cells[option][k, s]) for k, force in enumerate(CELL_FORCES)},
                "contracts": self.price(before + sign * added, touched) - self.price(before, touched),
                "footprints": sign * self.fee * (self.ground.options[option].opens and not others),
            }
        return self._remembered[key]

    def _scales(self, s: int, c: int, option: int) -> int:
        """Scales over which the pathway of s is spread in an anchor body, were s placed with an option."""
        others = (self.columns[i][c] for i in self.path[s] if i != s)
        return len({self.scale[o] for o in (*others, option) if o != NOBODY})


class Rearranged:
    """Other columns for one service. firm: wishes that they keep."""

    def __init__(self, books: Books, firm: Firm = NO_WISHES):
        self.books, self.ground, self.firm = books, books.ground, firm
        self.covering: list[list[int]] = [[] for _ in self.ground.anchors]
        for o, option in enumerate(self.ground.options):
            for c in option.anchors:
                self.covering[c].append(o)

    def options(self, s: int, c: int) -> list[int]:
        """Options that may hold s and cover an anchor body."""
        service = self.ground.dataset.services[s]
        return [o for o in self.covering[c] if may(self.ground.options[o], service, self.firm)]

    def at(self, s: int, scale: str, c: int) -> list[int]:
        """Options of a scale that may hold s and cover an anchor body."""
        return [o for o in self.options(s, c) if self.books.scale[o] == scale]

    def scales(self, s: int, group: Sequence[int]) -> list[str]:
        """Scales, from small to large, at which some of these anchor bodies could have s."""
        options = self.ground.options
        found = {options[o].scale: options[o].level for c in group for o in self.options(s, c)}
        return sorted(found, key=lambda scale: found[scale])

    def cover(self, s: int, scale: str, group: Sequence[int]) -> list[int]:
        """Disjoint options of a scale that cover these anchor bodies as far as any do: for each body in turn the one
        whose own forces cost least a head."""
        chosen: list[int] = []
        taken: set[int] = set()
        for c in group:
            free = [o for o in self.at(s, scale, c) if not taken & set(self.ground.options[o].anchors)]
            if c not in taken and free:
                chosen.append(min(free, key=lambda o: self.books.own(o, s) / self.books.people[o]))
                taken |= set(self.ground.options[chosen[-1]].anchors)
        return chosen

    def cheapest(self, s: int, first: Sequence[int]) -> tuple[Column, Terms] | None:
        """The cheapest column found with these disjoint options in it, and the change it makes; None where none keeps
        the rules. Whoever shared a commissioner with those moved goes to its own cheapest single one, or with all the
        others left so to one scale."""
        found: tuple[Column, Terms] | None = None
        for column in self._columns(s, first):
            if NOBODY not in column and self.books.keeps_limits(s, column):
                terms = self.books.change(s, column)
                if found is None or sum(terms.values()) < sum(found[1].values()) - ROUNDING:
                    found = column, terms
        return found

    def _columns(self, s: int, first: Sequence[int]) -> Iterator[Column]:
        options, now = self.ground.options, self.books.columns[s]
        moved = {c: o for o in first for c in options[o].anchors}
        broken = {now[c] for c in moved}
        left = [c for c in range(len(now)) if c not in moved and now[c] in broken]
        single = {c: self._single(s, c) for c in left}
        kept = [moved.get(c, single.get(c, o)) for c, o in enumerate(now)]
        yield tuple(kept)
        for scale in self.scales(s, left) if left else ():
            column = list(kept)
            free = set(left)
            here = {o for c in left for o in self.at(s, scale, c) if set(options[o].anchors) <= free}
            for o in sorted(here, key=lambda o: (-len(options[o].anchors), o)):
                if set(options[o].anchors) <= free:
                    free -= set(options[o].anchors)
                    for c in options[o].anchors:
                        column[c] = o
            yield tuple(column)

    def _single(self, s: int, c: int) -> int:
        """The option that covers c alone at the least cost of its own; NOBODY where none may."""
        alone = [o for o in self.options(s, c) if self.ground.options[o].anchors == (c,)]
        return min(alone, key=lambda o: self.books.own(o, s), default=NOBODY)
