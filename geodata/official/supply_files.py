"""Official tables of trusts, sites, A&E and elective pathways → the three tables that providers are made of."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geodata.coordinates import to_degrees
from geodata.official.england_providers import COUNTED, LISTED, PLACED
from geodata.official.register import Tables

MONTHS = 12


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
    """The newest table of a kind."""
    found = tables.get(key, ())
    return found[0].frame if found else None


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
    kind = [
        "" if code not in postcodes else "NHS acute trust (type 1 A&E)" if first[code] > 0 else "NHS trust"
        for code in codes
    ]
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


def _attendances(tables: Tables, notes: list[str]) -> pd.DataFrame:
    """A year of A&E attendances by provider: the months given, scaled."""
    reads = tables.get("attendances", ())
    if not reads:
        return pd.DataFrame({"provider": [], "name": [], "type_1": [], "others": []})
    months = len({read.vintage for read in reads})
    whole = pd.concat([read.frame for read in reads])
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
