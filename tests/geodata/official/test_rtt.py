"""Referral-to-treatment extracts of several years."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from geodata.official.found import look
from geodata.official.recognise import Unknown, recognise
from optimiser.errors import DataError
from tests.geodata.official.places import found, read, sample, survives

NAMES = (
    "Period,Provider Parent Org Code,Provider Parent Name,Provider Org Code,Provider Org Name,"
    "Commissioner Parent Org Code,Commissioner Parent Name,Commissioner Org Code,Commissioner Org Name,"
    "RTT Part Type,RTT Part Description,"
    "Treatment Function Code,Treatment Function Name"
)


def extract(last_week: int, month: str, rows: list[tuple[str, str, str, str, str]]) -> str:
    """An extract whose weeks end at `last_week`. rows: provider, commissioner, part, function, total."""
    weeks = [f"Gt {i:02d} To {i + 1:02d} Weeks SUM 1" for i in range(last_week)] + [f"Gt {last_week} Weeks SUM 1"]
    header = f"{NAMES},{','.join(weeks)},Total,Patients with unknown clock start date,Total All"
    body = []
    for provider, commissioner, part, function, total in rows:
        known = total if part.upper().startswith("PART_1") else ""
        name = "Total" if function == "C_999" else "Ophthalmology, all"
        cells = f'RTT-{month},QHM,NORTH,{provider},"{provider}, TRUST",QHM,NORTH,{commissioner},SOMEWHERE,{part},X'
        body.append(f'{cells},{function},"{name}",{"0," * (last_week + 1)}{known},0,{total}')
    return "\n".join([header, *body]) + "\n"


ROWS = [
    ("RVW", "00K", "Part_1A", "C_130", "3"),
    ("RVW", "00K", "Part_1A", "C_100", '"1,002"'),
    ("RVW", "00K", "Part_1A", "C_999", '"1,005"'),
    ("RVW", "00K", "Part_1B", "C_130", "20"),
    ("RVW", "00K", "Part_2", "C_130", "500"),
    ("RVW", "00K", "Part_2A", "C_130", "90"),
    ("RVW", "00K", "Part_3", "C_130", "40"),
    ("RTR", "NONC", "Part_3", "X01", "5"),
]


@pytest.mark.parametrize(("weeks", "month", "vintage"), [(52, "May-2016", "2016-05"), (104, "April-2026", "2026-04")])
def test_counts_by_commissioner_provider_and_function(tmp_path: Path, weeks: int, month: str, vintage: str) -> None:
    given = read(found(tmp_path, "x.csv", extract(weeks, month, ROWS)), "pathways")
    assert given.vintage == vintage
    assert given.frame.to_numpy().tolist() == [
        ["00K", "RVW", "RVW, TRUST", "C_100", 0, 1002, 0, 0],
        ["00K", "RVW", "RVW, TRUST", "C_130", 40, 3, 20, 500],
        ["NONC", "RTR", "RTR, TRUST", "X01", 5, 0, 0, 0],
    ]
    columns = ["new_pathways", "completed_admitted", "completed_nonadmitted", "waiting_list"]
    assert list(given.frame.columns) == ["commissioner", "provider", "provider_name", "function", *columns]
    assert given.dropped == {"totals of treatment functions (C_999)": 1, "part 2A, a part of 2": 1}
    assert given.notes == ("NONC stands for patients whom no English commissioner pays for",)


def test_titles_above_and_capitals(tmp_path: Path) -> None:
    text = extract(52, "DECEMBER-2019", [("rvw", "00k", "PART_1A", "C_130", "3")])
    width = text.splitlines()[0].count(",")
    titles = "".join(f"{title}{',' * width}\n" for title in ("Referral to treatment", "", "December 2019"))
    given = read(found(tmp_path, "x.csv", titles + text), "pathways")
    assert given.frame[["commissioner", "provider", "completed_admitted"]].to_numpy().tolist() == [["00K", "RVW", 3]]
    assert given.vintage == "2019-12"


def test_a_zip_with_what_apple_adds(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "Full-CSV-data-file-May16.zip", "w") as archive:
        archive.writestr("20160531-RTT-MAY-2016-full-extract.csv", extract(52, "May-2016", ROWS))
        archive.writestr("__MACOSX/._20160531-RTT-MAY-2016-full-extract.csv", b"\x00\x05\x16\x07")
    tables, unread = look(tmp_path)
    assert len(tables) == 1 and not unread
    assert len(read(tables[0], "pathways").frame) == 3


def test_rows_that_say_it_again_count_once(tmp_path: Path) -> None:
    given = read(found(tmp_path, "x.csv", extract(52, "May-2016", [*ROWS, *ROWS])), "pathways")
    assert given.frame["waiting_list"].sum() == 500
    assert given.dropped["said again"] == len(ROWS)
    with pytest.raises(DataError, match="00K RVW C_130 waiting_list stands twice and differs"):
        read(
            found(tmp_path, "x.csv", extract(52, "May-2016", [*ROWS, ("RVW", "00K", "Part_2", "C_130", "4")])),
            "pathways",
        )


def test_totals_that_do_not_add_up_are_told(tmp_path: Path) -> None:
    given = read(found(tmp_path, "x.csv", extract(52, "May-2016", ROWS[1:])), "pathways")
    assert given.notes[0].startswith("1 totals are not the sum of their treatment functions")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("RVW", "1E+05", "Part_3", "C_130", "1"), r"x.csv:10:commissioner: '1E\+05' is no commissioner"),
        (("RVW", "0", "Part_3", "C_130", "1"), "'0' is no commissioner"),
        (("05-May", "00K", "Part_3", "C_130", "1"), "'05-May' is no provider"),
        (("RVW", "00L", "Part_9", "C_130", "1"), "'Part_9' is no part"),
        (("RVW", "00L", "Part_3", "C_130", ""), "x.csv:10:Total All: no total"),
        (("RVW", "00L", "Part_3", "C_130", "-4"), "x.csv:10:Total All: no total"),
        (("RVW", "00L", "Part_3", "C_130", "4.5e"), "'4.5e' is not a number"),
        (("RVW", "00L", "Part_3", "", "4"), "the function is blank"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, row: tuple[str, str, str, str, str], message: str) -> None:
    table = found(tmp_path, "x.csv", extract(52, "May-2016", [*ROWS, row]))
    with pytest.raises(DataError, match=message):
        read(table, "pathways")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    unknown = recognise(found(tmp_path, "x.csv", extract(52, "May-2016", ROWS).replace("Total All", "Sum")))
    assert isinstance(unknown, Unknown)
    assert "looked for Total All" in str(unknown.problems[0])


@pytest.mark.england
def test_the_published_file(tmp_path: Path) -> None:
    name = "20260430-RTT-April-2026-full-extract.csv.zip"
    (tmp_path / name).symlink_to(sample(name))
    given = read(look(tmp_path)[0][0], "pathways")
    assert given.vintage == "2026-04"
    columns = ["new_pathways", "completed_admitted", "completed_nonadmitted", "waiting_list"]
    assert given.frame[columns].sum().tolist() == [1769634, 288434, 1164415, 7123980]
    assert given.frame["commissioner"].nunique() == 128
    assert len(given.notes) == 1


@pytest.mark.england
@pytest.mark.parametrize(
    "name", ["20260430-RTT-April-2026-full-extract.csv.zip", "RTT-April-2026-full-extract_HEAD2000.csv"]
)
def test_spoiled_copies_of_the_published_file(name: str, tmp_path: Path) -> None:
    survives(sample(name), tmp_path, "pathways")


def test_spoiled_copies(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "x.csv").write_text(extract(52, "May-2016", ROWS))
    survives(tmp_path / "in" / "x.csv", tmp_path / "out", "pathways")
