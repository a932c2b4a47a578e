"""The benchmarks: every case is there, its problem is the one meant, and records say what was measured."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csgraph

from tests import oracle

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import bench  # noqa: E402
import bench_cases  # noqa: E402
import bench_cpmp  # noqa: E402
import bench_peers  # noqa: E402
import bench_run  # noqa: E402
import bench_tables  # noqa: E402
from bench_generate import generate  # noqa: E402

FIELDS = {
    "name", "method", "objective", "bound", "gap", "excess", "seconds", "setup_seconds", "seconds_to_gap", "peak_mb",
    "bodies", "valid", "notes", "target", "known", "seed", "versions", "machine",
}  # fmt: skip
TWO_TOWNS = """\
 6  2
 0    0  6 2
 0    3  6 2
 4    0  6 2
 100  0  6 2
 101  1  6 2
 104  0  6 2
"""


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), *options]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, **environment}
    )


def record(name: str, **more: object) -> dict:
    nothing = dict.fromkeys(("objective", "bound", "gap", "excess", "peak_mb", "bodies"))
    return {"name": name, "method": "consortia", **nothing, "seconds": 1.0, "valid": True, "notes": "", **more}


@pytest.fixture(scope="module")
def question() -> bench_peers.Question:
    made = bench_cases.problem_of(generate(60), "consortium")
    return bench_peers.Question(made.problem, made.features, made.places, made.districts, 3, 1)


def test_every_case_of_the_targets_is_registered() -> None:
    cases = bench_cases.registry()
    assert {f"generated-{n}" for n in (200, 800, 3000, 8000)} <= set(cases)
    assert {"england-consortium", "england-locality", "england-locality-contiguous"} <= set(cases)
    assert {"SJC1", "SJC2", "SJC3a", "SJC4a", "pr2392_020", "cpmp01", "cpmp20"} <= set(cases)
    assert cases["SJC4a"].known == 61925.51
    assert all(0 < t.gap < 0.05 and 0 < t.seconds <= 900 for case in cases.values() for t in case.targets)


def test_a_generated_country_is_the_same_every_time_and_like_england() -> None:
    one, again = generate(800), generate(800)
    assert one.practices == again.practices
    assert np.array_equal(one.adjacency, again.adjacency)
    pairs, n = one.adjacency, len(one.practices)
    graph = np.zeros((n, n), dtype=bool)
    graph[pairs[:, 0], pairs[:, 1]] = True
    assert csgraph.connected_components(graph, directed=False)[0] == 1
    assert 9_000 < one.patients.mean() < 10_500
    assert np.median(one.patients) < 0.9 * one.patients.mean(), "list sizes are skewed"
    assert one.patients.max() > 40_000


def test_the_generated_problem_is_the_base_scenarios() -> None:
    made = bench_cases.registry()["generated-200"].make()
    assert made.problem.contiguous
    assert (made.problem.lo, made.problem.hi) == (50_000, 700_000)
    assert made.features.shape[0] == made.places.shape[0] == made.problem.units == 200


def test_features_measure_what_two_practices_would_pay() -> None:
    made = bench_cases.problem_of(generate(60), "consortium")
    km = np.abs(made.places[0] - made.places[1]).sum()
    border = made.districts[0] != made.districts[1]
    assert np.abs(made.features[0] - made.features[1]).sum() == pytest.approx(0.15 * km + 8.0 * border)


def test_localities_are_those_of_the_targets() -> None:
    made = bench_cases.problem_of(generate(60), "locality", bench_cases.TOUCHING).problem
    assert (made.lo, made.hi, made.contiguous) == (20_000, 60_000, True)
    assert not bench_cases.problem_of(generate(60), "locality", bench_cases.LOCALITY).problem.contiguous


def test_a_public_instance_is_exactly_p_bodies_within_capacity(tmp_path: Path) -> None:
    (tmp_path / "towns.dat").write_text(TWO_TOWNS, encoding="ascii")
    problem, xy = bench_cpmp.read(bench_cpmp.find(tmp_path, "towns"))
    assert (problem.min_bodies, problem.max_bodies, problem.lo, problem.hi) == (2, 2, 6, 6)
    assert xy.tolist()[4] == [101, 1]
    # each town's own middle point: 3 + 4, and √2 + √10 from (101, 1)
    assert oracle.best(problem)[0] == pytest.approx(7 + 2**0.5 + 10**0.5)


def test_distances_of_the_small_set_are_cut_to_whole_numbers(tmp_path: Path) -> None:
    (tmp_path / "cpmp99.txt").write_text(TWO_TOWNS, encoding="ascii")
    problem, _ = bench_cpmp.read(bench_cpmp.find(tmp_path, "cpmp99"))
    assert oracle.best(problem)[0] == 7 + 1 + 3


@pytest.mark.parametrize("change", [("4    0  6", "4    0  7"), (" 6  2", " 7  2")], ids=["capacity", "count"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "odd.dat"
    path.write_text(TWO_TOWNS.replace(*change, 1), encoding="ascii")
    with pytest.raises(ValueError, match=r"odd\.dat"):
        bench_cpmp.read(path)


def test_a_case_is_measured_and_its_records_are_complete(tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    said = run("--only", "generated-200", "--method", "consortia", "--seconds", "3", "--json", str(file))
    assert said.returncode == 0, said.stderr
    (found,) = json.loads(file.read_text(encoding="utf-8"))
    assert set(found) == FIELDS
    assert (found["name"], found["method"], found["valid"]) == ("generated-200", "consortia", True)
    assert 0 < found["bound"] <= found["objective"]
    assert found["gap"] == pytest.approx((found["objective"] - found["bound"]) / found["objective"])
    assert found["target"] == {"gap": 0.0018, "seconds": 3.0}
    assert all(float(gap.rstrip("%")) / 100 >= found["gap"] for gap in found["seconds_to_gap"])
    assert found["peak_mb"] > 50
    assert set(found["machine"]) == {"cpus", "python", "platform"}
    assert "numpy" in found["versions"]


def test_absent_data_are_said_to_be_absent(tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    empty = {"CONSORTIA_ENGLAND": str(tmp_path), "CONSORTIA_BENCHMARKS": str(tmp_path)}
    said = run("--only", "england-consortium", "--only", "SJC1", "--json", str(file), **empty)
    assert said.returncode == 3
    assert "england-consortium: skipped, the real English files are absent: set CONSORTIA_ENGLAND" in said.stderr
    assert "SJC1: skipped" in said.stderr
    assert "CONSORTIA_BENCHMARKS" in said.stderr
    assert json.loads(file.read_text(encoding="utf-8")) == []


def test_an_unknown_case_is_refused_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.refuse(["generated-80"]) == 2
    assert "Did you mean generated-800?" in capsys.readouterr().err


def test_a_program_that_is_not_installed_is_skipped_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(bench_peers.PEERS, "gerrychain", ("no_such_package", bench_peers.gerrychain))
    asked = bench.request("SJC1", bench.arguments().parse_args(["--method", "gerrychain"]))
    assert asked.methods == ()
    assert "SJC1: gerrychain skipped, no_such_package is not installed" in capsys.readouterr().err


@pytest.mark.peers
@pytest.mark.parametrize("method", bench_peers.PEERS)
def test_a_peer_gives_plans_of_every_unit(method: str, question: bench_peers.Question) -> None:
    if why := bench_peers.missing(method):
        pytest.skip(why)
    labels = next(bench_peers.plans(method, question))
    assert labels.shape == (60,)
    assert np.isfinite(question.problem.objective(labels))
    assert not [rule for rule in question.problem.violations(labels) if "do not touch" in rule]


@pytest.mark.peers
def test_a_peer_is_held_against_our_bound_and_stopped_in_time(question: bench_peers.Question) -> None:
    if why := bench_peers.missing("spopt-azp"):
        pytest.skip(why)
    case = bench_cases.Case("tiny", "", (bench_cases.Target(0.01, 1.0),), lambda: None)
    instance = bench_cases.Instance(question.problem, question.places)
    ours, solution = bench_run.run_ours(case, instance, case.targets[0], 1)
    peer = bench_run.run_peer("spopt-azp", instance, solution, 1.0, 1)  # it would restart for ever
    assert peer["bound"] == ours["bound"]
    assert peer["excess"] == pytest.approx(peer["objective"] / ours["bound"] - 1)
    assert set(peer) == set(ours) - {"seconds_to_gap"}


def test_the_table_has_a_line_for_every_record(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    files = [tmp_path / "a.json", tmp_path / "b.json"]
    plan = {"objective": 12_345_678.9, "bound": 12_300_000.0, "gap": 0.0037, "excess": 0.00371, "bodies": 9}
    files[0].write_text(json.dumps([record("generated-200", **plan, seconds_to_gap={"1.00%": 2.5})]))
    files[1].write_text(json.dumps([record("cold-start", seconds=12.25, notes="nothing compiled yet")]))
    monkeypatch.setattr(sys, "argv", ["bench.py", "--table", *map(str, files)])
    assert bench.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert "| generated-200 | consortia | 9 | 12,345,679 | 12,300,000 | 0.370% |" in lines[2]
    assert "1.00% in 2.5 s" in lines[2]
    assert "| 12.2 | – | nothing compiled yet |" in lines[3]


def test_growth_is_fitted_where_every_size_reached_the_gap() -> None:
    quadratic = [
        record(f"generated-{n}", seconds_to_gap={"1.00%": (n / 800) ** 2} | ({"0.50%": 9.0} if n < 8000 else {}))
        for n in (200, 800, 3000, 8000)
    ]
    lines = bench_tables.scaling(quadratic).splitlines()
    assert len(lines) == 3, "half a per cent was not reached at every size"
    assert lines[2] == "| 1.00% | 1.0 | 14.1 | 100.0 | 2.00 |"
    assert "two or more" in bench_tables.scaling(quadratic[:2])
