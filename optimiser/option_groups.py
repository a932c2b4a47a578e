"""A set of consortia for which options are compared: found by code or name, cut out of the dataset, drawn as they
are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

import numpy as np

from optimiser.domain import NO_BODY, Dataset, Flows, Structure
from optimiser.errors import Problem, ScenarioError, raise_all
from optimiser.given import existing_structure, membership_structure
from optimiser.providers import provider_income
from optimiser.scenario import Scenario
from optimiser.wishes import members


@dataclass(frozen=True)
class Group:
    """A consortium as it is today, or as it was drawn. members: positions of its practices, ascending."""

    code: str
    name: str
    members: tuple[int, ...]


def groups_of(structure: Structure, anchor: str) -> tuple[Group, ...]:
    """The bodies of the anchor scale; none where the structure lacks it."""
    bodies = structure.bodies.get(anchor, ())
    return tuple(Group(b.code, b.name, b.members) for b in bodies if b.name != NO_BODY)


def groups_named(structure: Structure | None, scenario: Scenario, wanted: Sequence[str]) -> tuple[Group, ...]:
    """The bodies of the anchor scale that are wanted, by code or name, in the structure's order; all of them where none
    is named. A text is one of them, or several parted by commas. ScenarioError naming each that there is not, and for
    fewer than two."""
    known = groups_of(structure, scenario.anchor_scale) if structure is not None else ()
    called = {text.casefold(): group for group in known for text in (group.name, group.code)}
    asked = [w.strip() for text in wanted for w in ([text] if text.strip().casefold() in called else text.split(","))]
    asked = [text for text in asked if text]
    scale = scenario.scale(scenario.anchor_scale)
    problems = []
    for text in asked:
        if text.casefold() not in called:
            near = get_close_matches(text.casefold(), called, n=1, cutoff=0.6)
            there = ", ".join(f"{g.code} ({g.name})" if g.name != g.code else g.code for g in known)
            mend = f"Did you mean {called[near[0]].code}?" if near else f"There are {there or 'none'}."
            problems.append(Problem(f"there is no {scale.label} {text!r}", "--consortia", mend=mend))
    raise_all(ScenarioError, problems)
    chosen = {called[text.casefold()].code for text in asked} or {group.code for group in known}
    if len(chosen) < 2:
        raise ScenarioError(
            Problem(
                f"{len(chosen)} {scale.label if len(chosen) == 1 else scale.plural}",
                "--consortia",
                "Nobody can pool or merge alone.",
                "Name two or more.",
            )
        )
    return tuple(group for group in known if group.code in chosen)


def cut_out(dataset: Dataset, groups: Sequence[Group]) -> tuple[Dataset, tuple[Group, ...]]:
    """The dataset of these consortia alone, and the consortia in its positions. What providers earn from everybody
    stays whole; flows, relationships, neighbours, links, wishes and finances are those among the practices kept."""
    kept = np.array(sorted(i for group in groups for i in group.members), dtype=np.int64)
    at = np.full(len(dataset.practices), -1, dtype=np.int64)
    at[kept] = np.arange(len(kept))
    practices = tuple(dataset.practices[i] for i in kept.tolist())
    codes = {p.code for p in practices}
    old = dataset.flows
    here = at[old.practice] >= 0
    pairs = at[dataset.adjacency.reshape(-1, 2)]
    income = provider_income(dataset)
    small = replace(
        dataset,
        practices=practices,
        providers=tuple(replace(p, income=float(v)) for p, v in zip(dataset.providers, income, strict=True)),
        flows=Flows(
            practice=at[old.practice[here]].astype(np.int32),
            provider=old.provider[here],
            service=old.service[here],
            activity=old.activity[here],
            spend=old.spend[here],
            label=old.label[here],
        ),
        relationships=tuple(r for r in dataset.relationships if r.practice in codes and r.other in codes),
        adjacency=pairs[(pairs >= 0).all(axis=1)].astype(np.int32),
        links=tuple((int(at[a]), int(at[b])) for a, b in dataset.links if at[a] >= 0 and at[b] >= 0),
        wishes=(),
        finances=(),
    )
    speaks = members(small)
    small = replace(
        small,
        wishes=tuple(w for w in dataset.wishes if w.who in speaks),
        finances=tuple(f for f in dataset.finances if f.who in speaks),
    )
    return small, tuple(replace(g, members=tuple(at[list(g.members)].tolist())) for g in groups)


def from_these(dataset: Dataset, anchor: str, groups: Sequence[Group]) -> Dataset:
    """The dataset as if these groups were the bodies of the anchor scale today: who moves is counted from them."""
    at = {i: group for group in groups for i in group.members}
    practices = tuple(
        replace(
            p,
            existing={**p.existing, anchor: at[i].code},
            existing_names={**p.existing_names, anchor: at[i].name},
        )
        for i, p in enumerate(dataset.practices)
    )
    return replace(dataset, practices=practices)


def as_they_are(dataset: Dataset, scenario: Scenario, groups: Sequence[Group]) -> Structure | None:
    """The structure that options are set beside: these consortia with today's smaller bodies inside; without any,
    today's bodies at every scale, or None where no body of the anchor scale is known."""
    anchor = scenario.anchor_scale
    if not groups:
        today = existing_structure(dataset, scenario)
        return today if today is not None and anchor in today.scales else None
    smaller = scenario.scales_used[: scenario.scales_used.index(anchor)]
    rows = {p.code: {s: p.existing.get(s, "") for s in smaller} for p in dataset.practices}
    for group in groups:
        for i in group.members:
            rows[dataset.practices[i].code][anchor] = group.code
    return membership_structure(dataset, scenario, rows, {anchor: {g.code: g.name for g in groups}})
