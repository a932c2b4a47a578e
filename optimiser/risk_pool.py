"""Pools of luck: what a pool must hold, what each member fairly pays, and whether any would be better off outside.

A set S of bodies must hold C(S) = z √(Σ variance + (τ Σ budget)²): luck pools, the common shock τ does not. A member's
risk-proportional part is what its luck and shock add, z cov(member, pool) / sd(pool) (Euler's rule). These parts are in
the core of the pooling game whatever its size: the parts of S sum to z cov(S, pool) / sd(pool) ≤ z sd(S) = C(S), by
Cauchy and Schwarz. A flat percentage of budget need not be: bodies with less luck per pound pay for the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset, Structure
from optimiser.errors import Problem, ScenarioError
from optimiser.placement_options import groups_of_anchors
from optimiser.risk import quantile
from optimiser.risk_model import Portfolio
from optimiser.scenario_models import REGION, Scenario

Floats = NDArray[np.float64]
EXACT = 16  # members up to which every coalition is tried
WORTH = 1e-9  # of what the pool holds: less than this is rounding


@dataclass(frozen=True)
class Game:
    """A pool. variance: £² of luck, and budget: £ a year, by member. shock: sd of the common shock, a share of budget.
    z: standard deviations to be covered. ScenarioError for no members or amounts that are not finite and ≥ 0."""

    variance: Floats
    budget: Floats
    shock: float
    z: float

    def __post_init__(self) -> None:
        if not len(self.variance):
            raise ScenarioError(Problem("a pool without members", rule="Somebody must pay into it."))
        if not all(np.isfinite(v).all() and (v >= 0).all() for v in (self.variance, self.budget)):
            raise ScenarioError(Problem("a member whose budget or variance is below zero or not a number"))

    @property
    def held(self) -> float:
        """£ the pool must hold."""
        return float(self._cost(self.variance.sum(), self.budget.sum()))

    @property
    def alone(self) -> Floats:
        """£ by member, each for itself."""
        return self._cost(self.variance, self.budget)

    @property
    def flat(self) -> Floats:
        """£ by member, the same percentage of everybody's budget."""
        whole = self.budget.sum()
        return self.held * (self.budget / whole if whole else np.zeros(len(self.budget)))

    @property
    def fair(self) -> Floats:
        """£ by member, in proportion to the risk it adds."""
        if not self.held:
            return np.zeros(len(self.budget))
        return self.z**2 * (self.variance + self.shock**2 * self.budget * self.budget.sum()) / self.held

    def _cost(self, variance: Floats, budget: Floats) -> Floats:
        return self.z * np.hypot(np.sqrt(variance), self.shock * budget)


@dataclass(frozen=True)
class Objection:
    """The coalition that gains most by leaving, with what it gains (£); nobody and 0 where none gains. tried: how many
    were tried; every: whether those were all, or enough to know that one exists (docs/method.md)."""

    members: tuple[int, ...]
    gain: float
    tried: int
    every: bool


def objection(game: Game, paid: Floats, most: int = EXACT) -> Objection:
    """Who would be better off outside, when each pays this much (£).

    Up to `most` members every coalition is tried. In larger pools, members alone and coalitions of those who pay most
    for their variance: among them is one that gains if any does, where the shock is nil or payments are flat.
    """
    n = len(paid)
    if n <= most:
        sets = (np.arange(1, 2**n)[:, None] >> np.arange(n) & 1).astype(bool)
    else:
        with np.errstate(over="ignore"):  # next to no variance: first in line in any case
            per_risk = np.divide(paid, game.variance, out=np.full(n, np.inf), where=game.variance > 0)
        order = np.argsort(-per_risk, kind="stable")
        first = np.zeros((n, n), dtype=bool)
        for k, member in enumerate(order):
            first[k:, member] = True
        sets = np.vstack([np.eye(n, dtype=bool), first])
    gains = sets @ paid - game._cost(sets @ game.variance, sets @ game.budget)
    best = int(gains.argmax())
    if gains[best] <= WORTH * max(game.held, 1.0):
        return Objection((), 0.0, len(sets), n <= most)
    return Objection(tuple(np.flatnonzero(sets[best]).tolist()), float(gains[best]), len(sets), n <= most)


def transfers(flat: Floats, fair: Floats) -> tuple[tuple[int, int, float], ...]:
    """Who subsidises whom under flat payments: (payer, receiver, £). What all pay too much goes to those who pay too
    little in proportion to what they lack."""
    over = np.maximum(flat - fair, 0.0)
    short = np.maximum(fair - flat, 0.0)
    whole = short.sum()
    if whole <= WORTH * max(float(fair.sum()), 1.0):
        return ()
    return tuple(
        (int(i), int(j), float(over[i] * short[j] / whole))
        for i in np.flatnonzero(over > 0)
        for j in np.flatnonzero(short > 0)
    )


@dataclass(frozen=True)
class Group:
    """Bodies of the anchor scale (positions) that could have one pool. code, scale: of what they form, or REGION."""

    code: str
    scale: str
    members: tuple[int, ...]


def pooling(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[Group, ...]:
    """Who could pool: the bodies of the anchor scale in each larger body that commissions, then all of them, unless
    one body holds all."""
    anchor = scenario.anchor_scale
    anchors = structure.bodies[anchor]
    found = []
    for scale in structure.scales[structure.scales.index(anchor) + 1 :]:
        if scenario.scale(scale).role == "commissions":
            groups = groups_of_anchors(structure, anchors, scale, dataset.patients)
            found += [Group(b.code, scale, g) for b, g in zip(structure.bodies[scale], groups, strict=True) if g]
    everyone = tuple(range(len(anchors)))
    return (*found, Group(REGION, REGION, everyone)) if everyone not in [g.members for g in found] else tuple(found)


def game(brought: Portfolio, scenario: Scenario, group: Group, common_shock: bool = True) -> Game:
    """The pool of a group. brought: what each body of the anchor scale answers for."""
    members = list(group.members)
    return Game(
        brought.variance[members],
        brought.budget[members],
        scenario.risk.common_shock_sd if common_shock else 0.0,
        quantile(scenario.risk.reserve_confidence),
    )
