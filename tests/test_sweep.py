"""A sweep: its points, the same bytes however it is run, going on where it ended, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from geodata.sweep_folder import read_case
from geodata.sweep_publish import publish_sweep
from geodata.sweep_record import Asked, Sweep
from geodata.sweep_run import run_sweep
from optimiser import live_cases
from optimiser.errors import OutputError, ScenarioError
from optimiser.partition.budget import Budget
from optimiser.scenario import load_scenario
from optimiser.sweep import Case, Outcome, Parent, cases, plan_case
from optimiser.sweep_influence import influence
from optimiser.sweep_points import Range, Vary, parse_range, parse_vary, points
from optimiser.workers import in_turn, on_cluster, on_processes
from tests.option_worlds import SIZES, region, scenario
from tests.test_cli import consortia
from tests.worlds import write_world

QUICK = Budget(moves=200, rounds=4, branches=1, turns=1)
ENGAGEMENT, TOP = "rates.engagement.value", "scale.consortium.max_patients"
pytestmark = pytest.mark.usefixtures("one_thread")


def asked(*varied: Vary, services: bool = False) -> Asked:
    made = cases(lambda values: load_scenario("base", SIZES | values), points(varied, (), 0, 1))
    return Asked(region(), scenario(), made, {v.key: list(v.values) for v in varied}, 1, services, QUICK)


@pytest.fixture(scope="module")
def some() -> Asked:
    """Six cases: two rates of engagement at three sizes, of which one is impossible."""
    return asked(Vary(ENGAGEMENT, (20, 300)), Vary(TOP, (120_000, 60_000, 1_000)))


@pytest.fixture(scope="module")
def done(some, tmp_path_factory) -> tuple[Path, Sweep]:
    out = tmp_path_factory.mktemp("sweeps") / "sweep"
    return out, run_sweep(some, out, publish=partial(publish_sweep, options={}))


def content(out: Path) -> dict[str, bytes]:
    """Every file of a sweep by its path."""
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "sweep.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


# --- points ----------------------------------------------------------------------------------------------------------


def test_values_are_read_as_toml_and_as_text_where_they_are_none():
    assert parse_vary("a.b=1,2.5,true").values == (1, 2.5, True)
    assert parse_vary("risk_held_at=consortium, alliance").values == ("consortium", "alliance")
    assert parse_vary('scales_used=["a","b"],["a"]').values == (["a", "b"], ["a"])
    assert parse_vary("scale.consortium.max_patients=none,200_000").values == ("none", 200_000)


def test_a_range_of_whole_ends_gives_whole_numbers():
    assert parse_range("a=10_000..20_000") == Range("a", 10_000, 20_000, True)
    assert parse_range("a=-1..2.5") == Range("a", -1, 2.5, False)
    assert parse_range("a=1..4").at(0.5) == 2 and isinstance(parse_range("a=1..4").at(0.1), int)


@pytest.mark.parametrize("text", ["a", "a=", "=1,2", "a=1,1"])
def test_what_is_no_list_of_values_is_refused(text):
    with pytest.raises(ScenarioError, match="cannot vary so"):
        parse_vary(text)


@pytest.mark.parametrize("text", ["a", "a=1", "a=1..", "a=2..1", "a=1..inf", "a=nan..1", "=1..2", "a=x..y"])
def test_what_is_no_range_is_refused(text):
    with pytest.raises(ScenarioError, match="low below high"):
        parse_range(text)


def test_a_grid_has_every_combination_with_the_last_key_turning_fastest():
    found = points([Vary("a", (1, 2)), Vary("b", ("x", "y", "z"))], (), 0, 1)
    assert [(row["a"], row["b"]) for row in found] == [(1, "x"), (1, "y"), (1, "z"), (2, "x"), (2, "y"), (2, "z")]


def test_a_hypercube_has_one_point_in_every_slice_of_every_range():
    ranges = [Range("a", 0.0, 10.0, False), Range("b", 100.0, 200.0, False)]
    found = points((), ranges, 10, 7)
    assert sorted(int(row["a"]) for row in found) == list(range(10))
    assert sorted(int((row["b"] - 100) / 10) for row in found) == list(range(10))
    assert found == points((), ranges, 10, 7) != points((), ranges, 10, 8)


def test_a_grid_and_ranges_give_the_same_hypercube_at_every_point_of_the_grid():
    found = points([Vary("a", (1, 2))], [Range("b", 0.0, 1.0, False)], 5, 1)
    assert [row["a"] for row in found] == [1] * 5 + [2] * 5
    assert [row["b"] for row in found[:5]] == [row["b"] for row in found[5:]]


def test_keys_that_may_not_vary_are_told_all_at_once():
    varied = [Vary("name", ("x", "y")), Vary("a", (1, 2)), Vary("a", (3, 4)), Vary("a.b", (1, 2))]
    with pytest.raises(ScenarioError) as told:
        points(varied, (), 3, 1)
    assert len(told.value.problems) == 5


def test_a_key_that_is_in_no_scenario_ends_the_sweep_before_it_begins():
    with pytest.raises(ScenarioError, match="unknown key engagment"):
        asked(Vary("rates.engagment.value", (1, 2)))


# --- cases -----------------------------------------------------------------------------------------------------------


def test_every_case_has_its_folder_and_its_row(done, some):
    out, found = done
    assert found.finished and len(found.records) == 6
    assert {path.name for path in out.iterdir()} == {
        "cases", "parent", "sweep.json", "sweep.csv", "sweep.html", "sweep.svg", "sweep.png", "manifest.json",
    }  # fmt: skip
    assert sorted(path.name for path in (out / "cases").iterdir()) == [f"{n:04d}" for n in range(1, 7)]
    told = rows(out)
    assert [row["case"] for row in told] == [str(n) for n in range(7)]
    assert told[0][TOP] == "120000" and told[0]["start"] == ""
    assert [row[ENGAGEMENT] for row in told[1:]] == ["20"] * 3 + ["300"] * 3
    for row in (told[1], told[2], told[4], told[5]):
        sizes = [b.patients for b in _structure(out, some, int(row["case"])).bodies["consortium"]]
        assert row["status"] == "planned" and row["cut_short"] == "no"
        assert max(sizes) <= float(row[TOP]) and len(sizes) == float(row["bodies_consortium"])
        assert 0 <= float(row["moved_share"]) < 1
    assert [told[n]["start"] for n in (1, 2, 4, 5)] == ["parent", "parent, mended"] * 2
    assert float(told[2]["moved_share"]) > 0
    assert json.loads((out / "manifest.json").read_text())["status"] == "finished"
    page = (out / "sweep.html").read_text(encoding="utf-8")
    assert "moves the plan most" in page and "<script" not in page and "default-src" in page


def test_every_column_and_file_is_explained(done):
    out, found = done
    text = (Path(__file__).parents[1] / "docs" / "outputs.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([^`\n]+)`", text.split("\n## A sweep\n")[1].split("\n## A comparison")[0]))
    measures = set(found.parent.figures["region"])
    assert set(rows(out)[0]) - measures - set(found.asked.varied) <= named
    assert {Path(path).name for path in content(out)} <= named
    assert set(found.asked.document()) - {"format"} <= named


def _structure(out: Path, of: Asked, number: int):
    from geodata.sweep_folder import structure_of

    folder = out / "cases" / f"{number:04d}"
    mark = json.loads((folder / "case.json").read_text())["fingerprint"]
    record = read_case(folder, mark, of.dataset)
    return structure_of(record, of.dataset, of.cases[number - 1].scenario)


def test_a_case_that_cannot_be_is_a_row_with_its_reason(done):
    out, _ = done
    told = rows(out)
    for n in (3, 6):
        assert told[n]["status"] == "impossible" and "max_patients" in told[n]["reason"]
        assert not told[n]["objective"]
        assert not (out / "cases" / f"000{n}" / "practices.csv").exists()
    assert "2 impossible" in (out / "sweep.html").read_text(encoding="utf-8")


def test_the_objective_of_a_case_is_that_of_its_structure_under_its_scenario(done, some):
    from optimiser.forces import structure_terms

    out, found = done
    for n in (1, 5):
        terms = structure_terms(some.dataset, some.cases[n - 1].scenario, _structure(out, some, n))
        pounds = sum(sum(forces.values()) for forces in terms.values())
        assert found.records[n - 1].figures["objective"] == pytest.approx(pounds)


def test_other_scales_are_built_anew(done, some):
    out, _ = done
    parent = Parent(some.dataset, some.scenario, _structure(out, some, 1))
    values = {"scales_used": ["consortium", "alliance"]}
    found = plan_case(Case(1, values, load_scenario("base", SIZES | values)), parent)
    assert found.start == "anew" and found.structure.scales == ("consortium", "alliance")


def test_services_are_placed_where_they_are_asked_for(tmp_path):
    found = run_sweep(asked(Vary(ENGAGEMENT, (50,)), services=True), tmp_path / "sweep")
    figures = found.records[0].figures
    assert figures["services"] and figures["region"]["cash_services_per_head"]["value"] is not None


# --- the same, however it is run -------------------------------------------------------------------------------------


def test_two_processes_give_the_same_bytes_as_none(done, some, tmp_path):
    out, _ = done
    again = tmp_path / out.name
    run_sweep(some, again, runner=partial(on_processes, jobs=2), publish=partial(publish_sweep, options={}))
    assert content(again) == content(out)


def test_finishing_order_changes_nothing(done, some, tmp_path):
    def backwards(task, common, parts, stop) -> Iterator[tuple[int, Outcome]]:
        return in_turn(task, common, dict(reversed(parts.items())), stop)

    out, _ = done
    again = tmp_path / out.name
    run_sweep(some, again, runner=backwards, publish=partial(publish_sweep, options={}))
    assert content(again) == content(out)


def deadly(parent: Parent, case: Case) -> int:
    """Kills the worker that does it the first time."""
    import os

    here = Path(case.refused[1])
    if not here.exists():
        here.touch()
        os._exit(9)
    return case.number


def test_a_process_that_is_killed_loses_nothing(tmp_path):
    parts = {n: Case(n, {}, None, ("failed", str(tmp_path / str(n % 3)))) for n in range(8)}
    assert dict(on_processes(deadly, None, parts, 2)) == {n: n for n in range(8)}


# --- going on --------------------------------------------------------------------------------------------------------


def counted(runs: list[int]):
    def runner(task, common, parts, stop) -> Iterator[tuple[int, Outcome]]:
        runs.extend(parts)
        return in_turn(task, common, parts, stop)

    return runner


def test_what_is_done_is_not_done_again_and_what_is_broken_is(done, some, tmp_path):
    out = shutil.copytree(done[0], tmp_path / "sweep")
    before = content(out)
    ran: list[int] = []
    publish = partial(publish_sweep, options={})
    run_sweep(some, out, runner=counted(ran), publish=publish)
    assert ran == [] and content(out) == before
    shutil.rmtree(out / "cases" / "0002")
    torn = out / "cases" / "0005" / "practices.csv"
    torn.write_bytes(torn.read_bytes()[:100])
    (out / "cases" / "0006" / "case.json").write_text("{")
    run_sweep(some, out, runner=counted(ran), publish=publish)
    assert ran == [2, 5, 6] and content(out) == before


def test_a_stop_keeps_what_is_done_and_the_rest_is_done_later(done, some, tmp_path):
    out = tmp_path / done[0].name
    told: list[int] = []
    publish = partial(publish_sweep, options={})
    half = run_sweep(some, out, stop=lambda: len(told) > 3, told=lambda d, of, now: told.append(d), publish=publish)
    assert not half.finished and len(half.records) == 3
    assert json.loads((out / "manifest.json").read_text())["status"] == "unfinished: 3 of 6 cases"
    assert "Unfinished: 3 of 6" in (out / "sweep.html").read_text(encoding="utf-8")
    ran: list[int] = []
    whole = run_sweep(some, out, runner=counted(ran), publish=publish)
    assert ran == [4, 5, 6] and whole.finished
    assert content(out) == content(done[0])


def test_a_stop_before_the_parent_is_there_leaves_nothing_behind_but_the_question(some, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run_sweep(some, tmp_path / "sweep", stop=lambda: True)
    assert {path.name for path in (tmp_path / "sweep").iterdir()} == {"sweep.json"}


def test_another_dataset_or_scenario_is_refused_with_what_changed(done, some, tmp_path):
    out = shutil.copytree(done[0], tmp_path / "sweep")
    before = content(out)
    sources = dict(some.dataset.sources) | {"flows.csv": "0" * 64}
    other = replace(some, dataset=replace(some.dataset, sources=sources))
    with pytest.raises(OutputError, match=r"dataset\.flows\.csv was"):
        run_sweep(other, out)
    dearer = load_scenario("base", SIZES | {"rates.insurance.value": 0.2})
    with pytest.raises(OutputError, match=r"scenario\.rates\.insurance\.value was 0.1, is 0.2"):
        run_sweep(replace(some, scenario=dearer), out)
    assert content(out) == before
    found = run_sweep(replace(other, cases=some.cases[:1]), out, overwrite=True)
    assert found.finished and [path.name for path in (out / "cases").iterdir()] == ["0001"]


def test_a_folder_that_is_no_sweep_is_left_alone(some, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds no sweep"):
        run_sweep(some, tmp_path, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_file_in_the_way_is_said(some, tmp_path):
    (tmp_path / "sweep").write_text("mine")
    with pytest.raises(OutputError, match="is a file"):
        run_sweep(some, tmp_path / "sweep")


def test_a_reason_that_names_a_confidential_pair_is_withheld(some, done, tmp_path):
    def telling(task, common, parts, stop) -> Iterator[tuple[int, Outcome]]:
        for number in parts:
            yield number, Outcome("impossible", "Practice 3 and Practice 4 cannot be together")

    out = shutil.copytree(done[0], tmp_path / "sweep")
    shutil.rmtree(out / "cases")
    found = run_sweep(some, out, runner=telling, publish=partial(publish_sweep, options={}))
    assert {record.figures["reason"][:8] for record in found.records} == {"withheld"}
    assert not any(b"Practice 3 and" in data for data in content(out).values())


# --- which key moves the plan ----------------------------------------------------------------------------------------


def test_the_key_that_moves_patients_is_found_and_the_others_are_not():
    patients = np.ones(100, dtype=np.int64)
    values = [{"a": a, "b": b} for a in range(5) for b in range(5)]
    plans = [np.array([0] * (50 + 10 * row["a"]) + [1] * (50 - 10 * row["a"]), dtype=np.int32) for row in values]
    found = influence(values, plans, patients, 1)
    assert found.moves["a"] == pytest.approx(0.4) and found.moves["b"] == pytest.approx(0.0, abs=1e-9)
    assert found.rest == pytest.approx(0.0, abs=1e-9) and found.explained == pytest.approx(1.0)


def test_values_that_are_no_numbers_differ_or_do_not():
    patients = np.ones(10, dtype=np.int64)
    one, other = np.zeros(10, dtype=np.int32), np.array([0] * 8 + [1] * 2, dtype=np.int32)
    values = [{"a": "x"}, {"a": "x"}, {"a": "y"}, {"a": "y"}]
    assert influence(values, [one, one, other, other], patients, 1).moves["a"] == pytest.approx(0.2)
    assert influence(values[:2], [one, one], patients, 1) is None
    assert influence([{"a": "x"}] * 3, [one] * 3, patients, 1) is None


# --- a cluster -------------------------------------------------------------------------------------------------------


def end_to_end(monkeypatch, *words: object) -> int:
    sizes = [word for key, value in SIZES.items() for word in ("--set", f"{key}={value}")]
    return consortia(monkeypatch, "sweep", "base", *sizes, *words)


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C is heard even where the tests run in the background of a shell, which has them ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_command_from_end_to_end(heard, tmp_path, monkeypatch, capsys):
    data, out = write_world(tmp_path / "data", columns=4, rows=4, patients=12_500), tmp_path / "sweep"
    words = ("--data", data, "--out", out, "--range", f"{ENGAGEMENT}=20..300", "--cases", 2, "--seed", 3, "--jobs", 1)
    assert end_to_end(monkeypatch, *words) == 0
    said = capsys.readouterr()
    assert "2 of 2 cases have a plan" in said.out and str(out / "sweep.html") in said.out
    assert "2 of 2 cases" in said.err and "first the plan" in said.err.lower()
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["seed"] == 3 and "jobs" not in manifest["options"]
    before = content(out)
    assert end_to_end(monkeypatch, *words) == 0 and content(out) == before
    assert end_to_end(monkeypatch, *words[:-3], 4) == 7
    assert "seed was 3, is 4" in capsys.readouterr().err
    monkeypatch.setattr("optimiser.workers.on_processes", stopped_after_one)
    assert end_to_end(monkeypatch, *words, "--overwrite") == 130
    assert "Give the same command again" in capsys.readouterr().err
    assert [path.name for path in (out / "cases").iterdir()] == ["0001"]
    monkeypatch.undo()
    assert end_to_end(monkeypatch, *words) == 0 and content(out) == before


def stopped_after_one(task, common, parts, jobs, stop) -> Iterator[tuple[int, Outcome]]:
    """Ctrl-C as the second case begins."""
    for number, part in parts.items():
        if number > 1:
            signal.raise_signal(signal.SIGINT)
        if stop():
            return
        yield number, task(common, part)


def test_elsewhere_than_on_a_terminal_lines_tell_the_time_left(capsys):
    lines = live_cases.Lines(lambda: False)
    for done in (1, 2, 3):
        lines.cases(done, 3, done - 1)
    said = capsys.readouterr().err.splitlines()
    assert [line.split("·")[1].strip() for line in said] == ["1 of 3 cases", "3 of 3 cases"]

    class Ten:
        def elapsed(self) -> float:
            return 10.0

    assert live_cases.left(Ten(), 5, 10, 2) == "About 25 s left", "those done before tell nothing of the pace"
    assert live_cases.left(Ten(), 1, 101, 1) == "About 17 min left"
    assert live_cases.left(Ten(), 5, 10, 0) == ""


@pytest.mark.slow
@pytest.mark.dask
def test_a_cluster_whose_worker_is_killed_gives_the_same_bytes(done, some, tmp_path):
    distributed = pytest.importorskip("distributed")
    out, _ = done
    again = tmp_path / out.name
    with distributed.LocalCluster(2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:

        def told(finished: int, of: int, now: int) -> None:
            if now == 1:
                next(iter(cluster.workers.values())).process.process.kill()

        runner = partial(on_cluster, address=cluster.scheduler_address)
        run_sweep(some, again, runner=runner, told=told, publish=partial(publish_sweep, options={}))
    assert content(again) == content(out)


def test_no_cluster_at_an_address_is_said(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(OutputError, match="needs the library distributed"):
        list(on_cluster(deadly, None, {1: None}, "tcp://127.0.0.1:1"))
