"""Countervailing power: the weight that stands behind what a provider is paid, as purchasers are drawn one way or
another: today's bodies, the bodies of a plan each for itself, or whoever the placement has commission each service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import EVIDENCE, Dataset, Placement, Structure
from optimiser.providers import NOBODY, bodies_of, materiality, provider_income
from optimiser.scenario_models import Scenario

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PRACTICE = "practice"


@dataclass(frozen=True)
class Purchasers:
    """Who buys. names: of each purchaser. of: its position by row of the dataset's flows, NOBODY where no body buys.
    spend, behind: purchasers × providers: £ a year it spends; and the share (0–1) of the provider's whole income that
    the people it acts for bring, for all services together, whoever buys them."""

    names: tuple[str, ...]
    of: Ints
    spend: Floats
    behind: Floats


@dataclass(frozen=True)
class Power:
    """How purchasers stand to each provider; arrays by provider, NaN (or −1) where nobody buys.

    purchasers: how many spend more than materiality. hhi: Σ (spend of one / spend of all)². largest: position of the
    one that spends most; largest_share: its part of what all spend. weight: the share of the provider's income that
    stands behind the average pound, Σ spend/total × behind. above: band → purchasers beyond materiality whose `behind`
    reaches its lower limit.
    """

    purchasers: Ints
    hhi: Floats
    largest: Ints
    largest_share: Floats
    weight: Floats
    above: Mapping[str, Ints]


def each_alone(dataset: Dataset, structure: Structure, scale: str) -> Purchasers:
    """Every body of a scale buys all that its practices use."""
    bodies, home = bodies_of(structure, scale)
    of = home[dataset.flows.practice]
    spend = _spend(dataset, of, len(bodies))
    return Purchasers(tuple(b.name for b in bodies), of, spend, _of_income(dataset, spend))


def as_placed(
    dataset: Dataset, structure: Structure, anchor: str, placement: Placement, names: Mapping[str, str]
) -> Purchasers:
    """Every service is bought by the body that commissions it: by practices and smaller bodies themselves where the
    work is theirs. names: of commissioners by code."""
    flows, home = dataset.flows, structure.membership[anchor].astype(np.int64)
    place = {body.code: c for c, body in enumerate(structure.bodies[anchor])}
    line = {service.id: s for s, service in enumerate(dataset.services)}
    key_of = np.full((len(place), len(line)), NOBODY)
    keys: dict[tuple[str, str], int] = {}
    for row in placement.commissions:
        key = keys.setdefault((row.scale, row.commissioner), len(keys))
        key_of[place[row.consortium], line[row.service]] = key
    chosen = key_of[home[flows.practice], flows.service]

    called: list[str] = []
    of = np.full(len(flows), NOBODY)
    behind: list[Floats] = []
    by_practice = _spend(dataset, flows.practice.astype(np.int64), len(dataset.practices))
    below = structure.scales[: structure.scales.index(anchor)]
    for (scale, code), key in keys.items():
        rows = np.flatnonzero(chosen == key)
        if scale == PRACTICE or scale in below:
            inner = np.arange(len(home)) if scale == PRACTICE else structure.membership[scale].astype(np.int64)
            own = np.unique(inner[home == place[code]])
            who = dataset.practices if scale == PRACTICE else structure.bodies[scale]
            of[rows] = len(called) + np.searchsorted(own, inner[flows.practice[rows]])
            called += [who[i].name for i in own]
            behind += [by_practice[inner == i].sum(axis=0) for i in own]
        else:
            of[rows] = len(called)
            called.append(names.get(code, code))
            behind.append(by_practice[np.isin(home, np.flatnonzero((key_of == key).any(axis=1)))].sum(axis=0))
    covered = np.array(behind).reshape(len(called), len(dataset.providers))
    return Purchasers(tuple(called), of, _spend(dataset, of, len(called)), _of_income(dataset, covered))


def power(dataset: Dataset, scenario: Scenario, buyers: Purchasers) -> Power:
    """The measures of `Power` for one way of drawing purchasers (formulae: docs/method.md)."""
    spend, whole = buyers.spend, buyers.spend.sum(axis=0)
    part = np.divide(spend, whole, out=np.zeros_like(spend), where=whole > 0)
    material = spend > materiality(dataset, scenario.contracts)
    limits = sorted(scenario.leverage.bands.values())
    none = whole <= 0
    return Power(
        purchasers=material.sum(axis=0),
        hhi=np.where(none, np.nan, (part**2).sum(axis=0)),
        largest=np.where(none, NOBODY, spend.argmax(axis=0)) if len(spend) else np.full(len(whole), NOBODY),
        largest_share=np.where(none, np.nan, part.max(axis=0, initial=0.0)),
        weight=np.where(none, np.nan, (part * buyers.behind).sum(axis=0)),
        above={
            name: (material & (buyers.behind >= limit)).sum(axis=0)
            for name, limit in zip(reached(scenario), limits, strict=True)
        },
    )


def reached(scenario: Scenario) -> tuple[str, ...]:
    """The bands above the lowest, in order: associate, significant, lead."""
    limits = scenario.leverage.bands
    return (*sorted(limits, key=limits.__getitem__)[1:], "lead")


def weight_of(dataset: Dataset, buyers: Purchasers, of: NDArray[np.integer], bodies: int) -> Floats:
    """bodies × providers: the share of the provider's income that stands behind the average pound that each body's
    practices spend there, whoever buys for them; NaN where nothing is spent. of: body by practice."""
    flows, providers = dataset.flows, len(dataset.providers)
    bought = buyers.of != NOBODY
    key = (np.asarray(of, np.int64)[flows.practice] * providers + flows.provider)[bought]
    spend = flows.spend[bought]
    behind = buyers.behind[buyers.of[bought], flows.provider[bought]]
    whole = np.bincount(key, weights=spend, minlength=bodies * providers)
    total = np.bincount(key, weights=spend * behind, minlength=bodies * providers)
    mean = np.divide(total, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return mean.reshape(bodies, providers)


def resting_on(dataset: Dataset) -> tuple[str, ...]:
    """By provider, the label on which most of its spend rests; "" where nothing is spent."""
    flows, n = dataset.flows, len(EVIDENCE)
    spend = np.bincount(flows.provider * n + flows.label, weights=flows.spend, minlength=len(dataset.providers) * n)
    return tuple(EVIDENCE[int(row.argmax())] if row.any() else "" for row in spend.reshape(-1, n))


def nearest_scale(wanted: str, offered: Sequence[str], order: Sequence[str]) -> str:
    """The wanted scale where it is offered, else the nearest one by rank, the larger of two as near. order: of all
    scales, small to large."""
    return min(offered, key=lambda scale: (abs(order.index(scale) - order.index(wanted)), -order.index(scale)))


def _spend(dataset: Dataset, of: Ints, purchasers: int) -> Floats:
    """purchasers × providers, £ a year. of: purchaser by flow row."""
    flows, providers = dataset.flows, len(dataset.providers)
    bought = of != NOBODY
    key = of[bought] * providers + flows.provider[bought]
    table = np.bincount(key, weights=flows.spend[bought], minlength=purchasers * providers)
    return table.reshape(purchasers, providers).astype(float)


def _of_income(dataset: Dataset, spend: Floats) -> Floats:
    income = provider_income(dataset)
    return np.divide(spend, income, out=np.zeros_like(spend), where=income > 0)
