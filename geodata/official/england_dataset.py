"""Practices, boundaries and providers of England → a dataset folder, whatever files they were read from."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.adjacency import People
from geodata.catalogue import services
from geodata.official.england_areas import derive_links, features, held, settle
from geodata.official.england_boundaries import Boundaries
from geodata.official.england_flows import ModelledFlows, model_flows
from geodata.official.england_model import Residual
from geodata.official.england_practices import England, choose, left_out, practice_rows
from geodata.official.england_providers import Supply
from geodata.official.folder import staging, write_csv, write_toml
from optimiser.domain import EVIDENCE

LICENCE = "Open Government Licence v3.0"
ATTRIBUTION = (
    "Contains NHS England (incl. former NHS Digital / HSCIC) data; Contains OS data © Crown copyright and database "
    "right 2014-2025; Contains Royal Mail data © Royal Mail copyright and database right 2014-2025; Contains National "
    "Statistics data © Crown copyright and database right 2014-2025. Licensed under the Open Government Licence v3.0."
)
PRICE_YEAR = "2010/11"


@dataclass(frozen=True)
class Clip:
    """What part of England is wanted: ICBs, or a region, or (neither) all of it. existing: scale → column with the body
    a practice belongs to today, laid over the defaults (PCN, sub-ICB, ICB)."""

    icbs: Sequence[str] = ()
    region: str = ""
    existing: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Prepared:
    """What was read, made fit. list_year, geography_year: what it speaks of. people: practice, easting, northing of
    where people are who are mostly with it, None where nothing says so. notes: what a reader should know. provenance:
    last of the notes."""

    england: England
    boundaries: Boundaries
    supply: Supply
    list_year: str
    geography_year: str
    people: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    provenance: str = ""


@dataclass(frozen=True)
class ImportReport:
    """What an import made. excluded: (code, name, row of its source, reason). flows: label → rows. decay_exponent,
    r_squared: of the gravity model before raking; raked_r_squared: after; None without observed pathways. seconds: wall
    clock. residuals: where distance alone is furthest from what was counted."""

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
    residuals: tuple[Residual, ...] = ()


def write_dataset(
    found: Prepared,
    out: Path,
    clip: Clip,
    overwrite: bool,
    began: float,
    more: Callable[[Path, str, ImportReport], None] = lambda *_: None,
) -> ImportReport:
    """Write the dataset folder `out`. Flows are modelled for all of what was read before it is clipped, so a provider's
    income counts patients outside the area too. began: time.monotonic() when the import began. more: writes further
    files into the folder before it is published, given the dataset's name. Raises as `choose`, `practice_rows`
    and `staging`."""
    england, boundaries, supply = found.england, found.boundaries, found.supply
    chosen = choose(england, clip.icbs, clip.region)
    authorities, notes = _authorities(england, chosen, boundaries)
    if boundaries.filled:
        notes.append(f"{boundaries.filled} holes between generalised boundaries were given to a neighbour.")
    practices, said = practice_rows(england, chosen, clip.existing, authorities)
    modelled = model_flows(england, supply, services(), _commissioned_by(england, supply, clip.existing))
    providers, flows = _clipped(england, chosen, supply, modelled)
    codes = list(practices["code"])
    imported = held(boundaries, authorities)
    people = _people(found.people, codes)
    links = derive_links(england.xy[chosen], codes, boundaries, imported[boundaries.finest], people)
    if links:
        notes.append(f"{len(links)} links between parts that do not touch were derived, not surveyed: see links.csv.")
    excluded = left_out(england, clip.icbs, clip.region)
    if len(excluded):
        notes.append(f"{len(excluded)} practices were left out: see excluded.csv.")
    notes += [*found.notes, *said, *modelled.notes, *_fit_notes(modelled)]
    counts = flows["label"].value_counts()
    report = ImportReport(
        out,
        len(practices),
        int(england.patients[chosen].sum()),
        len(providers),
        sum(len(codes) for codes in imported.values()),
        len(links),
        tuple(tuple(row) for row in excluded.itertuples(index=False)),
        {label: int(counts[label]) for label in EVIDENCE if label in counts},
        modelled.fit.exponent if modelled.fit else None,
        modelled.fit.r_squared if modelled.fit else None,
        modelled.raked_r_squared,
        tuple(notes),
        time.monotonic() - began,
        modelled.residuals,
    )
    with staging(out, overwrite) as folder:
        about = {
            "name": _name(england, chosen, clip),
            "price_year": PRICE_YEAR,
            "list_year": found.list_year,
            "geography_year": found.geography_year,
            "licence": LICENCE,
            "attribution": ATTRIBUTION,
            "synthetic": False,
            "notes": [*notes, found.provenance],
        }
        write_toml(folder / "dataset.toml", about)
        write_csv(folder / "practices.csv", practices)
        write_csv(folder / "providers.csv", providers)
        if len(flows):
            write_csv(folder / "flows.csv", flows)
        if links:
            write_csv(folder / "links.csv", pd.DataFrame(links, columns=["from", "to", "kind", "note"]))
        if people is not None:
            write_csv(folder / "catchments.csv", found.people[found.people["practice"].isin(codes)])
        write_csv(folder / "excluded.csv", excluded)
        document = {"type": "FeatureCollection", "features": features(boundaries, imported)}
        (folder / "areas.geojson").write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
        more(folder, about["name"], report)
    return report


def _people(found: pd.DataFrame | None, codes: Sequence[str]) -> People | None:
    """Of the practices with these codes."""
    if found is None:
        return None
    position = {code: i for i, code in enumerate(codes)}
    rows = found[found["practice"].isin(position)]
    xy = rows[["easting", "northing"]].to_numpy(dtype=float)
    return People(xy, rows["practice"].map(position).to_numpy(dtype=np.int64)) if len(rows) else None


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


def _name(england: England, chosen: NDArray[np.bool_], clip: Clip) -> str:
    column = "icb" if clip.icbs else "nhs_region" if clip.region else ""
    if not column:
        return "England"
    labels = f"{column}_name" if f"{column}_name" in england.table else f"{column}_code"
    return "; ".join(sorted(set(england.table[labels][chosen])))


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
