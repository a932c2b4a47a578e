"""What it costs to keep each decision taken beforehand: the plan against the best found without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from optimiser.clock import Clock
from optimiser.domain import Dataset, Structure
from optimiser.errors import LimitReached
from optimiser.few_members import too_few
from optimiser.given import pin_breaches
from optimiser.hierarchy import Hierarchy, build, restructure
from optimiser.nesting import Report, silent
from optimiser.partition.budget import Budget, Progress
from optimiser.scenario import Scenario
from optimiser.sensitivity import moved_share

ALL = 0  # stands for every pin at once


@dataclass(frozen=True)
class PinCost:
    """What keeping a pin costs the structure (services are not placed again).

    pin: its number from 1, or ALL. cost: £ a year, the plan less the cheapest found without the pin; a difference of
    two searches, so an estimate. least, most: £ a year between which the true difference lies, from the bounds of both
    problems. Where what was found without the pin keeps it all the same, it costs nothing, and any difference is the
    search's. in_full: planned anew without it, with the plan's own seed and budget; otherwise only improved from the
    plan. patients_moved_share: patients who would be in another anchor body without it.
    """

    pin: int
    cost: float
    least: float
    most: float
    in_full: bool
    patients_moved_share: float


def pin_costs(
    dataset: Dataset,
    scenario: Scenario,
    hierarchy: Hierarchy,
    seed: int,
    budget: Budget,
    clock: Clock,
    report: Report = silent,
) -> tuple[tuple[PinCost, ...], bool]:
    """All pins together (where there are several), then each by itself, frozen bodies first; and whether the clock left
    any out.

    Without all of them, and without each frozen body, the structure is planned anew; other pins are lifted from the
    plan, which is then improved. No plan without one pin costs less than the bound on plans without any.
    """
    frozen = [n for n, pin in enumerate(scenario.pins, start=1) if pin.kind == "frozen"]
    others = [n for n in range(1, len(scenario.pins) + 1) if n not in frozen]
    order = [ALL, *frozen, *others] if len(scenario.pins) > 1 else [*frozen, *others]
    cost = sum(c.objective for c in hierarchy.certificates.values())
    proved = sum(c.bound for c in hierarchy.certificates.values())
    anchor = scenario.anchor_scale
    before = hierarchy.structure.membership[anchor]
    found: list[PinCost] = []
    floor = -np.inf
    for number in order:
        in_full = number == order[0] or number in frozen
        free = scenario.model_copy(update={"pins": _without(scenario, number)})
        structure, least, bound, cut = _freed(dataset, free, hierarchy, seed, budget, in_full, clock)
        if cut:
            return tuple(found), True
        floor = max(floor, bound) if not free.pins else floor
        lifted = (pin for pin in scenario.pins if pin not in free.pins)
        kept = not any(list(pin_breaches(dataset, pin, structure)) for pin in lifted)
        without = cost if kept else min(least, cost)
        found.append(
            PinCost(
                pin=number,
                cost=cost - without,
                least=max(0.0, proved - without),
                most=max(0.0, cost - max(bound, floor)),
                in_full=in_full,
                patients_moved_share=moved_share(before, structure.membership[anchor], dataset.patients),
            )
        )
        what = f"without pins[{number}]" if number else "without pins"
        report(Progress("pins", what, clock.elapsed(), -np.inf, least, len(structure.bodies[anchor])))
    return tuple(found), False


def _without(scenario: Scenario, number: int) -> tuple:
    return tuple(pin for n, pin in enumerate(scenario.pins, start=1) if number not in (ALL, n))


def _freed(
    dataset: Dataset, free: Scenario, hierarchy: Hierarchy, seed: int, full: Budget, anew: bool, clock: Clock
) -> tuple[Structure, float, float, bool]:
    """The cheapest structure found under the freed scenario, its £ a year, a bound on all of them (−inf without a
    budget to plan anew with), and whether the clock cut the work."""
    choices, bound = [(hierarchy.structure, np.inf)], -np.inf
    try:
        if anew and not clock.over():
            made = build(dataset, free, seed, replace(full, seconds=clock.left(), stop=clock.stop))
            bound = sum(c.bound for c in made.certificates.values())
            choices.append((made.structure, sum(c.objective for c in made.certificates.values())))
            if made.cut:
                return *choices[-1], bound, True
        effort = replace(full, rounds=0, seconds=clock.left(), stop=clock.stop)
        structure, cost, cut = restructure(dataset, free, hierarchy.structure, seed, effort)
        choices.append((structure, cost))
    except LimitReached:
        cut = clock.over()  # else no other plan was met: the one there is keeps the freed rules too
    return *min(choices, key=lambda choice: (too_few(dataset, free, choice[0]), choice[1])), bound, cut
