"""The things planners talk about, frozen. Words as in docs/method.md; arrays are read-only and aligned with tuples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Evidence = Literal["observed", "disaggregated", "proxy service", "distance only"]
EVIDENCE: tuple[Evidence, ...] = ("observed", "disaggregated", "proxy service", "distance only")
Money = Literal["cash", "expected_financial", "notional"]
NO_BODY = "not in a body"  # names the practices that belong to no body today


@dataclass(frozen=True)
class Practice:
    """The atom: a registered list of patients at a place.

    easting, northing: metres, EPSG:27700. authority codes refer to `Dataset.authorities`. existing: scale name → code
    of the body the practice belongs to today ("" where none). need_index: 1.0 = average need per head. Attributes that
    may be missing are None.
    """

    code: str
    name: str
    patients: int
    easting: float
    northing: float
    lower_authority: str
    upper_authority: str
    existing: Mapping[str, str] = field(default_factory=dict)
    existing_names: Mapping[str, str] = field(default_factory=dict)
    postcode: str = ""
    need_index: float = 1.0
    deprivation: float | None = None
    pct_65plus: float | None = None
    rural: float | None = None
    referral_index: float | None = None
    prescribing_index: float | None = None
    satisfaction_pct: float | None = None
    turnover_pct: float | None = None


@dataclass(frozen=True)
class Provider:
    """Who delivers care. income: £ a year from all commissioners, those outside the dataset included. owners: codes of
    practices that own it (conflicts of interest). Coordinates are None when only flows locate the provider."""

    code: str
    name: str
    kind: Literal[
        "acute", "mental_health", "community", "ambulance", "third_sector", "independent", "practice_owned", "other"
    ]
    easting: float | None
    northing: float | None
    income: float
    owners: tuple[str, ...] = ()


@dataclass(frozen=True)
class Service:
    """A line of the catalogue (EVIDENCE 2.5). cases_per_1000: a year. cost_per_case: £. case_cv: severity's coefficient
    of variation. natural_scale: the illustrative default ("P/L" …), used only to report agreement, never to decide.
    tailoring, leverage, authority_link: 0–3. pathway: "" when none. provider_kinds: who delivers it."""

    id: str
    name: str
    cases_per_1000: float
    cost_per_case: float
    case_cv: float
    natural_scale: str
    min_population: int
    tailoring: int
    leverage: int
    authority_link: int
    pathway: str
    delegable: bool
    provider_kinds: tuple[str, ...]
    condition_group: bool = False
    provenance: str = "A"
    note: str = ""

    @property
    def cost_per_head(self) -> float:
        """£ per head a year."""
        return self.cases_per_1000 / 1000 * self.cost_per_case

    @property
    def variance_per_head(self) -> float:
        """£² per head a year: compound Poisson, λ m² (1 + c²), before over-dispersion (EVIDENCE 2.1.3)."""
        return self.cases_per_1000 / 1000 * self.cost_per_case**2 * (1 + self.case_cv**2)


@dataclass(frozen=True)
class Function:
    """Management work, separate from service (EVIDENCE 2.2). Team in WTE = fixed_wte + wte_per_100k × N / 100,000;
    statutory_cost: £ a year where the function is a cost, not a team."""

    id: str
    name: str
    fixed_wte: float
    wte_per_100k: float
    statutory_cost: float
    delegable: Literal["yes", "partly", "never"]
    natural_scale: str
    in_placement: bool = False
    note: str = ""


@dataclass(frozen=True)
class Authority:
    """A local authority; tier "lower" (district) or "upper" (county, unitary). patients are those of the dataset."""

    code: str
    name: str
    tier: Literal["lower", "upper"]


@dataclass(frozen=True)
class Relationship:
    """practice → other: strength −1 (would rather not) … 1 (wants to work with). Confidential ones steer the search and
    appear in no output."""

    practice: str
    other: str
    strength: float
    confidential: bool


@dataclass(frozen=True)
class Wish:
    """Where somebody would have a service commissioned. who: code of a practice, or of a body of today at any scale,
    which speaks for its practices. scale: as `Commission` names it. firm: it binds; otherwise it is only tested and
    priced. note: in their words. row: of wishes.csv, for messages; 0 where it came from elsewhere."""

    who: str
    service: str
    scale: str
    firm: bool
    note: str = ""
    row: int = 0


@dataclass(frozen=True)
class Finance:
    """What somebody has today and carries over. who: code of a practice, or of a body of today at any scale, for all
    its practices. budget: £ a year. inherited: £, a surplus above 0, a deficit below. None where it is not said."""

    who: str
    budget: float | None
    inherited: float | None


@dataclass(frozen=True)
class Flows:
    """practice × provider × service, columnar and aligned: indices into the dataset's tuples, activity (cases a year),
    spend (£ a year), label (index into EVIDENCE)."""

    practice: NDArray[np.int32]
    provider: NDArray[np.int32]
    service: NDArray[np.int32]
    activity: NDArray[np.float64]
    spend: NDArray[np.float64]
    label: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.practice)

    @staticmethod
    def none() -> Flows:
        """No flows at all."""
        i, f = np.empty(0, np.int32), np.empty(0)
        return Flows(i, i, i, f, f, np.empty(0, np.int8))


@dataclass(frozen=True)
class DatasetInfo:
    """What must travel with the data to every output."""

    name: str
    price_year: str
    list_year: str
    geography_year: str
    licence: str
    attribution: str
    synthetic: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Everything known about a place, validated. adjacency: k × 2 array of practice indices, each pair once, i < j;
    practices whose catchments touch or that a declared link joins. links: the declared ones (ferries, bridges), by
    which a practice is also within reach of whatever is within reach of the far end. wishes: in the order given.
    finances: no practice is in two of them. sources: file name → sha256.
    """

    info: DatasetInfo
    practices: tuple[Practice, ...]
    providers: tuple[Provider, ...]
    services: tuple[Service, ...]
    functions: tuple[Function, ...]
    authorities: tuple[Authority, ...]
    flows: Flows
    relationships: tuple[Relationship, ...]
    adjacency: NDArray[np.int32]
    links: tuple[tuple[int, int], ...] = ()
    wishes: tuple[Wish, ...] = ()
    finances: tuple[Finance, ...] = ()
    warnings: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def patients(self) -> NDArray[np.int64]:
        """Registered patients by practice."""
        return _frozen(np.array([p.patients for p in self.practices], dtype=np.int64))

    @cached_property
    def xy(self) -> NDArray[np.float64]:
        """n × 2, metres (EPSG:27700)."""
        return _frozen(np.array([(p.easting, p.northing) for p in self.practices], dtype=float).reshape(-1, 2))

    @cached_property
    def index(self) -> Mapping[str, int]:
        """practice code → position."""
        return {p.code: i for i, p in enumerate(self.practices)}

    def authority_of(self, tier: str) -> tuple[str, ...]:
        """Authority code of each practice at a tier ("lower" or "upper")."""
        return tuple(p.upper_authority if tier == "upper" else p.lower_authority for p in self.practices)

    def authority_name(self, code: str) -> str:
        """The authority's name, or its code when it has none."""
        return self._authority_names.get(code, code)

    @cached_property
    def _authority_names(self) -> Mapping[str, str]:
        return {a.code: a.name for a in self.authorities}


@dataclass(frozen=True)
class Body:
    """One group at one scale. code: "consortium-03", stable for a plan. name: a place name. members: practice indices,
    ascending. centre: practice index. home_authority: upper-tier code of the centre. oversize: a unit above the scale's
    upper bound, left alone. parent: code of the body that holds it at the next scale that holds such bodies whole (""
    where none does). agreed: settled beforehand by a frozen pin."""

    scale: str
    code: str
    name: str
    members: tuple[int, ...]
    centre: int
    patients: int
    home_authority: str
    oversize: bool = False
    parent: str = ""
    agreed: bool = False


@dataclass(frozen=True)
class Structure:
    """The nested hierarchy: every practice in exactly one body at every planned scale.

    scales run from small to large. bodies: scale → bodies. membership: scale → body position by practice.
    """

    scales: tuple[str, ...]
    bodies: Mapping[str, tuple[Body, ...]]
    membership: Mapping[str, NDArray[np.int32]]

    def body_of(self, scale: str, practice: int) -> Body:
        """The body that holds a practice at a scale."""
        return self.bodies[scale][int(self.membership[scale][practice])]


@dataclass(frozen=True)
class Certificate:
    """What is proved about one scale (or the placement). All in £-equivalent a year.

    objective: recomputed from raw input, never read from a solver. bound: no solution of the stated problem costs less.
    unavoidable: Σ weight × the least cost per patient of any size, so `gap_avoidable` is not flattered by it.
    evidence: what an independent program needs to recompute the bound (multipliers, charges …). refunds: £ in objective
    and bound that give back what another certificate counts, no cost of this problem: gaps are measured without them.
    """

    problem: str
    objective: float
    bound: float
    unavoidable: float
    method: str
    status: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    refunds: float = 0.0

    @property
    def gap(self) -> float:
        """(objective − bound) / (objective − refunds), a fraction."""
        gross = self.objective - self.refunds
        return (self.objective - self.bound) / gross if gross else 0.0

    @property
    def gap_avoidable(self) -> float:
        """(objective − bound) / (objective − unavoidable), a fraction."""
        avoidable = self.objective - self.unavoidable
        return (self.objective - self.bound) / avoidable if avoidable > 0 else 0.0


def joint_gap(proofs: Iterable[Certificate]) -> float:
    """(objective − bound) / objective of parts that add up, a fraction."""
    parts = tuple(proofs)
    cost = sum(c.objective for c in parts)
    return (cost - sum(c.bound for c in parts)) / cost if cost else 0.0


@dataclass(frozen=True)
class Commission:
    """One answer: who commissions a service for the practices of a consortium, and how.

    scale: practice | locality | consortium | footprint | alliance | agency | region | authority | condition_group.
    commissioner: code of the commissioning body (a footprint's own code, an authority's code, "region"); for practice
    and locality the consortium's code, its practices or localities doing the work. mode: make | share | buy. spend: £ a
    year. reason: why here, in a few plain words. terms: force → £ a year of this row alone.
    """

    service: str
    consortium: str
    scale: str
    commissioner: str
    mode: Literal["make", "share", "buy"]
    spend: float
    reason: str
    terms: Mapping[str, float]


@dataclass(frozen=True)
class Footprint:
    """A set of consortia that share providers for some services; may cut across alliances. reason: why it exists.
    services: ids of those that it was found for. shared_spend: £ a year on these that they bring to the same providers,
    but for the one that brings most to each."""

    code: str
    name: str
    consortia: tuple[str, ...]
    reason: str
    services: tuple[str, ...] = ()
    shared_spend: float = 0.0


@dataclass(frozen=True)
class Contract:
    """A contract of a body with a provider. grade: lead | associate | small. share: of the provider's income. leads:
    the body is the provider's lead commissioner. host: of the anchor bodies for which it commissions, the code of the
    one that does the work."""

    body: str
    provider: str
    grade: str
    share: float
    spend: float
    cost: float
    leads: bool = False
    host: str = ""


@dataclass(frozen=True)
class FunctionMode:
    """How a body gets a function done. mode: make (own team) | share (with an alliance) | buy (agency or market)."""

    function: str
    consortium: str
    mode: Literal["make", "share", "buy"]
    supplier: str
    cost: float
    reason: str


@dataclass(frozen=True)
class Placement:
    """Every service × consortium placed at exactly one scale. footprints: those opened, of all candidates. terms: force
    → £ a year, summing to the certificate's objective; stand-ins that the structure was charged (leverage) are refunded
    in the same force's term. cut_by_clock: a clock ended the search, or somebody who asked to stop."""

    commissions: tuple[Commission, ...]
    footprints: tuple[Footprint, ...]
    contracts: tuple[Contract, ...]
    functions: tuple[FunctionMode, ...]
    terms: Mapping[str, float]
    certificate: Certificate
    cut_by_clock: bool = False
    candidates: tuple[Footprint, ...] = ()


def _frozen(array: NDArray) -> NDArray:
    array.setflags(write=False)
    return array
