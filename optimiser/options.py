"""Standalone, pooled, merged and mixed side by side, each planned anew under its own rules: the whole story, in order.

For a region, or for a set of consortia kept as they are (merged into one where that is the form). The same structure is
never given another name: every form has its own scenario, its own search, its own services placed and its own bounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimiser.domain import Dataset, joint_gap
from optimiser.given import honoured
from optimiser.nesting import silent
from optimiser.option_answers import Answered, answered
from optimiser.option_groups import Group, as_they_are, cut_out, groups_of
from optimiser.option_plans import Arranged, Report, figures, left_alone, planned, way
from optimiser.option_scenarios import FORMS, form_scenario, under_one_officer, without_its_own
from optimiser.option_terms import Figures, OptionTerms
from optimiser.option_words import benefits_and_risks
from optimiser.partition.budget import Budget
from optimiser.scenario import Scenario
from optimiser.wishes import check_wishes

LEAN = Budget(moves=2_000, rounds=30, branches=1, turns=1)  # of each form: four are planned, to be compared


@dataclass(frozen=True)
class Option:
    """One form, planned: its terms, and what they were read from. notes: rules that what was kept breaks."""

    terms: OptionTerms
    plan: Arranged
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
    """The bodies there are, left as they are, with services placed as suits them."""

    figures: Figures
    plan: Arranged


@dataclass(frozen=True)
class Comparison:
    """The forms side by side. dataset: of the groups alone where they were chosen. groups: whose autonomy and answers
    count: those chosen, today's bodies, or (where there is none, or one that is everybody) the mixed plan's. today:
    what every way is counted from; None where no body of today is known, and ways are counted from standing alone."""

    dataset: Dataset
    scenario: Scenario
    seed: int
    chosen: bool
    groups: tuple[Group, ...]
    today: Today | None
    options: tuple[Option, ...]
    answers: tuple[Answered, ...]

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

    The same input and seed give the same figures. Raises ScenarioError, Infeasible, LimitReached or SolverError, saying
    for which form.
    """
    check_wishes(dataset, scenario)
    dataset, chosen = cut_out(dataset, chosen) if chosen else (dataset, ())
    rules = {form: form_scenario(form, scenario, dataset, chosen) for form in FORMS}
    shared = rules | {"pooled": under_one_officer(rules["pooled"], dataset.functions)}
    plans = {
        form: planned(form, dataset, shared[form], rules[form] if form == "pooled" else None, seed, budget, report)
        for form in FORMS
    }
    drawn = as_they_are(dataset, scenario, chosen)
    groups = chosen or (groups_of(drawn, scenario.anchor_scale) if drawn is not None else ())
    if len(groups) < 2:  # one that is everybody keeps every say, whatever the form
        groups = groups_of(plans["mixed"].structure, scenario.anchor_scale)
    found = {form: figures(dataset, plan, groups) for form, plan in plans.items()}
    today = None
    if drawn is not None:
        left = left_alone(dataset, scenario, drawn, seed, report)
        today = Today(figures(dataset, left, groups), left)

    before = (today.plan, today.figures) if today is not None else (plans["standalone"], found["standalone"])
    options = []
    for form in FORMS:
        there = way(dataset, before[0], plans[form], (before[1].cash or 0.0, found[form].cash or 0.0))
        said = benefits_and_risks(form, plans[form], found, there)
        terms = OptionTerms(form.capitalize(), form, found[form], there, *said)
        notes = honoured(dataset, without_its_own(plans[form].scenario), plans[form].structure)
        options.append(Option(terms, plans[form], notes))
    return Comparison(
        dataset, scenario, seed, bool(chosen), groups, today, tuple(options), answered(dataset, scenario, groups)
    )
