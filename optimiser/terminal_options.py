"""The options side by side in the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from optimiser.options import Comparison


def show_options(found: Comparison, out: Path) -> None:
    """The table of figures, whether it is premature, both sides of each, and the file to open first."""
    from geodata.maps.options_page import headline
    from geodata.maps.words import bare
    from geodata.option_tables import LINES, PROOF, WAY, columns_of, tolerance, value
    from geodata.plan_tables import capital

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    plural = found.scenario.scale(found.scenario.anchor_scale).plural
    whom = "; ".join(g.name for g in found.groups) if found.chosen else found.dataset.info.name
    console.print()
    console.print(f"[bold]{found.scenario.title}[/bold] · {whom}", soft_wrap=True)
    console.print(headline(found), soft_wrap=True)
    if found.premature:
        console.print(
            f"[bold]Premature[/bold]: {found.stood_in} of {len(found.answers)} {plural} have not answered the five "
            "questions themselves; the program's answers stand in.",
            soft_wrap=True,
        )
    named = columns_of(found)
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("figure")
    table.add_column("kind")
    for name, _ in named:
        table.add_column(name, justify="right")
    for lines in (LINES, WAY, PROOF):
        for line in lines:
            found_values = [value(found, option, line) for _, option in named]
            cells = ["–" if v is None else bare(v, line.unit) for v in found_values]
            table.add_row(line.title, line.kind.replace("_", " "), *cells)
        table.add_section()
    console.print(table)
    console.print(
        f"Likely: the chance that a year goes over budget by more than {tolerance(found)}. Cash alone is compared."
    )
    for option in found.options:
        console.print(f"\n[bold]{capital(option.terms.form)}[/bold]")
        for mark, said in (("+", option.terms.benefits), ("−", option.terms.risks)):
            for text in said:
                console.print(f"  {mark} {text}", soft_wrap=True)
    for one in found.impossible:
        console.print(f"\n[bold]{capital(one.form)}[/bold] cannot be had here:")
        for problem in one.problems:
            console.print(f"  {problem}", soft_wrap=True, markup=False)
    console.print(f"\nOpen first: {out / 'options.html'}  (the comparison)", soft_wrap=True)
