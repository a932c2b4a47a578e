"""Districts: groups of neighbouring bodies that are searched by themselves, so that many units cost no more apiece than
few, and several threads can search at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from optimiser.partition.state import Flat, starts

UNITS = 400  # of a district that is searched, about: its block of the costs stays near the processor
BODIES = 4  # of a district, at least: fewer have nothing to exchange


@dataclass(frozen=True)
class District:
    """units: their positions, those of a body side by side. flat: their problem."""

    units: NDArray[np.int64]
    flat: Flat


def deal(flat: Flat, body: NDArray[np.int64], rng: np.random.Generator, units: int = UNITS) -> list[NDArray[np.int64]]:
    """The units in districts of about so many, ascending, drawn at random; whole bodies (number by unit). One district
    where few units are, or where the split charge links bodies far apart.
    """
    count = min(round(len(body) / units), len(np.unique(body)) // BODIES)
    if count <= 1 or flat.split_rate > 0:
        return [np.arange(len(body))]
    group = _grouped(flat, body, count, rng)
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)


def parted(flat: Flat, body: NDArray[np.int64], rng: np.random.Generator) -> list[District]:
    """The units in districts with their problems. One of all units while the number of bodies is out of bounds, which
    none could mend alone.
    """
    bodies = len(np.unique(body))
    fewest = 0 if flat.fewest < 0 else flat.fewest
    most = bodies if flat.most < 0 else flat.most
    dealt = deal(flat, body, rng) if fewest <= bodies <= most else []
    if len(dealt) <= 1:
        return [District(np.arange(len(body)), flat)]
    made: list[District] = []
    for members in dealt:
        units = members[np.argsort(body[members], kind="stable")]
        held = len(np.unique(body[units]))
        # only one district may use what the bounds on their number leave free: two could overstep them together
        up, down = (most - bodies, min(held, bodies - fewest)) if not made else (0, 0)
        low, high = -1 if flat.fewest < 0 else held - down, -1 if flat.most < 0 else held + up
        made.append(District(units, _restricted(flat, units)._replace(fewest=low, most=high)))
    return made


def _grouped(flat: Flat, body: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Unit → district: districts grow from random bodies over touching ones, the one of fewest units first."""
    names, number = np.unique(body, return_inverse=True)
    pairs = np.column_stack([np.repeat(number, np.diff(flat.indptr)), number[flat.indices]])
    touch = sparse.coo_matrix((np.ones(len(pairs)), pairs.T), shape=(len(names),) * 2).tocsr()
    units = np.bincount(number)
    group = np.full(len(names), -1)
    shuffled = rng.permutation(len(names)).tolist()
    filled, edge = [0] * count, [[b] for b in shuffled[:count]]
    while (group < 0).any():
        growing = [d for d in range(count) if edge[d]]
        d = min(growing or range(count), key=lambda x: filled[x])
        if edge[d]:
            b = edge[d].pop(int(rng.integers(len(edge[d]))))
        else:
            b = next(x for x in shuffled if group[x] < 0)
        if group[b] < 0:
            group[b] = d
            filled[d] += int(units[b])
            edge[d] += [int(c) for c in touch.indices[touch.indptr[b] : touch.indptr[b + 1]] if group[c] < 0]
    return group[number]


def _restricted(flat: Flat, units: NDArray[np.int64]) -> Flat:
    """The problem of some units, in the order given."""
    n = len(units)
    local = np.full(len(flat.weights), -1)
    local[units] = np.arange(n)
    centres = np.flatnonzero(local[flat.owner] >= 0)
    owner = local[flat.owner[centres]]
    centres = centres[np.argsort(owner, kind="stable")]
    owner = np.sort(owner)
    links, apart = (_inside(local, *x) for x in ((flat.indptr, flat.indices), (flat.apart_start, flat.apart)))
    return flat._replace(
        weights=flat.weights[units],
        credit=flat.credit[units],
        costs=flat.costs[np.ix_(units, centres)],
        owner=owner,
        centre_start=starts(owner, n),
        centres=np.arange(len(centres)),
        indptr=starts(links[:, 0], n),
        indices=links[:, 1].copy(),
        apart_start=starts(apart[:, 0], n),
        apart=apart[:, 1].copy(),
        piece_start=np.zeros(n + 1, np.int64),  # districts are dealt only where no split is charged
    )


def _inside(local: NDArray[np.int64], start: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs of local numbers, sorted, of the pairs that lie wholly among the units kept."""
    pairs = np.column_stack([local[np.repeat(np.arange(len(local)), np.diff(start))], local[other]])
    pairs = pairs[(pairs >= 0).all(axis=1)]
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
