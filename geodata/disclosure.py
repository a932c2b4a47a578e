"""What may not be published: small counts of cases, and what practices said of each other in confidence."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from optimiser.errors import DisclosureError, Problem, raise_all

if TYPE_CHECKING:
    from optimiser.domain import Dataset
    from optimiser.plan import Plan

HIDDEN = "*"
K = TypeVar("K", int, str)


class Rule(Protocol):
    """Counts from suppress[0] to suppress[1] are hidden, larger ones rounded to round_to (EVIDENCE 2.10)."""

    @property
    def suppress(self) -> tuple[int, int]: ...

    @property
    def round_to(self) -> int: ...


def suppress(n: float, rule: Rule) -> int | str:
    """A count of cases as it may be published: 0 stays 0, a small one is "*", the rest are rounded, halves up.

    A modelled count that is not whole is judged by the nearest whole number; a positive one is never shown as zero.
    ValueError for a negative or missing count.
    """
    if not n >= 0:
        raise ValueError(f"a count of cases cannot be {n}")
    if n == 0:
        return 0
    low, high = rule.suppress
    if low <= max(low, math.floor(n + 0.5)) <= high:
        return HIDDEN
    return rule.round_to * math.floor(n / rule.round_to + 0.5)


def hidden_with(cases: Mapping[K, float], rule: Rule, unseen: Collection[K] = ()) -> set[K]:
    """Which parts of a published total to hide: those of few cases, and with them the next smallest until what is not
    shown exceeds what the rule hides, so that the total less what is shown gives nothing away. unseen: parts that are
    not shown anyway."""
    smallest_first = sorted((part for part in cases if cases[part] > 0), key=lambda part: (cases[part], part))
    hidden = {part for part in smallest_first if part in unseen or suppress(cases[part], rule) == HIDDEN}
    for part in smallest_first:
        if suppress(sum(cases[h] for h in hidden), rule) != HIDDEN:
            break
        hidden.add(part)
    return hidden


def hidden_cells(
    cases: NDArray[np.float64], shown: NDArray[np.bool_], parent: NDArray[np.integer], rule: Rule
) -> NDArray[np.bool_]:
    """Which cells of a bodies × providers table to hide so that neither the whole column nor the part of it that lies
    in one larger body gives a small count away. cases: a year. shown: cells that would be shown otherwise. parent:
    position of the larger body by body."""
    hidden = np.zeros(cases.shape, dtype=bool)
    few = cases < rule.suppress[1] + 1
    for column in np.flatnonzero(((cases > 0) & (~shown | few)).any(axis=0)):
        found = cases[:, column]
        for group in (np.zeros_like(parent), parent):
            for larger in np.unique(group):
                members = np.flatnonzero((group == larger) & (found > 0))
                unseen = members[~shown[members, column] | hidden[members, column]]
                chosen = hidden_with({int(m): float(found[m]) for m in members}, rule, set(unseen.tolist()))
                hidden[list(chosen), column] = True
    return hidden


def gate(plan: Plan, folder: Path) -> None:
    """Refuse a staged run that would reveal a confidential relationship. Raises DisclosureError with every place found.

    Such relationships steer the search only: their pairs may not stand in relationships.csv, and no sentence of the run
    (a reason, a note, a warning) may name both practices of one. The message does not name them either.
    """
    secret = confidential_pairs(plan)
    if not secret:
        return
    problems = [
        _problem(f"relationships.csv:{line}")
        for line, pair in _published_pairs(folder / "relationships.csv")
        if pair in secret
    ]
    raise_all(DisclosureError, [*problems, *_told(plan.dataset, secret, _sentences(plan))])


def gate_sentences(dataset: Dataset, sentences: Iterable[tuple[str, str]]) -> None:
    """Refuse sentences, each with the place it comes from, of which one names both practices of a confidential
    relationship. Raises DisclosureError."""
    raise_all(DisclosureError, list(_told(dataset, secret_pairs(dataset), sentences)))


def _told(
    dataset: Dataset, secret: Collection[frozenset[str]], sentences: Iterable[tuple[str, str]]
) -> Iterator[Problem]:
    names = {p.code: p.name for p in dataset.practices}
    for where, text in sentences if secret else ():
        if any(all(_mentions(text, code, names.get(code, code)) for code in pair) for pair in secret):
            yield _problem(where)


def confidential_pairs(plan: Plan) -> set[frozenset[str]]:
    """Pairs of practice codes that only a confidential relationship joins."""
    return secret_pairs(plan.dataset)


def secret_pairs(dataset: Dataset) -> set[frozenset[str]]:
    """As `confidential_pairs`, of a dataset."""
    stated = dataset.relationships
    public = {frozenset((r.practice, r.other)) for r in stated if not r.confidential}
    return {frozenset((r.practice, r.other)) for r in stated if r.confidential} - public


def _mentions(text: str, *words: str) -> bool:
    """Whether one of the words stands in the text on its own: P1 is not mentioned by P12."""
    return any(word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words)


def _problem(where: str) -> Problem:
    return Problem(
        "both practices of a confidential relationship are named together",
        where,
        "Confidential relationships appear in no output.",
        "Take the sentence or the row out; nothing was published.",
    )


def _published_pairs(path: Path) -> Iterator[tuple[int, frozenset[str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        for line, row in enumerate(csv.DictReader(file), start=2):
            yield line, frozenset((row["practice"], row["other"]))


def _sentences(plan: Plan) -> Iterable[tuple[str, str]]:
    """Every sentence a run publishes that somebody or something composed, with the place it comes from."""
    for text in (*plan.warnings, *plan.dataset.warnings):
        yield "warnings", text
    for text in plan.dataset.info.notes:
        yield "dataset.toml:notes", text
    for text in (plan.scenario.title, plan.scenario.question):
        yield "scenario", text
    for number, pin in enumerate(plan.scenario.pins, start=1):
        yield f"scenario:pins[{number}].reason", pin.reason
    for wish in plan.dataset.wishes:
        yield "wishes.csv:note", wish.note
    if plan.placement is not None:
        for commission in plan.placement.commissions:
            yield "placement.csv:reason", commission.reason
        for footprint in (*plan.placement.footprints, *plan.placement.candidates):
            yield "footprints.csv:reason", footprint.reason
        for mode in plan.placement.functions:
            yield "functions.csv:reason", mode.reason
