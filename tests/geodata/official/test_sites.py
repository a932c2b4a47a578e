"""Hospital sites of the NHS website."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from geodata.official.found import look
from geodata.official.recognise import recognise
from optimiser.errors import DataError
from tests.geodata.official.places import found, read, sample, survives

HEADER = (
    "OrganisationID~OrganisationCode~OrganisationType~SubType~Sector~OrganisationStatus~IsPimsManaged~OrganisationName~"
    "Address1~Address2~Address3~City~County~Postcode~Latitude~Longitude~ParentODSCode~ParentName~Phone~Email~Website~Fax"
)


def site(code: str, name: str = "St “Anne's” – Hospital", kind: str = "Hospital", postcode: str = "TS18 1HU",
         place: tuple[str, str] = ("54.583", "-1.315"), status: str = "Visible") -> str:  # fmt: skip
    return (
        f"1~{code}~Hospital~{kind}~NHS Sector~{status}~True~{name}~~A Road~~Stockton~~{postcode}~{place[0]}~{place[1]}~"
        f"{code[:3]}~A Trust~01642~~http://x~"
    )


def hospitals(*rows: str) -> str:
    return "\r\n".join([HEADER, *rows]) + "\r\n"


@pytest.mark.parametrize(
    ("mark", "encoding"), [("¬", "latin-1"), ("¬", "utf-8-sig"), ("~", "utf-8"), (",", "cp1252"), ("\t", "utf-16")]
)
def test_marks_and_encodings(tmp_path: Path, mark: str, encoding: str) -> None:
    name = "Hôpital d'Été"
    text = hospitals(site("RVWAE", name), site("RVW01", "Peterlee")).replace("~", mark)
    given = read(found(tmp_path, "Hospital.csv", text, encoding), "sites")
    assert given.frame["name"].tolist() == [name, "Peterlee"]
    assert given.frame.iloc[0].tolist() == [
        "RVWAE", name, "NHS Sector", "Hospital", "TS181HU", 54.583, -1.315, "RVW", "A Trust",
    ]  # fmt: skip


def test_small_longitudes_and_places_nobody_knows(tmp_path: Path) -> None:
    text = hospitals(
        site("NMV01", place=("52.078", "-3.0604055151343346E-2")),
        site("REM95", postcode="IM4 4RJ", place=("", "")),
        site("RVW99", place=("0", "0")),
    )
    given = read(found(tmp_path, "Hospital.csv", text), "sites")
    assert given.frame.at[0, "lon"] == pytest.approx(-0.0306040551)
    assert all(math.isnan(lat) for lat in given.frame["lat"].iloc[1:])
    assert given.notes == ("2 sites have no coordinates",)


def test_of_two_entries_of_a_code_the_stub_goes(tmp_path: Path) -> None:
    text = hospitals(site("RT1FC", "New Cottages", "UNKNOWN"), site("RVW01"), site("RT1FC", "Princess of Wales"))
    given = read(found(tmp_path, "Hospital.csv", text), "sites")
    assert given.frame[["site_code", "name"]].to_numpy().tolist()[1] == ["RT1FC", "Princess of Wales"]
    assert given.dropped == {"a code that stands already": 1}


def test_hidden_sites_are_left_out(tmp_path: Path) -> None:
    text = hospitals(site("RVW01"), site("RVW02", status="Hidden"))
    assert read(found(tmp_path, "Hospital.csv", text), "sites").dropped == {"not shown on the website": 1}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (site("1E+05"), r"Hospital.csv:2:site_code: '1E\+05' is no site code"),
        (site("RVW01", postcode="TS18"), "'TS18' is no postcode"),
        (site("RVW01", place=("-1.315", "54.583")), "-1.315, 54.583 is outside Great Britain"),
        (site("RVW01", place=("54.583", "")), "54.583, nan is outside Great Britain"),
        (site("RVW01", place=("54.583", "west")), "'west' is not a number"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(found(tmp_path, "Hospital.csv", hospitals(row)), "sites")


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    unknown = recognise(found(tmp_path, "Hospital.csv", hospitals(site("RVW01")).replace("Latitude", "Y")))
    assert "looked for Latitude" in str(unknown.problems[0])


@pytest.mark.england
def test_the_published_file(tmp_path: Path) -> None:
    name = "nhs-choices_Hospital_2018_latin1-notsign.csv"
    (tmp_path / name).symlink_to(sample(name))
    given = read(look(tmp_path)[0][0], "sites")
    assert given.frame.shape == (1226, 9)
    assert given.frame.set_index("site_code").at["RT1FC", "name"].startswith("Princess of Wales")
    assert given.notes == ("1 sites have no coordinates",)


@pytest.mark.england
def test_spoiled_copies_of_the_published_file(tmp_path: Path) -> None:
    survives(sample("nhs-choices_Hospital_2018_latin1-notsign.csv"), tmp_path, "sites")


def test_spoiled_copies(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "in" / "Hospital.csv").write_text(hospitals(*(site(f"RVW{i:02d}") for i in range(30))))
    survives(tmp_path / "in" / "Hospital.csv", tmp_path / "out", "sites")
