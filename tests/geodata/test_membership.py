"""Maps drawn by hand: read with every fault named, built into structures, and held against the rules."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from geodata.membership import broken_rules, read_membership
from geodata.write import write_tables
from optimiser.errors import DataError, OutputError
from optimiser.scenario import load_scenario
from tests import plans

SIZES = {
    "scales_used": ["locality", "consortium"],
    "scale.locality.min_patients": 10_000,
    "scale.consortium.min_patients": 40_000,
}


@pytest.fixture(scope="module")
def data():
    return plans.dataset()


@pytest.fixture(scope="module")
def scenario():
    return load_scenario("base", SIZES)


def drawing(path: Path, header: str, *lines: str) -> Path:
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def halves(data, head: str = "practice", scale: str = "consortium") -> list[str]:
    """West and East, by column of the grid."""
    return [f"{p.code},{'West' if i % 4 < 2 else 'East'}" for i, p in enumerate(data.practices)]


def faults(path: Path, data, scenario) -> list[str]:
    with pytest.raises(DataError) as caught:
        read_membership(path, data, scenario)
    return [str(p) for p in caught.value.problems]


def test_a_drawing_becomes_a_structure_with_its_names_and_best_centres(tmp_path, data, scenario):
    made = read_membership(drawing(tmp_path / "m.csv", "practice,consortium", *halves(data)), data, scenario)
    assert made.scales == ("consortium",)
    west, east = made.bodies["consortium"]
    assert (west.code, west.name, east.name) == ("consortium-01", "West", "East")
    assert west.members == (0, 1, 4, 5, 8, 9) and west.patients == sum(9_000 + 500 * i for i in west.members)
    assert west.home_authority == "U1" and west.centre in (4, 5)  # the middle row is nearest to the other two
    assert made.membership["consortium"].tolist() == [0, 0, 1, 1] * 3
    assert broken_rules(data, scenario, made) == ()


def test_the_practices_file_of_a_run_is_a_drawing(tmp_path, data):
    plan = plans.plan()
    write_tables(plan, tmp_path)
    made = read_membership(tmp_path / "practices.csv", plan.dataset, plan.scenario)
    assert made.scales == plan.structure.scales
    for scale in made.scales:
        got = {(b.code, b.name, b.members, b.parent) for b in made.bodies[scale]}
        assert got == {(b.code, b.name, b.members, b.parent) for b in plan.structure.bodies[scale]}


def test_every_fault_of_a_drawing_is_named_with_its_place(tmp_path, data, scenario):
    lines = halves(data)
    lines[1] = "P2,West"
    lines[3] = "P04,"
    lines[6] = "P06,west "
    lines[11] = "P01,East"
    found = faults(drawing(tmp_path / "map.csv", "practice,consortium", *lines), data, scenario)
    text = "\n".join(found)
    assert "map.csv:3:practice: 'P2' is not in practices.csv" in text
    assert "map.csv:5:consortium: is blank" in text
    assert "map.csv:8:consortium: 'west' and 'West' differ only in spaces or capitals" in text
    assert "'P06' stands on rows 7 and 8" in text and "'P01' stands on rows 2 and 13" in text
    assert "map.csv: 3 practices of the dataset are missing: P02 Brent Knoll Surgery, P07 Glaston Surgery" in text
    assert len(found) == 6


def test_a_misspelt_scale_is_answered_with_the_nearest(tmp_path, data, scenario):
    (found,) = faults(drawing(tmp_path / "map.csv", "code,consortum", *halves(data)), data, scenario)
    assert found == "map.csv:1:consortum: column 'consortum' is no planned scale. Did you mean 'consortium'?"


def test_a_drawing_without_any_scale_or_without_practices_is_refused(tmp_path, data, scenario):
    lines = [f"{p.code},x" for p in data.practices]
    (found,) = faults(drawing(tmp_path / "map.csv", "practice,remark", *lines), data, scenario)
    assert "draws no planned scale" in found and "locality, consortium" in found
    found = faults(drawing(tmp_path / "map.csv", "surgery,consortium", *halves(data)), data, scenario)
    assert any("column 'practice' is missing" in line for line in found)
    with pytest.raises(OutputError):
        read_membership(tmp_path / "none.csv", data, scenario)


def test_one_code_with_two_names_is_a_fault(tmp_path, data, scenario):
    lines = [f"{line.replace('West', 'W').replace('East', 'E')},{line.split(',')[1]}" for line in halves(data)]
    lines[4] = "P05,W,Western"
    (found,) = faults(drawing(tmp_path / "map.csv", "code,consortium,consortium_name", *lines), data, scenario)
    assert found.startswith("map.csv:6:consortium_name: 'W' is called 'Western' here and 'West' before")


def test_broken_rules_are_told_in_plain_words_and_are_no_error(tmp_path, data):
    scenario = load_scenario(
        "base",
        SIZES
        | {"scale.consortium.min_patients": 45_000, "scale.consortium.max_patients": 90_000}
        | {"scale.consortium.authority_rule": "inside_one"}
        | {"scale.locality.reach_km": 8, "scale.locality.centres_each": 1}
        | {"pins": [{"kind": "apart", "scale": "consortium", "practices": ["P01", "P02"]}]},
    )  # fmt: skip
    # Consortia: A in three pieces, and the rest. Localities: one practice alone, one wide.
    consortia = "AABA BBBB BBBA".replace(" ", "")
    localities = "XYYY YYYY YYYY".replace(" ", "")
    path = tmp_path / "map.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "locality", "consortium"])
        writer.writerows(zip([p.code for p in data.practices], localities, consortia, strict=True))
    found = broken_rules(data, scenario, read_membership(path, data, scenario))
    assert set(found) == {
        "locality X has 9,000 patients, fewer than 10,000",
        "locality X holds no place for a centre (one for every 10,000 patients or so)",
        "locality Y has 132,000 patients, more than 70,000",
        "locality Y has no centre within 8 km of all its practices",
        "consortium A has 43,500 patients, fewer than 45,000",
        "consortium A straddles West Council and East Council",
        "consortium A is in 3 parts that do not touch",
        "consortium B has 97,500 patients, more than 90,000",
        "consortium B straddles West Council and East Council",
        "locality Y lies in several consortia: A and B",
        "P01 and P02 must be kept apart (consortium)",
    }
