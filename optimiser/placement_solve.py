"""Solving the placement programme: relax it, make an answer near that, then prove and improve, in turns.

Small programmes are one part and searched whole. Larger ones are bounded by parts at prices, and their answer is
improved where it stands: the bodies of a cluster decide anew all that is theirs, while what crosses clusters stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimiser.clock import Clock
from optimiser.errors import Infeasible, Problem, SolverError
from optimiser.placement_bound import TREE, Leaf, Tree
from optimiser.placement_costs import Ground
from optimiser.placement_model import Cell, Model
from optimiser.placement_options import Firm
from optimiser.placement_parts import Parts, divide, whole
from optimiser.placement_programme import build
from optimiser.placement_start import Search
from optimiser.placement_value import Picks, evaluate

TOGETHER = 4  # anchor bodies that are decided together
ROUNDS = 5  # relaxations of a wide programme
NARROW = 60  # and of one that is a single part
LEAVES = 8_000  # columns of the programme × decisions by branching
PASSES = 2  # over all clusters, to improve an answer
MOVES = 0.15  # part of the time left for each search by moves
NEAR = 0.3  # part of the gap asked for that searches of parts may leave
FINE = 0.05  # the same, of searches that improve an answer
NO_WAY = Problem("no way to place every service keeps the firm wishes and the limits", "wishes")

See = Callable[[str, float, float], None]


@dataclass(frozen=True)
class Answer:
    """What was found (None without a solution) and proved (£, refunds included; −inf when nothing). closed: within the
    gap asked for. leaves, clusters: what the bound rests on. cut_by_clock: a clock ended some of the work, or somebody
    who asked to stop."""

    picks: Picks | None
    bound: float
    closed: bool
    leaves: tuple[Leaf, ...]
    clusters: tuple[tuple[int, ...], ...]
    cut_by_clock: bool


class _Best:
    """The best answer yet, and the ways to a better one."""

    def __init__(self, ground: Ground, firm: Firm, search: Search, clock: Clock):
        self.ground, self.firm, self.search, self.clock = ground, firm, search, clock
        self.picks: Picks | None = None
        self.worth = np.inf

    def gross(self, bound: float) -> float:
        """£ a year of the best answer without refunds; the bound where there is none."""
        return bound if self.picks is None else self.worth - self.ground.refunded

    def close(self, bound: float, gap: float) -> bool:
        """Whether the best answer is within a gap of the bound (£, without refunds)."""
        return self.picks is not None and self.gross(bound) - bound <= gap * self.gross(bound)

    def offer(self, picks: Picks | None) -> bool:
        """Keep an answer that is better than the best."""
        if picks is None or (found := worth(self.ground, picks)) >= self.worth:
            return False
        self.picks, self.worth = picks, found
        return True

    def near(self, value: Mapping[Cell, float]) -> None:
        """Offer what moves make of a fractional answer."""
        self.offer(self.search.near(value, self.clock.part(MOVES)))

    def improve(self, parts: Parts, models: Sequence[Model], gap: float) -> None:
        """Let the clusters decide anew, then others drawn around the options in use, while that pays."""
        for _ in range(PASSES):
            better = self._within(parts, models, gap)
            if not better or self.clock.over() or self.picks is None:
                return
            used = [int(o) for o in np.unique(self.picks)]
            parts = divide(self.ground, TOGETHER, sorted(used, key=lambda o: len(self.ground.options[o].anchors)))
            models = [Model(build(self.ground, self.firm, part)) for part in parts.clusters]

    def _within(self, parts: Parts, models: Sequence[Model], gap: float) -> bool:
        """Offer what the clusters make of the best when what crosses them stays."""
        if self.picks is None:
            return False
        picks = self.picks.copy()
        crossing = {o for o, _ in parts.rented}
        here = {(int(o), s) for s in range(picks.shape[1]) for o in np.unique(picks[:, s])}
        for model in models:
            model.charge({})
            model.decide({cell: cell in here for cell in model.z if cell[0] in crossing})
            model.start(here)
            model.search(FINE * gap * self.gross(0.0) / len(models), TREE // len(models), self.clock)
            for (o, s), chosen in model.cells().items() if model.found else ():
                if chosen > 0.5 and o not in crossing:
                    picks[list(self.ground.options[o].anchors), s] = o
            if self.clock.over():
                break
        better = self.offer(picks)
        return self.offer(self.search.better(picks, self.clock.part(MOVES))) or better


def solve(ground: Ground, firm: Firm, search: Search, clock: Clock, gap: float, see: See, prove: bool = True) -> Answer:
    """Solve within the time left and a relative gap; without `prove` no leaf is split, which only raises the bound.
    Raises Infeasible when nothing satisfies the rules, SolverError when HiGHS stops for any reason but its limits."""
    best = _Best(ground, firm, search, clock)
    back = ground.refunded
    parts = divide(ground, TOGETHER)
    model = Model(build(ground, firm, whole(ground)))
    relaxed = model.relax(ROUNDS if parts.rented else NARROW, clock)
    if relaxed == np.inf:
        raise Infeasible(NO_WAY)
    if clock.over():
        return replace(in_haste(ground, search), bound=relaxed + back)
    best.near(model.cells())
    see("bound", relaxed + back, best.worth)
    tree = Tree(ground, firm, model, relaxed, parts)
    splits = LEAVES // len(model.value) if prove else 0
    while not clock.over() and not best.close(tree.bound, gap):
        leaf = tree.lowest
        if not leaf.by_parts:
            found = tree.search_parts(leaf, NEAR * gap * best.gross(tree.bound), clock)
            if not tree.leaves:
                raise Infeasible(NO_WAY)
            best.offer(_read(ground, found))
            best.near(found)
            see("bound", tree.bound + back, best.worth)
            if parts.rented and not leaf.decided:
                best.improve(parts, tree.clusters, gap)
                see("search", tree.bound + back, best.worth)
        elif splits and tree.split(leaf, clock):
            splits -= 1
        else:
            break
    closed = best.close(tree.bound, gap)
    clusters = tuple(part.anchors for part in parts.clusters)
    return Answer(best.picks, tree.bound + back, closed, tuple(tree.leaves), clusters, clock.over() or search.late)


def in_haste(ground: Ground, search: Search) -> Answer:
    """An answer where no time is left to prove anything."""
    picks = search.from_scratch(Clock(0.0))
    found = picks is not None and np.isfinite(worth(ground, picks))
    return Answer(picks if found else None, -np.inf, False, (), (), cut_by_clock=True)


def worth(ground: Ground, picks: Picks) -> float:
    """£ a year of an answer; inf where it breaks a rule."""
    try:
        return evaluate(ground, picks).total
    except SolverError:
        return np.inf


def _read(ground: Ground, value: Mapping[Cell, float]) -> Picks | None:
    """The answer that the parts agree on, if they do."""
    picks = np.full((len(ground.anchors), len(ground.variance)), -1, dtype=np.int64)
    for (o, s), chosen in value.items():
        if chosen > 0.5:
            picks[list(ground.options[o].anchors), s] = o
    return picks if (picks >= 0).all() else None
