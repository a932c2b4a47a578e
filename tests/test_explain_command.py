"""`consortia explain`: what it prints and writes, the same each time, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from geodata.disclosure import secret_pairs
from geodata.read import read_dataset
from tests.test_cli import SIZES, consortia
from tests.worlds import write_world

SET = [word for key, value in SIZES.items() for word in ("--set", f"{key}={value}")]
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    secret = "practice,other,strength,confidential\nP003,P004,-1,yes\n"
    files = {"relationships.csv": secret}
    return write_world(tmp_path_factory.mktemp("data") / "gridland", columns=4, rows=4, patients=10_000, replace=files)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "run"
    patch = pytest.MonkeyPatch()
    assert consortia(patch, "plan", "base", "--data", data, "--out", out, *SET) == 0
    patch.undo()
    return out


def test_it_prints_and_writes_the_same_each_time(run, data, tmp_path, monkeypatch, capsys) -> None:
    files = []
    for name in ("one", "two"):
        assert consortia(monkeypatch, "explain", run, "P003", "--data", data, "--out", tmp_path / name) == 0
        files.append({p.name: p.read_bytes() for p in (tmp_path / name).iterdir()})
    assert files[0] == files[1]
    assert set(files[0]) == {"explain.html", "explain.json", "explain_alternatives.csv", "manifest.json"}
    said = capsys.readouterr().out
    assert "(P003)" in said and "How it is reckoned" in said and "Open first" in said
    document = json.loads(files[0]["explain.json"])
    with (tmp_path / "one" / "explain_alternatives.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [a for here in document["scales"] for a in here["alternatives"]]
    assert [r["to"] for r in rows] == [a["to"] for a in told]
    for row, a in zip(rows, told, strict=True):
        assert (row["possible"] == "yes") == (a["price"] is not None)
        if a["price"] is not None:
            parts = sum(float(v) for k, v in row.items() if k.startswith("term_"))
            assert parts == pytest.approx(a["price"]) == pytest.approx(float(row["price"]))


def test_no_sentence_names_both_of_a_confidential_pair(run, data, tmp_path, monkeypatch) -> None:
    assert consortia(monkeypatch, "explain", run, "P003", "--data", data, "--out", tmp_path / "out") == 0
    dataset = read_dataset(data).dataset
    (pair,) = secret_pairs(dataset)
    document = json.loads((tmp_path / "out" / "explain.json").read_text(encoding="utf-8"))
    texts = [text for part in document["text"] for text in (part["heading"], *part["sentences"])]
    (other,) = pair - {"P003"}
    name = dataset.practices[dataset.index[other]].name
    assert not [t for t in texts if other in t or name in t]
    assert not [t for t in texts if "onfidential" in t]


def test_a_map_drawn_by_hand_is_explained_too(run, data, monkeypatch, capsys) -> None:
    assert consortia(monkeypatch, "explain", run / "practices.csv", "P003", "--data", data, *SET) == 0
    assert "(P003)" in capsys.readouterr().out


def test_what_it_refuses(run, data, tmp_path, monkeypatch, capsys) -> None:
    assert consortia(monkeypatch, "explain", run, "P0033", "--data", data) == 3
    assert "Did you mean P003" in capsys.readouterr().err
    other = write_world(tmp_path / "other", columns=6, rows=4, patients=5_001)
    assert consortia(monkeypatch, "explain", run, "P003", "--data", other) == 3
    said = capsys.readouterr().err
    assert "practices.csv: differs" in said and "relationships.csv: differs" in said
    broken_off = tmp_path / "broken"
    broken_off.mkdir()
    assert consortia(monkeypatch, "explain", broken_off, "P003", "--data", data) == 7
    assert "manifest.json" in capsys.readouterr().err
    changed = tmp_path / "changed"
    changed.mkdir()
    for name in ("manifest.json", "scenario.json", "practices.csv"):
        (changed / name).write_bytes((run / name).read_bytes() + (b"\n" if name == "practices.csv" else b""))
    assert consortia(monkeypatch, "explain", changed, "P003", "--data", data) == 7
    assert "was changed after the run" in capsys.readouterr().err


def test_an_unfinished_run_is_said_to_be_one(run, data, tmp_path, monkeypatch, capsys) -> None:
    stopped = tmp_path / "stopped"
    stopped.mkdir()
    for name in ("scenario.json", "practices.csv"):
        (stopped / name).write_bytes((run / name).read_bytes())
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (stopped / "manifest.json").write_text(json.dumps({**manifest, "cut_short": ["consortium"]}), encoding="utf-8")
    assert consortia(monkeypatch, "explain", stopped, "P003", "--data", data) == 0
    assert "The run is unfinished" in " ".join(capsys.readouterr().out.split())
