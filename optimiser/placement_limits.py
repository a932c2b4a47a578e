"""What one anchor body can manage itself: so many contracts, and so many services that it has skills to commission."""

from __future__ import annotations

import math

from optimiser.errors import Infeasible, Problem, raise_all
from optimiser.placement_costs import Ground
from optimiser.placement_options import Firm, may


def excess(ground: Ground, option: int, contracts: int, services: int) -> int:
    """Contracts and services that an option has above what its body can manage; 0 for all but anchor bodies."""
    if ground.options[option].kind != "anchor":
        return 0
    rules = ground.scenario.contracts
    most = rules.most_services or math.inf
    return max(0, contracts - rules.most_relationships) + int(max(0, services - most))


def check_limits(ground: Ground, firm: Firm) -> None:
    """Infeasible, with the sums, for every anchor body that alone can hold more than it can manage."""
    problems = []
    rules = ground.scenario.contracts
    for o, option in enumerate(ground.options):
        if option.kind != "anchor":
            continue
        (c,) = option.anchors
        forced = [s for s in range(len(ground.variance)) if _alone(ground, c, s, firm) == [o]]
        contracts = int((ground.bought(o)[:, forced].sum(axis=1) > ground.cut).sum())
        name, mend = option.name, "Wish for fewer there, or raise the limit."
        if rules.most_services and len(forced) > rules.most_services:
            what = f"{len(forced)} services can go to {name} alone, which has the skills for {rules.most_services}"
            problems.append(Problem(what, "contracts.most_services", mend=mend))
        if contracts > rules.most_relationships:
            what = f"the {len(forced)} services that can go to {name} alone need {contracts} contracts"
            rule = f"It can manage {rules.most_relationships}."
            problems.append(Problem(what, "contracts.most_relationships", rule, mend))
    raise_all(Infeasible, problems)


def _alone(ground: Ground, c: int, s: int, firm: Firm) -> list[int]:
    service = ground.dataset.services[s]
    return [o for o, option in enumerate(ground.options) if c in option.anchors and may(option, service, firm)]
