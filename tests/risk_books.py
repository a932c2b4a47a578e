"""Portfolios for tests: the catalogue held by bodies of given sizes, or one kind of case."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geodata.catalogue import services
from optimiser.risk_model import Portfolio
from optimiser.scenario import load_scenario

RISK = load_scenario("base").risk


def catalogue(people: Sequence[float], dispersion: float = RISK.overdispersion) -> Portfolio:
    """Bodies that hold the whole catalogue for people of average need."""
    lines, size = services(), np.array(people, dtype=float)
    return Portfolio(
        codes=tuple(f"B{b}" for b in range(len(size))),
        people=size,
        services=tuple(s.id for s in lines),
        cases=np.outer(size, [s.cases_per_1000 / 1000 for s in lines]),
        cost=np.array([s.cost_per_case for s in lines], dtype=float),
        cv=np.array([s.case_cv for s in lines], dtype=float),
        dispersion=np.full(len(size), dispersion),
    )


def one(cases: float, cost: float, cv: float, dispersion: float = 1.0) -> Portfolio:
    """One body with one kind of case."""
    return Portfolio(
        ("B0",), np.array([1_000.0]), ("S",), np.array([[cases]]), np.array([cost]), np.array([cv]),
        np.array([dispersion]),
    )  # fmt: skip
