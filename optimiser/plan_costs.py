"""A finished plan costed: who pays for what, whose team does it, what allowances leave undone, and budgets by need.

What outputs read. Everything follows from the plan, so nothing is kept in it.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import cached_property

from optimiser.budgets import Budgets, budgets
from optimiser.costing import AllowanceRow, cost_the_work
from optimiser.domain import Body
from optimiser.finished import Plan
from optimiser.officer import SharedOfficer, share_officer
from optimiser.suppliers import Offer, offers
from optimiser.team_costs import TeamCost, by_body, by_function, team_costs

MARKET = "market"


@dataclass(frozen=True)
class Team:
    """The team of one body, or of the market, £ a year. functions: ids, in the table's order. patients: it works
    for."""

    scale: str
    code: str
    name: str
    patients: int
    functions: tuple[str, ...]
    fixed: float
    growing: float
    placed: float

    @property
    def total(self) -> float:
        """£ a year."""
        return self.fixed + self.growing + self.placed


class PlanCosts:
    """The costs of one plan, each part worked out when it is asked for."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.anchor = plan.structure.bodies[plan.scenario.anchor_scale]
        self.people = int(plan.dataset.patients.sum())

    @cached_property
    def rows(self) -> tuple[TeamCost, ...]:
        """Every commissioning body × function × team; sums to the plan's cash."""
        plan = self.plan
        return team_costs(plan.dataset, plan.scenario, plan.structure, plan.placement, plan.cash)

    @cached_property
    def bodies(self) -> tuple[tuple[Body, TeamCost], ...]:
        """Every commissioning body with all its costs in one row."""
        found = by_body(self.rows)
        return tuple((body, found[body.code]) for body in self.anchor if body.code in found)

    @cached_property
    def teams(self) -> tuple[Team, ...]:
        """Who employs the teams: bodies of every scale, small to large, then the market, then what nobody employs."""
        plan = self.plan
        patients = {b.code: b.patients for b in self.anchor}
        known = {b.code: (scale, b) for scale in plan.structure.scales for b in plan.structure.bodies[scale]}
        order = {code: n for n, code in enumerate([*known, MARKET, ""])}
        found: dict[str, list[TeamCost]] = {}
        for row in self.rows:
            found.setdefault(row.supplier, []).append(row)
        made = []
        for code in sorted(found, key=lambda code: order[code]):
            own = found[code]
            scale, body = known.get(code, (code, None))
            done = tuple(dict.fromkeys(row.function for row in own if row.function))
            served = sum(patients[payer] for payer in dict.fromkeys(row.body for row in own))
            people = body.patients if body and not done else served
            parts = (sum(r.fixed for r in own), sum(r.growing for r in own), sum(r.placed for r in own))
            made.append(Team(scale, code, body.name if body else "", people, done, *parts))
        return tuple(made)

    @cached_property
    def allowances(self) -> tuple[AllowanceRow, ...]:
        """The whole plan against every allowance; none without patients."""
        if not self.people:
            return ()
        return cost_the_work(by_function(self.rows), self.people, self.plan.dataset.functions, self.plan.scenario)

    @cached_property
    def allowances_of_bodies(self) -> tuple[tuple[Body, tuple[AllowanceRow, ...]], ...]:
        """Every commissioning body that has patients against every allowance."""
        plan = self.plan
        return tuple(
            (
                body,
                cost_the_work(
                    by_function(r for r in self.rows if r.body == body.code),
                    body.patients,
                    plan.dataset.functions,
                    plan.scenario,
                ),
            )
            for body in self.anchor
            if body.patients
        )

    @cached_property
    def median(self) -> int:
        """Patients of the median commissioning body."""
        return round(statistics.median(b.patients for b in self.anchor))

    @cached_property
    def offers(self) -> tuple[Offer, ...]:
        """Every function × kind of supplier, for a commissioning body of median size; none where it has no patients."""
        return offers(self.plan.dataset.functions, self.median, self.plan.scenario) if self.median else ()

    @cached_property
    def officers(self) -> tuple[tuple[Body, SharedOfficer], ...]:
        """For each body of the next scale that commissions: its two or more commissioning bodies under one officer.
        Their statutory fixed cost is what this plan pays for it."""
        plan = self.plan
        scales = plan.structure.scales
        above = [
            s for s in scales[scales.index(plan.scenario.anchor_scale) + 1 :]
            if plan.scenario.scale(s).role == "commissions"
        ]  # fmt: skip
        statutory = {f.id for f in plan.dataset.functions if f.statutory_cost}
        fixed: dict[str, float] = {}
        for row in self.rows:
            if row.function in statutory:
                fixed[row.body] = fixed.get(row.body, 0.0) + row.fixed
        found = []
        for group in plan.structure.bodies[above[0]] if above and fixed else ():
            own = [b for b in self.anchor if plan.structure.body_of(above[0], b.members[0]).code == group.code]
            if len(own) > 1:
                mean = statistics.fmean(fixed[b.code] for b in own)
                found.append((group, share_officer(len(own), group.patients, mean, plan.scenario.officer)))
        return tuple(found)

    @cached_property
    def budgets(self) -> Budgets | None:
        """Every practice's budget by need; None where nobody has any need."""
        try:
            return budgets(self.plan.dataset, self.plan.scenario)
        except ValueError:
            return None
