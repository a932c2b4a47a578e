"""Service risk: three reasons why supply is fragile, read from flows, each with its evidence, never mixed with luck."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.domain import EVIDENCE
from optimiser.scenario import load_scenario
from optimiser.service_risk import DEPENDENT, FRAGILE, SINGLE, service_risk
from tests import tiny

BASE = load_scenario("base", {"scales_used": ["consortium"]})
OBSERVED, ASSUMED = 0, EVIDENCE.index("distance only")


def world(rows, label: int = OBSERVED, incomes=(100e6, 100e6, 1e6)):
    """Two consortia of one practice each; three providers. rows: practice, provider, service, £."""
    practices = [tiny.practice(0, 60_000), tiny.practice(1, 60_000)]
    services = [tiny.service("S0"), tiny.service("S1")]
    providers = [tiny.provider(code, income=income) for code, income in zip(("RA", "RB", "RC"), incomes, strict=True)]
    data = tiny.dataset(practices, services, providers, rows)
    data = replace(data, flows=replace(data.flows, label=np.full(len(data.flows), label, np.int8)))
    return data, tiny.structure(data, {"consortium": [[0], [1]]})


def test_each_reason_counts_its_own_spend_and_none_twice() -> None:
    data, made = world([
        (0, 0, 0, 9e6), (0, 1, 0, 1e6),  # S0: nine tenths with RA
        (0, 1, 1, 4.5e6), (0, 2, 1, 5.5e5),  # S1: nine tenths with RB, the rest with tiny RC
        (1, 0, 0, 5e6), (1, 1, 0, 5e6),  # shared between two
    ])  # fmt: skip
    first, second = service_risk(data, BASE, made)
    whole = 15.05e6
    assert first.spend == pytest.approx(whole)
    assert first.single == pytest.approx((9e6 + 4.5e6) / whole)
    assert first.fragile == pytest.approx(5.5e5 / whole)
    assert first.dependent == pytest.approx(5.5e5 / whole)  # more than half of RC's £1m
    assert first.exposed == pytest.approx((9e6 + 4.5e6 + 5.5e5) / whole)
    assert [(e.provider, e.kinds) for e in first.exposures] == [
        ("RA", (SINGLE,)), ("RB", (SINGLE,)), ("RC", (FRAGILE, DEPENDENT)),
    ]  # fmt: skip
    assert (first.exposures[0].services, first.label, first.known) == (("S0",), "observed", 1)
    assert (second.exposed, second.exposures) == (0, ())


def test_what_rests_on_weak_flows_says_nothing_of_who_lives_from_whom() -> None:
    data, made = world([(0, 2, 0, 9e5), (0, 0, 0, 9e5), (1, 0, 0, 1e6)], label=ASSUMED)
    first = service_risk(data, BASE, made)[0]
    assert first.dependent is None and first.known == 0 and first.label == "distance only"
    assert first.exposures[0].kinds == (FRAGILE,) and first.exposures[0].income_share is None


def test_the_limits_are_the_scenarios() -> None:
    data, made = world([(0, 0, 0, 7e6), (0, 1, 0, 3e6), (1, 1, 0, 1e6)])
    assert service_risk(data, BASE, made)[0].single == 0
    lower = load_scenario("base", {"scales_used": ["consortium"], "service_risk.single_supplier_share": 0.7})
    assert service_risk(data, lower, made)[0].single == pytest.approx(0.7)
    poor = load_scenario("base", {"scales_used": ["consortium"], "service_risk.fragile_income": 200_000_000})
    assert service_risk(data, poor, made)[0].fragile == 1
    dependent = load_scenario("base", {"scales_used": ["consortium"], "service_risk.dependent_share": 0.05})
    assert service_risk(data, dependent, made)[0].dependent == pytest.approx(0.7)


def test_more_people_do_not_make_it_smaller() -> None:
    """Insurance risk shrinks with size; this does not."""
    rows = [(p, 0, 0, 5e6) for p in (0, 1)]
    data, made = world(rows)
    merged = tiny.structure(data, {"consortium": [[0, 1]]})
    assert service_risk(data, BASE, merged)[0].exposed == service_risk(data, BASE, made)[0].exposed == 1


def test_bodies_and_datasets_without_flows() -> None:
    data, made = world([(0, 0, 0, 5e6)])
    assert [r.body for r in service_risk(data, BASE, made)] == [made.bodies["consortium"][0].code]
    nothing, made = world([])
    assert service_risk(nothing, BASE, made) == ()
