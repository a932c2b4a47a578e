"""Whose wishes bind: which firm ones are refused before any work, and which scale each anchor body must give a service.

The smallest group that wishes speaks for a practice. A service is placed once for an anchor body, so its practices'
wishes are counted there by patients: a firm one binds where practices with most of the patients who wish for anything
hold it. Nobody is made to share a commissioner against a binding wish: whoever wants the others in gives way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from optimiser.domain import Dataset, Function, Service, Wish
from optimiser.errors import Problem, ScenarioError, raise_all
from optimiser.placement_options import AUTHORITY, CONDITION_GROUP, FOOTPRINT, LINKED, Firm, Option, kinds, may
from optimiser.scenario_models import REGION, Scenario

Held = tuple[int, str, str]  # anchor position, service id, scale that is `meant`


@dataclass(frozen=True)
class Settled:
    """firm: what binds. yielded: firm wishes that do not bind → why not, in plain words."""

    firm: Firm
    yielded: Mapping[Held, str]


def check_wishes(dataset: Dataset, scenario: Scenario) -> None:
    """ScenarioError naming every firm wish that no plan of the scenario could grant, with the reason."""
    services = {s.id: s for s in dataset.services}
    functions = {f.id: f for f in dataset.functions}
    speaks = members(dataset)
    problems = []
    for wish in dataset.wishes:
        where = f"wishes.csv:{wish.row}:scale" if wish.row else f"wish of {wish.who} for {wish.service}"
        if wish.service in functions:
            problems.append(
                Problem(f"{wish.service} is a function, no service", where, _unwished(functions[wish.service]))
            )
        elif wish.service not in services:
            problems.append(Problem(f"there is no service {wish.service}", where))
        elif wish.who not in speaks:
            problems.append(Problem(f"there is no practice and no body of today {wish.who}", where))
        elif wish.firm and (refused := refusal(services[wish.service], wish.scale, scenario)):
            name = services[wish.service].name
            problems.append(
                Problem(
                    f"{name} cannot go to {wish.scale}, which {wish.who} holds to firmly", where, refused,
                    "Wish for another scale, or softly.",
                )
            )  # fmt: skip
    raise_all(ScenarioError, problems)


def _unwished(function: Function) -> str:
    if function.delegable == "never":
        return "It reflects members' own behaviour, so nobody else can do it for them."
    return "Who does it follows from the structure and from what is cheaper, an own team or the market."


def refusal(service: Service, scale: str, scenario: Scenario) -> str:
    """Why no plan of the scenario commissions a service at a scale: a sentence, or "" where one may."""
    known = kinds(scenario)
    if scale not in known:
        declared = scale in scenario.scale_tables
        planned = scale in scenario.scales_used
        what = "supports others and does not commission" if planned else "is not planned" if declared else "is no scale"
        near = get_close_matches(scale.lower(), known, n=1, cutoff=0.6)
        meant = f" Did you mean {near[0]!r}?" if near and not declared else ""
        return f"{scale} {what} in scenario {scenario.name}: there are {', '.join(known)}.{meant}"
    if may(known[scale], service, {}):
        return ""
    if not service.delegable:
        return "It reflects members' own behaviour, so only practices or the groups they form can do it."
    if scale == AUTHORITY:
        return (
            f"An authority commissions only services with an authority link of {LINKED} or more; it has "
            f"{service.authority_link}."
        )
    if scale == CONDITION_GROUP:
        return "Only services of a condition group go to one."
    return f"It needs {service.min_population:,} people, more than a commissioner of that scale has."


def members(dataset: Dataset) -> Mapping[str, tuple[int, ...]]:
    """Code → positions of the practices that it speaks for: bodies of today at any scale, and practices."""
    bodies: dict[str, dict[int, None]] = {}
    for i, practice in enumerate(dataset.practices):
        for code in practice.existing.values():
            bodies.setdefault(code, {})[i] = None
    return {code: tuple(found) for code, found in bodies.items()} | {code: (i,) for code, i in dataset.index.items()}


def voices(dataset: Dataset, wishes: Sequence[Wish]) -> Mapping[str, NDArray[np.int64]]:
    """Service id → by practice the position of the wish that speaks for it, −1 where none does. The smallest group that
    wishes for a service speaks, the practice itself before all, of equal ones the first."""
    speaks = members(dataset)
    found: dict[str, NDArray[np.int64]] = {}
    for w in sorted(
        range(len(wishes)), key=lambda w: (-len(speaks[wishes[w].who]), wishes[w].who in dataset.index, -w)
    ):
        heard = found.setdefault(wishes[w].service, np.full(len(dataset.practices), -1, dtype=np.int64))
        heard[list(speaks[wishes[w].who])] = w
    return found


def meant(scale: str, c: int, made: Sequence[Option], scenario: Scenario) -> str:
    """The scale at which an anchor body gets what was wished for: that scale; where the whole region is one body of a
    larger scale, that scale for the region; where it alone makes up a body of a larger scale, its own."""
    if any(option.scale == scale and c in option.anchors for option in made):
        return scale
    known = kinds(scenario).get(scale)
    if known is None or known.kind not in ("above", "region"):
        return scale
    everyone = len({d for option in made for d in option.anchors})
    whole = (option.scale for option in made if option.kind == "above" and len(option.anchors) == everyone)
    return next(whole, scenario.anchor_scale if everyone == 1 else scale) if scale == REGION else scenario.anchor_scale


def settle(
    dataset: Dataset, scenario: Scenario, at: NDArray[np.integer], made: Sequence[Option], wishes: Sequence[Wish]
) -> Settled:
    """at: anchor position by practice. made: the options of the structure. wishes: those that count."""
    yielded: dict[Held, str] = {}
    firm: dict[tuple[int, str], str] = {}
    for service, heard in voices(dataset, wishes).items():
        for c in np.unique(at[heard >= 0]).tolist():
            here = np.flatnonzero((at == c) & (heard >= 0)).tolist()
            spoken = [(wishes[heard[i]], int(dataset.patients[i])) for i in here]
            means = {scale: meant(scale, c, made, scenario) for scale in {wish.scale for wish, _ in spoken}}
            held: dict[str, int] = defaultdict(int)
            for wish, patients in spoken:
                if wish.firm:
                    held[means[wish.scale]] += patients
            whole = sum(patients for _, patients in spoken)
            for scale, patients in held.items():
                if 2 * patients > whole:
                    firm[c, service] = scale
                else:
                    yielded[c, service, scale] = (
                        f"outvoted: {patients:,} of the {whole:,} patients there whose practices wish for anything"
                    )
    _give_way(dataset, made, firm, yielded)
    return Settled(firm, yielded)


def _give_way(
    dataset: Dataset, made: Sequence[Option], firm: dict[tuple[int, str], str], yielded: dict[Held, str]
) -> None:
    """Take out of `firm`, larger scales first, what no option grants that everybody it covers would allow."""
    services = {s.id: s for s in dataset.services}
    level = {option.scale: option.level for option in made}
    for (c, service), scale in sorted(firm.items(), key=lambda item: (-level.get(item[1], 0), item[0])):
        there = [o for o in made if o.scale == scale and c in o.anchors and may(o, services[service], {})]
        if any(may(o, services[service], firm) for o in there):
            continue
        del firm[c, service]
        others = {d for o in there for d in o.anchors if firm.get((d, service), scale) != scale}
        if not there:
            near = "that the flows suggest " if scale == FOOTPRINT else ""
            yielded[c, service, scale] = f"no {scale.replace('_', ' ')} {near}covers it in this plan"
        else:
            where = sorted({firm[d, service].replace("_", " ") for d in others})
            yielded[c, service, scale] = (
                f"{len(others)} of those who would have to share hold firmly to {' or '.join(where)}"
            )
