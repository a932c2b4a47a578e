"""Decisions taken beforehand, in terms of practices: who is tied to whom, who is kept apart, what is frozen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.domain import Dataset
from optimiser.errors import Problem, ScenarioError, raise_all
from optimiser.scenario import Pin, Scale, Scenario
from optimiser.scenario_checks import contradictions


@dataclass(frozen=True)
class Frozen:
    """A body that has formed: nobody joins, nobody leaves. members: practice positions, ascending. pin: the number of
    the pin that says so, from 1. name: "" where it has none. left_over: it was frozen at a larger scale, and what is
    left of it is too small to be more than one body here.
    """

    members: tuple[int, ...]
    pin: int
    name: str = ""
    left_over: bool = False


def check_pins(dataset: Dataset, scenario: Scenario) -> None:
    """Raise ScenarioError naming every practice or existing body that a pin speaks of and the dataset does not hold;
    then every frozen body of today that another pin would open."""
    problems = []
    for number, pin in enumerate(scenario.pins, start=1):
        where = f"pins[{number}] ({pin.kind} at {pin.scale})"
        for code in dict.fromkeys((*pin.practices, *([pin.with_] if pin.with_ else []))):
            if code not in dataset.index:
                close = get_close_matches(code, dataset.index, 1)
                mend = f"Did you mean {close[0]}?" if close else "Codes are those of practices.csv."
                problems.append(Problem(f"practice {code} is not in the dataset", where, mend=mend))
        bodies = {p.existing.get(pin.scale, "") for p in dataset.practices} - {""}
        if pin.body and pin.body not in bodies:
            close = get_close_matches(pin.body, bodies, 1)
            mend = (
                f"Did you mean {close[0]}?" if close else f"Codes are those of existing_{pin.scale} in practices.csv."
            )
            problems.append(Problem(f"no practice is in {pin.body} today", where, mend=mend))
    raise_all(ScenarioError, problems)
    in_full = scenario.model_copy(update={"pins": tuple(spelt(dataset, pin) for pin in scenario.pins)})
    for found in contradictions(in_full):
        where = " and ".join(f"pins[{int(key[1]) + 1}]" for key in found.keys)
        problems.append(Problem(found.what, where, found.rule, found.mend))
    raise_all(ScenarioError, problems)


def ties(dataset: Dataset, scenario: Scenario, scale: Scale) -> list[tuple[int, int]]:
    """Pairs of practices that are never parted at a scale, because they never are there or at a smaller one: by pins,
    as members of a frozen body, or as practices of one authority where authorities stay whole (as far as frozen bodies
    leave them so).
    """
    tied: list[tuple[int, int]] = []
    for name in scenario.within(scale.name):
        small = scenario.scale(name)
        if small.authority_rule == "whole":
            homes = zip(
                cells(dataset, scenario, small).tolist(), dataset.authority_of(small.authority_tier), strict=True
            )
            tied += chains([home if home[1] else "" for home in homes])
        groups = [members_of(dataset, p) for p in scenario.pins if p.scale == name and p.kind in ("together", "fixed")]
        groups += [list(body.members) for body in frozen_bodies(dataset, scenario, small)]
        tied += [(group[0], other) for group in groups for other in group[1:]]
    return tied


def chains(labels: list) -> list[tuple[int, int]]:
    """Pairs that tie every practice to the first with the same label; the empty label ties nobody."""
    first: dict = {}
    return [(first[v], i) for i, v in enumerate(labels) if v != "" and first.setdefault(v, i) != i]


def apart(dataset: Dataset, scenario: Scenario, scale: Scale) -> list[tuple[int, int]]:
    """Pairs of practices that pins at this or a larger scale keep in different bodies, those included that are tied to
    such a pair at the larger scale: where they shared a body here, the larger one would have to hold both."""
    pairs: list[tuple[int, int]] = []
    for name in scenario.around(scale.name):
        parted = [pin for pin in scenario.pins if pin.scale == name and pin.kind in ("apart", "forbidden")]
        group = joined(len(dataset.practices), ties(dataset, scenario, scenario.scale(name)) if parted else ())
        for pin in parted:
            members = members_of(dataset, pin)
            couples = [(m, members[-1]) for m in members[:-1]] if pin.kind == "forbidden" else combinations(members, 2)
            for a, b in couples:
                if name == scale.name or group[a] == group[b]:
                    pairs.append((a, b))
                else:
                    one, other = (np.flatnonzero(group == group[end]).tolist() for end in (a, b))
                    pairs += [(x, y) for x in one for y in other]
    return pairs


def joined(practices: int, pairs: Sequence[tuple[int, int]]) -> NDArray[np.int32]:
    """A number by practice, the same for those that pairs join, directly or through others."""
    a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    graph = sparse.coo_matrix((np.ones(len(a)), (a, b)), shape=(practices, practices))
    return csgraph.connected_components(graph, directed=False)[1].astype(np.int32)


def cells(dataset: Dataset, scenario: Scenario, scale: Scale) -> NDArray[np.int32]:
    """By practice: the number of the pin (from 1) of the innermost body that is frozen at this scale or a larger one
    and holds it, or 0. No body of this scale crosses from one cell to another.
    """
    cell = np.zeros(len(dataset.practices), dtype=np.int32)
    for larger in reversed(scenario.around(scale.name)):
        for number, pin in enumerate(scenario.pins, start=1):
            if pin.kind == "frozen" and pin.scale == larger:
                cell[members_of(dataset, pin)] = number
    return cell


def frozen_bodies(dataset: Dataset, scenario: Scenario, scale: Scale) -> tuple[Frozen, ...]:
    """Bodies of a scale that are settled beforehand: those its pins freeze, and what is left of one frozen at a larger
    scale where that has fewer patients than a body here needs, since parting it could only make smaller ones.
    """
    cell = cells(dataset, scenario, scale)
    found = []
    for number in np.unique(cell[cell > 0]).tolist():
        pin, members = scenario.pins[number - 1], np.flatnonzero(cell == number)
        own = pin.scale == scale.name
        if own or dataset.patients[members].sum() < scale.min_patients:
            found.append(Frozen(tuple(members.tolist()), number, name_of(dataset, pin) if own else "", not own))
    return tuple(found)


def members_of(dataset: Dataset, pin: Pin) -> list[int]:
    """Practice positions a pin speaks of, its anchor last. An existing body is all its practices where it is frozen,
    and is stood for by its largest practice where it is an anchor."""
    members = [dataset.index[code] for code in dict.fromkeys(pin.practices)]
    if pin.with_:
        members.append(dataset.index[pin.with_])
    if pin.body:
        today = [i for i, p in enumerate(dataset.practices) if p.existing.get(pin.scale) == pin.body]
        members += today if pin.kind == "frozen" else [max(today, key=lambda i: (dataset.practices[i].patients, -i))]
    return members


def spelt(dataset: Dataset, pin: Pin) -> Pin:
    """The pin with practices in the place of an existing body's code."""
    codes = [dataset.practices[i].code for i in members_of(dataset, pin)]
    if not pin.body:
        return pin
    if pin.kind == "frozen":
        return pin.model_copy(update={"practices": tuple(codes), "body": "", "name": pin.name or f"body {pin.body}"})
    return pin.model_copy(update={"with_": codes[-1], "body": ""})


def name_of(dataset: Dataset, pin: Pin) -> str:
    """What a pin's body is called: by the pin, or else today where it names a body of today; "" where neither says."""
    names = (p.existing_names.get(pin.scale, "") for p in dataset.practices if p.existing.get(pin.scale) == pin.body)
    return pin.name or (next(filter(None, names), "") if pin.body else "")
