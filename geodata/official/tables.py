"""Official CSV files as tables of text: columns found by name, nothing guessed, every fault with its place."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from optimiser.errors import DataError, OutputError, Problem, raise_all


def read_table(path: Path, required: Sequence[str] = ()) -> pd.DataFrame:
    """A CSV file as a frame of stripped text; blank cells are "". Frame row 0 is line 2 of the file.

    Raises DataError for another encoding than UTF-8, a duplicate or missing required column, a row of the wrong length;
    OutputError when the file cannot be read.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [[cell.strip() for cell in row] for row in csv.reader(file) if row]
    except UnicodeDecodeError as error:
        raise DataError(
            Problem(f"byte {error.start + 1} is not UTF-8", path.name, "", "Save the file as UTF-8.")
        ) from error
    except csv.Error as error:
        raise DataError(Problem(f"is not a CSV file: {error}", path.name)) from error
    except OSError as error:
        raise OutputError(Problem(f"cannot be read: {error.strerror}", path.name)) from error
    if not rows:
        raise DataError(Problem("is empty", path.name, "a header row is needed."))
    header, body = rows[0], rows[1:]
    problems = [
        Problem(f"column {name!r} appears twice", f"{path.name}:1:{name}", "each column once.")
        for name in sorted({name for name in header if header.count(name) > 1})
    ]
    problems += [missing_column(path.name, name, header) for name in required if name not in header]
    problems += [
        Problem(f"{len(row)} cells under {len(header)} columns", f"{path.name}:{line}")
        for line, row in enumerate(body, start=2)
        if len(row) != len(header)
    ]
    raise_all(DataError, problems)
    return pd.DataFrame(body, columns=header, dtype=str)


def missing_column(file: str, name: str, header: Sequence[str]) -> Problem:
    """The problem of a column that is not there, with the nearest names that are."""
    return Problem(f"column {name!r} is missing", f"{file}:1:{name}", "", alternatives(name, header))


def alternatives(word: str, known: Sequence[str]) -> str:
    """Names nearest to a word, as a sentence; the first few when none is near."""
    near = get_close_matches(word, known, n=3, cutoff=0.4) or sorted(known)[:8]
    return f"Nearest: {', '.join(near)}." if near else ""


def numbers(table: pd.DataFrame, column: str, file: str) -> NDArray[np.float64]:
    """A column as numbers, NaN where blank or where the column is absent; anything else raises DataError by row."""
    if column not in table:
        return np.full(len(table), np.nan)
    text = table[column]
    values = pd.to_numeric(text.where(text != ""), errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    wrong = np.flatnonzero((np.isnan(values) | np.isinf(values)) & (text != "").to_numpy())
    raise_all(
        DataError,
        [Problem(f"{text.iloc[i]!r} is not a number", f"{file}:{i + 2}:{column}") for i in wrong],
    )
    return values


_CAPITALS = frozenset(
    {"NHS", "PCN", "ICB", "GP", "UK", "CIC", "II", "III", "NE", "NW", "SE", "SW", "MSK", "MK", "A&E", "HQ", "DHC"}
)
_SMALL = frozenset({"and", "of", "the", "in", "on", "at", "for", "upon", "by", "with"})


def readable(name: str) -> str:
    """A name published in capitals, as a person would write it; a name in mixed case is left alone."""
    if name != name.upper():
        return name
    words = name.lower().split(" ")
    return " ".join(_word(word, first=i == 0) for i, word in enumerate(words))


def _word(word: str, first: bool) -> str:
    bare = word.strip("(),.")
    if bare.upper() in _CAPITALS:
        return word.upper()
    if bare in _SMALL and not first:
        return word
    parts = [part[:1].upper() + part[1:] if part else part for part in word.split("-")]
    joined = "-".join(parts)
    return joined[0] + joined[1].upper() + joined[2:] if joined.startswith("(") and len(joined) > 1 else joined
