"""Who could commission: every body, or set of bodies, that a service may be placed with."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from optimiser.domain import Body, Dataset, Service, Structure
from optimiser.errors import Problem, ScenarioError
from optimiser.footprints import candidates
from optimiser.providers import BodyFlows
from optimiser.scenario_models import REGION, Scenario

Kind = Literal["practice", "below", "anchor", "footprint", "authority", "above", "region", "condition_group"]
SEAT = 0.10  # part of a body's patients that gives an authority a seat on a joint board
LINKED = 3  # authority_link from which an authority may commission: services paid for jointly with councils
LARGE_PRACTICE = 15_000  # people: what a practice may commission needs no more of them (min_population)
PRACTICE, FOOTPRINT, AUTHORITY, CONDITION_GROUP = "practice", "footprint", "authority", "condition_group"
JOINT = ("footprint", "above", "region")  # kinds in which bodies of the anchor scale commission together
Firm = Mapping[tuple[int, str], str]  # (anchor position, service id) → the scale it must be placed at
NO_WISHES: Firm = MappingProxyType({})


@dataclass(frozen=True)
class Option:
    """One way to commission: a body, and the anchor bodies (positions, ascending) that it covers, all or none.

    scale: as a `Commission` names it. level: larger levels pool the risk of smaller ones. opens: pays the footprint's
    fixed cost when used. reason: why the body exists, where that is not plain. people: the most that one of the
    commissioners inside may have, against the service's least population. found_for, shared: of a footprint, the
    services (positions) whose providers its bodies share, and what they share, £ a year. alone: services that need no
    more people than this are not commissioned so, as each of its bodies can do it alone.
    """

    code: str
    name: str
    scale: str
    kind: Kind
    anchors: tuple[int, ...]
    level: int
    opens: bool = False
    reason: str = ""
    authorities: tuple[str, ...] = field(default=())
    people: float = math.inf
    found_for: tuple[int, ...] = ()
    shared: float = 0.0
    alone: float = -1.0

    @property
    def local(self) -> bool:
        """Whether the work is done inside the anchor body, by its practices or the bodies below it."""
        return self.kind in ("practice", "below")


def anchor_position(structure: Structure, anchor_scale: str) -> int:
    """Where the commissioning scale stands among the structure's. ScenarioError when it is not planned."""
    if anchor_scale not in structure.scales:
        planned = ", ".join(structure.scales)
        raise ScenarioError(
            Problem(
                f"{anchor_scale} is not planned",
                "anchor_scale",
                "Services are placed from the anchor scale.",
                f"Planned: {planned}.",
            )
        )
    return structure.scales.index(anchor_scale)


def levels(structure: Structure, anchor_scale: str) -> Mapping[str, int]:
    """Scale → level, practices at 0; footprints and authorities between the anchor scale and the next; region last."""
    at = anchor_position(structure, anchor_scale)
    order = [PRACTICE, *structure.scales[: at + 1], FOOTPRINT, *structure.scales[at + 1 :], REGION]
    return {scale: i for i, scale in enumerate(order)} | {
        AUTHORITY: order.index(FOOTPRINT),
        CONDITION_GROUP: len(order) - 1,
    }


def groups_of_anchors(
    structure: Structure, anchors: Sequence[Body], scale: str, patients: np.ndarray
) -> tuple[tuple[int, ...], ...]:
    """For each body of a larger scale, the anchor bodies that lie mostly in it (wholly, in a nested structure)."""
    held: list[list[int]] = [[] for _ in structure.bodies[scale]]
    for c, anchor in enumerate(anchors):
        members = list(anchor.members)
        weight = np.bincount(
            structure.membership[scale][members], weights=patients[members] + 1e-9, minlength=len(held)
        )
        held[int(weight.argmax())].append(c)
    return tuple(map(tuple, held))


def options(
    dataset: Dataset, scenario: Scenario, structure: Structure, flows: BodyFlows, seed: int
) -> tuple[Option, ...]:
    """Every option for this structure, local ones first. flows: summed to the anchor bodies."""
    anchors = structure.bodies[scenario.anchor_scale]
    level = levels(structure, scenario.anchor_scale)
    at = anchor_position(structure, scenario.anchor_scale)
    made: list[Option] = []
    for c, body in enumerate(anchors):
        made.append(
            Option(body.code, f"practices of {body.name}", PRACTICE, "practice", (c,), 0, people=LARGE_PRACTICE)
        )
        for scale in structure.scales[:at]:
            plural = scenario.scale(scale).plural
            most = scenario.scale(scale).max_patients or math.inf
            made.append(Option(body.code, f"{plural} of {body.name}", scale, "below", (c,), level[scale], people=most))
        made.append(Option(body.code, body.name, scenario.anchor_scale, "anchor", (c,), level[scenario.anchor_scale]))
    taken: set[tuple[int, ...]] = set()
    everyone = tuple(range(len(anchors)))
    above: list[Option] = []
    for scale in structure.scales[at + 1 :]:
        groups = groups_of_anchors(structure, anchors, scale, dataset.patients)
        taken.update(groups)
        if scenario.scale(scale).role != "commissions":
            continue
        for body, group in zip(structure.bodies[scale], groups, strict=True):
            if len(group) > 1:
                above.append(Option(body.code, body.name, scale, "above", group, level[scale]))
    for i, found in enumerate(candidates(dataset, anchors, flows, taken, seed), start=1):
        made.append(
            Option(
                f"{FOOTPRINT}-{i:02d}",
                found.name,
                FOOTPRINT,
                "footprint",
                found.members,
                level[FOOTPRINT],
                True,
                found.reason,
                found_for=found.services,
                shared=found.shared,
            )
        )
    made += above + _authorities(dataset, anchors, level[AUTHORITY])
    if len(anchors) > 1 and not any(o.anchors == everyone for o in above):
        made.append(Option(REGION, dataset.info.name, REGION, "region", everyone, level[REGION], True))
    if any(s.condition_group for s in dataset.services):
        made.append(
            Option(
                "condition-group", "condition group of the third sector", CONDITION_GROUP, "condition_group", everyone,
                level[CONDITION_GROUP], True,
            )
        )  # fmt: skip
    if scenario.joint_commissioning == "where required":
        made = [replace(o, alone=min(anchors[c].patients for c in o.anchors)) if o.kind in JOINT else o for o in made]
    return tuple(made)


def authority_shares(dataset: Dataset, bodies: Sequence[Body]) -> tuple[tuple[str, ...], np.ndarray]:
    """Upper-tier authority codes, and bodies × authorities: the part (0–1) of each body's patients in each."""
    codes = tuple(sorted({p.upper_authority for p in dataset.practices if p.upper_authority}))
    column = {code: i for i, code in enumerate(codes)}
    table = np.zeros((len(bodies), len(codes)))
    for b, body in enumerate(bodies):
        for m in body.members:
            practice = dataset.practices[m]
            if practice.upper_authority:
                table[b, column[practice.upper_authority]] += practice.patients
    whole = table.sum(axis=1, keepdims=True)
    return codes, np.divide(table, whole, out=np.zeros_like(table), where=whole > 0)


def _authorities(dataset: Dataset, anchors: Sequence[Body], level: int) -> list[Option]:
    """Each authority with the bodies that lie mainly in it, and a joint board wherever a body straddles several."""
    codes, share = authority_shares(dataset, anchors)
    if not codes:
        return []
    main = share.argmax(axis=1)
    seats = {frozenset(np.flatnonzero(row >= SEAT).tolist()) for row in share}
    boards = {frozenset([int(m)]) for m in main} | {board for board in seats if len(board) > 1}
    made = []
    for board in sorted(boards, key=lambda b: (len(b), sorted(b))):
        members = tuple(int(c) for c in np.flatnonzero(np.isin(main, list(board))))
        if not members:
            continue
        held = tuple(codes[a] for a in sorted(board))
        name = " and ".join(dataset.authority_name(a) for a in held)
        joint = len(held) > 1
        code = "board-" + "-".join(held) if joint else held[0]
        title = f"joint board of {name}" if joint else name
        reason = "a body straddles these authorities" if joint else ""
        made.append(Option(code, title, AUTHORITY, "authority", members, level, True, reason, held))
    return made


def may(option: Option, service: Service, firm: Firm) -> bool:
    """Whether a service may be placed with an option: rules in the catalogue, and firm wishes of every anchor body that
    it covers; never a preference."""
    if firm and any(firm.get((c, service.id), option.scale) != option.scale for c in option.anchors):
        return False
    if not service.delegable:
        return option.local
    if service.min_population > option.people or service.min_population <= option.alone:
        return False
    if option.kind == "authority":
        return service.authority_link >= LINKED
    if option.kind == "condition_group":
        return service.condition_group
    return True


def kinds(scenario: Scenario) -> Mapping[str, Option]:
    """Scale → an option of its kind that covers nobody: what may be asked before there is a structure."""
    at = scenario.scales_used.index(scenario.anchor_scale)
    made = [_kind(PRACTICE, "practice", LARGE_PRACTICE)]
    made += [_kind(s.name, "below", s.max_patients or math.inf) for s in scenario.scales[:at]]
    made += [_kind(scenario.anchor_scale, "anchor"), _kind(FOOTPRINT, "footprint"), _kind(AUTHORITY, "authority")]
    made += [_kind(s.name, "above") for s in scenario.scales[at + 1 :] if s.role == "commissions"]
    made += [_kind(REGION, "region"), _kind(CONDITION_GROUP, "condition_group")]
    return {option.scale: option for option in made}


def _kind(scale: str, kind: Kind, people: float = math.inf) -> Option:
    return Option("", "", scale, kind, (), 0, people=people)
