"""Candidate footprints: sets of commissioning bodies that share providers, read from the flows and not drawn by hand.

They come from three sources, most telling first: the bodies that a provider is the main provider of its kind for; the
communities of the shared-spend projection; and the bodies that give a provider a stated part of what they spend on its
services, or that make up most of its income.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Body, Dataset
from optimiser.providers import BodyFlows, projection

MOST = 40
GIVEN = (0.5, 0.25, 0.1)  # parts of a body's spend on a provider's services
MAKE_UP = (0.5, 0.8)  # parts of a provider's income from the dataset
TELLING = 1.4  # a catchment's part of a provider's income over its part of all spend, below which it is just an area
RESOLUTIONS = (0.5, 1.0, 2.0)
KINDS = {
    "acute": "hospital",
    "mental_health": "mental health provider",
    "community": "community provider",
    "ambulance": "ambulance service",
    "third_sector": "third-sector provider",
    "independent": "independent provider",
    "practice_owned": "practice-owned provider",
    "other": "provider of its kind",
}


@dataclass(frozen=True)
class Candidate:
    """A set of bodies (positions, ascending) that could commission together. reason: why it exists."""

    name: str
    members: tuple[int, ...]
    reason: str


def candidates(
    dataset: Dataset,
    bodies: Sequence[Body],
    flows: BodyFlows,
    taken: Collection[tuple[int, ...]],
    seed: int,
    most: int = MOST,
) -> tuple[Candidate, ...]:
    """At most `most` distinct sets of two or more bodies, not all of them and none that is `taken` by a body that
    already exists (sets of positions, ascending). The same seed gives the same sets."""
    seen = {*taken, tuple(range(len(bodies)))}
    found: list[Candidate] = []
    for candidate in (
        *_main_providers(dataset, flows),
        *_communities(dataset, bodies, flows, seed),
        *_catchments(dataset, flows),
    ):
        if len(candidate.members) > 1 and candidate.members not in seen:
            seen.add(candidate.members)
            found.append(candidate)
    return tuple(found[:most])


def _main_providers(dataset: Dataset, flows: BodyFlows) -> Iterable[Candidate]:
    """For each kind of provider, the bodies that share the same main one."""
    kinds = np.array([p.kind for p in dataset.providers])
    for kind in sorted(set(kinds.tolist()), key=lambda k: (-flows.table[:, kinds == k].sum(), k)):
        spend = np.where(kinds == kind, flows.table, 0.0)
        main = spend.argmax(axis=1)
        for p in _by_spend(spend, set(main.tolist())):
            members = np.flatnonzero((main == p) & (spend[:, p] > 0))
            name = dataset.providers[p].name
            yield Candidate(f"{name} catchment", _set(members), f"{name} is the main {KINDS[kind]} of each of them")


def _communities(dataset: Dataset, bodies: Sequence[Body], flows: BodyFlows, seed: int) -> Iterable[Candidate]:
    """Groups of bodies that share more providers with each other than with the rest, for all services and for those in
    which weight with the provider matters most."""
    lever = max((s.leverage for s in dataset.services), default=0)
    strongest = [i for i, s in enumerate(dataset.services) if s.leverage == lever]
    position = {body.code: i for i, body in enumerate(bodies)}
    for services, what in ((None, "all services"), (strongest, "services where weight with the provider matters most")):
        graph = projection(bodies, flows, services)
        if graph.number_of_edges() == 0:
            continue
        groups = [nx.community.greedy_modularity_communities(graph, weight="weight")]
        groups += [
            nx.community.louvain_communities(graph, weight="weight", resolution=r, seed=seed) for r in RESOLUTIONS
        ]
        for members in (sorted(position[code] for code in group) for level in groups for group in level):
            biggest = max(members, key=lambda i: (bodies[i].patients, -i))
            name = f"{bodies[biggest].name} and {len(members) - 1} more"
            yield Candidate(
                name, tuple(members), f"they share more providers with each other than with the rest, for {what}"
            )


def _catchments(dataset: Dataset, flows: BodyFlows) -> Iterable[Candidate]:
    """Bodies that give a provider a part of what they spend on its services, or that make up most of its income."""
    cube = flows.cube
    by_service = cube.sum(axis=1)
    size = flows.table.sum(axis=1)
    for p in _by_spend(flows.table, range(flows.table.shape[1])):
        offered = cube[:, p].any(axis=0)
        spend, on_these = flows.table[:, p], by_service[:, offered].sum(axis=1)
        given = np.divide(spend, on_these, out=np.zeros_like(spend), where=on_these > 0)
        name = dataset.providers[p].name

        def telling(members: NDArray[np.integer], spend: NDArray[np.float64] = spend) -> bool:
            return bool(spend[members].sum() / spend.sum() >= TELLING * size[members].sum() / size.sum())

        for part in GIVEN:
            members = np.flatnonzero(given >= part)
            if not telling(members):
                continue
            reason = f"each gives {name} at least {part:.0%} of what it spends on the services {name} offers"
            yield Candidate(f"{name} users", _set(members), reason)
        order = np.argsort(-spend, kind="stable")
        running = np.cumsum(spend[order])
        for part in MAKE_UP:
            members = order[: int(np.searchsorted(running, part * running[-1] * (1 - 1e-12))) + 1]
            if not telling(members):
                continue
            reason = f"together they bring {name} {part:.0%} of its income from the area"
            yield Candidate(f"{name} income", _set(members), reason)


def _by_spend(spend: NDArray[np.float64], providers: Iterable[int]) -> list[int]:
    """Provider positions, the biggest first."""
    whole = spend.sum(axis=0)
    return sorted((p for p in providers if whole[p] > 0), key=lambda p: (-whole[p], p))


def _set(members: NDArray[np.integer]) -> tuple[int, ...]:
    return tuple(sorted(int(m) for m in members))
