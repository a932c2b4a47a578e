"""`consortia …`: the roof. Heavy imports stay inside the commands, so that help and errors are instant."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from optimiser.errors import (
    ConsortiaError,
    DataError,
    Infeasible,
    LimitReached,
    OutputError,
    Problem,
    ScenarioError,
    raise_all,
)
from optimiser.wording import within

if TYPE_CHECKING:
    from geodata.ground import Ground
    from optimiser.option_groups import Group
    from optimiser.plan import Plan
    from optimiser.scenario import Scenario

INTERRUPTED = 130
MOST_SECONDS_TO_EXPLAIN = 120.0  # why no plan exists; what is proved by then is said

app = typer.Typer(
    help="Who should group with whom at which scale, and who should commission what: planned, proved, priced, mapped.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode=None,
)
imports = typer.Typer(help="Turn published files into a dataset.", no_args_is_help=True)
app.add_typer(imports, name="import")

ScenarioName = Annotated[str, typer.Argument(metavar="SCENARIO", help="A bundled scenario's name, or a TOML file.")]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Dataset folder; the scenario's own when left out.")
]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a key: rates.engagement.value=144.")
]


def _version(wanted: bool) -> None:
    if wanted:
        from optimiser.runs import versions

        print("consortia", versions().get("consortia", "(not installed)"))
        raise typer.Exit


def _fraction(text: str) -> float:
    """A gap as people write it: 0.5% or 0.005."""
    number, percent, rest = text.strip().partition("%")
    try:
        value = float(number) / (100 if percent else 1)
    except ValueError:
        value = -1.0
    if rest or not 0 <= value < 1:
        raise typer.BadParameter(f"{text!r} is no gap: write a percentage (0.5%) or a fraction (0.005) below 1.")
    return value


@app.callback()
def consortia(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Options of every command."""


@app.command()
def plan(
    scenario: ScenarioName,
    data: Data = None,
    out: Annotated[Path | None, typer.Option(metavar="RUN", help="Run folder to write.")] = None,
    gap: Annotated[
        float | None,
        typer.Option(
            metavar="G",
            parser=_fraction,
            help="Stop when structure and services together are proved this close: 0.5% or 0.005.",
        ),
    ] = None,
    time_limit: Annotated[
        float | None, typer.Option(metavar="S", min=1.0, help="Seconds at most, writing the run apart.")
    ] = None,
    threads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads for pricing.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Seed; the scenario's when left out.")] = None,
    overrides: Set = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in RUN.")] = False,
) -> None:
    """Plan a region: structure at every scale, services placed, costs, map and proof, in one run folder.

    Ctrl-C keeps the best plan found so far, marked unfinished; a second one drops it.
    """
    from optimiser.clock import Clock
    from optimiser.runs import refuse_unwritable

    clock = Clock()
    chosen = _scenario(scenario, overrides)
    target = out if out is not None else Path("runs") / chosen.name
    refuse_unwritable(target, overwrite)
    ground = _ground(data, chosen)

    from geodata.publish import publish
    from optimiser import live, terminal
    from optimiser.plan import make_plan

    if threads is not None:
        import numba

        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    if seed is not None:
        chosen = chosen.model_copy(update={"seed": seed})
    reading = clock.elapsed()
    left = None if time_limit is None else max(0.0, time_limit - reading)
    options = {
        "scenario": scenario, "gap": gap, "time_limit": time_limit, "threads": threads, "overrides": overrides or []
    }  # fmt: skip
    with _stoppable() as asked:
        try:
            with live.progress(asked) as report:
                made = make_plan(ground.dataset, chosen, chosen.seed, left, report=report, gap=gap, stop=asked)
        except (Infeasible, LimitReached) as fault:
            if isinstance(fault, LimitReached) and asked():
                raise KeyboardInterrupt from None  # stopped before there was a plan to keep
            raise _explained(fault, ground, chosen, target, options, asked) from None
        writing = Clock()
        publish(made, ground, target, options, overwrite)
    terminal.show(made, target)
    terminal.show_time({"reading": reading, **made.seconds}, writing.elapsed(), time_limit)
    if made.interrupted:
        raise SystemExit(INTERRUPTED)
    if gap is not None and made.gap > gap:
        raise LimitReached(_short_of(gap, made))


@contextmanager
def _stoppable() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed (or SIGTERM sent) once, which asks the work to end well. The second ends it at once.
    What the shell has the program ignore, as in a job in the background, is ignored still."""
    asked = threading.Event()

    def hear(number: int, frame: object) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    heard = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, hear) for number in heard}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _short_of(gap: float, made: Plan) -> Problem:
    """Which parts stand between a plan and the gap asked for."""
    known = {scale.name: scale.plural for scale in made.scenario.scales} | {"placement": "services"}
    parts = ", ".join(f"{known[name]} {within(proof.gap)}" for name, proof in made.proofs.items())
    return Problem(
        f"the gap asked for, {100 * gap:.3f} %, was not reached: the plan, which is written, is proved within "
        f"{within(made.gap, 3)}",
        "--gap",
        f"By part: {parts}.",
        "Allow more time, or a wider gap." if made.cut else "All the work was done: allow a wider gap.",
    )


def _explained(
    fault: Infeasible | LimitReached,
    ground: Ground,
    scenario: Scenario,
    target: Path,
    options: Mapping[str, object],
    stop: Callable[[], bool],
) -> ConsortiaError:
    """The fault with the rows and practices that conflict, drawn beside the run; as it is where none is proved to."""
    from geodata.publish import publish_why_not
    from optimiser.clock import Clock
    from optimiser.conflicts import explain
    from optimiser.why_not import refusal

    conflicts = explain(ground.dataset, scenario, Clock(MOST_SECONDS_TO_EXPLAIN, stop).over)
    if not conflicts:
        return fault
    said: list[Problem | str] = [
        *(fault.problems if isinstance(fault, Infeasible) else ()),
        *refusal(ground.dataset, scenario, conflicts).problems,
    ]
    try:
        said.append(f"Drawn in {publish_why_not(ground, scenario, conflicts, target, options)}")
    except OutputError as trouble:
        said.append(f"Not drawn: {trouble}")
    return Infeasible(*said)


@app.command()
def validate(data: Annotated[Path, typer.Argument(metavar="DATA", help="Dataset folder.")]) -> None:
    """Check a dataset folder: every fault of every file in one report."""
    from geodata.read import read_dataset
    from optimiser import terminal

    terminal.show_dataset(read_dataset(data).dataset)


@app.command()
def evaluate(
    membership: Annotated[Path, typer.Argument(metavar="MEMBERSHIP.csv", help="practice, then a column per scale.")],
    scenario: Annotated[str, typer.Option(help="Rates and rules to measure it by.")] = "base",
    data: Data = None,
    overrides: Set = None,
) -> None:
    """Measure a hand-made map with the plan's own scorecard, and say which rules it breaks."""
    from geodata.membership import read_membership
    from optimiser import terminal
    from optimiser.given import broken_rules, existing_structure
    from optimiser.pins import check_pins
    from optimiser.scorecard import score

    chosen = _scenario(scenario, overrides)
    dataset = _ground(data, chosen).dataset
    check_pins(dataset, chosen)
    structure = read_membership(membership, dataset, chosen)
    today = existing_structure(dataset, chosen.model_copy(update={"scales_used": structure.scales}))
    terminal.show_evaluation(
        score(dataset, chosen, structure),
        score(dataset, chosen, today) if today is not None else None,
        broken_rules(dataset, chosen, structure),
        chosen,
    )


@app.command()
def graph(
    membership: Annotated[
        Path | None,
        typer.Argument(metavar="[MEMBERSHIP.csv]", help="practice, then a column per scale; today's when left out."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")] = Path("provider_graph"),
    scenario: Annotated[str, typer.Option(help="Scales, bands and materiality to draw it by.")] = "base",
    data: Data = None,
    overrides: Set = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the graph in DIR.")] = False,
) -> None:
    """Who pays whom: the provider graph of today's bodies, or of a map drawn by hand."""
    from geodata.arrangement import DRAWN, TODAY, Arrangement
    from geodata.membership import read_membership
    from geodata.provider_tables import provider_power
    from geodata.publish import publish_graph
    from optimiser import terminal
    from optimiser.given import existing_structure
    from optimiser.runs import refuse_unwritable

    refuse_unwritable(out, overwrite)
    chosen = _scenario(scenario, overrides)
    dataset = _ground(data, chosen).dataset
    today = existing_structure(dataset, chosen)
    drawn = read_membership(membership, dataset, chosen) if membership is not None else today
    problems = []
    if not len(dataset.flows):
        problems.append(Problem("has no flows", "flows.csv", "A provider graph is made of flows.", "Add flows.csv."))
    if drawn is None:
        rule = "Columns existing_<scale> of practices.csv name today's bodies."
        problems.append(Problem("no body of today is named", "practices.csv", rule, "Add one, or give MEMBERSHIP.csv."))
    raise_all(DataError, problems)
    assert drawn is not None
    if membership is None:
        arrangement = Arrangement(dataset, chosen, drawn, map=TODAY)
    else:
        arrangement = Arrangement(dataset, chosen, drawn, today, map=DRAWN)
    publish_graph(arrangement, out, {"scenario": scenario, "map": membership, "overrides": overrides or []}, overwrite)
    terminal.show_power(provider_power(arrangement), out)


@app.command()
def options(
    scenario: ScenarioName,
    data: Data = None,
    consortia: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B,…", help="Only these, by code or name: kept as they are, or merged into one."),
    ] = None,
    membership: Annotated[
        Path | None,
        typer.Option(metavar="MEMBERSHIP.csv", help="A map that draws them; today's bodies when left out."),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Seed; the scenario's when left out.")] = None,
    overrides: Set = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the comparison in DIR.")] = False,
) -> None:
    """Standalone, pooled, merged and mixed side by side, each planned anew: for a region, or for a set of consortia.

    Ctrl-C ends the work, and nothing is written.
    """
    from optimiser.runs import refuse_unwritable

    chosen = _scenario(scenario, overrides)
    target = out if out is not None else Path("runs") / f"{chosen.name}-options"
    refuse_unwritable(target, overwrite)
    dataset = _ground(data, chosen).dataset

    from geodata.membership import read_membership
    from geodata.publish import publish_options
    from optimiser import live, terminal_options
    from optimiser.given import existing_structure
    from optimiser.option_groups import groups_named
    from optimiser.options import compare_options

    groups: tuple[Group, ...] = ()
    if consortia or membership:
        drawn = read_membership(membership, dataset, chosen) if membership else existing_structure(dataset, chosen)
        groups = groups_named(drawn, chosen, consortia or [])
    seed = chosen.seed if seed is None else seed
    with live.progress(hint="Ctrl-C ends the work; nothing is written") as report:
        found = compare_options(dataset, chosen, seed, groups, report=report)
    asked = {"scenario": scenario, "consortia": [g.code for g in groups], "membership": membership, "seed": seed,
             "overrides": overrides or []}  # fmt: skip
    publish_options(found, target, asked, overwrite)
    terminal_options.show_options(found, target)


@app.command()
def compare(
    plans: Annotated[
        list[str], typer.Argument(metavar="A B …", help="Run folders, membership CSVs, or the word today; A first.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")] = Path("comparison"),
    scenario: Annotated[str, typer.Option(help="Rates and rules that all are measured by.")] = "base",
    data: Data = None,
    scale: Annotated[
        str, typer.Option(metavar="SCALE", help="The scale to draw and speak of; the commissioning one when left out.")
    ] = "",
    overrides: Set = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the comparison in DIR.")] = False,
) -> None:
    """Plans side by side, measured alike: who moves, what it gains, what it costs, what is settled and what is open."""
    from optimiser.runs import refuse_unwritable

    if len(plans) < 2:
        raise ScenarioError(
            Problem("only one plan is given", "compare", "It takes two to compare.", "Add another run, map, or today.")
        )
    refuse_unwritable(out, overwrite)
    chosen = _scenario(scenario, overrides)

    from geodata.laid_plans import lay, runs_on_the_demo
    from geodata.publish import publish_comparison
    from optimiser import terminal_compare
    from optimiser.compare import compare as side_by_side
    from optimiser.pins import check_pins

    if data is None and chosen.dataset is None and runs_on_the_demo(plans):
        chosen = chosen.model_copy(update={"dataset": "demo"})
    ground = _ground(data, chosen)
    check_pins(ground.dataset, chosen)
    laid = lay(plans, ground.dataset, chosen)
    found = side_by_side(ground.dataset, chosen, laid.laid, scale)
    asked = {"plans": [plan.name for plan in laid.laid], "scenario": scenario, "scale": scale,
             "overrides": overrides or []}  # fmt: skip
    publish_comparison(found, ground, out, asked, laid, overwrite)
    terminal_compare.show_comparison(found, laid.notes, out)


@app.command()
def sweep(
    scenario: ScenarioName,
    data: Data = None,
    vary: Annotated[
        list[str] | None, typer.Option(metavar="KEY=A,B,…", help="A key and its values; several keys: their grid.")
    ] = None,
    ranges: Annotated[
        list[str] | None,
        typer.Option("--range", metavar="KEY=LOW..HIGH", help="A key and its range, sampled --cases times."),
    ] = None,
    cases: Annotated[int, typer.Option(metavar="N", min=0, help="Points of a Latin hypercube over the ranges.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write, or to go on with.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="Seed; the scenario's when left out.")] = None,
    services: Annotated[bool, typer.Option("--services", help="Place services in every case too: slower.")] = False,
    jobs: Annotated[int | None, typer.Option(metavar="N", min=1, help="Processes; as many as processors.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster: tcp://…:8786.")
    ] = None,
    overrides: Set = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin again where DIR holds a sweep.")] = False,
) -> None:
    """Plan a scenario again and again with keys varied, and say which of them moves the plan.

    Ctrl-C keeps the cases that are done; the same command again does the rest.
    """
    from functools import partial

    from optimiser.scenario import load_scenario, parse_override
    from optimiser.sweep_points import parse_range, parse_vary, points

    given = dict(parse_override(text) for text in overrides or []) | ({} if seed is None else {"seed": seed})
    chosen = load_scenario(scenario, given)
    varied, sampled = [parse_vary(text) for text in vary or []], [parse_range(text) for text in ranges or []]
    wanted = points(varied, sampled, cases, chosen.seed)
    target = out if out is not None else Path("runs") / f"{chosen.name}-sweep"

    from geodata.sweep_publish import publish_sweep
    from geodata.sweep_record import Asked
    from geodata.sweep_run import run_sweep
    from optimiser import live_cases, terminal_sweep
    from optimiser.sweep import cases as cases_of
    from optimiser.workers import on_cluster, on_processes, processors

    made = cases_of(lambda values: load_scenario(scenario, given | dict(values)), wanted)
    spread: dict[str, object] = {axis.key: list(axis.values) for axis in varied}
    spread |= {axis.key: axis.text for axis in sampled}
    asked = Asked(_ground(data, chosen).dataset, chosen, made, spread, chosen.seed, services)
    if scheduler is not None:
        runner = partial(on_cluster, address=scheduler)
    else:
        runner = partial(on_processes, jobs=jobs or processors())
    options = {
        "scenario": scenario, "vary": vary or [], "range": ranges or [], "cases": cases, "services": services,
        "overrides": overrides or [],
    }  # fmt: skip
    publish = partial(publish_sweep, options=options)
    with _stoppable() as stop, live_cases.watching(stop) as watch:
        found = run_sweep(asked, target, overwrite, runner, stop, watch.parent, watch.cases, publish)
    terminal_sweep.show_sweep(found, target)
    if not found.finished:
        raise SystemExit(INTERRUPTED)


@app.command()
def explain(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder, or a map drawn by hand (MEMBERSHIP.csv).")],
    practice: Annotated[str, typer.Argument(metavar="PRACTICE", help="Code or name.")],
    data: Data = None,
    scenario: Annotated[str, typer.Option(help="Rates and rules for a map drawn by hand; a run has its own.")] = "base",
    overrides: Set = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write a page and tables to.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the explanation in DIR.")] = False,
) -> None:
    """Why a practice is in its bodies: what each alternative would cost, what forbids it, what would have to change."""
    from geodata.explain_run import read_run
    from geodata.explained import Explained
    from geodata.membership import read_membership
    from geodata.publish import publish_explanation
    from optimiser.explain import explain as explained
    from optimiser.explain import find_practice
    from optimiser.pins import check_pins
    from optimiser.runs import refuse_unwritable
    from optimiser.terminal_explain import show_explanation

    if out is not None:
        refuse_unwritable(out, overwrite)
    if run.is_file():
        chosen = _scenario(scenario, overrides)
        ground = _ground(data, chosen)
        check_pins(ground.dataset, chosen)
        structure = read_membership(run, ground.dataset, chosen)
        chosen = chosen.model_copy(update={"scales_used": structure.scales})
        cut, services = tuple[str, ...](), None
    else:
        finished = read_run(run)
        chosen, cut, services = finished.scenario, finished.cut_short, finished.services()
        ground = _ground(data, chosen)
        structure = finished.structure(ground.dataset)
    found = explained(ground.dataset, chosen, structure, find_practice(ground.dataset, practice))
    made = Explained(ground.dataset, chosen, structure, found, run.name, cut, services)
    if out is not None:
        asked = {"run": run, "practice": practice, "scenario": scenario, "overrides": overrides or []}
        publish_explanation(made, ground, out, asked, overwrite)
    show_explanation(made, out)


@imports.command("england-open")
def england_open(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of prepared open files of England.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Dataset folder to write.")],
    icb: Annotated[list[str] | None, typer.Option(metavar="CODE", help="Only these ICBs.")] = None,
    region: Annotated[str, typer.Option(metavar="CODE", help="Only this NHS region.")] = "",
    existing: Annotated[
        list[str] | None, typer.Option(metavar="SCALE=COLUMN", help="Today's bodies at a scale: consortium=ccg_code.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the dataset in DIR.")] = False,
) -> None:
    """Real English practices, authorities and providers, with flows estimated and labelled."""
    from geodata.official.england_open import import_england_open
    from optimiser import terminal

    pairs = dict(_pair(text) for text in existing or [])
    terminal.show_import(import_england_open(source, out, icb or (), region, pairs, overwrite), out)


@imports.command("official")
def official(
    source: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of downloaded files.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Dataset folder to write.")],
    icb: Annotated[list[str] | None, typer.Option(metavar="CODE", help="Only these ICBs.")] = None,
    region: Annotated[str, typer.Option(metavar="CODE", help="Only this NHS region.")] = "",
    existing: Annotated[
        list[str] | None, typer.Option(metavar="SCALE=COLUMN", help="Today's bodies at a scale: locality=pcn_code.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the dataset in DIR.")] = False,
) -> None:
    """Files as they were downloaded, recognised by what they hold, whatever month or year they are of."""
    from geodata.data_page import write_data_report
    from geodata.official.data_report import data_report
    from geodata.official.england_dataset import Clip, ImportReport
    from geodata.official.official import Inventory, import_official
    from geodata.official.register import Register
    from optimiser import live, terminal

    def draw(folder: Path, name: str, stock: Inventory, found: Register, made: ImportReport) -> None:
        write_data_report(data_report(stock, found, made), name, folder)

    clip = Clip(icb or (), region, dict(_pair(text) for text in existing or []))
    with live.lines() as told:
        made, stock = import_official(source, out, clip, overwrite, told, draw)
    terminal.show_stock(stock)
    terminal.show_import(made, out)


def _pair(text: str) -> tuple[str, str]:
    scale, equals, column = text.partition("=")
    if not equals or not scale or not column:
        raise ScenarioError(Problem(f"{text!r} names no column", "--existing", "It reads SCALE=COLUMN."))
    return scale, column


def _scenario(name: str, overrides: list[str] | None) -> Scenario:
    from optimiser.scenario import load_scenario, parse_override

    return load_scenario(name, dict(parse_override(text) for text in overrides or []))


def _ground(data: Path | None, scenario: Scenario) -> Ground:
    """The dataset asked for, or the bundled one that the scenario names."""
    from geodata.read import read_dataset

    if data is not None:
        return read_dataset(data)
    if scenario.dataset == "demo":
        from geodata.demo import region

        return read_dataset(region())
    if scenario.dataset is not None:
        return read_dataset(Path(scenario.dataset))
    raise ScenarioError(
        Problem(
            f"scenario {scenario.name} names no dataset", "--data", mend="Give --data DIR, or plan the scenario demo."
        )
    )


def _interrupted(error: BaseException) -> bool:
    """Ctrl-C inside a compiled loop comes out as a SystemError that KeyboardInterrupt caused."""
    cause = error.__cause__ or error.__context__
    return isinstance(error, KeyboardInterrupt) or (cause is not None and _interrupted(cause))


def _end_at_once() -> NoReturn:
    print("Interrupted: nothing was written.", file=sys.stderr, flush=True)
    if threading.active_count() > 1:
        os._exit(INTERRUPTED)  # HiGHS may still compute: to end the interpreter under it aborts the process
    raise SystemExit(INTERRUPTED)


def main(arguments: list[str] | None = None) -> None:
    """Console entry point; exit codes as in docs/exit-codes.md. arguments: the command line's own when None."""
    try:
        code = app(arguments, standalone_mode=False)  # typer answers Ctrl-C with 130
    except ConsortiaError as error:
        print(error.report(), file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    except (KeyboardInterrupt, typer.Abort):
        _end_at_once()
    except Exception as error:
        if _interrupted(error):
            _end_at_once()
        elif hasattr(error, "show"):  # typer's own errors of usage show themselves
            error.show()
            raise SystemExit(ScenarioError.exit_code) from None
        else:
            raise
    if code == INTERRUPTED:
        _end_at_once()
    raise SystemExit(code or 0)


if __name__ == "__main__":
    main()
