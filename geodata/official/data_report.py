"""What a dataset made of official files is worth: what was read, what it covers, who is left out, and whether totals
agree with what was published."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import numpy as np

from geodata.official.england_dataset import ImportReport
from geodata.official.format import FULL, newest_full
from geodata.official.official import File, Inventory, Missing
from geodata.official.register import Register

COVERED = (
    ("list_size", "List size"), ("place", "Place"), ("lad_code", "Local authority"), ("pcn_code", "Network (PCN)"),
    ("sub_icb_code", "Sub-ICB"), ("icb_code", "ICB"), ("need_index_overall", "Need"), ("imd_score", "Deprivation"),
    ("pct_65plus", "Share aged 65 and over"),
)  # fmt: skip


@dataclass(frozen=True)
class Coverage:
    """A column of the practices that are kept. known: practices that have it. patients: share of patients in them.
    origin: vintage → practices."""

    title: str
    known: int
    patients: float
    origin: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Excluded:
    """Why practices were left out: how many, and with how many patients on their lists."""

    reason: str
    practices: int
    patients: int


@dataclass(frozen=True)
class Tally:
    """A total of a file beside one that was published, or another file's."""

    what: str
    ours: float
    theirs: float
    source: str

    @property
    def apart(self) -> float:
        """Share of theirs; NaN where they have none."""
        return self.ours / self.theirs - 1 if self.theirs else float("nan")


@dataclass(frozen=True)
class DataReport:
    """Of a dataset made of official files. practices: in all England, before it was clipped."""

    made: ImportReport
    files: tuple[File, ...]
    missing: tuple[Missing, ...]
    practices: int
    coverage: tuple[Coverage, ...]
    excluded: tuple[Excluded, ...]
    tallies: tuple[Tally, ...]


def data_report(stock: Inventory, found: Register, made: ImportReport) -> DataReport:
    """The report of an import."""
    return DataReport(
        made,
        stock.files,
        stock.missing,
        len(found.table),
        (*_coverage(found), *_led(stock, found)),
        tuple(_excluded(found)),
        tuple(_tallies(stock, found)),
    )


def _coverage(found: Register) -> Iterator[Coverage]:
    patients = found.table["list_size"].astype(float)
    for column, title in COVERED:
        cells = found.table["easting" if column == "place" else column]
        known = cells != ""
        share = float(patients[known].sum() / patients.sum()) if patients.sum() else 0.0
        yield Coverage(title, int(known.sum()), share, tuple(found.used.get(column, {}).items()))


def _led(stock: Inventory, found: Register) -> Iterator[Coverage]:
    """Practices whose catchments follow where their people live."""
    for read in newest_full(stock.tables.get("lsoa_lists", ()))[-1:]:
        if "lsoa_places" in stock.tables:
            size = found.table.set_index("code")["list_size"].astype(float)
            known = size.index.isin(read.frame["practice"])
            share = float(size[known].sum() / size.sum())
            yield Coverage("Where its people live", int(known.sum()), share, ((read.vintage, int(known.sum())),))


def _excluded(found: Register) -> Iterator[Excluded]:
    """By reason, dates left off, the most first."""
    table = found.excluded
    if table.empty:
        return
    reason = table["reason"].str.replace(r" on \d{4}-.*", "", regex=True)
    size = table["list_size"].where(table["list_size"] != "", "0").astype(float)
    for name, count in reason.value_counts().items():
        yield Excluded(str(name), int(count), int(size[reason == name].sum()))


def _tallies(stock: Inventory, found: Register) -> Iterator[Tally]:
    lists = stock.tables.get("lists", ())
    fullest = max((len(read.frame) for read in lists), default=0)
    for read in lists:
        if len(read.frame) < FULL * fullest:
            continue
        published = national(read.vintage)
        if published is not None:
            total, source = published
            yield Tally(f"Patients registered, {read.vintage}", float(read.frame["patients"].sum()), total, source)
    for totals in stock.tables.get("list_totals", ()):
        regions = totals.frame[totals.frame["tier"] == "region"]["patients"].sum()
        for read in lists:
            if read.vintage == totals.vintage and regions:
                whole = float(read.frame["patients"].sum())
                of = f"totals of regions of the same day, {totals.vintage}"
                yield Tally("Patients registered, practice by practice", whole, regions, of)
    ours = found.table.set_index("code")["list_size"].astype(float)
    for read in newest_full(lists)[-1:]:
        whole = float(read.frame["patients"].sum())
        of = f"the whole list of {read.vintage}: what is missing is left out above"
        yield Tally(f"Patients of the {len(ours):,} practices kept", float(ours.sum()), whole, of)
    for read in stock.tables.get("need", ())[:1]:
        theirs = read.frame.set_index("practice")["patients"].reindex(ours.index)
        known = theirs.notna()
        yield Tally(
            f"Patients of {int(known.sum()):,} practices that have need weights", float(ours[known].sum()),
            float(theirs[known].sum()), f"NHS England need weights, {read.vintage or 'undated'}",
        )  # fmt: skip
    for read in stock.tables.get("lsoa_lists", ())[:1]:
        theirs = read.frame.groupby("practice")["patients"].sum().reindex(ours.index)
        known = theirs.notna()
        yield Tally(
            f"Patients of {int(known.sum()):,} practices that have lists by LSOA", float(ours[known].sum()),
            float(theirs[known].sum()), f"Patients by LSOA, {read.vintage or 'undated'}, England alone",
        )  # fmt: skip


def national(vintage: str) -> tuple[float, str] | None:
    """Patients registered in England on a day, as published, and where; between two days that are known, on the line
    between them; None for a day that is not known, or outside them."""
    day = _day(vintage)
    if day is None:
        return None
    rows = list(csv.DictReader(files("geodata.catalogue").joinpath("registered_patients.csv").open(encoding="utf-8")))
    days = np.array([date.fromisoformat(row["date"]).toordinal() for row in rows])
    totals = np.array([float(row["patients"]) for row in rows])
    if not days[0] <= day <= days[-1]:
        return None
    at = int(np.searchsorted(days, day))
    if days[at] == day:
        return totals[at], rows[at]["source"]
    between = f"on the line between {rows[at - 1]['date']} and {rows[at]['date']}"
    return float(np.interp(day, days, totals)), f"{rows[at]['source']}; {between}"


def _day(vintage: str) -> int | None:
    parts = [int(part) for part in vintage.split("-")] if vintage else []
    return date(*(*parts, 1)[:3]).toordinal() if len(parts) > 1 else None
