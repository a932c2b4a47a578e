"""Catchments and neighbours on worlds small enough to draw."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geodata.adjacency import LEAST_BORDER_M, catchments, islands, neighbours

GRID_3X3 = np.array([(x, y) for y in (500.0, 1500.0, 2500.0) for x in (500.0, 1500.0, 2500.0)])
SQUARE = shapely.box(0, 0, 3000, 3000)


def pairs(array: np.ndarray) -> set[tuple[int, int]]:
    return {(int(i), int(j)) for i, j in array}


def test_a_grid_has_rook_neighbours_and_corners_do_not_count():
    cells = catchments(GRID_3X3, SQUARE)
    found = neighbours(cells)
    assert found.dtype == np.int32
    assert pairs(found) == {
        (0, 1),
        (1, 2),
        (3, 4),
        (4, 5),
        (6, 7),
        (7, 8),
        (0, 3),
        (1, 4),
        (2, 5),
        (3, 6),
        (4, 7),
        (5, 8),
    }
    assert cells.area.to_numpy() == pytest.approx(np.full(9, 1e6))


def test_catchments_keep_the_order_and_codes_of_the_practices():
    order = np.random.default_rng(7).permutation(9)
    codes = [f"P{i}" for i in order]
    cells = catchments(GRID_3X3[order], SQUARE, codes)
    assert list(cells["code"]) == codes
    assert shapely.contains(cells.geometry.to_numpy(), shapely.points(GRID_3X3[order])).all()
    assert cells.crs.to_epsg() == 27700


def test_catchments_cover_a_ragged_coast_without_overlap():
    rng = np.random.default_rng(3)
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = 50_000 + 8_000 * rng.random(200)
    coast = shapely.polygons(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    xy = rng.uniform(-30_000, 30_000, size=(300, 2))
    cells = catchments(xy, coast)
    assert cells.area.sum() == pytest.approx(coast.area, rel=1e-9)
    assert shapely.union_all(cells.geometry.to_numpy()).symmetric_difference(coast).area < 1.0
    assert islands(xy, neighbours(cells)) == ()


def test_practices_at_one_place_share_a_catchment_and_are_neighbours():
    xy = np.vstack([GRID_3X3, GRID_3X3[4:5]])
    cells = catchments(xy, SQUARE)
    assert cells.geometry.iloc[4].equals(cells.geometry.iloc[9])
    found = pairs(neighbours(cells))
    assert {(4, 9), (1, 9), (3, 9), (5, 9), (7, 9), (1, 4), (4, 5)} <= found
    assert (0, 9) not in found


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_practices_divide_the_land(count: int):
    xy = np.array([(500.0, 500.0), (2500.0, 2500.0)])[:count]
    cells = catchments(xy, SQUARE)
    assert cells.area.to_numpy() == pytest.approx(np.full(count, 9e6 / count))
    assert len(neighbours(cells)) == count - 1


def test_practices_in_one_line_divide_the_land():
    xy = np.array([(500.0, 1500.0), (1500.0, 1500.0), (2500.0, 1500.0)])
    assert pairs(neighbours(catchments(xy, SQUARE))) == {(0, 1), (1, 2)}


def test_borders_shorter_than_the_least_do_not_count():
    """Shifting one column of a grid by less than the least border turns its corners into borders too short to count."""
    xy = GRID_3X3.copy()
    xy[[2, 5, 8], 1] += LEAST_BORDER_M * 0.6
    assert (1, 5) not in pairs(neighbours(catchments(xy, SQUARE)))
    xy[[2, 5, 8], 1] -= LEAST_BORDER_M * 20
    assert (1, 5) in pairs(neighbours(catchments(xy, SQUARE)))


def test_water_parts_practices_until_a_link_joins_them():
    west, east = shapely.box(0, 0, 1000, 2000), shapely.box(1400, 0, 2400, 2000)
    xy = np.array([(500.0, 500.0), (500.0, 1500.0), (1900.0, 500.0)])
    cells = catchments(xy, shapely.union(west, east))
    apart = neighbours(cells)
    assert pairs(apart) == {(0, 1)}
    (island,) = islands(xy, apart)
    assert (island.members, island.from_, island.to, island.metres) == ((2,), 2, 0, 1400.0)
    joined = neighbours(cells, [(2, 0)])
    assert pairs(joined) == {(0, 1), (0, 2)}
    assert islands(xy, joined) == ()


def test_an_island_without_practices_bridges_no_water():
    west, islet, east = (
        shapely.box(0, 0, 1000, 1000),
        shapely.box(1100, 0, 1900, 1000),
        shapely.box(2000, 0, 3000, 1000),
    )
    xy = np.array([(500.0, 500.0), (2500.0, 500.0)])
    cells = catchments(xy, shapely.union_all([west, islet, east]))
    assert len(neighbours(cells)) == 0
    assert cells.area.sum() == pytest.approx(2.8e6)


ESTUARY = SQUARE.difference(shapely.box(1000, 1340, 3000, 1660))
# The south-eastern one is near its shore, the north-eastern one far from its own: half the northern shore lies nearer
# to the practice across the water.
NORTH_WEST, SOUTH_WEST, NORTH_EAST, SOUTH_EAST = range(4)
SHORES = np.array([(500.0, 2250.0), (500.0, 750.0), (2500.0, 2900.0), (2500.0, 1300.0)])


def test_the_far_shore_of_an_estuary_goes_to_the_practice_that_shares_its_longest_border():
    cells = catchments(SHORES, ESTUARY)
    shapes = cells.geometry.to_numpy()
    assert set(cells.geom_type) == {"Polygon"}
    assert shapely.contains(shapes, shapely.points(SHORES)).all()
    assert shapes[NORTH_EAST].covers(shapely.box(1700, 1660, 3000, 3000))
    assert pairs(neighbours(cells)) == {
        (NORTH_WEST, SOUTH_WEST),
        (NORTH_WEST, NORTH_EAST),
        (SOUTH_WEST, SOUTH_EAST),
    }


def test_mending_a_shore_leaves_no_gap_and_no_overlap():
    cells = catchments(SHORES, ESTUARY)
    assert cells.area.sum() == pytest.approx(ESTUARY.area, rel=1e-12)
    assert cells.union_all().symmetric_difference(ESTUARY).area == pytest.approx(0.0, abs=1e-6)


def test_practices_at_one_place_share_the_mended_catchment():
    cells = catchments(np.vstack([SHORES, SHORES[NORTH_EAST]]), ESTUARY)
    assert cells.geometry.iloc[4].equals(cells.geometry.iloc[NORTH_EAST])
    assert pairs(neighbours(cells)) == {(0, 1), (0, 2), (0, 4), (1, 3), (2, 4)}


def test_a_practice_snapped_to_the_shore_keeps_that_shore():
    xy = SHORES.copy()
    xy[SOUTH_EAST] = (2500.0, 1350.0)
    cells = catchments(xy, ESTUARY)
    assert cells.geometry.iloc[SOUTH_EAST].distance(shapely.Point(2500, 1340)) == 0
    assert cells.geometry.iloc[SOUTH_EAST].bounds[3] <= 1340


def test_a_shore_behind_another_goes_with_it():
    """A spit along a coast, rooted in the west: its far end touches only its middle, and both lie nearer the coast."""
    coast, root, spit = (
        shapely.box(0, 0, 4000, 1000),
        shapely.box(0, 1000, 200, 1320),
        shapely.box(0, 1320, 4000, 1520),
    )
    xy = np.array([(100.0, 1420.0), (1500.0, 800.0), (2900.0, 800.0)])
    cells = catchments(xy, shapely.union_all([coast, root, spit]))
    assert set(cells.geom_type) == {"Polygon"}
    assert cells.geometry.iloc[0].covers(spit)
    assert pairs(neighbours(cells)) == {(0, 1), (1, 2)}


def test_a_practice_off_the_land_counts_at_the_nearest_land():
    xy = np.array([(-200.0, 1500.0), (2500.0, 1500.0)])
    cells = catchments(xy, SQUARE)
    assert cells.area.to_numpy() == pytest.approx([1250.0 * 3000, 1750.0 * 3000])
    assert pairs(neighbours(cells)) == {(0, 1)}


def test_neighbours_do_not_depend_on_the_order_of_links():
    cells = catchments(GRID_3X3, SQUARE)
    assert np.array_equal(neighbours(cells, [(8, 0), (1, 0)]), neighbours(cells, [(0, 1), (0, 8), (8, 0)]))


@pytest.mark.parametrize(("width", "joined"), [(200.0, True), (400.0, False)])
def test_a_river_joins_its_banks_and_wider_water_parts_them(width: float, joined: bool):
    water = shapely.box(1000, 1500 - width / 2, 3000, 1500 + width / 2)
    land = shapely.difference(SQUARE, water)
    north, south, west = (2500.0, 2500.0), (2500.0, 500.0), (300.0, 1500.0)
    found = pairs(neighbours(catchments(np.array([north, south, west]), land)))
    assert found == {(0, 2), (1, 2)} | ({(0, 1)} if joined else set())
