"""`consortia options`: the files it writes, all or none of them, the same each time, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from geodata.option_tables import TABLES
from optimiser.partition.budget import Budget
from tests.test_cli import SIZES, consortia
from tests.worlds import write_world

SET = [word for key, value in SIZES.items() for word in ("--set", f"{key}={value}")]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Forty practices; E1 is the South PCT, E2 the North PCT, which has said what it wants."""
    wishes = "who,service,scale,strength,note\nE2,nursing,locality,soft,Near to home\nE2,outpatients,alliance,soft,\n"
    files = {"wishes.csv": wishes}
    return write_world(tmp_path_factory.mktemp("data") / "gridland", columns=8, rows=5, replace=files)


@pytest.fixture
def quick(monkeypatch):
    """Little search: what is written is tested here, not how good it is."""
    monkeypatch.setattr("optimiser.options.compare_options.__defaults__", ((), QUICK, _silent))


QUICK = Budget(moves=100, rounds=3, branches=1, turns=1)


def _silent(_: object) -> None:
    """Tell nobody."""


def run(monkeypatch, data: Path, out: Path, *more: object) -> int:
    return consortia(monkeypatch, "options", "base", "--data", data, "--out", out, *SET, *more)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_whole_way_for_two_consortia(quick, data, tmp_path, monkeypatch, capsys):
    out = tmp_path / "options"
    assert run(monkeypatch, data, out, "--consortia", "E1,North PCT") == 0
    said = capsys.readouterr().out
    assert "Premature: 2 of 2 consortia have not answered" in said and str(out / "options.html") in said

    names = {f"{table.__name__}" for table in TABLES}
    assert names == {"options", "years", "sides", "practices", "answers", "pools", "allowances"}
    assert {path.name for path in out.iterdir()} == {
        "options.csv", "option_years.csv", "option_sides.csv", "option_practices.csv", "option_answers.csv",
        "option_allowances.csv", "option_pools.csv", "options.json", "options.html", "options.svg", "options.png",
        "manifest.json",
    }  # fmt: skip
    rows = read(out / "options.csv")
    assert [row["option"] for row in rows] == ["as today", "standalone", "pooled", "merged", "mixed"]
    assert {row["premature"] for row in rows} == {"yes"}
    assert [row["bodies"] for row in rows] == ["2", "2", "2", "1", "2"]
    sides = read(out / "option_sides.csv")
    for form in ("standalone", "pooled", "merged", "mixed"):
        assert {row["side"] for row in sides if row["option"] == form} == {"benefit", "risk"}
    document = json.loads((out / "options.json").read_text(encoding="utf-8"))
    assert document["premature"] and document["counted_from"] == "as today"
    assert [o["cash"] for o in document["options"]] == [float(row["cash"]) for row in rows[1:]]
    assert all(o["benefits"] and o["risks"] and o["years"] and o["certificates"] for o in document["options"])
    paid = read(out / "option_pools.csv")
    assert {row["option"] for row in paid} == {"pooled"} and {row["member_name"] for row in paid} == {
        "North PCT",
        "South PCT",
    }
    assert sum(float(row["flat"]) for row in paid) == pytest.approx(sum(float(row["fair"]) for row in paid), abs=1)
    answers = {row["code"]: row for row in read(out / "option_answers.csv")}
    assert [answers["E2"][f"question_{n}"] for n in range(1, 6)] == ["yes", "no", "yes", "no", "no"]
    assert answers["E1"]["wishes"] == "0"
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["options"]["consortia"] == ["E1", "E2"] and set(manifest["outputs"]) > {"options.html"}

    page = (out / "options.html").read_text(encoding="utf-8")
    assert "Premature" in page and page.count('class="form"') == 4
    assert "<script" not in page and "default-src" in page
    assert "P003" not in page, "P003 and P004 would rather not, in confidence"

    again = tmp_path / "again"
    assert run(monkeypatch, data, again, "--consortia", "E1", "--consortia", "E2") == 0
    for path in out.iterdir():
        if path.name != "manifest.json":
            assert path.read_bytes() == (again / path.name).read_bytes(), path.name


def test_consortia_of_a_map_drawn_by_hand(quick, data, tmp_path, monkeypatch):
    drawn = tmp_path / "mine.csv"
    body = ["West" if (n - 1) % 8 < 4 else "Middle" if (n - 1) % 8 < 6 else "East" for n in range(1, 41)]
    drawn.write_text("practice,consortium\n" + "".join(f"P{n:03d},{b}\n" for n, b in enumerate(body, 1)))
    out = tmp_path / "options"
    assert run(monkeypatch, data, out, "--membership", drawn, "--consortia", "East,West") == 0
    rows = read(out / "option_practices.csv")
    assert len(rows) == body.count("East") + body.count("West") == 30
    assert {row["pooled_name"] for row in rows} == {"East", "West"}
    assert len({row["merged"] for row in rows}) == 1


def test_what_cannot_be_is_refused_and_nothing_is_written(quick, data, tmp_path, monkeypatch, capsys):
    out = tmp_path / "options"
    assert run(monkeypatch, data, out, "--consortia", "E1,E3") == 2
    assert "there is no consortium 'E3'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_form_that_cannot_be_had_is_told_of_beside_the_others(quick, data, tmp_path, monkeypatch, capsys):
    out = tmp_path / "options"
    assert run(monkeypatch, data, out, "--set", 'scales_used=["consortium"]') == 0
    why = "plans nothing larger than consortium that commissions"
    assert f"Pooled cannot be had here:\n  scales_used: base {why}" in capsys.readouterr().out
    assert [row["option"] for row in read(out / "options.csv")] == ["as today", "standalone", "merged", "mixed"]
    document = json.loads((out / "options.json").read_text(encoding="utf-8"))
    assert [x["option"] for x in document["impossible"]] == ["pooled"] and why in document["impossible"][0]["why"][0]
    page = (out / "options.html").read_text(encoding="utf-8")
    assert "Pooled cannot be had here." in page and why in page
    assert not read(out / "option_pools.csv"), "nothing is pooled without a larger body"


def test_where_no_form_can_be_had_the_first_says_why(quick, data, tmp_path, monkeypatch, capsys):
    assert run(monkeypatch, data, tmp_path / "options", "--set", "scale.consortium.min_patients=10000000") in (2, 4)
    assert "consortium" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_comparison_that_is_stopped_leaves_nothing(data, tmp_path, monkeypatch, capsys):
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("optimiser.options.left_alone", stop)
    monkeypatch.setattr("optimiser.options.planned", stop)
    assert run(monkeypatch, data, tmp_path / "options") == 130
    assert "nothing was written" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
