"""What planners see while many cases are planned, on stderr: a bar with the time left on a terminal, else lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from optimiser import live
from optimiser.clock import Clock, never
from optimiser.partition.budget import Progress

EVERY = 5.0  # seconds between two plain lines, the first and the last apart
KEEPS = "Ctrl-C keeps the cases that are done"
STOPPING = "Stopping: the cases at work are dropped, those done are kept"
FIRST = "first the plan that every case starts from"


class Watch(Protocol):
    """Hears how far the parent plan is, then how many cases are done, of all, and of those done in this run, which
    tell the time left."""

    def parent(self, p: Progress) -> None: ...

    def cases(self, done: int, of: int, now: int) -> None: ...


@contextmanager
def watching(stopping: Callable[[], bool] = never) -> Iterator[Watch]:
    """What suits the place: a bar, or lines. stopping: whether somebody has asked for the work to end."""
    console = Console(stderr=True)
    if not console.is_terminal or console.is_dumb_terminal or "NO_COLOR" in os.environ:
        yield Lines(stopping)
        return
    words = TextColumn("{task.fields[doing]}")
    with Bar(BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), words, console=console) as bar:
        yield OneBar(bar, stopping)


class OneBar:
    """A bar of cases; while the parent is planned, what is going on beside it."""

    def __init__(self, bar: Bar, stopping: Callable[[], bool]):
        self._bar, self._stopping, self._clock = bar, stopping, Clock()
        self._task = bar.add_task("", total=None, doing=FIRST)

    def parent(self, p: Progress) -> None:
        """Say what the parent is at."""
        self._bar.update(self._task, doing=STOPPING if self._stopping() else f"{FIRST}: {p.name}, {p.stage}")

    def cases(self, done: int, of: int, now: int) -> None:
        """Move the bar on."""
        if not now:
            self._clock = Clock()
        words = STOPPING if self._stopping() else ". ".join(filter(None, (left(self._clock, done, of, now), KEEPS)))
        self._bar.update(self._task, completed=done, total=of, doing=words)


class Lines:
    """A line at the beginning, every few seconds, and when all is done."""

    def __init__(self, stopping: Callable[[], bool]):
        self._parent, self._stopping = live.Lines(stopping), stopping
        self._clock, self._said, self._last = Clock(), False, -EVERY

    def parent(self, p: Progress) -> None:
        """As for any plan."""
        if not self._said:
            self._said = True
            print(f"{FIRST[:1].upper()}{FIRST[1:]}.", file=sys.stderr, flush=True)
        self._parent.see(p)

    def cases(self, done: int, of: int, now: int) -> None:
        """Print where things stand, or not yet."""
        if not now:
            self._clock, self._last = Clock(), -EVERY
        seconds = self._clock.elapsed()
        if seconds - self._last >= EVERY or done == of:
            self._last = seconds
            parts = f"{seconds:4.0f} s", f"{done} of {of} cases", left(self._clock, done, of, now)
            print(" · ".join(filter(None, parts)), file=sys.stderr, flush=True)


def left(clock: Clock, done: int, of: int, now: int) -> str:
    """The time left, as far as the cases done in this run tell it."""
    if not now or done == of:
        return ""
    rest = clock.elapsed() / now * (of - done)
    about = f"{rest:.0f} s" if rest < 90 else f"{rest / 60:.0f} min" if rest < 5_400 else f"{rest / 3_600:.1f} h"
    return f"About {about} left"
