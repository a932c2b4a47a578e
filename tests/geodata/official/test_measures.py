"""Need, deprivation, registers of illness and allowances: every year's columns, units and totals."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.geodata.official.tables import csv_table, nearly, read, refused, sheet_table

WEIGHTS = "G&A WP,CS WP,MH WP,Mat WP,Health Ineq WP,Prescr WP,Final WP,Primary Medical Care WP,Final PMC WP"
NEED_2022 = (
    "Practice_Code,GP_Practice_Name,Practice_Postcode,Latitude,Longitude,CCG21,Former CCG,PCN_Code,PCN_Name,LOC22,"
    "LOC22name,ICS22,ICS22name,R22,Region22,LAD21,LTLA21,LA21,UTLA21,Patients,pop 2022/23," + WEIGHTS
)
NEED_2025 = (
    "Practice_Code,GP_Practice_Name,Practice_Postcode,Latitude,Longitude,CCG,Former CCG,PCN_Code,PCN_Name,LOC,LOCname,"
    "ICB,ICBname,Rcode,Region,LAD,LTLA,LA,UTLA,Patients,Population," + WEIGHTS
)
NEED_NEXT = (
    "Practice_Code,GP_Practice_Name,Practice_Postcode,Latitude,Longitude,ICB,ICBname,RCode,Region,LAD,LADname,"
    "Registered Patients," + WEIGHTS.replace("Final WP", "Core WP")
)


def need(header: str, people: object = "4000", weighted: object = "5000", code: str = "A81001") -> str:
    """A row under any of the headers."""
    cells = {
        "Practice_Code": code, "GP_Practice_Name": "MILL", "Practice_Postcode": "TS18 1HU", "Latitude": 54.56,
        "Longitude": -1.32, "LAD": "E06000004", "LAD21": "E06000004", "LTLA": "Stockton", "LTLA21": "Stockton",
        "LADname": "Stockton", "LA21": "E10000006", "UTLA21": "Cumbria", "pop 2022/23": people, "Population": people,
        "Registered Patients": people, "Final WP": weighted, "Core WP": weighted,
    }  # fmt: skip
    return ",".join(str(cells.get(name, "")) for name in header.split(","))


@pytest.mark.parametrize(
    ("header", "file", "upper", "vintage"),
    [
        (NEED_2022, "data.csv", ["E10000006", "Cumbria"], "2022"),
        (NEED_2025, "2025_2026.csv", ["", ""], "2025"),
        (NEED_NEXT, "allocation-2026-27.csv", ["", ""], "2026"),
    ],
)
def test_need(tmp_path: Path, header: str, file: str, upper: list[str], vintage: str) -> None:
    rows = [need(header), need(header, 0, 0, "A81002"), need(header, 1, 1, "ENGLAND")]
    got = read(csv_table(tmp_path, header, *rows, name=file, encoding="utf-8-sig"), "need")
    found = got.frame.set_index("practice")
    assert set(found) == {
        "patients", "need_index", "lat", "lon", "lad_code", "lad_name", "upper_code", "upper_name", "postcode"
    }  # fmt: skip
    assert found.loc["A81001", ["patients", "need_index", "lat", "lon"]].tolist() == [4000.0, 1.25, 54.56, -1.32]
    assert found.loc["A81001", ["lad_code", "lad_name"]].tolist() == ["E06000004", "Stockton"]
    assert found.loc["A81001", ["upper_code", "upper_name"]].tolist() == upper
    assert found["need_index"].isna().tolist() == [False, True]
    assert got.dropped == {"total row": 1}
    assert got.vintage == vintage


def test_a_place_with_its_degrees_swapped(tmp_path: Path) -> None:
    row = need(NEED_2025).replace("54.56,-1.32", "-1.32,54.56")
    why = refused(csv_table(tmp_path, NEED_2025, row), "need")
    assert "table.csv:2:lat: '-1.32' is out of bounds" in why
    assert "table.csv:2:lon" in why


def test_weights_under_another_name(tmp_path: Path) -> None:
    header = NEED_2025.replace("Final WP", "Overall WP")
    assert "looked for Final WP" in nearly(csv_table(tmp_path, header, need(header)))
    assert (
        nearly(csv_table(tmp_path, "Practice_Code,Population,Latitude,Longitude,LAD,LTLA", "A81001,1,54,-1,E,S")) == ""
    )


FINGERTIPS = (
    "Indicator ID,Indicator Name,Parent Code,Parent Name,Area Code,Area Name,Area Type,Sex,Age,Category Type,Category,"
    "Time period,Value,Lower CI 95.0 limit,Count,Denominator,Time period Sortable"
)


def area(
    code: str, value: object, kind: str = "GP", name: str = "Deprivation score (IMD 2019)", year: str = "2019"
) -> str:
    return f"93553,{name},E92000001,England,{code},MILL,{kind},Persons,All ages,,,{year},{value},,,,{year}0000"


def test_deprivation(tmp_path: Path) -> None:
    rows = [
        area("E92000001", 21.7, "England"),
        area("E92000001", 21.7, "England"),
        area("U89141", 30, "PCNs (v. 26/07/24)"),
        area("A81001", 32.36),
        area("A81001", 32.36),
        area("A81002", ""),
        area("A81001", 5, name="Deprivation score (IMD 2015)", year="2015"),
        area("A81001", 9, name="Income deprivation affecting children (IDACI) score 2019"),
        area("A81001", 9, name="% aged 65+ years"),
    ]
    got = read(csv_table(tmp_path, FINGERTIPS, *rows), "deprivation")
    assert got.frame.values.tolist() == [["A81001", 32.36]]
    assert got.vintage == "2019"
    assert dict(got.dropped) == {
        "another indicator": 2, "row of a larger area": 3, "row of an older index": 1, "no score": 1, "repeated row": 1
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["GP", "GPs", "General Practice"])
def test_deprivation_of_other_years_and_in_other_words(tmp_path: Path, kind: str) -> None:
    header = "IndicatorID,IndicatorName,ParentCode,AreaCode,AreaName,AreaType,Timeperiod,Value"
    row = f"93553,Deprivation score (IMD 2025),E92000001,A81001,MILL,{kind},2025,40.1"
    got = read(csv_table(tmp_path, header, row), "deprivation")
    assert got.frame.values.tolist() == [["A81001", 40.1]]
    assert got.vintage == "2025"


def test_other_indicators_are_not_deprivation(tmp_path: Path) -> None:
    assert nearly(csv_table(tmp_path, FINGERTIPS, area("A81001", 9, name="% aged 65+ years"))) == ""


@pytest.mark.parametrize(
    ("header", "row", "file"),
    [
        ("practicecode,indicator_group,indicator_group_description,disease_register_size,practice_listsize,prevalence",
         "A81001,HF,Heart Failure,33,4098,0.8", "QOF_1314_prevalence.csv"),
        ("PRACTICE_CODE,INDICATOR_GROUP_CODE,REGISTER_SIZE,PRACTICE_LIST_SIZE", "A81001,HF,33,4098", "p_1415.csv"),
        ("PRACTICE_CODE,INDICATOR_GROUP_CODE,REGISTER,PATIENT_LIST_TYPE,PATIENT_LIST_SIZE",
         "A81001,HF,33,TOTAL,4098", "PREVALENCE_1819_v2.csv"),
        ("PRACTICE_CODE,GROUP_CODE,REGISTER,PATIENT_LIST_TYPE,PRACTICE_LIST_SIZE",
         "A81001,HF,33,TOTAL,4098", "PREVALENCE_2425.csv"),
    ],
    ids=["2013/14", "2014/15", "2018/19", "2024/25"],
)  # fmt: skip
def test_registers(tmp_path: Path, header: str, row: str, file: str) -> None:
    part = row.replace("Heart Failure", "Heart Failure due to LVD").replace(",33,", ",11,")
    blank = row.replace("A81001", "A81002").replace(",33,", ",*,")
    rows = [row, part, blank] if "LVD" in part else [row, blank]
    got = read(csv_table(tmp_path, header, *rows, name=file), "prevalence")
    assert got.frame.values.tolist() == [["A81001", "HF", 33.0, 4098.0]]
    assert got.frame.columns.tolist() == ["practice", "condition", "register", "list_size"]
    assert got.dropped["no register or list size"] == 1
    assert ("heart failure due to LVD, part of heart failure" in got.dropped) == ("LVD" in part)
    year = {"QOF": "2014", "p_1": "2015"}.get(file[:3], "2019" if "1819" in file else "2025")
    assert got.vintage == f"{year}-03-31"


def qof(years: tuple[str, ...], size: str = "List Size", register: str = "Register") -> list[list[object]]:
    """A sheet as in the workbook of 2014/15: titles, years over their columns, header."""
    start, columns = ["Practice Code", "Practice Name"], [size, register, "Prevalence\n(per cent)"]
    above = [cell for year in years for cell in (year, None, None)]
    return [
        [],
        [None, "ASTHMA"],
        ["Quality and Outcomes Framework (QOF) for April 2014 - March 2015, England"],
        [None, None, "Prevalence"],
        [None, None, *above, "Year on Year Change"],
        [*start, *[cell for _ in years for cell in columns], None, "Total Achievement Score\n(Max 45)"],
    ]


def test_a_workbook_of_two_years_gives_the_newer(tmp_path: Path) -> None:
    rows = [
        *qof(("2013-14", "2014-15")),
        ["A81001", "MILL", 4178, 319, 7.6, 4182, 330, 7.9, 3.3, 45],
        ["Y04800", "NEW", "-", "-", "-", 2486, 130, 5.2, "-", 45],
        ["Y04801", "GONE", 2000, 10, 0.5, "-", "-", "-", "-", 45],
        ["ENGLAND", "", 1, 1, 1, 56000000, 3300000, 5.9],
        [],
        ["Notes: registers as at 31 March"],
    ]
    got = read(sheet_table(tmp_path, *rows, title="AST", name="qof-prac-asthma.xlsx"), "prevalence")
    assert got.frame.values.tolist() == [["A81001", "AST", 330.0, 4182.0], ["Y04800", "AST", 130.0, 2486.0]]
    assert got.vintage == "2015-03-31"
    assert got.dropped == {"note or total under the table": 1, "total row": 1, "no register or list size": 1}


def test_a_later_workbook(tmp_path: Path) -> None:
    head = qof(("2023-24", "2024-25"), "List size\n(aged 17+)", "Register\n(aged 17+)")
    rows = [*head, ["A81001", "MILL", 3000, 200, 6.7, 3100, 210, 6.8, 0.1, 45]]
    got = read(sheet_table(tmp_path, *rows, title="DM", name="qof-2425-prev-ach-pca-hd-prac.xlsx"), "prevalence")
    assert got.frame.values.tolist() == [["A81001", "DM", 210.0, 3100.0]]
    assert got.vintage == "2025-03-31"


def test_a_workbook_that_lost_a_column(tmp_path: Path) -> None:
    rows = [*qof(("2013-14", "2014-15")), ["A81001", "MILL", 4178, 319, 7.6, 4182, 330, 7.9, 3.3, 45]]
    rows[5][5] = None
    why = refused(sheet_table(tmp_path, *rows, title="AST"), "prevalence")
    assert "1 columns of list sizes stand by 2 of registers" in why


ALLOWANCE = (
    "CCG code,CCG name,ADS 2012 registered population,ADS registered population adjusted to new ONS13 projections,"
    '"Commiss-ioning\nBoard  Region",Current PCT Cluster,Running Cost Allowance '
)
WAVERLEY = '02N,"NHS Airedale, Wharfedale and Craven CCG","155,793","150,154",North,Cluster,'


@pytest.mark.parametrize(
    ("unit", "allowed", "pounds"),
    [("£m", "3.75", 3_750_000.0), ("£000", '"3,750"', 3_750_000.0), ("£", '"£3,750,123"', 3_750_123.0)],
)
def test_allowances(tmp_path: Path, unit: str, allowed: str, pounds: float) -> None:
    rows = [WAVERLEY + allowed, 'England,Total,"56,000,000",,,,' + allowed, ",,,,,,"]
    got = read(csv_table(tmp_path, ALLOWANCE + unit, *rows, encoding="cp1252"), "allowances")
    assert got.frame.values.tolist() == [["02N", "NHS Airedale, Wharfedale and Craven CCG", 155793.0, pounds]]
    assert got.vintage == "2012"
    assert got.dropped == {"total row": 1}
    assert got.notes[0].startswith(f"Allowances are read as {unit}, populations are those of the column 'ADS 2012")


def test_allowances_of_no_likely_unit(tmp_path: Path) -> None:
    why = refused(csv_table(tmp_path, ALLOWANCE + "£m", WAVERLEY + "375"), "allowances")
    assert "none of which lies between £5 and £60" in why


def test_populations_of_commissioners_are_no_allowances(tmp_path: Path) -> None:
    assert nearly(csv_table(tmp_path, "CCG code,CCG name,Registered population", "02N,X,1")) == ""
    header = ALLOWANCE.replace("Running Cost Allowance", "Admin funding")
    assert "looked for Running Cost Allowance" in nearly(csv_table(tmp_path, header, WAVERLEY + "3.75"))
