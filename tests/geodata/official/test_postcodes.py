"""Code-Point Open and the ONS Postcode Directory, of several years."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from geodata.official.found import look
from geodata.official.recognise import Recognised, recognise
from optimiser.errors import DataError
from tests.geodata.official.places import found, read, sample, survives

# The ten columns of Code-Point Open in the style of 2014: seven characters whatever the postcode.
OLD = (
    '"AB101AB",10,394251,806376,"S92000003","","S08000020","","S12000033","S13002842"\n'
    '"AB1 0AA",10,385386,801193,"S92000003","","S08000020","","S12000033","S13002842"\n'
    '"M1  1AD",10,383825,398598,"E92000001","E19000001","E18000002","","E08000003","E05000697"\n'
    '"AL1 1AA",10,514946,206936,"E92000001","E19000002","E18000006","E10000015","E07000240","E05004788"\n'
    '"AL1 9ZZ",90,0,0,"E92000001","E19000002","E18000006","E10000015","E07000240",""\n'
)
# ONSPD: May 2018, February 2024 (cut down to what matters and what surrounds it), and the style of 2025.
DIRECTORY_2018 = (
    "pcd,pcd2,pcds,dointr,doterm,oscty,ced,oslaua,osward,parish,usertype,oseast1m,osnrth1m,osgrdind,ctry,lsoa01,lsoa11,"
    "ccg,lat,long\n"
    '"TS1 1AA","TS1  1AA","TS1 1AA",198001,"","E99999999","E99999999","E06000002","E05009866","E04012194",0,448907,'
    '520333,1,"E92000001","E01012069","E01012069","E38000162",54.574,-1.244\n'
    '"AL1 1AA","AL1  1AA","AL1 1AA",198001,201512,"E10000015","E99999999","E07000240","E05004788","E43000155",0,514946,'
    '206936,1,"E92000001","E01023684","E01023684","E38000079",51.749,-0.336\n'
    '"BT1 1AA","BT1  1AA","BT1 1AA",198001,"","N99999999","N99999999","N09000003","N08000327","N99999999",0,333800,'
    '374100,1,"N92000002","95GG39S1","95GG39S1","ZC010",54.6,-5.93\n'
    '"JE2 3AB","JE2  3AB","JE2 3AB",199810,"","L99999999","L99999999","L99999999","L99999999","L99999999",0,,,9,'
    '"L93000001","","L99999999","L99999999",99.999999,0.000000\n'
    '"CF101AA","CF10 1AA","CF10 1AA",198001,"","W99999999","W99999999","W06000015","W05000864","W04000851",0,318000,'
    '176000,1,"W92000004","W01001939","W01001939","W11000029",51.476,-3.177\n'
    '"B1  1AA","B1   1AA","B1 1AA",198001,200001,"E11000005","E99999999","E08000025","E05011151","E43000250",0,406800,'
    '286900,8,"E92000001","E01033620","E01033620","E38000220",52.48,-1.9\n'
)
DIRECTORY_2025 = (
    "pcd7,pcd8,pcds,dointr,doterm,usrtypind,east1m,north1m,gridind,oa21cd,cty25cd,ced25cd,lad25cd,wd25cd,lsoa21cd,lat,long\n"
    '"CA8 7JG","CA8  7JG","CA8 7JG","200006","","0","366033","564878","1","E00139875","E99999999","E99999999",'
    '"E06000057","E05016114","E01027484",54.977349,-2.532223\n'
    '"BR8 7QP","BR8  7QP","BR8 7QP","198001","","0","549571","169349","1","E00003520","E13000002","E99999999",'
    '"E09000006","E05014007","E01000720",51.403453,0.148952\n'
)


def test_fixed_width_postcodes_and_nowhere(tmp_path: Path) -> None:
    given = read(found(tmp_path, "codepo_gb/Data/CSV/ab.csv", OLD), "postcodes")
    assert given.frame["postcode"].tolist() == ["AB101AB", "AB10AA", "M11AD", "AL11AA"]
    assert given.frame["upper_code"].tolist() == ["S12000033", "S12000033", "E08000003", "E10000015"]
    assert given.frame["lad_code"].tolist() == ["S12000033", "S12000033", "E08000003", "E07000240"]
    assert given.frame["easting"].tolist() == [394251, 385386, 383825, 514946]
    assert given.frame["quality"].tolist() == [10, 10, 10, 10]
    assert given.dropped == {"no place on the national grid (positional quality 90, or 0,0)": 1}


def test_metadata_give_the_date_and_the_number_of_rows(tmp_path: Path) -> None:
    metadata = (
        "ORDNANCE SURVEY\nPRODUCT: OS CODE-POINT_OPEN\nCOPYRIGHT DATE: 20140729\n      AB\t16692\n       B\t41276\n"
    )
    with zipfile.ZipFile(tmp_path / "codepo_gb.zip", "w") as archive:
        archive.writestr("Data/CSV/ab.csv", OLD)
        archive.writestr("Doc/metadata.txt", metadata)
        archive.writestr("__MACOSX/Data/CSV/._ab.csv", b"\x00\x05\x16\x07")
    tables, unread = look(tmp_path)
    assert not unread
    kinds = {table.member: recognise(table) for table in tables}
    assert all(isinstance(kind, Recognised) for kind in kinds.values())
    assert {name: kind.format.key for name, kind in kinds.items()} == {
        "Data/CSV/ab.csv": "postcodes",
        "Doc/metadata.txt": "documentation",
    }
    given = read(tables[0], "postcodes")
    assert given.vintage == "2014-07-29"
    assert given.notes == ("5 rows, where the metadata says 16,692",)


def test_names_of_columns_are_documentation(tmp_path: Path) -> None:
    names = (
        "PC,PQ,EA,NO,CY,RH,LH,CC,DC,WC\nPostcode,Positional_quality_indicator,Eastings,Northings,Country_code,"
        "NHS_regional_HA_code,NHS_HA_code,Admin_county_code,Admin_district_code,Admin_ward_code\n"
    )
    assert read(found(tmp_path, "Code-Point_Open_Column_Headers.csv", names), "documentation").frame.empty


def test_names_and_codes_are_documentation(tmp_path: Path) -> None:
    names = "LAD23CD,LAD23NM,LAD23NMW\nE06000001,Hartlepool,\n"
    assert read(found(tmp_path, "LA_UA names and codes UK as at 04_23.csv", names), "documentation").frame.empty


@pytest.mark.parametrize("header", ["PC,PQ,EA,NO,CY,RH,LH,CC,DC,WC",
    "Postcode,Positional_quality_indicator,Eastings,Northings,Country_code,NHS_regional_HA_code,NHS_HA_code,"
    "Admin_county_code,Admin_district_code,Admin_ward_code"])  # fmt: skip
def test_a_header_that_somebody_added(tmp_path: Path, header: str) -> None:
    given = read(found(tmp_path, "all.csv", header + "\n" + OLD), "postcodes")
    assert given.frame["postcode"].tolist() == ["AB101AB", "AB10AA", "M11AD", "AL11AA"]
    assert given.frame["upper_code"].iloc[-1] == "E10000015"


def test_onspd_of_2018(tmp_path: Path) -> None:
    given = read(found(tmp_path, "ONSPD_MAY_2018_UK.csv", DIRECTORY_2018), "postcodes")
    frame = given.frame.set_index("postcode")
    assert list(frame.index) == ["TS11AA", "AL11AA", "CF101AA", "B11AA"]
    assert frame.at["AL11AA", "upper_code"] == "E10000015"
    assert frame.at["B11AA", "upper_code"] == "E08000025"  # a metropolitan county is no authority
    assert frame.at["TS11AA", "upper_code"] == "E06000002"
    assert frame["quality"].tolist() == [10, 10, 10, 80]
    assert frame.at["AL11AA", "lsoa"] == "E01023684"
    assert given.vintage == "2018-05"
    assert given.dropped == {
        "Northern Ireland, which is on the Irish grid": 1,
        "Channel Islands or Isle of Man": 1,
    }
    assert "2 postcodes are terminated" in given.notes[0]


def test_onspd_of_2025(tmp_path: Path) -> None:
    given = read(found(tmp_path, "ONSPD_FEB_2025.csv", DIRECTORY_2025), "postcodes")
    assert given.frame.to_numpy().tolist() == [
        ["CA87JG", 366033.0, 564878.0, 10, "E06000057", "E06000057", "E01027484"],
        ["BR87QP", 549571.0, 169349.0, 10, "E09000006", "E09000006", "E01000720"],
    ]


def test_nspl_and_capitals(tmp_path: Path) -> None:
    header = "PCD,PCDS,DOTERM,CTY,LAUA,OSEAST1M,OSNRTH1M,OSGRDIND,LSOA21\n"
    text = header + "TS1 1AA,TS1 1AA,,E99999999,E06000002,448907,520333,1,\n"
    given = read(found(tmp_path, "NSPL21_AUG_2023_UK.csv", text), "postcodes")
    assert given.frame["lad_code"].tolist() == ["E06000002"]
    assert given.vintage == "2023-08"


def test_the_last_termination_dates_a_directory_without_name(tmp_path: Path) -> None:
    given = read(found(tmp_path, "postcodes.csv", DIRECTORY_2018), "postcodes")
    assert given.vintage == "2015-12"


def test_parts_of_a_directory_that_is_there_whole_are_not_read_again(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "ONSPD_MAY_2018_UK.zip", "w") as archive:
        archive.writestr("Data/ONSPD_MAY_2018_UK.csv", DIRECTORY_2018)
        archive.writestr("Data/multi_csv/ONSPD_MAY_2018_UK_TS.csv", DIRECTORY_2018)
    tables, _ = look(tmp_path)
    assert {table.member: recognise(table).format.key for table in tables} == {
        "Data/ONSPD_MAY_2018_UK.csv": "postcodes",
        "Data/multi_csv/ONSPD_MAY_2018_UK_TS.csv": "documentation",
    }


def test_a_part_alone_is_read(tmp_path: Path) -> None:
    table = found(tmp_path, "multi_csv/ONSPD_MAY_2018_UK_TS.csv", DIRECTORY_2018)
    assert len(read(table, "postcodes").frame) == 4


def test_rows_said_again_and_rows_that_differ(tmp_path: Path) -> None:
    row = OLD.splitlines(keepends=True)[0]
    given = read(found(tmp_path, "ab.csv", OLD + row), "postcodes")
    assert len(given.frame) == 4
    assert given.dropped["said again"] == 1
    with pytest.raises(DataError, match=r"ab.csv:6:postcode: AB101AB stands twice and differs"):
        read(found(tmp_path, "ab.csv", OLD + row.replace("394251", "394252")), "postcodes")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (("514946", "2000000"), "Column 3 of Code-Point Open is the easting"),
        (("M1  1AD", "M1 1A1"), "'M11A1' is no postcode"),
        (("E07000240", "7000240"), "Column 9 of Code-Point Open is the district"),
        (('"E10000015","E07000240"', '"E07000240","E10000015"'), "Column 8 of Code-Point Open is the county"),
        (("398598", "1398598"), "383825, 1.3986e\\+06 is outside Great Britain"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, spoil: tuple[str, str], message: str) -> None:
    table = found(tmp_path, "ab.csv", OLD.replace(*spoil))
    with pytest.raises(DataError, match=message):
        read(table, "postcodes")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    unknown = recognise(found(tmp_path, "onspd.csv", DIRECTORY_2018.replace("oslaua", "x")))
    assert "looked for oslaua, laua or ladNNcd" in str(unknown.problems[0])


@pytest.mark.england
@pytest.mark.parametrize("name", ["codepoint-open_2025-11_ts.csv"])
def test_the_published_file(name: str, tmp_path: Path) -> None:
    path = sample(name)
    (tmp_path / name).symlink_to(path)
    given = read(look(tmp_path)[0][0], "postcodes")
    assert given.frame.shape == (17823, 7)
    assert given.vintage == "2025-11"
    assert not given.dropped


def test_spoiled_areas(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    path = tmp_path / "in" / "al.csv"
    path.write_text(OLD)
    survives(path, tmp_path / "out", "postcodes")


def test_spoiled_directories(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    path = tmp_path / "in" / "ONSPD_MAY_2018_UK.csv"
    path.write_text(DIRECTORY_2018)
    survives(path, tmp_path / "out", "postcodes")


@pytest.mark.england
def test_spoiled_copies_of_the_published_file(tmp_path: Path) -> None:
    survives(sample("codepoint-open_2025-11_ts.csv"), tmp_path, "postcodes")
