"""English open data in a prepared bundle → a dataset folder: practices, providers, authorities and modelled flows of
the area asked for."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from geodata.official.england_boundaries import read_boundaries
from geodata.official.england_dataset import Clip, ImportReport, Prepared, write_dataset
from geodata.official.england_practices import read_practices
from geodata.official.england_providers import FLOWS, PROVIDERS, SITES, read_supply
from geodata.official.folder import refuse
from optimiser.errors import OutputError, Problem

LIST_YEAR = "2025"
GEOGRAPHY_YEARS: Mapping[str, str] = {"2025": "2025 (authorities 2023)"}


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
    sub-ICB, ICB). Needs practices.csv and one authority boundary file. Raises DataError for what is wrong with the
    source or unknown in it, OutputError when `out` exists (without overwrite) or cannot be written.
    """
    began = time.monotonic()
    refuse(out, overwrite)
    if not source.is_dir():
        raise OutputError(Problem("is not a folder", str(source)))
    england = read_practices(source)
    year = LIST_YEAR
    # A bundle of another year says so in the folder's name; nothing inside the files does.
    if found := re.search(r"(?:19|20)\d\d$", source.resolve().name):
        year = found.group()
    prepared = Prepared(
        england,
        read_boundaries(source),
        read_supply(source, england.xy),
        list_year=year,
        geography_year=GEOGRAPHY_YEARS.get(year, year),
        provenance=_provenance(source),
    )
    return write_dataset(prepared, out, Clip(icbs, region, existing), overwrite, began)


def _provenance(source: Path) -> str:
    """Which files were read, with the start of their sha256."""
    files = [source / "practices.csv", source / PROVIDERS, source / SITES, source / FLOWS]
    files += [found for pattern in ("la_*.geojson", "utla_*.geojson") for found in sorted(source.glob(pattern))[:1]]
    marks = [f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}" for path in files if path.exists()]
    return f"Source files (sha256): {', '.join(marks)}."
