"""Who is whose neighbour: catchments (the land nearest to a practice), the borders they share, and declared links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

GRID = "EPSG:27700"
# Practices are placed by postcode and converted to within 2–4 m, so a shared border shorter than this may not be
# there at all; it also keeps catchments that meet in a corner apart.
LEAST_BORDER_M = 10.0
# Clipping to a coast moves the ends of a border by rounding: borders this near to each other are the same.
SAME_BORDER_M = 0.1
# A river this narrow joins its banks (the Thames at Westminster is about 250 m wide); an estuary parts them.
RIVER_M = 300.0


@dataclass(frozen=True)
class People:
    """Where the people are who are mostly with a practice. xy: k × 2, m. practice: position of whose they are."""

    xy: NDArray[np.float64]
    practice: NDArray[np.int64]


def catchments(
    xy: NDArray[np.float64], land: BaseGeometry, codes: Sequence[str] | None = None, people: People | None = None
) -> gpd.GeoDataFrame:
    """Columns code and geometry (EPSG:27700), one row for each point of `xy` (n × 2, m), in its order.

    A catchment is the part of the land that is nearer to this practice than to any other on the same piece of land
    (Voronoi cell, clipped). Where water cuts it up, its practice keeps the part it is on; the others, which it cannot
    reach over its own land, go to the catchments with which they share the longest border. Practices at one place
    have the same catchment. A point off the land counts at the nearest point of land. A piece of land without a
    practice goes whole to the nearest one, so that it bridges no water. codes: default "0", "1" ….

    people: of practices that have any, the catchment is the land nearest to them instead, in one part or several.
    """
    points, of = _seats(xy, people)
    sites, site_of = np.unique(_onto(land, points), axis=0, return_inverse=True)
    pieces = shapely.get_parts(land)
    tree = shapely.STRtree(pieces)
    piece_of = np.empty(len(sites), dtype=np.int64)
    site, piece = tree.query_nearest(shapely.points(sites), all_matches=False)
    piece_of[site] = piece
    cells = np.empty(len(sites), dtype=object)
    for piece in np.unique(piece_of):
        here = np.flatnonzero(piece_of == piece)
        cells[here] = _cells(sites[here], pieces[piece])
    _share_out(cells, sites, pieces, np.setdiff1d(np.arange(len(pieces)), piece_of))
    names = [str(i) for i in range(len(xy))] if codes is None else list(codes)
    found = cells[site_of.reshape(-1)]
    if people is not None:
        found = np.array([shapely.union_all(found[of == i]) for i in range(len(xy))], dtype=object)
    return gpd.GeoDataFrame({"code": names}, geometry=found, crs=GRID)


def _seats(xy: NDArray[np.float64], people: People | None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The points that land is divided among, and the practice of each: its people, or itself where it has none."""
    itself = np.arange(len(xy))
    if people is None:
        return xy, itself
    alone = np.setdiff1d(itself, people.practice)
    return np.concatenate([people.xy, xy[alone]]), np.concatenate([people.practice, alone])


def _onto(land: BaseGeometry, xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points, those off the land moved to its nearest point."""
    points = shapely.points(xy)
    shapely.prepare(land)
    off = np.flatnonzero(~shapely.intersects(land, points))
    moved = xy.copy()
    if len(off):
        moved[off] = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(land, points[off]), 0))
    return moved


def _cells(sites: NDArray[np.float64], piece: BaseGeometry) -> NDArray[np.object_]:
    """The piece of land divided among its sites."""
    cells = np.empty(len(sites), dtype=object)
    if len(sites) == 1:
        cells[0] = piece
        return cells
    voronoi = shapely.voronoi_polygons(shapely.multipoints(sites), extend_to=shapely.envelope(piece), ordered=True)
    cells[:] = shapely.get_parts(voronoi)
    shapely.prepare(piece)
    crossing = ~shapely.contains_properly(piece, cells)
    cells[crossing] = shapely.intersection(cells[crossing], piece)
    _mend(cells, sites)
    return cells


def _mend(cells: NDArray[np.object_], sites: NDArray[np.float64]) -> None:
    """Leave each site the part of its cell that it is on, and give the fragments to the cells they border."""
    split = np.flatnonzero(shapely.get_num_geometries(cells) > 1)
    if not len(split):
        return
    parts, cell = shapely.get_parts(cells[split], return_index=True)
    areal = shapely.get_dimensions(parts) == 2  # a cell that only touches the coast there has points or lines besides
    parts, owner = parts[areal], split[cell[areal]]
    order = np.lexsort((shapely.distance(parts, shapely.points(sites[owner])), owner))
    parts, owner = parts[order], owner[order]
    kept = np.append(True, owner[1:] != owner[:-1])
    cells[owner[kept]] = parts[kept]
    fragments = parts[~kept]
    heir = _heirs(cells, fragments, owner[~kept])
    for cell in np.unique(heir):
        cells[cell] = shapely.union_all([cells[cell], *fragments[heir == cell]])


def _heirs(cells: NDArray[np.object_], fragments: NDArray[np.object_], owner: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cell each fragment goes to: always the longest border first, for a fragment may border only fragments.

    owner: the cell that keeps a fragment which borders nothing.
    """
    shapes, n = np.concatenate([cells, fragments]), len(cells)
    left, right = shapely.STRtree(shapes).query(fragments, predicate="dwithin", distance=SAME_BORDER_M)
    metres = _common_m(shapes, left + n, right)
    beside: dict[int, list[tuple[int, float]]] = defaultdict(list)
    border: dict[tuple[int, int], float] = defaultdict(float)
    for fragment, shape, length in zip(left.tolist(), right.tolist(), metres.tolist(), strict=True):
        if shape < n:
            border[fragment, shape] = length
        elif shape - n != fragment:
            beside[shape - n].append((fragment, length))
    heir = np.full(len(fragments), -1, dtype=np.int64)
    longest = [(-length, fragment, cell) for (fragment, cell), length in border.items() if length > 0]
    heapify(longest)
    while longest:
        _, fragment, cell = heappop(longest)
        if heir[fragment] >= 0:
            continue
        heir[fragment] = cell
        for other, length in beside[fragment]:
            if heir[other] < 0 and length > 0:
                border[other, cell] += length
                heappush(longest, (-border[other, cell], other, cell))
    return np.where(heir < 0, owner, heir)


def _share_out(
    cells: NDArray[np.object_], sites: NDArray[np.float64], pieces: NDArray[np.object_], empty: NDArray[np.int64]
) -> None:
    """Give each piece of land without a site to the nearest site's cell."""
    if not len(empty):
        return
    which, nearest = shapely.STRtree(shapely.points(sites)).query_nearest(pieces[empty], all_matches=False)
    for site in np.unique(nearest):
        cells[site] = shapely.union_all([cells[site], *pieces[empty[which[nearest == site]]]])


def neighbours(cells: gpd.GeoDataFrame, links: Iterable[tuple[int, int]] = ()) -> NDArray[np.int32]:
    """k × 2, each pair once and sorted, i < j: catchments with a common border of `LEAST_BORDER_M` or more, those that
    face each other across a river of at most `RIVER_M` on the same piece of land, and links.

    Practices at one place have one catchment: they are neighbours of each other, and of all that touch it.
    """
    shapes = cells.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=SAME_BORDER_M)
    once = left < right
    left, right = left[once], right[once]
    shared = _common_m(shapes, left, right) >= LEAST_BORDER_M
    touching = np.column_stack([left[shared], right[shared]])
    banks = _across_rivers(shapes, touching)
    declared = np.array([(min(pair), max(pair)) for pair in links if pair[0] != pair[1]], dtype=np.int64).reshape(-1, 2)
    return np.unique(np.concatenate([touching, banks, declared]), axis=0).astype(np.int32)


def _across_rivers(shapes: NDArray[np.object_], touching: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pairs that do not touch, on one piece of land, whose shortest way to each other crosses water and no land."""
    n = len(shapes)
    ones = np.ones(len(touching), dtype=np.int8)
    _, piece = connected_components(coo_array((ones, (touching[:, 0], touching[:, 1])), shape=(n, n)), directed=False)
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="dwithin", distance=RIVER_M)
    near = (left < right) & (piece[left] == piece[right])
    left, right = left[near], right[near]
    apart = ~np.isin(left * n + right, touching[:, 0] * n + touching[:, 1])
    left, right = left[apart], right[apart]
    way = shapely.shortest_line(shapes[left], shapes[right])
    wet = shapely.length(way) > LEAST_BORDER_M
    left, right, way = left[wet], right[wet], way[wet]
    line, cell = tree.query(way, predicate="intersects")
    dry = shapely.length(shapely.intersection(way[line], shapes[cell])) > SAME_BORDER_M
    free = np.ones(len(way), dtype=bool)
    free[line[dry]] = False
    return np.column_stack([left[free], right[free]])


def _common_m(shapes: NDArray[np.object_], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """Metres of border that the shapes at `left` and `right`, pair by pair, have in common."""
    used, at = np.unique(left, return_inverse=True)
    wide = shapely.buffer(shapes[used], SAME_BORDER_M, quad_segs=1)
    shapely.prepare(wide)
    common = shapely.intersection(shapely.boundary(shapes)[right], wide[at])
    return np.asarray(shapely.length(common), dtype=np.float64)


@dataclass(frozen=True)
class Island:
    """Practices that nothing joins to the rest. members: positions, ascending; from_, to: the nearest pair of practices
    across the water, `from_` on the island; metres: the distance between them."""

    members: tuple[int, ...]
    from_: int
    to: int
    metres: float


def islands(xy: NDArray[np.float64], pairs: NDArray[np.int32]) -> tuple[Island, ...]:
    """Every connected group of practices but the largest, which a link must join to the rest."""
    n = len(xy)
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    count, group = connected_components(graph, directed=False)
    mainland = int(np.bincount(group).argmax()) if n else 0
    found = []
    for island in (g for g in range(count) if g != mainland):
        here, there = np.flatnonzero(group == island), np.flatnonzero(group != island)
        metres, nearest = cKDTree(xy[there]).query(xy[here])
        closest = int(np.argmin(metres))
        found.append(
            Island(tuple(here.tolist()), int(here[closest]), int(there[nearest[closest]]), float(metres[closest]))
        )
    return tuple(found)
