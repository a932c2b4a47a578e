"""The tables of a scenario that hold figures: what each key is and its range. How they make a scenario is
`scenario_models`."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

Force = Literal[
    "engagement", "likeness", "insurance", "management", "coordination", "authority", "distance", "continuity",
    "leverage", "tailoring", "authority_link", "contracts", "agreements", "footprints", "pathways", "support",
]  # fmt: skip
RateName = Literal[Force, "team"]
FORCES: tuple[str, ...] = get_args(Force)
RATE_NAMES: tuple[str, ...] = (*FORCES, "team")
Criterion = Literal["cost", "control", "capacity", "conflict", "transition"]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)


def _or_none(value: Any) -> Any:
    return None if value == "none" else value


Amount = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1)]
Score = Annotated[float, Field(strict=True, ge=0, le=3)]
Inner = Annotated[float, Field(strict=True, gt=0, lt=1)]
Count = Annotated[int, Field(strict=True, ge=0)]
AtLeastOne = Annotated[int, Field(strict=True, ge=1)]
Text = Annotated[str, Field(min_length=1)]
MaybeCount = Annotated[AtLeastOne | None, BeforeValidator(_or_none)]
MaybeKm = Annotated[Positive | None, BeforeValidator(_or_none)]
MaybeText = Annotated[Text | None, BeforeValidator(_or_none)]


class Table(BaseModel):
    """Frozen; a key it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Engagement(Table):
    """E(N) = e_inf + (e0 − e_inf) / (1 + (N / n_half)^power), times voluntary (EVIDENCE 2.6)."""

    e0: Fraction
    e_inf: Fraction
    n_half: Positive
    power: Positive
    voluntary: Fraction


class Risk(Table):
    """The actuarial model (EVIDENCE 2.1): coefficient of variation per person, £ a head, and the risk rule
    P(overspend > rule_tolerance) ≤ rule_probability. age_effect, turnover_effect: how far clustering of cases follows
    the share of people aged 65 and over, and the turnover of lists (0 not at all, 1 in proportion). simulated_years:
    for the report; 0 leaves the simulation out."""

    cv_person: Positive
    budget_per_head: Positive
    overdispersion: Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)]
    common_shock_sd: Amount
    reserve_confidence: Annotated[float, Field(strict=True, gt=0.5, lt=1)]
    rule_tolerance: Inner
    rule_probability: Annotated[float, Field(strict=True, gt=0, lt=0.5)]
    age_effect: Fraction
    turnover_effect: Fraction
    simulated_years: Count


class Levers(Table):
    """Ways to bear luck other than size (EVIDENCE 2.1.3, item 5): £ a case at which a stop-loss attaches, £ a case from
    which a service is carved out, years to average over, width of a corridor (share of budget) and the body's share of
    what lies beyond it, contingency (share of budget)."""

    stop_loss: Amount
    carve_out: Amount
    smoothing_years: Annotated[int, Field(strict=True, ge=1, le=10)]
    corridor: Fraction
    corridor_own_share: Fraction
    contingency: Fraction


class ServiceRisk(Table):
    """When a body's supply is fragile: the share of its spend on a service with one provider that makes that the only
    one; £ a year of income below which a provider is fragile; the share of a provider's income from the body above
    which it lives from it."""

    single_supplier_share: Fraction
    fragile_income: Amount
    dependent_share: Fraction


class Leverage(Table):
    """The stand-in before services are placed (people, £ a head) and the bands of a provider's income."""

    catchment: Positive
    stand_in_per_head: Amount
    nil_at_share: Annotated[float, Field(strict=True, gt=0, le=1)]
    bands: dict[Literal["negligible", "associate", "significant"], Fraction]


class Contracts(Table):
    """What makes a contract: shares of the provider's income and £ a year. And what one body of the anchor scale can
    manage: contracts, and services that it commissions itself (None: no limit)."""

    materiality_share: Fraction
    materiality_gbp: Amount
    lead_share: Fraction
    associate_share: Fraction
    most_relationships: AtLeastOne
    most_services: MaybeCount = None


class Costing(Table):
    """£ a year per whole-time equivalent; the cut asked of management cost, as a fraction, in equal steps over
    cut_years. support_team: "joint", each function at its natural scale, else hosted, bought or alone; "own", each
    commissioning body employs a team for all of them, which its fixed cost (rates.management) then holds."""

    wte_gbp: Positive
    management_cut: Fraction
    cut_years: AtLeastOne
    support_team: Literal["joint", "own"]


class Officer(Table):
    """One accountable officer for several bodies. shared: the part of a body's statutory fixed cost that one officer
    and team serve several with. attention: of an officer's year that each body needs. between: lost to each pair of
    bodies. deputy_gbp: £ a year."""

    shared: Fraction
    attention: Fraction
    between: Fraction
    deputy_gbp: Amount


class SupplierKind(Table):
    """A kind of supplier of management work. serves: people that one fixed team works for, at least the body's own.
    mark_up: on the whole team, a fraction. delegated: the work leaves the commissioning bodies. Then scores."""

    label: Text
    serves: Amount
    mark_up: Amount
    delegated: StrictBool
    control: Score
    capacity: Score
    conflict: Score
    transition: Score
    why: Text


class Suppliers(Table):
    """The rubric, the same for every kind of supplier: weights of the criteria, which sum to 1, and the kinds."""

    weights: dict[Criterion, Fraction]
    kinds: Annotated[dict[str, SupplierKind], Field(min_length=1)]


class Transition(Table):
    """What a change of form costs on the way. saving_realised: of the saving expected, by year, and in full from then
    on. productivity_dip: of management work while developments are late. rehired: of those paid off, the part taken on
    again. lead_wte: for a year, for each body that changes."""

    saving_realised: Annotated[tuple[Fraction, ...], Field(min_length=1)]
    delay_months: Amount
    productivity_dip: Fraction
    severance_gbp: Amount
    rehired: Annotated[float, Field(strict=True, ge=0, lt=1)]
    lead_wte: Amount


class Rubric(Table):
    """The statutory four factors: limits, mildest first, at each of which a service gets a point (0–3 a factor)."""

    cases: tuple[Amount, Amount, Amount]
    cost_per_case: tuple[Amount, Amount, Amount]
    providers: tuple[Amount, Amount, Amount]
    provider_share: Fraction
    swing: tuple[Amount, Amount, Amount]


class Disclosure(Table):
    """Counts within `suppress` (both ends included) are hidden, others rounded to the nearest `round_to`."""

    rule: Literal["HES_2018"]
    suppress: tuple[Count, Count]
    round_to: AtLeastOne


class Sensitivity(Table):
    """The rates moved up and down by the fraction `change`."""

    rates: tuple[RateName, ...]
    change: Annotated[float, Field(strict=True, gt=0, le=1)]
