"""What planners read in the terminal when the work is done: the plan on one screen, a dataset in a few lines."""

from __future__ import annotations

import statistics
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from optimiser.breakaway import verdict
from optimiser.domain import NO_BODY
from optimiser.scenario_checks import called
from optimiser.wording import percent, within

if TYPE_CHECKING:
    from geodata.official.england_dataset import ImportReport
    from geodata.official.official import Inventory
    from geodata.plan_tables import Table as PowerTable
    from optimiser.domain import Dataset
    from optimiser.plan import Plan
    from optimiser.scenario import Scenario
    from optimiser.scorecard import Measure, Scorecard

WORDS = ("kind", "services", "unit", "evidence", "rests on", "left unpaid")  # columns of text, aligned left
MOST_NOTES = 10  # the rest are in the report
MOST_PROVIDERS, LONGEST = 12, 32  # the rest are in a table
OPEN_FIRST = (("map.html", "the map"), ("report.html", "the paper"), ("plan.xlsx", "the tables"))


def show(plan: Plan, out: Path) -> None:
    """The plan on one screen, ending with the files to open first."""
    from optimiser.avoidable import avoidable_shares

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    people = float(plan.dataset.patients.sum())
    console.print()
    console.print(
        f"[bold]{plan.scenario.title}[/bold] · {plan.dataset.info.name}: "
        f"{len(plan.dataset.practices):,} practices, {people:,.0f} patients"
    )
    certificates = plan.certificates.values()
    structure = 1 - sum(c.bound for c in certificates) / sum(c.objective for c in certificates)
    placed = (
        f"; services within {within(plan.placement.certificate.gap)}, given this structure" if plan.placement else ""
    )
    console.print(f"[bold]{plan.claim}.[/bold]", end=" ")
    console.print(f"Proved: structure within {within(structure)} of the best for the costs it is charged{placed}.")

    table = _table("scale", "bodies", "median", "smallest", "largest", "today", "proved within", "of it nesting")
    for level in plan.scenario.scales:
        bodies = plan.structure.bodies[level.name]
        sizes = [b.patients for b in bodies]
        today = [b for b in plan.baseline.bodies.get(level.name, ()) if b.name != NO_BODY] if plan.baseline else []
        table.add_row(
            level.plural, f"{len(bodies)}", f"{statistics.median(sizes):,.0f}", f"{min(sizes):,}", f"{max(sizes):,}",
            f"{len(today)}" if today else "–", within(plan.certificates[level.name].gap),
            percent(plan.nesting(level.name) / (plan.certificates[level.name].objective or 1.0)),
        )  # fmt: skip
    console.print(table)
    console.print()

    shares = avoidable_shares(plan)
    table = _table("force", "£m a year", "£ a head", "kind", "of avoidable cost")
    for force, pounds in sorted(plan.terms.items(), key=lambda x: -abs(x[1])):
        kind = plan.scenario.kind(force).replace("_", " ")
        table.add_row(force, f"{pounds / 1e6:,.2f}", f"{pounds / people:,.2f}", kind, percent(shares[force]))
    table.add_section()
    table.add_row("total", f"{plan.objective / 1e6:,.2f}", f"{plan.objective / people:,.2f}", "£-equivalent", "100 %")
    console.print(table)
    console.print()
    if min(shares.values()) < 0:
        console.print("A negative share: the plan pays less of that force than bodies of the cheapest size would.")

    _show_costs(console, plan)
    if plan.placement is not None:
        table = _table("commissioned by", "services")
        for scale, names in _by_scale(plan):
            table.add_row(scale, f"{len(names)}: {'; '.join(names)}")
        console.print(table)
        console.print()
    _show_wishes(console, plan)
    _show_pins(console, plan)
    _show_sensitivity(console, plan)
    if plan.breakaway:
        console.print(f"Breakaway: {verdict(plan.breakaway, plan.scenario, plan.structure)}", soft_wrap=True)
    for warning in (*plan.warnings, *plan.dataset.warnings)[:MOST_NOTES]:
        console.print(f"Note: {warning}", soft_wrap=True)
    console.print("\nOpen first:")
    for name, what in OPEN_FIRST:
        console.print(f"  {out / name}  ({what})", soft_wrap=True)
    console.print(f"Check it independently: python scripts/verify_plan.py {out}", soft_wrap=True)


def show_time(seconds: Mapping[str, float], writing: float, limit: float | None) -> None:
    """How the time was spent, stage by stage, on stderr. writing: of the run. limit: seconds asked for."""
    spent = ", ".join(f"{stage} {s:.0f} s" for stage, s in seconds.items() if s >= 0.5)
    allowed = "" if limit is None else f" of the {limit:g} s allowed"
    print(f"Time: {sum(seconds.values()):.0f} s{allowed} ({spent}), then {writing:.0f} s to write.", file=sys.stderr)


def _show_costs(console: Console, plan: Plan) -> None:
    """Cash a head against every allowance, and what each would leave unpaid."""
    from geodata.cost_tables import function_name
    from optimiser.plan_costs import PlanCosts

    costs = PlanCosts(plan)
    if not costs.people:
        return
    need = plan.cash / costs.people
    console.print(f"Cash: [bold]£{need:,.2f} a head[/bold]. Teams and their cost are assumed; cash alone is compared.")
    table = _table("allowance", "£ a head", "short by", "lines paid", "left unpaid")
    for row in costs.allowances:
        lines = f"{len(row.deliverable)} of {len(row.deliverable) + len(row.undeliverable)}"
        unpaid = "; ".join(function_name(plan, f) for f in row.undeliverable) or "nothing"
        short = f"{row.gap:,.2f}" if row.gap > 0 else f"over by {-row.gap:,.2f}"
        table.add_row(row.name, f"{row.per_head:,.2f}", short, lines, unpaid)
    console.print(table)
    console.print()


def _by_scale(plan: Plan) -> list[tuple[str, list[str]]]:
    """Who commissions → services, each under the scale that commissions it for most bodies, in catalogue order."""
    assert plan.placement is not None
    most: dict[str, Counter[str]] = {}
    for row in plan.placement.commissions:
        most.setdefault(row.service, Counter())[row.scale] += 1
    names = {s.id: s.name for s in plan.dataset.services}
    found: dict[str, list[str]] = {}
    for service, counts in most.items():
        found.setdefault(counts.most_common(1)[0][0], []).append(names[service])
    labels = {s.name: s.plural for s in plan.scenario.scales}
    order = ["practice", *plan.structure.scales, "footprint", "authority", "region", "condition_group"]
    labels |= {
        "practice": "practices",
        "footprint": "footprints",
        "authority": "councils",
        "condition_group": "charities",
    }
    return [(labels.get(s, s), found[s]) for s in order if s in found]


def _show_wishes(console: Console, plan: Plan) -> None:
    """How many wishes are kept, and the dearest of the others."""
    heard = [answer for answer in plan.wishes if answer.consortia]
    if not heard:
        return
    firm = [answer for answer in heard if answer.wish.firm]
    said = f"Wishes: {sum(all(a.kept) for a in heard)} of {len(heard)} kept"
    said += f", {sum(all(a.kept) for a in firm)} of {len(firm)} firm ones." if firm else "."
    unkept = [answer for answer in heard if not all(answer.kept) and answer.price is not None]
    if unkept:
        dearest = max(unkept, key=lambda answer: answer.price or 0.0)
        names = {s.id: s.name for s in plan.dataset.services}
        said += (
            f" To grant the dearest ({dearest.name}: {names[dearest.wish.service]} at {dearest.wish.scale}) would cost "
            f"at most £{dearest.price:,.0f} a year."
        )
    console.print(said, soft_wrap=True)
    console.print()


def _show_pins(console: Console, plan: Plan) -> None:
    """What keeping each decision taken beforehand costs."""
    if not plan.pin_costs:
        return
    from optimiser.pins import name_of

    table = _table("decided beforehand", "costs £ a year", "at least", "at most")
    for kept in plan.pin_costs:
        what = "all pins together"
        if kept.pin:
            pin = plan.scenario.pins[kept.pin - 1]
            what = called(pin.model_copy(update={"name": name_of(plan.dataset, pin)}), most=3)
        table.add_row(what, f"{kept.cost:,.0f}", f"{kept.least:,.0f}", f"{kept.most:,.0f}")
    console.print(table)
    console.print("Each is the plan less the best found without it: an estimate between what the bounds allow.")
    console.print()


def _show_sensitivity(console: Console, plan: Plan) -> None:
    if not plan.sensitivity:
        return
    names = [s.plural for s in plan.scenario.scales]
    table = _table("if this rate moves", "by", *names, "patients who change body")
    for row in plan.sensitivity:
        counts = [f"{row.bodies[s.name]}" for s in plan.scenario.scales]
        moved = percent(row.patients_moved_share) if row.patients_moved_share else "plan kept"
        table.add_row(row.rate, f"{100 * row.change:+.0f} %", *counts, moved)
    console.print(table)
    console.print()


def show_dataset(dataset: Dataset) -> None:
    """A valid dataset in a few lines."""
    console = Console(highlight=False)
    info = dataset.info
    console.print(f"[bold]{info.name}[/bold] is valid.")
    console.print(
        f"{len(dataset.practices):,} practices, {int(dataset.patients.sum()):,} patients, "
        f"{len(dataset.providers):,} providers, {len(dataset.authorities):,} authorities, {len(dataset.flows):,} flows."
    )
    console.print(f"Prices {info.price_year}, lists {info.list_year}, geography {info.geography_year}.")
    for warning in dataset.warnings:
        console.print(f"Note: {warning}")


def show_evaluation(made: Scorecard, today: Scorecard | None, broken: tuple[str, ...], scenario: Scenario) -> None:
    """The scorecard of a hand-made map beside today's, then the rules it breaks."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    table = _table("measure", "this map", *(["today"] if today else []), "unit", "evidence")
    for name, measure in made.region.items():
        other = [_value(today.region.get(name))] if today else []
        table.add_row(measure.label, _value(measure), *other, measure.unit, measure.evidence)
    console.print(f"Measured by the rates and rules of [bold]{scenario.name}[/bold].")
    console.print(table)
    console.print()
    count = "1 rule is broken" if len(broken) == 1 else f"{len(broken)} rules are broken"
    console.print(f"{count}:" if broken else "Every rule is kept.")
    for rule in broken:
        console.print(f"  {rule}", soft_wrap=True)


def show_power(power: PowerTable, out: Path) -> None:
    """The providers that are paid most, by whom, and what weight stands behind it."""
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    rows = power.records()
    views = [view for view in ("today", "alone") if any(isinstance(row[f"{view}_purchasers"], int) for row in rows)]
    columns = [f"{what}{' today' if view == 'today' else ''}" for what in ("buyers", "HHI", "weight") for view in views]
    table = _table("provider", "£m a year", *columns, "rests on")
    for row in rows[:MOST_PROVIDERS]:
        paid = f"{row['spend'] / 1e6:,.1f}" if isinstance(row["spend"], float) else str(row["spend"])
        figures = [_figure(row[f"{view}_{what}"]) for what in ("purchasers", "hhi", "weight") for view in views]
        table.add_row(str(row["provider_name"])[:LONGEST], paid, *figures, str(row["label"]))
    console.print(table)
    console.print()
    if len(rows) > MOST_PROVIDERS:
        console.print(f"… and {len(rows) - MOST_PROVIDERS} more: see provider_power.csv.")
    console.print(
        "Weight: the share of the provider's income behind the average pound; – where flows are too weak to say."
    )
    console.print(f"Open first: {out / 'provider_graph.svg'}", soft_wrap=True)


def _figure(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "–" if value is None else str(value)


def show_stock(stock: Inventory) -> None:
    """What each file is, what was not recognised, and which questions have no answer."""
    console = Console(highlight=False)
    for file in stock.files:
        if file.key:
            rows = f", {file.rows:,} rows" if file.rows else ""
            of = f", of {file.vintage}" if file.vintage else ""
            console.print(f"{escape(file.name)}: [bold]{escape(file.format)}[/bold]{of}{rows}", soft_wrap=True)
    for file in stock.files:
        if not file.key:
            console.print(f"Not read: {file.name}: {'; '.join(file.said)}", soft_wrap=True, markup=False)
    for kind in stock.missing:
        console.print(f"Missing: {kind.title}: {kind.answers}", soft_wrap=True, markup=False)


def show_import(report: ImportReport, out: Path) -> None:
    """What an import made, what it left out, and what its flows rest on."""
    console = Console(highlight=False)
    console.print(
        f"{report.practices:,} practices, {report.patients:,} patients, {report.providers:,} providers, "
        f"{report.areas:,} areas written to {out} in {report.seconds:.0f} s."
    )
    for code, name, _, reason in report.excluded[:10]:
        console.print(f"Left out: {code} {name}: {reason}", soft_wrap=True, markup=False)
    if len(report.excluded) > 10:
        console.print(f"… and {len(report.excluded) - 10} more: see excluded.csv.")
    flows = ", ".join(f"{count:,} {label}" for label, count in report.flows.items())
    console.print(f"Flows: {flows or 'none'}.")
    if report.r_squared is not None:
        console.print(f"Distance-decay model: R² {report.r_squared:.2f} before it was raked to the published totals.")
    for note in report.notes:
        console.print(f"Note: {note}", soft_wrap=True, markup=False)
    console.print(f"Check it: consortia validate {out}\nPlan it:  consortia plan base --data {out}", soft_wrap=True)


def _value(measure: Measure | None) -> str:
    if measure is None or measure.value is None:
        return "–"
    return f"{measure.value:,.0f}" if abs(measure.value) >= 1000 else f"{measure.value:,.3g}"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for k, name in enumerate(columns):
        table.add_column(name, justify="left" if k == 0 or name in WORDS else "right")
    return table
