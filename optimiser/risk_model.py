"""What luck costs whom: cases and their cost, service by service, with exact mean and variance (EVIDENCE 2.1.3).

Cases of a service in a year are negative binomial, the cost of each is gamma, or log-normal where it varies more than
its mean. Counts are dispersed just so that the variance of their sum is over-dispersion × λ m² (1 + c²): the same as in
the closed form that the optimiser is charged by (risk.py), and it adds up over bodies, so pooling loses none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc, gammaincinv, ndtr, ndtri

from optimiser.errors import Problem, ScenarioError

Floats = NDArray[np.float64]
HEAVY = 1.0  # coefficient of variation of a case's cost above which its tail is log-normal


@dataclass(frozen=True)
class Portfolio:
    """What bodies answer for in a year. codes, people: by body. services: ids. cases: bodies × services, expected, 0
    where the body does not hold the service. cost: £ a case, and cv: its coefficient of variation, by service.
    dispersion: by body, how many times as much its cost varies as with independent cases (1 or more)."""

    codes: tuple[str, ...]
    people: Floats
    services: tuple[str, ...]
    cases: Floats
    cost: Floats
    cv: Floats
    dispersion: Floats

    def __post_init__(self) -> None:
        problems = [
            Problem(f"{what} of {who}: {value:g}", rule=rule, mend="Mend the catalogue, or the scenario's [risk].")
            for what, found, low, rule, names in (
                ("cases", self.cases.min(axis=0, initial=0.0), 0.0, "Cases are 0 or more.", self.services),
                ("cost of a case", self.cost, 0.0, "A cost is 0 or more.", self.services),
                ("variation of a case's cost", self.cv, 0.0, "It is 0 or more.", self.services),
                ("dispersion", self.dispersion, 1.0, "1 is chance alone.", self.codes),
            )
            for who, value in zip(names, found.tolist(), strict=True)
            if not (low <= value < np.inf)
        ]
        if problems:
            raise ScenarioError(*problems)

    @property
    def budget(self) -> Floats:
        """£ a year by body: what the services it holds cost in a year of average luck."""
        return self.cases @ self.cost

    @property
    def variance(self) -> Floats:
        """£² by body, of luck alone."""
        return self.dispersion * (self.cases @ (self.cost**2 * (1 + self.cv**2)))

    @property
    def sd_share(self) -> Floats:
        """Standard deviation of luck as a share of the budget, by body; NaN where there is no budget."""
        budget = self.budget
        return np.divide(np.sqrt(self.variance), budget, out=np.full(len(budget), np.nan), where=budget > 0)

    @property
    def count_dispersion(self) -> Floats:
        """bodies × services: variance over mean of the number of cases."""
        return self.dispersion[:, None] * (1 + self.cv**2) - self.cv**2

    @property
    def heavy(self) -> NDArray[np.bool_]:
        """By service: whether the cost of a case is log-normal, not gamma."""
        return self.cv > HEAVY

    def holding(self, services: Sequence[bool] | NDArray[np.bool_]) -> Portfolio:
        """The same bodies with only the services marked: the rest is carved out."""
        return replace(self, cases=self.cases * np.asarray(services, dtype=bool))

    def grouped(self, codes: Sequence[str], groups: Sequence[Sequence[int] | NDArray[np.int64]]) -> Portfolio:
        """Bodies that each answer for a group of these together; the variance of a group is the sum of theirs. An empty
        group answers for nothing."""
        variance = self.variance
        plain = variance / self.dispersion
        rows = [np.asarray(group, dtype=np.int64) for group in groups]
        return replace(
            self,
            codes=tuple(codes),
            people=np.array([self.people[g].sum() for g in rows]),
            cases=np.array([self.cases[g].sum(axis=0) for g in rows]).reshape(len(rows), len(self.services)),
            dispersion=np.array([variance[g].sum() / plain[g].sum() if plain[g].any() else 1.0 for g in rows]),
        )


def limited_moments(cost: ArrayLike, cv: ArrayLike, most: ArrayLike) -> tuple[Floats, Floats]:
    """E[min(X, most)] in £ and E[min(X, most)²] in £² of a case's cost X. most: £, by service or one for all; 0 leaves
    nothing, infinity everything."""
    m, c, a = np.broadcast_arrays(*(np.asarray(v, dtype=float) for v in (cost, cv, most)))
    first, second = np.minimum(m, a), np.minimum(m, a) ** 2  # right for costs that do not vary
    uncapped, varies = np.isinf(a), c > 0
    first = np.where(uncapped, m, first)
    second = np.where(uncapped, m**2 * (1 + c**2), second)
    gamma = varies & ~uncapped & (c <= HEAVY) & (m > 0)
    if gamma.any():
        k, x = 1 / c[gamma] ** 2, a[gamma]
        scaled, above = x * k / m[gamma], 1 - gammainc(k, x * k / m[gamma])
        first[gamma] = m[gamma] * gammainc(k + 1, scaled) + x * above
        second[gamma] = m[gamma] ** 2 * (1 + c[gamma] ** 2) * gammainc(k + 2, scaled) + x**2 * above
    heavy = varies & ~uncapped & (c > HEAVY) & (m > 0)
    if heavy.any():
        spread = np.sqrt(np.log1p(c[heavy] ** 2))
        x = a[heavy]
        with np.errstate(divide="ignore"):  # log 0 is −∞, and nothing is below it
            at = (np.log(x / m[heavy]) + spread**2 / 2) / spread
        first[heavy] = m[heavy] * ndtr(at - spread) + x * ndtr(-at)
        second[heavy] = m[heavy] ** 2 * (1 + c[heavy] ** 2) * ndtr(at - 2 * spread) + x**2 * ndtr(-at)
    return first, second


def percentile_of_case(cost: ArrayLike, cv: ArrayLike, part: float) -> Floats:
    """£ that the part (0–1) of a service's cases stays below, by service: where a 99th-percentile stop-loss attaches
    (42 CFR 425.604(a)(4), EVIDENCE 2.1.1)."""
    m, c = np.broadcast_arrays(np.asarray(cost, dtype=float), np.asarray(cv, dtype=float))
    found = np.array(m, dtype=float)
    gamma, heavy = (c > 0) & (c <= HEAVY), c > HEAVY
    found[gamma] = m[gamma] * c[gamma] ** 2 * gammaincinv(1 / c[gamma] ** 2, part)
    spread = np.sqrt(np.log1p(c[heavy] ** 2))
    found[heavy] = m[heavy] * np.exp(spread * ndtri(part) - spread**2 / 2)
    return found


@dataclass(frozen=True)
class Split:
    """What a stop-loss does, by body. kept, ceded: £ a year expected of each side; variances in £²."""

    kept: Floats
    kept_variance: Floats
    ceded: Floats
    ceded_variance: Floats


def stop_loss(portfolio: Portfolio, most: ArrayLike) -> Split:
    """Somebody else pays what any one case costs beyond `most` £ (by service or one for all; 0 passes on everything,
    infinity nothing): mean and variance of a negative-binomial number of capped costs, and of what is cut off."""
    a = np.broadcast_to(np.asarray(most, dtype=float), portfolio.cost.shape)
    if (a < 0).any():
        raise ScenarioError(Problem(f"a stop-loss of £{a.min():,.0f} a case", rule="It is 0 or more."))
    first, second = limited_moments(portfolio.cost, portfolio.cv, a)
    over = portfolio.cost - first
    over_2 = portfolio.cost**2 * (1 + portfolio.cv**2) - second - 2 * np.where(np.isinf(a), 0.0, a) * over
    extra = portfolio.count_dispersion - 1
    return Split(
        kept=portfolio.cases @ first,
        kept_variance=(portfolio.cases * (second + extra * first**2)).sum(axis=1),
        ceded=portfolio.cases @ over,
        ceded_variance=np.maximum(0.0, (portfolio.cases * (over_2 + extra * over**2)).sum(axis=1)),
    )
