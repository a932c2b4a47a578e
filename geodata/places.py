"""The people of a dataset folder: practices with their authorities, and providers with their income."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from geodata.areas import SNAP_M, find_areas, lowest_tier, upper_of
from geodata.findings import Findings, some
from geodata.records import Codes, Records
from geodata.schema import TIERS, scale_of
from geodata.values import spoilt
from optimiser.domain import Authority, Flows, Practice, Provider

OUTLIER = 20
OPTIONAL = (
    "deprivation", "pct_65plus", "rural", "referral_index", "prescribing_index", "satisfaction_pct", "turnover_pct",
)  # fmt: skip


def check_lists(records: Records, findings: Findings) -> None:
    """There are practices with patients; empty and enormous lists are warned of."""
    if not records.lines:
        findings.problem("holds no practices", records.file, "a plan needs at least one")
        return
    sizes = np.array([np.nan if size is None else size for size in records.column("patients")], dtype=float)
    codes = records.column("code")
    if "patients" in records.values and np.nansum(sizes) == 0 and not np.isnan(sizes).any():
        findings.problem("no practice has patients", f"{records.file}:{records.lines[0]}:patients")
        return
    empty = np.flatnonzero(sizes == 0)
    if len(empty):
        findings.warn(
            f"no patients at {some([codes[row] for row in empty])}; kept", records.where(int(empty[0]), "patients")
        )
    median = np.nanmedian(sizes) if np.isfinite(sizes).any() else 0.0
    for row in np.flatnonzero(sizes > OUTLIER * median) if median > 0 else ():
        findings.warn(
            f"{codes[row]!r} lists {sizes[row]:,.0f} patients, over {OUTLIER} times the median ({median:,.0f})",
            records.where(int(row), "patients"),
        )


def check_on_land(records: Records, xy: NDArray[np.float64], areas: gpd.GeoDataFrame, findings: Findings) -> None:
    """Every located practice lies in an area, or within `SNAP_M` of one (warned of)."""
    tier = lowest_tier(areas)
    found = find_areas(xy, tier.geometry.to_numpy())
    names = tier["name"].to_numpy()
    near = []
    for row in np.flatnonzero((found.position >= 0) & (found.distance > 0)):
        code, metres, name = records.column("code")[row], found.distance[row], names[found.position[row]]
        if metres <= SNAP_M:
            near.append(f"{code} ({metres:.0f} m from {name})")
        else:
            findings.problem(
                f"{code!r} lies outside every area; the nearest is {name}, {metres / 1000:.1f} km away",
                records.where(int(row), "latitude" if "latitude" in records.values else "easting"),
                f"practices lie in an area of areas.geojson or within {SNAP_M / 1000:g} km of one",
                "mend its coordinates or add the area",
            )  # fmt: skip
    if near:
        findings.warn(f"outside every area, taken to be in the nearest: {some(near)}", records.file)


def authorities_of(
    records: Records, xy: NDArray[np.float64], areas: gpd.GeoDataFrame, findings: Findings
) -> dict[str, list[str]]:
    """Tier → authority code of each practice: as given, else by its place.

    A given code must be one of areas.geojson, where that has the tier. Blank: the area it lies in or the nearest; for
    the upper tier the parent of its lower authority goes first; where areas has one tier only, the other has the same
    code.
    """
    tiers = {tier: areas[areas["tier"] == tier] for tier in TIERS}
    given: dict[str, list[str | None]] = {}
    for tier, rows in tiers.items():
        column = f"{tier}_authority"
        given[tier] = [None if code is None else str(code) for code in records.column(column)]
        codes = list(rows["code"])
        if tier == "upper" and not codes:
            codes = list(set(upper_of(areas).values())) if (tiers["lower"]["parent"] != "").any() else []
        if codes:
            Codes("areas.geojson", codes).check(records, column, findings)
    placed = {tier: _codes_at(xy, rows) for tier, rows in tiers.items()}
    parent = upper_of(areas)
    lower = [code or place for code, place in zip(given["lower"], placed["lower"], strict=True)]
    upper = []
    for code, place, below in zip(given["upper"], placed["upper"], lower, strict=True):
        above = parent.get(below, "")
        upper.append(code or (above if above != below else "") or place or above or below)
    return {"lower": [code or above for code, above in zip(lower, upper, strict=True)], "upper": upper}


def _codes_at(xy: NDArray[np.float64], rows: gpd.GeoDataFrame) -> list[str]:
    codes = rows["code"].to_numpy()
    return [codes[at] if at >= 0 else "" for at in find_areas(xy, rows.geometry.to_numpy()).position]


def authorities(areas: gpd.GeoDataFrame, used: dict[str, list[str]]) -> tuple[Authority, ...]:
    """All authorities: those of areas.geojson, then those that practices name and it does not, called by their code."""
    known = {(tier, code): name for tier, code, name in zip(areas["tier"], areas["code"], areas["name"], strict=True)}
    names = {code: name for (_, code), name in known.items()}
    for tier, codes in used.items():
        for code in sorted(set(codes)):
            known.setdefault((tier, code), names.get(code, code))
    return tuple(Authority(code, name, tier) for (tier, code), name in known.items())


def practices(
    records: Records, xy: NDArray[np.float64], authority: dict[str, list[str]], findings: Findings
) -> tuple[Practice, ...]:
    """Practices in the order of the file, from records that have no problems."""
    bodies = sorted(name for name in records.values if name.startswith("existing_") and not name.endswith("_name"))
    for heading in bodies:
        odd = next(
            (row for row, code in enumerate(records.column(heading)) if code is not None and spoilt(str(code))), None
        )
        if odd is not None:
            findings.warn(
                f"{records.column(heading)[odd]!r} looks changed by a spreadsheet", records.where(odd, heading)
            )
    made = []
    for row in range(len(records.lines)):
        at = {name: column[row] for name, column in records.values.items()}
        made.append(
            Practice(
                code=str(at["code"]),
                name=str(at["name"]),
                patients=int(at["patients"]),
                easting=float(xy[row, 0]),
                northing=float(xy[row, 1]),
                lower_authority=authority["lower"][row],
                upper_authority=authority["upper"][row],
                existing={scale_of(name): str(at[name] or "") for name in bodies},
                existing_names={scale_of(name): str(at.get(f"{name}_name") or at[name] or "") for name in bodies},
                postcode=str(at.get("postcode") or ""),
                need_index=1.0 if at.get("need_index") is None else float(at["need_index"]),
                **{name: at.get(name) for name in OPTIONAL},
            )
        )
    return tuple(made)


def providers(records: Records, xy: NDArray[np.float64], flows: Flows, findings: Findings) -> tuple[Provider, ...]:
    """Providers in the order of the file, from records that have no problems; a blank income is the sum of flows."""
    through = np.bincount(flows.provider, weights=flows.spend, minlength=len(records.lines))
    made = []
    for row in range(len(records.lines)):
        at = {name: column[row] for name, column in records.values.items()}
        income = at.get("income")
        if income is not None and income < through[row] * 0.999:
            more = f"less than its flows (£{through[row]:,.0f}): shares of it pass 100 %"
            findings.warn(f"income of {at['code']!r} (£{income:,.0f}) is {more}", records.where(row, "income"))
        placed = bool(np.isfinite(xy[row]).all())
        made.append(
            Provider(
                code=str(at["code"]),
                name=str(at["name"]),
                kind=at["kind"],
                easting=float(xy[row, 0]) if placed else None,
                northing=float(xy[row, 1]) if placed else None,
                income=float(through[row] if income is None else income),
                owners=tuple(at.get("owners") or ()),
            )
        )
    return tuple(made)


def check_owners(records: Records, known: Codes, findings: Findings) -> None:
    """Owners of providers are practices of the dataset."""
    for row, owners in enumerate(records.column("owners")):
        for code in owners if isinstance(owners, Sequence) else ():
            if code not in known.index:
                known.unknown(str(code), records.where(row, "owners"), findings)
