"""Cells that must look like what they are: a code, a postcode."""

from __future__ import annotations

import re

import pandas as pd

from geodata.official.found import Found
from optimiser.errors import DataError, Problem

GSS = r"[EWSNLMK]\d{8}"
"""Codes of the Office for National Statistics; L99999999 and M99999999 are the Channel Islands and the Isle of Man."""
POSTCODE = r"[A-Z]{1,2}\d[A-Z0-9]?\d[A-Z]{2}|GIR0AA|NPT\d[A-Z]{2}"
"""Without its space. Two districts keep forms of before 1970: Girobank's, and old Newport's NPT."""


def coded(table: Found, frame: pd.DataFrame, name: str, pattern: str, rule: str, blank: bool = False) -> pd.Series:
    """A column in capitals and without spaces. DataError naming each row that is none of the pattern, as codes are
    that a spreadsheet took for a number (1E+05), a date (05-May) or without its zeros; `blank`: may be "" too."""
    kept = {text: "".join(text.split()).upper() for text in frame[name].unique()}
    wrong = {text for text, code in kept.items() if not (re.fullmatch(pattern, code) or (blank and not code))}
    if wrong:
        rows = frame.index[frame[name].isin(wrong).to_numpy()]
        raise DataError(*(Problem(_what(frame[name].at[i], name), f"{table.name}:{i}:{name}", rule) for i in rows))
    return frame[name].map(kept)


def _what(text: str, name: str) -> str:
    words = name.replace("_", " ")
    return f"{text!r} is no {words}" if text else f"the {words} is blank"


def twice(table: Found, frame: pd.DataFrame, keys: list[str], compared: list[str]) -> pd.Series:
    """Which rows say again what an earlier one says. DataError for those with the same keys that say otherwise."""
    again = frame.duplicated(keys)
    if not again.any():
        return again
    same = frame.duplicated(keys + compared)
    if (again & ~same).any():
        rows = frame.index[(again & ~same).to_numpy()]
        raise DataError(
            *(
                Problem(
                    f"{' '.join(str(frame[key].at[i]) for key in keys)} stands twice and differs",
                    f"{table.name}:{i}:{keys[0]}",
                )
                for i in rows
            )
        )
    return again
