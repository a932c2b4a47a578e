"""Whether any partition keeps the rules: shown possible, proved impossible, or neither.

Costs play no part. A body never leaves a piece of the ground: units that touch (where bodies must), and between which
reach leaves a centre in common. So each piece is judged by itself, by arithmetic first, then by trying every body (few
units), by the search, and by an integer programme. Only the number of bodies concerns all pieces at once.

`needed` asks less: units that are not needed may be left out of every body. What cannot be done for some units cannot
be done for all, and the units that cannot be placed explain why (optimiser/conflicts.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.clock import never
from optimiser.errors import Infeasible, LimitReached
from optimiser.partition.budget import Budget
from optimiser.partition.oversize import set_aside
from optimiser.partition.pieces import SOME, attainable, bare, fewest, most, pieces_of, restricted, stranded, uneven
from optimiser.partition.possible_model import covered
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.solve import solve
from optimiser.partition.tries import grown, tried

FEW = 12  # units of which every body is tried
TRY = Budget(moves=500, rounds=0, branches=1, seconds=60.0)


@dataclass(frozen=True)
class Verdict:
    """possible: None when neither was shown. blame: needed units that cannot all be placed, where it is False."""

    possible: bool | None
    blame: tuple[int, ...] = ()


def possible(
    problem: PartitionProblem,
    needed: NDArray[np.bool_] | None = None,
    search: bool = True,
    stop: Callable[[], bool] = never,
) -> Verdict:
    """Whether the needed units (all of them when None) can be parted into bodies that keep every rule. False is proved,
    True is shown by bodies. search: False to ask only what is quick to answer; stop ends it with neither."""
    asked = np.ones(problem.units, bool) if needed is None else needed
    torn = [i for i in np.flatnonzero(problem.alone & asked) if not np.isfinite(problem.body_cost(np.array([i]))[0])]
    if torn:
        return Verdict(False, (int(torn[0]),))
    core, _, restore = set_aside(bare(problem))
    blamed = restore.kept
    if core is None:
        return _counted(problem, asked)
    need = asked[restore.kept]
    pieces = pieces_of(core)
    for judge in (stranded, uneven):
        for piece in pieces:
            if blame := judge(attainable(restricted(core, piece)), need[piece]):
                return Verdict(False, tuple(int(blamed[piece[i]]) for i in blame))
    if not _countable(core, pieces, need):
        return Verdict(False, tuple(int(i) for i in blamed[need]))
    if core.min_bodies is not None or core.max_bodies is not None:
        pieces = [np.arange(core.units)]
    known = True
    for piece in sorted(pieces, key=len):
        part, wanted = attainable(restricted(core, piece)), need[piece]
        shown = _judged(part, wanted, search, stop) if wanted.any() or core.min_bodies else True
        if shown is False:
            return Verdict(False, tuple(int(i) for i in blamed[piece[need[piece]]]))
        known = known and shown is True
    return Verdict(True if known else None)


def witness(problem: PartitionProblem, stop: Callable[[], bool] = never) -> NDArray[np.int32] | None:
    """A partition that keeps every rule, whatever it costs, found piece by piece; None where none was found."""
    core, _, restore = set_aside(bare(problem))
    if core is None:
        return restore(np.empty(0, np.int32))
    assignment = np.full(core.units, -1, dtype=np.int32)
    for piece in pieces_of(core) if not core.counted else [np.arange(core.units)]:
        part = restricted(core, piece)
        try:
            bodies = solve(part, 0, replace(TRY, stop=stop), prove=False).assignment
        except (Infeasible, LimitReached):
            if part.units > SOME:
                return None
            bodies = np.full(part.units, -1, dtype=np.int32)
            for number, members in enumerate(covered(part, np.ones(part.units, bool), stop)[1]):
                bodies[members] = number
            if (bodies < 0).any():
                return None
        assignment[piece] = bodies + assignment.max() + 1
    return restore(assignment)


def _countable(core: PartitionProblem, pieces: list[NDArray[np.int64]], need: NDArray[np.bool_]) -> bool:
    """Whether the limits on the number of bodies leave room for what sizes ask of all pieces together."""
    parts = [restricted(core, piece) for piece in pieces] if len(pieces) > 1 else [core]
    low = sum(fewest(part, need[piece]) for part, piece in zip(parts, pieces, strict=True))
    return (core.min_bodies or 0) <= sum(map(most, parts)) and (core.max_bodies is None or low <= core.max_bodies)


def _counted(problem: PartitionProblem, asked: NDArray[np.bool_]) -> Verdict:
    """Where every unit stands alone, only their number can be wrong."""
    low, high = problem.min_bodies or 0, problem.units if problem.max_bodies is None else problem.max_bodies
    return Verdict(True) if low <= problem.units <= high else Verdict(False, tuple(np.flatnonzero(asked).tolist()))


def _judged(piece: PartitionProblem, need: NDArray[np.bool_], search: bool, stop: Callable[[], bool]) -> bool | None:
    """Whether bodies can hold the needed units of a piece, each unit at most once, in an allowed number."""
    if grown(piece, need):
        return True
    if piece.units <= FEW:
        return tried(piece, need)
    if search and need.all():
        try:
            solve(piece, 0, replace(TRY, stop=stop), prove=False)
            return True
        except Infeasible:
            return False
        except LimitReached:
            pass
    return covered(piece, need, stop)[0] if search and piece.units <= SOME else None
