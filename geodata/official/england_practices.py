"""Practices of the English open-data bundle: who is kept, who is left out and why, and what is known about each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.coordinates import degrees_in_britain, metres_in_britain, to_national_grid
from geodata.official.tables import alternatives, missing_column, numbers, read_table, readable
from optimiser.errors import DataError, Problem, raise_all

FILE = "practices.csv"
DEFAULT_EXISTING: Mapping[str, str] = {"locality": "pcn_code", "consortium": "sub_icb_code", "alliance": "icb_code"}
RURAL: Mapping[str, float] = {
    "Urban major conurbation": 0.0,
    "Urban minor conurbation": 0.1,
    "Urban city and town": 0.2,
    "Urban city and town in a sparse setting": 0.4,
    "Rural town and fringe": 0.6,
    "Rural town and fringe in a sparse setting": 0.7,
    "Rural village and dispersed": 0.9,
    "Rural village and dispersed in a sparse setting": 1.0,
}
"""How rural a class of the 2011 rural–urban classification is taken to be."""


@dataclass(frozen=True)
class England:
    """Every usable practice of the source, aligned, and those left out.

    table: the source's rows (text). xy: n × 2 metres (EPSG:27700). patients, need: n (need 1.0 where unknown).
    excluded: the source's rows that cannot be used, with the columns row (line of the file) and reason.
    """

    table: pd.DataFrame
    xy: NDArray[np.float64]
    patients: NDArray[np.float64]
    need: NDArray[np.float64]
    excluded: pd.DataFrame

    def column(self, name: str) -> list[str]:
        """A text column of the source, blanks where it has none."""
        return list(self.table[name]) if name in self.table else [""] * len(self.table)


def read_practices(source: Path) -> England:
    """Practices of `source`/practices.csv. Needs code, name, list_size and easting, northing or lat, lon.

    A practice without a code, a list, or a place in Great Britain is left out with its reason. Raises DataError for
    missing columns, text where numbers belong, and a code that appears twice.
    """
    return usable(read_table(source / FILE, ("code", "name", "list_size")))


def usable(table: pd.DataFrame) -> England:
    """The practices of a table of text that can be used, and those that cannot. Its index is 0, 1 …; columns and errors
    are those of `read_practices`."""
    header = list(table.columns)
    metric = {"easting", "northing"} <= set(header)
    if not metric:
        missing = [name for name in ("lat", "lon") if name not in header]
        raise_all(DataError, [missing_column(FILE, name, header) for name in missing])
    twice = table["code"][(table["code"] != "") & table["code"].duplicated(keep=False)]
    raise_all(
        DataError,
        [Problem(f"practice {code!r} appears more than once", f"{FILE}:{row + 2}:code") for row, code in twice.items()],
    )
    patients = numbers(table, "list_size", FILE)
    if metric:
        xy = np.column_stack([numbers(table, "easting", FILE), numbers(table, "northing", FILE)])
    else:
        xy = metres(numbers(table, "lon", FILE), numbers(table, "lat", FILE))
    need = numbers(table, "need_index_overall", FILE)
    reason = [_why_not(code, size, place) for code, size, place in zip(table["code"], patients, xy, strict=True)]
    kept = np.array([not text for text in reason], dtype=bool)
    excluded = table[~kept].assign(
        row=[str(i + 2) for i in np.flatnonzero(~kept)], reason=[text for text in reason if text]
    )
    usable_need = np.where(np.isnan(need) | (need <= 0), 1.0, need)
    return England(table[kept].reset_index(drop=True), xy[kept], patients[kept], usable_need[kept], excluded)


def metres(longitude: NDArray[np.float64], latitude: NDArray[np.float64]) -> NDArray[np.float64]:
    """WGS84 degrees to EPSG:27700 metres, n × 2; NaN where a coordinate is missing or outside Great Britain."""
    there = degrees_in_britain(longitude, latitude)
    xy = np.full((len(longitude), 2), np.nan)
    xy[there] = to_national_grid(longitude[there], latitude[there])
    return xy


def choose(england: England, icbs: Sequence[str], region: str) -> NDArray[np.bool_]:
    """Which practices belong to the ICBs or the region asked for; all of them when neither is given.

    Raises DataError for both at once, for a code nobody has, naming the nearest, and when no practice is left.
    """
    if icbs and region:
        raise DataError(Problem("ICBs and a region were both given", "--icb, --region", "", "Give one of them."))
    column, wanted = ("icb_code", list(icbs)) if icbs else ("nhs_region_code", [region] if region else [])
    if wanted:
        if column not in england.table:
            raise DataError(missing_column(FILE, column, list(england.table.columns)))
        names = dict(zip(england.table[column], england.column(column.replace("_code", "_name")), strict=True))
        known = sorted(set(names) - {""})
        inside = dict(zip(england.column("sub_icb_code"), england.table[column], strict=True))
        problems = [
            Problem(
                f"no practice has {column} {code!r}",
                "--icb" if icbs else "--region",
                f"It is a sub-ICB of {inside[code]}." if code in inside else "",
                _nearest(code, known, names) if known else "No practice has any: no file that was read names them.",
            )
            for code in wanted
            if code not in known
        ]
        raise_all(DataError, problems)
    chosen = _within(england.table, column, wanted)
    if not chosen.any():
        raise DataError(Problem("no practice can be used", FILE, "A code, a list size and coordinates are needed."))
    return chosen


def left_out(england: England, icbs: Sequence[str], region: str) -> pd.DataFrame:
    """Practices of the area that could not be used: code, name, row (line of the source's practices.csv), reason."""
    column, wanted = ("icb_code", list(icbs)) if icbs else ("nhs_region_code", [region] if region else [])
    return england.excluded[_within(england.excluded, column, wanted)][["code", "name", "row", "reason"]]


def _within(table: pd.DataFrame, column: str, wanted: Sequence[str]) -> NDArray[np.bool_]:
    return table[column].isin(wanted).to_numpy() if wanted else np.ones(len(table), dtype=bool)


def practice_rows(
    england: England, chosen: NDArray[np.bool_], existing: Mapping[str, str], authorities: Mapping[str, Sequence[str]]
) -> tuple[pd.DataFrame, list[str]]:
    """The dataset's practices.csv for the chosen practices, and notes. authorities: tier → code of each of them.

    existing: scale → column, laid over the default of each scale. Raises DataError for a column that is not there.
    """
    header = list(england.table.columns)
    raise_all(DataError, [missing_column(FILE, name, header) for name in existing.values() if name not in header])
    notes: list[str] = []
    at = england.table[chosen].reset_index(drop=True)
    rows = pd.DataFrame({"code": at["code"], "name": [readable(name) for name in at["name"]]}, dtype=str)
    rows["postcode"] = at.get("postcode", "")
    rows["easting"] = [_short(x, 1) for x in england.xy[chosen, 0]]
    rows["northing"] = [_short(y, 1) for y in england.xy[chosen, 1]]
    rows["patients"] = [_short(size, 0) for size in england.patients[chosen]]
    for tier, codes in authorities.items():
        rows[f"{tier}_authority"] = list(codes)
    for scale, column in {**DEFAULT_EXISTING, **existing}.items():
        if column not in header:
            notes.append(f"No existing {scale}: the source has no column {column}.")
            continue
        label = column.removesuffix("_code") + "_name"
        rows[f"existing_{scale}"] = at[column]
        rows[f"existing_{scale}_name"] = [readable(name) for name in at[label]] if label in header else at[column]
    for target, start, places in (
        ("need_index", "need_index_overall", 4),
        ("deprivation", "imd_score", 3),
        ("pct_65plus", "pct_65plus", 2),
    ):
        rows[target] = [_short(value, places) for value in _dated(england, start)[chosen]]
    rows["rural"] = [_short(RURAL.get(name, np.nan), 1) for name in np.array(england.column("ruc11_class"))[chosen]]
    items = _dated(england, "rx_items_per_1000")
    mean = _weighted_mean(items, england.patients)
    rows["referral_index"] = ""
    rows["prescribing_index"] = [_short(value, 3) for value in items[chosen] / mean]
    rows["satisfaction_pct"] = ""
    return rows, notes


def _dated(england: England, start: str) -> NDArray[np.float64]:
    """The column of that name, or that begins so and ends in its date; NaN without one."""
    found = [column for column in england.table.columns if column == start or column.startswith(f"{start}_")]
    return numbers(england.table, found[0] if found else start, FILE)


def _weighted_mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    known = ~np.isnan(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else np.nan


def _why_not(code: str, patients: float, place: NDArray[np.float64]) -> str:
    if not code:
        return "no code"
    if np.isnan(patients):
        return "no list size"
    if patients < 1 or patients != round(patients):
        return f"list size {patients:g} is not a whole number of patients"
    if np.isnan(place).any():
        return "no coordinates in Great Britain"
    if not metres_in_britain(place[:1], place[1:]).all():
        return f"coordinates {place[0]:g}, {place[1]:g} lie outside Great Britain"
    return ""


def _nearest(code: str, known: Sequence[str], names: Mapping[str, str]) -> str:
    if code.upper() in known:
        return f"Write {code.upper()}."
    by_name = [other for other in known if code.lower() in names.get(other, "").lower()]
    if by_name:
        return f"Nearest: {', '.join(f'{other} ({names[other]})' for other in by_name[:3])}."
    return alternatives(code, known)


def _short(value: float, places: int) -> str:
    if np.isnan(value):
        return ""
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
