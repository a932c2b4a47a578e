"""Dates as publishers write them."""

from __future__ import annotations

import re

import pandas as pd

_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTHS = {word: f"{i:02d}" for i, name in enumerate(_NAMES, start=1) for word in (name, name[:3], name[:4])}
_WORDED = re.compile(r"(?:(\d{1,2})[ \-/]?)?(?<![a-z])([a-z]{3,9})[ \-/]?(\d{4}|\d{2})(?!\d)", re.IGNORECASE)
_BRITISH = re.compile(r"(?<!\d)(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?!\d)")
_MONTH_FIRST = re.compile(r"(?<!\d)(0[1-9]|1[0-2])-((?:19|20)\d\d)(?!\d)")
_ISO = re.compile(r"((?:19|20)\d\d)-?(\d\d)(?:-?(\d\d))?(?!\d)")


def iso(text: str) -> str:
    """The first date in a text as 2021-01-01, or 2026-04 where no day is named; "" where there is none. Understands
    01JAN2021, 01May2022, 1-May-22, 20210101, 2026-02-01, 01/02/2026 (day first), 01-2014, RTT-April-2026,
    MSitAE-MAY-2025."""
    text = text.replace("_", " ")  # ONSPD_FEB_2024_UK
    if found := _BRITISH.search(text):
        day, month, year = found.groups()
        return f"{year}-{int(month):02d}-{int(day):02d}" if 1 <= int(month) <= 12 and 1 <= int(day) <= 31 else ""
    for found in _WORDED.finditer(text):
        day, word, year = found.groups()
        month = _MONTHS.get(word.casefold())
        if month:
            whole = f"20{year}" if len(year) == 2 else year
            return f"{whole}-{month}-{int(day):02d}" if day else f"{whole}-{month}"
    if found := _MONTH_FIRST.search(text):
        return f"{found[2]}-{found[1]}"
    if found := _ISO.search(text):
        year, month, day = found.groups()
        if 1 <= int(month) <= 12 and (day is None or 1 <= int(day) <= 31):
            return f"{year}-{month}" + (f"-{day}" if day else "")
    return ""


def latest(dates: pd.Series, name: str = "") -> str:
    """The newest date of a column of texts, else the one that a file's name tells of, else ""."""
    found = sorted({iso(text) for text in dates.unique()} - {""})
    return found[-1] if found else iso(name)


def qof_year(name: str) -> str:
    """The last day of the QOF year that a name tells of: PREVALENCE_2021_v2, qof-1415-prac, 2014-15; "" of none."""
    for found in re.finditer(r"(?<!\d)(?:20)?(\d\d)[-_/]?(\d\d)(?!\d)", name):
        if int(found[2]) == int(found[1]) + 1 and int(found[1]) >= 4:
            return f"20{found[2]}-03-31"
    return ""
