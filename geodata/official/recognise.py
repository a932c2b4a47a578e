"""Which published format a table is in, by what it holds and not by its name."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.official.columns import missing
from geodata.official.format import Format
from geodata.official.formats import FORMATS
from geodata.official.found import Found
from optimiser.errors import Problem

NEARLY = 0.6
"""Likeness from which a table is taken for a broken or changed copy of a format, not for something else."""


@dataclass(frozen=True)
class Recognised:
    """A table and its format."""

    table: Found
    format: Format


@dataclass(frozen=True)
class Unknown:
    """A table in no format that is known. nearly: what it looks like but is not, and what is missing."""

    table: Found
    nearly: Format | None = None
    problems: tuple[Problem, ...] = ()


def recognise(table: Found) -> Recognised | Unknown:
    """The format that a table is in. Where several fit, the one with most columns does."""
    scores = [(form.alike(table), len(form.columns), -i) for i, form in enumerate(FORMATS)]
    likeness, _, at = max(scores)
    form = FORMATS[-at]
    if likeness >= 1:
        return Recognised(table, form)
    if likeness >= NEARLY and form.columns:
        return Unknown(table, form, tuple(missing(table, form.columns)))
    return Unknown(table)
