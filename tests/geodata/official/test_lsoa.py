"""Where patients live: lists by LSOA of every year, look-ups and centroids, and people outside England."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.official.formats.lsoa import both_sexes
from optimiser.errors import DataError
from tests.geodata.official.tables import csv_table, nearly, read, refused

SINCE_2017 = "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,LSOA_CODE,SEX,NUMBER_OF_PATIENTS"


def row(lsoa: str, people: object, sex: str = "ALL", date: str = "01Oct2025", practice: str = "C81018") -> str:
    return f'GP_PRAC_PAT_LIST,{date},{practice},"DOVE, RIVER",{lsoa},{sex},{people}'


@pytest.mark.parametrize(
    ("header", "date", "vintage"),
    [
        (SINCE_2017, "01-Apr-17", "2017-04-01"),
        (SINCE_2017.replace("NUMBER_OF_PATIENTS", "Number of Patients"), "01APR2019", "2019-04-01"),
        (SINCE_2017, "2026-01-01", "2026-01-01"),
        (SINCE_2017.replace("LSOA_CODE", "LSOA_2021_CODE"), "2026-01-01", "2026-01-01"),
    ],
)
def test_lists_by_lsoa(tmp_path: Path, header: str, date: str, vintage: str) -> None:
    got = read(
        csv_table(tmp_path, header, row("E01008064", 3, date=date), row("E01010319", 1, date=date)), "lsoa_lists"
    )
    assert got.frame.values.tolist() == [["C81018", "E01008064", 3.0], ["C81018", "E01010319", 1.0]]
    assert got.frame.columns.tolist() == ["practice", "lsoa", "patients"]
    assert got.vintage == vintage


@pytest.mark.parametrize("name", ["ORG_NAME", "NAME"])
def test_lists_of_2014_to_2016_have_sexes_in_columns(tmp_path: Path, name: str) -> None:
    header = f"PRACTICE_CODE,{name},LSOA_CODE,Male Patients,Female Patients,All Patients"
    table = csv_table(tmp_path, header, "C81018,DOVE,E01008064,1,2,3", "C81018,DOVE,NO2011,4,4,8",
                      name="gp-reg-patients-04-2014-totals-lsoa-alt.csv")  # fmt: skip
    got = read(table, "lsoa_lists")
    assert got.frame.values.tolist() == [["C81018", "E01008064", 3.0]]
    assert got.dropped == {"patients at an address without an LSOA": 1}
    assert got.vintage == "2014-04"


def test_people_outside_england_are_counted(tmp_path: Path) -> None:
    elsewhere = {"EMPTY": 1, "CLOSED": 2, "NO2011": 4, "L99999999": 8, "M99999999": 16, "W01000600": 32,
                 "S01017964": 64, "N21000624": 128, "95AA01S1": 256}  # fmt: skip
    rows = [row(lsoa, n) for lsoa, n in elsewhere.items()]
    got = read(csv_table(tmp_path, SINCE_2017, row("E01008064", 489), *rows), "lsoa_lists")
    assert got.frame["patients"].tolist() == [489.0]
    assert got.dropped == {
        "patients of no known address (EMPTY)": 1,
        "patients at a closed postcode (CLOSED)": 1,
        "patients at an address without an LSOA": 3,
        "patients living in Wales": 1,
        "patients living in Scotland": 1,
        "patients living in Northern Ireland": 2,
    }
    assert "384 patients living in Northern Ireland are left out." in got.notes
    assert "28 patients at an address without an LSOA are left out." in got.notes
    assert got.notes[-1] == "Together they are 51.10% of all."


def test_mangled_lsoas(tmp_path: Path) -> None:
    why = refused(
        csv_table(tmp_path, SINCE_2017, row("E01008064", 1), row("1E+08", 1), row("E0100806", 1)), "lsoa_lists"
    )
    assert "table.csv:3:lsoa: '1E+08' is no code" in why
    assert "table.csv:4:lsoa: 'E0100806' is no code" in why


def test_a_file_of_one_sex_is_half_of_the_patients(tmp_path: Path) -> None:
    reads = []
    for sex, people in (("MALE", 3), ("FEMALE", 4)):
        folder = tmp_path / sex
        folder.mkdir()
        table = csv_table(folder, SINCE_2017, row("E01008064", people, sex), row("E01010319", 1, sex))
        reads.append(read(table, "lsoa_lists_of_a_sex"))
    got = both_sexes(reads)
    assert got.frame.values.tolist() == [["C81018", "E01008064", 7.0], ["C81018", "E01010319", 2.0]]
    with pytest.raises(DataError, match="missing"):
        both_sexes(reads[1:])


def test_rows_of_a_sex_beside_those_of_all(tmp_path: Path) -> None:
    rows = [row("E01008064", 7), row("E01008064", 3, "MALE"), row("E01008064", 4, "FEMALE")]
    got = read(csv_table(tmp_path, SINCE_2017, *rows), "lsoa_lists")
    assert got.frame["patients"].tolist() == [7.0]
    assert got.dropped == {"row of one sex, who are among all": 2}


def test_a_changed_header(tmp_path: Path) -> None:
    header = SINCE_2017.replace("LSOA_CODE", "AREA")
    assert "looked for LSOA_CODE" in nearly(csv_table(tmp_path, header, row("E01008064", 3)))
    assert nearly(csv_table(tmp_path, "practice_code,lsoa11_code", "C81018,E01008064")) == ""


@pytest.mark.parametrize(
    ("header", "line", "commissioner", "vintage"),
    [
        ("FID,LSOA11CD,LSOA11NM,CCG21CD,CCG21CDH,CCG21NM,LAD21CD,LAD21NM",
         "1,E01007420,Barnsley 016C,E38000006,02P,NHS Barnsley CCG,E08000016,Barnsley", "02P", "2021"),
        ("LSOA11CD,LSOA11NM,CCG17CD,CCG17NM,LAD17CD,LAD17NM,FID",
         "E01007420,Barnsley 016C,E38000006,NHS Barnsley CCG,E08000016,Barnsley,1", "", "2017"),
        ("FID,LSOA11CD,LSOA11NM,CCG20CD,CCG20CDH,CCG20NM,STP20CD,STP20NM,CAL20CD,CAL20NM,LAD20CD,LAD20NM",
         "1,E01007420,B,E38000006,02P,X,E54000009,Y,E56000005,Z,E08000016,Barnsley", "02P", "2020"),
        ("LSOA21CD,LSOA21NM,SICBL23CD,SICBL23CDH,SICBL23NM,ICB23CD,ICB23CDH,ICB23NM,LAD23CD,LAD23NM,ObjectId",
         "E01007420,B,E38000006,02P,X,E54000061,QF7,Y,E08000016,Barnsley,1", "02P", "2023"),
        ("OA21CD,LSOA21CD,LSOA21NM,LAD22CD,LAD22NM",
         "E00037001,E01007420,B,E08000016,Barnsley", "", "2022"),
    ],
    ids=["2021", "2017", "2020", "2023", "output areas"],
)  # fmt: skip
def test_look_ups(tmp_path: Path, header: str, line: str, commissioner: str, vintage: str) -> None:
    table = csv_table(tmp_path, header, line, line, encoding="utf-8-sig")
    got = read(table, "lsoa_areas")
    assert got.frame.values.tolist() == [["E01007420", "E08000016", "Barnsley", commissioner]]
    assert got.dropped == {"repeated row": 1}
    assert got.vintage == vintage
    assert bool(got.notes) == (not commissioner)


def test_authorities_alone_are_no_look_up(tmp_path: Path) -> None:
    assert nearly(csv_table(tmp_path, "LAD21CD,LAD21NM,FID", "E08000016,Barnsley,1")) == ""


@pytest.mark.parametrize(
    ("header", "line", "year"),
    [
        ("FID,LSOA21CD,GlobalID,x,y", "1,E01000001,ab-c,532181.7642,181792.2818", "2021"),
        ("X,Y,objectid,lsoa11cd,lsoa11nm", "532181.7642,181792.2818,1,E01000001,City 001A", "2011"),
        (
            "OBJECTID,LSOA21CD,LSOA21NM,BNG_E,BNG_N,LONG,LAT",
            "1,E01000001,City,532181.7642,181792.2818,-0.1,51.5",
            "2021",
        ),
        ("X,Y,lsoa11cd", "-0.0971,51.5181,E01000001", "2011"),
    ],
    ids=["2021", "2011", "boundary file", "degrees"],
)
def test_centroids(tmp_path: Path, header: str, line: str, year: str) -> None:
    got = read(csv_table(tmp_path, header, line, line.replace("E01000001", "W01000001")), "lsoa_places")
    assert got.frame["lsoa"].tolist() == ["E01000001"]
    assert got.frame[["easting", "northing"]].values.tolist() == [pytest.approx([532181.8, 181792.3], abs=200)]
    assert got.dropped == {"LSOA outside England": 1}
    assert got.vintage == year


@pytest.mark.parametrize("place", ["-10813.4,6711542.5", "532181,81792.2e9", "181792000,532181"])
def test_centroids_that_lie_nowhere(tmp_path: Path, place: str) -> None:
    line = f"E01000001,{place}"
    assert ":2:" in refused(csv_table(tmp_path, "LSOA21CD,x,y", line, "E01000002,532181,181792"), "lsoa_places")


def test_centroids_at_the_origin_are_none(tmp_path: Path) -> None:
    got = read(csv_table(tmp_path, "LSOA21CD,x,y", "E01000001,0,0", "E01000002,532181,181792"), "lsoa_places")
    assert got.frame["lsoa"].tolist() == ["E01000002"]
    assert got.dropped == {"no place": 1}
