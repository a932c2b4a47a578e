"""Why no plan exists, in plain English: for the terminal, and for the page that draws it."""

from __future__ import annotations

from collections.abc import Sequence

from optimiser.conflicts import Conflict
from optimiser.domain import Dataset
from optimiser.errors import Infeasible, Problem
from optimiser.scenario import Scenario

MOST_NAMED = 6
NO_CURE = "No single change of these was shown to be enough: mend one, plan again, and see what is left."
NOT_SHOWN = "Not every part of this was shown to be needed: less may conflict already."


def refusal(dataset: Dataset, scenario: Scenario, conflicts: Sequence[Conflict]) -> Infeasible:
    """The error that carries every conflict, as text of several lines each."""
    problems = []
    for conflict in conflicts:
        lines = [
            f"{conflict.scale}: {lead(dataset, scenario, conflict)}:",
            *(f"    {row.said}" for row in conflict.rows),
        ]
        lines += [remedy(scenario, conflict), *(f"    {cure.said}" for cure in conflict.cures)]
        problems.append(Problem("\n".join([*lines, *([] if conflict.smallest else [NOT_SHOWN])])))
    return Infeasible(*problems)


def lead(dataset: Dataset, scenario: Scenario, conflict: Conflict) -> str:
    """What cannot be, in a sentence that the rows of the conflict follow."""
    scale = scenario.scale(conflict.scale)
    kept = "while all of these are kept" if len(conflict.rows) > 1 else "while this is kept"
    if conflict.diffuse:
        patients = int(dataset.patients[list(conflict.company)].sum())
        everybody = len(conflict.company) == len(dataset.practices)
        names = f"the {len(conflict.company):,} practices" if everybody else who(dataset, conflict.company)
        return f"{names} ({patients:,} patients) cannot all be in {scale.plural} {kept}"
    cannot = f"cannot be in a {scale.label}" if len(conflict.practices) == 1 else f"cannot all be in {scale.plural}"
    return f"{who(dataset, conflict.practices)} {cannot} {company(dataset, conflict)} {kept}"


def remedy(scenario: Scenario, conflict: Conflict) -> str:
    """What the cures are, in a line that they follow."""
    if not conflict.cures:
        return NO_CURE
    number = "This change makes" if len(conflict.cures) == 1 else "Any one of these changes makes"
    return f"{number} a plan of {scenario.scale(conflict.scale).plural} possible:"


def who(dataset: Dataset, practices: Sequence[int]) -> str:
    """Practices by name and code, the first few of many."""
    names = [f"{dataset.practices[i].name} ({dataset.practices[i].code})" for i in practices[:MOST_NAMED]]
    rest = len(practices) - len(names)
    if rest:
        return f"{', '.join(names)} and {rest:,} more"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def company(dataset: Dataset, conflict: Conflict) -> str:
    """Who else there is to be with."""
    others = len(conflict.company) - len(conflict.practices)
    patients = int(dataset.patients[list(conflict.company)].sum())
    if len(conflict.company) == len(dataset.practices):
        return "(with whomever)"
    if not others:
        return f"(nobody else can join: {patients:,} patients)"
    return f"(only {others:,} other{'s' if others > 1 else ''} can join: {patients:,} patients in all)"
