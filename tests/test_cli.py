"""The command line: a plan from end to end that the independent check passes, and every refusal without a trace."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from geodata.demo import region
from optimiser.cli import main
from optimiser.runs import versions
from tests.worlds import world, write_files, write_world

ROOT = Path(__file__).parents[1]
SIZES = {
    "scale.locality.min_patients": 15_000,
    "scale.locality.max_patients": 40_000,
    "scale.consortium.min_patients": 40_000,
    "scale.consortium.max_patients": 120_000,
    "scale.alliance.min_patients": 80_000,
    "scale.alliance.max_patients": 250_000,
    "scale.agency.min_patients": 100_000,
    "sensitivity.rates": '["management"]',
}
SET = [word for key, value in SIZES.items() for word in ("--set", f"{key}={value}")]


def consortia(monkeypatch, *words: object) -> int:
    """The exit code of `consortia WORDS`, run in this process as its entry point runs it."""
    monkeypatch.setattr(sys, "argv", ["consortia", *map(str, words)])
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def python(*words: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, cwd=cwd, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Forty practices on a grid, in two upper and four lower authorities."""
    return write_world(tmp_path_factory.mktemp("data") / "gridland", columns=8, rows=5)


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A working folder in which nothing may appear."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


# --- the whole way ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(data, tmp_path_factory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("runs") / "run"
    words = ("plan", "base", "--data", data, "--out", out, "--threads", 1, "--time-limit", 60, "--seed", 4, *SET)
    return out, python("-m", "optimiser.cli", *words)


def test_a_plan_from_end_to_end(run):
    out, done = run
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Best for these assumptions" in done.stdout
    summary = json.loads((out / "summary.json").read_text())
    assert summary["objective"] == pytest.approx(sum(summary["terms"].values()))
    assert summary["bound"] <= summary["objective"]
    assert set(summary["scales"]) == {"locality", "consortium", "alliance", "agency"}
    with (out / "practices.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 40
    assert json.loads((out / "manifest.json").read_text())["seed"] == 4


def test_it_ends_by_naming_files_that_exist(run):
    out, done = run
    named = [line.split()[0] for line in done.stdout.split("Open first:")[1].splitlines() if str(out) in line]
    files = [Path(word) for word in named if word.startswith(str(out))]
    assert files and all(path.is_file() for path in files)


def test_the_independent_check_passes(run):
    out, _ = run
    checked = python("-I", "-S", ROOT / "scripts" / "verify_plan.py", out)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_confidential_wishes_are_in_no_file_of_the_run(run, data):
    """P003 and P004 would rather not, in confidence; P001 and P002 said so openly."""
    out, _ = run
    said = (out / "relationships.csv").read_text()
    assert "P001,P002" in said
    assert "P003" not in said and "P004" not in said


def test_an_existing_run_is_refused_before_any_work(run, data, monkeypatch, capsys):
    out, _ = run
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    monkeypatch.setattr("geodata.read.read_dataset", lambda *_: pytest.fail("work was done"))
    assert consortia(monkeypatch, "plan", "base", "--data", data, "--out", out, *SET) == 7
    assert str(out) in capsys.readouterr().err
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_a_hand_made_map_is_measured_and_its_broken_rules_listed(data, run, empty, monkeypatch, capsys):
    out, _ = run
    drawn = empty / "mine.csv"
    rows = [f"P{n:03d},{'Left' if (n - 1) % 8 < 7 else 'Right'}" for n in range(1, 41)]
    drawn.write_text("practice,consortium\n" + "\n".join(rows) + "\n")
    assert consortia(monkeypatch, "evaluate", drawn, "--scenario", "base", "--data", data, *SET) == 0
    said = capsys.readouterr().out
    assert "Left has 175,000 patients, more than 120,000" in said
    assert consortia(monkeypatch, "evaluate", out / "practices.csv", "--scenario", "base", "--data", data, *SET) == 0
    assert "Every rule is kept." in capsys.readouterr().out, "a plan of ours, read back, breaks none of its rules"


# --- refusals --------------------------------------------------------------------------------------------------------


def refused(monkeypatch, capsys, empty: Path, *words: object) -> tuple[int, str]:
    """Exit code and message; nothing is left in the working folder, but for why a plan is impossible."""
    before = {path.name for path in empty.iterdir()}
    code = consortia(monkeypatch, *words)
    said = capsys.readouterr()
    assert {path.name for path in empty.iterdir()} - before <= {"run-why-not"}, "something was written"
    assert "Traceback" not in said.err
    return code, said.err


def test_the_provider_graph_of_today_and_of_a_hand_made_map(tmp_path, empty, monkeypatch, capsys):
    """Walk A, step 3: who pays whom today, and under a proposal beside today; nothing is planned."""
    assert consortia(monkeypatch, "graph", "--scenario", "demo", "--out", tmp_path / "today") == 0
    said = capsys.readouterr().out
    assert "Calderminster Teaching Hospitals" in said and "weight today" not in said
    drawn = ROOT / "docs" / "examples" / "councils.csv"
    assert consortia(monkeypatch, "graph", drawn, "--scenario", "demo", "--out", tmp_path / "drawn") == 0
    said = capsys.readouterr().out
    assert "weight today" in said and str(tmp_path / "drawn" / "provider_graph.svg") in said
    for name, scales in (("today", {"locality", "alliance", "agency"}), ("drawn", set())):
        files = {path.name for path in (tmp_path / name).iterdir()}
        assert {"provider_graph.graphml", "provider_graph.png", "provider_power.csv", "provider_shares.csv"} <= files
        assert {f"provider_graph_{scale}.graphml" for scale in scales} <= files
    manifest = json.loads((tmp_path / "drawn" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "measured, not optimised" and manifest["options"]["map"] == "councils.csv"
    assert consortia(monkeypatch, "graph", "--scenario", "demo", "--out", tmp_path / "today") == 7
    assert not list(empty.iterdir())


def test_a_graph_needs_flows_and_bodies(tmp_path, empty, monkeypatch, capsys):
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in region().iterdir():
        if path.name not in ("flows.csv", "practices.csv", "relationships.csv", "wishes.csv", "finances.csv"):
            (bare / path.name).write_bytes(path.read_bytes())
    with (region() / "practices.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    kept = [key for key in rows[0] if not key.startswith("existing_")]
    with (bare / "practices.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, kept, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    assert consortia(monkeypatch, "graph", "--data", bare, "--out", tmp_path / "none") == 3
    said = capsys.readouterr().err
    assert "flows.csv" in said and "existing_<scale>" in said, "both faults in one report"
    assert not (tmp_path / "none").exists()


def test_a_misspelt_key_is_answered_with_the_nearest(empty, monkeypatch, capsys):
    (empty / "mine.toml").write_text('extends = "demo"\n\n[scale.consortium]\nmin_patient = 60000\n')
    code, said = refused(monkeypatch, capsys, empty, "plan", "mine.toml", "--out", "run")
    assert code == 2
    assert "mine.toml:4" in said and "min_patient" in said and "Did you mean min_patients?" in said


def test_a_misspelt_scenario_and_a_misspelt_override(empty, monkeypatch, capsys):
    code, said = refused(monkeypatch, capsys, empty, "plan", "dmeo", "--out", "run")
    assert code == 2 and "Did you mean demo?" in said
    code, said = refused(monkeypatch, capsys, empty, "plan", "demo", "--out", "run", "--set", "rates.mangement.value=1")
    assert code == 2 and "Did you mean management?" in said
    code, said = refused(monkeypatch, capsys, empty, "plan", "demo", "--set", "rates.management")
    assert code == 2 and "KEY=VALUE" in said


def test_every_fault_of_a_dataset_comes_in_one_report(empty, tmp_path, monkeypatch, capsys):
    files = world()
    files["practices.csv"] = files["practices.csv"].replace("P002,", "P001,").replace(",5000,", ",many,", 1)
    files["flows.csv"] = files["flows.csv"].replace("RC1", "RC9")
    faulty = write_files(tmp_path / "faulty", files)
    code, said = refused(monkeypatch, capsys, empty, "plan", "base", "--data", faulty, "--out", "run")
    assert code == 3
    assert "practices.csv:2:patients" in said and "practices.csv:3:code" in said and "flows.csv:" in said
    again, report = refused(monkeypatch, capsys, empty, "validate", faulty)
    assert again == 3 and report == said


def test_an_absent_dataset_and_a_scenario_without_one(empty, monkeypatch, capsys):
    code, said = refused(monkeypatch, capsys, empty, "plan", "base", "--data", "nowhere", "--out", "run")
    assert code == 3 and "nowhere" in said
    code, said = refused(monkeypatch, capsys, empty, "plan", "base", "--out", "run")
    assert code != 0 and "--data" in said


def test_impossible_sizes_are_refused_with_the_arithmetic(data, empty, monkeypatch, capsys):
    few = ("--set", 'scales_used=["consortium"]', "--set", "scale.consortium.min_patients=250000")
    code, said = refused(monkeypatch, capsys, empty, "plan", "base", "--data", data, "--out", "run", *few)
    assert code == 4
    assert "200,000 patients in all, but one body needs at least 250,000" in said
    crossed = ("--set", "scale.consortium.min_patients=800000")
    code, said = refused(monkeypatch, capsys, empty, "plan", "base", "--data", data, "--out", "run", *crossed)
    assert code == 4 and "800,000" in said and "700,000" in said
    tight = ("--set", 'scales_used=["consortium"]', "--set", "scale.consortium.min_patients=110000")
    tight += ("--set", "scale.consortium.max_patients=120000")
    code, said = refused(monkeypatch, capsys, empty, "plan", "base", "--data", data, "--out", "run", *tight)
    assert code == 4 and "at least 2 bodies of at most 120,000, but only 1" in said


def test_a_map_that_names_unknown_practices_is_refused(data, empty, monkeypatch, capsys):
    (empty / "map.csv").write_text("practice,consortium\nP001,A\nP999,A\n")
    code, said = refused(monkeypatch, capsys, empty, "evaluate", "map.csv", "--data", data)
    assert code == 3 and "map.csv:3:practice" in said and "P999" in said


@pytest.mark.parametrize(
    "words", [["plan"], ["plan", "demo", "--seed", "x"], ["paln", "demo"], ["plan", "demo", "--sed"]]
)
def test_misuse_exits_with_two_and_a_hint(words, empty, monkeypatch, capsys):
    code, said = refused(monkeypatch, capsys, empty, *words)
    assert code == 2 and ("Usage" in said or "Error" in said)


def test_an_interruption_says_so_and_leaves_nothing(data, empty, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("optimiser.plan.make_plan", interrupted)
    code, said = refused(monkeypatch, capsys, empty, "plan", "base", "--data", data, "--out", "run", *SET)
    assert code == 130 and "nothing was written" in said


# --- quick answers ---------------------------------------------------------------------------------------------------


def test_the_bundled_region_is_valid(monkeypatch, capsys):
    assert consortia(monkeypatch, "validate", region()) == 0
    assert "is valid" in capsys.readouterr().out


def test_the_version_is_that_of_the_package(monkeypatch, capsys):
    assert consortia(monkeypatch, "--version") == 0
    assert capsys.readouterr().out.strip() == f"consortia {versions().get('consortia', '(not installed)')}"


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], ["plan", "--help"], ["validate", "--help"], ["import", "--help"]]
)
def test_help_loads_none_of_the_heavy_packages(words):
    script = (
        "import sys; from optimiser.cli import main\n"
        f"sys.argv = ['consortia', *{words!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'numba', 'geopandas', 'pandas', 'scipy', 'pulp', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = python("-c", script)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout or done.stdout.startswith("consortia ")
