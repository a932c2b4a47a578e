"""A folder of downloaded files becomes a dataset: recognised, laid together, told of, and planned."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from geodata.official.dates import iso
from geodata.official.england_dataset import Clip
from geodata.official.format import Read
from geodata.official.formats import FORMATS
from geodata.official.official import import_official, take_stock
from geodata.official.register import register
from geodata.official.supply_files import supply_tables
from geodata.read import read_dataset
from optimiser.errors import DataError
from tests.conftest import ROOT
from tests.geodata.official.small_england import EAST, LISTS, PRACTICES, WEST, councils, write, write_folder
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


def tables_of(**frames):
    """Tables by key, each a list of (vintage, columns)."""
    return {key: [Read(pd.DataFrame(columns), vintage) for vintage, columns in reads] for key, reads in frames.items()}


def lists(*rows):
    columns = ("practice", "commissioner", "postcode", "patients", "pct_65plus", "pct_under5", "pct_5_19")
    return {name: [(*row, *[float("nan")] * 3)[i] for row in rows] for i, name in enumerate(columns)}


def registered(*rows):
    names = ("code", "commissioner", "status", "closed")
    found = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    fixed = {
        "name": "A",
        "region": "",
        "icb": "QHM",
        "postcode": "TS11AA",
        "opened": "",
        "setting": "gp",
        "address": "",
    }
    return found | {name: [value] * len(rows) for name, value in fixed.items()}


POSTCODES = {"postcode": ["TS11AA"], "easting": [412_000.0], "northing": [512_000.0], "quality": [10],
             "lad_code": ["E07000901"], "upper_code": ["E10000001"], "lsoa": [""]}  # fmt: skip


def test_sizes_are_of_no_older_list_than_the_newest_full_one():
    found = register(tables_of(
        lists=[("2025-10-01", lists(("A81001", "00L", "TS11AA", 5_000.0), ("A81002", "00L", "TS11AA", 6_000.0))),
               ("2014-10", lists(("A81001", "00L", "TS11AA", 4_000.0), ("A81003", "00L", "TS11AA", 9_000.0)))],
        geographies=[("2025-10-01", {"practice": ["A81003"], "name": ["C"], "postcode": ["TS11AA"]})],
        postcodes=[("2025", POSTCODES)],
    ))  # fmt: skip
    assert dict(zip(found.table["code"], found.table["list_size"], strict=True)) == {"A81001": "5000", "A81002": "6000"}
    assert found.excluded["reason"].tolist() == ["no list size"]


def test_an_older_register_does_not_close_who_opened_since():
    now = lists(("A81001", "00L", "TS11AA", 5_000.0), ("A81002", "00L", "TS11AA", 6_000.0))
    for day, kept in (("2014-10", 2), ("2026-02", 1)):
        found = register(tables_of(
            lists=[("2025-10-01", now)],
            ods_practices=[(day, registered(("A81001", "00L", "active", "")))],
            postcodes=[("2025", POSTCODES)],
        ))  # fmt: skip
        assert len(found.table) == kept, day


def test_the_newest_of_map_and_register_names_the_commissioner():
    of = {"practice": ["A81001"], "name": ["A"], "postcode": ["TS11AA"], "pcn_code": ["U1"], "pcn_name": ["One"],
          "sub_icb_code": ["00K"], "sub_icb_name": ["Old CCG"], "icb_code": ["QOQ"], "icb_name": ["Old"]}  # fmt: skip
    for day, code in (("2021-03-31", "16C"), ("2026-05-01", "00K")):
        found = register(tables_of(
            lists=[("2026-01-01", lists(("A81001", "00L", "TS11AA", 5_000.0)))],
            geographies=[(day, of)],
            ods_practices=[("2026-02", registered(("A81001", "16C", "active", "")))],
            postcodes=[("2025", POSTCODES)],
        ))  # fmt: skip
        assert found.table["sub_icb_code"].tolist() == [code] and found.table["pcn_code"].tolist() == ["U1"]


def test_the_newest_file_says_which_county_a_district_is_in_and_a_district_is_never_its_own():
    older = {**POSTCODES, "upper_code": ["E10000023"]}
    itself = {**POSTCODES, "upper_code": ["E07000901"]}
    found = register(tables_of(
        lists=[("2026-01-01", lists(("A81001", "00L", "TS11AA", 5_000.0)))],
        postcodes=[("2025", itself), ("2024", POSTCODES), ("2014", older)],
    ))  # fmt: skip
    assert found.upper_of == {"E07000901": "E10000001"}


def test_a_month_counts_once_however_many_files_have_it():
    one = {"provider": ["RAA"], "name": ["WEST NHS TRUST"], "type_1": [100.0], "others": [10.0]}
    more = {"provider": ["RAA"], "name": ["WEST NHS TRUST"], "type_1": [140.0], "others": [10.0]}
    for reads, year in (([("2025-05", one)], 1_200), ([("2025-05", one), ("2025-05", one)], 1_200),
                        ([("2025-06", more), ("2025-05", one), ("2025-05", one)], 1_440)):  # fmt: skip
        listed, _, _, notes = supply_tables(tables_of(attendances=reads))
        assert listed["ae_type1_12m"].tolist() == [f"{year}"]
        assert any("passed over" in note for note in notes) == (len(reads) > len({day for day, _ in reads}))


def test_a_trust_without_emergencies_or_surgery_is_one_of_mental_health():
    trusts = {name: ["", "", ""] for name in ("icb", "opened", "closed")}
    trusts |= {"code": ["RAA", "RBB", "RCC"], "name": ["A NHS TRUST", "B NHS FOUNDATION TRUST", "C NHS TRUST"],
               "postcode": ["TS11AA"] * 3}  # fmt: skip
    counted = {"commissioner": ["00L"] * 2, "provider": ["RAA", "RCC"], "provider_name": ["A", "C"],
               "function": ["C_110"] * 2, "new_pathways": [50.0, 300.0],
               "completed_admitted": [20.0, 200.0]}  # fmt: skip
    seen = {"provider": ["RAA"], "name": ["A NHS TRUST"], "type_1": [100.0], "others": [0.0]}
    listed, *_ = supply_tables(tables_of(
        ods_trusts=[("2026", trusts)], pathways=[("2026-04", counted)], attendances=[("2026-04", seen)]
    ))  # fmt: skip
    assert dict(zip(listed["code"], listed["type"], strict=True)) == {
        "RAA": "NHS acute trust (type 1 A&E)", "RBB": "NHS mental health trust", "RCC": "NHS trust"
    }  # fmt: skip


def test_folders_that_are_dated_say_nothing_of_the_files_in_them(folder, tmp_path):
    inside = shutil.copytree(folder, tmp_path / "all" / "2031-11 downloads" / "January 2030")
    assert inside.exists()
    stock = take_stock(tmp_path / "all")
    assert stock.tables["lists"][0].vintage == "2025-10-01" and stock.tables["ods_practices"][0].vintage < "2030"


@pytest.mark.parametrize(("name", "day"), [("Decision12.csv", ""), ("MARGATE 20.csv", ""), ("marched 2020", ""),
                                           ("ONSPD_FEB_2024", "2024-02"), ("sept 2021", "2021-09")])  # fmt: skip
def test_only_whole_words_are_months(name, day):
    assert iso(name) == day


def test_practices_far_from_every_council_are_left_out_and_a_map_of_elsewhere_is_refused(folder, tmp_path):
    half = shutil.copytree(folder, tmp_path / "half")
    one = councils()
    one["features"] = one["features"][:1]
    (half / "councils.geojson").write_text(json.dumps(one), encoding="utf-8")
    made = import_official(half, tmp_path / "made", Clip())[0]
    assert made.practices == 3 and sum("in no authority" in row[3] for row in made.excluded) == 3
    assert read_dataset(tmp_path / "made").dataset.practices, "what is written is valid"
    for feature in one["features"]:
        feature["geometry"]["coordinates"] = [[[x + 3, y] for x, y in feature["geometry"]["coordinates"][0]]]
    (half / "councils.geojson").write_text(json.dumps(one), encoding="utf-8")
    with pytest.raises(DataError, match="another part of the country"):
        import_official(half, tmp_path / "none", Clip())


def test_a_damaged_zip_stops_the_import_and_markup_in_a_name_does_not(folder, tmp_path, monkeypatch, capsys):
    odd = shutil.copytree(folder, tmp_path / "odd")
    with zipfile.ZipFile(odd / "more.zip", "w") as archive:
        archive.writestr("notes[/b] [draft].csv", "who,what\nA,B\n")
    assert consortia(monkeypatch, "import", "official", odd, "--out", tmp_path / "made") == 0
    assert "notes[/b] [draft].csv" in capsys.readouterr().out
    whole = (odd / "rtt.csv.zip").read_bytes()
    (odd / "rtt.csv.zip").write_bytes(whole[: len(whole) // 2])
    assert consortia(monkeypatch, "import", "official", odd, "--out", tmp_path / "again") == 3
    assert "rtt.csv.zip" in capsys.readouterr().err and not (tmp_path / "again").exists()


def test_a_prepared_bundle_is_sent_to_its_own_command(tmp_path, monkeypatch, capsys):
    bundle = tmp_path / "bundle"
    write(bundle / "practices.csv", [("code", "name", "list_size"), ("A81001", "A", 5_000)])
    assert consortia(monkeypatch, "import", "official", bundle, "--out", tmp_path / "made") == 3
    assert "england-open" in capsys.readouterr().err
