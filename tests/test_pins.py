"""Every mixture of pins, on worlds of three scales: kept by every plan, or refused with a reason that holds."""

from __future__ import annotations

import numpy as np
import pytest

from optimiser.conflicts import explain
from optimiser.domain import Dataset, Structure
from optimiser.errors import Infeasible, LimitReached, ScenarioError
from optimiser.given import broken_rules
from optimiser.hierarchy import build
from optimiser.partition.budget import Budget
from optimiser.pins import cells, check_pins, frozen_bodies
from optimiser.scenario import Pin, Scenario, load_scenario
from tests.ascii_map import region

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = Budget(moves=100, rounds=2, branches=1)
SCALES = ("locality", "consortium", "alliance")
KINDS = ("together", "apart", "fixed", "forbidden", "frozen")
TODAY = """
    E E F F
    E E F F
    G G F F
    G G H H
"""


def world(seed: int) -> tuple[Dataset, Scenario] | None:
    """Sixteen practices in two councils, bodies of today, and some pins of any kind; None where the pins contradict."""
    rng = np.random.default_rng(seed)
    data = region(
        "A A B B\nA A B B\nA A A B\nA A B B",
        patients=lambda _: int(rng.integers(6, 16)) * 1000,
        today=TODAY,
        links=[("a1", "d4")] if rng.random() < 0.3 else (),
    )
    codes = [p.code for p in data.practices]
    pins = []
    for _ in range(int(rng.integers(1, 5))):
        kind = KINDS[rng.integers(len(KINDS))]
        some = rng.choice(codes, size=int(rng.integers(2, 4)), replace=False).tolist()
        pin = {"kind": kind, "scale": SCALES[rng.integers(3)], "practices": some}
        if kind in ("fixed", "forbidden"):
            pin |= {"practices": some[:1], "with": some[1]}
        elif kind == "frozen" and rng.random() < 0.3:
            pin = {"kind": kind, "scale": "consortium", "body": str(rng.choice(list("EFGH")))}
        pins.append(pin)
    rules = {
        "scales_used": list(SCALES),
        "scale.locality.min_patients": 15_000,
        "scale.locality.max_patients": 45_000,
        "scale.consortium.min_patients": 30_000,
        "scale.consortium.max_patients": int(rng.integers(60, 120)) * 1000,
        "scale.alliance.min_patients": 50_000,
        "scale.alliance.min_members": 1,
        "scale.consortium.authority_rule": rng.choice(["off", "off", "whole", "inside_one"]).item(),
        "rates.management.value": {"locality": 1e4, "consortium": 5e4, "alliance": 8e4},
        "pins": pins,
    }
    try:
        chosen = load_scenario("base", rules)
        check_pins(data, chosen)
    except ScenarioError:
        return None
    return data, chosen


WORLDS = {seed: made for seed in range(70) if (made := world(seed)) is not None}


@pytest.fixture(scope="module")
def plans() -> dict[int, Structure | Infeasible | LimitReached]:
    found: dict[int, Structure | Infeasible | LimitReached] = {}
    for seed, (data, chosen) in WORLDS.items():
        try:
            found[seed] = build(data, chosen, 1, QUICK).structure
        except (Infeasible, LimitReached) as fault:
            found[seed] = fault
    return found


def kept(data: Dataset, pin: Pin, structure: Structure) -> bool:
    """Whether a structure does what a pin asks, from its definition."""
    of = structure.membership[pin.scale]
    where = [int(of[data.index[code]]) for code in pin.practices]
    if pin.kind == "together":
        return len(set(where)) == 1
    if pin.kind == "apart":
        return len(set(where)) == len(where)
    if pin.kind == "frozen":
        today = [p.code for p in data.practices if p.existing.get(pin.scale) == pin.body]
        group = {data.index[code] for code in (pin.practices or today)}
        return any(set(body.members) == group for body in structure.bodies[pin.scale])
    return (where[0] == int(of[data.index[pin.with_]])) == (pin.kind == "fixed")


def test_every_pin_is_kept_at_its_scale_and_no_rule_is_broken(plans):
    counted = dict.fromkeys(KINDS, 0)
    for seed, made in plans.items():
        if isinstance(made, Structure):
            data, chosen = WORLDS[seed]
            assert broken_rules(data, chosen, made) == (), seed
            for pin in chosen.pins:
                assert kept(data, pin, made), (seed, pin)
                counted[pin.kind] += 1
    assert min(counted.values()) >= 6, counted


def test_smaller_bodies_never_cross_a_frozen_one_and_larger_ones_hold_it_whole(plans):
    crossed = 0
    for seed, made in plans.items():
        if isinstance(made, Structure):
            data, chosen = WORLDS[seed]
            for name in SCALES:
                scale = chosen.scale(name)
                cell = cells(data, chosen, scale)
                for body in made.bodies[name]:
                    assert len(set(cell[list(body.members)].tolist())) == 1, (seed, name)
                for frozen in frozen_bodies(data, chosen, scale):
                    crossed += 1
                    for larger in SCALES[SCALES.index(name) :]:
                        assert len({made.body_of(larger, i).code for i in frozen.members}) == 1, (seed, larger)
    assert crossed > 15


def test_what_is_called_impossible_never_has_a_plan_and_a_refusal_is_explained(plans):
    planned = refused = 0
    for seed, made in plans.items():
        conflicts = explain(*WORLDS[seed])
        if isinstance(made, Structure):
            assert conflicts == (), seed
            planned += 1
        elif isinstance(made, Infeasible):
            assert conflicts, (seed, made.report())
            refused += 1
    assert planned > 20 and refused > 5


def test_practices_tied_into_a_unit_too_large_for_any_body_part_nobody():
    """c1 and d1 are pinned together and too large; the others are one consortium through them."""
    rules = {"scales_used": ["consortium"], "scale.consortium.max_patients": 100_000}
    pin = {"kind": "together", "scale": "consortium", "practices": ["c1", "d1"]}
    data = region("A A A A A A", patients=lambda code: 60_000 if code in ("c1", "d1") else 20_000)
    chosen = load_scenario("base", {**rules, "pins": [pin]})
    made = build(data, chosen, 1, QUICK).structure
    assert made.membership["consortium"].tolist() == [0, 0, 1, 1, 0, 0] or made.membership["consortium"].tolist() == [
        1, 1, 0, 0, 1, 1,
    ]  # fmt: skip
    assert broken_rules(data, chosen, made) == ()
