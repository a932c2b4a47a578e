"""The independent check: it passes a run that is right, runs without any package, and finds each thing that is not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import plans
from tests.checked import RULES, amend, dataset, edit, plan, publish, put, sign, verify


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return publish(plan(dataset()), tmp_path_factory.mktemp("published"))


@pytest.fixture
def run(published, tmp_path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "run"))


def cut_off_first(rows: list[dict[str, str]]) -> None:
    rows[:] = [row for row in rows if "P01" not in row.values()]


def test_a_true_run_is_verified_by_the_standard_library_alone(published):
    code, text = verify(published)
    assert code == 0, text
    assert text.startswith("verified: 12 practices, 4 locality, 2 consortium, 2 alliance bodies, £")
    assert "not verified here:" in text and "placement" in text


def test_every_force_of_the_structure_is_at_work_in_that_run(published):
    terms = json.loads((published / "certificate.json").read_text(encoding="utf-8"))["terms"]
    for force in ("engagement", "likeness", "management", "coordination", "authority", "distance", "continuity"):
        assert terms[force] > 0, force


LOCALITY, CONSORTIUM = {"locality": "locality-02"}, {"consortium": "consortium-02"}
MUTATIONS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a practice moved": (edit("practices.csv", put(0, **LOCALITY)), "locality locality-02 .* states"),
    "a practice moved, so that nesting breaks": (
        edit("practices.csv", put(8, **CONSORTIUM)),
        "locality-03 .* lies in consortium consortium-01, consortium-02, its parent is consortium-01",
    ),
    "another parent": (edit("bodies.csv", put(0, parent="consortium-02")), "its parent is consortium-02"),
    "a practice twice": (edit("practices.csv", lambda rows: rows.append(dict(rows[3]))), "P04 stands 2 times"),
    "a practice left out": (edit("practices.csv", lambda rows: rows.pop(5)), "P06 is in no row of practices.csv"),
    "an unknown body": (edit("practices.csv", put(0, locality="locality-99")), "'locality-99', which bodies.csv"),
    "a size": (edit("bodies.csv", put(0, patients="30001")), "locality-01 .* states 30001 patients"),
    "a list size": (edit("attributes.csv", put(0, patients="9500")), "P01 has 9000 patients in practices.csv"),
    "a centre elsewhere": (edit("bodies.csv", put(0, centre="P12")), "centre, P12, that is none of its members"),
    "a home authority": (edit("bodies.csv", put(0, home_authority="U2")), "another home authority"),
    "a false oversize mark": (edit("bodies.csv", put(4, oversize="yes")), "is not marked|is marked oversize"),
    "too small": (amend("scenario.json", "scale", "locality", "min_patients", to=35_000), "outside 35,000 to 70,000"),
    "too large": (amend("scenario.json", "scale", "locality", "max_patients", to=29_000), "outside 15,000 to 29,000"),
    "too few members": (amend("scenario.json", "scale", "alliance", "min_members", to=2), "holds fewer than 2 smaller"),
    "too many bodies": (amend("scenario.json", "scale", "locality", "max_bodies", to=3), "4 bodies at locality"),
    "out of reach": (amend("scenario.json", "scale", "locality", "reach_km", to=4.5), "beyond 4.5 km"),
    "no place for a centre": (amend("scenario.json", "scale", "alliance", "centres_each", to=1), "no place for one"),
    "straddling": (amend("scenario.json", "scale", "consortium", "authority_rule", to="inside_one"), "straddles"),
    "split": (amend("scenario.json", "scale", "alliance", "authority_rule", to="whole"), "authority L1 is split"),
    "disconnected": (edit("adjacency.csv", cut_off_first), "consortium-01 .* is in 2 pieces that do not touch"),
    "pin: together": (amend("scenario.json", "pins", "0", "practices", to=["P02", "P05"]), r"pin 1 \(together"),
    "pin: apart": (amend("scenario.json", "pins", "1", "practices", to=["P01", "P02"]), r"pin 2 \(apart"),
    "pin: fixed": (amend("scenario.json", "pins", "2", "with", to="P04"), r"pin 3 \(fixed, consortium\)"),
    "pin: forbidden": (amend("scenario.json", "pins", "3", "practices", to=["P04"]), r"pin 4 .*P04 and P12"),
    "an objective": (
        amend("certificate.json", "scales", "consortium", "objective", to=lambda x: x * 1.00001),
        "objective of consortium is stated as .* recomputed from attributes",
    ),
    "the total": (amend("summary.json", "objective", to=lambda x: x - 500), "objective in summary.json is stated"),
    "a term": (amend("summary.json", "terms", "distance", to=lambda x: x + 900), "distance in summary.json is"),
    "a place": (edit("attributes.csv", put(0, easting="361000.0")), "objective of consortium is stated"),
    "a rate": (amend("scenario.json", "rates", "distance", "value", "locality", to=0.3), "objective of locality"),
    "a wish": (edit("relationships.csv", put(2, strength="0.7")), "objective of locality is stated"),
    "a body of today": (edit("attributes.csv", put(0, existing_consortium="5QB")), "continuity in certificate.json"),
    "an attribute": (edit("attributes.csv", put(0, deprivation="44")), "likeness in certificate.json"),
    "a bound above": (amend("certificate.json", "scales", "locality", "bound", to=1e12), "is above the objective"),
    "a bound too good": (amend("certificate.json", "bound", to=lambda x: x + 9_000), "the bounds of its parts"),
    "a gap": (amend("certificate.json", "scales", "locality", "gap", to=0.001), "the gap is stated as 0.1"),
    "what nobody can avoid": (
        amend("certificate.json", "scales", "locality", "unavoidable", to=lambda x: x + 9.0),
        "unavoidable cost of locality is stated",
    ),
    "an avoidable gap": (amend("summary.json", "structure_gap_avoidable", to=0.01), "the structure: the gap_avoidable"),
    "another gap in the summary": (amend("summary.json", "gap", to=0.0), "the whole: the gap is stated as 0"),
    "kinds of money": (amend("summary.json", "cash", to=lambda x: x - 1e5), "cash in summary.json is stated"),
    "nesting's price": (amend("summary.json", "price_of_nesting", to=-5e5), "price of nesting"),
    "a service twice": (edit("placement.csv", lambda rows: rows.append(dict(rows[0]))), "S01 is placed 2 times"),
    "a service nowhere": (edit("placement.csv", lambda rows: rows.pop(0)), "S01 is placed nowhere for consortium"),
    "another commissioner": (edit("placement.csv", put(0, commissioner="consortium-02")), "does not hold it"),
    "a row's cost": (edit("placement.csv", put(0, term_contracts="900.0")), "contracts of placement is stated"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_what_is_not_right_is_found_though_the_hashes_were_written_anew(run, name):
    change, message = MUTATIONS[name]
    change(run)
    sign(run)
    code, text = verify(run)
    assert code == 8, text
    assert "hash" not in text
    assert re.search(message, text), text


def test_a_changed_or_missing_file_is_found_by_its_hash(run):
    path = run / "practices.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    (run / "five_questions.csv").unlink()
    code, text = verify(run)
    assert code == 8
    assert "practices.csv is not the file that was published" in text
    assert "five_questions.csv is listed in manifest.json and is not there" in text


def test_the_seconds_of_a_run_are_no_part_of_its_hash(run):
    amend("summary.json", "seconds", to=99.5)(run)
    assert verify(run)[0] == 0


def test_an_alliance_inside_one_council_keeps_smaller_bodies_inside_one_too(tmp_path):
    """The bounds of localities and consortia know it: without it they would be lower than those published."""
    rules = RULES | {
        "pins": [],
        "scale.alliance.authority_rule": "inside_one",
        "scale.alliance.authority_tier": "upper",
    }
    rules |= {"rates.authority.value": 0.0, "scale.locality.max_patients": 80_000}
    maps = {"locality": "AABB AABB AABB", "consortium": "AABB AABB AABB", "alliance": "AABB AABB AABB"}
    code, text = verify(publish(plan(plans.dataset(), rules, maps), tmp_path))
    assert code == 0, text
    amend("scenario.json", "scale", "alliance", "authority_rule", to="off")(tmp_path)
    sign(tmp_path)
    code, text = verify(tmp_path)
    assert code == 8 and re.search("consortium, branch 1: the bound is stated", text), text


def test_an_agency_may_be_built_over_consortia_of_several_alliances(tmp_path):
    rules = RULES | {
        "pins": [],
        "scales_used": ["consortium", "alliance", "agency"],
        "scale.agency.min_patients": 50_000,
    }
    maps = {"consortium": "ABCD ABCD ABCD", "alliance": "AABB AABB AABB", "agency": "ABAB ABAB ABAB"}
    rules |= {"scale.consortium.min_patients": 10_000}
    code, text = verify(publish(plan(plans.dataset(), rules, maps), tmp_path))
    assert code == 0, text
    amend("scenario.json", "scale", "agency", "over", to=None)(tmp_path)
    sign(tmp_path)
    assert "lies in agency" in verify(tmp_path)[1]


def test_contiguity_may_pass_through_a_practice_too_large_for_any_body(tmp_path):
    data = dataset()
    practices = tuple(replace(p, patients=800_000) if p.code == "P06" else p for p in data.practices)
    edges = np.array([e for e in data.adjacency.tolist() if e != [0, 4]], dtype=np.int32)  # not P01 and P05
    maps = {"locality": "AABB CEDD CCDD", "consortium": "AABB ACBB AABB", "alliance": "AABB AABB AABB"}
    made = plan(replace(data, practices=practices, adjacency=edges), RULES | {"pins": []}, maps)
    assert verify(publish(made, tmp_path))[0] == 0
    edit("adjacency.csv", lambda rows: rows.remove({"a": "P02", "b": "P06", "link": "no"}))(tmp_path)
    sign(tmp_path)
    code, text = verify(tmp_path)
    assert code == 8 and re.search(r"consortium-01 .* is in 2 pieces that do not touch", text)


def test_a_declared_link_carries_reach_to_its_far_end(tmp_path):
    """Centres stand in the middle row; the corners are 5.7 km away and linked to a neighbour 4 km from the centre."""
    maps = {"locality": "AABB AABB AABB", "consortium": plans.CONSORTIA, "alliance": "AABB AABB AABB"}
    rules = RULES | {"pins": [], "scale.locality.reach_km": 5, "scale.locality.max_patients": 80_000}
    for name, links, expected in (("without", (), 8), ("with", ((0, 4), (4, 8), (2, 3), (6, 10)), 0)):
        (tmp_path / name).mkdir()
        code, text = verify(publish(plan(replace(dataset(), links=links), rules, maps), tmp_path / name))
        assert code == expected, text
        assert ("P01 is 5.66 km from its centre, beyond 5.0 km" in text) == (expected == 8)


def test_a_large_body_that_could_be_parted_is_not_excused(tmp_path):
    maps = {"locality": "AABB AABB AABB", "consortium": plans.CONSORTIA, "alliance": "AABB AABB AABB"}
    rules = RULES | {"pins": [], "scale.locality.max_patients": 60_000}
    code, text = verify(publish(plan(dataset(), rules, maps), tmp_path))
    assert code == 8 and "locality-01" in text and "outside 15,000 to 60,000" in text


def test_what_cannot_be_read_is_told_apart_from_what_is_wrong(run, tmp_path):
    assert verify(tmp_path / "nowhere")[0] == 7
    (run / "summary.json").write_text('{"objective": NaN}', encoding="utf-8")
    code, text = verify(run)
    assert code == 7 and "NaN is no number" in text
