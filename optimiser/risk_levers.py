"""Ways to bear luck other than size: what each does to the money a body must set aside (EVIDENCE 2.1.3, item 5).

All pure and in closed form. Chance is taken as normal and independent from year to year; the common shock (winter,
prices, policy) is taken to last, so that neither pooling nor averaging over years shrinks it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from optimiser.errors import Problem, ScenarioError
from optimiser.risk import quantile


@dataclass(frozen=True)
class Position:
    """A body's exposure. budget: £ a year, its indicative budget, of which percentages are. luck, shock: sd in £ of
    chance and of the common shock."""

    budget: float
    luck: float
    shock: float

    @property
    def sd(self) -> float:
        """£, chance and shock together."""
        return float(np.hypot(self.luck, self.shock))


def requirement(position: Position, ruin: float, common_shock: bool = True) -> float:
    """£ that a year's overspend exceeds with chance `ruin`; never below 0."""
    return max(0.0, quantile(1 - _chance(ruin))) * (position.sd if common_shock else position.luck)


def smoothed(position: Position, years: int) -> Position:
    """Overspends averaged over years: chance shrinks by their root, the shock does not. ScenarioError below one."""
    if years < 1:
        raise ScenarioError(Problem(f"smoothing over {years} years", rule="One year is none.", mend="Give 1 to 3."))
    return replace(position, luck=position.luck / years**0.5)


@dataclass(frozen=True)
class Corridor:
    """What a corridor leaves. requirement: £ set aside. passed_on: £ a year that others pay on average, and get back on
    average from years as lucky."""

    requirement: float
    passed_on: float


def corridor(position: Position, width: float, own_share: float, ruin: float) -> Corridor:
    """Beyond ± width × budget a body bears only own_share of an over- or underspend; others the rest. width 0 and share
    0 pass on everything."""
    if width < 0 or not 0 <= own_share <= 1:
        raise ScenarioError(
            Problem(f"a corridor of {width:g} with a share of {own_share:g}", rule="Width ≥ 0, share from 0 to 1.")
        )
    edge, worst = width * position.budget, requirement(position, ruin)
    kept = worst if worst <= edge else edge + own_share * (worst - edge)
    if position.sd == 0:
        return Corridor(kept, 0.0)
    at = edge / position.sd
    beyond = position.sd * (np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi) - at * ndtr(-at))
    return Corridor(kept, float((1 - own_share) * beyond))


def beyond_contingency(position: Position, contingency: float, ruin: float) -> float:
    """£ still to set aside when a share of budget is kept back each year; never below 0."""
    return max(0.0, requirement(position, ruin) - contingency * position.budget)


def _chance(ruin: float) -> float:
    if not 0 < ruin < 1:
        raise ScenarioError(Problem(f"a probability of ruin of {ruin:g}", rule="It lies between 0 and 1."))
    return ruin
