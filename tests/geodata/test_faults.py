"""Planted faults: what goes wrong in dataset folders, and the message that must follow."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from geodata.read import read_dataset
from optimiser.errors import DataError
from tests.worlds import ORIGIN, box, csv_text, degrees, feature, geojson, world, write_files

Files = dict[str, str | bytes]
Fault = Callable[[Files], None]


def table(files: Files, file: str) -> list[dict[str, str]]:
    text = files[file]
    assert isinstance(text, str)
    return list(csv.DictReader(io.StringIO(text)))


def cell(file: str, line: int, **values: str) -> Fault:
    """Overwrite cells of a file's line (the heading is line 1)."""

    def plant(files: Files) -> None:
        rows = table(files, file)
        rows[line - 2].update(values)
        files[file] = csv_text(rows)

    return plant


def column(file: str, name: str, change: Callable[[dict[str, str]], str]) -> Fault:
    def plant(files: Files) -> None:
        rows = table(files, file)
        for row in rows:
            row[name] = change(dict(row))
        files[file] = csv_text(rows)

    return plant


def text(file: str, change: Callable[[str], str | bytes]) -> Fault:
    def plant(files: Files) -> None:
        before = files[file]
        assert isinstance(before, str)
        files[file] = change(before)
        assert files[file] != before, "the fault was not planted"

    return plant


def areas(change: Callable[[list[dict]], None]) -> Fault:
    def plant(files: Files) -> None:
        document = json.loads(files["areas.geojson"])
        change(document["features"])
        files["areas.geojson"] = json.dumps(document)

    return plant


def drop(file: str) -> Fault:
    def plant(files: Files) -> None:
        del files[file]

    return plant


def both(*faults: Fault) -> Fault:
    def plant(files: Files) -> None:
        for fault in faults:
            fault(files)

    return plant


def swap(files: Files) -> None:
    rows = table(files, "practices.csv")
    for row in rows:
        row["latitude"], row["longitude"] = row["longitude"], row["latitude"]
    files["practices.csv"] = csv_text(rows)


def metres(files: Files) -> None:
    rows = table(files, "practices.csv")
    for n, row in enumerate(rows):
        row["latitude"], row["longitude"] = str(ORIGIN[1] + 1000 * n), str(ORIGIN[0])
    files["practices.csv"] = csv_text(rows)


def degrees_as_metres(files: Files) -> None:
    rows = [{"easting": row["longitude"], "northing": row["latitude"], **row} for row in table(files, "practices.csv")]
    files["practices.csv"] = csv_text(
        [{k: v for k, v in row.items() if k not in ("latitude", "longitude")} for row in rows]
    )


def place(line: int, easting: float, northing: float) -> Fault:
    longitude, latitude = degrees(easting, northing)
    return cell("practices.csv", line, longitude=str(longitude), latitude=str(latitude))


def far_away(features: list[dict]) -> None:
    """Move the two eastern halves 20 km east, over water."""
    x = ORIGIN[0] + 24_000
    features[3:] = [
        feature("U2", "Upper 2", "upper", box(x, ORIGIN[1], x + 4000, ORIGIN[1] + 8000)),
        feature("L3", "Lower 3", "lower", box(x, ORIGIN[1], x + 4000, ORIGIN[1] + 4000), "U2"),
        feature("L4", "Lower 4", "lower", box(x, ORIGIN[1] + 4000, x + 4000, ORIGIN[1] + 8000), "U2"),
    ]


def overlap(features: list[dict]) -> None:
    x, y = ORIGIN
    features[1] = feature("L1", "Lower 1", "lower", box(x, y, x + 5000, y + 4000), "U1")


def gap(features: list[dict]) -> None:
    """A hole of 2.6 km × 2.6 km where the four lower areas meet."""
    x, y, half = ORIGIN[0] + 4000, ORIGIN[1] + 4000, 1300
    for at, (sx, sy) in {1: (-1, -1), 2: (-1, 1), 4: (1, -1), 5: (1, 1)}.items():
        ring = [(x + sx * 4000, y + sy * 4000), (x + sx * 4000, y), (x + sx * half, y), (x + sx * half, y + sy * half)]
        ring += [(x, y + sy * half), (x, y + sy * 4000)]
        properties = features[at]["properties"]
        features[at] = feature(properties["code"], properties["name"], "lower", ring, properties["parent"])


def bow_tie(features: list[dict]) -> None:
    ring = features[1]["geometry"]["coordinates"][0]
    ring[1], ring[2] = ring[2], ring[1]


def open_ring(features: list[dict]) -> None:
    features[1]["geometry"]["coordinates"][0].pop()


def no_geometry(features: list[dict]) -> None:
    features[1]["geometry"] = None


def areas_swapped(features: list[dict]) -> None:
    for one in features:
        one["geometry"]["coordinates"] = [[[y, x] for x, y in ring] for ring in one["geometry"]["coordinates"]]


def island(links: str) -> Fault:
    def plant(files: Files) -> None:
        areas(far_away)(files)
        rows = table(files, "practices.csv")
        for n, row in enumerate(rows):
            if n % 4 >= 2:
                longitude, latitude = degrees(
                    ORIGIN[0] + 20_000 + (n % 4 + 0.5) * 2000, ORIGIN[1] + (n // 4 + 0.5) * 2000
                )
                row["longitude"], row["latitude"] = str(longitude), str(latitude)
        files["practices.csv"] = csv_text(rows)
        files["links.csv"] = links

    return plant


def wishes(*rows: str) -> Fault:
    def plant(files: Files) -> None:
        files["wishes.csv"] = "\n".join(("who,service,scale,strength", *rows, ""))

    return plant


def finances(*rows: str) -> Fault:
    def plant(files: Files) -> None:
        files["finances.csv"] = "\n".join(("who,budget,inherited", *rows, ""))

    return plant


VRT = (
    "<OGRVRTDataSource><OGRVRTLayer name='x'><SrcDataSource>other.csv</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
)
CODE_ROWS = "practice,provider,service,activity,spend,label\n"

PROBLEMS: Mapping[str, tuple[Fault, tuple[str, ...]]] = {
    "duplicate practice": (
        cell("practices.csv", 9, code="P002"),
        ("practices.csv:9:code:", "'P002'", "rows 3 and 9", "unique"),
    ),
    "missing coordinate": (
        cell("practices.csv", 5, latitude="", longitude=""),
        ("practices.csv:5:latitude:", "'P004' has no coordinates", "no row is dropped"),
    ),
    "half a coordinate": (cell("practices.csv", 5, latitude=""), ("practices.csv:5:latitude:", "longitude alone")),
    "latitude and longitude swapped": (
        swap,
        ("practices.csv:2:latitude:", "swapped", "16 of 16", "Great Britain"),
    ),
    "one practice swapped": (
        cell("practices.csv", 4, latitude="-1.95", longitude="52.6"),
        ("practices.csv:4:latitude:", "1 of 1", "swap them"),
    ),
    "metres as degrees": (metres, ("practices.csv:2:latitude:", "metres given as degrees", "easting and northing")),
    "degrees as metres": (degrees_as_metres, ("practices.csv:2:easting:", "degrees given as metres")),
    "abroad": (
        cell("practices.csv", 4, latitude="48.85", longitude="2.35"),
        ("practices.csv:4:latitude:", "48.85, 2.35", "outside Great Britain"),
    ),
    "negative list": (cell("practices.csv", 3, patients="-5"), ("practices.csv:3:patients:", "'-5' is negative")),
    "NaN list": (cell("practices.csv", 3, patients="NaN"), ("practices.csv:3:patients:", "'NaN' is not a number")),
    "infinite list": (cell("practices.csv", 3, patients="inf"), ("practices.csv:3:patients:", "'inf'")),
    "fractional list": (
        cell("practices.csv", 3, patients="10.5"),
        ("practices.csv:3:patients:", "'10.5' is not whole"),
    ),
    "text list": (cell("practices.csv", 3, patients="many"), ("practices.csv:3:patients:", "'many' is text")),
    "thousands separator": (
        cell("practices.csv", 3, patients="1,234"),
        ("practices.csv:3:patients:", "'1,234' has a thousands separator", "write 1234"),
    ),
    "blank list": (cell("practices.csv", 3, patients=""), ("practices.csv:3:patients:", "is blank")),
    "decimal comma": (cell("practices.csv", 3, need_index="1,1"), ("practices.csv:3:need_index:", "write 1.1")),
    "percentage too large": (
        cell("practices.csv", 3, pct_65plus="150"),
        ("practices.csv:3:pct_65plus:", "more than 100"),
    ),
    "blank code": (cell("practices.csv", 3, code=""), ("practices.csv:3:code:", "is blank")),
    "areas overlap": (areas(overlap), ("areas.geojson:L1:geometry:", "L1 and L3", "overlap by 4.00 km²")),
    "gap between areas": (areas(gap), ("areas.geojson:L1:geometry:", "gap of 6.76 km²", "L1, L2, L3, L4")),
    "invalid ring": (areas(bow_tie), ("areas.geojson:feature 2 (L1):geometry:", "Self-intersection", "ask for repair")),
    "open ring": (areas(open_ring), ("areas.geojson:feature 2 (L1):geometry:", "not closed")),
    "null geometry": (areas(no_geometry), ("areas.geojson:feature 2 (L1):geometry:", "has no geometry")),
    "areas swapped": (areas(areas_swapped), ("areas.geojson:feature 1 (U1):geometry:", "swapped")),
    "area code as a number": (
        areas(lambda features: features[1]["properties"].update(code=101)),
        ("areas.geojson:feature 2 (101):code:", "101 is not text"),
    ),
    "duplicate area": (
        areas(lambda features: features[2]["properties"].update(code="L1")),
        ("areas.geojson:feature 3 (L1):code:", "'L1' is also feature 2"),
    ),
    "practice outside every area": (
        place(6, ORIGIN[0] - 30_000, ORIGIN[1] + 1_000),
        ("practices.csv:6:latitude:", "'P005' lies outside every area", "Lower 1, 30.0 km"),
    ),
    "unknown authority": (
        cell("practices.csv", 3, upper_authority="U9"),
        ("practices.csv:3:upper_authority:", "'U9' is not in areas.geojson"),
    ),
    "island without a link": (
        island("from,to\n"),
        ("practices.csv:4:code:", "nothing joins P003, P004, P007", "links.csv", ", 22.0 km apart"),
    ),
    "flow to an unknown code": (
        cell("flows.csv", 7, provider="RX9"),
        ("flows.csv:7:provider:", "'RX9' is not in providers.csv"),
    ),
    "flow from a code in lower case": (
        cell("flows.csv", 7, practice="p002"),
        ("flows.csv:7:practice:", "did you mean 'P002'?"),
    ),
    "flow of an unknown service": (
        cell("flows.csv", 7, service="magic"),
        ("flows.csv:7:service:", "is not in services.csv"),
    ),
    "wish of an unknown practice": (
        wishes("p001,emergency,region,soft"),
        ("wishes.csv:2:who:", "'p001' is not in practices.csv", "did you mean 'P001'?"),
    ),
    "wish for an unknown service": (
        wishes("E1,emergncy,region,soft"),
        ("wishes.csv:2:service:", "is not in services.csv", "did you mean 'emergency'?"),
    ),
    "wish neither firm nor soft": (
        wishes("E1,emergency,region,strong"),
        ("wishes.csv:2:strength:", "'strong'", "one of firm, soft"),
    ),
    "two wishes for one service": (
        wishes("E1,emergency,region,firm", "E1,emergency,consortium,firm"),
        ("wishes.csv:3:service:", "'E1' 'emergency' stands on rows 2 and 3"),
    ),
    "wish of a code that means two bodies": (
        both(
            wishes("P001,emergency,region,firm"),
            column("practices.csv", "existing_consortium", lambda row: "P001" if row["code"] < "P004" else "E1"),
        ),
        ("wishes.csv:2:who:", "'P001' stands for different practices at different scales", "a row each"),
    ),
    "finances of an unknown body": (finances("E9,1,0"), ("finances.csv:2:who:", "'E9' is not in practices.csv")),
    "negative budget": (finances("E1,-5,0"), ("finances.csv:2:budget:", "'-5' is negative")),
    "a practice's money counted twice": (
        finances("E1,1000000,0", "P001,500,0"),
        ("finances.csv:3:who:", "'P001' holds a practice of line 2", "not both"),
    ),
    "finances of one body twice": (
        finances("E1,1000000,0", "E1,500,0"),
        ("finances.csv:3:who:", "stands on rows 2 and 3"),
    ),
    "negative flow": (cell("flows.csv", 7, spend="-1"), ("flows.csv:7:spend:", "'-1' is negative")),
    "NaN flow": (cell("flows.csv", 7, activity="nan"), ("flows.csv:7:activity:", "'nan' is not a number")),
    "flow with an underscore": (cell("flows.csv", 7, spend="1_000"), ("flows.csv:7:spend:", "'1_000' is text")),
    "unknown label": (cell("flows.csv", 7, label="guessed"), ("flows.csv:7:label:", "'guessed'", "one of observed,")),
    "UTF-16": (text("providers.csv", lambda t: t.encode("utf-16")), ("providers.csv:", "UTF-16", "UTF-8")),
    "UTF-16 unmarked": (text("providers.csv", lambda t: t.encode("utf-16-le")), ("providers.csv:", "UTF-16")),
    "cp1252": (
        text("practices.csv", lambda t: t.replace("Practice 3,", "Café 3,").encode("cp1252")),
        ("practices.csv:4:", "cp1252", "0xe9", "'é'"),
    ),
    "null byte": (
        text("practices.csv", lambda t: t.replace("Practice 3,", "Pr\0ctice 3,")),
        ("practices.csv:4:", "null byte"),
    ),
    "code read as a number": (
        cell("practices.csv", 3, code="1200000.0"),
        ("practices.csv:3:code:", "'1200000.0' looks changed by a spreadsheet", "12E05"),
    ),
    "lost zeros": (
        both(
            cell("practices.csv", 2, code="00123"),
            cell("flows.csv", 2, practice="123"),
            text("relationships.csv", lambda t: t.replace("P001", "00123")),
            text("links.csv", lambda t: t.replace("P001", "00123")),
            cell("providers.csv", 5, owners="00123"),
        ),
        ("flows.csv:2:practice:", "'123' is not in practices.csv", "'00123'"),
    ),
    "lost exponent": (
        both(cell("providers.csv", 2, code="12E05"), cell("flows.csv", 2, provider="1200000.0")),
        ("flows.csv:2:provider:", "'1200000.0'", "'12E05'"),
    ),
    "NA read as missing": (
        both(cell("providers.csv", 2, code="NA"), cell("flows.csv", 2, provider="NaN")),
        ("flows.csv:2:provider:", "'NaN'", "'NA'"),
    ),
    "extra field": (
        text("practices.csv", lambda t: t.replace("Practice 3,", "Practice 3, Gridland,")),
        ("practices.csv:4:field 15:", "15 fields under 14 headings", "commas"),
    ),
    "missing field": (
        text("relationships.csv", lambda t: t.replace("P001,P002,0.5,no", "P001,P002,no")),
        ("relationships.csv:2:field 4:", "3 fields under 4"),
    ),
    "duplicate heading": (
        text("practices.csv", lambda t: t.replace("postcode", "name", 1)),
        ("practices.csv:1:name:", "'name' stands over columns 2, 3"),
    ),
    "missing heading": (
        text("practices.csv", lambda t: t.replace("patients", "patient", 1)),
        ("practices.csv:1:patients:", "column 'patients' is missing", "'patient'"),
    ),
    "no coordinate columns": (
        text("practices.csv", lambda t: t.replace("latitude,longitude", "y,x", 1)),
        ("practices.csv:1:latitude:", "has no coordinates"),
    ),
    "truncated table": (text("flows.csv", lambda t: t[:-30]), ("flows.csv:65:field", "cut short")),
    "unclosed quotation mark": (
        text("practices.csv", lambda t: t.replace("Practice 3,", '"Practice 3,')),
        ("practices.csv:4:", "quotation mark"),
    ),
    "truncated GeoJSON": (text("areas.geojson", lambda t: t[:-2]), ("areas.geojson:1:", "not JSON")),
    "VRT in GeoJSON": (text("areas.geojson", lambda t: VRT), ("areas.geojson:1:", "virtual file")),
    "deep JSON": (text("areas.geojson", lambda t: "[" * 200_000), ("areas.geojson", "nested too deeply")),
    "GeoJSON in metres": (
        text(
            "areas.geojson",
            lambda t: t.replace('{"type"', '{"crs": {"properties": {"name": "EPSG::27700"}}, "type"', 1),
        ),
        ("areas.geojson:crs:", "EPSG::27700"),
    ),
    "HTML for CSV": (text("providers.csv", lambda t: "<html>not found</html>"), ("providers.csv:1:", "HTML")),
    "empty file": (text("providers.csv", lambda t: ""), ("providers.csv:1:", "blank")),
    "no practices": (text("practices.csv", lambda t: t.split("\n")[0] + "\n"), ("practices.csv:", "no practices")),
    "no patients": (
        column("practices.csv", "patients", lambda row: "0"),
        ("practices.csv:2:patients:", "no practice has patients"),
    ),
    "missing file": (drop("providers.csv"), ("providers.csv: is missing",)),
    "misnamed file": (
        both(lambda files: files.update({"practice.csv": files["practices.csv"]}), drop("practices.csv")),
        ("practices.csv: is missing", "did you mean 'practice.csv'?"),
    ),
    "unknown owner": (
        cell("providers.csv", 5, owners="P001;P099"),
        ("providers.csv:5:owners:", "'P099' is not in practices.csv"),
    ),
    "unknown kind": (
        cell("providers.csv", 2, kind="hospital"),
        ("providers.csv:2:kind:", "'hospital'", "one of acute,"),
    ),
    "duplicate provider": (cell("providers.csv", 3, code="RA1"), ("providers.csv:3:code:", "rows 2 and 3")),
    "wish about oneself": (
        cell("relationships.csv", 2, other="P001"),
        ("relationships.csv:2:other:", "paired with itself"),
    ),
    "wish too strong": (cell("relationships.csv", 2, strength="2"), ("relationships.csv:2:strength:", "more than 1")),
    "link to nowhere": (cell("links.csv", 2, to="P999"), ("links.csv:2:to:", "'P999'")),
    "score out of range": (
        text("services.csv", lambda t: t.replace("250000,0,3,0,urgent", "250000,0,4,0,urgent")),
        ("services.csv:2:leverage:", "'4' is more than 3"),
    ),
    "never is no service's answer": (
        text("services.csv", lambda t: t.replace(",yes,community", ",never,community")),
        ("services.csv:4:delegable:", "'never' is neither yes nor no"),
    ),
    "no such delegation": (
        text("functions.csv", lambda t: t.replace("never", "seldom")),
        ("functions.csv:3:delegable:", "'seldom'"),
    ),
    "dataset without a year": (
        text("dataset.toml", lambda t: t.replace('list_year = "2010"\n', "")),
        ("dataset.toml:list_year:", "is missing"),
    ),
    "dataset not TOML": (text("dataset.toml", lambda t: t + "="), ("dataset.toml:", "not TOML")),
    "synthetic in words": (
        text("dataset.toml", lambda t: t.replace("true", '"yes"')),
        ("dataset.toml:synthetic:", "'yes'", "true or false"),
    ),
}


def told(parts: tuple[str, ...], line: str) -> bool:
    return all(part.lower() in line.lower() for part in parts)


def planted(folder: Path, *faults: Fault) -> Path:
    files: Files = dict(world())
    for fault in faults:
        fault(files)
    return write_files(folder, files)


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_fault_is_answered_where_it_stands(name: str, tmp_path: Path):
    fault, parts = PROBLEMS[name]
    with pytest.raises(DataError) as caught:
        read_dataset(planted(tmp_path, fault))
    assert caught.value.exit_code == 3
    lines = [str(problem) for problem in caught.value.problems]
    assert any(told(parts, line) for line in lines), lines


@pytest.mark.parametrize(
    "name",
    [
        "duplicate practice",
        "missing coordinate",
        "negative list",
        "areas overlap",
        "flow to an unknown code",
        "extra field",
        "practice outside every area",
        "island without a link",
        "negative flow",
        "text list",
    ],
)
def test_one_fault_brings_one_problem(name: str, tmp_path: Path):
    """A fault must not drag in others that mending it would cure: later rows that refer to it stay known."""
    fault, _ = PROBLEMS[name]
    with pytest.raises(DataError) as caught:
        read_dataset(planted(tmp_path, fault))
    strangers = [p for p in caught.value.problems if "is not in practices.csv" not in p.what]
    assert len(strangers) == 1, [str(p) for p in caught.value.problems]


WARNINGS: Mapping[str, tuple[Fault, tuple[str, ...]]] = {
    "zero list": (cell("practices.csv", 3, patients="0"), ("practices.csv:3:patients", "no patients at P002", "kept")),
    "outlier": (
        cell("practices.csv", 3, patients="100001"),
        ("practices.csv:3:patients", "'P002' lists 100,001", "20 times the median (5,000)"),
    ),
    "semicolons": (text("practices.csv", lambda t: t.replace(",", ";")), ("practices.csv", "semicolons")),
    "tabs": (text("flows.csv", lambda t: t.replace(",", "\t")), ("flows.csv", "tabs")),
    "unknown column": (
        text("practices.csv", lambda t: t.replace("rural", "rurall", 1)),
        ("practices.csv:1", "'rurall'", "did you mean 'rural'?"),
    ),
    "unknown key": (
        text("dataset.toml", lambda t: t.replace("notes =", "note =")),
        ("dataset.toml", "'note'", "'notes'"),
    ),
    "no end of the last line": (text("flows.csv", lambda t: t[:-1]), ("flows.csv", "not cut short")),
    "all flows zero": (column("flows.csv", "spend", lambda row: "0"), ("flows.csv", "every flow is zero", "leverage")),
    "no flows": (drop("flows.csv"), ("flows.csv", "not there")),
    "practice off the coast": (
        place(6, ORIGIN[0] - 400, ORIGIN[1] + 3_000),
        ("practices.csv", "P005 (400 m from Lower 1)"),
    ),
    "codes that differ as text only": (
        both(cell("providers.csv", 2, code="00123"), cell("providers.csv", 3, code="123"), drop("flows.csv")),
        ("providers.csv:3:code", "'00123' and '123'"),
    ),
    "a code called nan": (
        both(cell("providers.csv", 2, code="nan"), drop("flows.csv")),
        ("providers.csv:2:code", "'nan'", "'NA'"),
    ),
    "spoilt existing body": (
        cell("practices.csv", 2, existing_consortium="3.0"),
        ("practices.csv:2:existing_consortium", "'3.0'"),
    ),
    "empty row": (text("links.csv", lambda t: t + ",,,\n"), ("links.csv:3", "empty row")),
    "years differ": (
        text("dataset.toml", lambda t: t.replace('list_year = "2010"', 'list_year = "2025-11"')),
        ("dataset.toml", "years differ", "list_year 2025-11"),
    ),
    "income below its flows": (
        cell("providers.csv", 2, income="5"),
        ("providers.csv:2:income", "'RA1' (£5)", "less than its flows"),
    ),
}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_is_odd_but_usable_is_recorded(name: str, tmp_path: Path):
    fault, parts = WARNINGS[name]
    dataset = read_dataset(planted(tmp_path, fault)).dataset
    assert any(all(part in warning for part in parts) for warning in dataset.warnings), dataset.warnings
    assert len(dataset.practices) == 16


@pytest.mark.parametrize("rows", [65_536, 65_535])
def test_a_table_as_long_as_a_spreadsheet_is_doubted(rows: int, tmp_path: Path):
    files: Files = dict(world())
    files["flows.csv"] = CODE_ROWS + "P001,RA1,emergency,1,2,observed\n" * rows
    dataset = read_dataset(write_files(tmp_path, files)).dataset
    assert any(f"flows.csv: has exactly {rows:,} rows" in warning for warning in dataset.warnings)
    assert len(dataset.flows) == rows


def test_repair_is_on_request_and_recorded(tmp_path: Path):
    def spike(features: list[dict]) -> None:
        ring = features[1]["geometry"]["coordinates"][0]
        outward = [ring[0][0] - 0.01, ring[0][1]]
        features[1]["geometry"]["coordinates"][0] = [ring[0], outward, *ring]

    folder = planted(tmp_path, areas(spike))
    with pytest.raises(DataError, match="ask for repair"):
        read_dataset(folder)
    ground = read_dataset(folder, repair=True)
    assert any("feature 2 (L1):geometry: repaired" in warning for warning in ground.dataset.warnings)
    assert ground.areas.geometry.is_valid.all()


TWENTY = (
    "negative list",
    "missing coordinate",
    "NaN flow",
    "flow to an unknown code",
    "unknown kind",
    "wish too strong",
    "link to nowhere",
    "score out of range",
    "no such delegation",
    "dataset without a year",
    "areas overlap",
    "decimal comma",
    "unknown authority",
    "unknown label",
    "wish about oneself",
    "percentage too large",
    "extra field",
    "code read as a number",
    "unknown owner",
    "abroad",
)


def test_twenty_faults_come_in_one_report(tmp_path: Path):
    shifted: dict[str, tuple[Fault, tuple[str, ...]]] = {
        **PROBLEMS,
        "abroad": (
            cell("practices.csv", 10, latitude="48.85", longitude="2.35"),
            ("practices.csv:10:latitude:", "outside Great Britain"),
        ),
        "code read as a number": (
            cell("practices.csv", 17, code="1200000.0"),
            ("practices.csv:17:code:", "spreadsheet"),
        ),
        "extra field": (
            text("practices.csv", lambda t: t.replace("Practice 15,", "Practice 15, Gridland,")),
            ("practices.csv:16:field 15:", "15 fields under 14 headings"),
        ),
        "decimal comma": (cell("practices.csv", 8, need_index="1,1"), ("practices.csv:8:need_index:", "write 1.1")),
        "NaN flow": (cell("flows.csv", 9, activity="nan"), ("flows.csv:9:activity:", "'nan' is not a number")),
        "unknown label": (cell("flows.csv", 11, label="guessed"), ("flows.csv:11:label:", "'guessed'")),
        "wish too strong": (
            cell("relationships.csv", 3, strength="2"),
            ("relationships.csv:3:strength:", "more than 1"),
        ),
    }
    # The extra field goes last: a table with one can no longer be written cell by cell.
    faults = sorted(TWENTY, key=lambda name: name == "extra field")
    with pytest.raises(DataError) as caught:
        read_dataset(planted(tmp_path, *(shifted[name][0] for name in faults)))
    report = caught.value.report().split("\n")
    for name in TWENTY:
        assert any(told(shifted[name][1], line) for line in report), (name, report)


def test_only_fifty_problems_are_shown_and_the_rest_counted(tmp_path: Path):
    files: Files = dict(world(columns=10, rows=10))
    column("practices.csv", "patients", lambda row: "-1")(files)
    with pytest.raises(DataError) as caught:
        read_dataset(write_files(tmp_path, files))
    assert len(caught.value.problems) == 100
    assert caught.value.report().count("\n") == 50
    assert "50 more problems" in caught.value.report()


def test_a_folder_that_is_not_there(tmp_path: Path):
    with pytest.raises(DataError, match="is not a folder"):
        read_dataset(tmp_path / "nowhere")


def test_an_unknown_code_is_named_once_however_often_it_comes(tmp_path: Path):
    fault = column("flows.csv", "provider", lambda row: "RX9" if row["provider"] == "RC1" else row["provider"])
    with pytest.raises(DataError) as caught:
        read_dataset(planted(tmp_path, fault))
    assert [str(problem) for problem in caught.value.problems] == [
        "flows.csv:4:provider: 'RX9' is not in providers.csv (and on 15 more rows)"
    ]


def test_an_area_file_of_another_kind_names_the_feature(tmp_path: Path):
    point = {"type": "Feature", "properties": {"code": "L9", "name": "Point", "tier": "lower"}}
    files: Files = dict(world())
    files["areas.geojson"] = geojson({**point, "geometry": {"type": "Point", "coordinates": [-1.9, 52.6]}})
    with pytest.raises(DataError, match="feature 1 \\(L9\\):geometry: 'Point' is no area"):
        read_dataset(write_files(tmp_path, files))
