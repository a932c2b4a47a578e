"""Practices as the Organisation Data Service (ODS) publishes them: `epraccur`, and `egpam`, a month's changes.

`epraccur` (since 2004, quarterly, then nightly) holds every prescribing cost centre of England, Wales, Man and the
Channel Islands, general practices among them; `egpam` the practices and practitioners whose records changed. 27
columns, no header; copies with a header that somebody added, with more columns or with fewer are read too. Changes:

* status A/C/D/P until the reports of 2024, ACTIVE/INACTIVE/DORMANT/PROPOSED since;
* prescribing setting 0–25 (4: general practice), then roles, several with | (RO76: general practice); old files: none;
* commissioners are PCTs, CCGs or sub-ICBs: 5E1 is what spreadsheets take for a number.
"""

from __future__ import annotations

import re

import pandas as pd

from geodata.official.columns import Column, plain
from geodata.official.format import Format, Read, by_header
from geodata.official.formats.ods_cells import (
    COMMISSIONER,
    PRACTICE,
    PRACTITIONER,
    Cell,
    cells_frame,
    checked,
    placed,
    sample,
    share,
)
from geodata.official.formats.ods_layout import (
    MOST,
    NAME,
    SHARED,
    code_cell,
    dated,
    laid_out,
    once,
    refuse_moved,
    vintage,
)
from geodata.official.found import Found
from optimiser.errors import DataError

STATUSES = {
    **dict.fromkeys(("A", "ACTIVE"), "active"),
    **dict.fromkeys(("C", "INACTIVE"), "inactive"),
    **dict.fromkeys(("D", "DORMANT"), "dormant"),
    **dict.fromkeys(("P", "PROPOSED"), "proposed"),
}
SPECIAL = r"\bSPECIAL ALLOCATION\b|(?<!DR[. ])\bSAS\b|\bVIOLENT\b|\bZERO TOLERANCE\b"
"""Names of services for patients whom no practice will register."""
PROVIDER = "provider(_?(or_?)?purchaser)?"
"""Column 24: the commissioner again, save where a trust or a council runs the practice."""
_GIVEN = (
    *("code", "name", "region", "icb", "postcode", "opened", "closed"),
    *("status", "commissioner", "setting", "address"),
)
_SETTING = r"(\d{1,2}(\.0)?|RO\d+)"
PRACTICES = (
    code_cell(f"{PRACTICE}|{PRACTITIONER}", "a practice's code"),
    NAME,
    *SHARED,
    Cell(12, Column("status", ("(organi[sz]ation_?)?status(_?code)?",)), "|".join(STATUSES),
         f"a status ({', '.join(STATUSES)})", needed=True),
    Cell(14, Column("commissioner", ("commissioner(_org[a-z]*)?(_?code)?", "parent_?(org[a-z]*)?_?code", PROVIDER)),
         COMMISSIONER, "a commissioner's code"),
    Cell(25, Column("setting", ("prescribing_?setting(_?code)?", "setting")),
         rf"{_SETTING}([|;/ ]+{_SETTING})*", "a prescribing setting (4, RO76)"),
)  # fmt: skip


def read_practices(table: Found) -> Read:
    """epraccur and egpam: code, name, region, icb, postcode, opened, closed, status, commissioner, setting ("gp", or
    the codes published), address. Prescribers that are no GP practices are kept; practitioners are not."""
    refuse_moved(table, PRACTICES)
    frame, notes = cells_frame(table, PRACTICES)
    people = frame["code"].str.fullmatch(PRACTITIONER)
    frame, said = _commissioned(table, frame[~people])
    frame, found = checked(table, frame, PRACTICES)
    frame = frame.assign(status=frame["status"].map(STATUSES), setting=_settings(frame["setting"]))
    frame, told = dated(table, frame)
    frame, dropped = once(table, frame)
    special = int(((frame["setting"] == "gp") & frame["name"].str.contains(SPECIAL, flags=re.I)).sum())
    if special:
        notes.append(f"{special:,} GP practices are named as services for patients whom no other practice registers")
    if people.any():
        dropped = {"a practitioner, not a practice": int(people.sum()), **dropped}
    return Read(frame[list(_GIVEN)], vintage(table, frame), (*notes, *said, *found, *told), dropped)


def _commissioned(table: Found, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """With no commissioner for practices that a trust or council runs, in a copy that kept only who runs them."""
    place = placed(table, PRACTICES)
    if place.header is None or not place.named:
        return frame, []
    if not re.fullmatch(PROVIDER, plain(table.head[place.header][place.at["commissioner"]])):
        return frame, []
    codes = frame["commissioner"]
    other = codes.str.fullmatch(r"[A-Z0-9]{3,5}") & ~codes.str.fullmatch(COMMISSIONER)
    note = f"{int(other.sum()):,} practices are run by a body that commissions nothing: their commissioner is not known"
    return frame.assign(commissioner=codes.where(~other, "")), [note] * bool(other.any())


def _settings(column: pd.Series) -> pd.Series:
    """ "gp" where 4 or RO76 is among the codes, else the codes: RO80|RO87."""

    def of(published: str) -> str:
        codes = [code.removesuffix(".0").lstrip("0") or "0" for code in re.split(r"[|;/ ]+", published) if code]
        return "gp" if {"4", "RO76"} & set(codes) else "|".join(codes)

    return column.map({published: of(published) for published in column.unique()})


def _practices(table: Found) -> float:
    """epraccur: practices, and no practitioner in the whole file."""
    likeness = _practice_file(table)
    return likeness if likeness < 1 or not _practitioners(table) else 0.0


def _amendments(table: Found) -> float:
    """egpam: practices and practitioners."""
    return 1.0 if _practice_file(table) >= 1 and _practitioners(table) else 0.0


def _practice_file(table: Found) -> float:
    rows = laid_out(table, PRACTICES, f"{PRACTICE}|{PRACTITIONER}")
    if any(re.fullmatch(PRACTICE, code) for code, _ in rows):
        return 1.0
    if table.kind == "map" or not (place := placed(table, PRACTICES)).named:
        return 0.0
    codes = share(sample(table, place), place.at.get("code"), PRACTICES[0].fits)
    return min(by_header(tuple(cell.column for cell in PRACTICES))(table), 0.99) if codes >= MOST else 0.0


def _practitioners(table: Found) -> bool:
    try:
        codes = table.frame(None, {placed(table, PRACTICES).at["code"]: "code"})["code"]
    except DataError:
        return False
    return bool(codes.str.fullmatch(PRACTITIONER).any())


FORMATS = (
    Format(
        "ods_practices",
        "Practices of the Organisation Data Service (epraccur)",
        "which practices are open, which prescribers are general practices, and where they are",
        read_practices,
        _practices,
        tuple(cell.column for cell in PRACTICES),
    ),
    Format(
        "ods_amendments",
        "A month's changes of practices and practitioners (egpam)",
        "what changed in a month; nothing, where a later epraccur is there",
        read_practices,
        _amendments,
        tuple(cell.column for cell in PRACTICES),
    ),
)
