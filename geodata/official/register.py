"""Official tables → the practices that can be planned with, and why the others are left out.

Whoever has patients on a list or a place in the map of practices is looked at. What a newer file says goes before what
an older one says, practice by practice, so that files of different months may stand side by side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from geodata.coordinates import to_national_grid
from geodata.official.england_boundaries import Boundaries
from geodata.official.format import Read, newest_full
from geodata.official.formats.ods import SPECIAL

LEAST_LIST = 1_000
"""Patients below which a list is taken for a special allocation, a shell, or a practice that is closing."""
LEAST_KNOWN = 500
"""Registered people of a small area (of 1,000 to 3,000) below which most must be on lists that were not read."""
GP = "gp"
Tables = Mapping[str, Sequence[Read]]
"""Key of a format → what was read of it, newest first."""


@dataclass(frozen=True)
class Register:
    """table: practices that could be used, as text, with the columns of the prepared bundle (code, name, list_size,
    easting, northing, lad_code …). excluded: code, name, row ("" here), reason, and the table's columns. used: what was
    taken from where: column → vintage → practices. upper_of: lower authority → upper one, as the files name them."""

    table: pd.DataFrame
    excluded: pd.DataFrame
    used: Mapping[str, Mapping[str, int]]
    upper_of: Mapping[str, str]


def register(tables: Tables) -> Register:
    """The practices of the official tables. No list at all, or no place for anybody, gives an empty table."""
    codes = sorted(_codes(tables))
    table = pd.DataFrame({"code": codes}, dtype=str).set_index("code", drop=False)
    origin: dict[str, pd.Series] = {}

    def take(column: str, key: str, wanted: str, by: str = "practice") -> None:
        """Fill a column's blanks from each file of a kind, newest first; list sizes from none older than the newest
        full list, since patients who moved would count twice."""
        if column not in table:
            table[column] = ""
        for read in newest_full(tables.get(key, ())) if column == "list_size" else tables.get(key, ()):
            source = read.frame.drop_duplicates(by, keep="first").set_index(by)
            text = source[wanted].reindex(codes).map(_text)
            new = (table[column] == "") & (text != "")
            table.loc[new, column] = text[new]
            label = read.vintage or "undated"
            label = f"need weights, {label}" if (column, key) == ("list_size", "need") else label
            origin.setdefault(column, pd.Series("", index=table.index))[new] = label

    take("list_size", "lists", "patients")
    take("list_size", "need", "patients")
    table["list_size"] = table["list_size"].map(lambda size: f"{float(size):.0f}" if size else "")
    for age in ("pct_65plus", "pct_under5", "pct_5_19"):
        take(age, "lists", age)
    origin["pcn_code"] = pd.Series("", index=table.index)
    _take_rows(table, tables, origin["pcn_code"])
    _overtake(table, tables, origin["pcn_code"])
    take("sub_icb_code", "ods_practices", "commissioner", by="code")
    take("sub_icb_code", "lists", "commissioner")
    take("icb_code", "ods_practices", "icb", by="code")
    for key, by in (("geographies", "practice"), ("ods_practices", "code"), ("addresses", "practice")):
        take("name", key, "name", by)
        take("postcode", key, "postcode", by)
    take("postcode", "lists", "postcode")
    take("postcode", "need", "postcode")
    take("status", "ods_practices", "status", by="code")
    take("closed", "ods_practices", "closed", by="code")
    take("setting", "ods_practices", "setting", by="code")
    take("need_index_overall", "need", "need_index")
    take("imd_score", "deprivation", "imd_score")
    origin["place"] = pd.Series("", index=table.index)
    upper_of = _place(table, tables, origin["place"])
    for column in ("sub_icb", "icb"):
        _name_bodies(table, column, tables)
    table["name"] = table["name"].where(table["name"] != "", table["code"])
    listed = max((read.vintage for read in tables.get("lists", ())), default="")
    registers = [read.vintage for read in tables.get("ods_practices", ())]
    reason = _reasons(table, bool(registers), bool(registers) and registers[0] >= listed)
    kept = reason == ""
    excluded = table[~kept].assign(row="", reason=reason[~kept])
    used = {}
    for column, labels in origin.items():
        known = kept & (labels != "") & (table["easting" if column == "place" else column] != "")
        used[column] = {str(label): int(count) for label, count in labels[known].value_counts().items()}
    return Register(table[kept].reset_index(drop=True), excluded.reset_index(drop=True), used, upper_of)


_GEOGRAPHY = (
    "pcn_code", "pcn_name", "sub_icb_code", "sub_icb_name", "icb_code", "icb_name", "nhs_region_code",
    "nhs_region_name",
)  # fmt: skip


def _take_rows(table: pd.DataFrame, tables: Tables, origin: pd.Series) -> None:
    """Network, commissioner, ICB and region of each practice, all from the newest map that has it: one that has left
    its network stays without. Who is in no map may be in a list of networks. origin: filled with the day of each."""
    for column in _GEOGRAPHY:
        table[column] = ""
    for key in ("geographies", "pcn_members"):
        for read in tables.get(key, ()):
            rows = read.frame
            if "end" in rows:
                rows = rows[rows["end"] == ""]
            rows = rows.drop_duplicates("practice").set_index("practice")
            new = table.index[(origin == "").to_numpy() & table.index.isin(rows.index)]
            for column in (name for name in _GEOGRAPHY if name in rows):
                table.loc[new, column] = rows.loc[new, column].fillna("")
            origin[new] = read.vintage or "undated"


def _overtake(table: pd.DataFrame, tables: Tables, mapped: pd.Series) -> None:
    """Commissioner and ICB as a register newer than the map has them. mapped: the day of each practice's map."""
    for read in tables.get("ods_practices", ())[:1]:
        rows = read.frame.drop_duplicates("code").set_index("code").reindex(table.index).fillna("")
        for column, wanted in (("sub_icb", "commissioner"), ("icb", "icb")):
            newer = (mapped != "") & (mapped < read.vintage) & (rows[wanted] != "")
            changed = newer & (rows[wanted] != table[f"{column}_code"])
            table.loc[changed, f"{column}_code"] = rows.loc[changed, wanted]
            table.loc[changed, f"{column}_name"] = ""


def _name_bodies(table: pd.DataFrame, body: str, tables: Tables) -> None:
    """Names of commissioners that the map of practices does not give, from the register of commissioners."""
    for read in tables.get("ods_commissioners", ()):
        names = read.frame.drop_duplicates("code").set_index("code")["name"]
        blank = (table[f"{body}_name"] == "") & (table[f"{body}_code"] != "")
        table.loc[blank, f"{body}_name"] = table.loc[blank, f"{body}_code"].map(names).fillna("")


def _codes(tables: Tables) -> set[str]:
    """Everybody in the newest full list of patients or map of practices, or in a newer part of one; failing these, in
    the need weights. Who is only in older files has closed since, or will be found by the register."""
    reads = [*newest_full(tables.get("lists", ())), *newest_full(tables.get("geographies", ()))]
    reads = reads or list(tables.get("need", ())[:1])
    return {code for read in reads for code in read.frame["practice"]} - {""}


def _text(value: object) -> str:
    if isinstance(value, float):
        if np.isnan(value):
            return ""
        return f"{value:.0f}" if value.is_integer() else repr(round(value, 6))
    return "" if value is None else str(value)


def _place(table: pd.DataFrame, tables: Tables, origin: pd.Series) -> dict[str, str]:
    """Easting, northing and authorities of each practice: by its postcode, else as the need weights place it, else in
    the middle of its patients. origin: filled with which. Returns lower authority → upper one."""
    for column in ("easting", "northing", "lad_code", "utla_code"):
        table[column] = ""
    upper_of: dict[str, str] = {}

    def put(found: pd.DataFrame, label: str) -> None:
        """found: by practice; easting and northing as numbers, lad_code, upper_code as text."""
        new = table.index[(table["easting"] == "").to_numpy() & table.index.isin(found.index[found["easting"].notna()])]
        for column in ("easting", "northing"):
            table.loc[new, column] = found.loc[new, column].map(lambda v: f"{v:.1f}")
        for column, source in (("lad_code", "lad_code"), ("utla_code", "upper_code")):
            if source in found:
                blank = table.index[(table[column] == "").to_numpy() & table.index.isin(found.index)]
                table.loc[blank, column] = found.loc[blank, source].fillna("")
        origin[new] = label

    for read in tables.get("postcodes", ()):
        by_code = read.frame.drop_duplicates("postcode").set_index("postcode")
        at = by_code.reindex(table["postcode"].str.replace(" ", ""))
        at.index = table.index
        put(at, f"postcode, {read.vintage or 'undated'}")
        pairs = read.frame[["lad_code", "upper_code"]].drop_duplicates()
        _learn(upper_of, pairs)
    for read in tables.get("need", ()):
        frame = read.frame.drop_duplicates("practice").set_index("practice")
        known = frame["lat"].notna() & frame["lon"].notna()
        xy = np.full((len(frame), 2), np.nan)
        xy[known] = to_national_grid(frame["lon"][known].to_numpy(), frame["lat"][known].to_numpy())
        frame = frame.assign(easting=xy[:, 0], northing=xy[:, 1])
        now = table["postcode"].str.replace(" ", "").reindex(frame.index).fillna("")
        moved = (now != "") & (now != frame["postcode"].str.replace(" ", ""))
        label = f"need weights, {read.vintage or 'undated'}"
        put(frame[~moved], label)
        put(frame[moved], f"an older address in the {label}")
        pairs = frame[["lad_code", "upper_code"]].drop_duplicates()
        _learn(upper_of, pairs)
    places = [read.frame.set_index("lsoa") for read in tables.get("lsoa_places", ())]
    for read in tables.get("lsoa_lists", ()) if places else ():
        rows = read.frame.join(pd.concat(places)[["easting", "northing"]].groupby(level=0).first(), on="lsoa")
        rows = rows[rows["easting"].notna() & (rows["patients"] > 0)]
        weighted = rows[["easting", "northing"]].mul(rows["patients"], axis=0).assign(n=rows["patients"])
        sums = weighted.groupby(rows["practice"]).sum()
        put(sums[["easting", "northing"]].div(sums["n"], axis=0), f"middle of its patients, {read.vintage}")
    return upper_of


def _learn(upper_of: dict[str, str], pairs: pd.DataFrame) -> None:
    """Which upper authority a lower one is in, unless a newer file has said it. A district (E07) is never its own."""
    for lower, upper in sorted(pairs.itertuples(index=False)):
        if lower and upper and not (lower == upper and lower.startswith("E07")):
            upper_of.setdefault(lower, upper)


def _reasons(table: pd.DataFrame, registered: bool, newer: bool) -> pd.Series:
    """Why each practice is left out, "" where it is kept. registered: there is a register of practices to ask. newer:
    it is no older than the lists, so that who is not in it is none; an older one does not know who opened since."""
    size = pd.to_numeric(table["list_size"], errors="coerce")
    reason = pd.Series("", index=table.index)

    def leave(which: pd.Series, why: pd.Series | str) -> None:
        blank = which & (reason == "")
        reason[blank] = why[blank] if isinstance(why, pd.Series) else why

    if registered:
        if newer:
            leave(table["status"] == "", "not in the register of practices")
        # Old registers give no settings; a few rows of new ones lack theirs.
        leave(~table["setting"].isin((GP, "")), "no GP practice: prescribing setting " + table["setting"])
        known = table["status"] != ""
        closed = known & (table["status"] != "active") & (table["closed"] != "")
        leave(closed, "closed on " + table["closed"])
        leave(known & (table["status"] != "active"), table["status"])
    leave(size.isna(), "no list size")
    leave(
        table["name"].str.contains(SPECIAL, flags=re.IGNORECASE),
        "a service for patients whom no other practice registers",
    )
    leave(size < LEAST_LIST, f"a list of fewer than {LEAST_LIST:,}: special allocation, shell, or closing")
    leave(table["easting"] == "", "no place: its postcode is in no file, and nothing else says where it is")
    return reason


def led_areas(tables: Tables, codes: Sequence[str], boundaries: Boundaries) -> pd.DataFrame | None:
    """practice, easting, northing: the middle of every small area whose people are known (`LEAST_KNOWN`), with
    whichever of these practices has most of them (the first by code where two have as many). None where no file says
    who lives where. Middles off the land are left out."""
    places = [read.frame.set_index("lsoa")[["easting", "northing"]] for read in tables.get("lsoa_places", ())]
    lists = tables.get("lsoa_lists", ())
    if not places or not lists:
        return None
    where = pd.concat(places).groupby(level=0).first()
    rows = newest_full(lists)[-1].frame
    known = rows.groupby("lsoa")["patients"].transform("sum") >= LEAST_KNOWN
    rows = rows[known & rows["practice"].isin(set(codes)) & rows["lsoa"].isin(where.index)]
    rows = rows.sort_values(["lsoa", "patients", "practice"], ascending=[True, False, True], kind="stable")
    first = rows.drop_duplicates("lsoa").join(where, on="lsoa")
    land = shapely.STRtree(boundaries.shapes(boundaries.finest))
    inside = np.zeros(len(first), dtype=bool)
    inside[land.query(shapely.points(first[["easting", "northing"]].to_numpy()), predicate="intersects")[0]] = True
    first = first[inside]
    return first[["practice", "easting", "northing"]].reset_index(drop=True).round(1)
