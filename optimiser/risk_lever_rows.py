"""What every body of the anchor scale would set aside under each way to bear its luck, side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from optimiser.risk import quantile
from optimiser.risk_held import Held
from optimiser.risk_levers import Position, beyond_contingency, corridor, requirement, smoothed
from optimiser.risk_model import Floats, percentile_of_case, stop_loss
from optimiser.risk_pool import Game, Group, game
from optimiser.scenario_models import REGION, Scenario

PERCENTILE = 0.99  # of a service's cases, for the second stop-loss (EVIDENCE 2.1.1)


@dataclass(frozen=True)
class LeverRow:
    """A body of the anchor scale under one way to bear its luck. kept: £ it sets aside itself; elsewhere: £ that others
    set aside on its behalf, its fair part; both with the common shock. luck: the two without it. share: the two
    together, of its whole indicative budget (0 where it has none). passed_on: £ a year of cost that others bear on
    average."""

    body: str
    lever: str
    setting: str
    kept: float
    elsewhere: float
    luck: float
    share: float
    passed_on: float


@dataclass(frozen=True)
class _Outcome:
    """Of one lever: £ by body."""

    lever: str
    setting: str
    kept: Floats
    elsewhere: Floats
    luck: Floats
    passed_on: Floats


def lever_rows(found: Held, scenario: Scenario, groups: Sequence[Group]) -> Iterator[LeverRow]:
    """Body by body: alone with every service, as placed, then each lever for what it has at the scale of risk, with
    what is commissioned above that staying where it is. groups: who could pool."""
    outcomes = list(_outcomes(found, scenario, groups))
    whole = found.whole.budget
    for a, code in enumerate(found.anchors):
        for o in outcomes:
            kept, elsewhere = float(o.kept[a]), float(o.elsewhere[a])
            share = (kept + elsewhere) / float(whole[a]) if whole[a] > 0 else 0.0
            yield LeverRow(code, o.lever, o.setting, kept, elsewhere, float(o.luck[a]), share, float(o.passed_on[a]))


def _outcomes(found: Held, scenario: Scenario, groups: Sequence[Group]) -> Iterator[_Outcome]:
    levers, shock = scenario.levers, scenario.risk.common_shock_sd
    z, ruin = quantile(scenario.risk.reserve_confidence), 1 - scenario.risk.reserve_confidence
    whole, brought = found.whole, found.brought
    none = np.zeros(len(found.anchors))

    def alone(variance: Floats, budget: Floats) -> tuple[Floats, Floats]:
        """£ with and without the shock."""
        return Game(variance, budget, shock, z).alone, Game(variance, budget, 0.0, z).alone

    def together(variance: Floats, budget: Floats) -> tuple[Floats, Floats]:
        """Each body's fair part of one pool for all, with and without the shock."""
        return Game(variance, budget, shock, z).fair, Game(variance, budget, 0.0, z).fair

    kept, luck = alone(whole.variance, whole.budget)
    yield _Outcome("alone", "every service of its people, nothing shared", kept, none, luck, none)
    placed = _as_placed(found, scenario)
    (own, own_luck), (others, others_luck), (above, above_luck) = placed.own, placed.others, placed.above
    yield _Outcome("as placed", "as the plan places services", own, others, own_luck + others_luck, placed.moved)

    variance, budget = brought.variance, brought.budget
    for lever, setting, most in (
        ("stop-loss", f"beyond £{levers.stop_loss:,.0f} a case", levers.stop_loss),
        ("stop-loss 99", "beyond the 99th percentile of each service's cases",
         percentile_of_case(brought.cost, brought.cv, PERCENTILE)),
    ):  # fmt: skip
        split = stop_loss(brought, most)
        kept, luck = alone(split.kept_variance, split.kept)
        ceded, ceded_luck = together(split.ceded_variance, split.ceded)
        yield _Outcome(lever, setting, kept, above + ceded, luck + above_luck + ceded_luck, split.ceded)

    rare = brought.cost >= levers.carve_out
    left, carved = brought.holding(~rare), brought.holding(rare)
    kept, luck = alone(left.variance, left.budget)
    given, given_luck = together(carved.variance, carved.budget)
    setting = f"services of £{levers.carve_out:,.0f} a case or more to the region"
    yield _Outcome("carve-out", setting, kept, above + given, luck + above_luck + given_luck, carved.budget)

    positions = [Position(float(b), float(v) ** 0.5, shock * float(b)) for b, v in zip(budget, variance, strict=True)]
    for years in range(2, levers.smoothing_years + 1):
        means = [smoothed(p, years) for p in positions]
        kept, luck = (np.array([requirement(p, ruin, with_shock) for p in means]) for with_shock in (True, False))
        yield _Outcome("smoothing", f"averaged over {years} years", kept, above, luck + above_luck, none)

    width, share = levers.corridor, levers.corridor_own_share
    calm = [replace(p, shock=0.0) for p in positions]
    ends = [[corridor(p, width, share, ruin) for p in at] for at in (positions, calm)]
    kept, luck = (np.array([end.requirement for end in at]) for at in ends)
    # What lies beyond goes to others, who need as much less for it as one pool of all needs less than each alone.
    others, others_luck = (
        (np.array([requirement(p, ruin) for p in at]) - own) * _pooled(variance, budget, at_shock, z)
        for at, own, at_shock in ((positions, kept, shock), (calm, luck, 0.0))
    )
    setting = f"bears {share:.0%} of what lies beyond ± {100 * width:g} %"
    passed = np.array([end.passed_on for end in ends[0]])
    yield _Outcome("corridor", setting, kept, above + others, luck + above_luck + others_luck, passed)

    back = levers.contingency * budget
    kept, luck = (
        back + np.array([beyond_contingency(p, levers.contingency, ruin) for p in at]) for at in (positions, calm)
    )
    setting = f"{100 * levers.contingency:g} % kept back every year, and what is still to find"
    yield _Outcome("contingency", setting, kept, above, luck + above_luck, none)

    for scale in dict.fromkeys(group.scale for group in groups):
        fair, fair_luck = none.copy(), none.copy()
        for group in (g for g in groups if g.scale == scale):
            fair[list(group.members)] = game(brought, scenario, group).fair
            fair_luck[list(group.members)] = game(brought, scenario, group, common_shock=False).fair
        label = "the region" if scale == REGION else f"its {scenario.scale(scale).label}"
        yield _Outcome("pool", f"one pool with {label}", none, above + fair, above_luck + fair_luck, none)


def _pooled(variance: Floats, budget: Floats, shock: float, z: float) -> float:
    """What one pool of all holds, of what all would hold alone; 1 where they hold nothing."""
    all_of_them = Game(variance, budget, shock, z)
    alone = float(all_of_them.alone.sum())
    return all_of_them.held / alone if alone else 1.0


@dataclass(frozen=True)
class _AsPlaced:
    """£ by body of the anchor scale, each with and without the common shock: what it sets aside itself; what others do
    for it; what of that is held above the scale of risk. moved: £ a year of spending that others answer for."""

    own: tuple[Floats, Floats]
    others: tuple[Floats, Floats]
    above: tuple[Floats, Floats]
    moved: Floats


def _as_placed(found: Held, scenario: Scenario) -> _AsPlaced:
    z, n = quantile(scenario.risk.reserve_confidence), len(found.anchors)
    itself = np.array([
        found.holders[h] == (scenario.anchor_scale, found.anchors[a])
        for h, a in zip(found.holder, found.anchor, strict=True)
    ])  # fmt: skip
    variance, budget = found.parts.variance, found.parts.budget

    def by_body(pounds: Floats, chosen: NDArray[np.bool_]) -> Floats:
        return np.bincount(found.anchor, weights=pounds * chosen, minlength=n).astype(float)

    def fair(shock: float) -> Floats:
        parts = np.zeros(len(found.holder))
        for h in range(len(found.holders)):
            rows = found.holder == h
            parts[rows] = Game(variance[rows], budget[rows], shock, z).fair
        return parts

    both, luck = fair(scenario.risk.common_shock_sd), fair(0.0)
    own, others, above = ((by_body(both, chosen), by_body(luck, chosen)) for chosen in (itself, ~itself, ~found.local))
    return _AsPlaced(own, others, above, by_body(budget, ~itself))
