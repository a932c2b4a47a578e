"""Every error a user can cause. Each names what, where (file:row:column), the rule broken and how to mend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with what the user gave.

    what: the value and what is wrong with it. where: "practices.csv:14:patients" or a scenario key.
    rule: the rule it breaks. mend: what to do about it.
    """

    what: str
    where: str = ""
    rule: str = ""
    mend: str = ""

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        tail = " ".join(part for part in (self.rule, self.mend) if part)
        return f"{place}{self.what}" + (f". {tail}" if tail else "")


class ConsortiaError(Exception):
    """Base of every error shown to a user without a traceback; `exit_code` tells a script which kind it is."""

    exit_code = 1
    MOST_SHOWN = 50

    def __init__(self, *problems: Problem | str):
        self.problems: tuple[Problem, ...] = tuple(p if isinstance(p, Problem) else Problem(p) for p in problems)
        super().__init__(self.report())

    def report(self) -> str:
        """All problems, one a line; after fifty the rest are counted."""
        lines = [str(p) for p in self.problems[: self.MOST_SHOWN]]
        rest = len(self.problems) - len(lines)
        if rest > 0:
            lines.append(f"… and {rest} more problems of this kind")
        return "\n".join(lines)


class ScenarioError(ConsortiaError):
    """The scenario is wrong: unknown key, bad value, contradictory pins."""

    exit_code = 2


class DataError(ConsortiaError):
    """The dataset is wrong."""

    exit_code = 3


class Infeasible(ConsortiaError):
    """No plan can satisfy the rules: the message carries the arithmetic that proves it."""

    exit_code = 4


class LimitReached(ConsortiaError):
    """A time limit passed before any plan was found."""

    exit_code = 5


class SolverError(ConsortiaError):
    """A solver is missing, crashed, or returned an answer that fails an independent check."""

    exit_code = 6


class OutputError(ConsortiaError):
    """A file or folder cannot be read or written, or already exists."""

    exit_code = 7


class VerificationError(ConsortiaError):
    """A plan does not satisfy its own rules, or its total is not the sum of its terms."""

    exit_code = 8


class DisclosureError(ConsortiaError):
    """Publishing would reveal a small count or a confidential input."""

    exit_code = 9


def raise_all(kind: type[ConsortiaError], problems: Sequence[Problem]) -> None:
    """Raise `kind` with every problem found, or return when there are none."""
    if problems:
        raise kind(*problems)
