"""A good dataset folder comes through whole: codes as text, places as metres, authorities by place, flows in order."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geodata.catalogue import functions, services
from geodata.findings import Findings
from geodata.read import read_dataset
from geodata.schema import Column
from geodata.values import Wrong, spoilt, value_of
from optimiser.domain import EVIDENCE, Finance, Relationship, Wish
from tests.worlds import ORIGIN, csv_text, world, write_files, write_world


def rows(files: dict[str, str], file: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[file])))


def test_a_good_folder_is_read_whole(tmp_path: Path):
    ground = read_dataset(write_world(tmp_path))
    dataset = ground.dataset
    assert dataset.warnings == ()
    assert (dataset.info.name, dataset.info.synthetic, dataset.info.notes) == (
        "Gridland",
        True,
        ("A grid of practices",),
    )
    assert [p.code for p in dataset.practices] == [f"P{n:03d}" for n in range(1, 17)]
    assert list(ground.catchments["code"]) == [p.code for p in dataset.practices]
    assert dataset.xy[5] == pytest.approx((ORIGIN[0] + 3000, ORIGIN[1] + 3000), abs=0.01)
    fifth = dataset.practices[5]
    assert (fifth.patients, fifth.lower_authority, fifth.upper_authority, fifth.pct_65plus) == (5000, "L1", "U1", 15.0)
    assert (fifth.existing, fifth.existing_names) == ({"consortium": "E1"}, {"consortium": "South PCT"})
    assert (fifth.referral_index, fifth.need_index) == (None, 1.0)
    assert [s.id for s in dataset.services] == ["emergency", "outpatients", "nursing", "referrals"]
    assert (dataset.services[0].provider_kinds, dataset.services[3].delegable) == (("acute",), False)
    assert [(f.id, f.delegable, f.in_placement) for f in dataset.functions] == [
        ("contracting", "yes", True),
        ("audit", "never", False),
    ]
    assert dataset.relationships[1] == Relationship("P003", "P004", -1.0, True)
    assert dataset.providers[3].owners == ("P001", "P002")
    assert ground.links == ((0, 2),)
    assert (0, 2) in set(map(tuple, dataset.adjacency.tolist()))
    assert len(dataset.adjacency) == 24 + 1
    assert {(a.tier, a.code) for a in dataset.authorities} == {("upper", "U1"), ("upper", "U2")} | {
        ("lower", f"L{n}") for n in range(1, 5)
    }
    assert dataset.authority_name("L3") == "Lower 3"


def test_flows_keep_their_rows(tmp_path: Path):
    files = world()
    flows = read_dataset(write_files(tmp_path, files)).dataset.flows
    given_rows = rows(files, "flows.csv")
    assert len(flows) == len(given_rows) == 64
    assert flows.spend.tolist() == [float(row["spend"]) for row in given_rows]
    assert flows.activity.tolist() == [float(row["activity"]) for row in given_rows]
    assert [f"P{p + 1:03d}" for p in flows.practice] == [row["practice"] for row in given_rows]
    assert {EVIDENCE[label] for label in flows.label} == {"observed"}
    with pytest.raises(ValueError, match="read-only"):
        flows.spend[0] = 0.0


def test_a_blank_income_is_the_sum_of_flows(tmp_path: Path):
    files = world()
    files["providers.csv"] = files["providers.csv"].replace(",,\n", ",123456789,\n", 1)
    dataset = read_dataset(write_files(tmp_path, files)).dataset
    assert dataset.providers[0].income == 123456789.0
    assert dataset.providers[2].income == pytest.approx(16 * 5000 * 80 / 1000 * 900)


def test_sources_are_the_hashes_of_the_files(tmp_path: Path):
    files = world()
    dataset = read_dataset(write_files(tmp_path, files)).dataset
    assert dataset.sources == {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}


def test_absent_files_have_their_defaults(tmp_path: Path):
    absent = ("services.csv", "functions.csv", "flows.csv", "relationships.csv", "links.csv")
    ground = read_dataset(write_world(tmp_path, replace=dict.fromkeys(absent)))
    assert ground.dataset.services == services()
    assert ground.dataset.functions == functions()
    assert (len(ground.dataset.flows), ground.dataset.relationships, ground.links) == (0, (), ())
    assert all(provider.income == 0 for provider in ground.dataset.providers)


def test_blank_authorities_are_found_by_place(tmp_path: Path):
    given_codes = read_dataset(write_world(tmp_path / "given")).dataset
    files = world()
    bare = [{k: v for k, v in row.items() if not k.endswith("_authority")} for row in rows(files, "practices.csv")]
    files["practices.csv"] = csv_text(bare)
    found = read_dataset(write_files(tmp_path / "found", files)).dataset
    for tier in ("lower", "upper"):
        assert found.authority_of(tier) == given_codes.authority_of(tier)


@pytest.mark.parametrize(
    ("kept", "parents", "lower", "upper"),
    [("upper", True, "U1", "U1"), ("lower", True, "L1", "U1"), ("lower", False, "L1", "L1")],
)
def test_one_tier_of_areas_serves_for_both(tmp_path: Path, kept: str, parents: bool, lower: str, upper: str):
    files = world()
    document = json.loads(files["areas.geojson"])
    document["features"] = [one for one in document["features"] if one["properties"]["tier"] == kept]
    for one in document["features"]:
        one["properties"]["parent"] = one["properties"]["parent"] if parents else ""
    files["areas.geojson"] = json.dumps(document)
    bare = [{k: v for k, v in row.items() if not k.endswith("_authority")} for row in rows(files, "practices.csv")]
    files["practices.csv"] = csv_text(bare)
    dataset = read_dataset(write_files(tmp_path, files)).dataset
    assert (dataset.practices[0].lower_authority, dataset.practices[0].upper_authority) == (lower, upper)
    assert {("lower", lower), ("upper", upper)} <= {(a.tier, a.code) for a in dataset.authorities}


def test_metres_go_before_degrees_and_agree_with_them(tmp_path: Path):
    files = world()
    metric = [
        {**{k: v for k, v in row.items() if k not in ("latitude", "longitude")},
         "easting": ORIGIN[0] + (n % 4 + 0.5) * 2000, "northing": ORIGIN[1] + (n // 4 + 0.5) * 2000}
        for n, row in enumerate(rows(files, "practices.csv"))
    ]  # fmt: skip
    by_degrees = read_dataset(write_files(tmp_path / "degrees", files)).dataset
    files["practices.csv"] = csv_text(metric)
    by_metres = read_dataset(write_files(tmp_path / "metres", files)).dataset
    assert by_metres.xy == pytest.approx(by_degrees.xy, abs=0.01)
    assert np.array_equal(by_metres.adjacency, by_degrees.adjacency)


def test_a_byte_order_mark_and_other_line_ends_are_accepted(tmp_path: Path):
    plain = read_dataset(write_world(tmp_path / "plain")).dataset
    files = {name: "\ufeff" + text.replace("\n", "\r\n") for name, text in world().items() if name.endswith(".csv")}
    marked = read_dataset(write_world(tmp_path / "marked", replace=files)).dataset
    assert marked.warnings == ()
    assert marked.practices == plain.practices
    assert np.array_equal(marked.flows.spend, plain.flows.spend)


def test_a_name_may_run_over_lines_and_rows_keep_their_numbers(tmp_path: Path):
    files = world()
    files["practices.csv"] = (
        files["practices.csv"]
        .replace("Practice 3,", '"Practice\n3, the ""Old"" one",')
        .replace("Practice 5,,", "Practice 5,,")
    )
    dataset = read_dataset(write_files(tmp_path / "good", files)).dataset
    assert dataset.practices[2].name == 'Practice\n3, the "Old" one'
    files["practices.csv"] = files["practices.csv"].replace("P005,Practice 5", "P002,Practice 5")
    with pytest.raises(Exception, match=r"practices\.csv:7:code: 'P002' stands on rows 3 and 7"):
        read_dataset(write_files(tmp_path / "bad", files))


@pytest.mark.parametrize("count", [1, 2])
def test_one_or_two_practices_are_a_dataset(tmp_path: Path, count: int):
    usual = world()
    replace = {
        "areas.geojson": usual["areas.geojson"],
        "providers.csv": usual["providers.csv"].replace("P001;P002", "P001"),
        **dict.fromkeys(("relationships.csv", "links.csv", "flows.csv")),
    }
    dataset = read_dataset(write_world(tmp_path, columns=count, rows=1, replace=replace)).dataset
    assert len(dataset.practices) == count
    assert len(dataset.adjacency) == count - 1


def test_the_same_folder_gives_the_same_dataset(tmp_path: Path):
    folder = write_world(tmp_path)
    first, second = read_dataset(folder).dataset, read_dataset(folder).dataset
    assert first.practices == second.practices
    assert np.array_equal(first.adjacency, second.adjacency)


CODES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=12
)


@settings(max_examples=40, deadline=None)
@given(code=CODES)
@example(code="NA")
@example(code="00123")
@example(code="12E05")
@example(code="nan")
@example(code="1e5")
@example(code="=1+1")
@example(code='a"b')
@example(code="a,b")
@example(code="None")
def test_every_code_survives_as_text(code: str):
    if spoilt(code) or code in {f"P{n:03d}" for n in range(2, 5)} or ";" in code:
        return
    files = world(columns=2, rows=2)
    for file, columns in (
        ("practices.csv", ["code"]),
        ("flows.csv", ["practice"]),
        ("relationships.csv", ["practice"]),
    ):
        changed = rows(files, file)
        for row in changed:
            row.update({name: code for name in columns if row[name] == "P001"})
        files[file] = csv_text(changed)
    files["links.csv"] = csv_text([{"from": code, "to": "P004"}])
    files["providers.csv"] = files["providers.csv"].replace("P001;P002", "")
    with TemporaryDirectory() as folder:
        ground = read_dataset(write_files(Path(folder), files))
    assert ground.dataset.practices[0].code == code
    assert ground.dataset.relationships[0].practice == code
    assert (ground.dataset.flows.practice == 0).sum() == 4
    assert ground.links == ((0, 3),)


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_written(number: float):
    assert value_of(Column("x", "number", ""), repr(number)) == number


@given(text=st.sampled_from(["1_000", "٣", "0x10", "1,5", "1 000", "--1", "1e", "NaN", "infinity", "1e999", "½", "+"]))
def test_what_only_looks_like_a_number_is_refused(text: str):
    with pytest.raises(Wrong):
        value_of(Column("x", "number", ""), text)


def test_findings_write_sentences():
    findings = Findings()
    findings.problem("is odd", "a.csv:2:x", "it must be even", "add one")
    assert str(findings.problems[0]) == "a.csv:2:x: is odd. It must be even. Add one."


def test_finances_of_bodies_of_today_and_of_practices_are_read(tmp_path):
    text = "who,budget,inherited\nE1,1000000,-20000\nP009,,500\n"
    dataset = read_dataset(write_world(tmp_path, replace={"finances.csv": text})).dataset
    assert dataset.finances == (Finance("E1", 1_000_000.0, -20_000.0), Finance("P009", None, 500.0))
    assert dataset.warnings == ()
    assert read_dataset(write_world(tmp_path / "without")).dataset.finances == ()


def test_a_row_of_finances_that_says_nothing_is_warned_of(tmp_path):
    files = {"finances.csv": "who,budget,inherited\nE1,,\n"}
    assert read_dataset(write_world(tmp_path, replace=files)).dataset.warnings == (
        "finances.csv:2:budget: neither budget nor inherited is given",
    )


def test_wishes_are_read_with_the_row_they_stand_on(tmp_path):
    text = "who,service,scale,strength,note\nE1,emergency,consortium,firm,We know our hospital\n"
    text += "P001,nursing,a scale nobody knows yet,soft,\n"
    dataset = read_dataset(write_world(tmp_path, replace={"wishes.csv": text})).dataset
    assert dataset.wishes == (
        Wish("E1", "emergency", "consortium", True, "We know our hospital", 2),
        Wish("P001", "nursing", "a scale nobody knows yet", False, "", 3),
    )
    assert read_dataset(write_world(tmp_path / "without")).dataset.wishes == ()
