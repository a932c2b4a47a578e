"""Plans side by side in one document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geodata import compare_between, compare_tables
from geodata.compare_words import gains_and_costs, headline, settled_said, who_moves

if TYPE_CHECKING:
    from optimiser.compare import Compared


def title(found: Compared) -> str:
    """The plans by name."""
    names = [plan.name for plan in found.plans]
    return f"{', '.join(names[:-1])} and {names[-1]} side by side"


def document(found: Compared, notes: Sequence[str]) -> dict[str, Any]:
    """Everything but the lists of practices and streams of patients, which have tables of their own."""
    info = found.dataset.info
    return {
        "format": 1,
        "dataset": info.name,
        "scenario": found.scenario.name,
        "synthetic": info.synthetic,
        "scale": found.scale,
        "scales": list(found.scales),
        "common_scales": list(found.common),
        "headline": headline(found),
        "against_the_first": [
            {
                "plan": found.plans[b.other].name,
                "who_moves": who_moves(found, b),
                "gains": gains_and_costs(found, found.plans[b.other], "better"),
                "costs": gains_and_costs(found, found.plans[b.other], "worse"),
            }
            for b in compare_between.between_first(found)
        ],
        "settled": settled_said(found),
        "plans": [
            {**row, "broken_rules": list(plan.broken)}
            for row, plan in zip(compare_tables.plans(found).records(), found.plans, strict=True)
        ],
        "measures": compare_tables.measures(found).records(),
        "prices": compare_tables.prices(found).records(),
        "pairs": compare_between.pairs(found).records(),
        "changes": compare_between.changes(found).records(),
        "effects": compare_between.effects(found).records(),
        "groups": compare_between.settled(found).records(),
        "notes": list(notes),
        "warnings": list(found.dataset.warnings),
        "licence": info.licence,
        "attribution": info.attribution,
    }
