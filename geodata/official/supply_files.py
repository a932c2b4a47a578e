"""Official tables of trusts, sites, A&E and elective pathways → the three tables that providers are made of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.coordinates import to_degrees
from geodata.official.england_providers import COUNTED, LISTED, PLACED
from geodata.official.format import newest_full
from geodata.official.register import Tables

MONTHS = 12
MENTAL, OTHER = "NHS mental health trust", "Other provider"
SURGERY = 30
"""Patients admitted from a waiting list in a month below which a trust without a major emergency department is taken
for one of mental health: its beds are in no file that is read."""


def supply_tables(tables: Tables) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, list[str]]:
    """(providers, sites, pathways) as text in the columns of the prepared bundle, and notes. Trusts are placed by their
    head office's postcode; A&E attendances of the months given are scaled to a year."""
    notes: list[str] = []
    counted = _first(tables, "pathways")
    listed = _listed(tables, counted, notes)
    sites = _first(tables, "sites")
    sites = pd.DataFrame(columns=list(PLACED), dtype=str) if sites is None else _as_text(sites)
    if counted is None:
        return listed, sites, pd.DataFrame(columns=list(COUNTED), dtype=str), notes
    names = {"commissioner": "commissioner_code", "provider": "provider_code", "function": "treatment_function_code"}
    return listed, sites, _as_text(counted.rename(columns=names)), notes


def _first(tables: Tables, key: str) -> pd.DataFrame | None:
    """The newest full table of a kind."""
    found = newest_full(tables.get(key, ()))
    return found[-1].frame if found else None


def _listed(tables: Tables, counted: pd.DataFrame | None, notes: list[str]) -> pd.DataFrame:
    trusts = _first(tables, "ods_trusts")
    names: dict[str, str] = {}
    postcodes: dict[str, str] = {}
    if trusts is not None:
        for row in trusts[trusts["closed"] == ""].itertuples():
            names[row.code], postcodes[row.code] = row.name, row.postcode
    seen = _attendances(tables, notes)
    for code, name in zip(seen["provider"], seen["name"], strict=True):
        names.setdefault(code, name)
    if counted is not None:
        for code, name in counted[["provider", "provider_name"]].drop_duplicates("provider").itertuples(index=False):
            names.setdefault(code, name)
    if not names:
        return pd.DataFrame(columns=list(LISTED), dtype=str)
    codes = sorted(names)
    lat, lon = _degrees(tables, [postcodes.get(code, "") for code in codes])
    attended = seen.set_index("provider").reindex(codes)
    first = attended["type_1"].fillna(0)
    admitted = pd.Series(dtype=float) if counted is None else counted.groupby("provider")["completed_admitted"].sum()
    told = counted is not None and len(seen) > 0  # without both, only names tell the kind
    kind = [_kind(code in postcodes, first[code], admitted.get(code, 0.0), told) for code in codes]
    if trusts is not None:  # the sector of a site says nothing of whoever is in no list of trusts
        kind = [found or OTHER for found in kind]
    if silent := kind.count(MENTAL):
        notes.append(
            f"{silent} trusts without a major emergency department or surgery are taken for mental-health trusts, "
            "unless their names say otherwise."
        )
    return pd.DataFrame(
        {
            "code": codes,
            "name": [names[code] for code in codes],
            "type": kind,
            "lat": lat,
            "lon": lon,
            "ae_type1_12m": first.map("{:.0f}".format).to_numpy(),
            "ae_all_12m": (first + attended["others"].fillna(0)).map("{:.0f}".format).to_numpy(),
        },
        dtype=str,
    )


def _kind(trust: bool, first: float, admitted: float, told: bool) -> str:
    """What a provider is, in the words of the prepared bundle; "" for what is no trust. first: type-1 attendances;
    admitted: patients from a waiting list; told: both were counted."""
    if not trust:
        return ""
    if first > 0:
        return "NHS acute trust (type 1 A&E)"
    return MENTAL if told and admitted < SURGERY else "NHS trust"


def _attendances(tables: Tables, notes: list[str]) -> pd.DataFrame:
    """A year of A&E attendances by provider: the months given, scaled."""
    reads = tables.get("attendances", ())
    if not reads:
        return pd.DataFrame({"provider": [], "name": [], "type_1": [], "others": []})
    by_month: dict[str, pd.DataFrame] = {}
    for read in reads:  # the fuller of a month first: a copy, or what was revised, counts once
        by_month.setdefault(read.vintage, read.frame)
    months = len(by_month)
    if months < len(reads):
        notes.append(f"{len(reads) - months} further files of A&E months already read were passed over.")
    whole = pd.concat(by_month.values())
    sums = whole.groupby("provider", as_index=False).agg({"name": "first", "type_1": "sum", "others": "sum"})
    if months != MONTHS:
        notes.append(f"A&E attendances of {months} {'month' if months == 1 else 'months'} were scaled to a year.")
    scale = MONTHS / months
    return sums.assign(type_1=scale * sums["type_1"], others=scale * sums["others"])


def _degrees(tables: Tables, postcodes: list[str]) -> tuple[list[str], list[str]]:
    """Latitude and longitude of postcodes as text, "" where no file has them."""
    xy = np.full((len(postcodes), 2), np.nan)
    for read in tables.get("postcodes", ()):
        at = read.frame.drop_duplicates("postcode").set_index("postcode").reindex(postcodes)
        found = at[["easting", "northing"]].to_numpy(dtype=float)
        xy = np.where(np.isnan(xy), found, xy)
    lon, lat = to_degrees(xy[:, 0], xy[:, 1])
    return tuple(["" if np.isnan(v) else f"{v:.6f}" for v in values] for values in (lat, lon))  # type: ignore[return-value]


def _as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Every column as text; blank where nothing is known."""
    text = table.reset_index(drop=True).astype(object)
    return text.where(text.notna(), "").astype(str)
