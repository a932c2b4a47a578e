"""Registered patients: every layout since 2013, their quirks, and copies that would give wrong numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geodata.official.formats.lists import both_sexes
from optimiser.errors import DataError
from tests.geodata.official.tables import csv_table, nearly, read, refused

TOTALS = "PUBLICATION,EXTRACT_DATE,TYPE,CCG_CODE,ONS_CCG_CODE,CODE,POSTCODE,SEX,AGE,NUMBER_OF_PATIENTS"
QUINARY = "PUBLICATION,EXTRACT_DATE,ORG_TYPE,ORG_CODE,ONS_CODE,POSTCODE,SEX,AGE_GROUP_5,NUMBER_OF_PATIENTS"
SINGLE = "EXTRACT_DATE,CCG_CODE,ONS_CCG_CODE,ORG_CODE,POSTCODE,SEX,AGE,NUMBER_OF_PATIENTS"
REGIONS = "PUBLICATION,EXTRACT_DATE,ORG_TYPE,ORG_CODE,ONS_CODE,SEX,AGE,NUMBER_OF_PATIENTS"
FIVES = [f"{age}_{age + 4}" for age in range(0, 95, 5)] + ["95+"]


def total(code: str, patients: object, date: str = "01JAN2021", ccg: str = "00L") -> str:
    return f"GP_PRAC_PAT_LIST,{date},GP,{ccg},E38000130,{code},NE65 7UW,ALL,ALL,{patients}"


def quinary(kind: str, code: str, males: list[int], females: list[int]) -> list[str]:
    def row(sex: str, age: str, people: int) -> str:
        return f"GP_PRAC_PAT_LIST,01May2022,{kind},{code},E1,NE65 7UW,{sex},{age},{people}"

    rows = [row("ALL", "ALL", sum(males) + sum(females))]
    for sex, people in (("FEMALE", females), ("MALE", males)):
        rows += [row(sex, "ALL", sum(people)), *(row(sex, a, p) for a, p in zip(FIVES, people, strict=True))]
    return rows


@pytest.mark.parametrize(
    ("header", "date", "vintage"),
    [
        (TOTALS, "01JAN2021", "2021-01-01"),
        (TOTALS.replace("CCG", "SUB_ICB_LOCATION"), "2026-02-01", "2026-02-01"),
        (TOTALS.replace("CCG", "SUB_ICB_LOCATION"), "01Oct2025", "2025-10-01"),
        (TOTALS.replace("NUMBER_OF_PATIENTS", "Number of Patients"), "01-Apr-18", "2018-04-01"),
    ],
)
def test_totals_of_every_year(tmp_path: Path, header: str, date: str, vintage: str) -> None:
    got = read(csv_table(tmp_path, header, total("A84002", 5903, date), total("A84003", '"14,738"', date)), "lists")
    assert got.frame.columns.tolist() == [
        "practice", "commissioner", "postcode", "patients", "pct_65plus", "pct_under5", "pct_5_19"
    ]  # fmt: skip
    assert got.frame.iloc[0, :4].tolist() == ["A84002", "00L", "NE657UW", 5903.0]
    assert got.frame["patients"].tolist() == [5903.0, 14738.0]
    assert got.frame["pct_65plus"].isna().all()
    assert got.vintage == vintage


def test_april_2017_has_no_commissioners(tmp_path: Path) -> None:
    header = "PUBLICATION,EXTRACT_DATE,TYPE,CODE,POSTCODE,SEX,AGE,NUMBER_OF_PATIENTS"
    got = read(csv_table(tmp_path, header, "GP_PRAC_PAT_LIST,01-Apr-17,GP,A84002,NE65 7UW,ALL,ALL,5903"), "lists")
    assert got.frame["commissioner"].tolist() == [""]
    assert got.vintage == "2017-04-01"


def test_a_byte_order_mark_small_letters_and_blank_lines(tmp_path: Path) -> None:
    rows = [TOTALS, total(" a84002 ", 5903, ccg="00l"), "", total("A84003", 10)]
    got = read(csv_table(tmp_path, *rows, encoding="utf-8-sig"), "lists")
    assert got.frame[["practice", "commissioner"]].values.tolist() == [["A84002", "00L"], ["A84003", "00L"]]


def test_total_rows_repeats_and_older_months_are_counted(tmp_path: Path) -> None:
    rows = [total("A84002", 5903), total("A84002", 5903), total("ENGLAND", 99), total("A84002", 5800, "01DEC2020")]
    got = read(csv_table(tmp_path, TOTALS, *rows), "lists")
    assert got.frame["patients"].tolist() == [5903.0]
    assert dict(got.dropped) == {"row of an earlier date": 1, "total row": 1, "repeated row": 1}


def test_five_year_ages_count_each_person_once(tmp_path: Path) -> None:
    males, females = [10] * 20, [20] * 20
    rows = quinary("Comm Region", "Y63", males, females) + quinary("PCN", "U89141", males, females)
    got = read(csv_table(tmp_path, QUINARY, *rows, *quinary("GP", "A81001", males, females)), "lists")
    assert got.frame["practice"].tolist() == ["A81001"]
    assert got.frame["patients"].tolist() == [600.0]
    assert got.frame[["pct_65plus", "pct_under5", "pct_5_19"]].values.tolist() == [[35.0, 5.0, 15.0]]
    assert dict(got.dropped) == {"row of a network, commissioner or region": 2 * 43}
    assert "Practices add up to 600, the file's own regions to 600." in got.notes
    assert got.vintage == "2022-05-01"


def test_practices_that_miss_from_their_regions_are_told_of(tmp_path: Path) -> None:
    rows = quinary("Comm Region", "Y63", [100] * 20, [100] * 20) + quinary("GP", "A81001", [10] * 20, [20] * 20)
    got = read(csv_table(tmp_path, QUINARY, *rows), "lists")
    assert "Practices add up to 600, the file's own regions to 4,000: practices are missing." in got.notes


def test_ages_cut_short_are_no_ages(tmp_path: Path) -> None:
    rows = quinary("GP", "A81001", [10] * 20, [20] * 20)
    why = refused(csv_table(tmp_path, QUINARY, *rows[:-5]), "lists")
    assert "A81001 MALE".casefold() in why.casefold()
    assert "add up to 150, the total is 200" in why


def test_ages_that_a_spreadsheet_took_for_dates(tmp_path: Path) -> None:
    rows = [row.replace(",5_9,", ",05-Sep,") for row in quinary("GP", "A81001", [10] * 20, [20] * 20)]
    why = refused(csv_table(tmp_path, QUINARY, *rows), "lists")
    assert "table.csv:5:age: '05-Sep' is no age" in why
    assert "table.csv:26:age" in why


@pytest.mark.parametrize("bad", ["1E+05", "05-May", "0", "#N/A", "8.1E+04"])
def test_codes_that_a_spreadsheet_changed(tmp_path: Path, bad: str) -> None:
    why = refused(csv_table(tmp_path, TOTALS, total("A84002", 1), total(bad, 2), total("A84003", 3, ccg=bad)), "lists")
    assert f"table.csv:3:practice: '{bad}' is no code" in why
    assert f"table.csv:4:commissioner: '{bad}' is no code" in why


@pytest.mark.parametrize("bad", ["-5", "1e5", "inf", "many", "12,3", "9" * 40, "5903'"])
def test_numbers_that_are_none(tmp_path: Path, bad: str) -> None:
    table = csv_table(tmp_path, TOTALS, total("A84002", 1), total("A84003", f'"{bad}"'))
    assert "table.csv:3:patients" in refused(table, "lists")


def test_one_practice_two_numbers(tmp_path: Path) -> None:
    why = refused(csv_table(tmp_path, TOTALS, total("A84002", 1), total("A84002", 2)), "lists")
    assert "table.csv:2:practice: A84002 all ALL stands in several rows" in why


def test_a_file_that_breaks_off_within_a_number_is_told_of(tmp_path: Path) -> None:
    table = csv_table(tmp_path, TOTALS, total("A84002", 5903))
    table.path.write_bytes(table.path.read_bytes()[:-3])
    assert any("the last line has no end" in note for note in read(table, "lists").notes)


def test_a_changed_header_is_named(tmp_path: Path) -> None:
    header = TOTALS.replace("NUMBER_OF_PATIENTS", "PEOPLE_ON_LIST")
    told = nearly(csv_table(tmp_path, header, total("A84002", 1), total("A84003", 2)))
    assert "no column for patients: looked for NUMBER_OF_PATIENTS" in told


def single(sex: str, code: str, people: dict[str, int]) -> list[str]:
    rows = {"ALL": sum(people.values()), **people}
    return [f"01Jan2022,00L,E38000130,{code},NE65 7UW,{sex},{age},{n}" for age, n in rows.items()]


SINGLES = {**{str(age): 1 for age in range(95)}, "95+": 5}


def test_single_years_of_both_sexes_make_lists(tmp_path: Path) -> None:
    reads = []
    for sex, code in (("MALE", "A84002"), ("FEMALE", "A84002")):
        folder = tmp_path / sex
        folder.mkdir()
        got = read(csv_table(folder, SINGLE, *single(sex, code, SINGLES)), "lists_of_a_sex")
        assert got.frame[["practice", "sex", "patients"]].values.tolist() == [[code, sex.lower(), 100.0]]
        assert got.frame[["aged_65plus", "aged_under5", "aged_5_19"]].values.tolist() == [[35.0, 5.0, 15.0]]
        assert any(f"Only the {sex.lower()} patients" in note for note in got.notes)
        reads.append(got)
    both = both_sexes(reads)
    assert both.frame["patients"].tolist() == [200.0]
    assert both.frame[["pct_65plus", "pct_under5", "pct_5_19"]].values.tolist() == [[35.0, 5.0, 15.0]]
    assert both.frame["commissioner"].tolist() == ["00L"]
    assert both.notes == ()
    assert both.vintage == "2022-01-01"
    with pytest.raises(DataError, match="female sex are missing"):
        both_sexes(reads[:1])


def test_files_of_both_sexes_in_one(tmp_path: Path) -> None:
    rows = single("MALE", "A84002", SINGLES) + single("FEMALE", "A84002", SINGLES)
    got = both_sexes([read(csv_table(tmp_path, SINGLE, *rows), "lists_of_a_sex")])
    assert got.frame["patients"].tolist() == [200.0]


def test_regions_are_no_practices(tmp_path: Path) -> None:
    rows = [
        "GP_PRAC_PAT_LIST,01Jan2022,Comm Region,Y63,E40000009,ALL,ALL,700",
        "GP_PRAC_PAT_LIST,01Jan2022,Comm Region,Y63,E40000009,MALE,ALL,350",
        "GP_PRAC_PAT_LIST,01Jan2022,CCG,00L,E38000130,ALL,ALL,300",
        "GP_PRAC_PAT_LIST,01Jan2022,PCN,U,,ALL,ALL,7",
        "GP_PRAC_PAT_LIST,01Jan2022,PCN,U89141,,ALL,ALL,40",
        "GP_PRAC_PAT_LIST,01Jan2022,PCN,U89141,,ALL,5,4",
    ]
    got = read(csv_table(tmp_path, REGIONS, *rows), "list_totals")
    assert got.frame.values.tolist() == [["region", "Y63", 700.0], ["sub_icb", "00L", 300.0], ["pcn", "U89141", 40.0]]
    assert got.dropped == {"row of a sex or age": 2, "practices outside a network": 1}


def wide(code: str, ages: list[str], people: int, ccg: bool = True) -> tuple[str, str]:
    """Header and row of a file with ages in columns, so many people in each."""
    names = [f"{sex}_{age}" for sex in ("MALE", "FEMALE") for age in ages]
    half = people * len(ages)
    header = ["GP_PRACTICE_CODE", "POSTCODE", "CCG_CODE", "TOTAL_ALL", "TOTAL_MALE", "TOTAL_FEMALES", *names]
    row = [code, "TS18 1HU", "00K", *map(str, (2 * half, half, half)), *[str(people)] * len(names)]
    return ",".join(header), ",".join(row)


TO_85 = [f"{age}-{age + 4}" for age in range(0, 85, 5)] + ["85+"]
YEARS = [f"{age}_{age + 1}" for age in range(95)] + ["95+"]
ODD_YEARS = ["4" if age == "4_5" else "5" if age == "5_6" else "6" if age == "6_7" else age for age in YEARS]


@pytest.mark.parametrize(
    ("ages", "old"),
    [([age.replace("_", "-") for age in FIVES], 7 / 20), (TO_85, 5 / 18), (YEARS, 31 / 96), (ODD_YEARS, 31 / 96)],
    ids=["2014 to 95+", "2013 to 85+", "single years", "single years with three odd names"],
)
def test_ages_in_columns(tmp_path: Path, ages: list[str], old: float) -> None:
    header, row = wide("A81001", ages, 3)
    got = read(csv_table(tmp_path, header, row, name="gp-reg-patients-01-2014.csv"), "lists")
    assert got.frame.iloc[0, :4].tolist() == ["A81001", "00K", "TS181HU", 6.0 * len(ages)]
    assert got.frame["pct_65plus"].iloc[0] == pytest.approx(100 * old)
    assert got.frame["pct_5_19"].iloc[0] == pytest.approx(100 * (15 if len(ages) > 90 else 3) / len(ages))
    assert got.vintage == "2014-01"


def test_april_2013_has_no_postcodes(tmp_path: Path) -> None:
    header, row = wide("A81001", TO_85, 3)
    got = read(csv_table(tmp_path, header.replace("POSTCODE,", ""), row.replace("TS18 1HU,", "")), "lists")
    assert got.frame.iloc[0, :4].tolist() == ["A81001", "00K", "", 108.0]


def test_parent_organisations_are_commissioners(tmp_path: Path) -> None:
    header, row = wide("A81001", YEARS, 3)
    header = header.replace("CCG_CODE", "PARENT_ORGANISATION_CODE").replace("GP_PRACTICE", "PRACTICE")
    assert read(csv_table(tmp_path, header.lower(), row), "lists").frame["commissioner"].tolist() == ["00K"]


def test_ages_in_columns_that_do_not_add_up(tmp_path: Path) -> None:
    header, row = wide("A81001", TO_85, 3)
    cells = row.split(",")
    cells[-1] = "90"
    assert "add up to 141, the total is 54" in refused(csv_table(tmp_path, header, ",".join(cells)), "lists")


def test_a_column_of_one_sex_that_is_gone(tmp_path: Path) -> None:
    header, row = wide("A81001", TO_85, 3)
    cut = header.split(","), row.split(",")
    table = csv_table(tmp_path, *(",".join(cells[:-1]) for cells in cut))
    assert "one sex has no column for ages from 85" in refused(table, "lists")


def test_a_practice_without_patients_is_kept(tmp_path: Path) -> None:
    header, row = wide("A81001", TO_85, 0)
    got = read(csv_table(tmp_path, header, row), "lists").frame
    assert got["patients"].tolist() == [0.0]
    assert np.isnan(got["pct_65plus"].iloc[0])
    assert isinstance(got, pd.DataFrame)
