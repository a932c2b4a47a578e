"""Why no plan exists: the smallest set of scenario rows and practices that conflict, and what would cure it.

A set of rows and practices conflicts when the practices cannot all be placed under those rows, whatever happens to
everybody else. Rows and practices are taken away one by one (many at a time while that works) as long as what is left
is still proved impossible; at the end each is needed: without it, the rest can be met. docs/method.md says how.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from optimiser import pins
from optimiser.clock import never
from optimiser.domain import Dataset
from optimiser.partition.oversize import set_aside
from optimiser.partition.possible import (
    FEW,
    SOME,
    Verdict,
    gatherings,
    pieces_of,
    possible,
    restricted,
    sizes_of,
)
from optimiser.scenario import Pin, Scenario
from optimiser.scenario_checks import called
from optimiser.scenario_models import FORCES
from optimiser.units import ScaleProblem, scale_problem, units_of

NONE: Mapping[str, object] = {
    "min_patients": 0, "max_patients": None, "reach_km": None, "contiguous": False, "authority_rule": "off",
    "min_bodies": None, "max_bodies": None,
}  # fmt: skip
T = TypeVar("T")
SIZES = ("min_patients", "max_patients", "min_bodies", "max_bodies")
TENTH = 10  # reaches are tried in tenths of a kilometre


@dataclass(frozen=True)
class Row:
    """One row of the scenario: a scale's rule (key: its name) or a pin (key: its number, from 1)."""

    scale: str
    key: str
    said: str

    @property
    def pin(self) -> int | None:
        """The number of the pin, None for a rule of the scale."""
        return int(self.key) if self.key.isdigit() else None

    @property
    def place(self) -> str:
        """How the scenario file calls it: "scale.consortium.min_patients", "pins[2]"."""
        return f"pins[{self.key}]" if self.pin else f"scale.{self.scale}.{self.key}"


@dataclass(frozen=True)
class Cure:
    """One change after which a plan of the scale exists. row: what it changes. value: of the row, None where it goes.
    link: practices that a declared link would join instead. without: the practice that leaves the pin."""

    row: Row
    said: str
    value: object = None
    link: tuple[int, int] | None = None
    without: str = ""


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
    questions = [_Question(dataset, scenario, name, stop) for name in scenario.scales_used]
    for search in (False, True):
        answers = [(question, question.asked(search=search)) for question in questions]
        found = [_conflict(question, answer.blame) for question, answer in answers if answer.possible is False]
        if found:
            return tuple(found)
    return ()


class _Question:
    """Whether a scale can be planned for some practices under some rows. Costs play no part, so forces are off."""

    def __init__(self, dataset: Dataset, scenario: Scenario, scale: str, stop: Callable[[], bool]):
        self.dataset, self.scale, self.stop = dataset, scale, stop
        self.scenario = scenario.model_copy(update={"forces_off": FORCES})
        self._made: ScaleProblem | None = None

    def rows(self) -> list[Row]:
        """The rows that may bear on the scale, pins last. Of other scales: that authorities stay whole, which ties and
        parts practices here too, and how few patients make what is left of a frozen body one body."""
        order = self.scenario.scales_used
        frozen = any(pin.kind == "frozen" for pin in self.scenario.pins)
        found = []
        for scale in self.scenario.scales:
            elsewhere = {"authority_rule": scale.authority_rule == "whole", "min_patients": frozen}
            for key, none in NONE.items():
                value = getattr(scale, key)
                if value not in (none, 0) and (scale.name == self.scale or elsewhere.get(key)):
                    found.append(Row(scale.name, key, f"scale.{scale.name}.{key} = {_shown(value)}"))
        for number, pin in enumerate(self.scenario.pins, start=1):
            if pin.kind not in ("apart", "forbidden") or order.index(pin.scale) >= order.index(self.scale):
                found.append(Row(self.scale, str(number), f"pins[{number}] ({called(pin)})"))
        return found

    def with_rows(self, kept: Sequence[Row]) -> _Question:
        """The question with those rows only."""
        dropped = set(self.rows()) - set(kept)
        pins_dropped = {row.pin for row in dropped}
        chosen = tuple(p for n, p in enumerate(self.scenario.pins, start=1) if n not in pins_dropped)
        return self._changed({(row.scale, row.key): NONE[row.key] for row in dropped if row.pin is None}, chosen)

    def with_value(self, row: Row, value: object) -> _Question:
        """The question with another value of one rule."""
        return self._changed({(row.scale, row.key): value}, self.scenario.pins)

    def with_cure(self, cure: Cure) -> _Question:
        """The question after a cure."""
        if cure.link is not None:
            i, j = cure.link
            touching = np.vstack([self.dataset.adjacency.reshape(-1, 2), [(min(i, j), max(i, j))]]).astype(np.int32)
            links = (*self.dataset.links, cure.link)
            return _Question(
                replace(self.dataset, adjacency=touching, links=links), self.scenario, self.scale, self.stop
            )
        if cure.row.pin is None:
            return self.with_value(cure.row, cure.value)
        chosen = list(self.scenario.pins)
        pin = chosen.pop(cure.row.pin - 1)
        if cure.without:
            left = tuple(code for code in pin.practices if code != cure.without)
            chosen.insert(cure.row.pin - 1, pin.model_copy(update={"practices": left}))
        return self._changed({}, tuple(chosen))

    def _changed(self, values: Mapping[tuple[str, str], object], chosen: tuple[Pin, ...]) -> _Question:
        """values: (scale, key) → value."""
        tables = dict(self.scenario.scale_tables)
        for (name, key), value in values.items():
            tables[name] = tables[name].model_copy(update={key: value})
        changed = self.scenario.model_copy(update={"scale_tables": tables, "pins": chosen})
        return _Question(self.dataset, changed, self.scale, self.stop)

    def asked(self, needed: Sequence[int] | None = None, search: bool = True) -> Verdict:
        """Whether the needed practices (all when None) can be placed; the blame is in practices."""
        wanted = np.ones(len(self.dataset.practices), bool)
        if needed is not None:
            wanted[:] = False
            wanted[list(needed)] = True
        torn = self.torn()
        for a, b in torn:
            if wanted[a] and wanted[b]:
                return Verdict(False, (a, b))
        if torn:
            return Verdict(None)
        made = self.made()
        units = np.zeros(made.problem.units, bool)
        units[made.unit[wanted]] = True
        verdict = possible(made.problem, units, search, self.stop)
        blamed = np.flatnonzero(np.isin(made.unit, verdict.blame) & wanted)
        return Verdict(verdict.possible, tuple(blamed.tolist()))

    def torn(self) -> list[tuple[int, int]]:
        """Pairs of practices that must be kept apart and are tied."""
        scale = self.scenario.scale(self.scale)
        unit = units_of(self.dataset, self.scenario, scale)
        return [(a, b) for a, b in pins.apart(self.dataset, self.scenario, scale) if unit[a] == unit[b]]

    def made(self) -> ScaleProblem:
        """The scale's problem, made once."""
        if self._made is None:
            self._made = scale_problem(self.dataset, self.scenario, self.scenario.scale(self.scale))
        return self._made

    def company(self, practices: Sequence[int]) -> tuple[int, ...]:
        """Everybody whom the rules let share a body with some of the practices, these included: where all are one unit
        the most that a centre within reach can gather, else their whole piece of the ground; everybody at all where
        there are no practices."""
        if not practices:
            return tuple(range(len(self.dataset.practices)))
        if self.torn():
            return tuple(sorted(practices))
        made = self.made()
        units = set(made.unit[list(practices)].tolist())
        core, _, restore = set_aside(made.problem)
        if core is None:
            return tuple(sorted(practices))
        for piece in pieces_of(core):
            held = restore.kept[piece]
            need = np.isin(held, list(units))
            if need.sum() == 1:
                part = restricted(core, piece)
                around = gatherings(part, need)
                held = held[around[:, int(np.argmax(part.weights @ around))]]
            units |= set(held.tolist()) if need.any() else set()
        return tuple(np.flatnonzero(np.isin(made.unit, list(units))).tolist())


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


def _conflict(question: _Question, blame: Sequence[int]) -> Conflict:
    def impossible(asked: _Question, practices: Sequence[int], search: bool) -> bool | None:
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


def _cures(question: _Question, conflict: Conflict) -> Iterator[Cure]:
    """For each row of the conflict the least change of it that makes a plan of the scale possible, if any does."""
    for row in conflict.rows:
        for cure in _relaxations(question, conflict, row):
            if question.stop():
                return
            if question.with_cure(cure).asked().possible:
                yield cure
                break


def _relaxations(question: _Question, conflict: Conflict, row: Row) -> Iterator[Cure]:
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

    def soon(asked: _Question) -> bool:
        quick = asked.asked(search=False).possible is not False
        few = len(conflict.practices) <= FEW
        return quick and asked.asked(conflict.practices, search=few).possible is not False

    for may in (soon, lambda asked: asked.asked().possible is True):
        value = _least_change(question, row, may)
        if value is not None:
            yield Cure(row, f"{row.place} = {_shown(value)}", value)


def _least_change(question: _Question, row: Row, may: Callable[[_Question], bool]) -> float | int | None:
    """The value of a number nearest to its own that may do, by halving; None where none does."""
    values = _values(question, row)
    if not values or not may(question.with_value(row, values[-1])):
        return None
    low, high = -1, len(values) - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if may(question.with_value(row, values[middle])) else (middle, high)
    return values[high]


def _values(question: _Question, row: Row) -> Sequence[float | int]:
    """Values that relax a number, the nearest first. A bound of size is only tried at sizes that bodies can have."""
    now = getattr(question.scenario.scale(row.scale), row.key)
    if row.key == "reach_km":
        everywhere = float(np.hypot(*np.ptp(question.dataset.xy, axis=0))) / 1000
        return [k / TENTH for k in range(int(now * TENTH) + 1, int(np.ceil(everywhere * TENTH)) + 1)]
    if row.key in ("min_bodies", "max_bodies"):
        return range(now - 1, 0, -1) if row.key == "min_bodies" else range(now + 1, len(question.dataset.practices) + 1)
    people, weights = int(question.dataset.patients.sum()), question.made().problem.weights
    between = range(now - 1, -1, -1) if row.key == "min_patients" else range(now + 1, people + 1)
    if len(weights) > SOME:
        return between
    sums = sizes_of(weights)
    return [p for p in between if sums >> p & 1]


def _link(question: _Question, conflict: Conflict) -> tuple[int, int] | None:
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


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else f'"{value}"'
