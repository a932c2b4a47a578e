"""What a placement's bound rests on, so that somebody else can check it part by part."""

from __future__ import annotations

from optimiser.placement_costs import Ground
from optimiser.placement_solve import Answer


def evidence(ground: Ground, answer: Answer) -> dict[str, object]:
    """The clusters, and every leaf: what it decides, its bound, and the prices (£) that clusters pay for each service
    of an option that crosses them. At those prices the parts' least costs add up to the leaf's bound, unless its
    relaxation alone is above that."""
    codes = [anchor.code for anchor in ground.anchors]
    services = [service.id for service in ground.dataset.services]
    back = sum(ground.refunds.values())
    return {
        "clusters": [[codes[c] for c in anchors] for anchors in answer.clusters],
        "leaves": [
            {
                "bound": leaf.bound + back,
                "relaxed": leaf.relaxed + back,
                "by_parts": leaf.by_parts,
                "decided": [
                    {"option": o, "service": services[s], "chosen": yes} for (o, s), yes in leaf.decided.items()
                ],
                "prices": [
                    {"option": o, "service": services[s], "cluster": k, "price": price}
                    for (o, s, k), price in leaf.prices.items()
                    if leaf.by_parts and price
                ],
            }
            for leaf in answer.leaves
        ],
    }
