"""Practices by network, commissioner, ICB and region: every layout of the maps and of the ePCN workbook."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.geodata.official.tables import csv_table, nearly, read, refused, sheet_table

ICB_ERA = (
    "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,PRACTICE_POSTCODE,PCN_CODE,PCN_NAME,ONS_SUB_ICB_LOCATION_CODE,"
    "SUB_ICB_LOCATION_CODE,SUB_ICB_LOCATION_NAME,ONS_ICB_CODE,ICB_CODE,ICB_NAME,ONS_COMM_REGION_CODE,COMM_REGION_CODE,"
    "COMM_REGION_NAME,SUPPLIER_NAME"
)
CCG_ERA = (
    "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,PRACTICE_POSTCODE,PCN_CODE,PCN_NAME,ONS_CCG_CODE,CCG_CODE,"
    "CCG_NAME,ONS_STP_CODE,STP_CODE,STP_NAME,ONS_COMM_REGION_CODE,COMM_REGION_CODE,COMM_REGION_NAME"
)
OF_2018 = (
    "PUBLICATION,EXTRACT_DATE,PRACTICE_CODE,PRACTICE_NAME,PRACTICE_POSTCODE,ONS_CCG_CODE,CCG_CODE,CCG_NAME,STP_CODE,"
    "STP_NAME,ONS_REGION_CODE,REGION_CODE,REGION_NAME,ONS_COMM_REGION_CODE,COMM_REGION_CODE,COMM_REGION_NAME"
)
BARE_2018 = (
    "CODE,NAME,POSTCODE,CCG_ONS_CODE,CCG_CODE,CCG_NAME,STP_ONS_CODE,STP_NAME,REGIONAL_LOCAL_OFFICE_ONS_CODE,"
    "REGIONAL_LOCAL_OFFICE_CODE,REGIONAL_LOCAL_OFFICE_NAME,REGION_ONS_CODE,REGION_CODE,REGON_NAME"
)
QOF = (
    "NAT_ONS_CODE,NAT_CODE,COUNTRY,REGION_ODS_CODE,REGION_ONS_CODE,REGION_NAME,STP_ODS_CODE,STP_ONS_CODE,STP_NAME,"
    "CCG_ODS_CODE,CCG_ONS_CODE,CCG_NAME,PCN_ODS_CODE,PCN_NAME,PRACTICE_CODE,PRACTICE_NAME"
)
MILL = "GP_PRAC_PAT_LIST,01Oct2025,A81001,MILL SURGERY,TS18 1HU"
TEES = "E38000247,16C,NHS North East and North Cumbria ICB - 16C"
NORTH = "E54000050,QHM,NHS North East and North Cumbria Integrated Care Board,E40000012,Y63,North East and Yorkshire"
FIELDS = ["practice", "name", "postcode", "pcn_code", "pcn_name", "sub_icb_code", "icb_code", "nhs_region_code"]


def test_the_map_since_2022(tmp_path: Path) -> None:
    rows = [f"{MILL},U89141,STOCKTON PCN,{TEES},{NORTH},TPP", f"{MILL},U,Unallocated,{TEES},{NORTH},Unknown"]
    rows[1] = rows[1].replace("A81001", "A81002")
    got = read(csv_table(tmp_path, ICB_ERA, *rows), "geographies")
    found = got.frame.set_index("practice")
    assert set(got.frame) == {*FIELDS, "sub_icb_name", "icb_name", "nhs_region_name"}
    assert got.frame.loc[0, FIELDS].tolist() == [
        "A81001", "MILL SURGERY", "TS181HU", "U89141", "STOCKTON PCN", "16C", "QHM", "Y63"
    ]  # fmt: skip
    assert found.loc["A81002", ["pcn_code", "pcn_name"]].tolist() == ["", ""]
    assert found.loc["A81001", "nhs_region_name"] == "North East and Yorkshire"
    assert got.notes == ("1 practices are in no network.",)
    assert got.vintage == "2025-10-01"


def test_the_map_of_ccgs(tmp_path: Path) -> None:
    row = (
        "GP_PRAC_PAT_LIST,01Jan2022,A81001,MILL SURGERY,TS18 1HU,U89141,STOCKTON PCN,E38000247,16C,NHS Tees Valley CCG,"
        "E54000050,QHM,Cumbria and North East,E40000009,Y63,North East and Yorkshire"
    )
    got = read(csv_table(tmp_path, CCG_ERA, row), "geographies").frame
    assert got.loc[0, FIELDS].tolist()[3:] == ["U89141", "STOCKTON PCN", "16C", "QHM", "Y63"]
    assert got.loc[0, "icb_name"] == "Cumbria and North East"
    assert got.loc[0, "sub_icb_name"] == "NHS Tees Valley CCG"


@pytest.mark.parametrize(
    ("header", "start"),
    [(OF_2018, "GP_PRAC_PAT_LIST,01JAN2018,"), (BARE_2018, "")],
    ids=["with its publication", "without"],
)
def test_the_map_of_2018_has_no_networks(tmp_path: Path, header: str, start: str) -> None:
    row = (
        f"{start}A81001,MILL SURGERY,TS18 1HU,E38000075,00K,NHS Hartlepool CCG,E54000006,Durham STP,E39000049,Q74,"
        "North (Cumbria),E40000001,Y54,North of England"
    )
    table = csv_table(tmp_path, header, row, name="gp-reg-pat-prac-map-jan-18.csv")
    got = read(table, "geographies")
    assert got.frame.loc[0, FIELDS].tolist() == [
        "A81001", "MILL SURGERY", "TS181HU", "", "", "00K", "E54000006", "Y54"
    ]  # fmt: skip
    assert got.frame.loc[0, "nhs_region_name"] == "North of England"
    assert any("ONS codes" in note for note in got.notes)
    assert any("No practice is in a network" in note for note in got.notes)
    assert got.vintage == ("2018-01-01" if start else "2018-01")


def test_the_map_of_the_qof(tmp_path: Path) -> None:
    row = (
        "E92000001,ENG,England,Y60,E40000008,Midlands,QT1,E54000014,Nottingham,52R,E38000243,NHS Nottingham CCG,"
        "U,Unallocated,Y06507,Peacock Healthcare"
    )
    got = read(csv_table(tmp_path, QOF, row, name="MAPPING_NHS_GEOGRAPHIES_2021.csv"), "geographies")
    assert got.frame.loc[0, FIELDS].tolist() == ["Y06507", "Peacock Healthcare", "", "", "", "52R", "QT1", "Y60"]
    assert got.vintage == "2021-03-31"


def test_mangled_codes_are_all_named(tmp_path: Path) -> None:
    row = f"{MILL},U89141,STOCKTON PCN,{TEES},{NORTH},TPP"
    spoilt = [row.replace("A81001", "0"), row.replace("16C,", "1E+05,", 1), row.replace("U89141", "05-May")]
    why = refused(csv_table(tmp_path, ICB_ERA, *spoilt), "geographies")
    assert "table.csv:2:practice: '0' is no code" in why
    assert "table.csv:3:sub_icb_code: '1E+05' is no code" in why
    assert "table.csv:4:pcn_code: '05-May' is no code" in why


def test_a_column_that_is_gone_is_named(tmp_path: Path) -> None:
    header = ICB_ERA.replace("SUB_ICB_LOCATION_NAME", "PLACE")
    told = nearly(csv_table(tmp_path, header, f"{MILL},U89141,STOCKTON PCN,{TEES},{NORTH},TPP"))
    assert "looked for SUB_ICB_LOCATION_NAME or CCG_NAME" in told


def test_a_survey_of_practices_is_no_map(tmp_path: Path) -> None:
    assert nearly(csv_table(tmp_path, "Practice_Code,Practice_Name,CCG_Code,CCG_Name,Q1", "A81001,MILL,00K,X,5")) == ""


MEMBERS_2022 = (
    "Partner\nOrganisation\nCode", "Partner\nName", "Practice\nParent\nCCG Code", "Practice\nParent\nCCG Name",
    "PCN Code", "PCN Name", "PCN Parent\nCCG Code", "PCN Parent\nCCG Name",
    "Practice to PCN\nRelationship\nStart Date", "Practice to PCN\nRelationship\nEnd Date",
    "Practice CCG and PCN\nCCG Match ",
)  # fmt: skip
MEMBERS_2023 = (
    "Partner Organisation Code", "Partner Name", "Practice Parent Sub ICB Loc Code",
    "Practice Parent  Sub ICB Loc Name", "PCN Code", "PCN Name", "PCN Parent Sub ICB Loc Code",
    "PCN Parent Sub ICB Loc Name", "Practice to PCN Relationship Start Date",
    "Practice to PCN Relationship End Date", "Practice Sub ICB Loc and PCN Sub ICB Loc Match",
)  # fmt: skip
LEFT = (
    "C85024",
    "HIGH STREET",
    "02P",
    "NHS BARNSLEY",
    "U16464",
    "BARNSLEY PCN",
    "02P",
    "X",
    "20191001",
    "20201018",
    True,
)
CAME = (*LEFT[:8], "20210401", None, True)
WELSH = ("W91016", "Y BORTH", "7A1", "WALES", "U16464", "BARNSLEY PCN", "02P", "X", "20191001", None, False)


@pytest.mark.parametrize("header", [MEMBERS_2022, MEMBERS_2023], ids=["2022", "2023"])
def test_members_of_networks(tmp_path: Path, header: tuple[str, ...]) -> None:
    table = sheet_table(tmp_path, header, LEFT, CAME, WELSH, title="PCN Core Partner Details", name="ePCN.xlsx")
    got = read(table, "pcn_members")
    assert got.frame.values.tolist() == [
        ["C85024", "HIGH STREET", "U16464", "BARNSLEY PCN", "02P", "2019-10-01", "2020-10-18"],
        ["C85024", "HIGH STREET", "U16464", "BARNSLEY PCN", "02P", "2021-04-01", ""],
    ]
    assert got.frame.columns.tolist() == ["practice", "name", "pcn_code", "pcn_name", "commissioner", "start", "end"]
    assert got.dropped == {"partner outside England, or no practice": 1}


def _line(row: tuple[object, ...]) -> str:
    return ",".join("" if cell is None else str(cell) for cell in row)


def test_members_as_csv_with_and_without_a_header(tmp_path: Path) -> None:
    bare = read(csv_table(tmp_path, _line(LEFT), _line(CAME), name="epcncorepartnerdetails.csv"), "pcn_members")
    headed = '"' + '","'.join(MEMBERS_2022) + '"'
    table = csv_table(tmp_path, headed, _line(LEFT), _line(CAME), name="epcncorepartnerdetails.csv")
    assert read(table, "pcn_members").frame.equals(bare.frame)
    assert bare.frame["end"].tolist() == ["2020-10-18", ""]


def test_an_end_that_is_no_date_is_no_open_end(tmp_path: Path) -> None:
    spoilt = (*LEFT[:9], "########", True)
    why = refused(sheet_table(tmp_path, MEMBERS_2022, spoilt), "pcn_members")
    assert "book.xlsx!Sheet1:2:end: '########' is no date" in why


NETWORKS_2022 = (
    "PCN Code", "PCN Name", "Current Clinical \nCommissioning \nGroup Code", "Clinical\nCommissioning\nGroup Name",
    "Open Date", "Close Date", *(f"Address Line {i}" for i in range(1, 6)), "Postcode",
)  # fmt: skip
SARUM = (
    "U82430",
    "SARUM SOUTH PCN",
    "92G",
    "NHS BATH",
    "20191001",
    "20210401",
    "A",
    "B",
    "",
    "SALISBURY",
    "",
    "SP2 7FD",
)


def test_networks(tmp_path: Path) -> None:
    header = [cell.replace("Clinical \nCommissioning \nGroup", "Sub ICB Loc") for cell in NETWORKS_2022]
    for names in (NETWORKS_2022, header):
        got = read(sheet_table(tmp_path, names, SARUM, title="PCNDetails"), "pcns")
        assert got.frame.columns.tolist() == ["code", "name", "commissioner", "opened", "closed"]
        assert got.frame.values.tolist() == [["U82430", "SARUM SOUTH PCN", "92G", "2019-10-01", "2021-04-01"]]
    (tmp_path / "book.xlsx").unlink()
    bare = read(csv_table(tmp_path, _line(SARUM), _line(("U00001", *SARUM[1:])), name="epcn.csv"), "pcns")
    assert bare.frame["code"].tolist() == ["U82430", "U00001"]
