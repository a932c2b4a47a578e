"""The exact cost of a placement, from the priced ground: what the certificate's objective is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Contract
from optimiser.errors import SolverError
from optimiser.placement_costs import CELL_FORCES, Ground
from optimiser.placement_limits import excess
from optimiser.placement_options import may
from optimiser.providers import grade
from optimiser.scenario_models import PLACEMENT, Scenario

Picks = NDArray[np.int64]  # anchors × services → option
FORCES = (*CELL_FORCES, "contracts", "footprints", "pathways", "insurance")
ROUNDING = 1e-6  # £: below this, spend equal to the materiality cut is not above it


@dataclass(frozen=True)
class Step:
    """A contract costs `extra` £ more a year once the spend it carries passes `above` £ (or reaches it, for grades)."""

    above: float
    extra: float


@dataclass(frozen=True)
class Valuation:
    """terms: force → £ a year, refunds included, summing to total. rows: force → anchors × services, £: as terms but
    for refunds, joint costs shared among the rows that cause them. variance: £² by pool.
    """

    terms: Mapping[str, float]
    rows: Mapping[str, NDArray[np.float64]]
    contracts: tuple[Contract, ...]
    variance: NDArray[np.float64]

    @property
    def total(self) -> float:
        """£ a year."""
        return sum(self.terms.values())


def contract_steps(ground: Ground, provider: int) -> tuple[Step, ...]:
    """How the cost of one contract with a provider rises with the spend it carries."""
    scenario = ground.scenario
    income, cut, rules = float(ground.flows.income[provider]), float(ground.cut[provider]), scenario.contracts
    rates = [0.0] + [
        scenario.share("contracts", PLACEMENT) * scenario.rate("contracts", g) for g in ("small", "associate", "lead")
    ]
    above = [cut, max(cut, rules.associate_share * income), max(cut, rules.lead_share * income)]
    return tuple(Step(a, after - before) for a, (before, after) in zip(above, pairwise(rates), strict=True))


def pathway_price(scenario: Scenario) -> float:
    """£ a year for each scale beyond the first that a pathway is spread over, in one anchor body."""
    return scenario.share("pathways", PLACEMENT) * scenario.rate("pathways")


def evaluate(ground: Ground, picks: Picks) -> Valuation:
    """Cost a placement. Raises SolverError when it breaks a rule: every service of every anchor body exactly once, with
    an option that covers that body, may hold the service and is used by all the bodies it covers."""
    _check(ground, picks)
    n, s = picks.shape
    rows = {force: np.zeros((n, s)) for force in FORCES}
    used: dict[int, list[int]] = defaultdict(list)
    for service in range(s):
        for option in np.unique(picks[:, service]).tolist():
            used[option].append(service)
    for option, services in used.items():
        c = list(ground.options[option].anchors)
        for force in CELL_FORCES:
            rows[force][np.ix_(c, services)] = ground.cells[option][force][:, services]
    contracts = _contracts(ground, used, rows["contracts"])
    _footprints(ground, used, rows["footprints"])
    _pathways(ground, picks, rows["pathways"])
    variance = _insurance(ground, used, rows["insurance"])
    terms = {force: float(table.sum()) + ground.refunds.get(force, 0.0) for force, table in rows.items()}
    return Valuation(terms, rows, contracts, variance)


def _check(ground: Ground, picks: Picks) -> None:
    for s in range(picks.shape[1]):
        for option in np.unique(picks[:, s]).tolist():
            chosen = ground.options[option]
            if tuple(np.flatnonzero(picks[:, s] == option)) != chosen.anchors or not may(
                chosen, ground.dataset.services[s], {}
            ):
                raise SolverError(f"the placement of {ground.dataset.services[s].id} with {chosen.name} breaks a rule")


def _contracts(ground: Ground, used: Mapping[int, list[int]], cost: NDArray[np.float64]) -> tuple[Contract, ...]:
    """Contracts of every body above materiality; their cost shared over the spend they carry."""
    made: list[Contract] = []
    rules = ground.scenario.contracts
    for option, services in used.items():
        chosen = ground.options[option]
        if chosen.local:
            continue
        c, before = list(chosen.anchors), len(made)
        carried = ground.flows.cube[np.ix_(c, range(len(ground.cut)), services)]
        for p, spend in enumerate(carried.sum(axis=(0, 2)).tolist()):
            if spend <= ground.cut[p] + ROUNDING:
                continue
            income = float(ground.flows.income[p])
            share = spend / income
            price = sum(k.extra for k in contract_steps(ground, p) if _passes(spend, k, float(ground.cut[p])))
            made.append(
                Contract(chosen.code, ground.dataset.providers[p].code, grade(share, rules), share, spend, price)
            )
            cost[np.ix_(c, services)] += price * carried[:, p] / spend
        if excess(ground, option, len(made) - before, len(services)):
            raise SolverError(f"{chosen.name} would hold more contracts or services than it can manage")
    return tuple(made)


def _passes(spend: float, step: Step, cut: float) -> bool:
    return spend > cut + ROUNDING and (step.above <= cut or spend >= step.above)


def _footprints(ground: Ground, used: Mapping[int, list[int]], cost: NDArray[np.float64]) -> None:
    fee = ground.scenario.share("footprints", PLACEMENT) * ground.scenario.rate("footprints")
    for option, services in used.items():
        if ground.options[option].opens:
            at = np.ix_(list(ground.options[option].anchors), services)
            cost[at] += fee / cost[at].size


def _pathways(ground: Ground, picks: Picks, cost: NDArray[np.float64]) -> None:
    price = pathway_price(ground.scenario)
    for services in ground.pathways.values():
        for c in range(len(picks)):
            scales = {ground.options[o].scale for o in picks[c, list(services)]}
            cost[c, list(services)] += price * (len(scales) - 1) / len(services)


def _insurance(ground: Ground, used: Mapping[int, list[int]], cost: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cost of idle reserve on each pool's joint variance, shared over rows by the variance they bring."""
    variance = np.zeros(len(ground.pools))
    for option, services in used.items():
        for pool, people in ground.holding[option]:
            variance[pool] += people.sum() * ground.variance[services].sum()
    per = np.divide(ground.insurance_rate, np.sqrt(variance), out=np.zeros_like(variance), where=variance > 0)
    for option, services in used.items():
        for pool, people in ground.holding[option]:
            at = np.ix_(list(ground.options[option].anchors), services)
            cost[at] += per[pool] * np.outer(people, ground.variance[services])
    return variance
