"""Trusts, commissioners, memberships and addresses, of every vintage and however spoiled."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.official.formats import FORMATS, ods, ods_bodies, ods_members
from geodata.official.found import look
from geodata.official.recognise import Recognised, Unknown, recognise
from tests.geodata.official.ods_rows import practice, read, row27, table, wrong


def test_trusts(tmp_path: Path) -> None:
    rows = [
        row27("R0A", "MANCHESTER UNIVERSITY NHS FOUNDATION TRUST", icb="QOP", provider="B"),
        row27("RD3", "POOLE HOSPITAL NHS FOUNDATION TRUST", closed="20200930", provider="K"),
        row27("G6V2S", "NORTH LONDON NHS FOUNDATION TRUST", opened="20241101", icb="Z9B2Z", provider="H"),
    ]
    got = read(tmp_path, rows, "ods_trusts", "etr.csv")
    assert list(got.frame) == ["code", "name", "icb", "postcode", "opened", "closed"]
    assert got.frame["closed"].tolist() == ["", "2020-09-30", ""]
    assert got.vintage == "2024-11-01"


def test_trusts_with_their_sites_and_a_header(tmp_path: Path) -> None:
    rows = [
        ["code", "name", "postcode", "open_date"],
        ["R0A", "MANCHESTER UNIVERSITY NHS FOUNDATION TRUST", "M13 9WL", "20171001"],
        ["R0A02", "MANCHESTER ROYAL INFIRMARY", "M13 9WL", "20171001"],
        ["RJ1", "GUY'S AND ST THOMAS' NHS FOUNDATION TRUST", "SE1 7EH", "19930401"],
    ]
    got = read(tmp_path, rows, "ods_trusts")
    assert got.frame["code"].tolist() == ["R0A", "RJ1"]
    assert got.dropped == {"a site of a trust, not a trust": 1}


def test_commissioners_of_every_age(tmp_path: Path) -> None:
    rows = [
        row27("00C", "NHS DARLINGTON CCG", closed="20200331"),
        row27("01E", "NHS LANCASHIRE AND SOUTH CUMBRIA ICB - 01E", kind="RO319"),
        row27("5E1", "STOCKTON-ON-TEES TEACHING PCT", closed="20130331"),
        row27("A3A8R", "NHS NORTH EAST LONDON ICB - A3A8R", kind="RO319|RO326"),
        row27("13N", "WESSEX COMMISSIONING HUB", kind="RO218"),
        row27("Z4H8X", "HOUNSLOW - SUB-ICB REPORTING ENTITY", kind="RO327"),
    ]
    got = read(tmp_path, rows, "ods_commissioners", "eccg.csv")
    assert list(got.frame) == ["code", "name", "region", "icb", "postcode", "opened", "closed"]
    assert got.frame["code"].tolist() == ["00C", "01E", "5E1", "A3A8R", "13N", "Z4H8X"]


@pytest.mark.parametrize("bad", ["1.00E+00", "1", "02-Feb", "5.00E+00"])
def test_a_mangled_commissioner_is_named(tmp_path: Path, bad: str) -> None:
    rows = [row27(f"0{i}C", "NHS SOMEWHERE CCG") for i in range(6)] + [row27(bad, "NHS LOST CCG")]
    assert "table.csv:7:code" in wrong(tmp_path, rows, "ods_commissioners")


def test_memberships(tmp_path: Path) -> None:
    rows = [
        ["A81001", "4QP36", "W", "19990401", "20010331", "0"],
        ["A81001", "5.00E+01", "W", "20010401", "20130331", "0"],
        ["A81001", "00K", "W", "20130401", "", "0"],
        ["A81001", "00K", "W", "20130401", "", "0"],
        ["A81002", "TAN", "W", "20130401", "20120401", "1"],
    ]
    got = read(tmp_path, rows, "memberships", "epcmem_2019-10.csv")
    assert got.frame.to_numpy().tolist() == [
        ["A81001", "4QP36", "1999-04-01", "2001-03-31"],
        ["A81001", "5E1", "2001-04-01", "2013-03-31"],
        ["A81001", "00K", "2013-04-01", ""],
    ]
    assert got.dropped == {"the same row again": 1, "ends before it starts": 1}
    assert got.vintage == "2019-10"


def test_memberships_with_a_header(tmp_path: Path) -> None:
    header = ["ODSCode", "ParentODSCode", "ParentOrganisationType", "JoinParentDate", "LeftParentDate", "Amended"]
    rows = [header, ["A81001", "00K", "W", "20130401", "", "0"]]
    assert read(tmp_path, rows, "memberships").frame["commissioner"].tolist() == ["00K"]


@pytest.mark.parametrize("bad", ["1.00E+00", "0", "", "A8100"])
def test_a_mangled_membership_is_named(tmp_path: Path, bad: str) -> None:
    rows = [[f"A8100{i}", "00K", "W", "20130401", "", "0"] for i in range(6)]
    rows += [["A81009", bad, "W", "20130401", "", "0"]]
    assert "table.csv:7:commissioner" in wrong(tmp_path, rows, "memberships")


@pytest.mark.parametrize("ending", ["", ","], ids=["of 2012", "of 2010"])
def test_addresses_padded_to_a_fixed_width(tmp_path: Path, ending: str) -> None:
    line = "201202,A8100{},MILL SURGERY            ,THE HEALTH CENTRE   ,N/A       ,STOCKTON  ,          ,TS1 3BE "
    (tmp_path / "T201202ADD REXT.CSV").write_text("".join(f"{line.format(i)}{ending}\r\n" for i in (1, 2)))
    (found,), _ = look(tmp_path)
    known = recognise(found)
    assert isinstance(known, Recognised) and known.format.key == "addresses"
    got = known.format.read(found)
    assert got.frame.loc[1].tolist() == ["A81001", "MILL SURGERY", "THE HEALTH CENTRE, STOCKTON", "TS13BE"]
    assert got.vintage == "2012-02"


def test_of_several_months_the_last_address_counts(tmp_path: Path) -> None:
    rows = [
        ["201202", "A81001", "MILL SURGERY", "NEW ROAD", "", "", "", "TS1 3BE"],
        ["201108", "A81001", "MILL SURGERY", "OLD ROAD", "", "", "", "TS1 3BE"],
        ["201108", "A81002", "HALL SURGERY", "OLD ROAD", "", "", "", "nowhere"],
    ]
    with pytest.raises(AssertionError):  # a third of the postcodes are none: it is nothing that is known
        read(tmp_path, rows, "addresses")
    rows += [["201108", f"A8101{i}", "HALL SURGERY", "OLD ROAD", "", "", "", "TS1 3BE"] for i in range(3)]
    got = read(tmp_path, rows, "addresses")
    assert got.frame["address"].tolist()[:2] == ["NEW ROAD", "OLD ROAD"]
    assert got.dropped == {"an address of an earlier month": 1}
    assert any("1 cells of postcode do not hold a postcode" in note for note in got.notes)


def test_a_file_that_breaks_off_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "epcmem.csv").write_text('"A81001","00K","W","20130401","","0"\r\n"A81002","00K","W","20130401","","0"')
    (found,), _ = look(tmp_path)
    known = recognise(found)
    assert isinstance(known, Recognised)
    assert "the last line has no end: was it cut short?" in known.format.read(found).notes


STRANGERS = {
    "Code-Point Open": [["TS1 1AA", "10", "448907", "520333", "E92000001", "E19000001", "", "", "E06000002", "E05"]],
    "sites of trusts": [row27("R0A02", "MANCHESTER ROYAL INFIRMARY"), row27("R0A03", "MANCHESTER EYE HOSPITAL")],
    "dentists": [row27("V12345", "SMILE DENTAL PRACTICE", kind="B")],
    "practitioners": [practice("G9910333", commissioner="A82619"), practice("G9910334", commissioner="A82619")],
    "regions of England": [row27("Y54", "NORTH OF ENGLAND COMMISSIONING REGION")],
    "members of other things": [["G9910333", "A82619", "P", "20130401", "", "0"]],
    "prescriptions": [["Q30", "5D7", "A86001", "0101010C0", "CO-MAGALDROX", "2", "4.10", "4.20", "201202"]],
    "two columns": [["A81001", "00K"]],
}  # fmt: skip


@pytest.mark.parametrize("kind", STRANGERS)
def test_other_files_are_not_taken_for_these(tmp_path: Path, kind: str) -> None:
    known = recognise(table(tmp_path, STRANGERS[kind]))
    mine = {form.key for form in (*ods.FORMATS, *ods_bodies.FORMATS, *ods_members.FORMATS)}
    assert not (isinstance(known, Recognised) and known.format.key in mine)
    assert not (isinstance(known, Unknown) and known.nearly is not None and known.nearly.key in mine)


@pytest.mark.england
def test_the_published_files(samples: Path) -> None:
    expected = {
        "epraccur_2014-10_legacy-codes.csv": ("ods_practices", 14_912, "2014-10"),
        "epraccur_2026-02_new-codes.csv": ("ods_practices", 15_389, "2026-02"),
        "egpam_2015-12-18.csv": ("ods_amendments", 125, "2015-12-18"),
        "etr_2026_new.csv": ("ods_trusts", 274, "2026-06-01"),
        "eccg_2026.csv": ("ods_commissioners", 320, "2024-07-24"),
        "epcmem_2019-10.csv": ("memberships", 47_822, "2019-10"),
        "T201202ADD REXT.CSV": ("addresses", 10_074, "2012-02"),
    }
    tables, _ = look(samples)
    mine = {key for key, _, _ in expected.values()}
    got = {}
    for found in tables:
        known = recognise(found)
        if isinstance(known, Recognised) and known.format.key in mine:
            result = known.format.read(found)
            got[found.name] = (known.format.key, len(result.frame), result.vintage)
            assert [form.key for form in FORMATS if form.alike(found) >= 1] == [known.format.key]
    assert got == expected
