"""Who gains and who loses when one map takes the place of another, practice by practice: the way to the centre of
their body, whether their council is its main one, and what it would have were the budget shared by need inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.budgets import A_PENNY, Budgets, grouped
from optimiser.domain import NO_BODY, Dataset, Structure
from optimiser.partition_distance import shared
from optimiser.scenario import Scenario
from optimiser.standing import Standing

Floats = NDArray[np.float64]
A_KILOMETRE = 1.0  # nearer or farther by less is no gain
EVERYBODY_NAMED = (  # what is counted, what gaining means, what losing means
    ("distance", "nearer to the centre of their body by 1 km or more", "farther by 1 km or more"),
    ("council", "come into the main council of their body", "leave it"),
    ("budget", "would have more, were budgets shared by need inside bodies", "would have less"),
)


@dataclass(frozen=True)
class Stand:
    """By practice under one map at one scale; NaN where it is in no body. km: to the centre of its body. inside: 1
    where its council is the one that most patients of its body live in. budget: £ a year, NaN where nobody says."""

    km: Floats
    inside: Floats
    budget: Floats


@dataclass(frozen=True)
class Count:
    """practices, patients, and deprived: patients of the region's most deprived fifth."""

    practices: int
    patients: int
    deprived: int


@dataclass(frozen=True)
class Effect:
    """One kind of gain, with those who have it and those who have its contrary. known: whether anything can be said."""

    name: str
    better: str
    worse: str
    gain: Count
    lose: Count
    known: bool


def stand(dataset: Dataset, scenario: Scenario, structure: Structure, scale: str, money: Budgets | None) -> Stand:
    """Where every practice stands under a map. money: None where budgets differ by nothing."""
    bodies, of = structure.bodies[scale], structure.membership[scale]
    real = np.array([b.name != NO_BODY for b in bodies])[of]
    centre = np.array([b.centre for b in bodies])[of]
    km = np.hypot(*(dataset.xy - dataset.xy[centre]).T) / 1000
    _, home = np.unique(np.array(dataset.authority_of(scenario.scale(scale).authority_tier)), return_inverse=True)
    main = shared(of, home, dataset.patients).argmax(axis=1)
    nothing = np.full(len(of), np.nan)
    budget = grouped(money, structure, scale) if money is not None else nothing
    return Stand(
        np.where(real, km, np.nan),
        np.where(real, (main[of] == home).astype(float), np.nan),
        np.where(real, budget, np.nan),
    )


def effects(dataset: Dataset, before: Stand, after: Stand) -> tuple[Effect, ...]:
    """Who gains and who loses from the one to the other, in the order of `EVERYBODY_NAMED`."""
    deprived = Standing.of(dataset).deprived
    worth = {"distance": np.full(len(deprived), A_KILOMETRE), "council": np.full(len(deprived), 0.5),
             "budget": A_PENNY * dataset.patients}  # fmt: skip
    change = {
        "distance": before.km - after.km,
        "council": after.inside - before.inside,
        "budget": after.budget - before.budget,
    }

    return tuple(
        Effect(
            name, better, worse, count(dataset, change[name] >= worth[name]),
            count(dataset, change[name] <= -worth[name]), bool(np.isfinite(change[name]).any()),
        )
        for name, better, worse in EVERYBODY_NAMED
    )  # fmt: skip


def count(dataset: Dataset, chosen: NDArray[np.bool_]) -> Count:
    """How many some practices are. chosen: by practice."""
    deprived = Standing.of(dataset).deprived
    return Count(int(chosen.sum()), int(dataset.patients[chosen].sum()), int(dataset.patients[chosen & deprived].sum()))
