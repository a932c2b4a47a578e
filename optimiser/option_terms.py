"""One option (standalone, pooled, merged or mixed) as it is put before people: its figures, and benefits and risks that
can never be empty (seeds 000 and 003)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from optimiser.domain import Dataset, Placement, Structure
from optimiser.errors import Problem, ScenarioError
from optimiser.transition import Transition

Form = Literal["standalone", "pooled", "merged", "mixed"]

# What the sources say of each form, before any figure of a plan is known: (benefits, risks).
SAID: Mapping[Form, tuple[tuple[str, ...], tuple[str, ...]]] = MappingProxyType({
    "standalone": (
        ("Its members decide everything that one body may decide", "Its team answers to nobody else"),
        ("It carries all insurance and service risk by itself", "Every function is paid for again in each body"),
    ),
    "pooled": (
        ("A bad year is shared without anybody merging", "It can still commission locally for its own patients"),
        ("Members may pay for each other's bad years", "One officer and team divide their attention between bodies"),
    ),
    "merged": (
        ("One team, one reserve, one voice with providers", "Fixed costs are paid once"),
        ("GPs take less part in a larger body", "Savings come late: starting at scale has often been the problem"),
    ),
    "mixed": (
        ("Each service sits at the scale that suits it", "What works locally stays local"),
        ("More agreements to keep, and more places where it is unclear who answers", "One pathway may be split"),
    ),
})  # fmt: skip


@dataclass(frozen=True)
class Figures:
    """What an arrangement of bodies comes to; None where it is not known. £ a head a year: cash (the only figure that
    allowances are compared with), expected, notional, and leverage (lost for lack of weight with providers, part of
    expected). Shares 0–1: overspend, over_1 (chance of overspending by more than the scenario's tolerance, and by more
    than 1 %, in the worst-off body or pool that holds the risk), overspend_alone (were nothing pooled), reserve,
    reserve_luck, reserve_alone (of budget, set aside by all who hold risk; without the common shock; were nothing
    pooled), exposed (of spend, to trouble with a provider), provider_share (of its main provider's income that comes
    from a body, by patients), engagement (GPs), alignment (patients inside their body's main council), autonomy
    and autonomy_of_spend (services, and spending, that the groups there are decide themselves). bodies, median,
    smallest, largest: of the anchor scale, in patients. moved: patients whose practice changes body."""

    cash: float | None
    expected: float | None
    notional: float | None
    leverage: float | None
    overspend: float | None
    over_1: float | None
    overspend_alone: float | None
    reserve: float | None
    reserve_luck: float | None
    reserve_alone: float | None
    exposed: float | None
    provider_share: float | None
    engagement: float | None
    alignment: float | None
    autonomy: float | None
    autonomy_of_spend: float | None
    bodies: int
    median: float
    smallest: int
    largest: int
    moved: float | None


@dataclass(frozen=True)
class OptionTerms:
    """One option, whole: what it comes to, the way there, and both sides of it. ScenarioError where benefits or risks
    are empty."""

    name: str
    form: Form
    figures: Figures
    transition: Transition
    benefits: tuple[str, ...]
    risks: tuple[str, ...]

    def __post_init__(self) -> None:
        for side, said in (("benefits", self.benefits), ("risks", self.risks)):
            if not said or not all(text.strip() for text in said):
                raise ScenarioError(
                    Problem(
                        f"option {self.name!r} names no {side}" if not said else f"a blank among the {side}",
                        side,
                        "Every option has benefits and risks, and both are shown.",
                        f"Write at least one of the {side}.",
                    )
                )


@dataclass(frozen=True)
class Autonomy:
    """What a set of practices still decides itself, shares 0–1: of services, each counted once, and of spending. Both
    None where nothing is placed for it."""

    services: float | None
    spend: float | None


def autonomy(
    own: Collection[int], dataset: Dataset, structure: Structure, placement: Placement, anchor: str
) -> Autonomy:
    """How much the practices `own` (positions) decide themselves: a service counts as far as whoever commissions it for
    their patients is made up of none but them. So a merger leaves nothing to those who merged, and a pool leaves what
    is still commissioned locally. Councils, the region and condition groups are never themselves. ValueError for no
    practice."""
    mine = frozenset(own)
    if not mine:
        raise ValueError("autonomy of no practice")
    holds = _holders(structure, placement)
    here = {b.code: [i for i in b.members if i in mine] for b in structure.bodies[anchor]}
    people = {b.code: b.patients for b in structure.bodies[anchor]}
    smaller = set(structure.scales[: structure.scales.index(anchor)])
    patients = kept_patients = spend = kept_spend = 0.0
    for row in placement.commissions:
        ours = here[row.consortium]
        all_ = float(dataset.patients[ours].sum())
        if not all_:
            continue
        if row.scale == "practice":
            decided = ours
        elif row.scale in smaller:
            decided = [i for i in ours if mine.issuperset(structure.body_of(row.scale, i).members)]
        else:
            decided = ours if row.commissioner in holds and mine >= holds[row.commissioner] else []
        kept = float(dataset.patients[decided].sum())
        per_head = row.spend / people[row.consortium]
        patients, kept_patients = patients + all_, kept_patients + kept
        spend, kept_spend = spend + per_head * all_, kept_spend + per_head * kept
    return Autonomy(kept_patients / patients if patients else None, kept_spend / spend if spend else None)


def _holders(structure: Structure, placement: Placement) -> dict[str, frozenset[int]]:
    """Code of a body or footprint → the practices that it is made up of."""
    found = {body.code: frozenset(body.members) for bodies in structure.bodies.values() for body in bodies}
    joint = {f.code: frozenset().union(*(found[c] for c in f.consortia)) for f in placement.footprints}
    return found | joint
