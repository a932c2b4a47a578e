"""Files that come with the data and only explain it: recognised, so that nobody wonders why they are not used."""

from __future__ import annotations

import re

import pandas as pd

from geodata.official.columns import Column, plain
from geodata.official.format import Format, Read, by_header
from geodata.official.found import Found

HEADED = (
    Column("postcode", ("postcode", "pc"), shown="Postcode"),
    Column("quality", ("positional_quality_indicator", "pq"), shown="Positional_quality_indicator"),
    Column("easting", ("eastings?", "ea"), shown="Eastings"),
    Column("northing", ("northings?", "no"), shown="Northings"),
    Column("lad_code", ("admin_district_code", "dc"), shown="Admin_district_code"),
    Column("county", ("admin_county_code", "cc"), required=False),
)
"""Names of the columns of Code-Point Open, which are in a file of their own beside the data, short and long."""
LISTED = r"[a-z]+\d\d(cdo?|cdh|nmw?)|objectid|fid|globalid"
"""Columns of ONS's lists of names and codes (LAD23CD, LAD23NM)."""


def read_nothing(table: Found) -> Read:
    """An empty frame: the file explains others."""
    return Read(pd.DataFrame(), notes=("explains other files and holds no data",))


def like_headers(table: Found) -> float:
    """Whether a table names the columns of Code-Point Open and holds nothing."""
    rows = [row for row in table.head if any(row)]
    return float(0 < len(rows) <= 2 and by_header(HEADED)(table) >= 1)


def like_metadata(table: Found) -> float:
    """Whether a text is the metadata or licence that comes with Ordnance Survey's open data."""
    start = " ".join(" ".join(row) for row in table.head[:3]).upper()
    return float(table.kind == "csv" and start.startswith(("ORDNANCE SURVEY", "OS OPENDATA", "OS OPEN DATA")))


def like_names(table: Found) -> float:
    """Whether a table gives the codes and names of one kind of area, and no more: ONS's "names and codes"."""
    header = [plain(cell) for cell in table.head[0] if cell] if table.head else []
    kinds = {re.sub(r"\d\d.*", "", cell) for cell in header if re.search(r"\d\d(cd|nm)", cell)}
    return float(len(kinds) == 1 and all(re.fullmatch(LISTED, cell) for cell in header))


FORMATS = (
    Format("documentation", "Names of the columns of Code-Point Open", "", read_nothing, like_headers),
    Format("documentation", "Metadata of Ordnance Survey's open data", "", read_nothing, like_metadata),
    Format("documentation", "Names and codes of areas (ONS)", "", read_nothing, like_names),
)
