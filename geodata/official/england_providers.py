"""Providers of the English open-data bundle: who they are, what they are, how big, and how far from each practice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.flows import nearest_site_km
from geodata.official.england_practices import metres
from geodata.official.england_services import SUCCESSORS, provider_kind
from geodata.official.tables import numbers, read_table, readable

PROVIDERS, SITES, FLOWS = "providers.csv", "provider_sites.csv", "flows.csv"
LISTED, PLACED = ("code", "name"), ("parent_code", "lat", "lon")
COUNTED = ("commissioner_code", "provider_code", "treatment_function_code", "new_pathways")


@dataclass(frozen=True)
class Supply:
    """Providers of the source in code order, aligned.

    xy: m × 2 metres, NaN where only flows know the provider. km: practices × m to the nearest site, NaN likewise.
    attendances (type 1 A&E), other_attendances, acute_beds, mental_beds: 0 where unknown.
    pathways: the RTT rows (commissioner, provider position, function, new_pathways, completed_admitted); empty without
    flows.csv. notes: what a reader should know.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    kinds: NDArray[np.str_]
    xy: NDArray[np.float64]
    km: NDArray[np.float64]
    attendances: NDArray[np.float64]
    other_attendances: NDArray[np.float64]
    acute_beds: NDArray[np.float64]
    mental_beds: NDArray[np.float64]
    pathways: pd.DataFrame
    notes: tuple[str, ...]


def read_supply(source: Path, practices: NDArray[np.float64]) -> Supply:
    """Whatever of providers.csv, provider_sites.csv and flows.csv is there. practices: n × 2 metres."""
    return supply_of(
        _optional(source / PROVIDERS, LISTED), _optional(source / SITES, PLACED), _optional(source / FLOWS, COUNTED),
        practices,
    )  # fmt: skip


def supply_of(listed: pd.DataFrame, sites: pd.DataFrame, flows: pd.DataFrame, practices: NDArray[np.float64]) -> Supply:
    """Providers of three tables of text: who they are, where they work, what was counted; each may be empty but for the
    columns of LISTED, PLACED and COUNTED. practices: n × 2 metres."""
    parents = _parents(sites)
    codes = sorted(
        (set(listed["code"]) | set(flows["provider_code"]) | (set() if len(listed) else set(parents))) - {""}
    )
    position = {code: i for i, code in enumerate(codes)}
    known = listed.set_index("code")
    names = [str(known["name"].get(code, "")) if len(known) else "" for code in codes]
    names = [name or parents.get(code, ("", ""))[0] for code, name in zip(codes, names, strict=True)]
    size = {column: _aligned(listed, column, codes) for column in _SIZES}
    acute, mental = np.nan_to_num(size["beds_ga_2024q2"]), np.nan_to_num(size["beds_mental_health_2024q2"])
    published = [str(known["type"].get(code, "")) if "type" in known else "" for code in codes]
    published = [kind or parents.get(code, ("", ""))[1] for code, kind in zip(codes, published, strict=True)]
    kinds = [provider_kind(*row) for row in zip(codes, names, published, acute, mental, strict=True)]
    type_1 = np.nan_to_num(size["ae_type1_12m"])
    office_xy = metres(*(_aligned(listed, column, codes) for column in ("lon", "lat")))
    site_xy, owner = _places(sites, office_xy, position)
    xy = office_xy.copy()
    homeless = [int(column) for column in np.unique(owner) if np.isnan(office_xy[column, 0])]
    for column in homeless:
        xy[column] = _middle(site_xy[owner == column])
    located = ~np.isnan(xy[:, 0])
    notes = []
    if homeless:
        notes.append(f"{len(homeless)} of {len(codes)} providers are placed at the most central of their sites.")
    if codes and not located.all():
        notes.append(
            f"{int((~located).sum())} of {len(codes)} providers have no coordinates: only observed totals "
            "place their work."
        )
    return Supply(
        tuple(codes),
        tuple(readable(name) or code for code, name in zip(codes, names, strict=True)),
        np.array(kinds, dtype=str),
        xy,
        nearest_site_km(practices, site_xy, owner, len(codes)),
        type_1,
        np.maximum(np.nan_to_num(size["ae_all_12m"]) - type_1, 0),
        acute,
        mental,
        _pathways(flows, position),
        tuple(notes),
    )


_SIZES = ("ae_type1_12m", "ae_all_12m", "beds_ga_2024q2", "beds_mental_health_2024q2")


def _optional(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    return read_table(path, columns) if path.exists() else pd.DataFrame({column: [] for column in columns}, dtype=str)


def _aligned(listed: pd.DataFrame, column: str, codes: list[str]) -> NDArray[np.float64]:
    values = pd.Series(numbers(listed, column, PROVIDERS), index=listed["code"])
    return values[~values.index.duplicated()].reindex(codes).to_numpy(dtype=float)


def _parents(sites: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Code of who runs a site → (name, sector)."""
    found: dict[str, tuple[str, str]] = {}
    for row in sites.to_dict("records"):
        found.setdefault(row["parent_code"], (row.get("parent_name", ""), row.get("sector", "")))
    return found


def _places(
    sites: pd.DataFrame, offices: NDArray[np.float64], position: dict[str, int]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Places where care is given and the provider of each: its listed sites, else its head office."""
    own = list(sites["site_code"]) if "site_code" in sites else [""] * len(sites)
    owner = []
    for site, parent in zip(own, sites["parent_code"], strict=True):
        heir = parent if parent in position else SUCCESSORS.get(parent, parent)
        owner.append(position.get(site, position.get(heir, -1)))
    site_xy = metres(numbers(sites, "lon", SITES), numbers(sites, "lat", SITES))
    usable = (np.array(owner, dtype=np.int64) >= 0) & ~np.isnan(site_xy[:, 0])
    owners = np.array(owner, dtype=np.int64)[usable]
    alone = np.setdiff1d(np.flatnonzero(~np.isnan(offices[:, 0])), owners)
    return np.concatenate([site_xy[usable], offices[alone]]), np.concatenate([owners, alone])


def _middle(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """The place that is nearest to all the others, the first of several."""
    far = np.hypot(*(places[:, None, :] - places[None, :, :]).transpose(2, 0, 1)).sum(axis=1)
    return places[int(far.argmin())]


def _pathways(flows: pd.DataFrame, position: dict[str, int]) -> pd.DataFrame:
    new = np.nan_to_num(numbers(flows, "new_pathways", FLOWS))
    admitted = np.nan_to_num(numbers(flows, "completed_admitted", FLOWS)) if "completed_admitted" in flows else new
    return pd.DataFrame(
        {
            "commissioner": flows["commissioner_code"],
            "provider": flows["provider_code"].map(position).astype(np.int64) if len(flows) else np.empty(0, np.int64),
            "function": flows["treatment_function_code"],
            "new_pathways": new,
            "completed_admitted": admitted,
        }
    )
