"""What reading a dataset finds: problems that stop it and warnings that travel with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from optimiser.errors import Problem


@dataclass
class Findings:
    """Collects problems and warnings while files are read, so that one report can name them all."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def problem(self, what: str, where: str, rule: str = "", mend: str = "") -> None:
        """Note something that must be mended before a plan can be made."""
        self.problems.append(Problem(what, where, _sentence(rule), _sentence(mend)))

    def warn(self, what: str, where: str = "") -> None:
        """Note something that a reader of the plan should know."""
        self.warnings.append(f"{where}: {what}" if where else what)


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:] + ("" if words.endswith((".", "?")) or not words else ".")


def some(values: Sequence[object], most: int = 10) -> str:
    """The values as a list in words, cut after `most`."""
    shown = ", ".join(str(value) for value in values[:most])
    return shown if len(values) <= most else f"{shown} … ({len(values):,} in all)"


def nearest(word: str, known: Iterable[str]) -> str:
    """A sentence that suggests the known word most like this one, or "" when none is near."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""
