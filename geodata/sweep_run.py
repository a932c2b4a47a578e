"""A sweep from end to end: the parent, every case that is not done yet, the results over all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from geodata.disclosure import gate_sentences
from geodata.sweep_folder import (
    ASKED,
    CASES,
    PARENT,
    drop_results,
    fingerprint,
    read_case,
    refuse_other,
    structure_of,
    write_case,
)
from geodata.sweep_record import Asked, Record, Sweep
from geodata.write import write_json
from optimiser.clock import never
from optimiser.errors import DisclosureError, LimitReached, OutputError, Problem
from optimiser.nesting import Report, silent
from optimiser.runs import locked, refuse_unwritable
from optimiser.sweep import Case, Outcome, Parent, measured, parent_structure, plan_case
from optimiser.sweep_influence import Influence, influence
from optimiser.workers import in_turn

Told = Callable[[int, int, int], None]  # cases done, of all, and of those done now
Runner = Callable[..., Iterator[tuple[int, Outcome]]]  # as optimiser.workers.in_turn

WITHHELD = "withheld: it names both practices of a confidential relationship"


def untold(done: int, of: int, now: int) -> None:
    """Tell nobody."""


def run_sweep(
    asked: Asked,
    out: Path,
    overwrite: bool = False,
    runner: Runner = in_turn,
    stop: Callable[[], bool] = never,
    report: Report = silent,
    told: Told = untold,
    publish: Callable[[Sweep, Path], None] = lambda found, out: None,
) -> Sweep:
    """Do what is left of a sweep in the folder `out`, then publish over all that is done, finished or not.

    Once `stop` says True, cases at work are dropped and those done are kept. Raises OutputError (another sweep is
    there, another process is at it, the disk refuses), DisclosureError, and, where the parent cannot be, as `build`.
    """
    _refuse_secrets(asked)
    if not out.is_dir():
        refuse_unwritable(out)
    with _said_where(out):
        out.mkdir(parents=True, exist_ok=True)
    with _said_where(out), locked(out.resolve()):
        refuse_other(out, asked.document(), overwrite)
        drop_results(out)
        write_json(out / ASKED, asked.document())
        first = _parent(asked, out / PARENT, stop, report)
        common = Parent(
            asked.dataset, asked.scenario, structure_of(first, asked.dataset, asked.scenario), asked.services
        )
        done = _done(asked, out, first)
        left = {case.number: case for case in asked.cases if case.number not in done}
        told(len(done), len(asked.cases), 0)
        known = len(done)
        for number, outcome in runner(plan_for_worker, common, left, stop=stop):
            folder, mark = _place(out, number), _mark(asked, left[number], first)
            write_case(folder, mark, number, left[number].values, _tellable(asked, outcome), asked.dataset)
            record = read_case(folder, mark, asked.dataset)
            assert record is not None, f"{folder} cannot be read back"
            done[number] = record
            told(len(done), len(asked.cases), len(done) - known)
        found = Sweep(asked, first, tuple(done[n] for n in sorted(done)), _influence(asked, done))
        publish(found, out)
        return found


@contextmanager
def _said_where(out: Path) -> Iterator[None]:
    """A fault of the operating system becomes one that a planner can mend."""
    try:
        yield
    except OSError as fault:
        mend = "What is done is kept: free space or check permissions, then give the same command again."
        raise OutputError(Problem(f"cannot write the sweep: {fault.strerror or fault}", str(out), mend=mend)) from fault


def plan_for_worker(parent: Parent, case: Case) -> Outcome:
    """A case as a worker plans it."""
    return plan_case(case, parent)


def _parent(asked: Asked, folder: Path, stop: Callable[[], bool], report: Report) -> Record:
    """The plan that every case starts from: the one that is there, or a new one."""
    mark = fingerprint(asked.document() | {"cases": 0, "varied": 0})
    record = read_case(folder, mark, asked.dataset)
    if record is not None:
        return record
    structure, cut = parent_structure(asked.dataset, asked.scenario, asked.budget, stop, report)
    if stop():
        raise KeyboardInterrupt
    if cut:
        raise LimitReached("the plan that every case starts from was not finished within its time")
    outcome = measured(Parent(asked.dataset, asked.scenario, structure, asked.services))
    write_case(folder, mark, 0, {}, outcome, asked.dataset)
    record = read_case(folder, mark, asked.dataset)
    assert record is not None, f"{folder} cannot be read back"
    return record


def _done(asked: Asked, out: Path, first: Record) -> dict[int, Record]:
    """The cases whose folders are whole and theirs."""
    found = {}
    for case in asked.cases:
        record = read_case(_place(out, case.number), _mark(asked, case, first), asked.dataset)
        if record is not None:
            found[case.number] = record
    return found


def _place(out: Path, number: int) -> Path:
    return out / CASES / f"{number:04d}"


def _mark(asked: Asked, case: Case, first: Record) -> str:
    """A case's fingerprint: all that decides what it becomes, the parent's structure included."""
    made = case.scenario.document() | {"dataset": None} if case.scenario is not None else case.refused
    rest = asked.document() | {"cases": 0, "varied": 0, "scenario": 0}
    return fingerprint(case.number, dict(case.values), made, rest, first.bodies)


def _influence(asked: Asked, done: Mapping[int, Record]) -> Influence | None:
    """Over the cases with a plan whose anchor scale is the parent's."""
    planned = [r for r in done.values() if r.planned and r.figures["moved_share"] is not None]
    planned.sort(key=lambda r: r.number)
    plans = [record.membership(asked.scenario.anchor_scale) for record in planned]
    return influence([r.values for r in planned], plans, asked.dataset.patients, asked.seed)


def _refuse_secrets(asked: Asked) -> None:
    """Raise DisclosureError where what somebody wrote names both practices of a confidential relationship."""
    scenarios = [asked.scenario, *(case.scenario for case in asked.cases if case.scenario is not None)]
    pins = {pin.reason: n for scenario in scenarios for n, pin in enumerate(scenario.pins, start=1)}
    gate_sentences(
        asked.dataset,
        [("scenario", asked.scenario.title), ("scenario", asked.scenario.question),
         *((f"scenario:pins[{n}].reason", reason) for reason, n in pins.items()),
         *(("warnings", text) for text in asked.dataset.warnings),
         *(("dataset.toml:notes", text) for text in asked.dataset.info.notes)],
    )  # fmt: skip


def _tellable(asked: Asked, outcome: Outcome) -> Outcome:
    """The outcome without a reason that names both practices of a confidential relationship."""
    try:
        gate_sentences(asked.dataset, [("reason", outcome.reason)])
    except DisclosureError:
        return replace(outcome, reason=WITHHELD)
    return outcome
