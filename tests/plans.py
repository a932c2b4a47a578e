"""A finished plan of twelve practices, made by hand: what the output stages read, without running an optimiser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geodata.ground import Ground
from optimiser.breakaway import breakaway
from optimiser.domain import (
    Authority,
    Body,
    Certificate,
    Commission,
    Contract,
    Dataset,
    DatasetInfo,
    Flows,
    Footprint,
    Function,
    FunctionMode,
    Placement,
    Practice,
    Provider,
    Relationship,
    Service,
    Structure,
    Wish,
)
from optimiser.given import existing_structure
from optimiser.plan import Plan
from optimiser.risk_report import risk_report
from optimiser.scenario import load_scenario
from optimiser.scorecard import BodyScore, Measure, Scorecard
from optimiser.sensitivity import SensitivityRow
from optimiser.service_risk import service_risk
from optimiser.why_here import AtScale
from optimiser.wish_prices import Answered

CELL = 4_000.0
WEST, SOUTH = 360_000.0, 160_000.0
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'

# Four columns by three rows. One letter a practice (A is P01); the same letter, the same body.
LOCALITIES = "AABB CADD CCDD"
CONSORTIA = "AABB AABB AABB"
ALLIANCES = "AAAA AAAA AAAA"


def dataset(names: Sequence[str] = ()) -> Dataset:
    """Twelve practices in a grid, two councils side by side, two hospitals and a trust, flows small and large."""
    towns = ("Arle", "Brent Knoll", "Corfe", "Dunster", "Exe Bridge", "Frome", "Glaston", "Huish", "Ilton", "Jacobstow",
             "Kew Stoke", "Lyme")  # fmt: skip
    names = names or [f"{town} Surgery" for town in towns]
    practices = tuple(
        Practice(
            code=f"P{i + 1:02d}",
            name=names[i],
            patients=9_000 + 500 * i,
            easting=WEST + CELL * (i % 4 + 0.5),
            northing=SOUTH + CELL * (2.5 - i // 4),
            lower_authority="L1" if i % 4 < 2 else "L2",
            upper_authority="U1" if i % 4 < 2 else "U2",
            existing={"consortium": "5QA" if i % 4 < 3 else "5QB"},
            existing_names={"consortium": "Old West PCT" if i % 4 < 3 else "Old East PCT"},
            postcode=f"BA{i + 1} 1AA",
            deprivation=None if i == 4 else 10.1 + i,
            pct_65plus=18.3,
            rural=0.1 * (i % 4),
        )
        for i in range(12)
    )
    services = tuple(
        Service(
            id=code, name=name, cases_per_1000=rate, cost_per_case=cost, case_cv=1.0, natural_scale="C",
            min_population=0, tailoring=1, leverage=2, authority_link=0, pathway="", delegable=True,
            provider_kinds=("acute",),
        )
        for code, name, rate, cost in (
            ("S01", "Outpatient care", 300.0, 120.0), ("S02", "Emergency admissions", 90.0, 1_800.0),
            ("S03", "Rare disorders", 0.05, 20_000.0), ("S04", "District nursing", 200.0, 60.0),
        )
    )  # fmt: skip
    n = len(practices)
    practice = np.repeat(np.arange(n), len(services)).astype(np.int32)
    service = np.tile(np.arange(len(services)), n).astype(np.int32)
    rates = np.array([s.cases_per_1000 / 1000 for s in services])
    costs = np.array([s.cost_per_case for s in services])
    activity = np.array([practices[i].patients for i in practice]) * rates[service]
    flows = Flows(
        practice=practice,
        provider=(practice % 4 // 2).astype(np.int32),
        service=service,
        activity=activity,
        spend=activity * costs[service],
        label=(service % 2).astype(np.int8),
    )
    edges = [(i, i + 1) for i in range(n) if i % 4 < 3] + [(i, i + 4) for i in range(n - 4)]
    return Dataset(
        info=DatasetInfo(
            "Westmoor", "2010/11", "2010", "2011", "OGL v3", "Contains public sector information.", True, ("Invented.",)
        ),
        practices=practices,
        providers=(
            Provider("RA1", "Westmoor Royal", "acute", WEST + 5_000, SOUTH + 6_000, 90e6),
            Provider("RB2", "Eastmoor General", "acute", WEST + 12_000, SOUTH + 3_000, 120e6),
            Provider("RC3", "Moor Care", "community", None, None, 10e6),
        ),
        services=services,
        functions=(
            Function("F01", "Contracting", 4.0, 1.0, 0.0, "yes", "C"),
            Function("F02", "Finance", 3.0, 1.0, 0.0, "yes", "C"),
        ),
        authorities=(
            Authority("U1", "West Council", "upper"), Authority("U2", "East Council", "upper"),
            Authority("L1", "West District", "lower"), Authority("L2", "East District", "lower"),
        ),
        flows=flows,
        relationships=(Relationship("P01", "P02", 0.5, False), Relationship("P03", "P12", -0.8125, True)),
        adjacency=np.array(sorted(edges), dtype=np.int32),
        warnings=("practices.csv:6:deprivation: blank",),
        sources={"practices.csv": "ab" * 32},
    )  # fmt: skip


def structure(data: Dataset, maps: Mapping[str, str]) -> Structure:
    """Bodies from ASCII maps, one letter a practice."""
    bodies: dict[str, tuple[Body, ...]] = {}
    membership = {}
    scales = tuple(maps)
    letters = {scale: drawing.replace(" ", "") for scale, drawing in maps.items()}
    for level, scale in enumerate(scales):
        kinds = sorted(set(letters[scale]))
        above = scales[level + 1] if level + 1 < len(scales) else ""
        above_kinds = sorted(set(letters.get(above, "")))
        made = []
        for number, letter in enumerate(kinds, start=1):
            members = tuple(i for i, found in enumerate(letters[scale]) if found == letter)
            centre = members[len(members) // 2]
            made.append(Body(
                scale=scale,
                code=f"{scale}-{number:02d}",
                name=f"{data.practices[centre].name.removesuffix(' Surgery')} {scale}",
                members=members,
                centre=centre,
                patients=sum(data.practices[i].patients for i in members),
                home_authority=data.practices[centre].upper_authority,
                parent=f"{above}-{above_kinds.index(letters[above][members[0]]) + 1:02d}" if above else "",
            ))  # fmt: skip
        bodies[scale] = tuple(made)
        membership[scale] = np.array([kinds.index(found) for found in letters[scale]], dtype=np.int32)
    return Structure(scales, MappingProxyType(bodies), MappingProxyType(membership))


def scorecard(bodies: Mapping[str, Sequence[Body]], shift: float = 0.0) -> Scorecard:
    """A few measures for the region and for every body."""
    region = (
        Measure("cash_per_head", "Cash a head", 23.4 + shift, "£ per head", "observed", "cash"),
        Measure(
            "outside_home", "Patients outside the home council", 0.08 + shift / 100, "share", "observed", "notional"
        ),
        Measure("leverage", "Share of main provider's income", 0.41 - shift / 100, "share", "disaggregated", "true"),
        Measure(
            "moved_consortium",
            "Consortia: patients whose practice changes body",
            41_000.0,
            "patients",
            "observed",
            "true",
        ),
    )

    def scored(body: Body) -> BodyScore:
        own = (
            replace(region[0], value=20 + body.patients / 1e5),
            region[1],
            replace(region[2], value=0.2 + len(body.members) / 40),
        )
        return BodyScore(body.code, body.name, body.scale, body.patients, len(body.members), {m.name: m for m in own})

    return Scorecard({m.name: m for m in region}, {s: tuple(map(scored, found)) for s, found in bodies.items()})


def placement(data: Dataset, built: Structure) -> Placement:
    """Every service placed once for each consortium, at four different scales."""
    places = {
        "S01": ("consortium", "make"),
        "S02": ("footprint", "share"),
        "S03": ("region", "buy"),
        "S04": ("locality", "make"),
    }
    commissions = []
    for body in built.bodies["consortium"]:
        for service in data.services:
            scale, mode = places[service.id]
            where = {"footprint": "footprint-01", "region": "region"}.get(scale, body.code)
            spend = service.cost_per_head * body.patients
            commissions.append(
                Commission(
                    service.id,
                    body.code,
                    scale,
                    where,
                    mode,
                    spend,
                    "least in all",
                    {"leverage": 1_000.0, "contracts": 500.0},
                )  # type: ignore[arg-type]
            )
    total = 1_500.0 * len(commissions)
    return Placement(
        commissions=tuple(commissions),
        footprints=(
            Footprint("footprint-01", "Westmoor footprint", ("consortium-01", "consortium-02"), "shared hospital"),
        ),
        contracts=(
            Contract("consortium-01", "RA1", "lead", 0.42, 9e6, 110_000.0),
            Contract("consortium-02", "RB2", "associate", 0.1, 4e6, 12_000.0),
        ),
        functions=(
            FunctionMode("F01", "consortium-01", "make", "consortium-01", 300_000.0, "own team"),
            FunctionMode("F02", "consortium-01", "buy", "market", 100_000.0, "cheaper"),
            FunctionMode("F01", "consortium-02", "share", "alliance-01", 200_000.0, "joint team"),
        ),
        terms={"leverage": 1_000.0 * len(commissions), "contracts": 500.0 * len(commissions)},
        certificate=Certificate("placement", total, total * 0.98, 0.0, "integer programme", "feasible"),
    )  # fmt: skip


def why_here(placed: Placement, built: Structure) -> tuple[AtScale, ...]:
    """Every service where it is, and at the consortium's own scale, where it would cost £2,000 more."""
    patients = {b.code: b.patients for b in built.bodies["consortium"]}
    shared: dict[tuple[str, str, str], list[str]] = {}
    for c in placed.commissions:
        shared.setdefault((c.service, c.commissioner, c.scale), []).append(c.consortium)
    rows = []
    for (service, who, now), members in shared.items():
        for scale in dict.fromkeys((now, "consortium")):
            more, even = (0.0, None) if scale == now else (2_000.0, 150_000.0 if now == "footprint" else None)
            terms = {"leverage": 1_000.0 + more, "contracts": 500.0}
            people = sum(patients[m] for m in members)
            rows.append(
                AtScale(
                    service,
                    who,
                    now,
                    tuple(members),
                    people,
                    scale,
                    terms,
                    more,
                    more + 500.0 * (more > 0),
                    len(members),
                    len(members),
                    0,
                    even,
                )
            )
    return tuple(rows)


def wishes() -> tuple[Answered, ...]:
    """A firm wish that is kept, a soft one that is not, and one that nobody hears."""
    both, patients = ("consortium-01", "consortium-02"), (70_500, 37_500)
    return (
        Answered(
            Wish("5QA", "S02", "footprint", True, "We share the Royal", 2), "Old West PCT", both, ("footprint",) * 2,
            (True, True), patients, True, 1_500.0, "at least",
            "held firmly, by most of those there who wish for anything",
        ),
        Answered(
            Wish("P01", "S03", "consortium", False, "", 3), "Arle Surgery", both[:1], ("region",), (False,), (9_000,),
            False, 12_345.0, "at most", "it would cost most in contracts, £12,000 a year",
        ),
        Answered(
            Wish("5QB", "S04", "practice", False, "", 4), "Old East PCT", (), (), (), (), False, None, "",
            "all its practices speak for themselves, or smaller groups for them",
        ),
    )  # fmt: skip


def ground(data: Dataset) -> Ground:
    """Square catchments and two councils, each with one district, the coast a notch in the east."""
    cells = [
        shapely.box(p.easting - CELL / 2, p.northing - CELL / 2, p.easting + CELL / 2, p.northing + CELL / 2)
        for p in data.practices
    ]
    middle, east, north = WEST + 2 * CELL, WEST + 4 * CELL, SOUTH + 3 * CELL
    halves = [shapely.box(WEST, SOUTH, middle, north), shapely.box(middle, SOUTH, east, north)]
    areas = gpd.GeoDataFrame(
        {
            "code": ["U1", "U2", "L1", "L2"],
            "name": ["West Council", "East Council", "West District", "East District"],
            "tier": ["upper", "upper", "lower", "lower"],
            "parent": ["", "", "U1", "U2"],
        },
        geometry=halves * 2,
        crs="EPSG:27700",
    )
    catchments = gpd.GeoDataFrame({"code": [p.code for p in data.practices]}, geometry=cells, crs="EPSG:27700")
    return Ground(data, areas, catchments, ())


def plan(names: Sequence[str] = (), **changes: Any) -> Plan:
    """The whole plan; `changes` replace fields of it. names: of the practices, hostile ones for instance."""
    data = replace(dataset(names), wishes=tuple(answer.wish for answer in wishes()))
    scenario = load_scenario(
        "base", {"scales_used": ["locality", "consortium", "alliance"], "risk.simulated_years": 2_000}
    )
    built = structure(data, {"locality": LOCALITIES, "consortium": CONSORTIA, "alliance": ALLIANCES})
    placed = placement(data, built)
    structure_terms = {
        "locality": {"engagement": 3_000_000.0, "management": 400_000.0, "distance": 100_000.0},
        "consortium": {
            "engagement": 2_500_000.0,
            "management": 2_200_000.0,
            "insurance": 600_000.0,
            "distance": 200_000.0,
        },
        "alliance": {"management": 700_000.0, "coordination": 300_000.0, "leverage": 2_000_000.0},
    }
    certificates = {}
    for scale, terms in structure_terms.items():
        cost = sum(terms.values())
        evidence = {"pi": np.arange(3.0)}
        certificates[scale] = Certificate(
            f"{scale} partition", cost, cost * 0.98, cost * 0.5, "column generation", "feasible", evidence
        )
    counts = {scale: len(bodies) for scale, bodies in built.bodies.items()}
    today = {"consortium": tuple(replace(b, name=f"Old {b.code}") for b in built.bodies["consortium"])}
    made = Plan(
        dataset=data,
        scenario=scenario,
        structure=built,
        structure_terms=structure_terms,
        placement=placed,
        why_here=why_here(placed, built),
        wishes=() if "structure" in changes else wishes(),
        certificates=certificates,
        scorecard=scorecard(built.bodies),
        baseline=scorecard(today, shift=2.5),
        today=existing_structure(data, scenario),
        sensitivity=tuple(
            SensitivityRow(rate, change, 12_000_000.0 * (1 + change / 5), counts, abs(change) / 4)
            for rate in ("engagement", "management")
            for change in (-0.5, 0.5)
        ),
        outside={"team": 1_842_300.0},
        breakaway=breakaway(data, scenario, built),
        risk=risk_report(data, scenario, built, placed, seed=1),
        service_risk=service_risk(data, scenario, built),
        warnings=("Rates and spending are at the same prices.",),
        seconds={"structure": 12.25, "placement": 3.5},
        price_of_nesting=10_000.0,
        nesting_interval=(0.0, 60_000.0),
    )
    return replace(made, **changes)
