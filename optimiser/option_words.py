"""What speaks for and against a form, in sentences: what the sources say of it, then its own figures beside those of
the others (seeds 000 and 003: both sides, for every option and every size)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from optimiser.option_plans import Arranged
from optimiser.option_terms import SAID, Figures, Form
from optimiser.scenario import Scale
from optimiser.transition import Transition
from optimiser.wording import percent

SMALL, LARGE = 100_000, 500_000  # people: reference lines for luck (EVIDENCE 1.6) and for relationships inside (2.11)
YEARS_MOST = 5  # by which what was spent should be back (A)


@dataclass(frozen=True)
class Ranked:
    """A figure on which forms are ranked. high: more is better. best, worst: how a sentence about it begins."""

    name: str
    show: Callable[[float], str]
    high: bool
    best: str
    worst: str


def _pounds(value: float) -> str:
    return f"£{value:,.2f} a head"


def _people(value: float) -> str:
    return f"{value:,.0f}"


RANKED = (
    Ranked("cash", _pounds, False, "Least cash to run", "Most cash to run"),
    Ranked("overspend", percent, False, "Least chance of overspending by luck", "Most chance of overspending by luck"),
    Ranked("engagement", percent, True, "Most GPs engaged", "Fewest GPs engaged"),
    Ranked("leverage", _pounds, False, "Least lost for lack of weight with providers", "Most lost for lack of weight"),
    Ranked(
        "alignment",
        percent,
        True,
        "Most patients inside their body's main council",
        "Fewest patients inside their body's main council",
    ),
    Ranked(
        "autonomy",
        percent,
        True,
        "Most services still decided by the groups there are",
        "Fewest services left to the groups there are",
    ),
    Ranked("moved", _people, False, "Fewest patients whose practice changes body", "Most patients who change body"),
)


def benefits_and_risks(
    form: Form, plan: Arranged, found: Mapping[Form, Figures], way: Transition
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(benefits, risks). plan: of the form. found: the figures of every form. way: to this one."""
    own, (good, bad) = found[form], SAID[form]
    good_size, bad_size = _of_size(plan)
    good_way, bad_way = _of_the_way(way)
    good_pool, bad_pool = _of_pooling(own, plan)
    best, worst = list(_ranked(form, found, True)), list(_ranked(form, found, False))
    wishes = "firm wish asks" if plan.unheard == 1 else "firm wishes ask"
    unheard = (f"{plan.unheard} {wishes} for a scale that it does not have",) if plan.unheard else ()
    return (*good, *good_pool, *best, *good_size, *good_way), (*bad, *bad_pool, *worst, *bad_size, *bad_way, *unheard)


def _ranked(form: Form, found: Mapping[Form, Figures], best: bool) -> Iterator[str]:
    """A sentence for each figure that is the best, or the worst, of the forms and not as good as the next in print."""
    for figure in RANKED:
        values = {f: getattr(figures, figure.name) for f, figures in found.items()}
        if len(values) < 2 or any(v is None for v in values.values()):
            continue
        order = sorted(values, key=lambda f: values[f], reverse=figure.high == best)
        first, second = order[0], order[1]
        if first == form and figure.show(values[first]) != figure.show(values[second]):
            start = figure.best if best else figure.worst
            yield f"{start}: {figure.show(values[first])}, next {second} with {figure.show(values[second])}"


def _of_pooling(own: Figures, plan: Arranged) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a pool and a shared officer do; nothing where neither is there."""
    good, bad = [], []
    if own.overspend is not None and own.overspend_alone is not None and own.overspend < own.overspend_alone:
        good.append(
            f"A year over budget by more than {percent(plan.scenario.risk.rule_tolerance)} is {percent(own.overspend)} "
            f"likely for the worst-off where risk is held, {percent(own.overspend_alone)} for the worst-off if each "
            f"held all its own: {percent(own.reserve or 0)} of budget set aside does, where "
            f"{percent(own.reserve_alone or 0)} would be needed"
        )
    if plan.officers:
        saved, deputies = sum(o.saved for o in plan.officers), sum(o.deputies for o in plan.officers)
        widest = max(plan.officers, key=lambda o: o.bodies)
        good.append(f"One accountable officer and team for several bodies saves £{saved / 1e6:,.2f}m a year")
        bad.append(
            f"An officer of {widest.bodies} bodies has {percent(widest.attention)} of a year for each, where "
            f"{percent(widest.need)} is assumed to be needed"
            + (f"; deputies make up for it ({deputies:,.1f} posts in all)" if deputies else "")
        )
    return tuple(good), tuple(bad)


def _of_size(plan: Arranged) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the sizes of its bodies bring, and what they cost."""
    scale = plan.scenario.scale(plan.scenario.anchor_scale)
    sizes = [b.patients for b in plan.anchors]
    small, large = sum(size < SMALL for size in sizes), sum(size > LARGE for size in sizes)
    good, bad = [], []
    if small:
        bad.append(f"{_some(small, sizes, scale)} fewer than {SMALL:,} people: luck alone is large")
    else:
        good.append(f"No {scale.label} has fewer than {SMALL:,} people, the usual line for bearing luck")
    if large:
        bad.append(
            f"{_some(large, sizes, scale)} more than {LARGE:,} people: whether members know each other is doubted"
        )
    else:
        good.append(f"No {scale.label} has more than {LARGE:,} people, beyond which engagement is doubted")
    return tuple(good), tuple(bad)


def _some(count: int, sizes: Sequence[int], scale: Scale) -> str:
    if len(sizes) == 1:
        return f"The one {scale.label} has"
    return f"{count} of {len(sizes)} {scale.plural} {'has' if count == 1 else 'have'}"


def _of_the_way(way: Transition) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What the way there saves and costs."""
    good, bad = [], []
    back, years = way.pays_back(), way.years
    if way.saving > 0:
        by = f", and what it takes is back by year {back}" if back is not None and way.one_off else ""
        good.append(f"Saves £{way.saving / 1e6:,.2f}m of cash a year when all is done{by}")
        late = years[0].theoretical - years[0].realised
        if late > 0:
            bad.append(f"In its first year £{late / 1e6:,.2f}m of that saving does not come")
    elif way.saving < 0:
        bad.append(f"Costs £{-way.saving / 1e6:,.2f}m of cash a year more than today")
    if way.one_off:
        never = "" if back is not None and back <= YEARS_MOST else ", and that does not come back in five years"
        bad.append(f"The change takes £{way.one_off / 1e6:,.2f}m of cash once{never}")
    elif not any(y.dip for y in years):
        good.append("Nobody changes, so nothing is lost on the way")
    return tuple(good), tuple(bad)
