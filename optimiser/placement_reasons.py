"""A placement explained: why every answer is as it is, what it would cost elsewhere, and what became of the wishes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from optimiser.clock import Clock
from optimiser.domain import Commission, Dataset, Placement, Structure
from optimiser.placement_costs import Ground, survey
from optimiser.placement_value import Picks
from optimiser.scenario_models import Scenario
from optimiser.why_here import AtScale, why_here
from optimiser.wish_prices import Answered, answered
from optimiser.wishes import settle

SAYS = {  # force → what speaks for an answer, where it is that force that the next best scale would cost most in
    "leverage": "more weight with its providers than at {scale} scale, worth £{pounds} a year",
    "tailoring": "fits local need better than at {scale} scale, worth £{pounds} a year",
    "authority_link": "closer to one local authority than at {scale} scale, worth £{pounds} a year",
    "agreements": "spares the local agreements of {scale} scale, £{pounds} a year",
    "contracts": "takes less to contract for than at {scale} scale, £{pounds} a year",
    "footprints": "shares a commissioner that is paid for already, where {scale} scale costs £{pounds} a year more",
    "pathways": "kept with the rest of its pathway, which {scale} scale would split for £{pounds} a year",
    "insurance": "pools the luck of costly cases better than at {scale} scale, worth £{pounds} a year",
}


LEAST = 1.0  # seconds: a small region's answers are explained all the same
UNSAID = "not worked out: the work was ended first"


@dataclass(frozen=True)
class Explained:
    """placement: with a reason for every commission. why_here: the services at every scale. wishes: the answers. late:
    the clock left some services unexplained."""

    placement: Placement | None
    why_here: tuple[AtScale, ...] = ()
    wishes: tuple[Answered, ...] = ()
    late: bool = False


def explained(
    dataset: Dataset,
    scenario: Scenario,
    structure: Structure,
    placement: Placement,
    seed: int,
    clock: Clock | None = None,
) -> Explained:
    """Explain a placement that `place` made of the same structure with the same seed. clock: once it is over, and LEAST
    too, services not yet explained are left so."""
    least = Clock(LEAST)

    def over() -> bool:
        return clock is not None and clock.over() and least.over()

    ground = survey(dataset, scenario, structure, seed)
    picks = picks_of(ground, placement)
    at = structure.membership[scenario.anchor_scale]
    firm = settle(dataset, scenario, at, ground.options, dataset.wishes).firm
    bound = {(ground.anchors[c].code, service) for c, service in firm}
    known = {s.id: s for s in dataset.services}
    wishes = answered(ground, dataset, structure, picks)
    rows, late = why_here(ground, dataset, structure, picks, over)
    by_row: dict[tuple[str, str, str], list[AtScale]] = {}
    for row in rows:
        by_row.setdefault((row.service, row.commissioner, row.scale_now), []).append(row)

    def reason(answer: Commission) -> str:
        if (answer.consortium, answer.service) in bound:
            return "a firm wish"
        if not known[answer.service].delegable:
            return "cannot be delegated: it reflects members' own behaviour"
        found = by_row.get((answer.service, answer.commissioner, answer.scale))
        return why(found) if found else UNSAID

    commissions = tuple(replace(answer, reason=reason(answer)) for answer in placement.commissions)
    return Explained(replace(placement, commissions=commissions), rows, wishes, late)


def why(rows: Sequence[AtScale]) -> str:
    """A plain sentence for a service where it is. rows: the same at every scale."""
    here = next(row for row in rows if row.scale == row.scale_now)
    others = [row for row in rows if row is not here]
    if not others:
        return "nobody else may commission it"
    best = min(others, key=lambda row: row.plan_more)
    scale = best.scale.replace("_", " ")
    if best.plan_more < -0.5:
        saved = f"{-best.plan_more:,.0f}"
        return f"kept for other services' sake, or not bettered in time: {scale} scale would cost £{saved} less"
    spared = {force: best.terms[force] - pounds for force, pounds in here.terms.items()}
    force = max(spared, key=lambda force: spared[force])
    if best.more < -0.5:
        return f"{scale} scale would spare it £{-best.more:,.0f} a year and cost others more"
    if spared[force] < 0.5:
        return f"as cheap here as at {scale} scale"
    return SAYS[force].format(scale=scale, pounds=f"{spared[force]:,.0f}")


def picks_of(ground: Ground, placement: Placement) -> Picks:
    """A placement as anchors × services → option of the ground."""
    position = {(option.code, option.scale): o for o, option in enumerate(ground.options)}
    anchor = {body.code: c for c, body in enumerate(ground.anchors)}
    service = {line.id: s for s, line in enumerate(ground.dataset.services)}
    picks = np.empty((len(anchor), len(service)), dtype=np.int64)
    for answer in placement.commissions:
        picks[anchor[answer.consortium], service[answer.service]] = position[answer.commissioner, answer.scale]
    return picks
