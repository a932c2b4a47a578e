"""Service risk: how much of what a body buys would be in trouble with its providers. A number of its own.

It has nothing to do with luck and shrinks with no pool, so it is never added to insurance risk. Three things count,
each read from the provider graph: a service that hangs on one provider; a provider so small that it may not last; a
provider that lives from this body, which cannot then walk away from it (EVIDENCE 2.7). The exposed share is the part of
the body's spend that any of them touches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import EVIDENCE, Body, Dataset, Structure
from optimiser.providers import BodyFlows, Floats, aggregate, bodies_of, weak
from optimiser.scenario_models import Scenario

SINGLE, FRAGILE, DEPENDENT = "single supplier", "fragile provider", "dependent provider"


@dataclass(frozen=True)
class Exposure:
    """Why a body's spend with a provider is exposed. kinds: those of the three that hold. services: ids bought there as
    from the only supplier. share: of the body's spend, the part with this provider that is exposed. income_share: the
    body's of the provider's income; None where flows are too weak to say. label: what most of the spend rests on."""

    provider: str
    kinds: tuple[str, ...]
    services: tuple[str, ...]
    share: float
    income_share: float | None
    label: str


@dataclass(frozen=True)
class ServiceRisk:
    """Of one body. spend: £ a year with all providers. exposed: share of it that any of the three touches; single,
    fragile, dependent: each by itself (they overlap). known: share of it for which flows are good enough to say whether
    providers depend on the body; dependent is over that, None where it is nothing. label: what most of the spend rests
    on. exposures: provider by provider, the largest first."""

    scale: str
    body: str
    spend: float
    exposed: float
    single: float
    fragile: float
    dependent: float | None
    known: float
    label: str
    exposures: tuple[Exposure, ...]


def service_risk(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[ServiceRisk, ...]:
    """Service risk of every body of the anchor scale that has flows; nothing without flows."""
    if not len(dataset.flows):
        return ()
    scale = scenario.anchor_scale
    bodies, of = bodies_of(structure, scale)
    return tuple(_risks(dataset, scenario, bodies, aggregate(dataset, of, len(bodies))))


def _risks(dataset: Dataset, scenario: Scenario, bodies: Sequence[Body], flows: BodyFlows) -> Iterator[ServiceRisk]:
    rules = scenario.service_risk
    services = len(dataset.services)
    line = flows.body * services + flows.service
    on_service = np.bincount(line, weights=flows.spend, minlength=len(bodies) * services)[line]
    pair = flows.body * len(dataset.providers) + flows.provider
    labels = np.zeros((len(bodies) * len(dataset.providers), len(EVIDENCE)))
    np.add.at(labels, pair, flows.by_label)
    known = ~np.array([weak(label) for label in EVIDENCE])[labels.argmax(axis=1)][pair]

    single = (flows.spend >= rules.single_supplier_share * on_service) & (flows.spend > 0)
    fragile = flows.income[flows.provider] < rules.fragile_income
    dependent = known & (flows.shares[flows.body, flows.provider] > rules.dependent_share)
    exposed = single | fragile | dependent
    for b, body in enumerate(bodies):
        mine = flows.body == b
        spend = float(flows.spend[mine].sum())
        if spend <= 0:
            continue

        def part(rows: NDArray[np.bool_], of: float = spend, mine: NDArray[np.bool_] = mine) -> float:
            return float(flows.spend[rows & mine].sum()) / of

        seen = float(flows.spend[known & mine].sum())
        whole = flows.by_label[mine].sum(axis=0)
        yield ServiceRisk(
            scale=scenario.anchor_scale,
            body=body.code,
            spend=spend,
            exposed=part(exposed),
            single=part(single),
            fragile=part(fragile),
            dependent=part(dependent, of=seen) if seen > 0 else None,
            known=seen / spend,
            label=EVIDENCE[int(whole.argmax())],
            exposures=_exposures(dataset, flows, b, (single, fragile, dependent), spend, labels),
        )


def _exposures(
    dataset: Dataset, flows: BodyFlows, b: int, kinds: tuple[NDArray[np.bool_], ...], spend: float, labels: Floats
) -> tuple[Exposure, ...]:
    found = []
    touched = (flows.body == b) & np.logical_or.reduce(kinds)
    for p in np.unique(flows.provider[touched]).tolist():
        rows = (flows.body == b) & (flows.provider == p)
        label = EVIDENCE[int(labels[b * len(dataset.providers) + p].argmax())]
        found.append(
            Exposure(
                provider=dataset.providers[p].code,
                kinds=tuple(
                    name for name, kind in zip((SINGLE, FRAGILE, DEPENDENT), kinds, strict=True) if (kind & rows).any()
                ),
                services=tuple(dataset.services[s].id for s in flows.service[rows & kinds[0]].tolist()),
                share=float(flows.spend[rows & touched].sum()) / spend,
                income_share=None if weak(label) else float(flows.shares[b, p]),
                label=label,
            )
        )
    return tuple(sorted(found, key=lambda e: (-e.share, e.provider)))
