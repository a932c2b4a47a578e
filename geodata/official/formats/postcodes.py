"""Where every postcode is, and in which authority.

Code-Point Open (Ordnance Survey, quarterly): a file without header for each of 120 postcode areas, `Data/CSV/ts.csv`,
with ten columns: postcode, positional quality, easting, northing, country, two NHS codes, county, district, ward. Until
about 2020 postcodes were padded to seven characters ("TS1 1HU", "AB101AB", "M1  1AD"); now they have one space. Quality
90 stands at 0,0 and is nowhere. Its `Doc` folder has the version and the names of the columns.

ONS Postcode Directory (ONSPD) and National Statistics Postcode Lookup (NSPL): one file with a header for the United
Kingdom, 2.7 million rows of which a third are terminated postcodes; `oslaua`, `laua`, `lad23cd` or `LAD25CD`,
`oseast1m` or `east1m`. Its grid indicator 1 to 9 is a tenth of Code-Point's quality. Northern Ireland is on the Irish
grid. County codes are pseudo-codes (99999999) where there is no county; those of metropolitan counties (E11) and of
London (E13) are no authorities.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path, PurePosixPath

import pandas as pd

from geodata.coordinates import EASTINGS, NORTHINGS
from geodata.official.checks import GSS, POSTCODE, coded, twice
from geodata.official.columns import Column
from geodata.official.dates import iso, latest
from geodata.official.format import Format, Read, by_header, numbers, text_frame
from geodata.official.formats.documentation import HEADED
from geodata.official.found import BROKEN, Found
from optimiser.errors import DataError, Problem, raise_all

DIRECTORY = (
    Column("postcode", ("pcds", "pcd7?", "pcd[28]"), shown="pcds or pcd"),
    Column("easting", ("(os)?east1m",), shown="oseast1m or east1m"),
    Column("northing", ("(os)?n(o)?rth1m",), shown="osnrth1m or north1m"),
    Column("lad_code", ("oslaua", "laua", r"lad(\d\d)?cd"), shown="oslaua, laua or ladNNcd"),
    Column("quality", ("(os)?grd?i(n)?d(ind)?",), required=False),
    Column("county", ("oscty", r"cty(\d\d)?(cd)?"), required=False),
    Column("lsoa", (r"lsoa21(cd)?", r"lsoa11(cd)?", r"lsoa\d\d(cd)?"), required=False),
    Column("terminated", ("doterm",), required=False),
)
AREA = ("postcode", "quality", "easting", "northing", "country", "region", "authority", "county", "lad_code", "ward")
"""Columns of Code-Point Open; region and authority are the NHS's, long gone."""
SHAPES = {
    "quality": (r"\d0", "a number from 10 to 90"),
    "easting": (r"\d{1,6}", "a whole number"),
    "northing": (r"\d{1,7}", "a whole number"),
    "country": (r"[ESW]92\d{6}|", "E92000001, S92000003, W92000004 or blank"),
    "county": (r"E1[013]\d{6}|", "E10000015 or blank"),
    "lad_code": (r"E0[6-9]\d{6}|W06\d{6}|S12\d{6}|", "E06000004 or blank"),
    "ward": (r"[ESW]\d{8}|", "E05009866 or blank"),
}
NOWHERE = 90
"""Positional quality of a postcode without coordinates."""


def read_directory(table: Found) -> Read:
    """ONSPD or NSPL: postcode, easting, northing, quality, lad_code, upper_code, lsoa."""
    frame = text_frame(table, DIRECTORY)
    ended = frame.pop("terminated")
    notes = [f"{int((ended != '').sum()):,} postcodes are terminated and kept, for practices that have closed"]
    frame["quality"] = numbers(table, frame, "quality", blank=0) * 10
    vintage = iso(table.called) or latest(ended)
    return _placed(table, frame, vintage, notes)


def read_area(table: Found) -> Read:
    """A file of Code-Point Open: postcode, easting, northing, quality, lad_code, upper_code, lsoa ("")."""
    if len(table.head[0]) != len(AREA):
        what = f"has {len(table.head[0])} columns"
        raise DataError(Problem(what, f"{table.name}:1", f"Code-Point Open has {len(AREA)}.", "Download it again."))
    frame = table.frame(None, dict(enumerate(AREA)))
    problems = []
    for name, (shape, meaning) in SHAPES.items():
        what = "district" if name == "lad_code" else name
        rule = f"Column {AREA.index(name) + 1} of Code-Point Open is the {what}: {meaning}."
        wrong = {text for text in frame[name].unique() if not re.fullmatch(shape, text)}
        rows = frame.index[frame[name].isin(wrong).to_numpy()] if wrong else ()
        problems += [Problem(repr(frame[name].at[i]), f"{table.name}:{i}:{name}", rule) for i in rows]
    raise_all(DataError, problems)
    frame["quality"] = frame["quality"].astype(float)
    version, rows = _metadata(table, frame)
    notes = [f"{len(frame):,} rows, where the metadata says {rows:,}"] if rows not in (0, len(frame)) else []
    return _placed(table, frame.assign(lsoa=""), version or iso(table.called), notes)


def read_headed(table: Found) -> Read:
    """Code-Point Open with the names of its columns in the first row, as GIS programs save it."""
    frame = text_frame(table, HEADED)
    frame["quality"] = numbers(table, frame, "quality", blank=0)
    version, _ = _metadata(table, frame)
    return _placed(table, frame.assign(lsoa=""), version or iso(table.called), [])


def _placed(table: Found, frame: pd.DataFrame, vintage: str, notes: list[str]) -> Read:
    """The frame that every postcode file gives, with those that are nowhere in Great Britain left out. quality: 10 (at
    the door) to 60 (the district), 0 where the file does not say."""
    frame["postcode"] = _postcodes(table, frame)
    wrong = frame.index[(~frame["quality"].isin([*range(0, 100, 10)])).to_numpy()]
    rule = "Code-Point Open has 10 to 90, ONSPD 1 to 9."
    raise_all(
        DataError,
        [Problem(f"{frame['quality'].at[i]:g} is no quality", f"{table.name}:{i}:quality", rule) for i in wrong],
    )
    frame["quality"] = frame["quality"].astype("int16")
    for name, rule in (("lad_code", "The code of an authority: E06000004."), ("county", "E10000015, or blank.")):
        frame[name] = coded(table, frame, name, GSS, rule, blank=True)
    for name in ("easting", "northing"):
        frame[name] = numbers(table, frame, name, blank=0)
    reason = _reasons(frame)
    dropped = {text: int(count) for text, count in reason.value_counts().items() if text}
    frame = frame[(reason == "").to_numpy()]
    _inside(table, frame)
    again = twice(table, frame, ["postcode"], ["easting", "northing", "lad_code"])
    if again.any():
        dropped["said again"] = int(again.sum())
        frame = frame[~again]
    lsoa = coded(table, frame, "lsoa", GSS, "The code of an LSOA: E01012345, or blank.", blank=True)
    county = frame.pop("county")
    frame = frame.assign(
        lsoa=lsoa.where(~lsoa.str.endswith("99999999"), ""),
        upper_code=county.where(county.str.startswith("E10"), frame["lad_code"]),
    )
    columns = ["postcode", "easting", "northing", "quality", "lad_code", "upper_code", "lsoa"]
    return Read(frame[columns], vintage, tuple(notes), dropped)


def _postcodes(table: Found, frame: pd.DataFrame) -> pd.Series:
    """Postcodes without spaces, in capitals. DataError naming each that is none."""
    bare = frame["postcode"].str.replace(" ", "", regex=False).str.upper()
    wrong = frame.index[~bare.str.fullmatch(POSTCODE).to_numpy()]
    rule = "A postcode is like TS18 1HU."
    raise_all(DataError, [Problem(f"{bare.at[i]!r} is no postcode", f"{table.name}:{i}:postcode", rule) for i in wrong])
    return bare


def _reasons(frame: pd.DataFrame) -> pd.Series:
    """Why each row is left out, "" where it is kept."""
    reason = pd.Series("", index=frame.index, dtype=object)
    nowhere = (frame["quality"] >= NOWHERE) | ((frame["easting"] == 0) & (frame["northing"] == 0))
    reason[nowhere] = "no place on the national grid (positional quality 90, or 0,0)"
    islands = frame["lad_code"].str.startswith(("L", "M")) | frame["postcode"].str.fullmatch(r"(JE|GY|IM)\d.*")
    reason[islands] = "Channel Islands or Isle of Man"
    reason[frame["lad_code"].str.startswith("N") | frame["postcode"].str.startswith("BT")] = (
        "Northern Ireland, which is on the Irish grid"
    )
    return reason


def _inside(table: Found, frame: pd.DataFrame) -> None:
    """DataError naming each row whose coordinates are outside Great Britain."""
    inside = frame["easting"].between(*EASTINGS) & frame["northing"].between(*NORTHINGS)
    rule = f"Eastings go to {EASTINGS[1]:g}, northings to {NORTHINGS[1]:g} metres."
    raise_all(
        DataError,
        [
            Problem(
                f"{frame['easting'].at[i]:g}, {frame['northing'].at[i]:g} is outside Great Britain",
                f"{table.name}:{i}:easting",
                rule,
            )
            for i in frame.index[~inside]
        ],
    )


def _metadata(table: Found, frame: pd.DataFrame) -> tuple[str, int]:
    """What the metadata beside the files of Code-Point Open say: its date, and how many rows this area has; "" and 0
    where there are none."""
    try:
        if table.member:
            with zipfile.ZipFile(table.path) as archive:
                members = [name for name in archive.namelist() if name.casefold().endswith("doc/metadata.txt")]
                text = archive.read(members[0]).decode("cp1252") if members else ""
        else:
            beside = table.path.parents[2] / "Doc" / "metadata.txt"  # Data/CSV/ts.csv
            text = beside.read_text(encoding="cp1252") if beside.is_file() else ""
    except (*BROKEN, IndexError, ValueError):
        return "", 0
    day = re.search(r"COPYRIGHT DATE:?\s*(\d{8})", text)
    area = re.match(r"[A-Z]+", frame["postcode"].iat[0].upper())
    rows = re.search(rf"(?m)^\s*{area[0]}\s+(\d+)\s*$", text) if area else None
    return iso(day[1]) if day else "", int(rows[1]) if rows else 0


def like_area(table: Found) -> float:
    """Whether a table has no header and begins with postcodes, a quality and coordinates."""
    rows = [row for row in table.head if len(row) > 3]
    told = [bool(re.fullmatch(POSTCODE, row[0].replace(" ", "").upper())) for row in rows]
    if table.kind != "csv" or not rows or not told[0]:
        return 0.0
    places = sum(len(re.findall(r" \d{5,7}(?= )", f" {' '.join(row)} ")) >= 2 for row in rows)
    countries = sum(any(re.fullmatch(r"[EWS]92\d{6}", cell) for cell in row) for row in rows)
    return float(min(sum(told), max(places, countries)) >= 0.8 * len(rows))


def like_headed(table: Found) -> float:
    """Likeness by header, of a table with a postcode under it."""
    likeness = by_header(HEADED)(table)
    bodies = (cell for row in table.head[1:] for cell in row)
    return likeness if any(re.fullmatch(POSTCODE, cell.replace(" ", "").upper()) for cell in bodies) else 0.0


def like_directory(table: Found) -> float:
    """Likeness by header, unless this is a part of a directory that is there whole."""
    return 0.0 if like_part(table) else by_header(DIRECTORY)(table)


def like_part(table: Found) -> float:
    """Whether a table is one postcode area of ONSPD (`Data/multi_csv/ONSPD_FEB_2024_UK_TS.csv`) and the whole directory
    is beside that folder."""
    part = PurePosixPath(table.member or table.path.as_posix())
    whole = re.sub(r"_[A-Z]{1,2}\.csv$", ".csv", part.name)
    if part.parent.name != "multi_csv" or whole == part.name or by_header(DIRECTORY)(table) < 1:
        return 0.0
    beside = (part.parents[1] / whole).as_posix()
    if not table.member:
        return float(Path(beside).is_file())
    with zipfile.ZipFile(table.path) as archive:
        return float(beside in archive.namelist())


def read_part(_: Found) -> Read:
    """An empty frame."""
    return Read(pd.DataFrame(), notes=("a part of the directory beside it, which is read whole",))


ANSWERS = "where each practice and hospital is, and in which authority"
FORMATS = (
    Format("postcodes", "ONS Postcode Directory (ONSPD, NSPL)", ANSWERS, read_directory, like_directory, DIRECTORY),
    Format("documentation", "ONS Postcode Directory, an area of it", "", read_part, like_part),
    Format("postcodes", "Code-Point Open (a postcode area)", ANSWERS, read_area, like_area),
    Format("postcodes", "Code-Point Open with a header", ANSWERS, read_headed, like_headed, HEADED),
)
