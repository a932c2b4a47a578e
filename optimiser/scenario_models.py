"""A scenario, frozen and typed: the keys of scenarios/base.toml, each with its type and its range."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from optimiser.domain import Money
from optimiser.scenario_tables import (
    Amount,
    AtLeastOne,
    Contracts,
    Costing,
    Count,
    Disclosure,
    Engagement,
    Force,
    Leverage,
    Levers,
    MaybeCount,
    MaybeKm,
    MaybeText,
    Officer,
    RateName,
    Risk,
    Rubric,
    Sensitivity,
    ServiceRisk,
    Suppliers,
    Table,
    Text,
    Transition,
)

RATES_BY_SCALE = ("management", "coordination", "authority", "distance", "continuity")
RATE_KEYS: Mapping[str, tuple[str, ...]] = {
    "leverage": ("1", "2", "3"),
    "tailoring": ("0", "1", "2", "3"),
    "contracts": ("lead", "associate", "small"),
    "agreements": ("own", "framework", "framework_untailored"),
}
BANDS = ("negligible", "associate", "significant")
EACH_SCALE, PLACEMENT, RISK_HELD_AT, STAND_IN, REGION = "each scale", "placement", "risk_held_at", "stand_in", "region"

Value = float | dict[str, float]


def _amount(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _value(value: Any) -> Value:
    """A rate: an amount, or a table of amounts."""
    if _amount(value):
        return float(value)
    if isinstance(value, Mapping) and value and all(_amount(v) for v in value.values()):
        return {str(k): float(v) for k, v in value.items()}
    bad = {k: v for k, v in value.items() if not _amount(v)} if isinstance(value, Mapping) else value
    raise PydanticCustomError("amount", "must be finite and not negative: {bad}", {"bad": str(bad)})


def _charge(value: Any) -> str | dict[str, float | str]:
    """Where a force is charged: "each scale", or shares by place."""
    if value == EACH_SCALE:
        return EACH_SCALE
    if not isinstance(value, Mapping) or not value:
        raise PydanticCustomError("charge", 'must be "each scale" or a table of shares such as { consortium = 1.0 }')
    bad = {k: v for k, v in value.items() if not (isinstance(v, str) if k == STAND_IN else _amount(v))}
    if bad:
        raise PydanticCustomError("charge", "shares must be finite and not negative: {bad}", {"bad": str(bad)})
    return {k: v if k == STAND_IN else float(v) for k, v in value.items()}


class Scale(Table):
    """A level of the hierarchy. Sizes in patients, reach_km from a body's centre (km, straight line). max_patients,
    reach_km, min_bodies, max_bodies: None is no limit (written "none" in TOML, to lift an inherited one). centres_each:
    places for a centre that a body of min_patients has, about; 0: any practice may be the centre. min_members:
    bodies of the scale that it is built over which each must hold, oversize and frozen ones apart; asked of scales over
    the anchor. over: the scale whose bodies it is built from, None for the next smaller one."""

    name: Text = Field(exclude=True)
    label: Text
    plural: Text
    role: Literal["commissions", "delivers", "supports"]
    min_patients: Count
    max_patients: MaybeCount = None
    contiguous: StrictBool = False
    reach_km: MaybeKm = None
    centres_each: Count = 0
    authority_rule: Literal["inside_one", "whole", "off"] = "off"
    authority_tier: Literal["lower", "upper"] = "upper"
    authority_charge: Literal["home", "split"] = "home"
    min_bodies: MaybeCount = None
    max_bodies: MaybeCount = None
    min_members: AtLeastOne = 1
    over: MaybeText = None

    @property
    def patients_per_place(self) -> float:
        """Patients around a practice that share a place for a centre with it; 0: every practice is one."""
        return self.min_patients / self.centres_each if self.centres_each else 0.0


class Rate(Table):
    """An exchange rate: a number or a table by scale, score or class, the range worth testing, the rationale."""

    value: Annotated[Value, PlainValidator(_value)]
    low: Amount | None = None
    high: Amount | None = None
    unit: Text
    kind: Money
    provenance: Literal["S", "V", "M", "D", "A"]
    why: Text


class Pin(Table):
    """A decision taken beforehand. together, apart: two or more practices. fixed, forbidden: practices relative to an
    anchor practice (`with`) or to an existing body's code. frozen: the practices, or all those of an existing body, are
    one body that nobody joins or leaves; `name` is what it is called."""

    kind: Literal["together", "apart", "fixed", "forbidden", "frozen"]
    scale: Text
    practices: tuple[Text, ...] = ()
    with_: str = Field(default="", alias="with")
    body: str = ""
    name: str = ""
    reason: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Pin:
        if self.kind in ("together", "apart"):
            good = len(set(self.practices)) >= 2 and not self.with_ and not self.body
            rule = "lists two or more practices, and no with or body"
        elif self.kind == "frozen":
            good = bool(self.practices) != bool(self.body) and not self.with_
            rule = "gives either practices or body (an existing body), and no with"
        else:
            good = bool(self.practices) and bool(self.with_) != bool(self.body)
            rule = "lists practices, and gives either with (a practice) or body (an existing body)"
        if not good:
            raise PydanticCustomError("pin", "a {kind} pin {rule}", {"kind": self.kind, "rule": rule})
        if self.name and self.kind != "frozen":
            raise PydanticCustomError("pin", "only a frozen pin names a body", {})
        return self


class Scenario(Table):
    """Everything a plan assumes, resolved and checked. Made by `optimiser.scenario.load_scenario`."""

    name: Text
    title: Text
    question: Text
    price_year: Text
    seed: Count
    dataset: Text | None = None
    scales_used: Annotated[tuple[Text, ...], Field(min_length=1)]
    risk_held_at: Text
    joint_commissioning: Literal["where it pays", "where required"] = "where it pays"
    forces_off: tuple[Force, ...] = ()
    anchor_scale: Text
    scale_tables: dict[str, Scale] = Field(alias="scale")
    charged: dict[Force, Annotated[Any, PlainValidator(_charge)]]
    rates: dict[RateName, Rate]
    engagement: Engagement
    risk: Risk
    levers: Levers
    service_risk: ServiceRisk
    leverage: Leverage
    contracts: Contracts
    allowances: dict[str, Amount]
    costing: Costing
    officer: Officer
    suppliers: Suppliers
    transition: Transition
    rubric: Rubric
    disclosure: Disclosure
    sensitivity: Sensitivity
    pins: tuple[Pin, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _derived(cls, data: Any) -> Any:
        """Scales learn their names; a plan of one scale is anchored there."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        tables = data.get("scale")
        if isinstance(tables, Mapping):
            data["scale"] = {
                k: {"label": k, "plural": f"{v.get('label', k)}s"} | dict(v) | ({} if "name" in v else {"name": k})
                if isinstance(v, Mapping)
                else v
                for k, v in tables.items()
            }
        used = data.get("scales_used")
        if isinstance(used, list | tuple) and len(used) == 1:
            data["anchor_scale"] = used[0]
        return data

    @property
    def scales(self) -> tuple[Scale, ...]:
        """The scales planned, small to large."""
        return tuple(self.scale_tables[name] for name in self.scales_used)

    def scale(self, name: str) -> Scale:
        """A declared scale, planned or not. KeyError for an undeclared one."""
        return self.scale_tables[name]

    def below(self, name: str) -> str | None:
        """The planned scale whose bodies those of `name` hold whole: the one it is built over, else the next smaller;
        None for the smallest."""
        smaller = self.scales_used[: self.scales_used.index(name)]
        over = self.scale_tables[name].over if name in self.scale_tables else None
        return over if over in smaller else smaller[-1] if smaller else None

    def within(self, name: str) -> tuple[str, ...]:
        """A planned scale and those whose bodies never cross the borders of its bodies, small to large."""
        below = self.below(name)
        return (*(self.within(below) if below else ()), name)

    def around(self, name: str) -> tuple[str, ...]:
        """A planned scale and those whose borders its bodies never cross, small to large."""
        return tuple(larger for larger in self.scales_used if name in self.within(larger))

    def members_asked(self, name: str) -> int:
        """How many bodies of the scale below each body of a planned scale must hold: 1 up to the anchor scale, whose
        bodies are made from practices."""
        above = self.scales_used.index(name) > self.scales_used.index(self.anchor_scale)
        return self.scale(name).min_members if above else 1

    def on(self, force: str) -> bool:
        """Whether a force is left in."""
        return force not in self.forces_off

    def rate(self, force: str, key: str | int | None = None) -> float:
        """The rate in its own unit: the value, or value[key] where it is a table (0 for a key it does not list). 0 when
        the force is off. TypeError when a table is asked for without a key."""
        if not self.on(force):
            return 0.0
        value = self.rates[force].value  # type: ignore[index]
        if not isinstance(value, dict):
            return value
        if key is None:
            raise TypeError(f"rate {force} is a table by {', '.join(value)}: a key is needed")
        return value.get(str(key), 0.0)

    def amount(self, name: RateName) -> float:
        """A rate that is a single number, whether or not its force is on. TypeError for a table."""
        value = self.rates[name].value
        if isinstance(value, dict):
            raise TypeError(f"rate {name} is a table by {', '.join(value)}")
        return value

    def kind(self, force: str) -> Money:
        """The kind of money a force is charged in. KeyError for a force without a rate."""
        return self.rates[force].kind  # type: ignore[index]

    def share(self, force: str, scale: str) -> float:
        """The share (0–1) of a force charged at a scale, or at "placement"; 0 when off or not charged there."""
        charge = self.charged.get(force) if self.on(force) else None  # type: ignore[call-overload]
        if charge is None:
            return 0.0
        if charge == EACH_SCALE:
            return 0.0 if scale == PLACEMENT else 1.0
        held = charge.get(RISK_HELD_AT, 0.0) if scale == self.risk_held_at else 0.0
        return float(charge.get(scale, 0.0)) + held

    def stand_in(self, force: str) -> str | None:
        """The scale where a force stands in for its exact figure until services are placed; None when there is none."""
        charge = self.charged.get(force)  # type: ignore[call-overload]
        return charge.get(STAND_IN) if self.on(force) and isinstance(charge, dict) else None

    def with_rate(self, force: str, factor: float) -> Scenario:
        """The same scenario with every number of one rate's value multiplied. low and high stay: they are beliefs."""
        rate = self.rates[force]  # type: ignore[index]
        value = {k: v * factor for k, v in rate.value.items()} if isinstance(rate.value, dict) else rate.value * factor
        return self.model_copy(update={"rates": {**self.rates, force: rate.model_copy(update={"value": value})}})

    def document(self) -> dict[str, Any]:
        """The fully resolved scenario as plain JSON-able values, keyed as in TOML; validating it gives it back."""
        return self.model_dump(mode="json", by_alias=True)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the scenario leaves uncharged because a scale that carries it is not planned."""
        notes = []
        for force in filter(self.on, self.charged):
            charge = self.charged[force]
            places = charge if isinstance(charge, dict) else {}
            for key, place in places.items():
                if key == RISK_HELD_AT:
                    continue  # where that scale is not planned, the placement charges the anchor's bodies
                at = place if key == STAND_IN else key
                if at not in (*self.scales_used, PLACEMENT, REGION):
                    verb = "stands in" if key == STAND_IN else "is charged"
                    notes.append(f"{force} {verb} at {at}, which this scenario does not plan: that share is left out")
        return tuple(notes)
