"""What is asked when no plan is found: can these practices be placed at a scale under these rows of the scenario?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimiser import pins
from optimiser.domain import Dataset
from optimiser.partition.oversize import set_aside
from optimiser.partition.pieces import gatherings, pieces_of, restricted
from optimiser.partition.possible import Verdict, possible
from optimiser.scenario import Pin, Scenario
from optimiser.scenario_checks import called
from optimiser.scenario_tables import FORCES
from optimiser.units import ScaleProblem, scale_problem, units_of

NONE: Mapping[str, object] = {
    "min_patients": 0, "max_patients": None, "reach_km": None, "contiguous": False, "authority_rule": "off",
    "min_bodies": None, "max_bodies": None, "centres_each": 0,
}  # fmt: skip


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


class Question:
    """Whether a scale can be planned for some practices under some rows. Costs play no part, so forces are off."""

    def __init__(self, dataset: Dataset, scenario: Scenario, scale: str, stop: Callable[[], bool]):
        self.dataset, self.scale, self.stop = dataset, scale, stop
        self.scenario = scenario.model_copy(update={"forces_off": FORCES})
        self._made: ScaleProblem | None = None

    def rows(self) -> list[Row]:
        """The rows that may bear on the scale, pins last. Of other scales: what they ask of authorities, which ties and
        parts practices here too, and how few patients make what is left of a frozen body one body."""
        around = self.scenario.around(self.scale)
        frozen = any(pin.kind == "frozen" for pin in self.scenario.pins)
        found = []
        for scale in self.scenario.scales:
            ruled = scale.authority_rule == "whole" or (scale.authority_rule == "inside_one" and scale.name in around)
            elsewhere = {"authority_rule": ruled, "min_patients": frozen}
            for key, none in NONE.items():
                value = getattr(scale, key)
                if value not in (none, 0) and (scale.name == self.scale or elsewhere.get(key)):
                    found.append(Row(scale.name, key, f"scale.{scale.name}.{key} = {shown(value)}"))
        for number, pin in enumerate(self.scenario.pins, start=1):
            if pin.kind not in ("apart", "forbidden") or pin.scale in around:
                found.append(Row(self.scale, str(number), f"pins[{number}] ({called(pin)})"))
        return found

    def with_rows(self, kept: Sequence[Row]) -> Question:
        """The question with those rows only."""
        dropped = set(self.rows()) - set(kept)
        pins_dropped = {row.pin for row in dropped}
        chosen = tuple(p for n, p in enumerate(self.scenario.pins, start=1) if n not in pins_dropped)
        return self._changed({(row.scale, row.key): NONE[row.key] for row in dropped if row.pin is None}, chosen)

    def with_value(self, row: Row, value: object) -> Question:
        """The question with another value of one rule."""
        return self._changed({(row.scale, row.key): value}, self.scenario.pins)

    def with_cure(self, cure: Cure) -> Question:
        """The question after a cure."""
        if cure.link is not None:
            i, j = cure.link
            touching = np.vstack([self.dataset.adjacency.reshape(-1, 2), [(min(i, j), max(i, j))]]).astype(np.int32)
            links = (*self.dataset.links, cure.link)
            return Question(
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

    def _changed(self, values: Mapping[tuple[str, str], object], chosen: tuple[Pin, ...]) -> Question:
        """values: (scale, key) → value."""
        tables = dict(self.scenario.scale_tables)
        for (name, key), value in values.items():
            tables[name] = tables[name].model_copy(update={key: value})
        changed = self.scenario.model_copy(update={"scale_tables": tables, "pins": chosen})
        return Question(self.dataset, changed, self.scale, self.stop)

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


def shown(value: object) -> str:
    """A value as a scenario file writes it, with commas."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:g}" if isinstance(value, float) else f'"{value}"'
