"""Plans side by side in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from optimiser.compare import Compared


def show_comparison(found: Compared, notes: Sequence[str], out: Path) -> None:
    """Who moves, what it gains and costs, every measure, what is settled, and the file to open first."""
    from geodata.compare_between import between_first
    from geodata.compare_words import family, gains_and_costs, settled_said, who_moves
    from geodata.maps.words import bare

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)

    def say(text: str) -> None:
        console.print(text, soft_wrap=True, markup=False)

    say(f"\nMeasured by the rates and rules of {found.scenario.name}.")
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("measure")
    for plan in found.plans:
        table.add_column(plan.name, justify="right")
    table.add_column("unit")
    first = {name: m for plan in found.plans for name, m in plan.card.region.items()}
    for name, measure in first.items():
        if family(name, found.scales)[1] in ("", found.scale):
            met = [plan.card.region.get(name) for plan in found.plans]
            table.add_row(measure.label, *("–" if m is None else bare(m.value, m.unit) for m in met), measure.unit)
    table.add_row("Rules broken", *(str(len(plan.broken)) for plan in found.plans), "rules")
    console.print(table)
    for between in between_first(found):
        plan = found.plans[between.other]
        console.print(f"\n[bold]{found.plans[0].name} → {plan.name}[/bold]")
        for text in who_moves(found, between):
            say(f"  {text}")
        for mark, way in (("+", "better"), ("−", "worse")):
            for text in gains_and_costs(found, plan, way):
                say(f"  {mark} {text}")
    if found.settled is not None:
        console.print("\n[bold]Settled and open[/bold]")
        say(f"  {settled_said(found)}")
    for note in notes:
        say(f"Note: {note}")
    say(f"\nOpen first: {out / 'compare.html'}  (the comparison)")
