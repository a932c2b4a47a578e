"""When work ends before it is done: Ctrl-C, a limit of time, a gap asked for. Real processes, as planners run them."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import write_world

ROOT = Path(__file__).parents[1]
PLAN = [sys.executable, "-m", "optimiser.cli", "plan"]
ONE_SCALE = ("--set", 'scales_used=["consortium"]', "--set", "sensitivity.rates=[]")
TWO_SCALES = (
    "--set", 'scales_used=["locality","consortium"]', "--set", "sensitivity.rates=[]",
    "--set", "scale.locality.min_patients=15_000", "--set", "scale.locality.max_patients=40_000",
    "--set", "scale.consortium.min_patients=40_000", "--set", "scale.consortium.max_patients=120_000",
)  # fmt: skip
LOCALITIES_THAT_NEST_BADLY = (
    *TWO_SCALES, "--set", "scale.locality.min_patients=20_000", "--set", "scale.locality.max_patients=50_000",
    "--set", "scale.consortium.min_patients=60_000", "--set", "scale.consortium.max_patients=70_000",
)  # fmt: skip
# Where the tests themselves run in the background, the shell has their children ignore Ctrl-C.
HEAR = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
UNFINISHED = "interrupted: kept the best plan found"


def started(*words: object) -> subprocess.Popen[str]:
    script = f"{HEAR}\nimport sys\nfrom optimiser.cli import main\nmain(['plan', *sys.argv[1:]])"
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT,
    )  # fmt: skip


def finished(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PLAN, *map(str, words)], capture_output=True, text=True, cwd=ROOT, timeout=120, check=False)


def read_until(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if words in line:
            return
    pytest.fail(f"it ended without a line that says {words!r}")


def document(out: Path, name: str = "manifest.json") -> dict:
    return json.loads((out / name).read_text(encoding="utf-8"))


def checked(out: Path) -> subprocess.CompletedProcess[str]:
    script = ROOT / "scripts" / "verify_plan.py"
    return subprocess.run(
        [sys.executable, "-I", "-S", script, out], capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Forty practices on a grid, in two upper and four lower authorities."""
    return write_world(tmp_path_factory.mktemp("data") / "gridland", columns=8, rows=5)


# --- Ctrl-C ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_ctrl_c_keeps_the_best_plan_so_far(tmp_path, number):
    """A planner reads: Unfinished, the best found when the work was stopped. The run is there, marked, and every
    rule is kept."""
    out = tmp_path / "run"
    process = started("demo", "--out", out, "--gap", "0", *ONE_SCALE)
    read_until(process, "consortium · search")
    process.send_signal(number)
    said, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Unfinished, the best found when the work was stopped." in said
    assert "Note: The work was stopped by hand at: consortia" in said
    assert "Stopping: the plan is finished with the least work. Ctrl-C again drops it." in told
    assert "nothing was written" not in told and "Traceback" not in told
    manifest, summary = document(out), document(out, "summary.json")
    assert manifest["status"] == summary["status"] == UNFINISHED
    assert manifest["reproducible"] is False and "consortium" in manifest["cut_short"]
    assert summary["bound"] <= summary["objective"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    found = checked(out)
    assert found.returncode == 0, found.stdout


def test_the_second_ctrl_c_leaves_nothing(tmp_path):
    """A planner reads: Interrupted: nothing was written."""
    process = started("demo", "--out", tmp_path / "run", "--gap", "0", *ONE_SCALE)
    read_until(process, "consortium · search")
    process.send_signal(signal.SIGINT)
    read_until(process, "consortium · done")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130
    assert told.strip().endswith("Interrupted: nothing was written.")
    assert list(tmp_path.iterdir()) == []


CTRL_C_WHILE = """
import os, signal, sys
import {module}
from optimiser import cli

inner = {module}.{function}


def pressed(*words):
    for _ in range({times}):
        os.kill(os.getpid(), signal.SIGINT)
    return inner(*words)


{module}.{function} = pressed
cli.main(sys.argv[1:])
"""


def pressed_while(module: str, function: str, times: int, *words: object) -> subprocess.CompletedProcess[str]:
    """A plan in whose midst, as `function` is called, its process is sent Ctrl-C."""
    script = HEAR + CTRL_C_WHILE.format(module=module, function=function, times=times)
    words = ("plan", *words)
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, words)],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip


def test_ctrl_c_before_there_is_a_plan_writes_nothing_and_says_so(data, tmp_path):
    done = pressed_while("geodata.read", "read_dataset", 1, "base", "--data", data, "--out", tmp_path / "run")
    assert done.returncode == 130
    assert done.stderr.strip() == "Interrupted: nothing was written."
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_a_finished_plan_is_written_lets_it_be_written(data, tmp_path):
    """The plan is whole by then, so it is neither dropped nor called unfinished."""
    out = tmp_path / "run"
    words = ("base", "--data", data, "--out", out, *TWO_SCALES)
    done = pressed_while("geodata.publish", "write_map", 1, *words)
    assert done.returncode == 0, done.stderr
    assert document(out)["reproducible"] is True
    again = pressed_while("geodata.publish", "write_map", 2, *words, "--overwrite")
    assert again.returncode == 130 and "Interrupted: nothing was written." in again.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["run"], "the half-written run is gone, the older one stays"
    assert checked(out).returncode == 0


# --- limits ----------------------------------------------------------------------------------------------------------


def test_a_limit_of_time_still_gives_a_plan_and_says_what_it_cut(data, tmp_path):
    """A planner reads how the time went, what was cut short, and that another run may differ."""
    out = tmp_path / "run"
    done = finished("base", "--data", data, "--out", out, "--time-limit", 1, "--gap", "0", *TWO_SCALES)
    assert done.returncode == 5, "no plan is proved optimal in a second"
    assert "of the 1 s allowed (reading" in done.stderr
    assert "Note: A clock cut the work short at: localities, consortia, services, rounds" in done.stdout
    manifest = document(out)
    assert manifest["reproducible"] is False and manifest["status"].startswith("feasible")
    assert checked(out).returncode == 0


def test_a_gap_asked_for_and_not_reached_is_told_part_by_part(data, tmp_path):
    """A planner reads which part stands in the way; the run is written all the same. Localities of 50,000 would be
    cheapest, and none fits twice into a consortium of 60,000 to 70,000: what nesting costs, no work closes."""
    out = tmp_path / "run"
    words = ("base", "--data", data, "--out", out, "--gap", "0.01%", *LOCALITIES_THAT_NEST_BADLY)
    done = finished(*words)
    assert done.returncode == 5, done.stderr
    assert "the gap asked for, 0.010 %, was not reached: the plan, which is written, is proved within" in done.stderr
    assert "By part: localities" in done.stderr and ", consortia" in done.stderr and ", services" in done.stderr
    assert "All the work was done: allow a wider gap." in done.stderr
    assert "Note: the gap asked for, 0.010 %, was not reached" in done.stdout
    manifest = document(out)
    assert manifest["options"]["gap"] == pytest.approx(1e-4) and manifest["solver"]["gap"] > 1e-4
    assert manifest["reproducible"] is True, "the work asked for was done, and is the same each time"


def test_a_gap_asked_for_and_reached_ends_the_work(data, tmp_path):
    out = tmp_path / "run"
    done = finished("base", "--data", data, "--out", out, "--gap", "0.9", *TWO_SCALES)
    assert done.returncode == 0, done.stderr
    assert document(out, "summary.json")["gap"] <= 0.9
    with (out / "progress.csv").open(encoding="utf-8-sig") as file:
        stages = [row["stage"] for row in csv.DictReader(file) if row["scale"] == "consortium"]
    assert stages.count("bound") == 3, "the first bound is near enough: told when met, as the root's, when certified"


@pytest.mark.parametrize("text", ["2", "-1%", "1e", "100%", "5%%"])
def test_what_is_no_gap_is_refused(text, tmp_path):
    done = finished("demo", "--out", tmp_path / "run", "--gap", text)
    assert done.returncode == 2 and "write a percentage (0.5%) or a fraction (0.005) below 1" in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- what is told on the way -----------------------------------------------------------------------------------------


def test_threads_change_nothing_and_progress_is_told_and_kept(data, tmp_path):
    """Equal seeds, one thread and two: the same bytes but for how the work went, which is in the run unhashed."""
    words = ("base", "--data", data, "--seed", 7, *TWO_SCALES)
    one, two = (finished(*words, "--threads", n, "--out", tmp_path / f"{n}") for n in (1, 2))
    assert one.returncode == two.returncode == 0, one.stderr + two.stderr
    manifests = [document(tmp_path / f"{n}") for n in (1, 2)]
    assert manifests[0]["outputs"] == manifests[1]["outputs"]
    assert manifests[0]["reproducible"] is True and manifests[0]["cut_short"] == []
    assert "progress.csv" in manifests[0]["unhashed"]
    assert "consortium · done" in one.stderr and "gap" in one.stderr and "services · done" in one.stderr
    with (tmp_path / "1" / "progress.csv").open(encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)
    assert {row["scale"] for row in rows} == {"locality", "consortium", "services"}
    proof = document(tmp_path / "1", "certificate.json")["scales"]["consortium"]
    last = [row for row in rows if row["scale"] == "consortium"][-1]
    assert float(last["bound"]) == pytest.approx(proof["bound"])
    assert float(last["incumbent"]) == pytest.approx(proof["objective"])
    assert float(last["gap"]) == pytest.approx(proof["gap"])
