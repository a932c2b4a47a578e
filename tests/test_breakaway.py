"""Breakaway: every change against the plan made over and priced from scratch, every rule against the plan's own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.breakaway import breakaway
from optimiser.domain import Relationship
from optimiser.forces import structure_terms
from optimiser.given import broken_rules
from optimiser.hierarchy import assemble, build
from optimiser.partition.budget import Budget
from optimiser.scenario import load_scenario
from tests.ascii_map import region

pytestmark = pytest.mark.usefixtures("one_thread")
QUICK = Budget(moves=200, rounds=2, branches=1)
DRAWING = """
    A A A B B B
    A A A B B B
    A A C C B B
    A C C C C B
    C C C C C C
"""
SIZES = {
    "scale.locality.min_patients": 15_000,
    "scale.locality.max_patients": 40_000,
    "scale.consortium.min_patients": 40_000,
    "scale.consortium.max_patients": 110_000,
    "scale.consortium.reach_km": 9.0,
    "scale.alliance.min_patients": 80_000,
    "scale.alliance.max_patients": 300_000,
    "scale.agency.min_patients": 100_000,
    "rates.management.value": {"locality": 2e4, "consortium": 1e5, "alliance": 1e5, "agency": 1e5},
    "rates.coordination.value": {"alliance": 10.0, "agency": 10.0},
}
MIXTURES = {
    "four scales": {},
    "agencies over alliances": {"scale.agency.over": "none"},
    "no smaller scale": {"scales_used": ["consortium", "alliance"]},
    "one scale": {"scales_used": ["consortium"]},
    "councils split at every scale": {"scale.consortium.authority_charge": "split"},
    "councils kept whole": {
        "scale.consortium.authority_rule": "whole",
        "scale.consortium.max_patients": 200_000,
        "scale.consortium.reach_km": 40.0,
        "scale.alliance.max_patients": "none",
    },
    "inside one council": {"scale.consortium.authority_rule": "inside_one"},
    "pins": {
        "pins": [
            {"kind": "together", "scale": "consortium", "practices": ["a1", "b2"]},
            {"kind": "apart", "scale": "consortium", "practices": ["c1", "d1"]},
            {"kind": "frozen", "scale": "consortium", "practices": ["e5", "f5", "f4", "f3"]},
        ]
    },
    "three consortia at most": {"scale.consortium.min_bodies": 3, "scale.consortium.max_bodies": 3},
}  # fmt: skip


def world(seed: int):
    rng = np.random.default_rng(seed)
    sizes = {}

    def patients(code: str) -> int:
        return sizes.setdefault(code, int(rng.integers(5, 12)) * 1000)

    return region(
        DRAWING,
        patients=patients,
        deprivation=lambda code: 6.0 * int(code[1]),
        pct_65plus=lambda code: 12.0 + ord(code[0]) - ord("a"),
        relationships=[Relationship("a1", "a2", 0.8, False), Relationship("c4", "d4", -0.9, False)],
        today=DRAWING.replace("C", "A"),
    )


def after(data, scenario, structure, move, members):
    """The structure once the move is made, from its membership alone."""
    anchor = scenario.anchor_scale
    codes = [b.code for b in structure.bodies[anchor]]
    new = {}
    for scale in structure.scales:
        of = structure.membership[scale].copy()
        if scale == anchor:
            of[members] = of.max() + 1 if move.to == "" else codes.index(move.to)
        elif structure.scales.index(scale) > structure.scales.index(anchor) and move.to:
            of[members] = of[structure.bodies[anchor][codes.index(move.to)].members[0]]
        new[scale] = np.unique(of, return_inverse=True)[1].astype(np.int32)
    made = assemble(data, scenario, new)  # which takes a body above the upper bound for a practice too large
    return replace(
        made, bodies={s: tuple(replace(b, oversize=False) for b in found) for s, found in made.bodies.items()}
    )


def priced(data, scenario, structure) -> float:
    return sum(sum(terms.values()) for terms in structure_terms(data, scenario, structure).values())


@pytest.mark.parametrize("mixture", MIXTURES)
def test_every_move_changes_the_total_and_breaks_the_rules_as_the_plan_made_over_does(mixture):
    scenario = load_scenario("base", {**SIZES, **MIXTURES[mixture]})
    checked = broken = kept = 0
    for seed in range(2):
        data = world(seed)
        structure = build(data, scenario, seed, QUICK).structure
        assert broken_rules(data, scenario, structure) == ()
        before = priced(data, scenario, structure)
        below = scenario.below(scenario.anchor_scale)
        members = {b.code: list(b.members) for b in structure.bodies[below]} if below else None
        for move in breakaway(data, scenario, structure):
            group = members[move.code] if members else _tied(data, scenario, move.code)
            assert move.patients == data.patients[group].sum()
            made = after(data, scenario, structure, move, group)
            wrong = broken_rules(data, scenario, made)
            assert bool(wrong) == bool(move.broken), (mixture, seed, move, wrong)
            broken, kept = broken + bool(wrong), kept + (not wrong)
            if not any("centre" in w or "straddles" in w for w in wrong):
                assert move.change.total == pytest.approx(priced(data, scenario, made) - before, abs=0.01), move
                checked += 1
    assert checked >= 4 and broken + kept >= 6, (checked, broken, kept)


def _tied(data, scenario, code):
    from optimiser.units import units_of

    unit = units_of(data, scenario, scenario.scale(scenario.anchor_scale))
    return np.flatnonzero(unit == unit[data.index[code]]).tolist()
