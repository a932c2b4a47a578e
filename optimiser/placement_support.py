"""How each management function gets done: with an own team, shared, hosted or bought (EVIDENCE 2.2; seeds 001 and 004).

A function whose natural scale is planned costs nothing here: its fixed team is in that body's management cost. Where no
such body is planned, a body makes it alone, buys it on the market, or one of several hosts a team for all of them,
whichever is cheapest. Where the scenario wants an own team for everything, so is every function's. Teams that grow with
people cost the same however they are organised, so only the market's mark-up on them counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Literal

import numpy as np

from optimiser import costing
from optimiser.domain import Body, Dataset, Function, FunctionMode, Structure
from optimiser.placement_options import anchor_position
from optimiser.scenario_models import PLACEMENT, Scenario

TEAM_SERVES = 1_000_000  # people, where the scenario declares no supporting scale (EVIDENCE 1.13)


def support(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[FunctionMode, ...]:
    """Every function × anchor body, in that order; cost in £ a year."""
    charged = scenario.share("support", PLACEMENT)
    bodies = structure.bodies[scenario.anchor_scale]
    neighbours = _neighbours(dataset, scenario, structure)
    found = []
    for function in dataset.functions:
        ways = _Ways(function, scenario)
        planned = {b.code: way for b in bodies if (way := _planned(function, b, scenario, structure)) is not None}
        hosted = _hosted(ways, [b for b in bodies if b.code not in planned], neighbours, scenario)
        for body in bodies:
            way = planned.get(body.code) or hosted.get(body.code) or ways.alone_or_market(body)
            found.append(FunctionMode(function.id, body.code, way.mode, way.supplier, way.cost * charged, way.reason))
    return tuple(found)


def done_by_itself(function: Function, scenario: Scenario) -> str:
    """Why a body of the anchor scale does a function with its own team whatever else is planned; "" where it need
    not."""
    if function.delegable == "never":
        return "cannot be delegated: members do it themselves"
    if scenario.costing.support_team == "own":
        return "its own team for every function, in its management cost"
    wanted = function.natural_scale.lower()
    small = any(word in wanted for word in ("practice", "locality", "consortium", scenario.anchor_scale))
    return "its own team, in its management cost" if small and "multi" not in wanted else ""


@dataclass(frozen=True)
class _Way:
    """How one body gets a function done; cost in £ a year."""

    mode: Literal["make", "share", "buy"]
    supplier: str
    cost: float
    reason: str


def _planned(function: Function, body: Body, scenario: Scenario, structure: Structure) -> _Way | None:
    """The way that costs nothing here, its team being in the management cost of a body that is planned; None where none
    is."""
    at = anchor_position(structure, scenario.anchor_scale)
    above = structure.scales[at + 1 :]
    shared = [s for s in above if scenario.scale(s).role == "commissions"]
    bought = [s for s in above if scenario.scale(s).role == "supports"]
    by_itself = done_by_itself(function, scenario)
    if by_itself:
        return _Way("make", body.code, 0.0, by_itself)
    wanted = function.natural_scale.lower()
    if shared and any(word in wanted for word in ("alliance", "multi", *shared)):
        ally = structure.body_of(shared[0], body.members[0])
        return _Way("share", ally.code, 0.0, f"shared in {ally.name}, in its management cost")
    if bought and function.delegable == "yes":
        agency = structure.body_of(bought[0], body.members[0])
        return _Way("buy", agency.code, 0.0, f"bought from {agency.name}, in its management cost")
    return None


class _Ways:
    """What a function costs where no body of the structure does it."""

    def __init__(self, function: Function, scenario: Scenario):
        suppliers = [s.min_patients for s in scenario.scale_tables.values() if s.role == "supports" and s.min_patients]
        self.function, self.scenario = function, scenario
        self.team = function.fixed_wte * scenario.costing.wte_gbp
        self.serves = min(suppliers, default=TEAM_SERVES)

    def alone_or_market(self, body: Body) -> _Way:
        """The cheaper of an own team and the market."""
        if self.function.delegable != "yes":
            why = "no body of its natural scale is planned, and it may only partly be delegated"
            return _Way("make", body.code, self.team, why)
        part = self.team * min(1.0, body.patients / self.serves)
        per_head = costing.variable_per_head([self.function], self.scenario.costing)
        team = 0.0 if self.function.in_placement else per_head * body.patients
        market = part + self.scenario.rate("support") * (part + team)
        if market < self.team:
            return _Way("buy", "market", market, f"£{self.team - market:,.0f} a year cheaper on the market than alone")
        return _Way("make", body.code, self.team, f"£{market - self.team:,.0f} a year cheaper alone than on the market")

    def together(self, group: Sequence[Body]) -> list[float]:
        """£ a year of each when the first hosts the team: a part by patients, and for the others an agreement with the
        host. A team serves so many people as a supplier's does; more take more of it."""
        people = sum(b.patients for b in group)
        team = self.team * max(1.0, people / self.serves)
        agreement = self.scenario.rate("agreements", "framework")
        parts = [b.patients / people if people else 1 / len(group) for b in group]
        return [team * part + (agreement if k else 0.0) for k, part in enumerate(parts)]


def _hosted(
    ways: _Ways, bodies: Sequence[Body], neighbours: Mapping[str, frozenset[str]], scenario: Scenario
) -> dict[str, _Way]:
    """Bodies that one of them hosts a team for: the host whose group saves most first, then the next among those left.
    What a host saves only falls as others find theirs, so only the best known offer is looked at again."""
    found: dict[str, _Way] = {}
    plural = scenario.scale(scenario.anchor_scale).plural

    def offer(host: Body) -> tuple[float, int, str]:
        """(£ a year saved, less first; patients of the host, fewer first; its code), negative for a heap."""
        group = _group(ways, host, [b for b in bodies if b.code in neighbours[host.code] and b.code not in found])
        saved = sum(ways.alone_or_market(b).cost for b in group) - sum(ways.together(group)) if len(group) > 1 else 0.0
        return -saved, -host.patients, host.code

    by_code = {b.code: b for b in bodies}
    offers = [offer(b) for b in bodies] if ways.team else []
    heapify(offers)
    while offers and offers[0][0] < 0:
        host = by_code[heappop(offers)[2]]
        if host.code in found:
            continue
        again = offer(host)
        if offers and again > offers[0]:
            heappush(offers, again)
            continue
        group = _group(ways, host, [b for b in bodies if b.code in neighbours[host.code] and b.code not in found])
        for b, cost in zip(group, ways.together(group), strict=True) if len(group) > 1 else ():
            saving = f"£{ways.alone_or_market(b).cost - cost:,.0f} a year cheaper than alone or on the market"
            role = "its own team, hosted" if b is host else f"hosted by {host.name}"
            found[b.code] = _Way("share", host.code, cost, f"{role} for {len(group)} {plural}, {saving}")
    return found


def _group(ways: _Ways, host: Body, near: Sequence[Body]) -> list[Body]:
    """The host and those of the bodies near it who pay no more with it than otherwise; nobody else where the host would
    pay more. It shrinks by whoever loses most until nobody does."""
    group = [host, *near]
    while len(group) > 1:
        loss = [cost - ways.alone_or_market(b).cost for b, cost in zip(group, ways.together(group), strict=True)]
        worst = max(range(len(group)), key=lambda k: (loss[k], -group[k].patients, group[k].code))
        if loss[worst] <= 0:
            return group
        if worst == 0:
            break
        del group[worst]
    return [host]


def _neighbours(dataset: Dataset, scenario: Scenario, structure: Structure) -> dict[str, frozenset[str]]:
    """Body → those it may host for or be hosted by: in its alliance, or its agency where no alliance is planned;
    those it touches where neither is."""
    at = anchor_position(structure, scenario.anchor_scale)
    bodies = structure.bodies[scenario.anchor_scale]
    above = sorted(structure.scales[at + 1 :], key=lambda s: scenario.scale(s).role != "commissions")
    if above:
        group = [structure.body_of(above[0], b.members[0]).code for b in bodies]
        beside = [{c for c, other in enumerate(group) if other == mine} for mine in group]
    else:
        of = structure.membership[scenario.anchor_scale]
        beside = [set() for _ in bodies]
        for a, b in np.unique(of[dataset.adjacency], axis=0).tolist():
            beside[a].add(b)
            beside[b].add(a)
    return {
        body.code: frozenset(bodies[c].code for c in near if c != b)
        for b, (body, near) in enumerate(zip(bodies, beside, strict=True))
    }
