"""What happened when: lines of progress and the seconds of every stage. None of it is part of what a plan says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from optimiser.clock import Clock
from optimiser.partition.budget import Progress


class Journal:
    """Called with each line of progress: stamps it with the seconds since the journal was opened, keeps it, tells it.

    lines: all that were told. seconds: stage → how long it took.
    """

    def __init__(self, report: Callable[[Progress], None]):
        self.lines: list[Progress] = []
        self.seconds: dict[str, float] = {}
        self._clock, self._report = Clock(), report

    def __call__(self, progress: Progress) -> None:
        line = replace(progress, seconds=self._clock.elapsed())
        self.lines.append(line)
        self._report(line)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        clock = Clock()
        yield
        self.seconds[name] = clock.elapsed()
