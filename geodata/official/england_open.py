"""English open data → a dataset folder: practices, providers, authorities and modelled flows of the area asked for."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.catalogue import services
from geodata.official.england_areas import derive_links, features, held, settle
from geodata.official.england_boundaries import Boundaries, read_boundaries
from geodata.official.england_flows import ModelledFlows, model_flows
from geodata.official.england_practices import England, choose, left_out, practice_rows, read_practices
from geodata.official.england_providers import FLOWS, PROVIDERS, SITES, Supply, read_supply
from geodata.official.folder import refuse, staging, write_csv, write_toml
from optimiser.domain import EVIDENCE
from optimiser.errors import OutputError, Problem

LICENCE = "Open Government Licence v3.0"
ATTRIBUTION = (
    "Contains NHS England (incl. former NHS Digital / HSCIC) data; Contains OS data © Crown copyright and database "
    "right 2014-2025; Contains Royal Mail data © Royal Mail copyright and database right 2014-2025; Contains National "
    "Statistics data © Crown copyright and database right 2014-2025. Licensed under the Open Government Licence v3.0."
)
PRICE_YEAR, LIST_YEAR = "2010/11", "2025"
GEOGRAPHY_YEARS: Mapping[str, str] = {"2025": "2025 (authorities 2023)"}


@dataclass(frozen=True)
class ImportReport:
    """What an import made. excluded: (code, name, row of practices.csv, reason). flows: label → rows. decay_exponent,
    r_squared: of the gravity model before raking; raked_r_squared: after; None without observed pathways. seconds: wall
    clock."""

    out: Path
    practices: int
    patients: int
    providers: int
    areas: int
    links: int
    excluded: tuple[tuple[str, str, str, str], ...]
    flows: Mapping[str, int]
    decay_exponent: float | None
    r_squared: float | None
    raked_r_squared: float | None
    notes: tuple[str, ...]
    seconds: float


def import_england_open(
    source: Path,
    out: Path,
    icbs: Sequence[str] = (),
    region: str = "",
    existing: Mapping[str, str] = {},
    overwrite: bool = False,
) -> ImportReport:
    """Write the dataset folder `out` from the bundle `source`, clipped to ICBs or a region (all of England otherwise).

    existing: scale → column of practices.csv with the body a practice belongs to today, laid over the defaults (PCN,
    sub-ICB, ICB). Needs practices.csv and one authority boundary file. Flows are modelled for the whole source before
    clipping, so a provider's income counts patients outside the area too. Raises DataError for what is wrong with the
    source or unknown in it, OutputError when `out` exists (without overwrite) or cannot be written.
    """
    began = time.monotonic()
    refuse(out, overwrite)
    if not source.is_dir():
        raise OutputError(Problem("is not a folder", str(source)))
    england = read_practices(source)
    chosen = choose(england, icbs, region)
    boundaries = read_boundaries(source)
    authorities, notes = _authorities(england, chosen, boundaries)
    if boundaries.filled:
        notes.append(f"{boundaries.filled} holes between generalised boundaries were given to a neighbour.")
    practices, more = practice_rows(england, chosen, existing, authorities)
    supply = read_supply(source, england.xy)
    modelled = model_flows(england, supply, services(), _commissioned_by(england, supply, existing))
    providers, flows = _clipped(england, chosen, supply, modelled)
    codes = list(practices["code"])
    imported = held(boundaries, authorities)
    links = derive_links(england.xy[chosen], codes, boundaries, imported[boundaries.finest])
    if links:
        notes.append(f"{len(links)} links between parts that do not touch were derived, not surveyed: see links.csv.")
    excluded = left_out(england, icbs, region)
    if len(excluded):
        notes.append(f"{len(excluded)} practices were left out: see excluded.csv.")
    notes += [*more, *modelled.notes, *_fit_notes(modelled)]
    areas = features(boundaries, imported)
    with staging(out, overwrite) as folder:
        write_toml(
            folder / "dataset.toml", _about(source, _name(england, chosen, icbs, region), [*notes, _provenance(source)])
        )
        write_csv(folder / "practices.csv", practices)
        write_csv(folder / "providers.csv", providers)
        if len(flows):
            write_csv(folder / "flows.csv", flows)
        if links:
            write_csv(folder / "links.csv", pd.DataFrame(links, columns=["from", "to", "kind", "note"]))
        write_csv(folder / "excluded.csv", excluded)
        document = {"type": "FeatureCollection", "features": areas}
        (folder / "areas.geojson").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    counts = flows["label"].value_counts()
    return ImportReport(
        out,
        len(practices),
        int(england.patients[chosen].sum()),
        len(providers),
        len(areas),
        len(links),
        tuple(tuple(row) for row in excluded.itertuples(index=False)),
        {label: int(counts[label]) for label in EVIDENCE if label in counts},
        modelled.fit.exponent if modelled.fit else None,
        modelled.fit.r_squared if modelled.fit else None,
        modelled.raked_r_squared,
        tuple(notes),
        time.monotonic() - began,
    )


def _authorities(
    england: England, chosen: NDArray[np.bool_], boundaries: Boundaries
) -> tuple[dict[str, list[str]], list[str]]:
    """Tier → authority of each chosen practice, for the tiers that have areas, and notes."""
    found: dict[str, list[str]] = {}
    notes = []
    for tier, column in (("lower", "lad_code"), ("upper", "utla_code")):
        if tier not in boundaries.tiers:
            notes.append(f"No {tier}-tier authorities: the source has no boundaries for them.")
            continue
        codes = list(np.array(england.column(column), dtype=object)[chosen])
        found[tier], by_place = settle(boundaries, tier, codes, england.xy[chosen])
        if by_place:
            notes.append(f"{len(by_place)} practices got their {tier} authority from where they lie.")
    return found, notes


def _commissioned_by(england: England, supply: Supply, existing: Mapping[str, str]) -> str:
    """The column that names whom elective pathways are counted by: sub-ICB, else an existing body that they know."""
    known = set(supply.pathways["commissioner"])
    columns = ["sub_icb_code", *existing.values()]
    return next((column for column in columns if known & set(england.column(column))), "sub_icb_code")


def _clipped(
    england: England, chosen: NDArray[np.bool_], supply: Supply, modelled: ModelledFlows
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """providers.csv (with income from all practices of the source) and flows.csv of the chosen practices."""
    frame = modelled.frame
    flows = frame[chosen[frame["practice"].to_numpy(dtype=np.int64)]]
    used = np.unique(flows["provider"].to_numpy(dtype=np.int64))
    codes = np.array(supply.codes, dtype=object)
    grid = [["" if np.isnan(value) else f"{value:.0f}" for value in supply.xy[used, axis]] for axis in (0, 1)]
    providers = pd.DataFrame(
        {
            "code": codes[used],
            "name": [supply.names[i] for i in used],
            "kind": supply.kinds[used],
            "easting": grid[0],
            "northing": grid[1],
            "income": [f"{modelled.income[i]:.0f}" for i in used],
            "owners": "",
        }
    )
    rows = pd.DataFrame(
        {
            "practice": england.table["code"].to_numpy()[flows["practice"].to_numpy(dtype=np.int64)],
            "provider": codes[flows["provider"].to_numpy(dtype=np.int64)],
            "service": flows["service"].to_numpy(),
            "activity": flows["activity"].to_numpy(),
            "spend": flows["spend"].to_numpy(dtype=np.int64),
            "label": flows["label"].to_numpy(),
        }
    )
    return providers, rows


def _name(england: England, chosen: NDArray[np.bool_], icbs: Sequence[str], region: str) -> str:
    column = "icb" if icbs else "nhs_region" if region else ""
    if not column:
        return "England"
    labels = f"{column}_name" if f"{column}_name" in england.table else f"{column}_code"
    return "; ".join(sorted(set(england.table[labels][chosen])))


def _about(source: Path, name: str, notes: Sequence[str]) -> dict[str, str | bool | Sequence[str]]:
    # A bundle of another year says so in the folder's name; nothing inside the files does.
    year = LIST_YEAR
    if found := re.search(r"(?:19|20)\d\d$", source.resolve().name):
        year = found.group()
    return {
        "name": name,
        "price_year": PRICE_YEAR,
        "list_year": year,
        "geography_year": GEOGRAPHY_YEARS.get(year, year),
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "synthetic": False,
        "notes": notes,
    }


def _fit_notes(modelled: ModelledFlows) -> list[str]:
    if not len(modelled.frame):
        return []
    notes = [
        "Spend is catalogue rate × patients × need at catalogue prices; only its split over providers comes from the "
        "source. A provider's income is its modelled income from all practices of the source and from elsewhere."
    ]
    if modelled.fit and modelled.raked_r_squared is not None:
        notes.append(
            f"Elective flows: distance exponent {modelled.fit.exponent:.2f}; before raking the model explains "
            f"{modelled.fit.r_squared:.0%} of the variance of commissioner × provider pathways, as published "
            f"{modelled.raked_r_squared:.0%}."
        )
    return notes


def _provenance(source: Path) -> str:
    """Which files were read, with the start of their sha256."""
    files = [source / "practices.csv", source / PROVIDERS, source / SITES, source / FLOWS]
    files += [found for pattern in ("la_*.geojson", "utla_*.geojson") for found in sorted(source.glob(pattern))[:1]]
    marks = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}" for path in files if path.exists()]
    return f"Source files (sha256): {', '.join(marks)}."
