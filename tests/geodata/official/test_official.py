"""A folder of downloaded files becomes a dataset: recognised, laid together, told of, and planned."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from geodata.official.england_dataset import Clip
from geodata.official.formats import FORMATS
from geodata.official.official import import_official, take_stock
from geodata.read import read_dataset
from optimiser.errors import DataError
from tests.conftest import ROOT
from tests.geodata.official.small_england import EAST, LISTS, PRACTICES, WEST, write, write_folder
from tests.test_cli import consortia


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_folder(tmp_path_factory.mktemp("official") / "downloads")


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("made") / "small"
    return import_official(folder, out, Clip())[0], out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_file_is_known_by_what_it_holds_and_what_is_missing_is_told(folder):
    stock = take_stock(folder)
    known = {file.name: file.key for file in stock.files}
    assert known == {
        "Data/CSV/ts.csv": "postcodes", "README.txt": "", "ae.csv": "attendances", "centroids.csv": "lsoa_places",
        "councils.geojson": "boundaries", "epraccur.csv": "ods_practices", "etr.csv": "ods_trusts",
        "lsoa.csv": "lsoa_lists", "map.csv": "geographies", "patients.csv": "lists", "rtt.csv.zip!rtt.csv": "pathways",
    }  # fmt: skip
    missing = " ".join(f"{kind.title}: {kind.answers}" for kind in stock.missing)
    assert "weighted by need" in missing and "Deprivation" in missing and "Hospital sites" in missing


def test_the_dataset_has_the_practices_that_can_be_planned_with_and_reasons_for_the_others(made):
    report, out = made
    ground = read_dataset(out)
    assert {p.code: p.patients for p in ground.dataset.practices} == {c: p[4] for c, p in PRACTICES.items()}
    mill = ground.dataset.practices[0]
    assert (mill.name, mill.easting, mill.lower_authority) == ("The Mill Surgery", 412_000, WEST)
    assert mill.existing == {"locality": "U11111", "consortium": "00L", "alliance": "QHM"}
    assert ground.dataset.practices[5].existing["locality"] == "", "U and Unallocated stand for no network"
    assert ground.dataset.info.list_year == "2025" and ground.dataset.info.geography_year == "2025"
    left = {row["code"]: row["reason"] for row in rows(out / "excluded.csv")}
    assert left.keys() == {"A81007", "A81008", "A81009"}
    assert left["A81007"] == "closed on 2019-03-31" and "no GP practice" in left["A81008"]
    assert left["A81009"] == "a service for patients whom no other practice registers"
    assert report.practices == 6 and report.raked_r_squared > 0.9


def test_flows_are_estimated_raked_to_what_was_counted_and_labelled(made):
    _, out = made
    data = read_dataset(out).dataset
    spend = {}
    flows = data.flows
    for i, j, pounds in zip(flows.practice.tolist(), flows.provider.tolist(), flows.spend.tolist(), strict=True):
        side = data.practices[i].lower_authority
        spend[side, data.providers[j].code] = spend.get((side, data.providers[j].code), 0.0) + pounds
    assert spend[WEST, "RAA"] > 3 * spend[WEST, "RBB"] and spend[EAST, "RBB"] > 3 * spend[EAST, "RAA"]
    assert len(set(data.flows.label.tolist())) > 1, "some by pathways, some by proxy or distance"


def test_catchments_follow_the_people_where_lists_say_where_they_live(made):
    _, out = made
    assert rows(out / "catchments.csv") == [
        {"practice": "A81001", "easting": "411000.0", "northing": "514500.0"},
        {"practice": "A81002", "easting": "414500.0", "northing": "512500.0"},
    ]
    ground = read_dataset(out)
    cells = dict(zip(ground.catchments["code"], ground.catchments.geometry, strict=True))
    from shapely import Point

    assert cells["A81001"].contains(Point(411_000, 514_500)) and cells["A81002"].contains(Point(414_500, 512_500))
    assert not cells["A81001"].contains(Point(412_300, 512_300)), "its patients live elsewhere than its surgery stands"


def test_newer_lists_go_before_older_ones_practice_by_practice(folder, tmp_path):
    mixed = shutil.copytree(folder, tmp_path / "mixed")
    write(mixed / "february.csv", [
        LISTS,
        ("GP_PRAC_PAT_LIST", "2026-02-01", "GP", "00L", "E38000130", "A81001", "TS1 1AA", "ALL", "ALL", "6,001"),
    ])  # fmt: skip
    report, _ = import_official(mixed, tmp_path / "made", Clip())
    by_code = {row["code"]: row["patients"] for row in rows(tmp_path / "made" / "practices.csv")}
    assert by_code["A81001"] == "6001" and by_code["A81002"] == "14738"
    assert any("1 from 2026-02-01" in note and "5 from 2025-10-01" in note for note in report.notes)


def test_a_practice_that_left_its_network_is_not_put_back_by_an_older_map(folder, tmp_path):
    older = shutil.copytree(folder, tmp_path / "older")
    text = (older / "map.csv").read_text(encoding="utf-8")
    old = text.replace("01Oct2025", "01Oct2023").replace(",U,Unallocated,", ",U22222,U22222 PCN,")
    (older / "map of 2023.csv").write_text(old, encoding="utf-8")
    import_official(older, tmp_path / "made", Clip())
    of = {row["code"]: row["existing_locality"] for row in rows(tmp_path / "made" / "practices.csv")}
    assert of["A81006"] == "" and of["A81005"] == "U22222"


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (("patients.csv",), "no file with Patients registered with each practice"),
        (("councils.geojson",), "no file with Boundaries of areas"),
        (("Data/CSV/ts.csv", "lsoa.csv"), "no file says where practices are"),
    ],
)
def test_what_cannot_be_done_without_is_asked_for_with_its_question(folder, tmp_path, gone, said):
    less = shutil.copytree(folder, tmp_path / "less")
    for name in gone:
        (less / name).unlink()
    with pytest.raises(DataError, match=said):
        import_official(less, tmp_path / "made", Clip())
    assert not (tmp_path / "made").exists()


def test_a_changed_header_is_named_with_the_column_looked_for_and_nothing_is_written(
    folder, tmp_path, monkeypatch, capsys
):
    changed = shutil.copytree(folder, tmp_path / "changed")
    text = (changed / "patients.csv").read_text(encoding="utf-8")
    (changed / "patients.csv").write_text(text.replace("NUMBER_OF_PATIENTS", "HEADS"), encoding="utf-8")
    assert consortia(monkeypatch, "import", "official", changed, "--out", tmp_path / "made") == 3
    said = capsys.readouterr().err
    assert "patients.csv:1" in said and "looked for NUMBER_OF_PATIENTS" in said and "SUB_ICB_LOCATION_CODE" in said
    assert not (tmp_path / "made").exists()


def test_the_command_reports_and_the_data_report_travels_with_the_dataset(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / "made"
    assert consortia(monkeypatch, "import", "official", folder, "--out", out, "--region", "Y63") == 0
    said = capsys.readouterr().out
    assert "patients.csv: Patients registered with each practice" in said and "Not read: README.txt" in said
    assert "Missing: Populations of practices weighted by need" in said and "6 practices, 55,448 patients" in said
    page = (out / "data-report.html").read_text(encoding="utf-8")
    assert "<script" not in page and "default-src" in page
    for words in ("Coverage", "What the folder lacks", "Closed", "Open Government Licence", "rtt.csv.zip!rtt.csv"):
        assert words in page
    told = {row["file"]: row for row in rows(out / "sources.csv")}
    assert len(told["patients.csv"]["sha256"]) == 64 and told["patients.csv"]["rows"] == "9"
    assert told["README.txt"]["format"] == "" and told["README.txt"]["remarks"]
    assert consortia(monkeypatch, "validate", out) == 0
    assert "similar name" not in capsys.readouterr().out
    again = tmp_path / "again"
    assert consortia(monkeypatch, "import", "official", folder, "--out", again, "--region", "Y63") == 0
    for path in out.iterdir():
        assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_one_icb_can_be_cut_out_and_an_unknown_one_is_refused(folder, tmp_path, monkeypatch, capsys):
    assert consortia(monkeypatch, "import", "official", folder, "--out", tmp_path / "made", "--icb", "QQQ") == 3
    assert "QHM" in capsys.readouterr().err
    assert not (tmp_path / "made").exists()


@pytest.mark.england
def test_all_england_from_files_of_many_years(samples, tmp_path):
    report, stock = import_official(samples, tmp_path / "england", Clip())
    assert report.practices > 6_000 and 55e6 < report.patients < 65e6
    assert 0.8 < report.r_squared < report.raked_r_squared
    assert not [file.name for file in stock.files if not file.key]
    reasons = json.dumps([row[3] for row in report.excluded])
    assert "closed on" in reasons and "dormant" in reasons and "no GP practice" in reasons


def test_every_format_is_in_the_documentation():
    page = (ROOT / "docs" / "official-files.md").read_text(encoding="utf-8")
    assert all(f"| {form.title} |" in page for form in FORMATS)


def test_other_programs_read_the_tables_as_they_are(made):
    import geopandas
    import pandas as pd

    _, out = made
    practices = pd.read_csv(out / "practices.csv", dtype=str)
    assert practices["existing_consortium"].tolist() == ["00L"] * 3 + ["00M"] * 3, "codes keep their zeros"
    assert geopandas.read_file(out / "areas.geojson").crs.to_epsg() == 4326
    for name in ("flows.csv", "providers.csv", "catchments.csv", "excluded.csv"):
        assert len(pd.read_csv(out / name, dtype=str, encoding="utf-8-sig")) > 0
