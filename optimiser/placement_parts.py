"""The placement cut into parts that share nothing but prices: clusters of anchor bodies, and options that cross them.

A cluster places the services of its bodies, with all that they alone bring about. An option over bodies of several
clusters is a part by itself: its contracts, its opening and its reserve. Clusters rent it from that part, service by
service, at prices that a Lagrangian bound may choose freely.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from optimiser.placement_costs import Ground


@dataclass(frozen=True)
class Part:
    """anchors: positions of the bodies whose services it places. owned: positions of the options whose joint costs it
    bears. pools: the risk pools it bears."""

    anchors: tuple[int, ...]
    owned: tuple[int, ...]
    pools: frozenset[int]


@dataclass(frozen=True)
class Parts:
    """clusters: parts with anchors; every anchor body is in one of them. crossing: a part for each option over several
    clusters, without anchors. rented: (option, cluster) for each cluster that such an option reaches."""

    clusters: tuple[Part, ...]
    crossing: tuple[Part, ...]
    rented: tuple[tuple[int, int], ...]


def whole(ground: Ground) -> Part:
    """The placement as one part."""
    pools = frozenset(range(len(ground.pools)))
    return Part(tuple(range(len(ground.anchors))), tuple(range(len(ground.options))), pools)


def divide(ground: Ground, most: int, first: Sequence[int] = ()) -> Parts:
    """Clusters of at most `most` bodies, but for those whose risk is held together. Options bring together the bodies
    they cover unless that makes too many: those named first, then the smaller before the larger."""
    of = list(range(len(ground.anchors)))
    fed, by = _feeds(ground)

    def join(members: Iterable[int]) -> None:
        names = {of[c] for c in members}
        of[:] = [min(names) if k in names else k for k in of]

    for pool, members in fed.items():
        if len(members) > 1 and len(by[pool]) > 1:
            join(members)
    smaller = sorted(range(len(ground.options)), key=lambda o: len(ground.options[o].anchors))
    for o in (*first, *smaller):
        reached = {of[c] for c in ground.options[o].anchors}
        if len(reached) > 1 and sum(k in reached for k in of) <= most:
            join(ground.options[o].anchors)

    names = sorted(set(of))
    reach = [sorted({names.index(of[c]) for c in option.anchors}) for option in ground.options]
    crossing = [o for o, reached in enumerate(reach) if len(reached) > 1]
    own = {pool: min(options) for pool, options in by.items() if len(options) == 1}
    clusters = []
    for k, name in enumerate(names):
        anchors = frozenset(c for c, at in enumerate(of) if at == name)
        owned = tuple(o for o, reached in enumerate(reach) if reached == [k])
        pools = {p for p, feeding in fed.items() if (own[p] in owned if p in own else feeding <= anchors)}
        clusters.append(Part(tuple(sorted(anchors)), owned, frozenset(pools)))
    return Parts(
        tuple(clusters),
        tuple(Part((), (o,), frozenset(p for p, only in own.items() if only == o)) for o in crossing),
        tuple((o, k) for o in crossing for k in reach[o]),
    )


def _feeds(ground: Ground) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    """By pool: the anchor bodies whose risk it may hold, and the options that may bring it."""
    fed: dict[int, set[int]] = defaultdict(set)
    by: dict[int, set[int]] = defaultdict(set)
    for o, option in enumerate(ground.options):
        for pool, people in ground.holding[o]:
            fed[pool].update(c for c, brought in zip(option.anchors, people, strict=True) if brought)
            by[pool].add(o)
    return fed, by
