"""What each form of organisation changes in a scenario: the bundled preset of its name laid over the user's own, so
that rates and rules stay the user's (seed 000: standalone, pooled, merged; mixed is the scenario itself)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from optimiser import costing
from optimiser.domain import Dataset, Function
from optimiser.errors import Problem, ScenarioError
from optimiser.option_groups import Group
from optimiser.option_terms import Form
from optimiser.placement_support import done_by_itself
from optimiser.scenario import Pin, Scenario, laid_over
from optimiser.scenario_files import read_chain

FORMS: tuple[Form, ...] = ("standalone", "pooled", "merged", "mixed")
ABOUT_ITSELF = ("extends", "name")  # keys that say of a preset what it is, not what it changes
OF_THE_FORM = "The form asks for it."  # the reason of a pin that nobody else made
PRESET_ANCHOR, PRESET_ABOVE = "consortium", "alliance"  # as the presets call them


def form_scenario(form: Form, scenario: Scenario, dataset: Dataset, groups: Sequence[Group]) -> Scenario:
    """The scenario that a form is planned under. dataset: of the groups, where there are any; these are kept as they
    are, or merged into one; all that is larger is then one body of them all. Officers are each body's own still:
    `under_one_officer` has pooled ones share them.

    ScenarioError, or Infeasible, where the form cannot be laid over the scenario.
    """
    above = above_anchor(scenario)
    scenario = _by_scale(scenario)
    if form == "pooled" and above is None:
        raise ScenarioError(
            Problem(
                f"{scenario.name} plans nothing larger than {scenario.anchor_scale} that commissions",
                "scales_used",
                "The pooled option pools in the bodies of such a scale.",
                "Start from a scenario that plans one, such as base.",
            )
        )
    values = {} if form == "mixed" else _preset(form, scenario, above or "", dataset)
    if groups and form != "merged":
        values["scales_used"] = _served(dataset, scenario, values.get("scales_used", scenario.scales_used))
    planned = values.get("scales_used", scenario.scales_used)
    pins = [pin for pin in scenario.pins if pin.scale in planned and _speaks(pin, scenario, dataset, groups)]
    made = laid_over(scenario.model_copy(update={"pins": tuple(pins)}), values, form) if values else scenario
    return made.model_copy(update={"pins": (*pins, *_frozen(form, made, dataset, groups))})


def without_its_own(scenario: Scenario) -> Scenario:
    """The scenario of a form without the pins that only the form made."""
    return scenario.model_copy(update={"pins": tuple(p for p in scenario.pins if p.reason != OF_THE_FORM)})


def above_anchor(scenario: Scenario) -> str | None:
    """The next planned scale over the anchor whose bodies commission, None where there is none."""
    larger = scenario.scales_used[scenario.scales_used.index(scenario.anchor_scale) + 1 :]
    return next((name for name in larger if scenario.scale(name).role == "commissions"), None)


def statutory_cost(functions: Sequence[Function], scenario: Scenario) -> float:
    """£ a year of statutory cost within what a body of the anchor scale pays for itself, as the function table divides
    it: what one accountable officer and team could save a part of."""
    own = [f for f in functions if done_by_itself(f, scenario)]
    whole = sum(costing.fixed_cost(f, scenario.costing) for f in own)
    pays = scenario.rate("management", scenario.anchor_scale) * scenario.share("management", scenario.anchor_scale)
    return pays * sum(f.statutory_cost for f in own) / whole if whole else 0.0


def under_one_officer(scenario: Scenario, functions: Sequence[Function]) -> Scenario:
    """The scenario with one accountable officer and team for the bodies of each larger body that commissions.

    k bodies pay k F (1 − s) + s F for their statutory cost F (officer.py): each (1 − s) F less than alone is charged to
    bodies, and s F to the larger body once, so that the search weighs it exactly. Deputies come on top.
    """
    anchor, above = scenario.anchor_scale, above_anchor(scenario)
    joint = scenario.officer.shared * statutory_cost(functions, scenario)
    if above is None or not joint or not scenario.share("management", above):
        return scenario
    value = {scale: scenario.rate("management", scale) for scale in scenario.scales_used}
    value[anchor] -= joint / scenario.share("management", anchor)
    value[above] += joint / scenario.share("management", above)
    return _with_management(scenario, value)


def _by_scale(scenario: Scenario) -> Scenario:
    """The scenario with its management cost by scale, where one number stands for all."""
    if isinstance(scenario.rates["management"].value, dict):
        return scenario
    whole = scenario.amount("management")
    return _with_management(scenario, dict.fromkeys((s.name for s in scenario.scales), whole))


def _with_management(scenario: Scenario, value: Mapping[str, float]) -> Scenario:
    rate = scenario.rates["management"].model_copy(update={"value": dict(value)})
    return scenario.model_copy(update={"rates": {**scenario.rates, "management": rate}})


def taken_on(functions: Sequence[Function], scenario: Scenario) -> float:
    """£ a year of the fixed teams that a body takes on to do everything by itself: those of functions that the scenario
    has it share, host or buy."""
    return sum(costing.fixed_cost(f, scenario.costing) for f in functions if not done_by_itself(f, scenario))


def _preset(form: Form, scenario: Scenario, above: str, dataset: Dataset) -> dict[str, Any]:
    """What the preset of this name changes, in the scenario's own names of scales. Where it gives bodies a team for
    every function, what they pay is what they pay in the scenario and the teams taken on: forms then differ by the work
    they do, and not by the source of a figure."""
    names = {PRESET_ANCHOR: scenario.anchor_scale, PRESET_ABOVE: above}
    own = read_chain(form)[-1].values
    values: dict[str, Any] = _renamed({k: v for k, v in own.items() if k not in ABOUT_ITSELF}, names)
    if "management" in values.get("rates", {}):
        anchor = scenario.anchor_scale
        more = taken_on(dataset.functions, scenario)
        values["rates"]["management"] = {"value": {anchor: scenario.rate("management", anchor) + more}}
    if "scales_used" in values:
        values["scales_used"] = scenario.scales_used[: scenario.scales_used.index(scenario.anchor_scale) + 1]
    return values


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(k, k): _renamed(v, names) for k, v in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


def _served(dataset: Dataset, scenario: Scenario, scales: Sequence[str]) -> tuple[str, ...]:
    """The scales without those that would support more people than there are: such a supplier serves others too, and is
    bought from as the market is."""
    people = int(dataset.patients.sum())
    return tuple(
        name for name in scales
        if scenario.scale(name).role != "supports" or people >= scenario.scale(name).min_patients
    )  # fmt: skip


def _speaks(pin: Pin, scenario: Scenario, dataset: Dataset, groups: Sequence[Group]) -> bool:
    """Whether a pin still says something: for groups kept as they are, one that lies inside one of them."""
    if not groups:
        return True
    smaller = scenario.scales_used[: scenario.scales_used.index(scenario.anchor_scale)]
    at = {dataset.practices[i].code: group.code for group in groups for i in group.members}
    named = {*pin.practices, *([pin.with_] if pin.with_ else [])}
    inside = {p.code for p in dataset.practices if pin.body and p.existing.get(pin.scale) == pin.body}
    where = {at.get(code) for code in named | inside}
    return pin.scale in smaller and len(where) == 1 and None not in where and (not pin.body or bool(inside))


def _frozen(form: Form, made: Scenario, dataset: Dataset, groups: Sequence[Group]) -> list[Pin]:
    """Groups kept as they are, or as one; what is larger, one body of them all. A region of fewer people than a merged
    body needs merges whole."""
    everybody = tuple(p.code for p in dataset.practices)
    anchor = made.anchor_scale
    if form == "merged":
        small = int(dataset.patients.sum()) < made.scale(anchor).min_patients
        name = f"All {len(groups)} merged" if groups else "All merged"
        return (
            [Pin(kind="frozen", scale=anchor, practices=everybody, name=name, reason=OF_THE_FORM)]
            if groups or small
            else []
        )
    pins = [
        Pin(kind="frozen", scale=anchor, practices=tuple(everybody[i] for i in g.members), name=g.name) for g in groups
    ]
    larger = made.scales_used[made.scales_used.index(anchor) + 1 :] if groups else ()
    together = {"practices": everybody, "name": "All together", "reason": OF_THE_FORM}
    return pins + [Pin(kind="frozen", scale=scale, **together) for scale in larger]
