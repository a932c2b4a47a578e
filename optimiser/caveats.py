"""What a reader should know of a plan before trusting its figures, in plain words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from optimiser.domain import Dataset, Placement
from optimiser.scenario import Scenario
from optimiser.sensitivity import SensitivityRow
from optimiser.wish_prices import Answered
from optimiser.wording import within


def caveats(
    dataset: Dataset,
    scenario: Scenario,
    placement: Placement | None,
    wishes: Sequence[Answered],
    moves: Iterable[SensitivityRow],
) -> Iterator[str]:
    """One line each: what the scenario says of itself, what was left out, figures that do not belong together."""
    yield from scenario.warnings
    moved = [row.rate for row in moves]
    left_out = [rate for rate in scenario.sensitivity.rates if scenario.on(rate) and moved.count(rate) < 2]
    if left_out:
        yield f"not every end of these rates has a plan, as the work ended first: {', '.join(left_out)}"
    rates, spending = scenario.price_year, dataset.info.price_year
    if rates[:4] != spending[:4]:
        yield f"rates are at {rates} prices, spending at {spending} prices"
    if placement is not None:
        used = {c.scale for c in placement.commissions}
        for scale in scenario.scales:
            if scale.role == "commissions" and scale.name not in used:
                yield f"{scale.plural} commission nothing in this plan: try it without them (scales_used)"
    if scenario.on("insurance") and scenario.risk_held_at not in scenario.scales_used:
        yield f"risk is held at {scenario.risk_held_at}, which is not planned: the structure is charged no insurance"
    unkept = sum(answer.wish.firm and not all(answer.kept) for answer in wishes)
    if unkept:
        kept = "wish is" if unkept == 1 else "wishes are"
        yield (
            f"{unkept} firm {kept} not kept everywhere (outvoted, or others would have to share against theirs): "
            "wishes_answered.csv says why"
        )
    if dataset.wishes and placement is None:
        yield "wishes are not answered, as services are not placed"
    if placement is None:
        yield "no flows in the dataset: services are not placed"


def unfinished(scenario: Scenario, cut: tuple[str, ...], interrupted: bool) -> Iterator[str]:
    """That the work was cut short, where, and what follows. cut: scales, "services", "rounds", "why
    here", "risk", "pins" or "sensitivity"."""
    if cut:
        known = {scale.name: scale.plural for scale in scenario.scales}
        where = ", ".join(known.get(part, part) for part in cut)
        by = "The work was stopped by hand" if interrupted else "A clock cut the work short"
        yield f"{by} at: {where}. Each is the best found by then; another run may differ"


def short_of_gap(asked: float | None, reached: float) -> Iterator[str]:
    """That the gap asked for was not reached. Both are fractions."""
    if asked is not None and reached > asked:
        yield (
            f"the gap asked for, {100 * asked:.3f} %, was not reached: "
            f"{within(reached, 3)} of the cost is not proved necessary"
        )
