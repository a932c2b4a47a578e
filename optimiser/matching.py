"""Bodies of one map found again in another: which lives on as which, what became of each, and who moves.

Bodies are paired one to one so that most patients stay (`standing.successors`). A practice moves where its body of the
first map does not live on as its body of the second. Practices that are in no body of either map cannot move: they join
or leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import NO_BODY, Body, Dataset, Structure
from optimiser.partition_distance import shared
from optimiser.standing import successors

Fate = Literal["kept", "grown", "merged", "split", "redrawn", "new", "gone"]
FATES: dict[Fate, str] = {
    "kept": "the same practices",
    "grown": "all it had, and more from elsewhere",
    "merged": "two or more whole bodies joined",
    "split": "part of one body",
    "redrawn": "lost some practices and gained others",
    "new": "made of parts of several, none of which it continues",
    "gone": "its practices are in other bodies now",
}
SAME_NAME = 2 / 3  # of both bodies' patients must be common to them for a name to be carried over


@dataclass(frozen=True)
class Changed:
    """One body across two maps. before, after: positions, −1 for none: `after` is −1 only where it is gone, `before`
    where it continues no body. parts: (position in the first map, patients) of where its people were, most first; of a
    body that is gone, (position in the second map, patients) of where they are now. joined: patients who were in no
    body."""

    before: int
    after: int
    fate: Fate
    parts: tuple[tuple[int, int], ...]
    joined: int = 0


@dataclass(frozen=True)
class Matched:
    """Two maps at one scale. heir: of each body of the second map, the position of the one that it continues, or −1.
    moved: by practice. changed: every body of the second map, then those of the first that are gone."""

    heir: tuple[int, ...]
    moved: NDArray[np.bool_]
    changed: tuple[Changed, ...]


def matched(dataset: Dataset, one: Structure, other: Structure, scale: str) -> Matched:
    """The bodies of a scale that both maps have, found again."""
    before, after = one.bodies[scale], other.bodies[scale]
    a, b = one.membership[scale], other.membership[scale]
    table = shared(b, a, dataset.patients).astype(np.int64)
    inside = real(after)[:, None] & real(before)[None, :]
    table[~inside] = 0
    heir = tuple(successors(table.astype(float)))
    grouped = real(before)[a] & real(after)[b]
    moved = grouped & (np.array(heir, dtype=np.int64)[b] != a)
    moved.setflags(write=False)
    changed = [
        Changed(
            heir[k], k, _fate(k, heir[k], before, after, table), _parts(table[k]), body.patients - int(table[k].sum())
        )
        for k, body in enumerate(after)
        if body.name != NO_BODY
    ]
    gone = sorted(set(np.flatnonzero(real(before)).tolist()) - set(heir))
    changed += [Changed(k, -1, "gone", _parts(table[:, k])) for k in gone]
    return Matched(heir, moved, tuple(changed))


def real(bodies: Sequence[Body]) -> NDArray[np.bool_]:
    """Which of them are bodies, not practices gathered because they are in none."""
    return np.array([body.name != NO_BODY for body in bodies], dtype=bool)


def threads(dataset: Dataset, structures: Sequence[Structure], scale: str) -> list[list[int]]:
    """For each map the thread of each body: bodies of different maps on one thread are one body living on, so that it
    keeps its colour and number. The first map's bodies begin the threads; a later body continues one of them, else one
    that an earlier map began, else it begins its own. −1: practices in no body. Every map has the scale."""
    found: list[list[int]] = []
    holders = np.empty((0, len(dataset.practices)), dtype=bool)  # by thread: whom it held when last seen
    for structure in structures:
        bodies, of = structure.bodies[scale], structure.membership[scale]
        own = [-1] * len(bodies)
        first = len(found[0]) if found else 0
        for part in (slice(0, first), slice(first, len(holders))):
            free = [b for b in np.flatnonzero(real(bodies)).tolist() if own[b] < 0]
            overlap = np.array([[dataset.patients[(of == b) & held].sum() for held in holders[part]] for b in free])
            if overlap.size:
                for b, thread in zip(free, successors(overlap.astype(float)), strict=True):
                    own[b] = thread + (part.start or 0) if thread >= 0 else -1
        for b in np.flatnonzero(real(bodies)).tolist():
            if own[b] < 0:
                own[b] = len(holders)
                holders = np.vstack([holders, of == b])
            elif own[b] >= first:
                holders[own[b]] = of == b
        found.append(own)
    return found


def stable_names(
    dataset: Dataset, structures: Sequence[Structure], scale: str, found: Sequence[Sequence[int]]
) -> list[list[str]]:
    """A name for each body of each map: that which its thread had before, where two thirds of the patients of both
    are common to them, else its own. found: its threads."""
    names: list[list[str]] = []
    last: dict[int, tuple[str, Body]] = {}
    for structure, own in zip(structures, found, strict=True):
        given: dict[int, str] = {}
        for b, body in enumerate(structure.bodies[scale]):
            name, before = last.get(own[b], ("", None))
            given[b] = name if before is not None and _still(dataset, body, before) else ""
        taken = set(given.values())
        for b, body in enumerate(structure.bodies[scale]):
            if not given[b]:
                given[b] = body.name if body.name not in taken else f"{body.name} (another)"
                taken.add(given[b])
        last |= {own[b]: (given[b], body) for b, body in enumerate(structure.bodies[scale]) if own[b] >= 0}
        names.append([given[b] for b in range(len(given))])
    return names


def _still(dataset: Dataset, body: Body, before: Body) -> bool:
    common = sorted(set(body.members) & set(before.members))
    return int(dataset.patients[common].sum()) > SAME_NAME * max(body.patients, before.patients)


def _fate(k: int, heir: int, before: Sequence[Body], after: Sequence[Body], table: NDArray[np.int64]) -> Fate:
    members = set(after[k].members)
    origins = [p for p in np.flatnonzero(table[k] > 0).tolist() if before[p].name != NO_BODY]
    whole = [p for p in origins if set(before[p].members) <= members]
    held = set().union(*(before[p].members for p in origins))
    if len(origins) == 1 and members == set(before[origins[0]].members):
        return "kept"
    if not origins:
        return "new"
    if len(origins) == 1 and members < held:
        return "split"
    if len(whole) > 1:
        return "merged"
    if heir < 0:
        return "new"
    return "grown" if heir in whole else "redrawn"


def _parts(row: NDArray[np.int64]) -> tuple[tuple[int, int], ...]:
    order = np.argsort(-row, kind="stable")
    return tuple((int(p), int(row[p])) for p in order if row[p] > 0)
