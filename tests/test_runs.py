"""A run folder is published whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from optimiser import runs
from optimiser.errors import OutputError

WRITER = """
import sys, time
from pathlib import Path
from optimiser import runs

out, version, pause_at = Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def pause(stage):
    if stage == pause_at:
        print("paused", flush=True)
        time.sleep(60)


durable, rename = runs.make_durable, runs._put_in_place


def slow_durable(folder):
    pause("before-sync")
    durable(folder)
    pause("after-sync")


def slow_place(folder, place):
    rename(folder, place)
    pause("after-rename")


runs.make_durable, runs._put_in_place = slow_durable, slow_place
with runs.staged(out, overwrite=True) as folder:
    for name in ("a", "b", "c"):
        (folder / name).write_text(version)
        if name == "b":
            pause("half-written")
    runs.write_manifest(folder, inputs={}, seed=1, options={}, solver={})
"""


def write(out: Path, version: str = "one", overwrite: bool = False) -> None:
    with runs.staged(out, overwrite=overwrite) as folder:
        for name in ("a", "b", "c"):
            (folder / name).write_text(version)
        runs.write_manifest(folder, inputs={}, seed=1, options={}, solver={})


def contents(out: Path) -> set[str]:
    return {(out / name).read_text() for name in ("a", "b", "c")}


def start_writer(out: Path, version: str, pause_at: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(out), version, pause_at],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "paused"
    return process


def test_a_run_appears_whole_and_leaves_nothing_beside_it(tmp_path):
    write(tmp_path / "run")
    assert contents(tmp_path / "run") == {"one"}
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_an_existing_run_is_refused_then_replaced_on_request(tmp_path):
    write(tmp_path / "run")
    with pytest.raises(OutputError, match="--overwrite") as refusal:
        write(tmp_path / "run", "two")
    assert refusal.value.exit_code == 7
    assert contents(tmp_path / "run") == {"one"}
    write(tmp_path / "run", "two", overwrite=True)
    assert contents(tmp_path / "run") == {"two"}
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_folder_that_is_no_run_is_never_replaced(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"holds no manifest\.json"):
        write(tmp_path / "thesis", overwrite=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "run").write_text("a file")
    with pytest.raises(OutputError, match="is a file"):
        write(tmp_path / "run", overwrite=True)


def test_a_run_inside_a_file_is_refused_before_any_work(tmp_path):
    (tmp_path / "notes").write_text("a file")
    with pytest.raises(OutputError, match="notes is a file"):
        runs.refuse_unwritable(tmp_path / "notes" / "run")


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    """A planner who asks for a run on a read-only share is told at once, not after an hour."""
    shut = tmp_path / "shut"
    shut.mkdir(mode=0o500)
    if os.access(shut, os.W_OK):
        shut = Path("/proc")  # the administrator may write anywhere but where the system makes no files
    with pytest.raises(OutputError, match=f"cannot write into {shut}"):
        runs.refuse_unwritable(shut / "here" / "run")
    runs.refuse_unwritable(tmp_path / "here" / "run")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["shut"], "nothing is left behind by asking"


def test_an_empty_folder_may_be_filled(tmp_path):
    (tmp_path / "run").mkdir()
    write(tmp_path / "run")
    assert contents(tmp_path / "run") == {"one"}


@pytest.mark.parametrize("failure", [ValueError("boom"), KeyboardInterrupt(), SystemExit(3)])
def test_any_exception_leaves_the_old_run_alone(tmp_path, failure):
    write(tmp_path / "run")
    with pytest.raises(type(failure)), runs.staged(tmp_path / "run", overwrite=True) as folder:
        (folder / "a").write_text("half")
        raise failure
    assert contents(tmp_path / "run") == {"one"}
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_a_full_disk_is_an_output_error(tmp_path):
    full = OSError(28, "No space left on device")
    with pytest.raises(OutputError, match="No space left on device"), runs.staged(tmp_path / "run"):
        raise full
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("moment", ["half-written", "before-sync", "after-sync", "after-rename"])
def test_kill_leaves_the_old_run_or_the_new_one_and_the_next_run_works(tmp_path, moment):
    out = tmp_path / "run"
    write(out, "old")
    process = start_writer(out, "new", moment)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert contents(out) == ({"new"} if moment == "after-rename" else {"old"})
    assert (out / "manifest.json").is_file()
    write(out, "next", overwrite=True)
    assert contents(out) == {"next"}
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def test_kill_at_any_moment_of_many_overwrites(tmp_path):
    """No pause to aim at: the writer loops over overwrites and is killed after different waits."""
    out = tmp_path / "run"
    write(out, "0")
    loop = (
        "import sys; from pathlib import Path; from tests.test_runs import write\n"
        "for k in range(1, 10**6): write(Path(sys.argv[1]), str(k), overwrite=True)"
    )
    for wait in (0.0, 0.013, 0.031):
        process = subprocess.Popen([sys.executable, "-c", loop, str(out)], cwd=Path(__file__).parents[1])
        deadline = time.monotonic() + 30
        before = contents(out)
        while contents_or_none(out) in (None, before) and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(wait)
        process.kill()
        process.wait()
        assert len(contents(out)) == 1
        assert {"a", "b", "c", "manifest.json"} == {p.name for p in out.iterdir()}


def contents_or_none(out: Path) -> set[str] | None:
    try:
        return contents(out)
    except FileNotFoundError:  # the folder was exchanged between reading two of its files
        return None


def test_without_an_atomic_exchange_the_old_run_is_put_back(tmp_path, monkeypatch):
    out = tmp_path / "run"
    write(out, "old")
    monkeypatch.setattr(runs, "_exchange", lambda one, other: False)
    write(out, "new", overwrite=True)
    assert contents(out) == {"new"}
    out.rename(runs._aside(out))  # what a kill between the two renames leaves
    with pytest.raises(OutputError, match="already holds a run"):
        write(out, "next")
    assert contents(out) == {"new"}


def test_a_second_writer_is_told_who_holds_the_run(tmp_path):
    process = start_writer(tmp_path / "run", "one", "half-written")
    try:
        with pytest.raises(OutputError, match=f"process {process.pid} "):
            write(tmp_path / "run", "two")
    finally:
        process.kill()
        process.wait()
    write(tmp_path / "run", "two")
    assert contents(tmp_path / "run") == {"two"}


def test_the_manifest_hashes_what_was_written_and_no_timings_or_paths(tmp_path):
    def publish(name: str, seconds: float) -> dict:
        with runs.staged(tmp_path / name) as folder:
            (folder / "practices.csv").write_text("code\n")
            (folder / "summary.json").write_text(f'{{\n "gap": 0.01,\n "seconds": {seconds},\n "status": "x"\n}}\n')
            (folder / "timings.json").write_text(str(seconds))
            runs.write_manifest(
                folder,
                inputs={"practices.csv": "00"},
                seed=7,
                options={
                    "data": tmp_path / "secret" / "north",
                    "out": str(tmp_path),
                    "scenario": "../mine/x.toml",
                    "overrides": ["price_year=2010/11"],
                },
                solver={"gap": 0.01},
            )
        return json.loads((tmp_path / name / "manifest.json").read_text())

    first, second = publish("first", 1.5), publish("second", 99.0)
    assert first == second
    assert set(first["outputs"]) == {"practices.csv", "summary.json"}
    assert first["options"] == {
        "data": "north", "out": tmp_path.name, "overrides": ["price_year=2010/11"], "scenario": "x.toml",
    }  # fmt: skip
    assert first["seed"] == 7 and first["versions"]["python"] and first["versions"]["numpy"]
    (tmp_path / "first" / "summary.json").write_text('{\n "gap": 0.02,\n "seconds": 1.5\n}\n')
    assert runs.digest(tmp_path / "first" / "summary.json") != first["outputs"]["summary.json"]
