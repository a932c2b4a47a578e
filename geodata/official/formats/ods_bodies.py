"""Trusts (`etr`, with their sites `etrust`) and commissioners (`eccg`; before 2013 `epct`) as the Organisation Data
Service publishes them: 27 columns, no header, no status. Closed ones stay in the files; hubs of NHS England and the
reporting entities of sub-ICBs are among the commissioners since 2022.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pandas as pd

from geodata.official.format import Format, Read
from geodata.official.formats.ods_cells import COMMISSIONER, TRUST, Cell, cells_frame, checked
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

TRUSTS = (code_cell(TRUST, "a trust's code"), NAME, *SHARED)
COMMISSIONERS = (code_cell(COMMISSIONER, "a commissioner's code"), NAME, *SHARED)


def read_trusts(table: Found) -> Read:
    """etr, and etrust without its sites: code, name, icb, postcode, opened, closed."""
    refuse_moved(table, TRUSTS)
    frame, notes = cells_frame(table, TRUSTS)
    site = frame["code"].str.fullmatch(r"[A-Z][A-Z0-9]{4}") & ~_is_trust(frame["name"])
    frame, found = checked(table, frame[~site], TRUSTS)
    frame, told = dated(table, frame)
    frame, dropped = once(table, frame)
    if site.any():
        dropped = {"a site of a trust, not a trust": int(site.sum()), **dropped}
    names = ["code", "name", "icb", "postcode", "opened", "closed"]
    return Read(frame[names], vintage(table, frame), (*notes, *found, *told), dropped)


def read_commissioners(table: Found) -> Read:
    """eccg and epct: code, name, region, icb, postcode, opened, closed. Hubs and reporting entities are among them."""
    refuse_moved(table, COMMISSIONERS)
    frame, notes = cells_frame(table, COMMISSIONERS)
    frame, found = checked(table, frame, COMMISSIONERS)
    frame, told = dated(table, frame)
    frame, dropped = once(table, frame)
    names = ["code", "name", "region", "icb", "postcode", "opened", "closed"]
    return Read(frame[names], vintage(table, frame), (*notes, *found, *told), dropped)


def _is_trust(names: pd.Series) -> pd.Series:
    return names.str.contains(r"\bTRUST\b", flags=re.I)


def _named(cells: Sequence[Cell], code: str, own: str, names: str) -> Callable[[Found], float]:
    """Likeness by codes of this shape, and by the names of those whose codes are an organisation's own."""

    def alike(table: Found) -> float:
        said = [name for found, name in laid_out(table, cells, code) if re.fullmatch(own, found)]
        fit = sum(bool(re.search(names, name, re.IGNORECASE)) for name in said)
        return 1.0 if said and fit >= MOST * len(said) else 0.0

    return alike


_COMMISSION = r"\b(CCG|ICB|PCT|PCG|COMMISSIONING|INTEGRATED CARE BOARD|PRIMARY CARE|CARE TRUST|REPORTING ENTITY)\b"
FORMATS = (
    Format(
        "ods_trusts",
        "NHS trusts of the Organisation Data Service (etr, etrust)",
        "which trusts there are, and where their offices are",
        read_trusts,
        _named(TRUSTS, rf"{TRUST}|[RT][A-Z0-9]{{4}}", TRUST, r"\bTRUST\b"),
        tuple(cell.column for cell in TRUSTS),
    ),
    Format(
        "ods_commissioners",
        "Commissioners of the Organisation Data Service (eccg, epct)",
        "the names of commissioners, and which of them have closed",
        read_commissioners,
        _named(COMMISSIONERS, COMMISSIONER, COMMISSIONER, _COMMISSION),
        tuple(cell.column for cell in COMMISSIONERS),
    ),
)
