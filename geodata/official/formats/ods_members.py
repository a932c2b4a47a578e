"""Which commissioner each practice belonged to and when (`epcmem`), and where practices were when they prescribed
(`T201202ADD REXT.CSV`, `T201907ADDR BNFT.CSV`).

Membership: practice, parent, kind of parent (W: a practice's PCG, PCT or CCG), joined, left, amended; no header; dates
yyyymmdd, blank for members to this day. Addresses: month, practice, name, four lines padded with blanks to a fixed
width (N/A where there is none since about 2013), postcode of eight characters; no header.
"""

from __future__ import annotations

from geodata.official.columns import Column
from geodata.official.dates import iso, latest
from geodata.official.format import Format, Read
from geodata.official.formats.ods_cells import (
    COMMISSIONER,
    DATE,
    POSTCODE,
    PRACTICE,
    Cell,
    cells_frame,
    checked,
    dates,
    joined,
    placed,
    postcodes,
    sample,
    share,
    text,
)
from geodata.official.found import Found
from optimiser.errors import DataError, Problem, raise_all

MOST = 0.8
"""The part of a table's head that must look like a format."""
_PRACTICE = ("(practice|organi[sz]ation|org|ods|gp)_?(code|id)", "practice", "code")
MEMBERS = (
    Cell(0, Column("practice", _PRACTICE), PRACTICE, "a practice's code", needed=True),
    Cell(1, Column("commissioner", ("parent_?(ods|organi[sz]ation|org)?_?code", "commissioner(_?code)?")), COMMISSIONER,
         "a commissioner's code", needed=True),
    Cell(2, Column("kind", ("parent_?organi[sz]ation_?type", "(relationship|membership)_?type"), False),
         r"[A-Z]{1,2}\d?", "a letter for the kind of parent"),
    Cell(3, Column("start", ("join(ed)?_?(parent_?)?date", "start_?date")), DATE, "a date", needed=True),
    Cell(4, Column("end", ("left_?(parent_?)?date", "end_?date")), DATE, "a date"),
)  # fmt: skip
LINES = ("line_1", "line_2", "line_3", "line_4")
ADDRESSES = (
    Cell(0, Column("month", ("(time_?)?period", "timepoint", "date", "year_?month")), r"20\d\d(0[1-9]|1[0-2])",
         "a month (201202)", needed=True),
    Cell(1, Column("practice", ("(gp_?)?prac(tice)?_?(code|id)", "practice", "code")), PRACTICE, "a practice's code",
         needed=True),
    text(2, "name", "(practice_?)?name", "addnam", required=True),
    *(text(2 + i, f"line_{i}", f"addr?(ess)?_?(line_?)?{i}") for i in range(1, 5)),
    Cell(7, Column("postcode", ("post_?code",)), POSTCODE, "a postcode", needed=True, lenient=True),
)  # fmt: skip


def read_members(table: Found) -> Read:
    """epcmem: practice, commissioner, start, end (blank: to this day)."""
    frame, notes = cells_frame(table, MEMBERS)
    frame, found = checked(table, frame, MEMBERS)
    frame = dates(table, frame, "start", "end")[["practice", "commissioner", "start", "end"]]
    same = frame.duplicated()
    wrong = (frame["end"] != "") & (frame["end"] < frame["start"])
    counts = {"the same row again": int(same.sum()), "ends before it starts": int((wrong & ~same).sum())}
    vintage = iso(table.called) or latest(frame["start"])
    dropped = {reason: count for reason, count in counts.items() if count}
    return Read(frame[~same & ~wrong], vintage, (*notes, *found), dropped)


def read_addresses(table: Found) -> Read:
    """T201202ADD: practice, name, address, postcode; of several months the last that names the practice."""
    frame, notes = cells_frame(table, ADDRESSES)
    frame, found = checked(table, frame, ADDRESSES)
    month = frame["month"].max()
    frame = frame.assign(address=joined(frame, LINES), postcode=postcodes(frame["postcode"]))
    same = frame.duplicated()
    frame = frame[~same].sort_values("month", kind="stable")
    twice = frame[frame.duplicated(["practice", "month"], keep=False)]
    raise_all(
        DataError,
        [
            Problem(
                f"{code} stands in lines {', '.join(map(str, rows.index))}, which differ",
                f"{table.name}:{rows.index[-1]}",
            )
            for code, rows in twice.groupby("practice")
        ],
    )
    last = ~frame.duplicated("practice", keep="last")
    counts = {"the same row again": int(same.sum()), "an address of an earlier month": int((~last).sum())}
    dropped = {reason: count for reason, count in counts.items() if count}
    names = ["practice", "name", "address", "postcode"]
    return Read(frame.loc[last, names].sort_index(), f"{month[:4]}-{month[4:]}", (*notes, *found), dropped)


def _looks(table: Found, cells: tuple[Cell, ...], columns: range) -> float:
    """1 where every column that is required is there and most of its cells fit."""
    if table.kind == "map":
        return 0.0
    place = placed(table, cells)
    rows = sample(table, place)
    width = max(map(len, rows), default=0)
    if not place.named and width not in columns:
        return 0.0
    shaped = [cell for cell in cells if cell.shape and (cell.column.required or cell.name in place.at)]
    return float(all(share(rows, place.at.get(cell.name), cell.fits) >= MOST for cell in shaped))


def _members(table: Found) -> float:
    return _looks(table, MEMBERS, range(5, 9))


def _addresses(table: Found) -> float:
    return _looks(table, ADDRESSES, range(8, 11))


FORMATS = (
    Format(
        "memberships",
        "Which commissioner each practice belonged to, and when (epcmem)",
        "who moved between PCGs, PCTs and CCGs",
        read_members,
        _members,
        tuple(cell.column for cell in MEMBERS),
    ),
    Format(
        "addresses",
        "Addresses of practices in the prescribing data (T201202ADD)",
        "where practices were that have closed since",
        read_addresses,
        _addresses,
        tuple(cell.column for cell in ADDRESSES),
    ),
)
