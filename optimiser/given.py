"""Structures that nobody optimised: today's bodies, and maps drawn by hand. And the rules that any structure breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.domain import NO_BODY, Body, Dataset, Structure
from optimiser.forces import PairCharges
from optimiser.scenario import Scale, Scenario
from optimiser.scenario_models import Pin
from optimiser.units import ties, units_of

CENTRES_AT_ONCE = 200


def existing_structure(dataset: Dataset, scenario: Scenario) -> Structure | None:
    """Today's bodies at the planned scales for which practices name one; None when there are none.

    They keep their codes and names of today, may break any rule, and need not nest (`parent` is "" where they do not).
    Practices without a body today are gathered, only where there are some, in one named `NO_BODY`.
    """
    keys, names = {}, {}
    for scale in scenario.scales_used:
        codes = [p.existing.get(scale, "") for p in dataset.practices]
        if any(codes):
            keys[scale] = codes
            names[scale] = {
                code: p.existing_names.get(scale, "") or code
                for p, code in zip(dataset.practices, codes, strict=True)
                if code
            }
    return _build(dataset, scenario, keys, names) if keys else None


def membership_structure(
    dataset: Dataset,
    scenario: Scenario,
    rows: Mapping[str, Mapping[str, str]],
    names: Mapping[str, Mapping[str, str]] | None = None,
) -> Structure:
    """A structure drawn by hand. rows: practice code → scale → body, as named in the drawing ("" or absent: none).

    names: scale → body → name, where the drawing gives codes and names apart; otherwise bodies are numbered in order
    and named as drawn. Scales are those of the scenario that any row names. ValueError when none does.
    """
    keys = {}
    for scale in scenario.scales_used:
        found = [rows.get(p.code, {}).get(scale, "") for p in dataset.practices]
        if any(found):
            keys[scale] = found
    if not keys:
        raise ValueError("no row names a body at any planned scale")
    return _build(dataset, scenario, keys, names or {})


def centre_of(charges: PairCharges, members: NDArray[np.int64], patients: NDArray[np.int64]) -> int:
    """The member that the others belong with at least cost (£ a year); where nothing is charged, the nearest to all."""
    total = np.empty(len(members))
    for first in range(0, len(members), CENTRES_AT_ONCE):
        centres = members[first : first + CENTRES_AT_ONCE]
        priced = charges.terms(members[:, None], centres[None, :])
        if not priced:
            priced = {"km": patients[members][:, None] * charges.km(members[:, None], centres[None, :])}
        total[first : first + len(centres)] = sum(part.sum(axis=0) for part in priced.values())
    return int(members[np.argmin(total)])


def broken_rules(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[str, ...]:
    """Every rule of the scenario that a structure breaks, in plain words; empty when it keeps them all."""
    found: list[str] = []
    for name in structure.scales:
        scale = scenario.scale(name)
        graph = _graph(dataset, ties(dataset, scenario, scale))
        found += _body_rules(dataset, scale, structure.bodies[name], PairCharges(dataset, scenario, scale), graph)
        found += _scale_rules(dataset, scale, structure)
    found += _nesting(structure, scenario)
    for pin in scenario.pins:
        if pin.scale in structure.scales:
            found += _pin(dataset, pin, structure)
    return tuple(found)


def _build(
    dataset: Dataset, scenario: Scenario, keys: Mapping[str, Sequence[str]], names: Mapping[str, Mapping[str, str]]
) -> Structure:
    """keys: scale → what each practice's body is called, "" for none. A key that has a name is itself the code."""
    membership: dict[str, NDArray[np.int32]] = {}
    groups: dict[str, list[str]] = {}
    for scale, found in keys.items():
        groups[scale] = sorted(dict.fromkeys(found), key=lambda key: key == "")
        position = {key: b for b, key in enumerate(groups[scale])}
        membership[scale] = np.array([position[key] for key in found], dtype=np.int32)
        membership[scale].setflags(write=False)
    scales = tuple(keys)
    codes = {s: [_code(s, b, key, names.get(s, {})) for b, key in enumerate(groups[s])] for s in scales}
    bodies = {}
    for scale, above in zip(scales, (*scales[1:], ""), strict=True):
        charges = PairCharges(dataset, scenario, scenario.scale(scale))
        largest = scenario.scale(scale).max_patients
        units = units_of(dataset, scenario, scenario.scale(scale))
        made = []
        for b, key in enumerate(groups[scale]):
            members = np.flatnonzero(membership[scale] == b)
            centre = centre_of(charges, members, dataset.patients)
            size = int(dataset.patients[members].sum())
            holders = set(membership[above][members].tolist()) if above else set()
            made.append(
                Body(
                    scale=scale,
                    code=codes[scale][b],
                    name=names.get(scale, {}).get(key, key) if key else NO_BODY,
                    members=tuple(members.tolist()),
                    centre=centre,
                    patients=size,
                    home_authority=dataset.practices[centre].upper_authority,
                    oversize=largest is not None and size > largest and len(set(units[members].tolist())) == 1,
                    parent=codes[above][holders.pop()] if len(holders) == 1 else "",
                )
            )
        bodies[scale] = tuple(made)
    return Structure(scales, bodies, membership)


def _code(scale: str, number: int, key: str, names: Mapping[str, str]) -> str:
    if not key:
        return f"{scale}-none"
    return key if key in names else f"{scale}-{number + 1:02d}"


def _body_rules(
    dataset: Dataset, scale: Scale, bodies: Sequence[Body], charges: PairCharges, graph: sparse.csr_matrix
) -> Iterator[str]:
    through = (
        np.flatnonzero(dataset.patients > scale.max_patients) if scale.max_patients is not None else np.empty(0, int)
    )
    home = np.array(dataset.authority_of(scale.authority_tier))
    for body in bodies:
        members, who = np.array(body.members), f"{scale.label} {body.name}"
        if body.name == NO_BODY:
            yield f"{len(members):,} practices ({body.patients:,} patients) are in no {scale.label}"
            continue
        if not body.oversize:
            if body.patients < scale.min_patients:
                yield f"{who} has {body.patients:,} patients, fewer than {scale.min_patients:,}"
            if scale.max_patients is not None and body.patients > scale.max_patients:
                yield f"{who} has {body.patients:,} patients, more than {scale.max_patients:,}"
        if scale.reach_km is not None and not _has_reach(charges, members, body.centre):
            yield f"{who} has no centre within {scale.reach_km:g} km of all its practices"
        if scale.authority_rule == "inside_one" and len(spanned := sorted(set(home[members].tolist()))) > 1:
            yield f"{who} straddles {_list([dataset.authority_name(a) for a in spanned])}"
        if scale.contiguous and len(members) > 1 and (parts := _parts(graph, members, through)) > 1:
            yield f"{who} is in {parts} parts that do not touch"


def _scale_rules(dataset: Dataset, scale: Scale, structure: Structure) -> Iterator[str]:
    bodies = [b for b in structure.bodies[scale.name] if b.name != NO_BODY]
    if scale.min_bodies is not None and len(bodies) < scale.min_bodies:
        yield f"{len(bodies)} {scale.plural}, fewer than {scale.min_bodies}"
    if scale.max_bodies is not None and len(bodies) > scale.max_bodies:
        yield f"{len(bodies)} {scale.plural}, more than {scale.max_bodies}"
    if scale.authority_rule == "whole":
        holders: dict[str, set[str]] = {}
        for body in bodies:
            if not body.oversize:
                for i in body.members:
                    practice = dataset.practices[i]
                    code = practice.upper_authority if scale.authority_tier == "upper" else practice.lower_authority
                    holders.setdefault(code, set()).add(body.name)
        for code, names in sorted(holders.items()):
            if len(names) > 1:
                yield f"{dataset.authority_name(code)} is split between {scale.plural} {_list(sorted(names))}"


def _nesting(structure: Structure, scenario: Scenario) -> Iterator[str]:
    for small, large in pairwise(structure.scales):
        for body in structure.bodies[small]:
            holders = sorted({structure.body_of(large, i).name for i in body.members})
            if len(holders) > 1 and body.name != NO_BODY:
                label = scenario.scale(small).label
                yield f"{label} {body.name} lies in several {scenario.scale(large).plural}: {_list(holders)}"


def _pin(dataset: Dataset, pin: Pin, structure: Structure) -> Iterator[str]:
    """What a pin asks and the structure does not do. A body of today is stood for by its largest practice."""
    of, label = structure.membership[pin.scale], pin.scale
    where = {code: int(of[dataset.index[code]]) for code in pin.practices}
    if pin.kind in ("together", "apart"):
        for a, b in combinations(where, 2):
            if (where[a] == where[b]) != (pin.kind == "together"):
                yield f"{a} and {b} must be {'together' if pin.kind == 'together' else 'kept apart'} ({label})"
        return
    anchor, called = pin.with_, pin.with_
    if pin.body:
        today = [p for p in dataset.practices if p.existing.get(pin.scale) == pin.body]
        anchor, called = max(today, key=lambda p: p.patients).code, f"{pin.body} of today"
    for code, body in where.items():
        if (body == int(of[dataset.index[anchor]])) != (pin.kind == "fixed"):
            yield f"{code} must {'' if pin.kind == 'fixed' else 'not '}be with {called} ({label})"


def _has_reach(charges: PairCharges, members: NDArray[np.int64], centre: int) -> bool:
    """Whether every member is within reach of the stated centre, or of any other member."""
    return any(charges.within_reach(members, np.full_like(members, j)).all() for j in (centre, *members))


def _parts(graph: sparse.csr_matrix, members: NDArray[np.int64], through: NDArray[np.int64]) -> int:
    """Pieces that the members fall into when they may touch through units too large for any body."""
    keep = np.union1d(members, through)
    _, part = csgraph.connected_components(graph[keep][:, keep], directed=False)
    return len(set(part[np.isin(keep, members)].tolist()))


def _graph(dataset: Dataset, tied: Sequence[tuple[int, int]]) -> sparse.csr_matrix:
    """Who touches whom; practices that a pin or a rule ties count as touching, since a planner put them there."""
    n = len(dataset.practices)
    a, b = np.vstack([dataset.adjacency.reshape(-1, 2), np.array(tied, dtype=np.int64).reshape(-1, 2)]).T
    half = sparse.coo_matrix((np.ones(len(a), dtype=np.int8), (a, b)), shape=(n, n))
    return ((half + half.T) > 0).tocsr()


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
