"""Why a practice is in its body: the price of each alternative, what it is made of, what forbids it, and what would
have to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from optimiser.domain import Body, Dataset, Structure
from optimiser.errors import DataError, LimitReached, Problem, SolverError
from optimiser.explain_scale import Local, ScaleAround, changed_terms, who_moves
from optimiser.forces import STRUCTURE_FORCES
from optimiser.pins import members_of
from optimiser.scenario import Scenario
from optimiser.scenario_checks import called

WORTH = 1.0  # £ a year: less is rounding
MOST_FACTOR = 10.0  # of a rate
STEPS = 8  # of the search for a break-even
NEAR = 1e-4  # of a rate: closer is the same
MOVED_BY = {"engagement": ("engagement", "likeness")}  # forces that a rate carries besides its own


@dataclass(frozen=True)
class BreakEven:
    """At factor × today's rate the alternative costs as much as the plan as it stands, both priced at that rate, the
    alternative formed anew. None: no factor from 0 to MOST_FACTOR does it."""

    rate: str
    factor: float | None


@dataclass(frozen=True)
class Alternative:
    """What moves with the practice stands in another body (to: its code, "" alone). price: £ a year more than the plan
    over all scales; None where it cannot be. least: no such plan is cheaper than this. terms: force → £ a year more,
    summing to price. broken: the rules that a bare move breaks, or that forbid it. moved: positions of other practices
    that change body at this scale. free: codes of the bodies formed anew."""

    to: str
    name: str
    price: float | None
    least: float | None
    terms: Mapping[str, float] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    moved: tuple[int, ...] = ()
    free: tuple[str, ...] = ()
    too_large: bool = False
    break_even: BreakEven | None = None

    @property
    def proved(self) -> bool:
        """Whether the price is the least there is."""
        return self.price is not None and self.least is not None and self.price - self.least < WORTH


@dataclass(frozen=True)
class WhyThere:
    """One scale. group: positions of the practices that move as one, the practice among them. saved: £ a year that the
    plan's own bodies here could be bettered by with nothing asked; inf never. settled: why nothing could move, in
    words; then there are no alternatives."""

    scale: str
    body: Body
    group: tuple[int, ...]
    alternatives: tuple[Alternative, ...]
    saved: float = 0.0
    settled: str = ""

    @property
    def nearest(self) -> Alternative | None:
        """The cheapest alternative there is."""
        possible = [a for a in self.alternatives if a.price is not None]
        return min(possible, key=lambda a: (a.price, a.to)) if possible else None


@dataclass(frozen=True)
class Explanation:
    """Why a practice (its position) is where it is, scale by scale from small to large. pins: those that name it, in
    words."""

    practice: int
    scales: tuple[WhyThere, ...]
    pins: tuple[str, ...]


def find_practice(dataset: Dataset, wanted: str) -> int:
    """Position of a practice by code, or by its name however capitals and spaces are written. DataError naming the
    nearest where there is none, or all that are called so where there are several."""
    asked = " ".join(wanted.split()).casefold()
    codes = {p.code.casefold(): i for i, p in enumerate(dataset.practices)}
    if asked in codes:
        return codes[asked]
    named: dict[str, list[int]] = {}
    for i, p in enumerate(dataset.practices):
        named.setdefault(" ".join(p.name.split()).casefold(), []).append(i)
    found = named.get(asked, [])
    if len(found) == 1:
        return found[0]
    if found:
        listed = ", ".join(dataset.practices[i].code for i in found)
        several = f"{wanted} is the name of {len(found)} practices"
        raise DataError(Problem(several, "PRACTICE", mend=f"Give a code: {listed}."))
    near = get_close_matches(asked, [*codes, *named], 3, 0.5)
    guesses = dict.fromkeys(i for text in near for i in ([codes[text]] if text in codes else named[text]))
    told = " or ".join(f"{dataset.practices[i].code} ({dataset.practices[i].name})" for i in guesses)
    mend = f"Did you mean {told}?" if told else "Codes and names are those of practices.csv."
    raise DataError(Problem(f"practice {wanted} is not in the dataset", "PRACTICE", mend=mend))


def explain(dataset: Dataset, scenario: Scenario, structure: Structure, practice: int) -> Explanation:
    """The alternatives of a practice at every scale of a structure, priced by local re-optimisation (explain_scale).

    scenario: its scales_used are those of the structure. Raises SolverError where a solution does not cost what its
    programme said.
    """
    pins = tuple(
        f"pins[{n}] ({called(pin)})"
        for n, pin in enumerate(scenario.pins, start=1)
        if practice in members_of(dataset, pin)
    )
    scales = tuple(_at(dataset, scenario, structure, name, practice) for name in structure.scales)
    return Explanation(practice, scales, pins)


def _at(dataset: Dataset, scenario: Scenario, structure: Structure, name: str, practice: int) -> WhyThere:
    scale, body = scenario.scale(name), structure.body_of(name, practice)
    try:
        around = ScaleAround(dataset, scenario, structure, name, practice)
    except LimitReached as fault:
        return WhyThere(name, body, (practice,), (), settled=f"it cannot be priced: {fault.problems[0].what}")
    group = tuple(around.group.tolist())
    if len(around.bodies) == 1:
        return WhyThere(name, body, group, (), settled=f"it is the only {scale.label} there is")
    if around.stands_alone:
        frozen = body.agreed or around.mover in around.problem.frozen
        why = "it was agreed beforehand: nobody joins it, and nobody leaves it"
        large = f"it has more patients than a {scale.label} may have, and is one by itself"
        return WhyThere(name, body, group, (), settled=why if frozen else large)
    found = [_alternative(around, to) for to in around.neighbours()]
    if len(group) < len(body.members):
        found.append(_alternative(around, None))
    found.sort(key=lambda a: (a.price is None, a.price or 0.0, a.to))
    here = WhyThere(name, body, group, tuple(found), _saved(around))
    nearest = here.nearest
    if nearest is None or nearest.price is None or nearest.price <= WORTH:
        return here
    known = replace(nearest, break_even=_break_even(around, practice, nearest))
    return replace(here, alternatives=tuple(known if a is nearest else a for a in found))


def _alternative(around: ScaleAround, to: int | None) -> Alternative:
    code, name = ("", "") if to is None else (around.bodies[to].code, around.bodies[to].name)
    forbidden = tuple(around.broken_above(to)) if to is not None else ()
    if forbidden:
        return Alternative(code, name, None, None, broken=forbidden)
    found, broken = around.move(to), tuple(around.broken_here(to))
    if found is None:
        return Alternative(code, name, None, None, broken=broken, too_large=around.too_large)
    terms = _terms(around, found)
    price = sum(terms.values())
    moved = who_moves(around.of, found.membership[around.name], around.dataset.patients)
    others = tuple(i for i in moved.tolist() if i not in around.group)
    free = tuple(around.bodies[b].code for b in found.free)
    least = price - (found.objective - found.bound)
    return Alternative(code, name, price, least, terms, broken, others, free)


def _terms(around: ScaleAround, found: Local) -> dict[str, float]:
    """Force → £ a year more over all scales that change."""
    total: dict[str, float] = {}
    for scale, after in found.membership.items():
        before = around.structure.membership[scale]
        for force, pounds in changed_terms(around.dataset, around.scenario, scale, before, after).items():
            total[force] = total.get(force, 0.0) + pounds
    return {force: total[force] for force in STRUCTURE_FORCES if abs(total.get(force, 0.0)) > 1e-6}


def _saved(around: ScaleAround) -> float:
    found = around.stay()
    return max(0.0, -sum(_terms(around, found).values())) if found is not None else 0.0


def _break_even(around: ScaleAround, practice: int, nearest: Alternative) -> BreakEven | None:
    """The factor of the rate that matters most at which the price is nothing.

    The price, least over ways to form bodies, is a concave function of one rate, and each way found is a line above it:
    going to where the last line meets nothing comes to the factor from one side (Dinkelbach 1967).
    """
    scenario = around.scenario
    position = {b.code: k for k, b in enumerate(around.bodies)}
    to = position[nearest.to] if nearest.to else None
    carried: dict[str, tuple[str, ...]] = {
        rate: MOVED_BY.get(rate, (rate,))
        for rate in STRUCTURE_FORCES
        if rate != "leverage" and scenario.on(rate) and rate in scenario.rates
    }
    slopes = {rate: sum(nearest.terms.get(f, 0.0) for f in forces) for rate, forces in carried.items()}
    rate = max(slopes, key=lambda r: abs(slopes[r]), default="")
    if not rate or abs(slopes[rate]) < WORTH or nearest.price is None:
        return None
    price, slope, factor = nearest.price, slopes[rate], 1.0
    for _ in range(STEPS):
        if slope == 0.0:
            return BreakEven(rate, None)
        further = 1.0 - price / slope
        if (further - 1.0) * (1.0 if slopes[rate] < 0 else -1.0) <= 0:
            return BreakEven(rate, None)
        ahead = min(max(further, 0.0), MOST_FACTOR)
        if abs(ahead - factor) < NEAR:
            return BreakEven(rate, factor if ahead == further else None)
        factor = ahead
        moved = scenario.with_rate(rate, factor)
        again = ScaleAround(around.dataset, moved, around.structure, around.name, practice)
        found = again.move(to, prove=False)
        if found is None:
            raise SolverError(Problem("an alternative that was there is gone at another rate", around.name))
        if sum(_terms(again, found).values()) > WORTH and ahead != further:
            return BreakEven(rate, None)
        terms = _terms(around, found)  # the same bodies at today's rates
        price, slope = sum(terms.values()), sum(terms.get(f, 0.0) for f in carried[rate])
    return BreakEven(rate, factor)
