"""What a placement's bound rests on, so that somebody else can check it part by part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from optimiser.placement_bound import Leaf, Rented
from optimiser.placement_costs import Ground
from optimiser.placement_solve import Answer


def evidence(ground: Ground, answer: Answer) -> dict[str, object]:
    """The clusters (consortia of each), the options that cross them, and the leaves. Every placement keeps what one of
    the leaves decides. At a leaf's prices the parts' least costs, refunds added, add up to no less than its bound: a
    cluster pays for each service that it has from a crossing option, and that option receives what clusters pay."""
    codes = [anchor.code for anchor in ground.anchors]
    crossing = sorted({o for leaf in answer.leaves for o, _, _ in leaf.prices})
    return {
        "clusters": [[codes[c] for c in anchors] for anchors in answer.clusters],
        "crossing": {
            str(o): {"scale": option.scale, "code": option.code, "consortia": [codes[c] for c in option.anchors]}
            for o, option in ((o, ground.options[o]) for o in crossing)
        },
        "leaves": [_leaf(ground, leaf) for leaf in answer.leaves],
    }


def _leaf(ground: Ground, leaf: Leaf) -> dict[str, object]:
    """decided: crossing option → service → whether it holds it. prices: crossing option → service → cluster (position)
    → £ a year."""
    services = [service.id for service in ground.dataset.services]
    decided: dict[str, dict[str, bool]] = defaultdict(dict)
    for (o, s), chosen in leaf.decided.items():
        decided[str(o)][services[s]] = chosen
    return {
        "bound": leaf.bound + ground.refunded,
        "searched_by_parts": leaf.by_parts,
        "decided": dict(decided),
        "prices": _nested(services, leaf.prices),
    }


def _nested(services: list[str], prices: Mapping[Rented, float]) -> dict[str, dict[str, dict[str, float]]]:
    out: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for (o, s, k), price in prices.items():
        if price:
            out[str(o)][services[s]][str(k)] = price
    return {o: dict(by_service) for o, by_service in out.items()}
