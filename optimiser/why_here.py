"""Why here: what each service would cost at every scale that may have it, for those who share its commissioner now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from optimiser.break_even import Growth
from optimiser.clock import never
from optimiser.domain import Dataset, Structure
from optimiser.placement_change import Books, Column, Rearranged
from optimiser.placement_costs import Ground
from optimiser.placement_value import Picks


@dataclass(frozen=True)
class AtScale:
    """One service of those who share a commissioner now, at one scale; everything else stays.

    service, commissioner (of now), scale_now. consortia: codes of the anchor bodies that share it; patients: theirs.
    scale: where the service would be. terms: force → £ a year that it costs them there, with their part of what it adds
    to their commissioners' joint costs. more: £ a year that it costs them more than now; plan_more: that the whole plan
    costs more, with those who are drawn in or left behind. bodies: commissioners it would have; covered: how many of
    `consortia` they serve, the others going where it is cheapest; dragged: other anchor bodies whose service would move
    too. break_even: people in a body of the smaller of the two scales at which they cost the same: fewer, and the
    larger is cheaper; None where neither a hundredth nor a hundred times its size is enough, and for now.
    """

    service: str
    commissioner: str
    scale_now: str
    consortia: tuple[str, ...]
    patients: int
    scale: str
    terms: Mapping[str, float]
    more: float
    plan_more: float
    bodies: int
    covered: int
    dragged: int
    break_even: float | None

    @property
    def total(self) -> float:
        """£ a year."""
        return sum(self.terms.values())


def why_here(
    ground: Ground, dataset: Dataset, structure: Structure, picks: Picks, over: Callable[[], bool] = never
) -> tuple[tuple[AtScale, ...], bool]:
    """Every service × commissioner of now × scale that the catalogue allows, wishes aside; the scale of now included.
    And whether `over` ended the work before the last service. picks: anchors × services → option."""
    books = Books(ground, picks)
    moves = Rearranged(books)
    growth = Growth(books, dataset, structure)
    rows: list[AtScale] = []
    for s in range(len(dataset.services)):
        if over():
            return tuple(rows), True
        for now in dict.fromkeys(books.columns[s]):
            rows += _rows(books, moves, growth, s, now)
    return tuple(rows), False


def _rows(books: Books, moves: Rearranged, growth: Growth, s: int, now: int) -> list[AtScale]:
    ground = books.ground
    option, before = ground.options[now], books.columns[s]
    group = option.anchors
    found: dict[str, tuple[list[int], Column, float]] = {option.scale: ([now], before, 0.0)}
    for scale in moves.scales(s, group):
        chosen = moves.cover(s, scale, group)
        if scale != option.scale and (best := moves.cheapest(s, chosen)) is not None:
            found[scale] = chosen, best[0], sum(best[1].values())
    parts = {scale: books.part(s, column, group) for scale, (_, column, _) in found.items()}
    totals = {scale: sum(terms.values()) for scale, terms in parts.items()}
    level = {o.scale: o.level for o in ground.options}
    made = []
    for scale in sorted(found, key=lambda scale: level[scale]):
        chosen, column, plan_more = found[scale]
        small, large = (scale, option.scale) if level[scale] < level[option.scale] else (option.scale, scale)
        served = {c for o in chosen for c in ground.options[o].anchors}
        moved = {c for c, o in enumerate(column) if o != before[c]}
        even = None
        if scale != option.scale:
            even = growth.break_even(s, found[small][0], group, parts[small], totals[large])
        made.append(
            AtScale(
                service=ground.dataset.services[s].id,
                commissioner=option.code,
                scale_now=option.scale,
                consortia=tuple(ground.anchors[c].code for c in group),
                patients=int(ground.people[list(group)].sum()),
                scale=scale,
                terms=parts[scale],
                more=totals[scale] - totals[option.scale],
                plan_more=plan_more,
                bodies=sum(growth.commissioners(o) for o in chosen),
                covered=len(served & set(group)),
                dragged=len(moved - set(group)),
                break_even=even,
            )
        )
    return made
