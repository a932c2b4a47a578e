"""One case in a process of its own: our engine, then the other programs on the same problem for the same time.

Run as a program it only imports and compiles, which is what `bench.py --only cold-start` times.
"""

from __future__ import annotations

import os
import platform
import resource
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import bench_peers  # noqa: E402
import numpy as np  # noqa: E402
from bench_cases import Case, Instance, Target, problem_of, registry  # noqa: E402
from bench_generate import generate  # noqa: E402

from optimiser.errors import ConsortiaError  # noqa: E402
from optimiser.partition.budget import Progress  # noqa: E402
from optimiser.partition.oversize import set_aside  # noqa: E402
from optimiser.partition.problem import PartitionProblem  # noqa: E402
from optimiser.partition.solve import DEFAULT_BUDGET, Solution, solve  # noqa: E402

OURS = "consortia"
GAPS = (0.02, 0.01, 0.005, 0.003, 0.0025, 0.0018, 0.0015, 0.0012, 0.001, 0.0008, 0.0005)
PACKAGES = ("consortia", "numpy", "scipy", "numba", "highspy", "pulp")
SMALL = 40  # practices to compile on, with as little work as calls every kernel
LITTLE = replace(DEFAULT_BUDGET, moves=1, rounds=2, branches=1, turns=1)
TOLERANCE = 1e-6  # of an objective, for "the known optimum was found"

Record = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """methods: peers, besides ours. seconds, gap: instead of the case's target. last: the case's last target."""

    name: str
    methods: tuple[str, ...] = ()
    seconds: float | None = None
    gap: float | None = None
    last: bool = False
    seed: int = 1

    def target(self, case: Case) -> Target:
        """What to aim at."""
        chosen = case.targets[-1 if self.last else 0]
        return Target(
            chosen.gap if self.gap is None else self.gap, chosen.seconds if self.seconds is None else self.seconds
        )


def measure(request: Request) -> list[Record]:
    """A record for ours and for each peer asked for. Raises Absent where the case's data are not here."""
    case = registry()[request.name]
    target = request.target(case)
    began = time.perf_counter()
    instance = case.make()
    setup = time.perf_counter() - began
    warm_up()
    same = {
        "name": case.name,
        "known": case.known,
        "target": {"gap": target.gap, "seconds": target.seconds},
        "setup_seconds": round(setup, 2),
        "seed": request.seed,
        "machine": machine(),
    }
    ours, solution = run_ours(case, instance, target, request.seed)
    records = [{**same, **ours, "versions": versions()}]
    for method in request.methods if solution is not None else ():
        record = run_peer(method, instance, solution, target.seconds, request.seed)
        records.append({**same, **record, "versions": versions(bench_peers.PEERS[method][0])})
    return records


def warm_up() -> None:
    """Compile every kernel: a tiny problem where bodies touch, and one where they need not."""
    dataset = generate(SMALL)
    for scale, overrides in (("consortium", {}), ("locality", {}), ("locality", {"scale.locality.contiguous": True})):
        solve(problem_of(dataset, scale, overrides).problem, 1, LITTLE)


def run_ours(case: Case, instance: Instance, target: Target, seed: int) -> tuple[Record, Solution | None]:
    """Our record, and the solution that the others are held against; None when there is none."""
    problem = instance.problem
    gap = target.gap if case.known is None else 0.0  # where the optimum is known it is what is looked for
    budget = replace(DEFAULT_BUDGET.thorough(gap), seconds=target.seconds)
    reached: dict[float, float] = {}
    began = time.perf_counter()

    def see(progress: Progress) -> None:
        for gap in GAPS:
            if progress.gap <= gap and np.isfinite(progress.bound):
                reached.setdefault(gap, round(time.perf_counter() - began, 2))

    try:
        found = solve(problem, seed, budget, report=see)
    except ConsortiaError as error:
        return _record(OURS, problem, None, None, time.perf_counter() - began, [error.report()]), None
    seconds = time.perf_counter() - began
    notes = ["stopped by the clock"] if found.cut_by_clock else []
    if case.known is not None:
        over = (found.objective - case.known) / case.known
        notes.append("best known found" if over <= TOLERANCE else f"{over:.2%} above the best known")
    else:
        met = found.objective - found.bound <= target.gap * found.objective
        notes.append(f"the {target.gap:.2%} asked for {'met' if met else 'missed'}")
    record = _record(OURS, problem, found.assignment, found.bound, seconds, notes)
    if found.bound > found.objective * (1 + TOLERANCE):
        record["notes"] = "; ".join(["the bound exceeds the plan", *notes])
        record["valid"] = False
    # what a report claimed on the way and the end did not keep is no milestone
    kept = {f"{gap:.2%}": at for gap, at in reached.items() if record["gap"] <= gap}
    return {**record, "seconds_to_gap": kept}, found


def run_peer(method: str, instance: Instance, ours: Solution, limit: float, seed: int) -> Record:
    """The best plan a peer gives within the time: the one that breaks the fewest rules, then the cheapest."""
    problem = instance.problem
    core, _, restore = set_aside(problem)
    if core is None:
        return _record(method, problem, None, ours.bound, 0.0, ["every unit stands alone"])
    kept = restore.kept
    question = bench_peers.Question(
        core, instance.features[kept], instance.places[kept], instance.districts[kept],
        len(np.unique(ours.assignment[kept])), seed,
    )  # fmt: skip
    best, rank, notes = None, (np.inf, np.inf), []
    began = time.perf_counter()
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        for labels in bench_peers.plans(method, question):
            plan = restore(labels)
            value = (len(problem.violations(plan)), problem.objective(plan))
            if value < rank:
                best, rank = plan, value
            if time.perf_counter() - began > limit:
                break
    except bench_peers.OutOfTime:
        pass
    except Exception as error:  # another program's failure is a result, not ours
        notes.append(f"stopped: {type(error).__name__}: {error}")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return _record(method, problem, best, ours.bound, time.perf_counter() - began, notes)


def _ring(*_: object) -> None:
    raise bench_peers.OutOfTime


def _record(
    method: str,
    problem: PartitionProblem,
    plan: np.ndarray | None,
    bound: float | None,
    seconds: float,
    notes: Sequence[str],
) -> Record:
    """What is said of a plan, everything recomputed from it. bound: ours, for peers too."""
    broken = [] if plan is None else problem.violations(plan)
    objective = None if plan is None else problem.objective(plan)
    finite = objective is not None and bound is not None and np.isfinite(objective)
    said = ["no plan", *notes] if plan is None else [*notes]
    if broken:
        said.append(f"invalid, {len(broken)} broken rules, the first: {broken[0]}")
    return {
        "method": method,
        "objective": objective if finite else None,
        "bound": bound,
        "gap": (objective - bound) / objective if finite else None,
        "excess": (objective - bound) / bound if finite else None,
        "seconds": round(seconds, 2),
        "peak_mb": round(peak_mb()),
        "bodies": None if plan is None else len(np.unique(plan)),
        "valid": plan is not None and not broken,
        "notes": "; ".join(said),
    }


def peak_mb() -> float:
    """The most memory this process has held, in MB. macOS counts bytes, Linux kilobytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def machine() -> dict[str, Any]:
    """What a figure depends on, without the machine's name."""
    return {
        "cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def versions(*more: str) -> dict[str, str]:
    """Installed versions of what a figure depends on."""
    found = {}
    for package in (*PACKAGES, *more):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


if __name__ == "__main__":
    warm_up()
