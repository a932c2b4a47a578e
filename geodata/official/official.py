"""A folder of downloaded official files → a dataset folder: the whole story, in order.

Each file is recognised by what it holds, read by its format, and laid together practice by practice. What no file
gives is told, with the question that then has no answer.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
from shapely.geometry import mapping

from geodata.official.england_areas import on_land
from geodata.official.england_boundaries import Area, Boundaries, boundaries_of
from geodata.official.england_dataset import Clip, ImportReport, Prepared, write_dataset
from geodata.official.england_practices import England, usable
from geodata.official.england_providers import supply_of
from geodata.official.folder import refuse
from geodata.official.format import Read, newest_full
from geodata.official.formats import FORMATS, lists, lsoa
from geodata.official.found import look
from geodata.official.recognise import Recognised, Unknown, recognise
from geodata.official.register import Register, Tables, led_areas, register
from geodata.official.supply_files import supply_tables
from optimiser.errors import ConsortiaError, DataError, Problem

NEEDED = ("lists", "boundaries")
HALVES = (
    ("lists_of_a_sex", "lists", lists.both_sexes),
    ("lsoa_lists_of_a_sex", "lsoa_lists", lsoa.both_sexes),
)
"""Files of one sex, of use where there is none of both: the key of each, what both make, and how."""
TIERS = {"lad": "lower", "upper": "upper"}


@dataclass(frozen=True)
class File:
    """A table of the folder, and what was made of it. format: its title, "" where it is in none that is known. key:
    what it gives. rows: read. sha256: of the whole file. said: why it was not read, or what a reader should know."""

    name: str
    format: str
    key: str
    vintage: str
    rows: int
    dropped: tuple[tuple[str, int], ...]
    sha256: str
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Missing:
    """A kind of file that the folder lacks. answers: the question that it would answer."""

    title: str
    answers: str


@dataclass(frozen=True)
class Inventory:
    """What is in a folder. tables: key → what was read, newest first. files: every table and every file without one.
    missing: kinds of which there is none."""

    tables: Tables
    files: tuple[File, ...]
    missing: tuple[Missing, ...]


Told = Callable[[str], None]


def take_stock(folder: Path, told: Told = lambda _: None) -> Inventory:
    """Recognise and read every table of a folder. told: hears of each file as it is read.

    Raises DataError for every file that is nearly but not quite in a format, or that is broken; OutputError where there
    is no such folder.
    """
    found, unread = look(folder)
    again = "Download it again, or take it out of the folder."
    problems = [Problem(u.why, u.name, mend=again) for u in unread if u.broken]
    tables: dict[str, list[Read]] = {}
    files = [File(u.name, "", "", "", 0, (), "", (u.why,)) for u in unread]
    marks: dict[Path, str] = {}
    for table in found:
        mark = marks.get(table.path) or marks.setdefault(table.path, _sha256(table.path))
        known = recognise(table)
        if isinstance(known, Unknown):
            if known.nearly is not None:
                problems += [_nearly(problem, known) for problem in known.problems]
            files.append(File(table.name, "", "", "", 0, (), mark, ("in no format that is known",)))
            continue
        told(f"{table.name}: {known.format.title}")
        try:
            read = known.format.read(table)
        except ConsortiaError as fault:
            problems += fault.problems
            continue
        tables.setdefault(known.format.key, []).append(read)
        files.append(_file(known, read, mark))
    if problems:
        raise DataError(*problems)
    for part, whole, together in HALVES:
        halves = tables.pop(part, [])
        if halves and whole not in tables:
            tables[whole] = list(_months(halves, together))
    # Of one day the fuller first: samples of a file may lie beside it.
    newest = {
        key: sorted(reads, key=lambda read: (read.vintage, len(read.frame)), reverse=True)
        for key, reads in tables.items()
    }
    return Inventory(newest, tuple(sorted(files, key=lambda f: f.name)), tuple(_missing(newest)))


def import_official(
    source: Path,
    out: Path,
    clip: Clip,
    overwrite: bool = False,
    told: Told = lambda _: None,
    draw: Callable[[Path, str, Inventory, Register, ImportReport], None] = lambda *_: None,
) -> tuple[ImportReport, Inventory]:
    """Write the dataset folder `out` from a folder of official files. draw: writes the data report into it, given the
    dataset's name.

    Needs lists of patients, a place for each practice (postcodes, or the need weights) and authority boundaries; all
    else answers further questions. Raises DataError, OutputError.
    """
    began = time.monotonic()
    refuse(out, overwrite)
    _refuse_prepared(source)
    stock = take_stock(source, told)
    _refuse_without(stock)
    told("practices")
    found = register(stock.tables)
    boundaries, year = _boundaries(stock.tables, found)
    england = on_land(_england(found), boundaries)
    listed, sites, counted, notes = supply_tables(stock.tables)
    supply = supply_of(listed, sites, counted, england.xy)
    told("flows")
    prepared = Prepared(
        england,
        boundaries,
        supply,
        list_year=_year(found.used.get("list_size", {})),
        geography_year=year,
        notes=(*_used(found), *_closed_since(found), *notes),
        provenance=_provenance(stock),
        people=led_areas(stock.tables, england.table["code"], boundaries),
    )

    def more(folder: Path, name: str, made: ImportReport) -> None:
        draw(folder, name, stock, found, made)

    return write_dataset(prepared, out, clip, overwrite, began, more), stock


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_prepared(source: Path) -> None:
    """DataError for a folder that another command reads."""
    path = source / "practices.csv"
    if path.is_file() and b"list_size" in path.open("rb").readline():
        raise DataError(
            Problem(
                "is a prepared bundle, no folder of files as they were published",
                source.name,
                mend="Use: consortia import england-open.",
            )
        )


def _months(reads: Sequence[Read], together: Callable[[Sequence[Read]], Read]) -> Iterator[Read]:
    """What the halves of each month make."""
    for vintage in sorted({read.vintage for read in reads}):
        yield together([read for read in reads if read.vintage == vintage])


def _nearly(problem: Problem, known: Unknown) -> Problem:
    title = known.nearly.title if known.nearly is not None else ""
    mend = f"{problem.mend} If it is another file, take it out of the folder.".strip()
    return Problem(problem.what, problem.where, f"The file looks like: {title}.", mend)


def _file(known: Recognised, read: Read, mark: str) -> File:
    return File(
        known.table.name, known.format.title, known.format.key, read.vintage, len(read.frame),
        tuple(read.dropped.items()), mark, read.notes,
    )  # fmt: skip


def _missing(tables: Tables) -> list[Missing]:
    """The first format of every kind of which nothing was read."""
    seen: dict[str, Missing] = {}
    others = {part for part, _, _ in HALVES} | {"ods_amendments"}
    for form in FORMATS:
        if form.key not in tables and form.key not in others and form.answers:
            seen.setdefault(form.key, Missing(form.title, form.answers))
    return list(seen.values())


def _refuse_without(stock: Inventory) -> None:
    tables = stock.tables
    problems = [
        Problem(f"no file with {form.title}", "", f"It answers: {form.answers}.", "Download it into the folder.")
        for key in NEEDED
        if key not in tables
        for form in [next(f for f in FORMATS if f.key == key)]
    ]
    if not {"postcodes", "need"} & set(tables) and not {"lsoa_lists", "lsoa_places"} <= set(tables):
        problems.append(
            Problem(
                "no file says where practices are",
                mend="Add Code-Point Open or the ONS postcode directory, or NHS England's need weights.",
            )
        )
    if problems:
        strange = [f"{file.name} ({'; '.join(file.said)})" for file in stock.files if not file.key]
        seen = [Problem(f"not recognised: {text}") for text in strange]
        raise DataError(*problems, *seen)


def _england(found: Register) -> England:
    if found.table.empty:
        why = found.excluded["reason"].value_counts()
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in why.head(5).items())
        raise DataError(Problem("no practice can be used", rule=f"Left out: {reasons}." if reasons else ""))
    england = usable(found.table)
    return England(
        england.table, england.xy, england.patients, england.need,
        pd.concat([found.excluded, england.excluded], ignore_index=True),
    )  # fmt: skip


def _boundaries(tables: Tables, found: Register) -> tuple[Boundaries, str]:
    """Authorities of the newest file of each tier, lower ones with the upper one that the other files name for them."""
    areas: dict[str, dict[str, Area]] = {}
    years = []
    for tier, name in TIERS.items():
        own = [replace(read, frame=read.frame[read.frame["tier"] == tier]) for read in tables["boundaries"]]
        for read in newest_full([read for read in own if len(read.frame)])[-1:]:
            rows = read.frame
            if len(rows):
                areas[name] = {
                    code: Area(title, _upper(code, parent, found), dict(mapping(geometry)))
                    for code, title, parent, geometry in zip(
                        rows["code"], rows["name"], rows["parent"], rows["geometry"], strict=True
                    )
                }
                years.append(read.vintage[:4])
    if not areas:
        raise DataError(Problem("no boundaries of local authorities", mend="Download districts (LAD) from the ONS."))
    return boundaries_of(areas), " and ".join(sorted(set(years)))


def _upper(code: str, parent: str, found: Register) -> str:
    """The upper authority of a lower one: a county that the boundaries name, else as other files have it; unitary,
    metropolitan and London authorities (E06, E08, E09) are their own. Regions and ICBs are none."""
    if re.fullmatch(r"E(0[6-9]|10)\d{6}", parent):
        return parent
    return found.upper_of.get(code, "") or (code if code.startswith(("E06", "E08", "E09")) else "")


def _year(vintages: Iterable[str]) -> str:
    """Of the lists that were used: the year of the oldest and the newest."""
    years = sorted({vintage[:4] for vintage in vintages if vintage[:1].isdigit()})
    return years[0] if len(years) == 1 else f"{years[0]}–{years[-1]}" if years else "undated"


def _used(found: Register) -> Iterator[str]:
    """What practices were made of, where files of different dates were mixed."""
    words = {"list_size": "List sizes", "pcn_code": "Networks", "place": "Places"}
    for column, word in words.items():
        by = found.used.get(column, {})
        if by:
            yield f"{word}: " + ", ".join(f"{count:,} from {label}" for label, count in by.items()) + "."


def _closed_since(found: Register) -> Iterator[str]:
    """That lists are older than the register, where many patients go with practices that closed in between."""
    left = found.excluded[found.excluded["reason"].str.startswith(("closed", "dormant"))]
    patients = pd.to_numeric(left["list_size"], errors="coerce").sum()
    if patients > 0:
        yield (
            f"All England: {len(left):,} practices closed since their list was made are left out, and {patients:,.0f} "
            "patients with them, who are on other lists by now. Newer lists lose fewer."
        )


def _provenance(stock: Inventory) -> str:
    marks = {file.name.partition("!")[0]: file.sha256[:12] for file in stock.files if file.key}
    return f"Source files (sha256): {', '.join(f'{name} {mark}' for name, mark in marks.items())}."
