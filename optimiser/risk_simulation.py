"""Years of luck, drawn case by case in effect: what the closed form takes as normal, with its true tail.

A service's cases in a year are negative binomial (Poisson about a gamma level). The sum of n gamma costs is one gamma
draw, exactly; the sum of n log-normal costs is one shifted log-normal with the sum's first three moments, exact for one
case and in the limit of many. One shock a year, normal, the same for all bodies, stands apart, as no pool shrinks it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from optimiser.clock import never
from optimiser.risk_model import Floats, Portfolio

YEARS = 100_000
CHUNK = 1_000  # years that are drawn together, from a stream of their own
LEAST = 1e-9  # over-dispersion of counts: so little is as good as none, and needs no case of its own


@dataclass(frozen=True)
class Years:
    """Simulated years. luck: years × bodies, a year's overspend by luck as a share of the body's budget (0 where it has
    none). shock: by year, the same share for every body. budget: £ by body."""

    luck: NDArray[np.float32]
    shock: Floats
    budget: Floats

    def __len__(self) -> int:
        return len(self.shock)

    def overspend(self, body: int, common_shock: bool = False) -> Floats:
        """By year, as a share of the body's budget; 0 where it has none."""
        luck = self.luck[:, body].astype(float)
        return luck + self.shock if common_shock and self.budget[body] > 0 else luck

    def pooled(self, bodies: list[int], common_shock: bool = False) -> Floats:
        """By year, of these bodies together, as a share of their budgets together. ZeroDivisionError without any."""
        whole = float(self.budget[bodies].sum())
        if whole <= 0:
            raise ZeroDivisionError("a pool without budget has no overspend")
        luck = sum(self.luck[:, b].astype(float) * (self.budget[b] / whole) for b in bodies)
        return np.asarray(luck + self.shock if common_shock else luck)


def simulate(
    portfolio: Portfolio,
    common_shock_sd: float,
    years: int = YEARS,
    seed: int = 1,
    threads: int | None = None,
    stop: Callable[[], bool] = never,
) -> Years:
    """Draw years of luck. common_shock_sd: a share of budget. threads: as many as the program may use by default; the
    same bytes whatever they are, since each chunk of years has its own stream. stop: once it says True the chunks
    drawn so far are the answer (perhaps none)."""
    starts = range(0, years, CHUNK)

    def draw(start: int) -> tuple[NDArray[np.float32], Floats] | None:
        if stop():
            return None
        stream = np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(start // CHUNK,)))
        return _draw(portfolio, common_shock_sd, min(CHUNK, years - start), Generator(stream))

    luck = np.zeros((years, len(portfolio.codes)), dtype=np.float32)
    shock, drawn = np.zeros(years), 0
    with ThreadPoolExecutor(threads or numba.get_num_threads()) as pool:
        for start, found in zip(starts, pool.map(draw, starts), strict=True):
            if found is None:
                break
            drawn = start + len(found[1])
            luck[start:drawn], shock[start:drawn] = found
    return Years(luck[:drawn], shock[:drawn], portfolio.budget)


def _draw(portfolio: Portfolio, shock: float, years: int, random: Generator) -> tuple[NDArray[np.float32], Floats]:
    spent = np.zeros((years, len(portfolio.codes)))
    dispersion, heavy, budget = portfolio.count_dispersion, portfolio.heavy, portfolio.budget
    for s in np.flatnonzero((portfolio.cases > 0).any(axis=0) & (portfolio.cost > 0)).tolist():
        holders = np.flatnonzero(portfolio.cases[:, s])
        n = _counts(portfolio.cases[holders, s], dispersion[holders, s], years, random)
        price = _heavy_sum if heavy[s] else _gamma_sum
        spent[:, holders] += price(n, float(portfolio.cost[s]), float(portfolio.cv[s]), random)
    luck = np.divide(spent, budget, out=np.ones_like(spent), where=budget > 0) - 1
    return luck.astype(np.float32), shock * random.standard_normal(years)


def _counts(expected: Floats, dispersion: Floats, years: int, random: Generator) -> Floats:
    """years × bodies: how many cases. dispersion: variance over mean."""
    extra = np.maximum(dispersion - 1, LEAST)
    level = random.standard_gamma(expected / extra, (years, len(expected))) * extra
    return random.poisson(level).astype(float)


def _gamma_sum(n: Floats, cost: float, cv: float, random: Generator) -> Floats:
    """£ of n cases, each gamma with this mean and variation."""
    if cv == 0:
        return n * cost
    return random.standard_gamma(n / cv**2) * (cost * cv**2)


def _heavy_sum(n: Floats, cost: float, cv: float, random: Generator) -> Floats:
    """£ of n cases, each log-normal: shifted log-normal with the mean, the variance and the skewness of their sum.

    The skewness g of a log-normal with w = exp(σ²) is (w + 2) √(w − 1), a cubic in w with the one root below.
    """
    cases = np.maximum(n, 1.0)
    g2 = (cv**3 + 3 * cv) ** 2 / cases
    root = np.cbrt(1 + g2 / 2 + np.sqrt(g2 + g2**2 / 4))
    w = root + 1 / root - 1
    middle = cost * cv * np.sqrt(cases / (w - 1))
    spread = np.sqrt(np.log(w))
    drawn = random.standard_normal(n.shape)
    return np.where(n > 0, cases * cost + middle * (np.exp(spread * drawn - spread**2 / 2) - 1), 0.0)
