"""Where things are: degrees or metres to the national grid (EPSG:27700), and the common mistakes with them named."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyproj
import pyproj.network
from numpy.typing import NDArray

from geodata.findings import Findings, some
from geodata.records import Records

# Great Britain with its islands, rounded outwards.
LATITUDES, LONGITUDES = (49.8, 60.95), (-8.8, 1.9)
EASTINGS, NORTHINGS = (0.0, 700_000.0), (0.0, 1_250_000.0)


@lru_cache(maxsize=1)
def _to_grid() -> pyproj.Transformer:
    # With the network on and none there, PROJ waits for a grid file and answers inf; without it the error is 2–4 m.
    pyproj.network.set_network_enabled(active=False)  # type: ignore[attr-defined]
    return pyproj.Transformer.from_crs("OGC:CRS84", "EPSG:27700", always_xy=True)


def to_national_grid(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """n × 2 eastings and northings (m) from degrees (WGS84). Points far outside Great Britain come back as inf."""
    easting, northing = _to_grid().transform(np.asarray(longitude, dtype=float), np.asarray(latitude, dtype=float))
    return np.column_stack([easting, northing]).reshape(-1, 2)


def to_degrees(
    easting: NDArray[np.float64], northing: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Longitude and latitude (degrees, WGS84) of points of the national grid (m); NaN where a coordinate is."""
    longitude, latitude = _to_grid().transform(
        np.asarray(easting, dtype=float), np.asarray(northing, dtype=float), direction="INVERSE"
    )
    known = ~(np.isnan(easting) | np.isnan(northing))
    return np.where(known, longitude, np.nan), np.where(known, latitude, np.nan)


def degrees_in_britain(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points in degrees lie in the box around Great Britain."""
    return _between(latitude, LATITUDES) & _between(longitude, LONGITUDES)


def metres_in_britain(easting: NDArray[np.float64], northing: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points of the national grid lie in the box around Great Britain."""
    return _between(easting, EASTINGS) & _between(northing, NORTHINGS)


def _between(values: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (values >= limits[0]) & (values <= limits[1])


def locate(records: Records, findings: Findings, required: bool) -> NDArray[np.float64]:
    """n × 2 eastings and northings of a table's rows (m, EPSG:27700); NaN where missing or wrong.

    Easting and northing go before latitude and longitude where a row gives both. Rows without either are problems where
    `required`. Rows outside Great Britain are problems, one for each kind of mistake, with the count of rows a swap
    would cure.
    """
    longitude, latitude = _numbers(records, "longitude"), _numbers(records, "latitude")
    easting, northing = _numbers(records, "easting"), _numbers(records, "northing")
    metric = ~np.isnan(easting) & ~np.isnan(northing)
    geographic = ~metric & ~np.isnan(longitude) & ~np.isnan(latitude)
    xy = np.full((len(records.lines), 2), np.nan)
    xy[metric] = np.column_stack([easting, northing])[metric]
    good = geographic & degrees_in_britain(longitude, latitude)
    xy[good] = to_national_grid(longitude[good], latitude[good])
    _missing(records, metric | geographic, required, findings)
    _bad_degrees(records, np.flatnonzero(geographic & ~good), longitude, latitude, findings)
    angular = metric & _angular(easting, northing)
    bad = metric & (angular | ~metres_in_britain(easting, northing))
    _bad_metres(records, np.flatnonzero(bad), easting, northing, findings)
    xy[bad] = np.nan
    return xy


def _angular(easting: NDArray[np.float64], northing: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (np.abs(easting) <= 180) & (np.abs(northing) <= 90)


def _numbers(records: Records, name: str) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in records.column(name)], dtype=float)


def _missing(records: Records, located: NDArray[np.bool_], required: bool, findings: Findings) -> None:
    pair = "latitude" if "latitude" in records.values or "easting" not in records.values else "easting"
    names = ("latitude", "longitude", "easting", "northing")
    if required and not any(name in records.values for name in names):
        findings.problem(
            "has no coordinates",
            f"{records.file}:1:latitude",
            "",
            "add latitude and longitude, or easting and northing",
        )
        return
    for row in np.flatnonzero(~located):
        if any((int(row), name) in records.wrong for name in names):
            continue
        given = [name for name in names if records.column(name)[row] is not None]
        if required or given:
            half = f" ({given[0]} alone)" if given else ""
            findings.problem(
                f"{records.column('code')[row]!r} has no coordinates{half}", records.where(int(row), pair),
                "latitude and longitude, or easting and northing", "look its postcode up; no row is dropped",
            )  # fmt: skip


def _bad_degrees(
    records: Records,
    rows: NDArray[np.int64],
    longitude: NDArray[np.float64],
    latitude: NDArray[np.float64],
    findings: Findings,
) -> None:
    swapped = rows[degrees_in_britain(latitude[rows], longitude[rows])]
    metric = rows[metres_in_britain(longitude[rows], latitude[rows]) & (np.abs(latitude[rows]) > 90)]
    other = np.setdiff1d(rows, np.concatenate([swapped, metric]))
    if len(rows):
        total = f"{len(swapped)} of {len(rows)} rows outside Great Britain would fall inside if swapped"
        if len(swapped):
            findings.problem(
                f"latitude and longitude seem swapped on {_rows(records, swapped)}; {total}",
                records.where(int(swapped[0]), "latitude"), _limits(LATITUDES, LONGITUDES, "latitude", "longitude"),
                "swap them",
            )  # fmt: skip
        if len(metric):
            findings.problem(
                f"metres given as degrees on {_rows(records, metric)}, such as {latitude[metric[0]]:g}",
                records.where(int(metric[0]), "latitude"), _limits(LATITUDES, LONGITUDES, "latitude", "longitude"),
                "name the columns easting and northing",
            )  # fmt: skip
    for row in other:
        findings.problem(
            f"{latitude[row]:g}, {longitude[row]:g} lies outside Great Britain", records.where(int(row), "latitude"),
            _limits(LATITUDES, LONGITUDES, "latitude", "longitude"),
        )  # fmt: skip


def _bad_metres(
    records: Records,
    rows: NDArray[np.int64],
    easting: NDArray[np.float64],
    northing: NDArray[np.float64],
    findings: Findings,
) -> None:
    angular = rows[_angular(easting[rows], northing[rows])]
    if len(angular):
        findings.problem(
            f"degrees given as metres on {_rows(records, angular)}, such as {easting[angular[0]]:g}",
            records.where(int(angular[0]), "easting"), _limits(EASTINGS, NORTHINGS, "easting", "northing"),
            "name the columns longitude and latitude",
        )  # fmt: skip
    for row in np.setdiff1d(rows, angular):
        findings.problem(
            f"{easting[row]:g}, {northing[row]:g} lies outside Great Britain", records.where(int(row), "easting"),
            _limits(EASTINGS, NORTHINGS, "easting", "northing"),
        )  # fmt: skip


def _rows(records: Records, rows: Sequence[int] | NDArray[np.int64]) -> str:
    return f"row{'s' if len(rows) > 1 else ''} {some([records.lines[row] for row in rows])}"


def _limits(first: tuple[float, float], second: tuple[float, float], first_name: str, second_name: str) -> str:
    return f"{first_name} from {first[0]:g} to {first[1]:g}, {second_name} from {second[0]:g} to {second[1]:g}"
