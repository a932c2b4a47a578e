"""One arrangement of bodies with its services placed, and what it comes to: a form planned under its own rules, or the
bodies there are, left alone."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from optimiser.domain import NO_BODY, Body, Certificate, Dataset, Placement, Structure
from optimiser.errors import ConsortiaError, Infeasible, LimitReached, ScenarioError
from optimiser.forces import structure_terms
from optimiser.hierarchy import build
from optimiser.officer import SharedOfficer, share_officer
from optimiser.option_groups import Group
from optimiser.option_luck import Luck
from optimiser.option_scenarios import above_anchor, statutory_cost
from optimiser.option_terms import Figures, Form, autonomy
from optimiser.partition.budget import Budget, Progress
from optimiser.placement import SERVICES_MOST, place
from optimiser.scenario import Pin, Scenario
from optimiser.scorecard import score
from optimiser.service_risk import service_risk
from optimiser.transition import Transition, transition
from optimiser.wishes import refusal

Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Arranged:
    """A structure under its scenario. placement: None where there are no services or flows. certificates: none where
    nothing was searched. officers: each serving several bodies. unheard: firm wishes for a scale that is not there."""

    scenario: Scenario
    structure: Structure
    placement: Placement | None
    certificates: Mapping[str, Certificate] = field(default_factory=dict)
    officers: tuple[SharedOfficer, ...] = ()
    unheard: int = 0
    cut: bool = False

    @property
    def anchors(self) -> tuple[Body, ...]:
        """The bodies that commission."""
        return tuple(b for b in self.structure.bodies[self.scenario.anchor_scale] if b.name != NO_BODY)

    def exact(self, force: str) -> float:
        """£ a year of a force as services are placed; 0 where none are."""
        return sum(row.terms.get(force, 0.0) for row in self.placement.commissions) if self.placement else 0.0


def planned(
    form: Form,
    dataset: Dataset,
    scenario: Scenario,
    officer_of: Scenario | None,
    seed: int,
    budget: Budget,
    report: Report,
) -> Arranged:
    """A form planned under its scenario. officer_of: the scenario before bodies shared their officers, where they do.

    Raises as `build` and `place`, each problem beginning with the form's name.
    """

    def tell(p: Progress) -> None:
        report(replace(p, name=f"{form}: {p.name}"))

    try:
        made = build(dataset, scenario, seed, budget, tell)
        placement, unheard = _placed(dataset, scenario, made.structure, seed, tell)
    except ConsortiaError as fault:
        raise type(fault)(*(replace(p, what=f"{form}: {p.what}") for p in fault.problems)) from fault
    officers = tuple(_officers(dataset, officer_of, made.structure)) if officer_of is not None else ()
    cut = bool(made.cut) or (placement is not None and placement.cut_by_clock)
    return Arranged(scenario, made.structure, placement, made.certificates, officers, unheard, cut)


def left_alone(
    dataset: Dataset, scenario: Scenario, drawn: Structure, seed: int, budget: Budget, report: Report
) -> Arranged:
    """The bodies there are, services placed as suits them; without services where no placement was found.

    Where nobody has drawn anything smaller than the bodies that commission, it is planned inside them as in every form,
    so that a form is not charged for groups that today merely has no names for.
    """

    def tell(p: Progress) -> None:
        report(replace(p, name=f"as today: {p.name}"))

    structure = _with_smaller(dataset, scenario, drawn, seed, budget, tell)
    own = scenario.model_copy(update={"scales_used": structure.scales})
    try:
        placement, unheard = _placed(dataset, own, structure, seed, tell)
    except (Infeasible, LimitReached):
        placement, unheard = None, 0
    return Arranged(own, structure, placement, unheard=unheard, cut=placement is not None and placement.cut_by_clock)


def _with_smaller(
    dataset: Dataset, scenario: Scenario, drawn: Structure, seed: int, budget: Budget, report: Report
) -> Structure:
    """The structure with planned smaller scales inside its bodies, where it has none and they can be drawn there."""
    anchor, kept = scenario.anchor_scale, drawn.bodies[scenario.anchor_scale]
    smaller = scenario.scales_used[: scenario.scales_used.index(anchor)]
    if not smaller or set(smaller) & set(drawn.scales) or any(b.name == NO_BODY for b in kept):
        return drawn
    codes = [p.code for p in dataset.practices]
    pins = tuple(Pin(kind="frozen", scale=anchor, practices=tuple(codes[i] for i in b.members)) for b in kept)
    inside = scenario.model_copy(update={"scales_used": (*smaller, anchor), "pins": pins})
    try:
        made = build(dataset, inside, seed, budget, report).structure
    except (ScenarioError, Infeasible, LimitReached):
        return drawn
    holder = {
        b.code: drawn.body_of(anchor, b.members[0]).code for b in made.bodies[anchor]
    }  # the bodies built stand for those drawn
    bodies = {
        scale: tuple(replace(b, parent=holder.get(b.parent, b.parent)) for b in made.bodies[scale]) for scale in smaller
    }
    return Structure(
        (*smaller, *drawn.scales),
        {**bodies, **drawn.bodies},
        {**{scale: made.membership[scale] for scale in smaller}, **drawn.membership},
    )


def _placed(
    dataset: Dataset, scenario: Scenario, structure: Structure, seed: int, report: Report
) -> tuple[Placement | None, int]:
    """The services placed, and how many firm wishes ask for a scale that is not there and so went unheard."""
    if not dataset.services or not len(dataset.flows):
        return None, 0
    services = {s.id: s for s in dataset.services}
    heard = tuple(w for w in dataset.wishes if not refusal(services[w.service], w.scale, scenario))
    unheard = sum(w.firm for w in dataset.wishes) - sum(w.firm for w in heard)
    data = replace(dataset, wishes=heard)
    return place(data, scenario, structure, seed, SERVICES_MOST, report=report, prove=False), unheard


def _officers(dataset: Dataset, scenario: Scenario, structure: Structure) -> Iterator[SharedOfficer]:
    """The officers of larger bodies with two bodies or more. scenario: before any cost was shared."""
    anchor, above = scenario.anchor_scale, above_anchor(scenario)
    fixed = statutory_cost(dataset.functions, scenario)
    for group in structure.bodies[above] if above is not None else ():
        bodies = {int(structure.membership[anchor][i]) for i in group.members}
        if len(bodies) > 1 and fixed:
            yield share_officer(len(bodies), group.patients, fixed, scenario.officer)


def figures(dataset: Dataset, plan: Arranged, groups: Sequence[Group], luck: Luck, counted: Dataset) -> Figures:
    """What an arrangement comes to. groups: those whose autonomy counts, by patients; none: it is not known. luck: of
    this arrangement. counted: the dataset with the bodies of today from which moves are counted."""
    scenario, structure, placement = plan.scenario, plan.structure, plan.placement
    people = float(dataset.patients.sum())
    card = score(counted, scenario, structure, placement).region
    value = {name: measure.value for name, measure in card.items()}
    anchor, sizes = scenario.anchor_scale, [b.patients for b in plan.anchors]
    if placement is None and dataset.services and len(dataset.flows):
        cash = None  # services could not be placed, and what placing them costs is part of it
    kinds = _by_kind(dataset, plan)
    outside = value[f"outside_main_authority_{anchor}"]
    kept = _kept(dataset, plan, groups)
    cash = value["cash_per_head"]
    deputies = sum(officer.deputy_cost for officer in plan.officers)
    return Figures(
        cash=None if cash is None else cash + deputies / people,
        expected=kinds["expected_financial"] / people if placement is not None else None,
        notional=kinds["notional"] / people if placement is not None else None,
        leverage=plan.exact("leverage") / people if placement is not None and scenario.on("leverage") else None,
        overspend=luck.as_held.overspend,
        over_1=luck.as_held.over_1,
        overspend_alone=luck.alone.overspend,
        reserve=luck.as_held.reserve,
        reserve_luck=luck.as_held.luck_alone,
        reserve_alone=luck.alone.reserve,
        exposed=_exposed(dataset, plan),
        provider_share=value.get(f"lead_provider_share_{anchor}"),
        engagement=value.get("engagement"),
        alignment=None if outside is None else 1 - outside,
        autonomy=kept[0],
        autonomy_of_spend=kept[1],
        bodies=len(sizes),
        median=float(statistics.median(sizes)),
        smallest=min(sizes),
        largest=max(sizes),
        moved=value.get(f"moved_patients_{anchor}"),
    )


def _exposed(dataset: Dataset, plan: Arranged) -> float | None:
    """Service risk: the share of the spend of all anchor bodies that is in trouble if a provider is."""
    found = service_risk(dataset, plan.scenario, plan.structure)
    whole = sum(row.spend for row in found)
    return sum(row.exposed * row.spend for row in found) / whole if whole else None


def _by_kind(dataset: Dataset, plan: Arranged) -> dict[str, float]:
    """Kind of money → £ a year of structure and services together, each force once."""
    found = {"cash": 0.0, "expected_financial": 0.0, "notional": 0.0}
    parts = list(structure_terms(dataset, plan.scenario, plan.structure).values())
    for part in (*parts, plan.placement.terms if plan.placement else {}):
        for force, pounds in part.items():
            found[plan.scenario.kind(force)] += pounds
    return found


def _kept(dataset: Dataset, plan: Arranged, groups: Sequence[Group]) -> tuple[float | None, float | None]:
    """(of services, of spending) what the groups decide themselves, by patients; None where nothing is placed."""
    if plan.placement is None or not groups:
        return None, None
    anchor = plan.scenario.anchor_scale
    own = [autonomy(g.members, dataset, plan.structure, plan.placement, anchor) for g in groups]
    weight = [float(dataset.patients[list(g.members)].sum()) for g in groups]
    return _mean([a.services for a in own], weight), _mean([a.spend for a in own], weight)


def _mean(values: Sequence[float | None], weights: Sequence[float]) -> float | None:
    known = [(v, w) for v, w in zip(values, weights, strict=True) if v is not None]
    whole = sum(w for _, w in known)
    return sum(v * w for v, w in known) / whole if whole else None


def way(dataset: Dataset, before: Arranged, after: Arranged, cash: tuple[float, float]) -> Transition:
    """The way from one arrangement to another. cash: £ a head of each.

    Bodies that commission or are larger change when they begin, end, or get functions done in another way (an officer
    shared is one). Management work of those who change is what their patients' bodies cost before.
    """
    people = float(dataset.patients.sum())
    anchor = after.scenario.anchor_scale
    old, new = _bodies(before), _bodies(after)
    ways_before, ways_after = _ways(before), _ways(after)
    shared = bool(after.officers) != bool(before.officers)
    stirred = [
        b for b in after.anchors
        if (anchor, b.members) not in old or shared or ways_before.get(b.members) != ways_after.get(b.members)
    ]  # fmt: skip
    kept = sum((anchor, b.members) in old for b in stirred)
    share = sum(b.patients for b in stirred) / people
    gains = sum(before.exact(force) - after.exact(force) for force in ("leverage", "insurance"))
    return transition(
        saving=(cash[0] - cash[1]) * people,
        management=cash[0] * people * share,
        gains=gains,
        changing=len(old ^ new) + kept,
        scenario=after.scenario,
    )


def _bodies(plan: Arranged) -> set[tuple[str, tuple[int, ...]]]:
    """Bodies of the anchor scale and larger: (scale, members)."""
    scales = plan.structure.scales
    larger = scales[scales.index(plan.scenario.anchor_scale) :]
    return {(s, b.members) for s in larger for b in plan.structure.bodies[s] if b.name != NO_BODY}


def _ways(plan: Arranged) -> dict[tuple[int, ...], tuple[tuple[str, str], ...]]:
    """Members of a body that commissions → how it gets each function done."""
    found: dict[str, list[tuple[str, str]]] = {b.code: [] for b in plan.anchors}
    for mode in plan.placement.functions if plan.placement else ():
        if mode.consortium in found:
            found[mode.consortium].append((mode.function, mode.mode))
    return {b.members: tuple(sorted(found[b.code])) for b in plan.anchors}
