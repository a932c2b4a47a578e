"""summary.json: the plan in one document, each number with its bound, its kind of money and its evidence."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from geodata import force_tables
from optimiser.avoidable import avoidable_shares
from optimiser.breakaway import WORTH, best, verdict
from optimiser.domain import EVIDENCE, Certificate, joint_gap
from optimiser.plan_costs import PlanCosts
from optimiser.wording import PROVED, within

if TYPE_CHECKING:
    from geodata.sweep_record import Asked
    from optimiser.options import Comparison
    from optimiser.plan import Plan
    from optimiser.scorecard import Measure

INTERRUPTED = "interrupted: kept the best plan found"
CONDITIONAL = (
    "The bound on services holds for this structure and its candidate footprints, the bound on structure for this way "
    "of charging services: the two together are not proved."
)


def summary(plan: Plan) -> dict[str, Any]:
    """The document behind summary.json: plain JSON values, money in £ a year, gaps as fractions. See `docs` of each key
    in docs/method.md; `terms` sums to `objective`, and `cash` + `expected` + `notional` does too."""
    return plain({
        "title": plan.scenario.title,
        "question": plan.scenario.question,
        "dataset": plan.dataset.info.name,
        "headline": headline(plan),
        "status": status(plan),
        "reproducible": not plan.cut,
        "cut_short": plan.cut,
        "objective": plan.objective,
        "bound": plan.bound,
        "gap": gap(plan),
        "gap_avoidable": gap_avoidable(plan),
        "structure_gap": structure_gap(plan),
        "structure_gap_avoidable": structure_gap(plan, avoidable=True),
        "conditional": CONDITIONAL if plan.placement is not None else "",
        "price_of_nesting": plan.price_of_nesting,
        "nesting_interval": plan.nesting_interval,
        "rounds": [{**asdict(made), "total": made.total} for made in plan.rounds],
        "seconds": round(sum(plan.seconds.values()), 1),
        "terms": plan.terms,
        **money(plan),
        "avoidable_shares": avoidable_shares(plan),
        "outside": plan.outside,
        "allowances": [asdict(row) for row in PlanCosts(plan).allowances],
        "scales": {scale: _scale(plan, scale) for scale in plan.structure.scales},
        "placement": _placement(plan),
        "wishes": _wishes(plan),
        "breakaway": _breakaway(plan),
        "risk": _risk(plan),
        "service_risk": _service_risk(plan),
        "scorecard": measures(plan.scorecard.region),
        "baseline": measures(plan.baseline.region) if plan.baseline is not None else None,
        "estimated": estimated(plan),
        "assumptions": assumptions(plan),
        "vintages": vintages(plan),
        "synthetic": plan.dataset.info.synthetic,
        "licence": plan.dataset.info.licence,
        "attribution": plan.dataset.info.attribution,
        "notes": plan.dataset.info.notes,
        "warnings": warnings(plan),
    })  # fmt: skip


def headline(plan: Plan) -> str:
    """The plan in two sentences: what it is, and how far it is proved."""
    parts = []
    for scale in reversed(plan.scenario.scales):
        bodies = plan.structure.bodies[scale.name]
        parts.append(f"{len(bodies):,} {scale.label if len(bodies) == 1 else scale.plural}")
    listed = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
    return f"{plan.claim}: {listed}. {proof(plan)}"


def proof(plan: Plan) -> str:
    """How far each part is proved. Parts are not added up in words: each bound belongs to its own problem."""
    found = structure_gap(plan)
    parts = "the best possible" if found <= PROVED else f"within {within(found)} of the best possible"
    said = f"The structure is proved {parts} for the costs it is charged"
    if plan.placement is None:
        return f"{said}."
    placed = plan.placement.certificate.gap
    given = "the best possible" if placed <= PROVED else f"within {within(placed)} of the best"
    return f"{said}; the placement of services {given} for this structure."


def structure_gap(plan: Plan, avoidable: bool = False) -> float:
    """(objective − bound) / objective of all scales together, a fraction; over what no size can avoid where asked."""
    scales = plan.certificates.values()
    if not avoidable:
        return joint_gap(scales)
    above = sum(c.objective - c.unavoidable for c in scales)
    return sum(c.objective - c.bound for c in scales) / above if above > 0 else 0.0


def status(plan: Plan) -> str:
    """ "optimal" only where the bound meets the objective and nothing is conditional; else "feasible", with its gap;
    INTERRUPTED where somebody stopped the work."""
    if plan.interrupted:
        return INTERRUPTED
    if plan.placement is not None:
        return "feasible (bound conditional)"
    return "optimal" if gap(plan) <= PROVED else "feasible"


def gap(plan: Plan) -> float:
    """(objective − bound) / objective."""
    return plan.gap


def gap_avoidable(plan: Plan) -> float:
    """(objective − bound) over the part of the objective that some decision could change."""
    avoidable = plan.objective - sum(c.unavoidable for c in plan.proofs.values())
    return (plan.objective - plan.bound) / avoidable if avoidable > 0 else 0.0


def money(plan: Plan) -> dict[str, float]:
    """Subtotals of the objective by kind: cash, expected (financial), notional. £ a year."""
    total = dict.fromkeys(force_tables.KINDS.values(), 0.0)
    for force, pounds in plan.terms.items():
        total[force_tables.kind_of(plan, force)] += pounds
    return total


def _breakaway(plan: Plan) -> dict[str, Any] | None:
    """Who would be better off elsewhere; None where nobody could move."""
    if not plan.breakaway:
        return None
    near = best(plan.breakaway, alone=False)
    return {
        "groups": len({m.code for m in plan.breakaway}),
        "next_door": len(near),
        "next_door_welcome": sum(m.welcome for m in near),
        "alone": len(best(plan.breakaway, alone=True)),
        "lower_total": sum(not m.broken and m.change.total < -WORTH for m in plan.breakaway),
        "said": verdict(plan.breakaway, plan.scenario, plan.structure),
    }


def _risk(plan: Plan) -> dict[str, object] | None:
    """Luck in three figures; None without services."""
    if plan.risk is None:
        return None
    everyone = max(plan.risk.pools, key=lambda pool: len(pool.members))
    return {
        "years": plan.risk.years,
        "chance": plan.risk.ruin,
        "alone": everyone.alone / everyone.budget if everyone.budget else 0.0,
        "pooled": everyone.held / everyone.budget if everyone.budget else 0.0,
    }


def _service_risk(plan: Plan) -> float | None:
    """The exposed share of all spend; None without flows."""
    spend = sum(row.spend for row in plan.service_risk)
    return sum(row.exposed * row.spend for row in plan.service_risk) / spend if spend else None


def measures(region: Mapping[str, Measure]) -> dict[str, dict[str, object]]:
    """Measures by name, with what is needed to read each."""
    return {
        m.name: {"label": m.label, "value": m.value, "unit": m.unit, "evidence": m.evidence, "kind": m.kind}
        for m in region.values()
    }


def estimated(plan: Plan) -> dict[str, object]:
    """What rests on estimated input: spend by label of its flows, and the measures that are not observed."""
    flows = plan.dataset.flows
    spend = (
        np.bincount(flows.label, weights=flows.spend, minlength=len(EVIDENCE))
        if len(flows)
        else np.zeros(len(EVIDENCE))
    )
    whole = float(spend.sum())
    return {
        "flows": {
            label: {"spend": float(spend[n]), "share": float(spend[n]) / whole if whole else 0.0}
            for n, label in enumerate(EVIDENCE)
        },
        "measures": [
            {"name": m.name, "label": m.label, "evidence": m.evidence}
            for m in plan.scorecard.region.values()
            if m.evidence != EVIDENCE[0]
        ],
    }


def assumptions(plan: Plan) -> list[dict[str, object]]:
    """The rates that were moved, each with the plan's change."""
    found: dict[str, dict[str, Any]] = {}
    for row in force_tables.sensitivity(plan).records():
        name = str(row["rate"])
        rate = plan.scenario.rates.get(name)  # type: ignore[call-overload]
        entry = found.setdefault(
            name,
            {"rate": name, "label": row["label"]}
            | ({"value": rate.value, "unit": rate.unit, "kind": rate.kind, "why": rate.why} if rate else {})
            | {"changes": []},
        )
        entry["changes"].append({
            "change": row["change"],
            "objective": row["objective"],
            "objective_change": row["objective_change"],
            "bodies": {s: row[f"bodies_{s}"] for s in plan.structure.scales},
            "patients_moved_share": row["patients_moved_share"],
        })  # fmt: skip
    return list(found.values())


def vintages(plan: Plan | Comparison | Asked) -> dict[str, str]:
    """Which years the figures belong to."""
    info = plan.dataset.info
    return {
        "prices": info.price_year,
        "rates": plan.scenario.price_year,
        "lists": info.list_year,
        "geography": info.geography_year,
    }


def vintage_line(plan: Plan | Comparison | Asked) -> str:
    """The years in one line, for the foot of every page."""
    years = vintages(plan)
    return (
        f"Rates at {years['rates']} prices; spending at {years['prices']} prices; patient lists of {years['lists']}; "
        f"boundaries of {years['geography']}."
    )


def warnings(plan: Plan) -> list[str]:
    """Everything a reader should know before trusting a figure, each once: the dataset's, then the plan's."""
    return list(dict.fromkeys((*plan.warnings, *plan.dataset.warnings)))


def plain(value: Any) -> Any:
    """JSON's own types: numpy values become Python's, what is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Sequence):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value)]
    raise TypeError(f"no JSON for {type(value).__name__}")


def certificate_document(certificate: Certificate) -> dict[str, Any]:
    """A certificate with its two gaps, as certificate.json holds it."""
    return plain({
        "problem": certificate.problem,
        "objective": certificate.objective,
        "bound": certificate.bound,
        "gap": certificate.gap,
        "gap_avoidable": certificate.gap_avoidable,
        "unavoidable": certificate.unavoidable,
        "refunds": certificate.refunds,
        "method": certificate.method,
        "status": certificate.status,
        "evidence": certificate.evidence,
    })  # fmt: skip


def _scale(plan: Plan, scale: str) -> dict[str, object]:
    bodies = plan.structure.bodies[scale]
    certificate = plan.certificates[scale]
    sizes = [b.patients for b in bodies]
    declared = plan.scenario.scale(scale)
    return {
        "label": declared.label,
        "plural": declared.plural,
        "bodies": len(bodies),
        "patients": {"smallest": min(sizes), "median": statistics.median(sizes), "largest": max(sizes)},
        "oversize": sum(b.oversize for b in bodies),
        "objective": certificate.objective,
        "bound": certificate.bound,
        "gap": certificate.gap,
        "gap_search": certificate.gap - plan.nesting(scale) / (certificate.objective or 1.0),
        "gap_nesting": plan.nesting(scale) / (certificate.objective or 1.0),
        "gap_avoidable": certificate.gap_avoidable,
        "method": certificate.method,
        "status": certificate.status,
    }


def _placement(plan: Plan) -> dict[str, object] | None:
    if plan.placement is None:
        return None
    certificate = plan.placement.certificate
    places: dict[str, int] = {}
    for c in plan.placement.commissions:
        places[c.scale] = places.get(c.scale, 0) + 1
    return {
        "objective": certificate.objective,
        "bound": certificate.bound,
        "gap": certificate.gap,
        "gap_avoidable": certificate.gap_avoidable,
        "method": certificate.method,
        "status": certificate.status,
        "commissions": places,
        "footprints": len(plan.placement.footprints),
        "contracts": len(plan.placement.contracts),
    }


def _wishes(plan: Plan) -> dict[str, object] | None:
    """How many wishes are kept everywhere, in part or nowhere, and for which part of the patients they speak for."""
    heard = [answer for answer in plan.wishes if answer.consortia]
    if not heard:
        return None

    def counted(firm: bool) -> dict[str, int]:
        rows = [answer for answer in heard if answer.wish.firm == firm]
        kept, some = sum(all(a.kept) for a in rows), sum(any(a.kept) for a in rows)
        binding = sum(a.binding for a in rows)
        return {"kept": kept, "in_part": some - kept, "not_kept": len(rows) - some, "binding": binding}

    people = sum(sum(a.patients) for a in heard)
    kept = sum(p for a in heard for p, done in zip(a.patients, a.kept, strict=True) if done)
    return {
        "firm": counted(True),
        "soft": counted(False),
        "kept_share": kept / people if people else None,
    }
