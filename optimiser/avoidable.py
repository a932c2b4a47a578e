"""Which forces weigh where something can be decided: unavoidable cost would hide it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from optimiser.forces import size_curve, size_terms

if TYPE_CHECKING:
    from optimiser.plan import Plan


def avoidable_shares(plan: Plan) -> dict[str, float]:
    """Force → its share of the cost that decisions can change, summing to 1.

    What every partition must pay for size alone (each scale's cheapest size per head) is taken from the force that
    charges it.
    """
    avoidable = plan.terms
    people = float(plan.dataset.patients.sum())
    for scale in plan.scenario.scales:
        top = people if scale.max_patients is None else min(people, scale.max_patients)
        sizes = np.unique(np.linspace(max(1.0, min(scale.min_patients, top)), top, 20_001))
        best = sizes[np.argmin(size_curve(plan.scenario, scale)(sizes) / sizes)]
        for force, curve in size_terms(plan.scenario, scale).items():
            avoidable[force] -= people * float(curve(np.array([best]))[0]) / best
    total = sum(avoidable.values())
    return {force: pounds / total if total else 0.0 for force, pounds in avoidable.items()}
