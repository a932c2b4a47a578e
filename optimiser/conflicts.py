"""Why no plan exists: the smallest set of scenario rows and practices that conflict, and what would cure it.

A set of rows and practices conflicts when the practices cannot all be placed under those rows, whatever happens to
everybody else. Rows and practices are taken away one by one (many at a time while that works) as long as what is left
is still proved impossible; at the end each is needed: without it, the rest can be met. docs/method.md says how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from optimiser import pins
from optimiser.clock import never
from optimiser.domain import Dataset
from optimiser.partition.pieces import SOME, sizes_of
from optimiser.partition.possible import FEW
from optimiser.questions import Cure, Question, Row, shown
from optimiser.scenario import Scenario

T = TypeVar("T")
SIZES = ("min_patients", "max_patients", "min_bodies", "max_bodies")
TENTH = 10  # reaches are tried in tenths of a kilometre


@dataclass(frozen=True)
class Conflict:
    """Rows and practices (positions) that cannot all be met at a scale.

    company: everybody whom those rows let share a body with these practices. smallest: it was shown that without any
    one of the rows, or of the practices unless the conflict is diffuse, the rest can be met. cures: each by itself
    makes a plan of the scale possible; empty where no single change was shown to.
    """

    scale: str
    rows: tuple[Row, ...]
    practices: tuple[int, ...]
    company: tuple[int, ...]
    smallest: bool
    cures: tuple[Cure, ...] = field(default=())

    @property
    def diffuse(self) -> bool:
        """Whether it lies with no practice more than with another: a matter of sizes and numbers, or of very many."""
        return all(row.key in SIZES for row in self.rows) or len(self.practices) > FEW


def explain(dataset: Dataset, scenario: Scenario, stop: Callable[[], bool] = never) -> tuple[Conflict, ...]:
    """One conflict for each scale at which no plan is possible; empty when nothing is proved impossible. Scales that
    only a search could judge are judged where no other is in the way. When `stop` says True the work ends with what is
    found: a proved conflict, perhaps not the smallest, perhaps without cures."""
    questions = [Question(dataset, scenario, name, stop) for name in scenario.scales_used]
    for search in (False, True):
        answers = [(question, question.asked(search=search)) for question in questions]
        found = [_conflict(question, answer.blame) for question, answer in answers if answer.possible is False]
        if found:
            return tuple(found)
    return ()


def smallest(items: Sequence[T], impossible: Callable[[list[T]], bool | None]) -> tuple[list[T], bool]:
    """(items that are still impossible together, none of which can be taken away; whether that was shown of each).

    impossible: True when proved, False when shown possible, None when neither, which keeps the item in.
    """
    kept, size = list(items), max(1, len(items) // 2)
    while True:
        start, before, shown = 0, len(kept), True
        while start < len(kept):
            answer = impossible(kept[:start] + kept[start + size :])
            if answer:
                del kept[start : start + size]
            else:
                start += size
                shown = shown and answer is False
        if size == 1 and len(kept) == before:
            return kept, shown
        size = max(1, size // 2)


def _conflict(question: Question, blame: Sequence[int]) -> Conflict:
    def impossible(asked: Question, practices: Sequence[int], search: bool) -> bool | None:
        if question.stop():
            return None
        answer = asked.asked(practices, search).possible
        return None if answer is None else not answer

    practices, _ = smallest(blame, lambda some: impossible(question, some, False))
    rows, of_rows = smallest(question.rows(), lambda some: impossible(question.with_rows(some), practices, True))
    bound = question.with_rows(rows)
    few = len(practices) <= FEW
    practices, of_all = smallest(practices, lambda some: impossible(bound, some, few))
    found = Conflict(question.scale, tuple(rows), tuple(sorted(practices)), bound.company(practices), of_rows)
    found = replace(found, smallest=of_rows and (of_all or found.diffuse))
    return replace(found, cures=tuple(_cures(question, found)))


def _cures(question: Question, conflict: Conflict) -> Iterator[Cure]:
    """For each row of the conflict the least change of it that makes a plan of the scale possible, if any does."""
    for row in conflict.rows:
        for cure in _relaxations(question, conflict, row):
            if question.stop():
                return
            if question.with_cure(cure).asked().possible:
                yield cure
                break


def _relaxations(question: Question, conflict: Conflict, row: Row) -> Iterator[Cure]:
    """Changes of one row that may cure, the least first."""
    dataset = question.dataset
    if row.pin is not None:
        pin = question.scenario.pins[row.pin - 1]
        if len(pin.practices) > 2:
            for code in sorted(pin.practices, key=lambda c: (dataset.practices[dataset.index[c]].patients, c)):
                yield Cure(row, f"{row.place} without {code}", without=code)
        yield Cure(row, f"no {row.place}")
        return
    if row.key == "contiguous":
        if (link := _link(question, conflict)) is not None:
            i, j = (dataset.practices[k] for k in link)
            yield Cure(row, f"a link between {i.name} ({i.code}) and {j.name} ({j.code}) in links.csv", link=link)
        yield Cure(row, f"{row.place} = false", False)
        return
    if row.key == "authority_rule":
        yield Cure(row, f'{row.place} = "off"', "off")
        return

    def soon(asked: Question) -> bool:
        quick = asked.asked(search=False).possible is not False
        few = len(conflict.practices) <= FEW
        return quick and asked.asked(conflict.practices, search=few).possible is not False

    for may in (soon, lambda asked: asked.asked().possible is True):
        value = _least_change(question, row, may)
        if value is not None:
            pasted = shown(value).replace(",", "_")  # TOML knows no commas
            yield Cure(row, f"{row.place} = {pasted}", value)


def _least_change(question: Question, row: Row, may: Callable[[Question], bool]) -> float | int | None:
    """The value of a number nearest to its own that may do, by halving; None where none does."""
    values = _values(question, row)
    if not values or not may(question.with_value(row, values[-1])):
        return None
    low, high = -1, len(values) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if may(question.with_value(row, values[middle])) else (middle, high)
    return values[high]


def _values(question: Question, row: Row) -> Sequence[float | int]:
    """Values that relax a number, the nearest first. A bound of size is only tried at sizes that bodies can have."""
    now = getattr(question.scenario.scale(row.scale), row.key)
    if row.key == "reach_km":
        everywhere = float(np.hypot(*np.ptp(question.dataset.xy, axis=0))) / 1000
        return [k / TENTH for k in range(int(now * TENTH) + 1, int(np.ceil(everywhere * TENTH)) + 1)]
    if row.key == "centres_each":
        return [0]
    if row.key in ("min_bodies", "max_bodies"):
        return range(now - 1, 0, -1) if row.key == "min_bodies" else range(now + 1, len(question.dataset.practices) + 1)
    people, weights = int(question.dataset.patients.sum()), question.made().problem.weights
    between = range(now - 1, -1, -1) if row.key == "min_patients" else range(now + 1, people + 1)
    if len(weights) > SOME:
        return between
    sums = sizes_of(weights)
    return [p for p in between if sums >> p & 1]


def _link(question: Question, conflict: Conflict) -> tuple[int, int] | None:
    """The nearest two practices of which one is among the company, one is not, and none is in a frozen body."""
    dataset = question.dataset
    free = pins.cells(dataset, question.scenario, question.scenario.scale(question.scale)) == 0
    inside = np.array(conflict.company, dtype=np.int64)
    outside = np.setdiff1d(np.flatnonzero(free), inside)
    inside = inside[free[inside]]
    if not len(inside) or not len(outside):
        return None
    metres = np.hypot(*np.moveaxis(dataset.xy[inside][:, None] - dataset.xy[outside][None], -1, 0))
    i, j = np.unravel_index(int(np.argmin(metres)), metres.shape)
    return int(inside[i]), int(outside[j])
