"""Who treats the region's people and who would work with whom: flows of care, providers' income, relationships."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.demo import gazetteer as gaz
from geodata.demo.people import Surgery, distance
from optimiser.domain import Service

CROSSING_KM = 10.0
SMALLEST_SHARE = 0.025
PRACTICE_NOISE = 0.06
SERVICE_NOISE = 0.02
YEARS_AVERAGED = 5
REFERRED = ("S10", "S11", "S12", "S13", "S22", "S23", "S24")
PRESCRIBED = ("S04",)


@dataclass(frozen=True)
class Flow:
    """A year of one service from one provider for one practice: cases and whole £."""

    practice: str
    provider: str
    service: str
    activity: float
    spend: int


@dataclass(frozen=True)
class Tie:
    """What one practice feels about working with another, −1 to 1."""

    practice: str
    other: str
    strength: float
    confidential: bool


def make_flows(rng: np.random.Generator, surgeries: Sequence[Surgery], services: Sequence[Service]) -> tuple[Flow, ...]:
    """Flows of every service that costs anything, by practice, provider and service.

    Cases are Poisson around rate × list × need (the mean of five years), split among the providers that offer the
    service by pull × exp(−distance / reach); a share below 2.5 % goes to the others.
    """
    away = _distances(surgeries)
    flows = []
    bought = [s for s in services if s.cost_per_head]
    for service, draw in zip(bought, rng.spawn(len(bought)), strict=True):
        expected = _expected_cases(draw, service, surgeries)
        split = draw.multinomial(draw.poisson(YEARS_AVERAGED * expected), _shares(service.id, away))
        for i, k in zip(*np.nonzero(split), strict=True):
            activity = round(int(split[i, k]) / YEARS_AVERAGED, 1)
            spend = round(activity * service.cost_per_case)
            flows.append(Flow(surgeries[i].code, gaz.SELLERS[k].code, service.id, activity, spend))
    return tuple(sorted(flows, key=lambda f: (f.practice, f.provider, f.service)))


def incomes(flows: Sequence[Flow]) -> dict[str, int]:
    """Whole income of each provider, £: what the region pays, and what it earns elsewhere."""
    paid = dict.fromkeys((s.code for s in gaz.SELLERS), 0)
    for flow in flows:
        paid[flow.provider] += flow.spend
    return {s.code: math.ceil(paid[s.code] / (1 - s.elsewhere) / 1000) * 1000 for s in gaz.SELLERS}


def owners(seller: gaz.Seller, surgeries: Sequence[Surgery]) -> tuple[str, ...]:
    """Codes of the practices that own a provider: the nearest ones, in code order."""
    if not seller.owned:
        return ()
    place = _place(seller)
    near = sorted(surgeries, key=lambda s: (s.x - place.x) ** 2 + (s.y - place.y) ** 2)
    return tuple(sorted(s.code for s in near[: seller.owned]))


def make_ties(rng: np.random.Generator, surgeries: Sequence[Surgery]) -> tuple[Tie, ...]:
    """Relationships: the signed practices with their lead and neighbours, some friends elsewhere, and the unwanted."""
    ties: dict[tuple[str, str], Tie] = {}

    def add(a: Surgery, b: Surgery, strength: float, confidential: bool) -> None:
        ties.setdefault((a.code, b.code), Tie(a.code, b.code, round(float(strength), 2), confidential))

    signed = [s for s in surgeries if s.signed]
    lead = max(signed, key=lambda s: s.patients)
    for s in signed:
        if s is not lead:
            add(lead, s, 0.9, False)
            add(s, lead, 0.9, False)
    outsiders = sorted((s for s in surgeries if not s.signed), key=lambda s: distance(lead, s))
    shunned = next(s for s in outsiders if s.unwanted)
    for wanted in [s for s in outsiders if not s.unwanted][:2]:
        add(lead, wanted, 0.7, False)
    for s in surgeries:
        if s.unwanted:
            for other in sorted((o for o in surgeries if o is not s), key=lambda o: distance(s, o))[:3]:
                add(other, s, -rng.uniform(0.6, 1.0), True)
            if s is shunned:
                add(lead, s, -1.0, True)
    free = [s for s in surgeries if not s.signed and not s.unwanted]
    for number, k in enumerate(rng.permutation(len(free))[:21]):
        near = sorted((o for o in free if o is not free[k]), key=lambda o: distance(free[k], o))
        friend = near[int(rng.integers(0, 4))]
        if number < 16:
            add(free[k], friend, rng.uniform(0.3, 0.9), number % 8 == 7)
            add(friend, free[k], rng.uniform(0.3, 0.9), False)
        else:
            add(free[k], friend, -rng.uniform(0.3, 0.8), number % 2 == 0)
    return tuple(sorted(ties.values(), key=lambda t: (t.practice, t.other)))


def _place(seller: gaz.Seller) -> gaz.Place:
    return next(p for p in gaz.PLACES if p.name == seller.at)


def _distances(surgeries: Sequence[Surgery]) -> NDArray[np.float64]:
    """km from practice to provider, nil for a provider that is everywhere; the ferry counts as extra distance."""
    away = np.zeros((len(surgeries), len(gaz.SELLERS)))
    for k, seller in enumerate(gaz.SELLERS):
        if seller.at:
            place = _place(seller)
            for i, s in enumerate(surgeries):
                ferry = CROSSING_KM * ((s.town.name == gaz.ISLAND) != (place.name == gaz.ISLAND))
                away[i, k] = np.hypot(s.x - place.x, s.y - place.y) + ferry
    return away


def _shares(service: str, away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Practice × provider shares of a service, each row summing to 1."""
    pull = np.zeros_like(away)
    for k, seller in enumerate(gaz.SELLERS):
        for ids, strength, reach in seller.offers:
            if service in ids.split():
                pull[:, k] = strength * np.exp(-away[:, k] / reach)
    shares = pull / pull.sum(axis=1, keepdims=True)
    shares[shares < SMALLEST_SHARE] = 0
    # Rounded, so that the last bit of exp() on another machine cannot change a draw.
    shares = np.round(shares / shares.sum(axis=1, keepdims=True), 6)
    return shares / shares.sum(axis=1, keepdims=True)


def _expected_cases(rng: np.random.Generator, service: Service, surgeries: Sequence[Surgery]) -> NDArray[np.float64]:
    """Cases a year by practice; over the region they come to the catalogue's rate, give or take 2 %."""
    patients = np.array([s.patients for s in surgeries], dtype=float)
    weight = patients * np.array([s.need for s in surgeries])
    weight *= rng.gamma(PRACTICE_NOISE**-2, PRACTICE_NOISE**2, len(patients))
    if service.id in REFERRED:
        weight *= [s.referral for s in surgeries]
    if service.id in PRESCRIBED:
        weight *= [s.prescribing for s in surgeries]
    total = service.cases_per_1000 / 1000 * patients.sum() * (1 + np.clip(rng.normal(0, SERVICE_NOISE), -0.04, 0.04))
    return np.round(weight / weight.sum() * total, 6)
