"""Which of the five questions consortia have answered themselves: before all have, no form can be chosen (seed 000)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optimiser.domain import Dataset
from optimiser.five_questions import QUESTIONS, question_of
from optimiser.option_groups import Group
from optimiser.placement_options import AUTHORITY, CONDITION_GROUP
from optimiser.scenario import Scenario
from optimiser.wishes import members

OUTSOURCED = (AUTHORITY, CONDITION_GROUP)  # services that somebody else provides for: placement calls them bought
OUTSOURCING = 5


@dataclass(frozen=True)
class Answered:
    """What one consortium has said. questions: those of the five (1–5) that a wish of its own, or of those inside it,
    answers. wishes: how many."""

    code: str
    name: str
    questions: tuple[int, ...]
    wishes: int

    @property
    def complete(self) -> bool:
        """Whether all five are answered."""
        return len(self.questions) == len(QUESTIONS)


def answered(dataset: Dataset, scenario: Scenario, groups: Sequence[Group]) -> tuple[Answered, ...]:
    """What each consortium has said of the five questions in wishes.csv; for the rest the plan's own answers stand in.

    Wishes of those inside it count as its own, and so do those of a body of today that holds all of it. A wish answers
    the question that its scale belongs to, and one for a council or a charity also what to outsource. A scale that the
    scenario does not know answers nothing.
    """
    speaks = {code: set(found) for code, found in members(dataset).items()}
    known = {s.name for s in scenario.scales} | {"practice", "footprint", "region", *OUTSOURCED}
    found = []
    for group in groups:
        mine = set(group.members)
        own = [
            w for w in dataset.wishes
            if w.scale in known and (speaks.get(w.who, {-1}) <= mine or speaks.get(w.who, set()) >= mine)
        ]  # fmt: skip
        said = {question_of(w.scale, scenario.scales_used, scenario.anchor_scale) for w in own}
        said |= {OUTSOURCING for w in own if w.scale in OUTSOURCED}
        found.append(Answered(group.code, group.name, tuple(sorted(said)), len(own)))
    return tuple(found)
