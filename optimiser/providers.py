"""The provider graph: bodies of any scale × providers, weighted by spend, and the measures planners read from it.

Every measure is a sum over the dataset's flows. A provider's income is what all its commissioners pay, those outside
the dataset included, so that shares do not swell when a dataset is clipped to an area.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from optimiser.domain import EVIDENCE, NO_BODY, Body, Dataset, Flows, Structure
from optimiser.scenario_tables import Contracts, Leverage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOBODY = -1
WITHHELD = "withheld: rests on assumed flows"


@dataclass(frozen=True)
class BodyFlows:
    """Flows summed to bodies: columnar, one row for each body × provider × service that has any, sorted in that order.

    body, provider, service: positions. activity: cases a year. spend: £ a year. by_label: rows × len(EVIDENCE), £.
    bodies: how many there are, those without flows included. income: £ a year by provider.
    """

    body: Ints
    provider: Ints
    service: Ints
    activity: Floats
    spend: Floats
    by_label: Floats
    bodies: int
    services: int
    income: Floats

    @cached_property
    def table(self) -> Floats:
        """bodies × providers, £ a year."""
        shape = self.bodies, len(self.income)
        return _sum(self.body * shape[1] + self.provider, self.spend, shape[0] * shape[1]).reshape(shape)

    @cached_property
    def cases(self) -> Floats:
        """bodies × providers, cases a year."""
        shape = self.bodies, len(self.income)
        return _sum(self.body * shape[1] + self.provider, self.activity, shape[0] * shape[1]).reshape(shape)

    @cached_property
    def cube(self) -> Floats:
        """bodies × providers × services, £ a year."""
        shape = self.bodies, len(self.income), self.services
        key = (self.body * shape[1] + self.provider) * shape[2] + self.service
        return _sum(key, self.spend, shape[0] * shape[1] * shape[2]).reshape(shape)

    @cached_property
    def shares(self) -> Floats:
        """bodies × providers: the body's share (0–1) of each provider's whole income; 0 where there is none."""
        return np.divide(self.table, self.income, out=np.zeros_like(self.table), where=self.income > 0)


def provider_income(dataset: Dataset) -> Floats:
    """£ a year by provider from every commissioner: as stated, and never less than the dataset's own flows to it."""
    stated = np.array([p.income for p in dataset.providers], dtype=float)
    return np.maximum(stated, income_from_dataset(dataset))


def income_from_dataset(dataset: Dataset) -> Floats:
    """£ a year by provider from the dataset's practices alone."""
    return _sum(dataset.flows.provider, dataset.flows.spend, len(dataset.providers))


def bodies_of(structure: Structure, scale: str) -> tuple[tuple[Body, ...], Ints]:
    """The bodies of a scale and the position of each practice's, −1 for practices that are in no body today."""
    bodies, of = structure.bodies[scale], structure.membership[scale].astype(np.int64)
    real = [b for b, body in enumerate(bodies) if body.name != NO_BODY]
    position = np.full(len(bodies), NOBODY)
    position[real] = np.arange(len(real))
    return tuple(bodies[b] for b in real), position[of]


def aggregate(dataset: Dataset, membership: NDArray[np.integer], bodies: int) -> BodyFlows:
    """Sum the flows to bodies. membership: body position by practice, in dataset order; NOBODY's flows are left out."""
    flows: Flows = dataset.flows
    p, s = max(len(dataset.providers), 1), max(len(dataset.services), 1)
    body = np.asarray(membership, dtype=np.int64)[flows.practice]
    kept = body != NOBODY
    spend, activity = flows.spend[kept], flows.activity[kept]
    key = ((body * p + flows.provider) * s + flows.service)[kept]
    keys, row = np.unique(key, return_inverse=True)
    label = _sum(row * len(EVIDENCE) + flows.label[kept], spend, len(keys) * len(EVIDENCE))
    return BodyFlows(
        body=keys // (p * s),
        provider=keys // s % p,
        service=keys % s,
        activity=_sum(row, activity, len(keys)),
        spend=_sum(row, spend, len(keys)),
        by_label=label.reshape(len(keys), len(EVIDENCE)),
        bodies=bodies,
        services=len(dataset.services),
        income=provider_income(dataset),
    )


def band(share: float, leverage: Leverage) -> str:
    """Negligible, associate, significant or lead, by a share (0–1) of a provider's income."""
    for name, limit in sorted(leverage.bands.items(), key=lambda item: item[1]):
        if share < limit:
            return name
    return "lead"


def materiality(dataset: Dataset, contracts: Contracts) -> Floats:
    """£ a year by provider above which a body's spend needs a contract: a share of its income from the dataset or a
    fixed sum, whichever is smaller."""
    return np.minimum(contracts.materiality_share * income_from_dataset(dataset), contracts.materiality_gbp)


def grade(share: float, contracts: Contracts) -> str:
    """Lead, associate or small, by the share (0–1) of the provider's income that a contract carries."""
    if share >= contracts.lead_share:
        return "lead"
    return "associate" if share >= contracts.associate_share else "small"


def concentration(spend: Floats, axis: int) -> Floats:
    """Herfindahl–Hirschman index (0–1) of a bodies × providers table along an axis; 0 where nothing is spent."""
    whole = spend.sum(axis=axis, keepdims=True)
    parts = np.divide(spend, whole, out=np.zeros_like(spend), where=whole > 0)
    return (parts**2).sum(axis=axis)


def provider_graph(
    dataset: Dataset,
    bodies: Sequence[Body],
    flows: BodyFlows,
    leverage: Leverage,
    cut: Floats,
    detail: bool = True,
) -> nx.Graph:
    """The bipartite graph. Nodes: body codes (side "body") and provider codes (side "provider"), each with its spend,
    its HHI, and how many it would have a contract with if every body bought for itself: contracts of a body, purchasers
    of a provider. cut: £ a year by provider above which spend needs one (`materiality`).

    An edge carries spend (£), activity (cases), share_of_provider (of its whole income), share_of_body (of the body's
    spend), the label that most of its spend rests on, whether it is material (1 or 0), the band and, with `detail`,
    spend:<service> and activity:<service>. Where the label is weaker than disaggregated the band is withheld and
    share_of_provider left out. All attributes are text or numbers, so that GraphML holds them.
    """
    graph = nx.Graph()
    table, shares = flows.table, flows.shares
    material = table > cut
    by_body = table.sum(axis=1)
    hhi_body, hhi_provider = concentration(table, 1), concentration(table, 0)
    for b, body in enumerate(bodies):
        graph.add_node(
            body.code,
            side="body",
            name=body.name,
            patients=body.patients,
            hhi=float(hhi_body[b]),
            spend=float(by_body[b]),
            contracts=int(material[b].sum()),
        )
    for p, provider in enumerate(dataset.providers):
        graph.add_node(
            provider.code,
            side="provider",
            name=provider.name,
            kind=provider.kind,
            income=float(flows.income[p]),
            hhi=float(hhi_provider[p]),
            spend=float(table[:, p].sum()),
            purchasers=int(material[:, p].sum()),
        )
    services = [service.id for service in dataset.services]
    pair = flows.body * max(len(dataset.providers), 1) + flows.provider
    starts = np.flatnonzero(np.r_[True, np.diff(pair) > 0][: len(pair)])
    for first, last in pairwise([*starts, len(pair)]):
        b, p = int(flows.body[first]), int(flows.provider[first])
        label = EVIDENCE[int(flows.by_label[first:last].sum(axis=0).argmax())]
        share = float(shares[b, p])
        facts: dict[str, float | str] = {
            "spend": float(table[b, p]),
            "activity": float(flows.activity[first:last].sum()),
            "share_of_body": float(table[b, p] / by_body[b]) if by_body[b] else 0.0,
            "label": label,
            "material": int(material[b, p]),
            "band": WITHHELD if weak(label) else band(share, leverage),
        }
        if not weak(label):
            facts["share_of_provider"] = share
        if detail:
            for row in range(first, last):
                service = services[int(flows.service[row])]
                facts[f"spend:{service}"] = float(flows.spend[row])
                facts[f"activity:{service}"] = float(flows.activity[row])
        graph.add_edge(bodies[b].code, dataset.providers[p].code, **facts)
    return graph


def weak(label: str) -> bool:
    """Whether a label is too weak for a share of a provider's income, or the band it falls in, to be shown."""
    return label not in EVIDENCE[:2]


def material_contracts(flows: BodyFlows, cut: Floats) -> Ints:
    """How many providers each body would need a contract with if it commissioned everything itself."""
    return (flows.table > cut).sum(axis=1)


def dependence(flows: BodyFlows) -> tuple[Floats, Floats]:
    """Dependence both ways, bodies × providers: the provider's share of the body's spend, the body's of its income."""
    whole = flows.table.sum(axis=1, keepdims=True)
    return np.divide(flows.table, whole, out=np.zeros_like(flows.table), where=whole > 0), flows.shares


def shared_spend(flows: BodyFlows, services: Sequence[int] | None = None) -> Floats:
    """bodies × bodies: £ a year that two bodies both spend on the same provider for the same service (the lesser of the
    two, summed). services: positions to count, all by default. The diagonal is 0."""
    cube = flows.cube if services is None else flows.cube[:, :, list(services)]
    flat = cube.reshape(flows.bodies, -1)
    flat = flat[:, flat.any(axis=0)]
    shared = np.zeros((flows.bodies, flows.bodies))
    for b in range(flows.bodies):
        shared[b, b + 1 :] = np.minimum(flat[b], flat[b + 1 :]).sum(axis=1)
    return shared + shared.T


def projection(bodies: Sequence[Body], flows: BodyFlows, services: Sequence[int] | None = None) -> nx.Graph:
    """The graph of bodies joined by shared providers; weight = shared spend in £ a year."""
    shared = shared_spend(flows, services)
    graph = nx.Graph()
    graph.add_nodes_from(body.code for body in bodies)
    for i, j in zip(*np.nonzero(np.triu(shared)), strict=True):
        graph.add_edge(bodies[i].code, bodies[j].code, weight=float(shared[i, j]))
    return graph


def _sum(key: NDArray[np.integer], values: Floats, length: int) -> Floats:
    return np.bincount(key, weights=values, minlength=length)[:length].astype(float)
