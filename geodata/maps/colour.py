"""Colours for bodies: neighbours never share one, and the hues stay apart for colour-blind readers."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx
import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's colours (jfly.uni-koeln.de/color) without black, ordered so that the first few differ most.
HUES = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
PAPER = 255


def palette(count: int) -> tuple[str, ...]:
    """`count` different fill colours, "#rrggbb": the seven hues as light tints, then the same hues paler each round."""
    return tuple(_tint(HUES[n % len(HUES)], 0.62 / (1 + n // len(HUES))) for n in range(count))


def line(fill_index: int) -> str:
    """The full hue of a fill, for outlines and swatch borders."""
    return HUES[fill_index % len(HUES)]


def neighbouring_bodies(adjacency: NDArray[np.integer], membership: NDArray[np.integer]) -> set[tuple[int, int]]:
    """Pairs (a < b) of body positions with practices that touch. adjacency: k × 2 practice positions."""
    if not len(adjacency):
        return set()
    ends = np.sort(np.asarray(membership)[np.asarray(adjacency)], axis=1)
    return {(int(a), int(b)) for a, b in np.unique(ends, axis=0) if a != b}


def colour_indices(bodies: int, pairs: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    """A colour number for each body, no two neighbours alike, the seven hues used about equally often.

    Bodies are coloured in networkx's smallest-last order, in which no body of a planar map meets more than five
    coloured neighbours: seven hues always suffice there, and more are taken only for bodies that interlock.
    """
    graph = nx.Graph()
    graph.add_nodes_from(range(bodies))
    graph.add_edges_from(pairs)
    used = [0] * len(HUES)
    chosen: dict[int, int] = {}
    for body in nx.coloring.strategy_smallest_last(graph, chosen):
        taken = {chosen[other] for other in graph[body] if other in chosen}
        free = [colour for colour in range(len(used)) if colour not in taken]
        if not free:
            used.append(0)
            free = [len(used) - 1]
        chosen[body] = min(free, key=lambda colour: (used[colour], colour))
        used[chosen[body]] += 1
    return tuple(chosen[body] for body in range(bodies))


def _tint(hue: str, strength: float) -> str:
    """The hue mixed with white; strength 1 is the full hue."""
    channels = (int(hue[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(PAPER + (channel - PAPER) * strength):02x}" for channel in channels)
