"""Monthly accident and emergency files of several years."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.official.found import look
from geodata.official.recognise import recognise
from optimiser.errors import DataError
from tests.geodata.official.places import found, read, sample, survives

# June 2018: "Number of", no booked appointments, a total row whose code is TOTAL.
OLD = (
    "Period,Org Code,Parent Org,Org name,Number of A&E attendances Type 1,Number of A&E attendances Type 2,"
    "Number of A&E attendances Other A&E Department,Number of attendances over 4hrs Type 1,"
    "Number of attendances over 4hrs Type 2,Number of attendances over 4hrs Other A&E Department\n"
    'MSitAE-JUNE-2018,RVW,NHS ENGLAND NORTH,"NORTH TEES, TRUST","8,123",0,4021,500,0,1\n'
    "MSitAE-JUNE-2018,Y03007,NHS ENGLAND NORTH,A WALK-IN CENTRE,0,0,2082,0,0,0\n"
    "TOTAL,TOTAL,TOTAL,TOTAL,8123,0,6103,500,0,1\n"
)
NEW = (
    "Period,Org Code,Parent Org,Org name,A&E attendances Type 1,A&E attendances Type 2,"
    "A&E attendances Other A&E Department,A&E attendances Booked Appointments Type 1,"
    "A&E attendances Booked Appointments Type 2,A&E attendances Booked Appointments Other Department,"
    "Attendances over 4hrs Type 1,Attendances over 4hrs Type 2\n"
    "MSitAE-MAY-2025,RVW,NHS ENGLAND NORTH ,NORTH TEES,100,20,30,4,5,6,50,1\n"
    "TOTAL,TOTAL,TOTAL,TOTAL,100,20,30,4,5,6,50,1\n"
)
# A table saved from the workbook of 2016: titles, two rows of header, England first, notes below.
SAVED = (
    ",,,,,,,,\n,Title:,A&E Attendances and Emergency Admissions,,,,,,\n,Period:,May 2016,,,,,,\n"
    ",,,,A&E attendances,,,A&E attendances > 4 hours from arrival,\n"
    "Code,Region,Name,Type 1 Departments - Major A&E,Type 2 Departments - Single Specialty,"
    "Type 3 Departments - Other A&E/Minor Injury Unit,Total attendances,Type 1 Departments - Major A&E,"
    "Type 2 Departments - Single Specialty\n"
    "-,-,England,8000,100,300,8400,5,5\n,,,,,,,,\n"
    "RVW,North,North Tees,8000,0,300,8300,5,5\nRP6,London,Moorfields,-,100,-,100,-,5\n"
)


def test_2018(tmp_path: Path) -> None:
    given = read(found(tmp_path, "June-2018-CSV.csv", OLD), "attendances")
    assert given.frame.to_numpy().tolist() == [
        ["RVW", "NORTH TEES, TRUST", 8123.0, 4021.0],
        ["Y03007", "A WALK-IN CENTRE", 0.0, 2082.0],
    ]
    assert given.vintage == "2018-06"
    assert given.notes == ("one month: 2018-06",)
    assert given.dropped == {"totals": 1}


def test_booked_appointments_are_attendances(tmp_path: Path) -> None:
    given = read(found(tmp_path, "x.csv", NEW), "attendances")
    assert given.frame.to_numpy().tolist() == [["RVW", "NORTH TEES", 104.0, 61.0]]
    assert given.notes == ("one month: 2025-05", "15 booked appointments are counted as attendances")


def test_a_table_saved_from_a_workbook(tmp_path: Path) -> None:
    given = read(found(tmp_path, "x.csv", SAVED), "attendances")
    assert given.frame.to_numpy().tolist() == [["RVW", "North Tees", 8000.0, 300.0], ["RP6", "Moorfields", 0.0, 100.0]]
    assert given.vintage == "2016-05"
    assert given.notes == ("one month: 2016-05",)
    assert given.dropped == {"totals": 1}


def test_a_total_that_does_not_agree_is_told(tmp_path: Path) -> None:
    lines = OLD.splitlines(keepends=True)
    given = read(found(tmp_path, "x.csv", "".join([*lines[:2], lines[3]])), "attendances")
    assert "add up to 12,144 attendances, the file's own total is 14,226" in given.notes[1]


def test_two_months_in_a_file_are_refused(tmp_path: Path) -> None:
    text = OLD + OLD.splitlines()[1].replace("JUNE", "JULY") + "\n"
    with pytest.raises(DataError, match="holds 2 months"):
        read(found(tmp_path, "x.csv", text), "attendances")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (("RVW", "1E+05"), r"x.csv:2:provider: '1E\+05' is no provider"),
        (("4021", "many"), "x.csv:2:type_3: 'many' is not a number"),
        (("4021", "-4021"), "-4021 people"),
        (("Y03007", "RVW"), "stands twice and differs"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, spoil: tuple[str, str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(found(tmp_path, "x.csv", OLD.replace(*spoil)), "attendances")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    unknown = recognise(found(tmp_path, "x.csv", NEW.replace("A&E attendances Type 2", "Eye casualty")))
    assert "looked for A&E attendances Type 2" in str(unknown.problems[0])


def test_some_of_the_booked_appointments_are_not_left_out(tmp_path: Path) -> None:
    text = NEW.replace("A&E attendances Booked Appointments Type 2", "Eye casualty")
    with pytest.raises(DataError, match="looked for A&E attendances Booked Appointments Type 2"):
        read(found(tmp_path, "x.csv", text), "attendances")


@pytest.mark.england
def test_the_published_file(tmp_path: Path) -> None:
    name = "Monthly-AE-May-2025.csv"
    (tmp_path / name).symlink_to(sample(name))
    given = read(look(tmp_path)[0][0], "attendances")
    assert len(given.frame) == 200
    assert given.frame["type_1"].sum() == 1418862 + 34174
    assert given.frame[["type_1", "others"]].to_numpy().sum() == 2395886
    assert len(given.notes) == 2


@pytest.mark.england
def test_spoiled_copies_of_the_published_file(tmp_path: Path) -> None:
    survives(sample("Monthly-AE-May-2025.csv"), tmp_path, "attendances")


@pytest.mark.parametrize("text", [OLD, NEW, SAVED])
def test_spoiled_copies(tmp_path: Path, text: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "x.csv").write_text(text)
    survives(tmp_path / "in" / "x.csv", tmp_path / "out", "attendances")
