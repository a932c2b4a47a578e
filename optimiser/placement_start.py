"""A good placement found quickly, from which the integer programme starts: moves that pay, until none does.

A move places one service with one option: the other options it breaks up give way to each body's best single-body
option. Services of a pathway, and whole scales, are also tried together, which escapes most dead ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from optimiser.clock import Clock
from optimiser.placement_costs import Floats, Ground
from optimiser.placement_limits import excess
from optimiser.placement_options import Firm, may
from optimiser.placement_value import ROUNDING, Picks, contract_steps, pathway_price

LEAST = 1.0  # seconds: turns a start into an answer that a planner may look at
TOO_MANY = 1e9  # £ for each contract or service that a body holds above its limit: no cost outweighs it
Column = tuple[int, ...]  # the option of each anchor body, for one service


class Search:
    """Picks by service, with what each option, pool and pathway costs kept up to date. late: a clock ended a search."""

    def __init__(self, ground: Ground, firm: Firm):
        self.ground, self.late = ground, False
        self.n, self.s = len(ground.anchors), len(ground.variance)
        self.linear = [ground.linear(o).sum(axis=0) for o in range(len(ground.options))]
        steps = [contract_steps(ground, p) for p in range(len(ground.cut))]
        above = np.array([[k.above for k in three] for three in steps]).reshape(-1, 3)
        extra = np.array([[k.extra for k in three] for three in steps]).reshape(-1, 3)
        cut = ground.cut[:, None] + ROUNDING
        self.bought: list[Floats | None] = []
        self.steps: list[tuple[Floats, Floats, Floats]] = []  # of an option's possible contracts: cut, above, extra
        for o, option in enumerate(ground.options):
            bought = np.zeros((0, self.s)) if option.local else ground.bought(o)
            could = np.flatnonzero(bought.sum(axis=1) > ground.cut[: len(bought)])
            self.bought.append(None if option.local else bought[could])
            self.steps.append((cut[could], above[could], extra[could]))
        self.fee = ground.scenario.share("footprints", "placement") * ground.scenario.rate("footprints")
        self.split = pathway_price(ground.scenario)
        self.scale = [o.scale for o in ground.options]
        self.allowed = [
            [o for o, option in enumerate(ground.options) if may(option, service, firm)]
            for service in ground.dataset.services
        ]
        self.path_of = {s: name for name, services in ground.pathways.items() for s in services}
        self.single = [self._singles(s) for s in range(self.s)]
        self.per_head = [float(v) for v in ground.variance]
        self.holding = [[(pool, float(people.sum())) for pool, people in held] for held in ground.holding]
        self.services = [0] * len(ground.options)
        self.carried = [np.zeros(len(cut)) for cut, _, _ in self.steps]
        self.variance = [0.0] * len(ground.pools)
        self.columns: list[Column] = [()] * self.s
        self.joint = dict.fromkeys(range(len(ground.options)), 0.0)

    def from_scratch(self, clock: Clock) -> Picks | None:
        """The best found from each service's most divided placement; None where wishes leave no such start."""
        return self._improve([self._spread(s, self.allowed[s]) for s in range(self.s)], clock)

    def near(self, value: Mapping[tuple[int, int], float], clock: Clock) -> Picks | None:
        """The best found near a fractional answer: (option, service) → 0–1."""
        columns = []
        for s in range(self.s):
            liked = sorted(self.allowed[s], key=lambda o: (value[o, s], -o))
            columns.append(self._spread(s, [o for o in liked if value[o, s] > 1e-6] or self.allowed[s]))
        return self._improve(columns, clock)

    def better(self, picks: Picks, clock: Clock) -> Picks | None:
        """The best found from another answer."""
        return self._improve([tuple(picks[:, s].tolist()) for s in range(self.s)], clock)

    def _spread(self, s: int, order: Sequence[int]) -> Column:
        """Options put in one after the other, the last on top."""
        column: Column = (-1,) * self.n
        for o in order:
            column = self._install(s, column, o)
        return column

    def _improve(self, columns: Sequence[Column], clock: Clock) -> Picks | None:
        """Together, then one by one, until nothing pays or the time (at least LEAST, and until no body holds too
        much) is up. The same columns give the same picks unless time cuts it short."""
        if any(-1 in column for column in columns):
            return None
        self._put(list(enumerate(columns)))
        self.joint = {o: self._joint(o) for o in range(len(self.scale))}
        least = Clock(LEAST)
        paying, late = True, False
        while paying and not late:
            paying = False
            for moves in self._moves():
                paying |= self._try(moves)
                late = clock.over() and least.over() and max(self.joint.values()) < TOO_MANY
                if late:
                    break
        self.late |= late
        return np.array(self.columns, dtype=np.int64).reshape(self.s, self.n).T.copy()

    def _moves(self) -> Iterator[list[tuple[int, Column]]]:
        """What to try, each made of the columns as they are by then: whole scales, options for alike services, options
        for one."""
        for group in (tuple(range(self.s)), *self.ground.pathways.values(), *((s,) for s in range(self.s))):
            for scale in dict.fromkeys(self.scale):
                yield [(s, c) for s in group for c in self._pattern(s, scale)]
        for o in range(len(self.scale)):
            for alike in self._alike():
                yield [(s, self._install(s, self.columns[s], o)) for s in alike if o in self.allowed[s]]
        for s in range(self.s):
            for o in self.allowed[s]:
                yield [(s, self._install(s, self.columns[s], o))]

    def _alike(self) -> list[list[int]]:
        """Services that are placed alike, and those that share any option that covers several bodies."""
        groups: dict[object, list[int]] = {}
        for s, column in enumerate(self.columns):
            for key in (column, *(o for o in set(column) if len(self.ground.options[o].anchors) > 1)):
                groups.setdefault(key, []).append(s)
        return [services for services in groups.values() if len(services) > 1]

    def _singles(self, s: int) -> Column:
        """Each body's cheapest option that covers it alone; −1 where none may hold the service."""
        best = [-1] * self.n
        for o in self.allowed[s]:
            covered = self.ground.options[o].anchors
            if len(covered) == 1:
                c = covered[0]
                if best[c] < 0 or self.linear[o][s] < self.linear[best[c]][s]:
                    best[c] = o
        return tuple(best)

    def _install(self, s: int, column: Column, option: int) -> Column:
        """The column with an option in it. Where a broken body has no single option, its place stays −1."""
        members = set(self.ground.options[option].anchors)
        broken = {column[c] for c in members}
        return tuple(
            option if c in members else self.single[s][c] if o in broken or o < 0 else o for c, o in enumerate(column)
        )

    def _pattern(self, s: int, scale: str) -> Iterable[Column]:
        """The service at one scale wherever that scale has a body, larger bodies first."""
        options = [o for o in self.allowed[s] if self.scale[o] == scale]
        if options:
            yield self._spread(s, sorted(options, key=lambda o: len(self.ground.options[o].anchors)))

    def _try(self, moves: list[tuple[int, Column]]) -> bool:
        """Make all the moves if that costs less."""
        moves = [(s, new) for s, new in moves if new != self.columns[s] and -1 not in new]
        if not moves:
            return False
        moved = [(s, set(self.columns[s]) - set(new), set(new) - set(self.columns[s])) for s, new in moves]
        options = {o for _, left, taken in moved for o in (*left, *taken)}
        pools = {pool for o in options for pool, _ in self.holding[o]}
        paths = {self.path_of[s] for s, _ in moves if s in self.path_of}
        old = [(s, self.columns[s]) for s, _ in moves]
        kept = {o: self.joint[o] for o in options}
        before = self._cost(options, pools, paths)
        self._put(moves)
        self.joint.update((o, self._joint(o)) for o in options)
        more = sum(self.linear[o][s] for s, _, taken in moved for o in taken)
        more -= sum(self.linear[o][s] for s, left, _ in moved for o in left)
        if more + self._cost(options, pools, paths) < before - 1e-9 * abs(before) - 1e-3:
            return True
        self._put(old)
        self.joint.update(kept)
        return False

    def _put(self, moves: Iterable[tuple[int, Column]]) -> None:
        for s, new in moves:
            before, after = set(self.columns[s]), set(new)
            for o in before - after:
                self._hold(o, s, -1)
            for o in after - before:
                self._hold(o, s, 1)
            self.columns[s] = new

    def _hold(self, option: int, service: int, sign: int) -> None:
        self.services[option] += sign
        bought = self.bought[option]
        if bought is not None:
            self.carried[option] += sign * bought[:, service]
        for pool, people in self.holding[option]:
            self.variance[pool] += sign * people * self.per_head[service]

    def _cost(self, options: set[int], pools: set[int], paths: set[str]) -> float:
        """£ that these cost together, whatever each service costs by itself."""
        total = sum(self.joint[o] for o in options)
        total += self.ground.insurance_rate * sum(max(self.variance[pool], 0.0) ** 0.5 for pool in pools)
        for name in paths:
            columns = [self.columns[s] for s in self.ground.pathways[name]]
            total += self.split * sum(len({self.scale[column[c]] for column in columns}) for c in range(self.n))
        return total

    def _joint(self, option: int) -> float:
        """£ of opening an option and of its contracts."""
        if not self.services[option]:
            return 0.0
        total = self.fee if self.ground.options[option].opens else 0.0
        if self.bought[option] is None:
            return total
        carried = self.carried[option][:, None]
        cut, above, extra = self.steps[option]
        held = carried > cut
        total += TOO_MANY * excess(self.ground, option, int(held.sum()), self.services[option])
        return total + float(extra[held & (carried >= above)].sum())
