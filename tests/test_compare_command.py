"""`consortia compare`: the files it writes, all or none of them, the same each time, and what it refuses."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from geodata.compare_tables import TABLES
from geodata.laid_plans import Table, lay, names, runs_on_the_demo
from geodata.publish import publish, publish_comparison
from optimiser.compare import Laid
from optimiser.compare import compare as compare_plans
from optimiser.errors import DataError, DisclosureError, OutputError
from optimiser.scenario import load_scenario
from tests import plans
from tests.test_cli import SIZES, consortia
from tests.worlds import world, write_world

SET = [word for key, value in SIZES.items() for word in ("--set", f"{key}={value}")]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Forty practices; today's consortia are the south and the north."""
    return write_world(tmp_path_factory.mktemp("data") / "gridland", columns=8, rows=5)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> Path:
    """The same planned."""
    out = tmp_path_factory.mktemp("runs") / "planned"
    with pytest.MonkeyPatch.context() as patch:
        words = ("plan", "base", "--data", data, "--out", out, "--threads", 1, "--seed", 4, *SET)
        assert consortia(patch, *words) == 0
    return out


def drawing(path: Path, body, scale: str = "consortium", count: int = 40) -> Path:
    """A map of the world: practice n is in body(n)."""
    rows = "".join(f"P{n + 1:03d},{body(n)}\n" for n in range(count))
    path.write_text(f"practice,{scale}\n{rows}", encoding="utf-8")
    return path


@pytest.fixture
def halves(tmp_path) -> Path:
    return drawing(tmp_path / "east and west.csv", lambda n: "West" if n % 8 < 4 else "East")


def compare(monkeypatch, data: Path, out: Path, *given: object) -> int:
    return consortia(monkeypatch, "compare", *given, "--data", data, "--out", out, *SET)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_today_a_run_and_a_drawing_side_by_side(data, run, halves, tmp_path, monkeypatch, capsys):
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, "today", run, halves) == 0
    said = capsys.readouterr().out
    assert "today → planned" in said and "today → east and west" in said and str(out / "compare.html") in said
    assert {p.name for p in out.iterdir()} == {
        "compare.html", "compare.xlsx", "compare.json", "manifest.json", "compare_maps.png", "compare_moves.png",
        "compare_streams.svg", "compare_streams.png", *(f"compare_{make.__name__}.csv" for make in TABLES),
    }  # fmt: skip
    document = json.loads((out / "compare.json").read_text(encoding="utf-8"))
    assert [p["plan"] for p in document["plans"]] == ["today", "planned", "east and west"]
    assert document["common_scales"] == ["consortium"]
    found = {(r["one"], r["other"]): r for r in read(out / "compare_pairs.csv")}
    crossed = found["today", "east and west"]
    # 24 practices lie south and 16 north, half of each in the west: most who can stay are 12 and 8
    assert (crossed["practices_moved"], crossed["patients_moved"]) == ("20", "100000")
    assert float(crossed["purity_patients"]) == pytest.approx(0.6)
    assert len(read(out / "compare_practices.csv")) == 40
    streams = [r for r in read(out / "compare_streams.csv") if (r["one"], r["other"]) == ("today", "east and west")]
    assert sum(int(r["patients"]) for r in streams) == 200_000
    assert sum(int(r["patients"]) for r in streams if r["moves"] == "yes") == 100_000
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "compared" and {"planned/practices.csv", "east and west.csv"} <= set(
        manifest["inputs"]
    )
    assert str(tmp_path) not in (out / "manifest.json").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(out / "compare.xlsx")
    assert book.sheetnames[0] == "Summary" and {"Side by side", "Who moves", "Practices"} <= set(book.sheetnames)


def test_a_run_s_bound_stands_beside_every_plan_planned_under_those_rules(data, run, halves, tmp_path, monkeypatch):
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, run, halves) == 0
    rows = {(r["scale"], r["force"]): r for r in read(out / "compare_prices.csv")}
    proved = json.loads((run / "certificate.json").read_text(encoding="utf-8"))["scales"]["consortium"]
    assert float(rows["consortium", "total"]["planned"]) == pytest.approx(proved["objective"])
    assert float(rows["consortium", "bound"]["planned"]) == pytest.approx(proved["bound"])
    above = rows["consortium", "above_bound"]
    assert float(above["planned"]) == pytest.approx(proved["gap"], abs=1e-6)
    assert float(above["east and west"]) >= float(above["planned"])


def test_a_run_under_other_rates_says_so_and_lends_no_bound(data, run, halves, tmp_path, monkeypatch):
    out = tmp_path / "compared"
    assert consortia(monkeypatch, "compare", run, halves, "--data", data, "--out", out) == 0
    assert "bound" not in {r["force"] for r in read(out / "compare_prices.csv")}
    notes = json.loads((out / "compare.json").read_text(encoding="utf-8"))["notes"]
    assert any("planned under other rates or rules" in text for text in notes)
    assert notes[0] in (out / "compare.html").read_text(encoding="utf-8")


def test_the_same_plans_give_the_same_bytes(data, run, halves, tmp_path, monkeypatch):
    outs = [tmp_path / name for name in ("one", "two")]
    for out in outs:
        assert compare(monkeypatch, data, out, "today", run, halves) == 0
    for path in outs[0].iterdir():
        assert path.read_bytes() == (outs[1] / path.name).read_bytes(), path.name


def test_a_plan_beside_itself(data, run, tmp_path, monkeypatch):
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, run, run) == 0
    for row in read(out / "compare_pairs.csv"):
        assert (row["one"], row["other"]) == ("planned", "planned (2)")
        assert float(row["information_patients"]) == 0 and float(row["rand_practices"]) == 1
        assert row["patients_moved"] == "0"


def test_five_plans_are_compared_and_four_drawn(data, tmp_path, monkeypatch):
    given = [drawing(tmp_path / f"map{k}.csv", lambda n, k=k: f"B{(n + k) // 20 % 2}") for k in range(5)]
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, *given) == 0
    assert "The first 4 of 5 plans are drawn" in (out / "compare.html").read_text(encoding="utf-8")
    assert len(read(out / "compare_pairs.csv")) == 10


def test_maps_of_different_scales_are_measured_and_not_drawn(data, halves, tmp_path, monkeypatch):
    small = drawing(tmp_path / "small.csv", lambda n: f"L{n // 4}", "locality")
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, halves, small) == 0
    assert not list(out.glob("*.png"))
    assert "No two of these plans have a scale in common" in (out / "compare.html").read_text(encoding="utf-8")


def test_practices_in_no_body_today_join_and_are_drawn(tmp_path, monkeypatch, halves):
    text = world(columns=8, rows=5)["practices.csv"]
    lines = [line.replace(",E1,South PCT,", ",,,") if line.startswith(("P001", "P002")) else line
             for line in text.splitlines()]  # fmt: skip
    some = write_world(tmp_path / "some", columns=8, rows=5, replace={"practices.csv": "\n".join(lines) + "\n"})
    out = tmp_path / "compared"
    assert compare(monkeypatch, some, out, "today", halves) == 0
    rows = {r["code"]: r for r in read(out / "compare_practices.csv")}
    assert rows["P001"]["today_consortium_name"] == "not in a body"
    assert (rows["P001"]["east and west_moves"], rows["P001"]["today_km"]) == ("no", "")
    assert any("in none (10,000)" in r["made_of"] for r in read(out / "compare_changes.csv"))


def test_a_map_that_breaks_rules_is_compared_and_its_rules_named(data, tmp_path, monkeypatch, halves):
    odd = drawing(tmp_path / "odd.csv", lambda n: "Scattered" if n % 2 else "Rest")
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, halves, odd) == 0
    broken = [r["rule"] for r in read(out / "compare_rules.csv") if r["plan"] == "odd"]
    assert any("parts that do not touch" in rule for rule in broken)
    assert "parts that do not touch" in (out / "compare.html").read_text(encoding="utf-8")


def test_practices_that_one_has_and_the_other_lacks_are_refused_by_name(data, tmp_path, monkeypatch, capsys, halves):
    short = drawing(tmp_path / "short.csv", lambda n: "All", count=39)
    long = drawing(tmp_path / "long.csv", lambda n: "All", count=41)
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, halves, short, long) == 3
    said = capsys.readouterr().err
    assert "short: short.csv: 1 practices of the dataset are missing: P040 Practice 40" in said
    assert "long: long.csv:42:practice" in said and "P041" in said
    assert not out.exists()


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (("today",), 2, "It takes two to compare"),
        (("today", "no-such-run"), 7, "is not a file"),
        (("today", "today", "--scale", "locality"), 2, "All have consortium"),
    ],
)
def test_what_is_refused(data, tmp_path, monkeypatch, capsys, given, code, words):
    out = tmp_path / "compared"
    monkeypatch.chdir(tmp_path)
    assert compare(monkeypatch, data, out, *given) == code
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_folder_that_is_no_run_is_refused(data, tmp_path, monkeypatch, capsys):
    assert compare(monkeypatch, data, tmp_path / "compared", "today", data) == 7
    assert "holds no manifest.json" in capsys.readouterr().err


def test_what_is_there_is_not_overwritten_unasked(data, halves, tmp_path, monkeypatch, capsys):
    out = tmp_path / "compared"
    assert compare(monkeypatch, data, out, "today", halves) == 0
    assert compare(monkeypatch, data, out, "today", halves) == 7
    assert compare(monkeypatch, data, out, "today", halves, "--overwrite") == 0


def test_names_are_short_and_all_different():
    assert names(["runs/demo", "other/demo", "maps/demo.csv", "today"]) == ["demo", "demo (2)", "demo (3)", "today"]


def test_a_run_on_the_bundled_region_brings_its_dataset(tmp_path):
    for name, dataset in (("a", None), ("b", "demo")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "scenario.json").write_text(json.dumps({"dataset": dataset}))
    assert not runs_on_the_demo([str(tmp_path / "a"), "today"])
    assert runs_on_the_demo([str(tmp_path / "a"), str(tmp_path / "b")])


def test_a_run_is_laid_with_what_it_proved(tmp_path):
    plan = plans.plan()
    publish(plan, plans.ground(plan.dataset), tmp_path / "run", {})
    laid = lay([str(tmp_path / "run"), "today"], plan.dataset, plan.scenario)
    assert [one.kind for one in laid.laid] == ["run", "today"]
    proof = laid.laid[0].proof
    assert proof.alike and proof.structure_gap == pytest.approx(0.02) and proof.services_gap == pytest.approx(0.02)


def test_a_confidential_relationship_is_told_by_no_broken_rule(tmp_path):
    """The world of plans holds one between P03 and P12; a pin that keeps them apart is broken by a body of both."""
    pin = {"kind": "apart", "scale": "consortium", "practices": ["P03", "P12"], "reason": "Agreed."}
    scenario = load_scenario("base", {"scales_used": ["consortium"], "pins": [pin]})
    data = plans.dataset()
    given = [Laid(name, "drawn", plans.structure(data, {"consortium": f"{row} {row} {row}"}))
             for name, row in (("a", "AABB"), ("b", "AAAB"))]  # fmt: skip
    found = compare_plans(data, scenario, given)
    assert any("P03 and P12" in rule for rule in found.plans[0].broken)
    with pytest.raises(DisclosureError) as caught:
        publish_comparison(found, plans.ground(data), tmp_path / "out", {}, Table(tuple(given), {}, ()))
    assert "P12" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_run_that_was_spoiled_is_named(tmp_path):
    plan = plans.plan()
    publish(plan, plans.ground(plan.dataset), tmp_path / "run", {})
    (tmp_path / "run" / "summary.json").write_text("{}")
    with pytest.raises(OutputError, match="cannot be read as a run"):
        lay([str(tmp_path / "run"), "today"], plan.dataset, plan.scenario)


def test_no_map_of_today_is_said(tmp_path):
    data = plans.dataset()
    nowhere = replace(data, practices=tuple(replace(p, existing={}) for p in data.practices))
    with pytest.raises(DataError, match="no body of today is named"):
        lay(["today"], nowhere, plans.plan().scenario)
