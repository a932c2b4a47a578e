"""Hospital sites with their coordinates, as the NHS website (NHS Choices) published them: `Hospital.csv`.

Twenty-two columns parted by ¬ (to 2018, in Latin-1) or ~ (since, in UTF-8), copies also by commas. Some sites outside
England have no coordinates, small longitudes are written as -3.06E-2, and a few codes stand twice, once as UNKNOWN.
"""

from __future__ import annotations

import pandas as pd

from geodata.coordinates import LATITUDES, LONGITUDES
from geodata.official.checks import POSTCODE, coded
from geodata.official.columns import Column
from geodata.official.dates import iso
from geodata.official.format import Format, Read, by_header, numbers, text_frame
from geodata.official.found import Found
from optimiser.errors import DataError, Problem, raise_all

COLUMNS = (
    Column("site_code", ("organisation_?code",), shown="OrganisationCode"),
    Column("name", ("organisation_?name",), shown="OrganisationName"),
    Column("sector", ("sector",), shown="Sector"),
    Column("postcode", ("postcode",), shown="Postcode"),
    Column("lat", ("latitude",), shown="Latitude"),
    Column("lon", ("longitude",), shown="Longitude"),
    Column("parent_code", ("parent_?ods_?code",), shown="ParentODSCode"),
    Column("parent_name", ("parent_?name",), required=False),
    Column("subtype", ("sub_?type",), required=False),
    Column("status", ("organisation_?status",), required=False),
)
FRAME = ["site_code", "name", "sector", "subtype", "postcode", "lat", "lon", "parent_code", "parent_name"]


def read_sites(table: Found) -> Read:
    """site_code, name, sector, subtype, postcode, lat, lon (degrees, NaN where unknown), parent_code, parent_name."""
    frame = text_frame(table, COLUMNS)
    frame["site_code"] = coded(table, frame, "site_code", r"[A-Z0-9]{3,10}", "A code of ODS: RVWAE.")
    frame["parent_code"] = coded(table, frame, "parent_code", r"[A-Z0-9]{3,10}", "A code of ODS: RVW.", blank=True)
    frame["postcode"] = coded(table, frame, "postcode", POSTCODE, "A postcode is like TS18 1HU.", blank=True)
    for name in ("lat", "lon"):
        frame[name] = numbers(table, frame, name)
    unknown = (frame["lat"] == 0) & (frame["lon"] == 0)
    frame.loc[unknown, ["lat", "lon"]] = float("nan")
    outside = ~(frame["lat"].between(*LATITUDES) & frame["lon"].between(*LONGITUDES)) & frame["lat"].notna()
    outside |= frame["lat"].isna() != frame["lon"].isna()
    raise_all(
        DataError,
        [
            Problem(
                f"{frame['lat'].at[i]:g}, {frame['lon'].at[i]:g} is outside Great Britain",
                f"{table.name}:{i}:Latitude",
                f"Latitudes go from {LATITUDES[0]:g} to {LATITUDES[1]:g}, longitudes from {LONGITUDES[0]:g} to "
                f"{LONGITUDES[1]:g} degrees.",
            )
            for i in frame.index[outside]
        ],
    )
    dropped = {}
    hidden = ~frame["status"].str.upper().isin(["", "VISIBLE"])
    if hidden.any():
        dropped["not shown on the website"] = int(hidden.sum())
        frame = frame[~hidden]
    # Of two entries of a code, one is often a stub whose kind nobody filled in.
    stub = frame["subtype"].str.upper() == "UNKNOWN"
    again = pd.concat([frame[~stub], frame[stub]]).duplicated("site_code").reindex(frame.index)
    if again.any():
        dropped["a code that stands already"] = int(again.sum())
        frame = frame[~again]
    missing = int(frame["lat"].isna().sum())
    notes = (f"{missing} sites have no coordinates",) if missing else ()
    return Read(frame[FRAME].reset_index(drop=True), iso(table.called), notes, dropped)


FORMATS = (
    Format(
        "sites",
        "Hospital sites of the NHS website (Hospital.csv)",
        "where each hospital's buildings are, rather than its headquarters",
        read_sites,
        by_header(COLUMNS),
        COLUMNS,
    ),
)
