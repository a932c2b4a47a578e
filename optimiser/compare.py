"""Plans side by side, measured alike: their scorecards, who moves from one to another, who gains, what all agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Literal

import numpy as np

from optimiser import budgets, gains
from optimiser.domain import Dataset, Structure
from optimiser.errors import Problem, ScenarioError
from optimiser.forces import structure_terms
from optimiser.given import broken_rules
from optimiser.matching import Matched, matched, stable_names, threads
from optimiser.partition_distance import Distance, distance
from optimiser.power import nearest_scale
from optimiser.scenario import Scenario
from optimiser.scorecard import Scorecard, score
from optimiser.settled import Settled, settled

Kind = Literal["today", "run", "drawn"]
SAME_PRICE = 1e-6  # relative: a run priced again agrees with its certificate this far, or its bound is of other costs


@dataclass(frozen=True)
class Proof:
    """What a run proved of itself. status: as its summary says. structure_gap, services_gap: fractions; the latter
    None where it placed no services. objectives, bounds: scale → £ a year. alike: it was planned under the very rates
    and rules, and from the very data, that the comparison is made by."""

    status: str
    structure_gap: float
    services_gap: float | None
    objectives: Mapping[str, float]
    bounds: Mapping[str, float]
    alike: bool


@dataclass(frozen=True)
class Laid:
    """A map laid on the table. name: unique among them. proof: of runs only."""

    name: str
    kind: Kind
    structure: Structure
    proof: Proof | None = None


@dataclass(frozen=True)
class Measured:
    """A map measured by the common scenario. prices: scale → force → £-equivalent a year of its structure. gains: of
    the budget, None where practices' budgets or needs do not differ: (practices that gain, that lose, £ a year that
    change hands) when each body shares by need what its members have, at the scale compared."""

    laid: Laid
    card: Scorecard
    broken: tuple[str, ...]
    prices: Mapping[str, Mapping[str, float]]
    gains: tuple[int, int, float] | None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.laid.name

    @property
    def structure(self) -> Structure:
        """The map itself."""
        return self.laid.structure

    def price(self, scale: str) -> float:
        """£-equivalent a year of one scale."""
        return sum(self.prices[scale].values())


@dataclass(frozen=True)
class Between:
    """Two plans (positions) at one scale that both have. patients, practices: how unlike, weighted by each. moved:
    practices whose body does not live on. split, healed: codes of councils that only the second splits, that only the
    first does. effects: who gains and loses."""

    one: int
    other: int
    scale: str
    matched: Matched
    moved: gains.Count
    patients: Distance
    practices: Distance
    split: tuple[str, ...]
    healed: tuple[str, ...]
    effects: tuple[gains.Effect, ...]


@dataclass(frozen=True)
class Compared:
    """scale: the one that the page speaks of, "" where the plans have none in common. bounds: scale → £ a year, the
    best proved by a run under these very rates and rules.
    basis: what gains of the budget are counted from, "" where there are none."""

    dataset: Dataset
    scenario: Scenario
    plans: tuple[Measured, ...]
    scale: str
    between: tuple[Between, ...]
    settled: Settled | None
    bounds: Mapping[str, float]
    basis: str

    @cached_property
    def deprived(self) -> int:
        """Patients of the most deprived fifth, 0 where deprivation is not known or does not differ."""
        return gains.count(self.dataset, np.ones(len(self.dataset.practices), dtype=bool)).deprived

    @cached_property
    def scales(self) -> tuple[str, ...]:
        """Every scale that any plan has, from small to large."""
        return tuple(s for s in self.scenario.scales_used if any(s in p.structure.scales for p in self.plans))

    @cached_property
    def common(self) -> tuple[str, ...]:
        """Those that every plan has."""
        return tuple(s for s in self.scales if all(s in p.structure.scales for p in self.plans))

    @cached_property
    def threads(self) -> Mapping[str, list[list[int]]]:
        """Common scale → plan → body → the thread that it lives on."""
        return {s: threads(self.dataset, [p.structure for p in self.plans], s) for s in self.common}

    @cached_property
    def names(self) -> Mapping[str, list[list[str]]]:
        """Common scale → plan → body → its name, the same for a body that lives on."""
        drawn = [p.structure for p in self.plans]
        return {s: stable_names(self.dataset, drawn, s, found) for s, found in self.threads.items()}

    def body_name(self, plan: int, scale: str, body: int) -> str:
        """The name of a body in this comparison."""
        if scale in self.names:
            return self.names[scale][plan][body]
        return self.plans[plan].structure.bodies[scale][body].name

    def pair(self, one: int, other: int, scale: str) -> Between | None:
        """What lies between two plans at a scale; None where one of them lacks it."""
        return next((b for b in self.between if (b.one, b.other, b.scale) == (one, other, scale)), None)

    def above_bound(self, plan: Measured, scale: str) -> float | None:
        """(price − bound) / price of one scale, a fraction; None where no run proved a bound under these rates."""
        if scale not in self.bounds or scale not in plan.prices or not plan.price(scale):
            return None
        return (plan.price(scale) - self.bounds[scale]) / plan.price(scale)


def compare(dataset: Dataset, scenario: Scenario, laid: Sequence[Laid], scale: str = "") -> Compared:
    """Measure plans alike and set them side by side. scale: the one to speak of; the anchor scale, or the nearest that
    all have, when left out. Raises ScenarioError: fewer than two plans, or a scale that not all have."""
    if len(laid) < 2:
        raise ScenarioError(
            Problem(
                "only one plan is given", "compare", "It takes two to compare.", "Add another run, map, or `today`."
            )
        )
    common = [s for s in scenario.scales_used if all(s in one.structure.scales for one in laid)]
    if scale and scale not in common:
        offered = f"All have {', '.join(common)}." if common else "They have no scale in common."
        raise ScenarioError(Problem(f"not every plan has the scale {scale!r}", "--scale", offered, "Choose another."))
    at = scale or (nearest_scale(scenario.anchor_scale, common, scenario.scales_used) if common else "")
    money = _money(dataset, scenario)
    plans = tuple(_measured(dataset, scenario, one, common, at, money) for one in laid)
    between = tuple(
        _between(dataset, scenario, plans, (i, j), s, money)
        for i, j in combinations(range(len(plans)), 2)
        for s in scenario.scales_used
        if s in plans[i].structure.scales and s in plans[j].structure.scales
    )
    return Compared(
        dataset, scenario, plans, at, between, _agreed(dataset, plans, at) if at else None, _bounds(plans),
        money.basis if money is not None else "",
    )  # fmt: skip


def _money(dataset: Dataset, scenario: Scenario) -> budgets.Budgets | None:
    """None where neither needs nor budgets of today are told, so that nobody could gain or lose."""
    if (
        not any(row.budget is not None for row in dataset.finances)
        and len({p.need_index for p in dataset.practices}) < 2
    ):
        return None
    return budgets.budgets(dataset, scenario)


def _measured(
    dataset: Dataset,
    scenario: Scenario,
    laid: Laid,
    common: Sequence[str],
    scale: str,
    money: budgets.Budgets | None,
) -> Measured:
    shared = None
    if money is not None and scale:
        found = budgets.body_budgets(money, laid.structure, scale)
        shared = (sum(b.gainers for b in found), sum(b.losers for b in found), sum(b.moved for b in found))
    return Measured(
        laid,
        _scored(dataset, scenario, laid.structure, common),
        broken_rules(dataset, scenario, laid.structure),
        structure_terms(dataset, scenario, laid.structure),
        shared,
    )


def _scored(dataset: Dataset, scenario: Scenario, structure: Structure, common: Sequence[str]) -> Scorecard:
    """Over the scales that all plans have, since a plan of more scales costs more and engages more; measures of any
    other scale are added."""
    whole = score(dataset, scenario, structure)
    if not common or tuple(common) == structure.scales:
        return whole
    alike = score(
        dataset,
        scenario,
        Structure(
            tuple(common), {s: structure.bodies[s] for s in common}, {s: structure.membership[s] for s in common}
        ),
    )
    own = [s for s in structure.scales if s not in common]
    more = {name: m for name, m in whole.region.items() if any(name.endswith(f"_{s}") for s in own)}
    return Scorecard({**alike.region, **more}, whole.bodies)


def _between(
    dataset: Dataset,
    scenario: Scenario,
    plans: Sequence[Measured],
    pair: tuple[int, int],
    scale: str,
    money: budgets.Budgets | None,
) -> Between:
    one, other = (plans[k].structure for k in pair)
    a, b = one.membership[scale], other.membership[scale]
    before, after = (gains.stand(dataset, scenario, s, scale, money) for s in (one, other))
    torn = [_torn(dataset, scenario, s, scale) for s in (one, other)]
    found = matched(dataset, one, other, scale)
    return Between(
        *pair,
        scale,
        found,
        gains.count(dataset, found.moved),
        distance(a, b, dataset.patients),
        distance(a, b, np.ones(len(a))),
        tuple(sorted(torn[1] - torn[0])),
        tuple(sorted(torn[0] - torn[1])),
        gains.effects(dataset, before, after),
    )


def _torn(dataset: Dataset, scenario: Scenario, structure: Structure, scale: str) -> set[str]:
    """Codes of the councils of which practices are in more than one body."""
    home, of = np.array(dataset.authority_of(scenario.scale(scale).authority_tier)), structure.membership[scale]
    return {str(code) for code in np.unique(home) if len(set(of[home == code].tolist())) > 1}


def _agreed(dataset: Dataset, plans: Sequence[Measured], scale: str) -> Settled:
    """Asked of the proposals: of today's map too only where there is but one other."""
    proposals = [k for k, plan in enumerate(plans) if plan.laid.kind != "today"]
    asked = proposals if len(proposals) > 1 else list(range(len(plans)))
    return settled(dataset, {k: plans[k].structure for k in asked}, scale)


def _bounds(plans: Sequence[Measured]) -> dict[str, float]:
    """The best bound by scale that any run proved under the common rates. A run counts only where its structure, priced
    again, costs what its certificate says: else its bound is of other costs."""
    found: dict[str, float] = {}
    for plan in plans:
        proof = plan.laid.proof
        if proof is None or not proof.alike:
            continue
        for scale, bound in proof.bounds.items():
            if scale in plan.prices:
                said = proof.objectives[scale]
                if abs(plan.price(scale) - said) <= SAME_PRICE * max(abs(said), 1.0):
                    found[scale] = max(found.get(scale, bound), bound)
    return found
