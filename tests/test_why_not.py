"""A plan that cannot be is explained: in the terminal, on a page beside the run, on a map; and with the right exit
code."""

from __future__ import annotations

import io
import re
from html import unescape
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from geodata.maps.why_not import JOIN, PINNED, STUCK
from optimiser.cli import main
from optimiser.errors import LimitReached
from tests.worlds import world, write_files

SCALE = "consortium"
RULES = f"""\
extends = "base"
title = "Ring"
scales_used = ["{SCALE}"]

[scale.{SCALE}]
min_patients = 40000
max_patients = 120000
"""
RING = """
[[pins]]
kind = "frozen"
scale = "consortium"
practices = ["P002", "P010", "P009"]
name = "The Ring"
"""
MOST_BYTES = 1_500_000


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Forty practices of 5,000 on a grid of eight by five; P001 is the south-west corner. One has a hostile name."""
    files = world(columns=8, rows=5)
    files["practices.csv"] = files["practices.csv"].replace("Practice 2,", "<b>Practice</b> 2,")
    files["links.csv"] = "from,to,kind,note\n"
    return write_files(tmp_path_factory.mktemp("data") / "gridland", files)


def plan(monkeypatch, capsys, folder: Path, data: Path, text: str) -> tuple[int, str]:
    """Exit code and message of `consortia plan`, run in a folder of its own."""
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    (folder / "mine.toml").write_text(text)
    with pytest.raises(SystemExit) as end:
        main(["plan", "mine.toml", "--data", str(data), "--out", "run"])
    return int(end.value.code or 0), capsys.readouterr().err


def near(picture: np.ndarray, colour: str) -> int:
    """Pixels of a colour."""
    wanted = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    return int((np.abs(picture[:, :, :3] - wanted).max(axis=2) < 0.02).sum())


@pytest.fixture
def refused(monkeypatch, capsys, tmp_path, data) -> tuple[Path, str]:
    """The folder in which a plan was refused because P001 is shut in, and what was said."""
    code, said = plan(monkeypatch, capsys, tmp_path / "work", data, RULES + RING)
    assert code == 4
    return tmp_path / "work", said


def test_the_terminal_names_rows_practices_and_cures(refused):
    said = refused[1]
    assert "Practice 1 (P001) cannot be in a consortium (nobody else can join: 5,000 patients)" in said
    assert "pins[1] (frozen at consortium: The Ring)" in said
    assert "scale.consortium.min_patients = 40,000" in said and "scale.consortium.contiguous = true" in said
    assert "Any one of these changes makes a plan of consortia possible" in said
    assert "scale.consortium.min_patients = 5_000" in said and "pins[1] without P002" in said


def test_nothing_is_written_where_the_run_would_be_and_a_page_beside_it(refused):
    folder, said = refused
    assert sorted(path.name for path in folder.iterdir()) == ["mine.toml", "run-why-not"]
    files = {path.name for path in (folder / "run-why-not").iterdir()}
    assert files == {"manifest.json", "why_not.html", f"why_not_{SCALE}.png"}
    assert "run-why-not/why_not.html" in said


def test_the_page_says_the_same_escapes_names_and_asks_nothing_of_the_network(refused):
    folder, said = refused
    page = (folder / "run-why-not" / "why_not.html").read_text(encoding="utf-8")
    text = unescape(re.sub(r"<[^>]+>", "", page))
    for line in said.splitlines():
        if line.startswith("    "):
            assert line.strip() in text
    assert "<b>Practice</b> 2" in text and "<b>Practice" not in page
    assert "default-src 'none'" in unescape(page) and "<script" not in page and "http" not in page.split("<body>")[1]
    assert str(folder) not in page and len(page) < MOST_BYTES


def test_the_map_shows_who_is_stuck_and_what_the_pin_holds(refused):
    raw = (refused[0] / "run-why-not" / f"why_not_{SCALE}.png").read_bytes()
    picture = matplotlib.image.imread(io.BytesIO(raw), format="png")
    assert near(picture, STUCK) > 1_000 and near(picture, PINNED) > near(picture, STUCK)
    assert near(picture, JOIN) == 0, "nobody can join"


def test_a_second_refusal_replaces_the_page_and_nothing_else_is_ever_replaced(refused, monkeypatch, capsys, data):
    folder, _ = refused
    code, _ = plan(monkeypatch, capsys, folder, data, RULES.replace("40000", "250000").replace("120000", "300000"))
    page = (folder / "run-why-not" / "why_not.html").read_text(encoding="utf-8")
    assert code == 4 and "250,000" in page and "The Ring" not in page
    (folder / "run-why-not" / "manifest.json").unlink()
    (folder / "run-why-not" / "mine.txt").write_text("kept")
    code, said = plan(monkeypatch, capsys, folder, data, RULES + RING)
    assert code == 4 and "Not drawn" in said and "P001" in said
    assert (folder / "run-why-not" / "mine.txt").read_text() == "kept"


def test_a_search_that_found_nothing_is_no_proof(monkeypatch, capsys, tmp_path, data):
    """The rules can be kept here; that a search met no plan leaves it a limit, and no page claims otherwise."""

    def in_vain(*_, **__):
        raise LimitReached("no partition that keeps every rule was found")

    monkeypatch.setattr("optimiser.plan.make_plan", in_vain)
    code, said = plan(monkeypatch, capsys, tmp_path / "work", data, RULES)
    assert code == 5 and "no partition" in said
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["mine.toml"]


def test_what_sizes_in_all_do_not_show_their_pieces_do(monkeypatch, capsys, tmp_path, data):
    """Forty practices of 5,000 divide into bodies of 30,000 to 35,000; the councils' halves, of twenty each, do not."""
    text = RULES.replace("40000", "30000").replace("120000", "30000") + 'authority_rule = "inside_one"\n'
    code, said = plan(monkeypatch, capsys, tmp_path / "work", data, text)
    assert code == 4
    assert "cannot all be in consortia" in said and "authority_rule" in said
