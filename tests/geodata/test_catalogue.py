"""The bundled catalogue reproduces the published lines, and a broken one is answered cell by cell."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from geodata import catalogue
from optimiser.domain import Service
from optimiser.errors import DataError

# id → chance-only CV in % at 30,000, 100,000, 300,000 and 1,000,000 people, as published beside the lines.
CV_PERCENT = {
    "S02": (3.7, 2.0, 1.2, 0.6),
    "S04": (0.4, 0.2, 0.1, 0.1),
    "S20": (3.9, 2.2, 1.2, 0.7),
    "S26": (35.8, 19.6, 11.3, 6.2),
    "S28": (21.3, 11.7, 6.7, 3.7),
    "S35": (235.7, 129.1, 74.5, 40.8),
    "S41": (56.6, 31.0, 17.9, 9.8),
    "S46": (22.3, 12.2, 7.0, 3.9),
    "S54": (42.7, 23.4, 13.5, 7.4),
}


@pytest.fixture(scope="module")
def lines() -> dict[str, Service]:
    return {s.id: s for s in catalogue.services()}


def test_the_54_lines_sum_to_the_published_budget_and_variation(lines: dict[str, Service]) -> None:
    assert list(lines) == [f"S{k:02d}" for k in range(1, 55)]
    budget = sum(s.cost_per_head for s in lines.values())
    assert budget == pytest.approx(1436, abs=1)
    cv_person = math.sqrt(sum(s.variance_per_head for s in lines.values())) / budget
    assert cv_person == pytest.approx(3.08, abs=0.005)


@pytest.mark.parametrize("id_", CV_PERCENT)
def test_a_line_varies_as_published(lines: dict[str, Service], id_: str) -> None:
    s = lines[id_]
    people = (30_000, 100_000, 300_000, 1_000_000)
    found = [100 * math.sqrt(s.variance_per_head / n) / s.cost_per_head for n in people]
    assert found == pytest.approx(CV_PERCENT[id_], abs=0.051)


def test_special_lines(lines: dict[str, Service]) -> None:
    assert [s.id for s in lines.values() if not s.delegable] == ["S01"]
    assert [s.id for s in lines.values() if s.condition_group] == ["S51"]
    assert [s.id for s in lines.values() if "V" in s.provenance] == ["S28"]
    assert all(s.provider_kinds for s in lines.values() if s.cost_per_head)
    pathways = [s.pathway for s in lines.values() if s.pathway]
    assert 8 <= len(set(pathways)) <= 10
    assert all(pathways.count(p) > 1 for p in pathways)


def test_the_17_functions_cost_what_a_lone_consortium_pays() -> None:
    functions = {f.id: f for f in catalogue.functions()}
    assert list(functions) == [f"F{k:02d}" for k in range(1, 18)]
    assert sum(f.fixed_wte for f in functions.values()) == pytest.approx(15.5)
    assert sum(f.wte_per_100k for f in functions.values()) == pytest.approx(18.4)
    fixed = sum(f.statutory_cost + f.fixed_wte * 71_400 for f in functions.values())
    assert fixed == pytest.approx(2.31e6, rel=0.005)
    assert functions["F02"].delegable == "never"
    assert [f.id for f in functions.values() if f.in_placement] == ["F06"]


def test_every_broken_cell_is_named(tmp_path: Path) -> None:
    source = Path(catalogue.__file__).with_name("services.csv").read_text(encoding="utf-8").splitlines()
    source[2] = source[2].replace("S02,", "S01,", 1).replace(",110,", ',"1,110",', 1)
    source[3] = source[3].replace("practice_owned;other", "practise")
    source[4] += ",one too many"
    path = tmp_path / "services.csv"
    path.write_text("\n".join(source), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        catalogue.read_services(path)
    where = [p.where for p in caught.value.problems]
    assert where == [
        "services.csv:3:cost_per_case",
        "services.csv:3:id",
        "services.csv:4:provider_kinds",
        "services.csv:5",
    ]


def test_a_header_is_checked_before_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "functions.csv"
    path.write_text("id,name,name,wte\nF01,Board,Board,2\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        catalogue.read_functions(path)
    text = str(caught.value)
    assert "'fixed_wte' is missing" in text and "unknown column 'wte'" in text and "'name' appears twice" in text


def test_an_edited_copy_is_read(tmp_path: Path) -> None:
    text = Path(catalogue.__file__).with_name("functions.csv").read_text(encoding="utf-8")
    path = tmp_path / "functions.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("F02,", "X02,").encode())
    assert catalogue.read_functions(path)[1].id == "X02"
