"""Plans side by side in plain English: who moves, what it gains, what it costs. Every figure is the scorecard's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from geodata.maps.words import bare, evidence_tag, show
from optimiser.matching import Fate
from optimiser.wording import percent

if TYPE_CHECKING:
    from optimiser.compare import Between, Compared, Measured
    from optimiser.matching import Changed
    from optimiser.scorecard import Measure

LOW, HIGH = "low", "high"
BETTER = {  # a measure, or one of a scale without the scale's name → which way is better; others are no matter of that
    "cash_per_head": LOW,
    "failing_risk_rule": LOW,
    "failing_risk_rule_unpooled": LOW,
    "engagement": HIGH,
    "orphaned_practices": LOW,
    "outside_main_authority": LOW,
    "authority_splits": LOW,
    "straddling": LOW,
    "km_to_centre": LOW,
    "deprived_fifth_km": LOW,
    "lead_provider_share": HIGH,
    "moved_patients": LOW,
}
TOLD = tuple(name for name in BETTER if name not in ("moved_patients", "failing_risk_rule_unpooled"))
MADE = {"merged": "merged from", "split": "split from", "grown": "grown by parts of", "new": "new, from",
        "redrawn": "redrawn, with parts of", "kept": "kept", "gone": "gone, into"}  # fmt: skip
MOST_PARTS, MOST_TOLD, MOST_COUNCILS = 4, 3, 8
COUNTED = ("bodies", "councils", "practices", "patients")  # said by the label already


def family(name: str, scales: Sequence[str]) -> tuple[str, str]:
    """A measure's name without its scale, and the scale ("" for one of the region)."""
    for scale in scales:
        if name.endswith(f"_{scale}"):
            return name.removesuffix(f"_{scale}"), scale
    return name, ""


def better(found: Compared, name: str) -> str:
    """Which way a measure is better: "low", "high", or "" where neither is."""
    return BETTER.get(family(name, found.scales)[0], "")


def verdict(found: Compared, name: str, before: Measure | None, after: Measure | None) -> str:
    """ "better", "worse", "same", or "" where the figures cannot be told apart or neither way is better."""
    way = better(found, name)
    if not way or before is None or after is None or before.value is None or after.value is None:
        return ""
    if show(before.value, before.unit) == show(after.value, after.unit):
        return "same"
    return "better" if (after.value < before.value) == (way == LOW) else "worse"


def headline(found: Compared) -> str:
    """The comparison in a few sentences."""
    return " ".join(headlines(found))


def headlines(found: Compared) -> list[str]:
    """Of each plan who moves, what it gains and what it costs against the first; then what the first itself breaks."""
    if not found.scale:
        return ["These plans have no scale in common: nobody can be said to move, and each is measured for itself."]
    said = []
    for k, plan in enumerate(found.plans[1:], start=1):
        between = found.pair(0, k, found.scale)
        assert between is not None
        if not between.moved.practices and between.patients.information == 0:
            said.append(f"{_capital(plan.name)} groups everybody as {found.plans[0].name} does.")
            continue
        said.append(
            f"{_capital(plan.name)} moves {patients_of(found, between)}. "
            f"{_told_of(found, plan, 'better', 'It gains in')}"
            f"{_told_of(found, plan, 'worse', 'It costs in')}{_rules_said(plan)}"
        )
    first = found.plans[0]
    if first.broken:
        said.append(f"{_capital(first.name)} itself breaks {_count(len(first.broken), 'rule')}.")
    return said


def _told_of(found: Compared, plan: Measured, way: str, verb: str) -> str:
    """The first few measures of a kind, in a sentence; "" where there are none."""
    told = list(_told(found, plan, way))
    if not told:
        return ""
    named = []
    for before, after in told[:MOST_TOLD]:
        label = after.label.partition(": ")[2] or after.label
        label = label if label[:2].isupper() else label[:1].lower() + label[1:]
        named.append(f"{label}{_resting(after)} ({bare(before.value, before.unit)} → {_with_unit(after)})")
    more = len(told) - MOST_TOLD
    if more > 0:
        named.append(f"{_count(more, 'more measure')}")
    return f"{verb} {_list(named)}. "


def _rules_said(plan: Measured) -> str:
    return f"It breaks {_count(len(plan.broken), 'rule')}."


def patients_of(found: Compared, between: Between) -> str:
    """Who moves between two plans, in words."""
    people = int(found.dataset.patients.sum())
    return (
        f"{_count(between.moved.practices, 'practice')} with {between.moved.patients:,} patients "
        f"({percent(between.moved.patients / people)})"
    )


def who_moves(found: Compared, between: Between) -> list[str]:
    """Who moves between two plans: people, the most deprived, councils, bodies."""
    scale = found.scenario.scale(between.scale)
    said = [f"{_capital(patients_of(found, between))} go to another {scale.label}."]
    deprived = deprived_share(found, between)
    if deprived is not None and between.moved.patients:
        said.append(f"Of the most deprived fifth {percent(deprived)} do.")
    fates = counts(between)
    bodies = [f"{fates[f]} {f}" for f in ("kept", "grown", "merged", "split", "redrawn", "new") if fates.get(f)]
    gone = f"; {fates['gone']} gone" if fates.get("gone") else ""
    said.append(f"{_capital(scale.plural)}: {', '.join(bodies) or 'none'}{gone}.")
    for codes, what in ((between.split, "newly divided"), (between.healed, "made whole")):
        if codes:
            named = "; ".join(found.dataset.authority_name(c) for c in codes[:MOST_COUNCILS])
            named += f"; and {len(codes) - MOST_COUNCILS} more" if len(codes) > MOST_COUNCILS else ""
            said.append(f"{'Council' if len(codes) == 1 else 'Councils'} {what}: {named}.")
    return said


def gains_and_costs(found: Compared, plan: Measured, way: str) -> list[str]:
    """Measures on which a plan is better, or worse, than the first, each with both figures."""
    return [
        f"{after.label}{_resting(after)}: {bare(before.value, before.unit)} → {_with_unit(after)}"
        for before, after in _told(found, plan, way)
    ]


def _resting(measure: Measure) -> str:
    """ ", assumed" and the like of a figure that was not simply observed."""
    tag = evidence_tag(measure.evidence)[0]
    return f", {tag}" if tag else ""


def _with_unit(measure: Measure) -> str:
    counted = measure.unit in COUNTED
    return bare(measure.value, measure.unit) if counted else show(measure.value, measure.unit)


def _told(found: Compared, plan: Measured, way: str) -> Iterator[tuple[Measure, Measure]]:
    first = found.plans[0].card.region
    for name, after in plan.card.region.items():
        kind, scale = family(name, found.scales)
        before = first.get(name)
        if (
            before is not None
            and kind in TOLD
            and scale in ("", found.scale)
            and verdict(found, name, before, after) == way
        ):
            yield before, after


def counts(between: Between) -> dict[Fate, int]:
    """How many bodies met each fate."""
    fates: dict[Fate, int] = {}
    for change in between.matched.changed:
        fates[change.fate] = fates.get(change.fate, 0) + 1
    return fates


def deprived_share(found: Compared, between: Between) -> float | None:
    """Share of the most deprived fifth's patients who move; None where no practice is known to be deprived."""
    return between.moved.deprived / found.deprived if found.deprived else None


def made_of(found: Compared, between: Between, change: Changed) -> str:
    """What became of one body, in words: "merged from Alpha (12,000) and Beta (8,000)"."""
    gone = change.after < 0
    named = [
        f"{found.body_name(between.other if gone else between.one, between.scale, at)} ({people:,})"
        for at, people in change.parts
        if change.fate not in ("grown", "redrawn") or at != change.before
    ]
    if change.joined:
        named.append(f"practices that were in none ({change.joined:,})")
    if change.fate == "kept" or not named:
        return change.fate
    verb = "what is left of" if change.fate == "split" and change.before >= 0 else MADE[change.fate]
    more = len(named) - MOST_PARTS
    listed = _list(named) if more <= 0 else f"{', '.join(named[:MOST_PARTS])} and {more} more"
    return f"{verb} {listed}"


def settled_said(found: Compared) -> str:
    """What the plans agree on, in words."""
    settled = found.settled
    if settled is None:
        return ""
    people = found.dataset.patients
    asked = _list([found.plans[k].name for k in settled.plans])
    still = ~settled.open
    together = {i for group in settled.groups for i in group}
    return (
        f"Asked of {asked}. {_count(len(settled.groups), 'group')} of practices, {len(together):,} practices in all, "
        f"are together in every one. {_count(int(still.sum()), 'practice')} with {int(people[still].sum()):,} patients "
        f"({percent(float(people[still].sum() / people.sum()))}) keep at least half of the company that any of them "
        f"gives them: these are settled. {_count(int(settled.open.sum()), 'practice')} with "
        f"{int(people[settled.open].sum()):,} patients keep less: where they belong is open."
    )


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s" if n else f"no {noun}"


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
