"""Candidate footprints: sets of commissioning bodies that share providers, read from the flows and not drawn by hand.

Services that go to the same providers are looked at together, since one footprint could commission them all. For each
such group the candidates are the catchments of its main providers, the communities of its own shared-spend projection,
and the bodies that give a provider a stated part of what they spend on these services. The same set found for several
groups is one candidate; of sets nearly the same, the one with most shared spend is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Body, Dataset
from optimiser.providers import BodyFlows, projection

PER_BODIES = 25  # candidates are capped at MOST for so many bodies, and in proportion for more
MOST = 40
GIVEN = (0.5, 0.2)  # parts of what a body spends on the services of a group
TELLING = 1.4  # a catchment's part of a provider's income over its part of all spend, below which it is just an area
ALIKE = 0.85  # bodies in common, of those in either, from which two candidates are one choice
RESOLUTIONS = (1.0, 2.0)
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
    """A set of bodies (positions, ascending) that could commission together. services: positions of those that it was
    found for; it may be used for others. shared: £ a year that its members spend on these with providers they share.
    reason: why it exists.
    """

    name: str
    members: tuple[int, ...]
    services: tuple[int, ...]
    shared: float
    reason: str


@dataclass(frozen=True)
class _Group:
    """Services (positions) with the same main providers everywhere. spend: bodies × providers, £ a year."""

    services: tuple[int, ...]
    spend: NDArray[np.float64]
    what: str


def candidates(
    dataset: Dataset,
    bodies: Sequence[Body],
    flows: BodyFlows,
    taken: Collection[tuple[int, ...]],
    seed: int,
    most: int | None = None,
) -> tuple[Candidate, ...]:
    """Distinct sets of two or more bodies, not all of them and none that is `taken` by a body that already exists (sets
    of positions, ascending): those that share most spend, at most `most` (MOST for every 25 bodies by default, and no
    fewer). The same seed gives the same sets.
    """
    limit = round(MOST * max(1.0, len(bodies) / PER_BODIES)) if most is None else most
    met: dict[tuple[int, ...], list[Candidate]] = {}
    for group in service_groups(dataset, flows):
        for found in (
            *_main_providers(dataset, group),
            *_communities(dataset, bodies, flows, group, seed),
            *_users(dataset, group),
        ):
            if 1 < len(found.members) < len(bodies) and found.members not in taken and found.shared > 0:
                met.setdefault(found.members, []).append(found)
    kept: list[Candidate] = []
    for candidate in sorted(map(_joined, met.values()), key=lambda c: (-c.shared, c.members)):
        if len(kept) < limit and not any(_alike(candidate, other) for other in kept):
            kept.append(candidate)
    return tuple(kept)


def service_groups(dataset: Dataset, flows: BodyFlows) -> tuple[_Group, ...]:
    """Services grouped by the main provider of every body, those with most spend first; each appears once, and none
    that nobody pays a provider for."""
    cube = flows.cube
    main = np.where(cube.any(axis=1), cube.argmax(axis=1), -1)
    alike: dict[tuple[int, ...], list[int]] = {}
    for s in np.flatnonzero(cube.any(axis=(0, 1))).tolist():
        alike.setdefault(tuple(main[:, s].tolist()), []).append(s)
    groups = []
    for services in alike.values():
        first = max(services, key=lambda s: (cube[:, :, s].sum(), -s))
        name = dataset.services[first].name
        what = name if len(services) == 1 else f"{name} and {len(services) - 1} more"
        groups.append(_Group(tuple(services), cube[:, :, services].sum(axis=2), what))
    return tuple(sorted(groups, key=lambda g: (-g.spend.sum(), g.services)))


def _main_providers(dataset: Dataset, group: _Group) -> Iterator[Candidate]:
    """Bodies that share the same main provider for these services."""
    main = group.spend.argmax(axis=1)
    for p in _by_spend(group.spend, set(main.tolist())):
        members = np.flatnonzero((main == p) & (group.spend[:, p] > 0))
        provider = dataset.providers[p]
        reason = f"{provider.name} is the main {KINDS[provider.kind]} of each of them for {group.what}"
        yield _candidate(f"{provider.name} catchment", members, group, reason)


def _communities(
    dataset: Dataset, bodies: Sequence[Body], flows: BodyFlows, group: _Group, seed: int
) -> Iterator[Candidate]:
    """Bodies that share more spend on these services with each other than with the rest."""
    graph = projection(bodies, flows, group.services)
    if graph.number_of_edges() == 0:
        return
    position = {body.code: i for i, body in enumerate(bodies)}
    for resolution in RESOLUTIONS:
        for found in nx.community.louvain_communities(graph, weight="weight", resolution=resolution, seed=seed):
            members = np.array(sorted(position[code] for code in found))
            biggest = max(members.tolist(), key=lambda i: (bodies[i].patients, -i))
            reason = f"they share more providers with each other than with the rest, for {group.what}"
            yield _candidate(f"{bodies[biggest].name} and {len(members) - 1} more", members, group, reason)


def _users(dataset: Dataset, group: _Group) -> Iterator[Candidate]:
    """Bodies that give a provider a part of what they spend on these services, where that tells them from the rest."""
    size = group.spend.sum(axis=1)
    part = np.divide(group.spend, size[:, None], out=np.zeros_like(group.spend), where=size[:, None] > 0)
    for p in _by_spend(group.spend, range(group.spend.shape[1])):
        spend, name = group.spend[:, p], dataset.providers[p].name
        for least in GIVEN:
            members = np.flatnonzero(part[:, p] >= least)
            if spend[members].sum() * size.sum() >= TELLING * spend.sum() * size[members].sum() > 0:
                reason = f"each gives {name} at least {least:.0%} of what it spends on {group.what}"
                yield _candidate(f"{name} users", members, group, reason)


def _candidate(name: str, members: NDArray[np.integer], group: _Group, reason: str) -> Candidate:
    """shared: of each provider, what its members spend but for the one that spends most."""
    spend = group.spend[members]
    shared = float(spend.sum() - spend.max(axis=0, initial=0.0).sum())
    return Candidate(name, tuple(sorted(int(m) for m in members)), group.services, shared, reason)


def _joined(found: Sequence[Candidate]) -> Candidate:
    """One candidate of the same set found several times: the first's name and reason, everybody's services."""
    by_group = {c.services: c for c in reversed(found)}
    services = tuple(sorted({s for group in by_group for s in group}))
    first = found[0]
    return Candidate(first.name, first.members, services, sum(c.shared for c in by_group.values()), first.reason)


def _alike(one: Candidate, other: Candidate) -> bool:
    mine, theirs = set(one.members), set(other.members)
    return len(mine & theirs) >= ALIKE * len(mine | theirs)


def _by_spend(spend: NDArray[np.float64], providers: Collection[int]) -> list[int]:
    """Provider positions, the biggest first."""
    whole = spend.sum(axis=0)
    return sorted((p for p in providers if whole[p] > 0), key=lambda p: (-whole[p], p))
