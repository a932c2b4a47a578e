"""Insurance risk in closed form: the luck of who falls ill, how it shrinks with size, and what does not shrink.

Overspend in a year, as a share of budget, is taken as normal with sd = cv_person / √N (EVIDENCE 2.1.2), plus a common
shock (winter, drug prices, policy) of fixed sd that no pool can shrink (EVIDENCE 2.1.3). What pooling can change is
priced; the common shock is reported apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

from optimiser.domain import Service
from optimiser.scenario_tables import Risk

LADDER = (10_000, 30_000, 50_000, 100_000, 200_000, 300_000, 500_000, 1_000_000, 5_000_000)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rung:
    """One pool size of the ladder. Shares are of the year's budget; reserve_gbp is the 95 % reserve in £."""

    population: int
    sd: float
    over_1_percent: float
    over_2_percent: float
    reserve_95: float
    reserve_99: float
    reserve_gbp: float


def quantile(confidence: float) -> float:
    """Standard deviations that cover a one-sided confidence (1.645 at 0.95)."""
    return float(ndtri(confidence))


def overspend_sd(population: ArrayLike, risk: Risk, common_shock: bool = False) -> Array:
    """Sd of a year's overspend as a share of budget, for each population (any shape). NaN for nobody, who has no
    budget; ValueError below 0."""
    people = np.asarray(population, dtype=float)
    if (people < 0).any():
        raise ValueError(f"a population of {people.min():g}")
    own = risk.cv_person / np.sqrt(np.where(people > 0, people, np.nan))
    return np.hypot(own, risk.common_shock_sd) if common_shock else own


def probability_overspend(population: ArrayLike, tolerance: float, risk: Risk, common_shock: bool = False) -> Array:
    """P(a year's overspend exceeds `tolerance` × budget) by luck alone, for each population."""
    return probability_exceeds(tolerance, overspend_sd(population, risk, common_shock))


def probability_exceeds(tolerance: float, sd: ArrayLike) -> Array:
    """P(a normal overspend with these sds, of any shape, exceeds the tolerance); 0 where nothing varies, or where there
    is nothing to overspend (NaN)."""
    spread = np.nan_to_num(np.asarray(sd, dtype=float))
    at = np.divide(tolerance, spread, out=np.full(spread.shape, np.inf), where=spread != 0)
    return np.asarray(ndtr(-at))


def reserve_share(
    population: ArrayLike, risk: Risk, confidence: float | None = None, common_shock: bool = False
) -> Array:
    """The share of budget set aside so that more is needed with chance 1 − confidence (the scenario's by default)."""
    z = quantile(risk.reserve_confidence if confidence is None else confidence)
    return z * overspend_sd(population, risk, common_shock)


@overload
def reserve(population: float, risk: Risk) -> float: ...
@overload
def reserve(population: NDArray, risk: Risk) -> Array: ...
def reserve(population: float | NDArray, risk: Risk) -> float | Array:
    """£ set aside by a body of this many people for the luck that pooling can change: z × cv × budget per head × √N."""
    pounds = quantile(risk.reserve_confidence) * risk.cv_person * risk.budget_per_head * np.sqrt(population)
    return pounds if isinstance(pounds, np.ndarray) else float(pounds)


def variance_per_head(services: Iterable[Service], risk: Risk) -> float:
    """£² per head a year of a set of services held together: over-dispersion × Σ λ m² (1 + c²)."""
    return risk.overdispersion * sum(s.variance_per_head for s in services)


def passes_rule(population: ArrayLike, risk: Risk) -> NDArray[np.bool_]:
    """Whether a body of this size keeps P(overspend > rule_tolerance) within rule_probability, unpooled."""
    return passes_share(overspend_sd(population, risk), risk)


def passes_share(sd: ArrayLike, risk: Risk) -> NDArray[np.bool_]:
    """The same for bodies whose overspend has these standard deviations, shares of what each holds."""
    return np.asarray(probability_exceeds(risk.rule_tolerance, sd) <= risk.rule_probability)


def smallest_passing(risk: Risk, common_shock: bool = False) -> float:
    """The fewest people that keep the risk rule: cv² / ((tolerance / z)² − shock²); infinite where the shock alone
    breaks it."""
    allowed = risk.rule_tolerance / quantile(1 - risk.rule_probability)
    left = allowed**2 - (risk.common_shock_sd**2 if common_shock else 0.0)
    return risk.cv_person**2 / left if left > 0 else float("inf")


def ladder(risk: Risk, populations: Sequence[int] = LADDER, budget_per_head: float | None = None) -> tuple[Rung, ...]:
    """How big a pool: one rung for each population (EVIDENCE 2.1.2). budget_per_head: £, the scenario's by default."""
    budget = risk.budget_per_head if budget_per_head is None else budget_per_head
    n = np.asarray(populations, dtype=float)
    columns = (
        overspend_sd(n, risk),
        probability_overspend(n, 0.01, risk),
        probability_overspend(n, 0.02, risk),
        reserve_share(n, risk, 0.95),
        reserve_share(n, risk, 0.99),
        reserve_share(n, risk, 0.95) * n * budget,
    )
    return tuple(Rung(int(p), *(float(v) for v in row)) for p, *row in zip(populations, *columns, strict=True))
