"""Budgets by need: what each practice and body would have as a fair share, how far today is from it, what is carried
over, and who gains and loses when practices share one budget.

A fair share is by patients × need index. The whole is what bodies and practices have today where finances.csv says so,
else the scenario's budget a head (EVIDENCE 2.4). Cash for care: no part of what is compared with running-cost
allowances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset, Structure
from optimiser.scenario_models import Scenario
from optimiser.wishes import members

Floats = NDArray[np.float64]
EQUAL = "an equal amount a head"
GIVEN = "today's budgets"
A_PENNY = 0.01  # £ a head: less is no gain


@dataclass(frozen=True)
class Budgets:
    """£ a year of every practice, in the dataset's order.

    weighted: patients × need index. fair: its share of the whole by that. today: what it has, NaN where nobody says.
    inherited: £ carried over, NaN likewise. basis: what gains and losses are counted from; `has` holds the amounts.
    """

    patients: Floats
    weighted: Floats
    fair: Floats
    today: Floats
    inherited: Floats
    basis: str
    has: Floats

    @cached_property
    def known(self) -> bool:
        """Whether anybody says what there is today."""
        return bool(np.isfinite(self.today).any())


@dataclass(frozen=True)
class BodyBudget:
    """One body, £ a year. need: mean need index. today, inherited: None where not all its practices' are known.
    gainers, losers: practices that would get more, or less, than they have if the body shared by need what its members
    have; moved: what would change hands."""

    scale: str
    code: str
    name: str
    patients: int
    need: float | None
    fair: float
    today: float | None
    inherited: float | None
    gainers: int
    losers: int
    moved: float

    @property
    def distance(self) -> float | None:
        """Distance from target, a fraction: (today − fair share) / fair share."""
        return self.today / self.fair - 1 if self.today is not None and self.fair else None


def budgets(dataset: Dataset, scenario: Scenario) -> Budgets:
    """Fair shares, and what is known of today. ValueError where nobody has any need (no patients, or index 0)."""
    patients = dataset.patients.astype(float)
    weighted = patients * np.array([p.need_index for p in dataset.practices])
    if not weighted.sum() > 0:
        raise ValueError("no need-weighted population to share a budget among")
    today, inherited = np.full(len(patients), np.nan), np.full(len(patients), np.nan)
    of = members(dataset)
    for row in dataset.finances:
        own = list(of[row.who])
        need = weighted[own].sum()
        share = weighted[own] / need if need else np.full(len(own), 1 / len(own))
        for values, amount in ((today, row.budget), (inherited, row.inherited)):
            if amount is not None:
                values[own] = amount * share
    said = np.isfinite(today)
    if said.any() and weighted[said].sum() > 0:
        each, basis, has = today[said].sum() / weighted[said].sum(), GIVEN, today
    else:
        whole = scenario.risk.budget_per_head * patients.sum()
        each, basis, has = whole / weighted.sum(), EQUAL, np.full(len(patients), whole) * patients / patients.sum()
    return Budgets(patients, weighted, weighted * each, today, inherited, basis, has)


def grouped(found: Budgets, structure: Structure, scale: str) -> Floats:
    """£ a year of every practice if each body of the scale shared by need what its members have; NaN where one of them
    is not known."""
    of = structure.membership[scale]
    n = len(structure.bodies[scale])
    whole = np.bincount(of, weights=found.has, minlength=n)
    need = np.bincount(of, weights=found.weighted, minlength=n)
    share = np.divide(found.weighted, need[of], out=np.zeros_like(found.weighted), where=need[of] > 0)
    return np.where(need[of] > 0, whole[of] * share, found.has)


def body_budgets(found: Budgets, structure: Structure, scale: str) -> tuple[BodyBudget, ...]:
    """Every body of a scale, in the structure's order."""
    change = grouped(found, structure, scale) - found.has
    worth = A_PENNY * found.patients
    rows = []
    for body in structure.bodies[scale]:
        own = list(body.members)
        rows.append(
            BodyBudget(
                scale,
                body.code,
                body.name,
                body.patients,
                float(found.weighted[own].sum() / body.patients) if body.patients else None,
                float(found.fair[own].sum()),
                _known(found.today[own]),
                _known(found.inherited[own]),
                int((change[own] > worth[own]).sum()),
                int((change[own] < -worth[own]).sum()),
                float(np.nan_to_num(change[own]).clip(min=0).sum()),
            )
        )
    return tuple(rows)


def _known(values: Floats) -> float | None:
    whole = float(values.sum())
    return whole if np.isfinite(whole) else None
