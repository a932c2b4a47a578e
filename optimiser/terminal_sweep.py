"""A sweep in a few lines, when it ends."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from geodata.sweep_record import Sweep


def show_sweep(found: Sweep, out: Path) -> None:
    """What there is, which key moves the plan most, and where to read on."""
    from geodata.maps.sweep_page import headline, sentences

    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    scenario = found.asked.scenario
    console.print(f"[bold]{scenario.title}[/bold] · {found.asked.dataset.info.name}", soft_wrap=True)
    console.print(headline(found), soft_wrap=True, markup=False)
    for sentence in sentences(found):
        console.print(f"  {sentence}", soft_wrap=True, markup=False)
    for name in found.cut:
        console.print(f"Note: a clock ended some of the work of {name}: another run may differ.")
    console.print(f"\nOpen first: {out / 'sweep.html'}  (the pictures and the table)", soft_wrap=True)
    if not found.finished:
        print("Interrupted: the cases done are kept. Give the same command again to go on.", file=sys.stderr)
