#!/usr/bin/env python3
"""Benchmarks: our engine and other programs on the same partition problems.

    python scripts/bench.py --only generated-800
    python scripts/bench.py --only england-consortium --long --json england.json
    python scripts/bench.py --table england.json

docs/benchmarks.md says what each case is and how to read the table.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from difflib import get_close_matches
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import bench_peers
import bench_run
import bench_tables
from bench_cases import Absent, registry
from bench_run import OURS, Record, Request

START = "cold-start"
FAILED, MISUSED, NO_DATA = 1, 2, 3


def main() -> int:
    options = arguments().parse_args()
    if options.table:
        show([record for path in options.table for record in json.loads(path.read_text("utf-8"))], options.scaling)
        return 0
    cases = registry()
    if options.list:
        print("\n".join(f"{name:30} {what}" for name, what in described().items()))
        return 0
    names = options.only or [name for name in (START, *cases) if not options.scaling or name.startswith("generated-")]
    if wrong := [name for name in names if name not in described()]:
        return refuse(wrong)
    records, absent, failed = [], [], []
    for name in names:
        try:
            records += cold_start() if name == START else measured(request(name, options))
        except Absent as why:
            absent.append(name)
            say(f"{name}: skipped, {why}")
        except BrokenProcessPool:
            failed.append(name)
            say(f"{name}: its process ended before it answered (out of memory?)")
        if options.json:
            options.json.write_text(json.dumps(records, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    if not options.json and records:
        show(records, options.scaling)
    return FAILED if failed else NO_DATA if absent and not records else 0


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    methods = (OURS, *bench_peers.PEERS)
    parser = argparse.ArgumentParser(description="Measure the partition engine, and other programs beside it.")
    parser.add_argument("--only", metavar="NAME", action="append", help="this case (may be given again); default: all")
    parser.add_argument(
        "--method", action="append", choices=methods,
        help="this program (may be given again); ours always runs, since the others are held against its bound",
    )  # fmt: skip
    parser.add_argument("--seconds", type=positive, metavar="S", help="time for each program, instead of the target's")
    parser.add_argument("--gap", type=float, metavar="G", help="stop at this gap (0.001 = 0.1 %%)")
    parser.add_argument("--long", action="store_true", help="aim at the case's last target, not its first")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of every program (default 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the records there instead of a table")
    parser.add_argument("--scaling", action="store_true", help="how the time to a gap grows over the generated cases")
    parser.add_argument("--table", type=Path, nargs="+", metavar="FILE", help="only print the table of these records")
    parser.add_argument("--list", action="store_true", help="only list the cases")
    return parser


def positive(text: str) -> float:
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def described() -> dict[str, str]:
    """Every name of --only and what it is."""
    return {START: "import and compile, the first time and again"} | {c.name: c.what for c in registry().values()}


def refuse(wrong: Sequence[str]) -> int:
    for name in wrong:
        near = get_close_matches(name, described(), 1)
        say(f"--only {name}: no such case. " + (f"Did you mean {near[0]}?" if near else "--list names them."))
    return MISUSED


def request(name: str, options: argparse.Namespace) -> Request:
    """What to run on a case; programs that are not installed are left out, and said to be."""
    asked = options.method or (bench_peers.PEERS if registry()[name].peers else ())
    wanted = [method for method in asked if method != OURS]
    for method in wanted:
        if why := bench_peers.missing(method):
            say(f"{name}: {method} skipped, {why}")
    ready = tuple(method for method in wanted if not bench_peers.missing(method))
    return Request(name, ready, options.seconds, options.gap, options.long, options.seed)


def measured(asked: Request) -> Iterator[Record]:
    """The records of one case, from a process of its own, so that the peak memory is the case's."""
    say(f"{asked.name}: {', '.join((OURS, *asked.methods))}")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as own:
        for record in own.submit(bench_run.measure, asked).result():
            gap = "no proof" if record["gap"] is None else f"{record['gap']:.3%}"
            say(f"{asked.name}: {record['method']} {gap} after {record['seconds']:.1f} s. {record['notes']}")
            yield record


def cold_start() -> Iterator[Record]:
    """Wall clock of a fresh process that imports and compiles everything, with an empty cache and then a full one."""
    with tempfile.TemporaryDirectory() as cache:
        for name, notes in ((START, "nothing compiled yet"), ("warm-start", "compiled before")):
            began = time.perf_counter()
            environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
            subprocess.run([sys.executable, bench_run.__file__], env=environment, check=True)
            seconds = round(time.perf_counter() - began, 2)
            say(f"{name}: {seconds:.1f} s")
            nothing = dict.fromkeys(("objective", "bound", "gap", "excess", "peak_mb", "bodies"))
            yield {
                "name": name, "method": OURS, **nothing, "seconds": seconds, "valid": True, "notes": notes,
                "versions": bench_run.versions(), "machine": bench_run.machine(),
            }  # fmt: skip


def show(records: Sequence[Record], growth: bool) -> None:
    print(bench_tables.table(records))
    if growth:
        print(f"\n{bench_tables.scaling(records)}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
