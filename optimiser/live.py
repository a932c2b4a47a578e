"""What planners see while the work goes on, on stderr: a table of scales on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from optimiser.clock import Clock, never
from optimiser.partition.budget import Progress
from optimiser.wording import within

EVERY = 2.0  # seconds between two plain lines of one scale, the first and the last apart
HINT = "Ctrl-C keeps the best plan found so far"
STOPPING = "Stopping: the plan is finished with the least work. Ctrl-C again drops it"


@contextmanager
def progress(stopping: Callable[[], bool] = never, hint: str = HINT) -> Iterator[Callable[[Progress], None]]:
    """A reporter of what is found and proved. stopping: whether somebody has asked for the work to end. hint: what
    Ctrl-C does."""
    console = Console(stderr=True)
    if console.is_terminal and not console.is_dumb_terminal and "NO_COLOR" not in os.environ:
        board = Board(stopping, hint)
        with Live(board, console=console):
            yield board.see
    else:
        yield Lines(stopping).see


@contextmanager
def lines() -> Iterator[Callable[[str], None]]:
    """A teller of what is being worked on: one line on a terminal, written over; nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("Reading …") as status:
        yield lambda text: status.update(escape(text))


class Board:
    """One row for each scale, and for services and sensitivity, in the order in which they were first worked on."""

    def __init__(self, stopping: Callable[[], bool], hint: str = HINT):
        self._rows: dict[str, Progress] = {}
        self._stopping, self._hint, self._clock = stopping, hint, Clock()

    def see(self, p: Progress) -> None:
        """Put a line of progress in its row."""
        self._rows[p.name] = p

    def __rich__(self) -> Table:
        caption = STOPPING if self._stopping() else self._hint
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", caption_justify="left", caption_style="dim")
        table.caption = f"{self._clock.elapsed():.0f} s. {caption}."
        for heading in ("", "doing"):
            table.add_column(heading)
        for heading in ("at second", "bodies", "£m a year", "bound £m", "gap"):
            table.add_column(heading, justify="right")
        for name, p in tuple(self._rows.items()):
            table.add_row(name, p.stage, f"{p.seconds:.0f}", *_figures(p))
        return table


class Lines:
    """A line at once when a scale begins and when it is done; between, one for what is better, every few seconds."""

    def __init__(self, stopping: Callable[[], bool]):
        self._last: dict[str, Progress] = {}
        self._stopping, self._said = stopping, False

    def see(self, p: Progress) -> None:
        """Print a line of progress, or not; and once, that the work is being stopped."""
        if self._stopping() and not self._said:
            self._said = True
            print(f"{STOPPING}.", file=sys.stderr, flush=True)
        last = self._last.get(p.name)
        news = last is None or p.stage.startswith("done")
        if last is not None and p.seconds - last.seconds >= EVERY:
            news |= p.incumbent < last.incumbent or p.bound > last.bound
        if news:
            self._last[p.name] = p
            print(line(p), file=sys.stderr, flush=True)


def line(p: Progress) -> str:
    """A line of progress in words: seconds since the start, scale, stage, bodies, £m a year, bound, gap."""
    bodies, cost, bound, gap = _figures(p)
    proved = f" · bound £{bound}m" + (f" · gap {gap}" if gap else "") if bound else ""
    found = f" · {bodies} {'body' if p.bodies == 1 else 'bodies'} · £{cost}m a year" if cost else " · no plan yet"
    return f"{p.seconds:4.0f} s · {p.name} · {p.stage}{found}{proved}"


def _figures(p: Progress) -> tuple[str, str, str, str]:
    """Bodies, cost, bound and gap; blank where there is none yet."""
    found, proved = math.isfinite(p.incumbent), math.isfinite(p.bound)
    return (
        f"{p.bodies:,}" if found else "",
        f"{p.incumbent / 1e6:,.2f}" if found else "",
        f"{p.bound / 1e6:,.2f}" if proved else "",
        within(p.gap, 2) if found and proved else "",
    )
