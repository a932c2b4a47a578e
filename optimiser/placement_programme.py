"""The placement as an integer programme, whole or a part of it (placement_parts.py): PuLP builds it.

z[o,s]: option o holds service s. Insurance is the square root of what a pool holds, a submodular function of a set of
rows, and a contract's cost rises in steps: linear pieces below both are added where the relaxation breaks them
(placement_cuts.py), so that the programme's bound is a bound for the exact cost. Amounts are in £ thousands to keep the
matrix tame.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pulp
from numpy.typing import NDArray

from optimiser.errors import Infeasible, Problem
from optimiser.placement_costs import Ground
from optimiser.placement_options import Firm, may
from optimiser.placement_parts import Part
from optimiser.placement_value import contract_steps, pathway_price
from optimiser.scenario_models import PLACEMENT

UNIT = 1000.0
Cell = tuple[int, int]  # option, service
Variables = Mapping[Cell, pulp.LpVariable]
Costs = list[tuple[pulp.LpVariable, float]]
Rows = list[tuple[int, tuple[Cell, ...]]]


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
class Grade:
    """A step of a contract. taken: 1 where the spend carried passes `above`. held: the services that may bring spend;
    amounts: what each of them brings. Parts of the most that the contract can carry."""

    taken: pulp.LpVariable
    held: tuple[pulp.LpVariable, ...]
    amounts: NDArray[np.float64]
    above: float


@dataclass(frozen=True)
class Programme:
    """The model and its handles. z: (option, service) → variable. rows: the model's first rows, which place services
    and keep pathways together: the anchor body of each, and the cells that it counts. constant: £ that no variable
    carries."""

    part: Part
    model: pulp.LpProblem
    z: Variables
    pools: tuple[Pool, ...]
    grades: tuple[Grade, ...]
    rows: tuple[tuple[int, tuple[Cell, ...]], ...]
    constant: float


def build(ground: Ground, firm: Firm, part: Part) -> Programme:
    """The programme of a part, but for the pieces that are added where they are broken. firm: wishes that bind."""
    model = pulp.LpProblem("placement", pulp.LpMinimize)
    inside = set(part.anchors)
    z = {
        (o, s): model.add_variable(f"z_{o}_{s}", cat="Binary")
        for o, option in enumerate(ground.options)
        if o in part.owned or not inside.isdisjoint(option.anchors)
        for s, service in enumerate(ground.dataset.services)
        if may(option, service, firm)
    }
    cost: Costs = []
    for o in dict.fromkeys(o for o, _ in z):
        linear = ground.linear(o)[[c in inside for c in ground.options[o].anchors]].sum(axis=0)
        cost += [(z[o, s], float(linear[s])) for s in range(len(linear)) if (o, s) in z and linear[s]]
    rows = _coverage(model, ground, part, z)
    paths, more = _pathways(model, ground, part, z)
    contracts, grades = _contracts(model, ground, part, z)
    cost += paths + contracts + _openings(model, ground, part, z)
    pools = _insurance(model, ground, part, z)
    cost += [(p.reserve, ground.insurance_rate * float(np.sqrt(p.weights.sum()))) for p in pools]
    model.setObjective(pulp.LpAffineExpression([(variable, pounds / UNIT) for variable, pounds in cost]))
    first_scales = pathway_price(ground.scenario) * len(ground.pathways) * len(part.anchors)
    return Programme(model=model, part=part, z=z, pools=pools, grades=grades, constant=-first_scales,
                     rows=tuple(rows + more))  # fmt: skip


def _coverage(model: pulp.LpProblem, ground: Ground, part: Part, z: Variables) -> Rows:
    """Every service of every anchor body exactly once."""
    holders: dict[Cell, list[Cell]] = defaultdict(list)
    for o, s in z:
        for c in ground.options[o].anchors:
            holders[c, s].append((o, s))
    rows = []
    for c in part.anchors:
        for s, service in enumerate(ground.dataset.services):
            if not holders[c, s]:
                raise Infeasible(Problem(f"nobody may commission {service.id} for {ground.anchors[c].name}", "wishes"))
            model += pulp.lpSum(z[cell] for cell in holders[c, s]) == 1, f"once_{c}_{s}"
            rows.append((c, tuple(holders[c, s])))
    return rows


def _contracts(model: pulp.LpProblem, ground: Ground, part: Part, z: Variables) -> tuple[Costs, tuple[Grade, ...]]:
    """A contract's cost rises in steps with the spend it carries."""
    cost: Costs = []
    grades: list[Grade] = []
    for o in part.owned:
        option = ground.options[o]
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
            parts = np.array(list(spend.values())) / most
            for k, (y, step) in enumerate(zip(levels, steps, strict=True)):
                grades.append(Grade(y, tuple(z[o, s] for s in spend), parts, step.above / most))
                carried = pulp.LpAffineExpression([(z[o, s], amount / most) for s, amount in spend.items()])
                model += carried <= step.above / most + (1 - step.above / most) * y, f"carried_{o}_{p}_{k}"
                if k:
                    model += y <= levels[k - 1], f"grade_{o}_{p}_{k}"
        if option.kind == "anchor":
            _limits(model, ground, o, held, [z[o, s] for s in mine])
    return cost, tuple(grades)


def _limits(
    model: pulp.LpProblem, ground: Ground, o: int, held: list[pulp.LpVariable], services: list[pulp.LpVariable]
) -> None:
    """What one anchor body can manage itself."""
    rules = ground.scenario.contracts
    if len(held) > rules.most_relationships:
        model += pulp.lpSum(held) <= rules.most_relationships, f"relationships_{o}"
    if rules.most_services and len(services) > rules.most_services:
        model += pulp.lpSum(services) <= rules.most_services, f"skills_{o}"


def _openings(model: pulp.LpProblem, ground: Ground, part: Part, z: Variables) -> Costs:
    fee = ground.scenario.share("footprints", PLACEMENT) * ground.scenario.rate("footprints")
    cost = []
    for o in part.owned:
        mine = [s for s in range(len(ground.variance)) if (o, s) in z]
        if ground.options[o].opens and mine and fee:
            opened = model.add_variable(f"open_{o}", cat="Binary")
            cost.append((opened, fee))
            for s in mine:
                model += z[o, s] <= opened, f"opens_{o}_{s}"
    return cost


def _pathways(model: pulp.LpProblem, ground: Ground, part: Part, z: Variables) -> tuple[Costs, Rows]:
    """£ for each scale that a pathway is spread over; `build` gives the first one back."""
    price = pathway_price(ground.scenario)
    cost: Costs = []
    rows: Rows = []
    scales = list(dict.fromkeys(o.scale for o in ground.options))
    at: dict[tuple[int, str], list[int]] = defaultdict(list)
    for o in dict.fromkeys(o for o, _ in z):
        for c in ground.options[o].anchors:
            at[c, ground.options[o].scale].append(o)
    for w, services in enumerate(ground.pathways.values() if price else ()):
        for c in part.anchors:
            for k, scale in enumerate(scales):
                mine = [[(o, s) for o in at[c, scale] if (o, s) in z] for s in services]
                if any(mine):
                    used = model.add_variable(f"pathway_{w}_{c}_{k}", lowBound=0, upBound=1)
                    cost.append((used, price))
                    for s, here in zip(services, mine, strict=True):
                        if here:
                            model += pulp.lpSum(z[cell] for cell in here) <= used, f"on_{w}_{c}_{k}_{s}"
                            rows.append((c, tuple(here)))
    return cost, rows


def _insurance(model: pulp.LpProblem, ground: Ground, part: Part, z: Variables) -> tuple[Pool, ...]:
    """A reserve for each pool of the part, with two pieces below it: rows from the largest and from the smallest."""
    if not ground.insurance_rate:
        return ()
    rows: dict[int, dict[tuple[int, int], tuple[float, list[pulp.LpVariable]]]] = defaultdict(dict)
    for o, s, number, c, people in _held(ground, part, z):
        if weight := people * float(ground.variance[s]):
            rows[number].setdefault((c, s), (weight, []))[1].append(z[o, s])
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


def _held(ground: Ground, part: Part, z: Variables) -> Iterator[tuple[int, int, int, int, float]]:
    """Option, service, pool, anchor body and the people it brings, for every pool of the part."""
    for o, s in z:
        for number, people in ground.holding[o]:
            if number in part.pools:
                for c, brought in zip(ground.options[o].anchors, people.tolist(), strict=True):
                    yield o, s, number, c, brought
