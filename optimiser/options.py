"""Standalone, pooled, merged and mixed side by side, each planned anew under its own rules: the whole story, in order.

For a region, or for a set of consortia kept as they are (merged into one where that is the form). The same structure is
never given another name: every form has its own scenario, its own search, its own services placed and its own bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimiser.domain import Dataset, joint_gap
from optimiser.errors import Infeasible, LimitReached, Problem, ScenarioError
from optimiser.given import honoured
from optimiser.nesting import silent
from optimiser.option_answers import Answered, answered
from optimiser.option_groups import Group, as_they_are, cut_out, from_these, groups_of
from optimiser.option_luck import Luck, luck_of
from optimiser.option_plans import Arranged, Report, figures, left_alone, planned, way
from optimiser.option_scenarios import FORMS, form_scenario, under_one_officer, without_its_own
from optimiser.option_terms import Figures, Form, OptionTerms
from optimiser.option_words import benefits_and_risks
from optimiser.partition.budget import Budget
from optimiser.scenario import Scenario
from optimiser.wishes import check_wishes

LEAN = Budget(moves=2_000, rounds=30, branches=1, turns=1)  # of each form: four are planned, to be compared


@dataclass(frozen=True)
class Option:
    """One form, planned: its terms, and what they were read from. luck: with who pays for whom in its pools. notes:
    rules that what was kept breaks."""

    terms: OptionTerms
    plan: Arranged
    luck: Luck
    notes: tuple[str, ...]

    @property
    def structure_gap(self) -> float:
        """(objective − bound) / objective over all scales."""
        return joint_gap(self.plan.certificates.values())

    @property
    def services_gap(self) -> float | None:
        """The gap proved for services, given the structure; None where none are placed."""
        return self.plan.placement.certificate.gap if self.plan.placement else None


@dataclass(frozen=True)
class Today:
    """The bodies there are, left as they are, with services placed as suits them. filled: smaller bodies were planned
    inside them, since nobody has drawn any."""

    figures: Figures
    plan: Arranged
    filled: bool


@dataclass(frozen=True)
class Impossible:
    """A form that cannot be had under its rules, or was not found, and why."""

    form: Form
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Comparison:
    """The forms side by side. dataset: of the groups alone where they were chosen. groups: whose answers count:
    those chosen, today's bodies, or (where there is none, or one that is everybody, whose say is then not measured) the
    mixed plan's. today:
    what every way is counted from; None where no body of today is known, and ways are counted from the first form there
    is: standing alone, if that can be. impossible: forms that cannot be had here."""

    dataset: Dataset
    scenario: Scenario
    seed: int
    chosen: bool
    groups: tuple[Group, ...]
    today: Today | None
    options: tuple[Option, ...]
    answers: tuple[Answered, ...]
    impossible: tuple[Impossible, ...] = ()

    @property
    def from_there(self) -> bool:
        """Whether ways are counted from the bodies there are: they are known, and so is what they cost."""
        return self.today is not None and self.today.figures.cash is not None

    @property
    def drawn(self) -> bool:
        """Whether the groups come from a map drawn by hand, and are no bodies of today."""
        anchor, at = self.scenario.anchor_scale, self.dataset.practices
        return self.chosen and any(at[i].existing.get(anchor) != g.code for g in self.groups for i in g.members)

    @property
    def premature(self) -> bool:
        """Whether some consortium has not answered all five questions itself."""
        return self.stood_in > 0

    @property
    def stood_in(self) -> int:
        """Consortia for which the programme's answers stand in, to some of the questions or to all."""
        return sum(not answer.complete for answer in self.answers)


def compare_options(
    dataset: Dataset,
    scenario: Scenario,
    seed: int,
    chosen: Sequence[Group] = (),
    budget: Budget = LEAN,
    report: Report = silent,
) -> Comparison:
    """Every form planned and measured. chosen: consortia to compare the forms for, the whole region without.

    A form that cannot be had is told of beside those that can. The same input and seed give the same figures. Raises
    ScenarioError, or what the first form met where none can be had.
    """
    check_wishes(dataset, scenario)
    dataset, chosen = cut_out(dataset, chosen) if chosen else (dataset, ())
    plans, impossible = _plans(dataset, scenario, chosen, seed, budget, report)
    drawn = as_they_are(dataset, scenario, chosen)
    groups = chosen or (groups_of(drawn, scenario.anchor_scale) if drawn is not None else ())
    say = groups if len(groups) > 1 else ()  # one that is everybody keeps every say, whatever the form
    if not say:
        groups = groups_of(plans.get("mixed", next(iter(plans.values()))).structure, scenario.anchor_scale)
    counted = from_these(dataset, scenario.anchor_scale, chosen) if chosen else dataset
    lucks = {form: _luck(dataset, plan) for form, plan in plans.items()}
    found = {form: figures(dataset, plan, say, lucks[form], counted) for form, plan in plans.items()}
    today = None
    if drawn is not None:
        left = left_alone(dataset, scenario, drawn, seed, budget, report)
        today = Today(figures(dataset, left, say, _luck(dataset, left), counted), left, left.structure is not drawn)

    first = next(iter(plans))
    known = today is not None and today.figures.cash is not None
    before = (today.plan, today.figures) if today is not None and known else (plans[first], found[first])
    options = []
    for form, plan in plans.items():
        there = way(dataset, before[0], plan, (before[1].cash or 0.0, found[form].cash or 0.0))
        said = benefits_and_risks(form, plan, found, there)
        terms = OptionTerms(form.capitalize(), form, found[form], there, *said)
        notes = honoured(dataset, without_its_own(plan.scenario), plan.structure)
        options.append(Option(terms, plan, lucks[form], notes))
    answers = answered(dataset, scenario, groups)
    return Comparison(dataset, scenario, seed, bool(chosen), groups, today, tuple(options), answers, tuple(impossible))


def _plans(
    dataset: Dataset, scenario: Scenario, chosen: Sequence[Group], seed: int, budget: Budget, report: Report
) -> tuple[dict[Form, Arranged], list[Impossible]]:
    """Every form that can be had, planned under its own rules, and those that cannot."""
    plans: dict[Form, Arranged] = {}
    impossible, faults = [], []
    for form in FORMS:
        try:
            rules, alone = form_scenario(form, scenario, dataset, chosen), None
            if form == "pooled":
                rules, alone = under_one_officer(rules, dataset.functions), rules
            plans[form] = planned(form, dataset, rules, alone, seed, budget, report)
        except (ScenarioError, Infeasible, LimitReached) as fault:
            impossible.append(Impossible(form, fault.problems))
            faults.append(fault)
    if not plans:
        raise faults[0]
    return plans, impossible


def _luck(dataset: Dataset, plan: Arranged) -> Luck:
    return luck_of(dataset, plan.scenario, plan.structure, plan.placement)
