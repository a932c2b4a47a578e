"""Which body commissions each service for each anchor body: the whole story of the placement, in order.

Every service of every anchor body goes to exactly one commissioner: its practices, the smaller bodies inside it,
itself, a footprint, a local authority or joint board, a larger body, the region, or a condition group. The
certificate is for this structure, these candidate footprints and this hosting of functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from optimiser.clock import Clock, never
from optimiser.domain import Certificate, Commission, Dataset, Footprint, Placement, Structure
from optimiser.errors import LimitReached, Problem
from optimiser.lead_commissioners import with_leads
from optimiser.partition.budget import Progress
from optimiser.placement_costs import Ground, survey
from optimiser.placement_limits import check_limits
from optimiser.placement_options import Firm, Option, may
from optimiser.placement_proof import evidence
from optimiser.placement_solve import Answer, in_haste, solve
from optimiser.placement_start import Search
from optimiser.placement_support import support
from optimiser.placement_value import Picks, Valuation, evaluate
from optimiser.scenario_models import Scenario
from optimiser.wishes import check_wishes, settle

GAP = 0.005
SERVICES_MOST = 180.0  # seconds for the services of one structure, where nobody allows fewer


def place(
    dataset: Dataset,
    scenario: Scenario,
    structure: Structure,
    seed: int,
    time_limit: float,
    gap: float = GAP,
    stop: Callable[[], bool] = never,
    report: Callable[[Progress], None] = lambda _: None,
    prove: bool = True,
) -> Placement:
    """Place every service. time_limit: seconds. gap: of the objective without refunds, at which the search stops. stop:
    once it says True the search ends as at the limit. prove: raise the bound further than the search needs. Reasons are
    left blank: `placement_reasons.explained` adds them.

    Raises ScenarioError (a firm wish that the rules refuse, leverage without flows, an anchor scale not planned),
    Infeasible, LimitReached when nothing was found in time, SolverError. The same input and
    seed give the same placement unless the time limit ends the search.
    """
    clock = Clock(time_limit, stop)
    ground = survey(dataset, scenario, structure, seed)
    check_wishes(dataset, scenario)
    at = structure.membership[scenario.anchor_scale]
    firm = settle(dataset, scenario, at, ground.options, dataset.wishes).firm

    def see(stage: str, bound: float, worth: float) -> None:
        gross = bound - ground.refunded, worth - ground.refunded  # as the certificate measures its gap
        report(Progress("services", stage, clock.elapsed(), *gross, len(ground.anchors)))

    check_limits(ground, firm)
    search = Search(ground, firm)
    answer = in_haste(ground, search) if clock.over() else solve(ground, firm, search, clock, gap, see, prove)
    if answer.picks is None:
        why, mend = ("in time", "Allow more time.") if answer.cut_by_clock else ("by the search", "Drop a firm wish.")
        raise LimitReached(Problem(f"no placement was found {why}", "One may exist: this is no proof.", mend=mend))
    picks, value = answer.picks, evaluate(ground, answer.picks)
    functions = support(dataset, scenario, structure)
    terms = {**value.terms, "support": sum(f.cost for f in functions)}
    certificate = _certificate(ground, answer, terms, firm)
    see("done", certificate.bound, certificate.objective)
    used = {int(o) for o in np.unique(picks)}
    candidates = {o: _footprint(ground, x) for o, x in enumerate(ground.options) if x.kind == "footprint"}
    return Placement(
        commissions=_commissions(ground, picks, value),
        footprints=tuple(found for o, found in candidates.items() if o in used),
        contracts=with_leads(ground, value.contracts),
        functions=functions,
        terms=terms,
        certificate=certificate,
        cut_by_clock=answer.cut_by_clock,
        candidates=tuple(candidates.values()),
    )


def _commissions(ground: Ground, picks: Picks, value: Valuation) -> tuple[Commission, ...]:
    return tuple(
        Commission(
            service=service.id,
            consortium=anchor.code,
            scale=ground.options[picks[c, s]].scale,
            commissioner=ground.options[picks[c, s]].code,
            mode=_mode(ground.options[picks[c, s]]),
            spend=float(ground.spend[c, s]),
            reason="",
            terms={force: float(rows[c, s]) for force, rows in value.rows.items() if rows[c, s]},
        )
        for s, service in enumerate(ground.dataset.services)
        for c, anchor in enumerate(ground.anchors)
    )


def _mode(option: Option) -> Literal["make", "share", "buy"]:
    if option.local or option.kind == "anchor":
        return "make"
    return "buy" if option.kind in ("authority", "condition_group") else "share"


def _footprint(ground: Ground, option: Option) -> Footprint:
    members = tuple(ground.anchors[c].code for c in option.anchors)
    services = tuple(ground.dataset.services[s].id for s in option.found_for)
    return Footprint(option.code, option.name, members, option.reason, services, option.shared)


def _certificate(ground: Ground, answer: Answer, terms: Mapping[str, float], firm: Firm) -> Certificate:
    objective = sum(terms.values())
    least = _least(ground, firm) + ground.refunded + terms["support"]
    return Certificate(
        problem="placement of services, for this structure, these candidate footprints and this hosting of functions",
        objective=objective,
        bound=max(answer.bound + terms["support"], least),
        unavoidable=least,
        method="integer programme with under-estimators of insurance and contracts, in parts at prices; PuLP and HiGHS",
        status="conditional: " + ("within the gap asked for" if answer.closed else "search stopped with a gap"),
        evidence={
            "options": len(ground.options),
            "candidate_footprints": [
                [ground.anchors[c].code for c in o.anchors] for o in ground.options if o.kind == "footprint"
            ],
            "refunds": dict(ground.refunds),
            "solver_bound": answer.bound if np.isfinite(answer.bound) else None,
            **evidence(ground, answer),
        },
        refunds=ground.refunded,
    )


def _least(ground: Ground, firm: Firm) -> float:
    """£ a year that no placement avoids: each row at the cheapest of its own forces."""
    least = np.full(ground.spend.shape, np.inf)
    for o, option in enumerate(ground.options):
        allowed = [s for s, service in enumerate(ground.dataset.services) if may(option, service, firm)]
        at = np.ix_(list(option.anchors), allowed)
        least[at] = np.minimum(least[at], ground.linear(o)[:, allowed])
    return float(least.sum())
