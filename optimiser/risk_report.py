"""Insurance risk of a plan, for reports: of every body that answers for services, and of every way to bear it.

Service risk is another number, never added to this one (service_risk.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from optimiser.clock import never
from optimiser.domain import Dataset, Placement, Structure
from optimiser.risk import probability_exceeds, quantile
from optimiser.risk_held import Basis, Held, basis, held
from optimiser.risk_lever_rows import LeverRow, lever_rows
from optimiser.risk_model import Portfolio
from optimiser.risk_pool import Group, Objection, game, objection, pooling, transfers
from optimiser.risk_simulation import Years, simulate
from optimiser.scenario_models import Scenario

TOLERANCES = (0.01, 0.02, 0.05, 0.10)  # of budget (EVIDENCE 2.10b)


@dataclass(frozen=True)
class BodyRisk:
    """A body that answers for services. Shares are of the budget of what it holds.

    dispersion: over-dispersion of its people. equivalent: how many average people who hold the whole catalogue would
    have as much luck per pound. sd, sd_with_shock: shares. over, over_with_shock: by tolerance, in closed form;
    simulated, simulated_with_shock: the same from simulated years, empty where none were drawn. pool, pool_with_shock:
    the smallest share that a year exceeds with the chance of ruin at most; pool_simulated: from simulated years, shock
    included. one_in_twenty: the overspend by luck that one year in twenty exceeds, simulated where years were drawn.
    """

    code: str
    scale: str
    people: float
    services: int
    budget: float
    dispersion: float
    equivalent: float
    sd: float
    sd_with_shock: float
    over: tuple[float, ...]
    over_with_shock: tuple[float, ...]
    simulated: tuple[float, ...]
    simulated_with_shock: tuple[float, ...]
    pool: float
    pool_with_shock: float
    pool_simulated: float | None
    one_in_twenty: float


@dataclass(frozen=True)
class Pool:
    """Bodies of the anchor scale with one pool. £ and shares of their budgets together; _luck: without the common
    shock. flat, fair: whether anybody gains by leaving under each way to pay."""

    code: str
    scale: str
    members: tuple[str, ...]
    budget: float
    alone: float
    alone_luck: float
    held: float
    held_luck: float
    flat: Objection
    fair: Objection


@dataclass(frozen=True)
class Contribution:
    """What one member pays, £: alone, at the pool's flat percentage, and in proportion to the risk it adds."""

    pool: str
    member: str
    budget: float
    alone: float
    flat: float
    fair: float


@dataclass(frozen=True)
class Subsidy:
    """Under the flat percentage, £ that one member pays for another's risk."""

    pool: str
    payer: str
    receiver: str
    pounds: float


@dataclass(frozen=True)
class RiskReport:
    """years: simulated; cut: fewer than asked, as a clock or a person ended the work. ruin: the chance that a pool is
    short. cv: variation per person of everybody's luck, were all services held together: the scenario's stands for it
    in the optimiser, this one is the catalogue's, with need, age and turnover."""

    years: int
    cut: bool
    seed: int
    ruin: float
    cv: float
    basis: Basis
    bodies: tuple[BodyRisk, ...]
    levers: tuple[LeverRow, ...]
    pools: tuple[Pool, ...]
    contributions: tuple[Contribution, ...]
    subsidies: tuple[Subsidy, ...]


def risk_report(
    dataset: Dataset,
    scenario: Scenario,
    structure: Structure,
    placement: Placement | None,
    seed: int,
    stop: Callable[[], bool] = never,
) -> RiskReport | None:
    """Insurance risk of a plan; None where the dataset has no services. seed: of the simulation, which `stop` ends
    early."""
    if not any(s.cost_per_head > 0 for s in dataset.services):
        return None
    found = held(dataset, scenario, structure, placement)
    luck = scenario.risk
    years = simulate(found.by_holder, luck.common_shock_sd, luck.simulated_years, seed, stop=stop)
    groups = pooling(dataset, scenario, structure)
    pools = [pool_of(found.brought, scenario, group) for group in groups]
    paid = [row for group in groups for row in contributions(found.brought, scenario, group)]
    return RiskReport(
        years=len(years),
        cut=len(years) < luck.simulated_years,
        seed=seed,
        ruin=1 - luck.reserve_confidence,
        cv=person_cv(found),
        basis=basis(dataset, luck),
        bodies=tuple(_bodies(found, scenario, years, person_cv(found))),
        levers=tuple(lever_rows(found, scenario, groups)),
        pools=tuple(pools),
        contributions=tuple(paid),
        subsidies=tuple(s for pool in pools for s in _subsidies(pool, [c for c in paid if c.pool == pool.code])),
    )


def person_cv(found: Held) -> float:
    """Standard deviation of a year's cost of one person who has every service, over its mean; 0 where none is."""
    whole = found.whole
    people, budget = float(whole.people.sum()), float(whole.budget.sum())
    return float(np.sqrt(whole.variance.sum() * people) / budget) if budget else 0.0


def _bodies(found: Held, scenario: Scenario, years: Years, cv: float) -> Iterator[BodyRisk]:
    luck, portfolio = scenario.risk, found.by_holder
    z = quantile(luck.reserve_confidence)
    own = portfolio.sd_share
    both = np.hypot(own, luck.common_shock_sd)
    for b, (scale, code) in enumerate(found.holders):
        drawn: list[tuple[float, ...]] = [(), ()]
        simulated, twentieth = None, quantile(0.95) * float(own[b])
        if len(years):
            seen = [years.overspend(b, shock) for shock in (False, True)]
            drawn = [tuple(float((year > t).mean()) for t in TOLERANCES) for year in seen]
            simulated = max(0.0, float(np.quantile(seen[1], luck.reserve_confidence)))
            twentieth = float(np.quantile(seen[0], 0.95))
        yield BodyRisk(
            code=code,
            scale=scale,
            people=float(portfolio.people[b]),
            services=int((portfolio.cases[b] > 0).sum()),
            budget=float(portfolio.budget[b]),
            dispersion=float(portfolio.dispersion[b]),
            equivalent=float((cv / own[b]) ** 2) if own[b] > 0 else 0.0,
            sd=float(own[b]),
            sd_with_shock=float(both[b]),
            over=tuple(float(probability_exceeds(t, own[b])) for t in TOLERANCES),
            over_with_shock=tuple(float(probability_exceeds(t, both[b])) for t in TOLERANCES),
            simulated=drawn[0],
            simulated_with_shock=drawn[1],
            pool=z * float(own[b]),
            pool_with_shock=z * float(both[b]),
            pool_simulated=simulated,
            one_in_twenty=twentieth,
        )


def pool_of(brought: Portfolio, scenario: Scenario, group: Group) -> Pool:
    """A group's pool. brought: what each body of the anchor scale answers for."""
    played, luck = game(brought, scenario, group), game(brought, scenario, group, common_shock=False)
    return Pool(
        code=group.code,
        scale=group.scale,
        members=tuple(brought.codes[m] for m in group.members),
        budget=float(played.budget.sum()),
        alone=float(played.alone.sum()),
        alone_luck=float(luck.alone.sum()),
        held=played.held,
        held_luck=luck.held,
        flat=objection(played, played.flat),
        fair=objection(played, played.fair),
    )


def contributions(brought: Portfolio, scenario: Scenario, group: Group) -> Iterator[Contribution]:
    """What each member of a group's pool pays, in the group's order."""
    played = game(brought, scenario, group)
    columns = (played.budget, played.alone, played.flat, played.fair)
    for member, *row in zip(group.members, *columns, strict=True):
        yield Contribution(group.code, brought.codes[member], *(float(value) for value in row))


def _subsidies(pool: Pool, paid: Sequence[Contribution]) -> Iterator[Subsidy]:
    flat, fair = (np.array([getattr(row, name) for row in paid]) for name in ("flat", "fair"))
    for payer, receiver, pounds in transfers(flat, fair):
        yield Subsidy(pool.code, paid[payer].member, paid[receiver].member, pounds)
