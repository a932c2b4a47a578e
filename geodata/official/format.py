"""What is known of a published file: how it is told from others, what it holds, and what it is good for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from geodata.official.columns import Column, header_row, located, positions
from geodata.official.found import Found
from optimiser.errors import DataError, Problem


@dataclass(frozen=True)
class Read:
    """What a file holds in the program's own columns. vintage: the day it speaks of, 2025-10-01, or as much of it as is
    known (2025-10, 2025), "" unknown. notes: what a reader should know. dropped: reason → rows that were left out."""

    frame: pd.DataFrame
    vintage: str = ""
    notes: tuple[str, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)


FULL = 0.5
"""Of the rows of the fullest file of a kind: a file with fewer is a part or a sample."""


def newest_full(reads: Sequence[Read]) -> list[Read]:
    """Of files of one kind, newest first: the newest full one, after newer parts of one (`FULL`)."""
    fullest = max((len(read.frame) for read in reads), default=0)
    found: list[Read] = []
    for read in reads:
        found.append(read)
        if len(read.frame) >= FULL * fullest:
            break
    return found


@dataclass(frozen=True)
class Format:
    """A published format. key: what it gives (several formats may give the same). title: as people call it. answers:
    the question that nothing else answers where it is missing. columns: of a file with a header. alike: how much a
    table looks like it, 0 (not at all) to 1 (it is one). read: a table of it, DataError where it is broken."""

    key: str
    title: str
    answers: str
    read: Callable[[Found], Read]
    alike: Callable[[Found], float]
    columns: tuple[Column, ...] = ()


def by_header(
    columns: Sequence[Column],
    foreign: Sequence[str] = (),
    common: bool = False,
    telling: Callable[[Found], bool] = lambda _: True,
) -> Callable[[Found], float]:
    """Likeness by header: 1 where every required column is there, else the part of them that is. foreign: patterns of
    headers that tell of another format with these columns (likeness 0). common: the required columns stand in many
    other tables too, so that one that lacks some is only like this if it has the optional ones. telling: what a table
    that lacks some must show besides to be a broken copy and not another thing."""
    needed = [column.name for column in columns if column.required]
    others = Column("foreign", tuple(foreign))

    def alike(table: Found) -> float:
        if table.kind == "map":
            return 0.0
        row, found = header_row(table, columns)
        if table.head and located(table.head[row], (others,)):
            return 0.0
        if all(name in found for name in needed):
            return 1.0
        if not telling(table):
            return 0.0
        return len(found) / len(columns) if common else sum(name in found for name in needed) / len(needed)

    return alike


def text_frame(table: Found, columns: Sequence[Column]) -> pd.DataFrame:
    """The columns that are there under the program's names, text, its index the line of the file; optional ones that
    are not there are blank. DataError for a required one that is missing, and for a table without rows."""
    header, names = positions(table, columns)
    frame = table.frame(header, dict(names))
    if frame.empty:
        raise DataError(Problem("holds no rows", table.name, "", "Download it again."))
    for column in columns:
        if column.name not in frame:
            frame[column.name] = ""
    return frame


TOO_LARGE = 1e12


def numbers(table: Found, frame: pd.DataFrame, name: str, blank: float = float("nan")) -> pd.Series:
    """A column as numbers: thousands separators (155,793) and a currency sign dropped, `blank` where it is blank or
    says that there is none (*, -, NULL, n/a). DataError naming each row with anything else: decimal commas, inf,
    what is larger than any count or budget of England."""
    # Most cells are plain numbers: only the rest are looked at closely, for the sake of files of millions of rows.
    values = pd.to_numeric(frame[name], errors="coerce").astype(float)
    rest = ~(values.abs() < TOO_LARGE)
    if rest.any():
        text = frame.loc[rest.to_numpy(), name].str.replace(r"[£\s]", "", regex=True)
        grouped = text.str.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
        text = text.mask(grouped, text.str.replace(",", ""))
        none = text.str.fullmatch(r"(?i)|\*|-|–|\.+|null|n/?a|na|nan")
        read = pd.to_numeric(text.where(~none), errors="coerce").astype(float)
        wrong = text.index[(~(read.abs() < TOO_LARGE) & ~none).to_numpy()]
        if len(wrong):
            raise DataError(
                *(Problem(f"{frame[name].at[i]!r} is not a number", f"{table.name}:{i}:{name}") for i in wrong)
            )
        values[rest] = read
    return values.fillna(blank)
