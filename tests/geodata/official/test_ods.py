"""Practices of the Organisation Data Service, of every vintage and however spoiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.official.found import look
from geodata.official.recognise import Recognised, Unknown, recognise
from optimiser.errors import DataError
from tests.geodata.official.ods_rows import HEADER, practice, read, table, wrong


def test_practices_of_2014(tmp_path: Path) -> None:
    rows = [
        practice("A81001"),
        practice("A81002", status="C", closed="20130331", commissioner="5E1"),
        practice("A81003", status="D", setting="0"),
        practice("Y01234", status="P", setting="10", opened="20141001"),
        practice("ALD200", region="", icb="", kind="Z", commissioner="", postcode="GY9 3TD", setting="0"),
    ]
    got = read(tmp_path, rows, "ods_practices", "epraccur_2014-10.csv")
    assert list(got.frame) == ["code", "name", "region", "icb", "postcode", "opened", "closed", "status",
                               "commissioner", "setting", "address"]  # fmt: skip
    assert list(got.frame["status"]) == ["active", "inactive", "dormant", "proposed", "active"]
    assert list(got.frame["setting"]) == ["gp", "gp", "0", "10", "0"]
    assert got.frame.loc[2, ["closed", "commissioner", "postcode"]].tolist() == ["2013-03-31", "5E1", "TS181HU"]
    assert got.frame.index.tolist() == [1, 2, 3, 4, 5]
    assert got.vintage == "2014-10"
    assert got.frame.loc[1, "address"] == "1 HIGH STREET"


def test_practices_of_2026(tmp_path: Path) -> None:
    new = {"status": "ACTIVE", "commissioner": "A3A8R", "region": "Y63", "icb": "QHM", "amended": "1"}
    rows = [
        practice("A81001", **new, setting="RO76"),
        practice("K0E995", **new, setting="RO76|RO268"),
        practice("A81003", **{**new, "status": "INACTIVE"}, closed="20171031", setting="RO80|RO87"),
        practice("A81004", **{**new, "status": "DORMANT"}, setting="RO72"),
        practice("Y08982", **new, setting="", name="SAS WEST"),
        practice("Y08983", **new, setting="RO76", name="LOCAL SPECIAL ALLOCATION SERVICE"),
    ]
    got = read(tmp_path, rows, "ods_practices")
    assert list(got.frame["status"]) == ["active", "active", "inactive", "dormant", "active", "active"]
    assert list(got.frame["setting"]) == ["gp", "gp", "RO80|RO87", "RO72", "", "gp"]
    assert got.vintage == "1974-04-01"  # the newest day inside, where the file's name has none
    assert any("1 GP practices are named as services for patients whom no" in note for note in got.notes)


@pytest.mark.parametrize("columns", [26, 29], ids=["shorter rows", "longer rows"])
def test_rows_of_another_length(tmp_path: Path, columns: int) -> None:
    rows = [[*practice(code), "", ""][:columns] for code in ("A81001", "A81002")]
    assert read(tmp_path, rows, "ods_practices").frame["setting"].tolist() == ["gp", "gp"]


def test_old_files_without_settings(tmp_path: Path) -> None:
    got = read(tmp_path, [practice("A81001", setting=""), practice("A81002", setting="")], "ods_practices")
    assert got.frame["setting"].tolist() == ["", ""]
    assert "setting is blank in every row" in got.notes


def test_a_copy_with_a_header_is_read_by_its_names(tmp_path: Path) -> None:
    order = [0, 25, 1, 9, 14, 12, 10, 11, 17]
    rows = [[row[i] for i in order] for row in (HEADER, practice("A81001"), practice("A81002", setting="0"))]
    got = read(tmp_path, rows, "ods_practices")
    assert got.frame["setting"].tolist() == ["gp", "0"]
    assert got.frame["commissioner"].tolist() == ["00K", "00K"]
    assert got.frame.index.tolist() == [2, 3]


def test_a_header_of_words_run_together_and_only_the_provider(tmp_path: Path) -> None:
    rows = [
        [
            "OrganisationCode",
            "Name",
            "AddressLine1",
            "Postcode",
            "StatusCode",
            "Telephone",
            "Provider",
            "PrescribingSetting",
        ],
        ["A81001", "MILL SURGERY", "HIGH STREET", "TS18 1HU", "A", "01642 000000", "00K", "4"],
        ["A81630", "FOUNDATIONS", "ACKLAM ROAD", "TS5 4EQ", "A", "01642 000001", "112", "4"],
    ]
    got = read(tmp_path, rows, "ods_practices")
    assert got.frame["commissioner"].tolist() == ["00K", ""]
    assert any("1 practices are run by a body that commissions nothing" in note for note in got.notes)


@pytest.mark.parametrize(
    "header", [[f"V{i}" for i in range(1, 28)], [str(i) for i in range(27)], ["", "GP_name", *[""] * 24, "Setting"]]
)
def test_a_header_that_means_nothing_is_passed_over_and_said(tmp_path: Path, header: list[str]) -> None:
    got = read(tmp_path, [header, practice("A81001"), practice("A81002")], "ods_practices")
    assert got.frame["code"].tolist() == ["A81001", "A81002"]
    assert got.notes[0].startswith("row 1 is no data and was taken for a header")


def test_a_header_with_a_column_renamed_names_the_column_looked_for(tmp_path: Path) -> None:
    header = [h if h != "Prescribing Setting" else "Kind of place" for h in HEADER]
    known = recognise(table(tmp_path, [header, practice("A81001"), practice("A81002")]))
    assert isinstance(known, Unknown)
    assert known.nearly is not None and known.nearly.key == "ods_practices"
    assert "no column for setting" in str(known.problems[0])


def test_amendments_are_not_taken_for_all_practices(tmp_path: Path) -> None:
    rows = [practice("A82619"), practice("Y05265", setting="9")]
    rows += [practice(f"G991033{i}", status="B", commissioner="A82619", setting="") for i in range(2)]
    got = read(tmp_path, rows, "ods_amendments", "egpam_2015-12-18.csv")
    assert got.frame["code"].tolist() == ["A82619", "Y05265"]
    assert got.dropped == {"a practitioner, not a practice": 2}
    assert got.vintage == "2015-12-18"


def test_practitioners_far_down_still_tell_amendments(tmp_path: Path) -> None:
    rows = [practice(f"A{i:05d}") for i in range(300)] + [practice("G9910333", commissioner="A00001", setting="")]
    assert len(read(tmp_path, rows, "ods_amendments").frame) == 300


@pytest.mark.parametrize(
    ("cell", "bad"),
    [
        ("commissioner", "1.00E+00"), ("commissioner", "1"), ("commissioner", "0"), ("commissioner", "05-May"),
        ("commissioner", "2.00E+03"), ("commissioner", "50"), ("commissioner", "#N/A"), ("status", "OPEN"),
        ("opened", "2.02E+07"), ("opened", "########"), ("opened", "20130230"), ("closed", "31/31/2020"),
        ("closed", "43922"), ("setting", "1E+05"), ("opened", ""),
    ],
)  # fmt: skip
def test_a_mangled_cell_is_named_by_line_and_column(tmp_path: Path, cell: str, bad: str) -> None:
    rows = [practice(f"A8100{i}") for i in range(1, 7)] + [practice("A81009", **{cell: bad})]
    said = wrong(tmp_path, rows, "ods_practices")
    assert f"table.csv:7:{cell}" in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("bad", ["1.00E+05", "05-May", "0", "#REF!", ""])
def test_a_mangled_code_is_named(tmp_path: Path, bad: str) -> None:
    rows = [practice(f"A8100{i}") for i in range(1, 7)] + [practice(bad)]
    assert "table.csv:7:code" in wrong(tmp_path, rows, "ods_practices")


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    rows = [practice(f"A8100{i}") for i in range(1, 7)]
    rows += [practice("A81008", commissioner="1"), practice("A81009", status="X", setting="half")]
    assert len(wrong(tmp_path, rows, "ods_practices").splitlines()) == 3


def test_the_pcts_that_spreadsheets_take_for_numbers_are_mended_and_said(tmp_path: Path) -> None:
    rows = [practice("A81001", commissioner="5.00E+01"), practice("A81002", commissioner="5E+09")]
    got = read(tmp_path, rows, "ods_practices")
    assert got.frame["commissioner"].tolist() == ["5E1", "5E9"]
    assert any("2 codes that a spreadsheet had made numbers were mended" in note for note in got.notes)


@pytest.mark.parametrize(
    "shown", ["20130331", "20130331.0", "2013-03-31", "31/03/2013", "31-Mar-2013", "2013-03-31 00:00:00"]
)
def test_days_as_people_write_them(tmp_path: Path, shown: str) -> None:
    got = read(tmp_path, [practice("A81001"), practice("A81002", closed=shown, status="C")], "ods_practices")
    assert got.frame["closed"].tolist() == ["", "2013-03-31"]


def test_a_practice_that_reopened_is_open(tmp_path: Path) -> None:
    rows = [
        practice("A81001", opened="20150401", closed="20130331"),
        practice("A81002", opened="20150401", closed="20130331", status="C"),
    ]
    got = read(tmp_path, rows, "ods_practices")
    assert got.frame["closed"].tolist() == ["", "2013-03-31"]
    assert any("1 organisations opened again after the day they closed" in note for note in got.notes)


def test_of_two_rows_for_a_code_the_open_one_counts(tmp_path: Path) -> None:
    rows = [
        practice("A81001", name="OLD HALL", opened="19740401", closed="20130331", status="C"),
        practice("A81001", name="NEW HALL", opened="20150401"),
        practice("A81002"),
        practice("A81002"),
    ]
    got = read(tmp_path, rows, "ods_practices")
    assert got.frame["name"].tolist() == ["NEW HALL", "MILL SURGERY"]
    assert got.dropped == {"the same row again": 1, "an earlier life of a code that was given again": 1}


def test_two_rows_for_a_code_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    said = wrong(tmp_path, [practice("A81001"), practice("A81001", commissioner="00M")], "ods_practices")
    assert "A81001 stands in lines 1, 2, which differ" in said


@pytest.mark.parametrize("gone", [2, 3, 6, 9, 11, 13, 18, 22, 24])
def test_columns_that_moved_are_never_read_as_others(tmp_path: Path, gone: int) -> None:
    rows = [practice(f"A8100{i}", closed="20130331", status="C", provider="00K") for i in range(1, 7)]
    moved = [row[:gone] + row[gone + 1 :] + row[gone : gone + 1] for row in rows]
    known = recognise(table(tmp_path, moved))
    if isinstance(known, Recognised):
        with pytest.raises(DataError, match="moved"):
            known.format.read(known.table)
    else:
        assert gone < 4  # with the codes of places gone there is little to know it by


@pytest.mark.england
def test_general_practices_of_the_published_files(samples: Path) -> None:
    tables = {found.name: found for found in look(samples)[0]}
    for name, practices in (("epraccur_2014-10_legacy-codes.csv", 8_205), ("epraccur_2026-02_new-codes.csv", 8_189)):
        known = recognise(tables[name])
        assert isinstance(known, Recognised)
        frame = known.format.read(tables[name]).frame
        assert (frame["setting"] == "gp").sum() == practices
        assert frame["code"].is_unique
        assert set(frame["status"]) <= {"active", "inactive", "dormant", "proposed"}
