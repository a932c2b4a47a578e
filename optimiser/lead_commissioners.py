"""Who leads for each provider: of the bodies that hold contracts with it the one with the largest, and who hosts it.

Other holders deal with the provider through the lead. Where one body commissions for several of the anchor scale, the
member that spends most with the provider hosts the work for the rest (EVIDENCE 4.12: one consortium hosts for others).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from optimiser.domain import Contract
from optimiser.placement_costs import Ground


def with_leads(ground: Ground, contracts: Sequence[Contract]) -> tuple[Contract, ...]:
    """The contracts, each with its host, those of the lead commissioners marked. Equal ones: the first code leads."""
    covered = {option.code: option.anchors for option in ground.options if not option.local}
    position = {provider.code: p for p, provider in enumerate(ground.dataset.providers)}
    largest: dict[str, Contract] = {}
    for contract in sorted(contracts, key=lambda c: (-c.spend, c.body)):
        largest.setdefault(contract.provider, contract)
    return tuple(
        replace(c, leads=largest[c.provider] is c, host=_host(ground, covered, c.body, position[c.provider]))
        for c in contracts
    )


def _host(ground: Ground, covered: Mapping[str, Sequence[int]], body: str, provider: int) -> str:
    spend = ground.flows.table[:, provider]
    return ground.anchors[max(covered[body], key=lambda c: (spend[c], -c))].code
