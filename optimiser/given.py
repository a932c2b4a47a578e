"""Structures that nobody optimised: today's bodies, and maps drawn by hand. And the rules that any structure breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from optimiser.domain import NO_BODY, Body, Dataset, Structure
from optimiser.few_members import few_members, next_inside
from optimiser.forces import PairCharges
from optimiser.pins import cells, frozen_bodies, spelt, ties
from optimiser.scenario import Pin, Scale, Scenario
from optimiser.units import units_of

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
    """The member that the others belong with at least cost (£ a year), one that may be a centre if any may; where
    nothing is charged, the nearest to all."""
    places = members[charges.may_be_centre[members]]
    places = places if len(places) else members
    total = np.empty(len(places))
    for first in range(0, len(places), CENTRES_AT_ONCE):
        centres = places[first : first + CENTRES_AT_ONCE]
        priced = charges.terms(members[:, None], centres[None, :])
        if not priced:
            priced = {"km": patients[members][:, None] * charges.km(members[:, None], centres[None, :])}
        total[first : first + len(centres)] = sum(part.sum(axis=0) for part in priced.values())
    return int(places[np.argmin(total)])


def broken_rules(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[str, ...]:
    """Every rule of the scenario that a structure breaks, in plain words; empty when it keeps them all. Frozen bodies
    are exempt from the rules of one body: `honoured` says which they would break."""
    found: list[str] = []
    for name in structure.scales:
        scale = scenario.scale(name)
        graph = _graph(dataset, ties(dataset, scenario, scale))
        charges = PairCharges(dataset, scenario, scale)
        through = _passages(dataset, scenario, scale)
        frozen = {body.members for body in frozen_bodies(dataset, scenario, scale)}
        for body in structure.bodies[name]:
            who = f"{scale.label} {body.name}"
            if body.name == NO_BODY:
                found.append(f"{len(body.members):,} practices ({body.patients:,} patients) are in no {scale.label}")
            elif body.members not in frozen:
                found += (f"{who} {broken}" for broken in _body_rules(dataset, scale, body, charges, graph, through))
        found += _scale_rules(dataset, scenario, scale, structure)
    found += _nesting(structure, scenario)
    found += (
        f"{who}, fewer than {least}" for who, least, exempt in few_members(dataset, scenario, structure) if not exempt
    )
    for pin in scenario.pins:
        if pin.scale in structure.scales:
            found += pin_breaches(dataset, pin, structure)
    return tuple(found)


def honoured(dataset: Dataset, scenario: Scenario, structure: Structure) -> tuple[str, ...]:
    """A sentence for each frozen body that would break a rule were it not agreed beforehand, and for each body that
    holds too few smaller ones."""
    found = [
        f"{who}, fewer than {least}: "
        + ("no others could join it within the rules" if exempt else "no plan was found in which others join it")
        for who, least, exempt in few_members(dataset, scenario, structure)
    ]
    for name in structure.scales:
        scale = scenario.scale(name)
        graph, nowhere = _graph(dataset, ()), np.empty(0, np.int64)
        charges = PairCharges(dataset, scenario, scale)
        for frozen in frozen_bodies(dataset, scenario, scale):
            body = structure.body_of(name, frozen.members[0])
            broken = list(_body_rules(dataset, scale, replace(body, oversize=False), charges, graph, nowhere))
            if frozen.left_over:
                agreed = structure.body_of(scenario.pins[frozen.pin - 1].scale, frozen.members[0])
                found.append(
                    f"{scale.label} {body.name} {_list(broken)}: it is what is left of {agreed.name}, which was agreed "
                    "beforehand and is kept whole"
                )
            elif broken:
                found.append(f"{scale.label} {body.name} was agreed beforehand and is kept, though it {_list(broken)}")
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
    for scale in scales:
        above = next((s for s in scenario.around(scale)[1:] if s in scales), "")
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
    dataset: Dataset,
    scale: Scale,
    body: Body,
    charges: PairCharges,
    graph: sparse.csr_matrix,
    through: NDArray[np.int64],
) -> Iterator[str]:
    """What one body does that a rule forbids, each to follow its name."""
    members = np.array(body.members)
    if not body.oversize:
        if body.patients < scale.min_patients:
            yield f"has {body.patients:,} patients, fewer than {scale.min_patients:,}"
        if scale.max_patients is not None and body.patients > scale.max_patients:
            yield f"has {body.patients:,} patients, more than {scale.max_patients:,}"
    if not charges.may_be_centre[members].any():
        yield f"holds no place for a centre (one for every {scale.patients_per_place:,.0f} patients or so)"
    elif scale.reach_km is not None and not _has_reach(charges, members, body.centre):
        yield f"has no centre within {scale.reach_km:g} km of all its practices"
    if scale.authority_rule == "inside_one":
        home = dataset.authority_of(scale.authority_tier)
        if len(spanned := sorted({home[i] for i in body.members})) > 1:
            yield f"straddles {_list([dataset.authority_name(a) for a in spanned])}"
    if scale.contiguous and len(members) > 1 and (parts := _parts(graph, members, through)) > 1:
        yield f"is in {parts} parts that do not touch"


def _passages(dataset: Dataset, scenario: Scenario, scale: Scale) -> NDArray[np.int64]:
    """Practices through which others may touch: those of units too large for any body, frozen ones excepted."""
    if scale.max_patients is None:
        return np.empty(0, np.int64)
    unit = units_of(dataset, scenario, scale)
    large = np.bincount(unit, weights=dataset.patients)[unit] > scale.max_patients
    for body in frozen_bodies(dataset, scenario, scale):
        large[list(body.members)] = False
    return np.flatnonzero(large)


def _scale_rules(dataset: Dataset, scenario: Scenario, scale: Scale, structure: Structure) -> Iterator[str]:
    bodies = [b for b in structure.bodies[scale.name] if b.name != NO_BODY]
    if scale.min_bodies is not None and len(bodies) < scale.min_bodies:
        yield f"{len(bodies)} {scale.plural}, fewer than {scale.min_bodies}"
    if scale.max_bodies is not None and len(bodies) > scale.max_bodies:
        yield f"{len(bodies)} {scale.plural}, more than {scale.max_bodies}"
    if scale.authority_rule == "whole":
        holders: dict[tuple[str, np.int32], set[str]] = {}
        homes = list(zip(dataset.authority_of(scale.authority_tier), cells(dataset, scenario, scale), strict=True))
        for body in bodies:
            if not body.oversize:
                for i in body.members:
                    holders.setdefault(homes[i], set()).add(body.name)
        for (code, _), names in sorted(holders.items()):
            if len(names) > 1:
                yield f"{dataset.authority_name(code)} is split between {scale.plural} {_list(sorted(names))}"


def _nesting(structure: Structure, scenario: Scenario) -> Iterator[str]:
    pairs = [(small, large) for large in structure.scales for small in next_inside(scenario, structure, large)]
    for small, large in pairs:
        for body in structure.bodies[small]:
            holders = sorted({structure.body_of(large, i).name for i in body.members})
            if len(holders) > 1 and body.name != NO_BODY:
                label = scenario.scale(small).label
                yield f"{label} {body.name} lies in several {scenario.scale(large).plural}: {_list(holders)}"


def pin_breaches(dataset: Dataset, pin: Pin, structure: Structure) -> Iterator[str]:
    """What a pin asks and the structure does not do. Its scale is one of the structure's."""
    body, pin = pin.body, spelt(dataset, pin)
    of, label = structure.membership[pin.scale], pin.scale
    where = {code: int(of[dataset.index[code]]) for code in pin.practices}
    if pin.kind in ("together", "apart", "frozen"):
        for a, b in combinations(where, 2):
            if (where[a] == where[b]) == (pin.kind == "apart"):
                yield f"{a} and {b} must be {'kept apart' if pin.kind == 'apart' else 'together'} ({label})"
        joined = [dataset.practices[i].code for i in np.flatnonzero(np.isin(of, list(where.values())))]
        if pin.kind == "frozen" and (others := [code for code in joined if code not in where]):
            yield f"{_list(others)} must not be with {pin.name or pin.practices[0]}, which is frozen ({label})"
        return
    called = f"{body} of today" if body else pin.with_
    for code, found in where.items():
        if (found == int(of[dataset.index[pin.with_]])) != (pin.kind == "fixed"):
            yield f"{code} must {'' if pin.kind == 'fixed' else 'not '}be with {called} ({label})"


def _has_reach(charges: PairCharges, members: NDArray[np.int64], centre: int) -> bool:
    """Whether every member is within reach of the stated centre, or of any other that may be one."""
    others = members[charges.may_be_centre[members]]
    return any(charges.within_reach(members, np.full_like(members, j)).all() for j in (centre, *others))


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
