"""Why here: for each answer, the force that speaks most for it against the next best scale, in £."""

from __future__ import annotations

from collections.abc import Mapping

from optimiser.placement_costs import CELL_FORCES, Ground
from optimiser.placement_options import may
from optimiser.placement_value import Picks, Valuation

SAYS = {
    "leverage": "more weight with its providers than at {scale} scale, worth £{pounds} a year",
    "tailoring": "fits local need better than at {scale} scale, worth £{pounds} a year",
    "authority_link": "closer to one local authority than at {scale} scale, worth £{pounds} a year",
    "agreements": "spares the local agreements of {scale} scale, £{pounds} a year",
    "insurance": "pools the luck of costly cases better than at {scale} scale, worth £{pounds} a year",
}


class Reasons:
    """Explains the rows of a placement, one at a time."""

    def __init__(self, ground: Ground, picks: Picks, value: Valuation, firm: Mapping[str, str]):
        self.ground, self.picks, self.value, self.firm = ground, picks, value, firm
        self.covers: list[list[int]] = [[] for _ in ground.anchors]
        for o, option in enumerate(ground.options):
            for c in option.anchors:
                self.covers[c].append(o)

    def why(self, c: int, s: int) -> str:
        """A plain sentence for anchor body c and service s (positions)."""
        service, chosen = self.ground.dataset.services[s], int(self.picks[c, s])
        scale = self.ground.options[chosen].scale
        if service.id in self.firm:
            return "a firm wish"
        if not service.delegable:
            return "cannot be delegated: it reflects members' own behaviour"
        here = self._forces(chosen, c, s, held=True)
        best: tuple[float, int, dict[str, float]] | None = None
        for o in self.covers[c]:
            if self.ground.options[o].scale != scale and may(self.ground.options[o], service, self.firm):
                there = self._forces(o, c, s, held=False)
                if best is None or sum(there.values()) < best[0]:
                    best = sum(there.values()), o, there
        if best is None:
            return "nobody else may commission it"
        saved = {force: best[2][force] - here[force] for force in here}
        force = max(saved, key=lambda f: saved[f])
        if saved[force] >= 0.5 and best[0] >= sum(here.values()):
            other = self.ground.options[best[1]].scale.replace("_", " ")
            return SAYS[force].format(scale=other, pounds=f"{saved[force]:,.0f}")
        return self._together(c, s, scale)

    def _forces(self, option: int, c: int, s: int, held: bool) -> dict[str, float]:
        """The row's own forces under an option: its cells, and what it adds (when held: added) to a reserve."""
        ground = self.ground
        at = ground.options[option].anchors.index(c)
        out = {force: float(ground.cells[option][force][at, s]) for force in CELL_FORCES}
        reserve = 0.0
        for pool, people in ground.holding[option]:
            weight, now = float(people[at] * ground.variance[s]), float(self.value.variance[pool])
            before, after = (max(now - weight, 0.0), now) if held else (now, now + weight)
            reserve += ground.insurance_rate * (after**0.5 - before**0.5)
        return {**out, "insurance": reserve}

    def _together(self, c: int, s: int, scale: str) -> str:
        """What speaks for an answer that is not the cheapest by itself."""
        ground = self.ground
        pathway = ground.dataset.services[s].pathway
        others = [i for i in ground.pathways.get(pathway, ()) if i != s]
        if any(ground.options[int(self.picks[c, i])].scale == scale for i in others):
            return f"kept with the rest of its pathway, {pathway.replace('_', ' ')}"
        return "shares contracts and bodies already paid for there"
