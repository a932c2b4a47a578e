"""The placement as an integer programme: PuLP builds it, HiGHS solves it, and what HiGHS itself proved is read back.

z[o,s]: option o holds service s. Insurance is the square root of what a pool holds, a submodular function of a set of
rows, so for any order of the rows the sum of their marginal reserves in that order is a linear function that is never
above the reserve, and equals it on the sets that begin the order. Such pieces are added where the relaxation breaks
them: the programme's bound is thus a bound for the exact cost. Amounts are in £ thousands to keep the matrix tame.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pulp
from numpy.typing import NDArray

from optimiser.errors import Infeasible, Problem
from optimiser.placement_costs import Ground
from optimiser.placement_options import Firm, may
from optimiser.placement_value import contract_steps, pathway_price
from optimiser.scenario_models import PLACEMENT

UNIT = 1000.0
Variables = Mapping[tuple[int, int], pulp.LpVariable]
Costs = list[tuple[pulp.LpVariable, float]]


@dataclass(frozen=True)
class Pool:
    """What a risk pool may hold. reserve: variable, in parts of the greatest. weights: £² of each row that it may hold;
    held: for each row, the variables that bring it (at most one of them is 1)."""

    reserve: pulp.LpVariable
    weights: NDArray[np.float64]
    held: tuple[tuple[pulp.LpVariable, ...], ...]

    def slopes(self, order: NDArray[np.integer]) -> NDArray[np.float64]:
        """By row: its marginal reserve when rows are added in this order, in parts of the greatest."""
        running = np.sqrt(np.cumsum(self.weights[order]) / self.weights.sum())
        out = np.empty_like(running)
        out[order] = np.diff(running, prepend=0.0)
        return out


@dataclass(frozen=True)
class Programme:
    """The model and its handles. z: (option, service) → variable. constant: £ that no variable carries."""

    model: pulp.LpProblem
    z: Variables
    pools: tuple[Pool, ...]
    constant: float


def build(ground: Ground, firm: Firm) -> Programme:
    """The whole programme, but for the pieces of insurance that `solve` adds. firm: wishes that bind."""
    model = pulp.LpProblem("placement", pulp.LpMinimize)
    z = {
        (o, s): model.add_variable(f"z_{o}_{s}", cat="Binary")
        for o, option in enumerate(ground.options)
        for s, service in enumerate(ground.dataset.services)
        if may(option, service, firm)
    }
    cost: Costs = []
    for o in range(len(ground.options)):
        linear = ground.linear(o).sum(axis=0)
        cost += [(z[o, s], float(linear[s])) for s in range(len(linear)) if (o, s) in z and linear[s]]
    _coverage(model, ground, z)
    cost += _contracts(model, ground, z)
    cost += _openings(model, ground, z)
    cost += _pathways(model, ground, z)
    pools = _insurance(model, ground, z)
    cost += [(p.reserve, ground.insurance_rate * float(np.sqrt(p.weights.sum()))) for p in pools]
    model.setObjective(pulp.LpAffineExpression([(variable, pounds / UNIT) for variable, pounds in cost]))
    first_scales = pathway_price(ground.scenario) * len(ground.pathways) * len(ground.anchors)
    return Programme(model, z, pools, sum(ground.refunds.values()) - first_scales)


def _coverage(model: pulp.LpProblem, ground: Ground, z: Variables) -> None:
    """Every service of every anchor body exactly once."""
    holders: dict[tuple[int, int], list[pulp.LpVariable]] = defaultdict(list)
    for (o, s), variable in z.items():
        for c in ground.options[o].anchors:
            holders[c, s].append(variable)
    for c, anchor in enumerate(ground.anchors):
        for s, service in enumerate(ground.dataset.services):
            if not holders[c, s]:
                raise Infeasible(Problem(f"nobody may commission {service.id} for {anchor.name}", "wishes"))
            model += pulp.lpSum(holders[c, s]) == 1, f"once_{c}_{s}"


def _contracts(model: pulp.LpProblem, ground: Ground, z: Variables) -> Costs:
    """A contract's cost rises in steps with the spend it carries; an anchor body manages only so many."""
    cost = []
    for o, option in enumerate(ground.options):
        if option.local:
            continue
        bought = ground.bought(o)
        mine = [s for s in range(bought.shape[1]) if (o, s) in z]
        held = []
        for p in np.flatnonzero(bought[:, mine].sum(axis=1) > ground.cut).tolist():
            spend = {s: float(bought[p, s]) for s in mine if bought[p, s] > 0}
            most = sum(spend.values())
            steps = [k for k in contract_steps(ground, p) if k.above < most]
            levels = [model.add_variable(f"contract_{o}_{p}_{k}", cat="Binary") for k in range(len(steps))]
            cost += [(y, k.extra) for y, k in zip(levels, steps, strict=True)]
            held.append(levels[0])
            for k, (y, step) in enumerate(zip(levels, steps, strict=True)):
                carried = pulp.LpAffineExpression([(z[o, s], amount / most) for s, amount in spend.items()])
                model += carried <= step.above / most + (1 - step.above / most) * y, f"carried_{o}_{p}_{k}"
                if k:
                    model += y <= levels[k - 1], f"grade_{o}_{p}_{k}"
            for s, amount in spend.items():
                alone = [y for y, step in zip(levels, steps, strict=True) if amount > step.above]
                if alone:
                    model += z[o, s] <= alone[-1], f"needs_{o}_{p}_{s}"
        limit = ground.scenario.contracts.most_relationships
        if option.kind == "anchor" and len(held) > limit:
            model += pulp.lpSum(held) <= limit, f"relationships_{o}"
    return cost


def _openings(model: pulp.LpProblem, ground: Ground, z: Variables) -> Costs:
    fee = ground.scenario.share("footprints", PLACEMENT) * ground.scenario.rate("footprints")
    cost = []
    for o, option in enumerate(ground.options):
        mine = [s for s in range(len(ground.variance)) if (o, s) in z]
        if option.opens and mine and fee:
            opened = model.add_variable(f"open_{o}", cat="Binary")
            cost.append((opened, fee))
            for s in mine:
                model += z[o, s] <= opened, f"opens_{o}_{s}"
    return cost


def _pathways(model: pulp.LpProblem, ground: Ground, z: Variables) -> Costs:
    """£ for each scale that a pathway is spread over; `build` gives the first one back."""
    price = pathway_price(ground.scenario)
    cost: Costs = []
    scales = list(dict.fromkeys(o.scale for o in ground.options))
    for w, services in enumerate(ground.pathways.values() if price else ()):
        for c in range(len(ground.anchors)):
            for k, scale in enumerate(scales):
                mine = [
                    [
                        z[o, s]
                        for o, option in enumerate(ground.options)
                        if option.scale == scale and c in option.anchors and (o, s) in z
                    ]
                    for s in services
                ]
                if any(mine):
                    used = model.add_variable(f"pathway_{w}_{c}_{k}", lowBound=0, upBound=1)
                    cost.append((used, price))
                    for s, here in zip(services, mine, strict=True):
                        if here:
                            model += pulp.lpSum(here) <= used, f"on_{w}_{c}_{k}_{s}"
    return cost


def _insurance(model: pulp.LpProblem, ground: Ground, z: Variables) -> tuple[Pool, ...]:
    """A reserve for each pool, with two pieces below it: rows from the largest and from the smallest."""
    if not ground.insurance_rate:
        return ()
    rows: dict[int, dict[tuple[int, int], tuple[float, list[pulp.LpVariable]]]] = defaultdict(dict)
    for (o, s), variable in z.items():
        for number, people in ground.holding[o]:
            for c, part in zip(ground.options[o].anchors, people, strict=True):
                if weight := part * float(ground.variance[s]):
                    rows[number].setdefault((c, s), (weight, []))[1].append(variable)
    pools = []
    for number, held in rows.items():
        together: dict[tuple[pulp.LpVariable, ...], float] = defaultdict(float)
        for weight, variables in held.values():
            together[tuple(variables)] += weight
        reserve = model.add_variable(f"reserve_{number}", lowBound=0)
        pool = Pool(reserve, np.array(list(together.values())), tuple(together))
        for k, order in enumerate((np.argsort(pool.weights, kind="stable"), np.argsort(-pool.weights, kind="stable"))):
            piece = [(v, float(m)) for vs, m in zip(pool.held, pool.slopes(order), strict=True) for v in vs]
            model += reserve >= pulp.LpAffineExpression(piece), f"under_{number}_{k}"
        pools.append(pool)
    return tuple(pools)
