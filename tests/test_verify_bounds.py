"""The independent check prices bounds again: it says how close to the best possible a scale is, or refuses."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimiser.domain import Certificate, Practice
from optimiser.forces import structure_terms
from optimiser.hierarchy import assemble
from optimiser.scenario import load_scenario
from optimiser.units import scale_problem
from tests import plans
from tests.checked import (
    EMPTY,
    MAPS,
    RULES,
    amend,
    dataset,
    edit,
    least_values,
    plan,
    publish,
    put,
    sign,
    verify,
)
from tests.checked_worlds import as_checked, script, worlds
from tests.oracle import bound_by_definition

SCALES = ("locality", "consortium", "alliance")
ONE = "AAAA AAAA AAAA"
HALVES = {"locality": "AABB AABB AABB", "consortium": plans.CONSORTIA, "alliance": "AABB AABB AABB"}


@pytest.fixture(scope="module")
def checker():
    return script()


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return publish(plan(dataset()), tmp_path_factory.mktemp("published"))


@pytest.fixture
def run(published, tmp_path) -> Path:
    return Path(shutil.copytree(published, tmp_path / "run"))


def lower(
    checker, problem, pi, connected: bool = False, charges: Mapping[tuple[int, int, int], float] = EMPTY
) -> float:
    made, most = (
        as_checked(checker, problem, connected),
        problem.units if problem.max_bodies is None else problem.max_bodies,
    )
    stated = {
        "fewest": problem.min_bodies or 0, "most": most,
        "multipliers": dict(enumerate(pi[: problem.units].tolist())),
        "authorities": dict(enumerate(pi[problem.units :].tolist())),
        "triples": [{"practices": three, "charge": charge} for three, charge in charges.items()],
    }  # fmt: skip
    (found,) = checker.lower_bounds(made, [checker.branch_of(made, stated)])
    return found


def test_it_prices_as_the_bound_is_defined(checker):
    """Any rules, any shape of size curve, any multipliers."""
    for core, pi in worlds(1):
        assert lower(checker, core, pi) == pytest.approx(bound_by_definition(core, pi), rel=1e-9)


def test_over_connected_sets_and_charged_triples_it_prices_as_the_bound_is_defined(checker):
    tried = 0
    for n, (core, pi) in enumerate(worlds(2)):
        if core.contiguous and not core.kept_labels:
            tried += 1
            charges = {(0, 1, 2): 150.0, (0, 2, core.units - 1): 40.0} if n % 4 > 1 and core.units > 3 else {}
            sums = np.concatenate(([0.0], np.cumsum(least_values(core, pi, connected=True, charges=charges))))
            most = core.units if core.max_bodies is None else core.max_bodies
            expected = pi.sum() - sum(charges.values()) + sums[core.min_bodies or 0 : most + 1].min()
            assert lower(checker, core, pi, True, charges) == pytest.approx(expected, rel=1e-9)
    assert tried > 50


def test_work_left_undone_only_lowers_the_bound(checker, monkeypatch):
    fell = 0
    for connected in (False, True):
        for core, pi in list(worlds(1))[::3]:
            if connected and core.kept_labels:
                continue
            exact = lower(checker, core, pi, connected)
            with monkeypatch.context() as patch:
                patch.setattr(checker, "SETS", 1)
                found = lower(checker, core, pi, connected)
            assert found <= exact + 1e-9 * abs(exact)
            fell += math.isfinite(exact) and found < exact - 1e-9 * abs(exact)
    assert fell


def test_every_scale_is_said_to_be_within_its_gap(published):
    code, text = verify(published)
    assert code == 0, text
    certificate = json.loads((published / "certificate.json").read_text(encoding="utf-8"))
    for scale in SCALES:
        (percent,) = re.findall(rf"✓ {scale}: within ([\d.]+) % of the best possible", text)
        gap = 100 * certificate["scales"][scale]["gap"]
        assert gap - 1e-3 <= float(percent) <= gap + 2e-3, scale


def raised(x: float) -> float:
    return x + 2e-6 * abs(x)


FAR_APART = {"kind": "frozen", "scale": "consortium", "practices": ["P01", "P12"]}
MADE: dict[str, dict] = {
    "every rate and pin": {},
    "localities over connected sets": {
        "rules": {**RULES, "scale.locality.contiguous": True, "scale.locality.reach_km": 6.0},
        "connected": ["locality"],
    },
    "inside one authority": {"rules": {**RULES, "pins": [], "scale.locality.authority_rule": "inside_one"},
                             "maps": {"locality": "AAAB CCBA CCBB", "consortium": ONE, "alliance": ONE}},
    "whole authorities": {"rules": {**RULES, "pins": [], "scale.alliance.authority_rule": "whole"},
                          "maps": {**MAPS, "alliance": ONE}},
    "numbers of bodies": {"rules": {**RULES, "scale.locality.min_bodies": 3, "scale.locality.max_bodies": 5}},
    "declared links": {"links": ((0, 4), (4, 8), (2, 3), (6, 10)), "maps": HALVES, "rules": {
        **RULES, "pins": [], "scale.locality.reach_km": 5, "scale.locality.max_patients": 80_000}},
    "a frozen body": {  # too small, in two pieces and out of reach, as it may be, and too small for a locality too
        "rules": {**RULES, "pins": [FAR_APART], "scale.consortium.reach_km": 10, "scale.locality.min_patients": 25_000},
        "maps": {"locality": "ABBD CBBD CCDA", "consortium": "ABBB BBBB BBBA", "alliance": ONE}},
    "no force but management": {"rules": {**RULES, "forces_off": ["engagement", "likeness", "distance", "continuity",
                                                                  "authority", "coordination"]}},
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_it_agrees_with_a_bound_found_by_trying_every_set_to_the_last_millionth(name, tmp_path):
    about = {"rules": RULES, "maps": MAPS, **MADE[name]}
    made = plan(replace(dataset(), links=about.pop("links", ())), **about)
    code, text = verify(publish(made, tmp_path / "true"))
    assert code == 0, text
    above = {
        scale: replace(proof, evidence={**proof.evidence, "branches": [
            {**branch, "bound": raised(branch["bound"])} for branch in proof.evidence["branches"]
        ]}) for scale, proof in made.certificates.items()
    }  # fmt: skip
    code, text = verify(publish(replace(made, certificates=above), tmp_path / "raised"))
    branches = sum(len(proof.evidence["branches"]) for proof in above.values())
    assert (code, text.count("priced again: ")) == (8, branches), text


def test_nobody_may_be_added_to_a_frozen_body(tmp_path):
    publish(plan(dataset(), **MADE["a frozen body"]), tmp_path)
    edit("practices.csv", put(1, consortium="consortium-01"))(tmp_path)
    sign(tmp_path)
    code, text = verify(tmp_path, "--no-bounds")
    assert code == 8 and "pin 1 (frozen, consortium) is broken" in text
    assert re.search(r"consortium-01 .* joins practices of a frozen body with others", text)


BRANCH = ("certificate.json", "scales", "consortium", "evidence", "branches", "0")
OTHER, EVIDENCE = (*BRANCH[:-1], "1"), BRANCH[:-2]
FORGED: dict[str, tuple[Callable[[Path], None], str]] = {
    "a branch's bound": (amend(*BRANCH, "bound", to=raised), "consortium, branch 1: the bound is stated .* again"),
    "a multiplier": (amend(*BRANCH, "multipliers", "P05", to=-1e9), "consortium, branch 1: the bound is"),
    "a practice without a multiplier": (
        amend(*BRANCH, "multipliers", to=lambda x: {k: v for k, v in x.items() if k != "P03"}),
        "consortium, branch 1: no multiplier for P03",
    ),
    "a multiplier too many": (amend(*BRANCH, "multipliers", "P99", to=0.0), "for what is no unit: P99"),
    "a multiplier that is nan": (amend(*BRANCH, "multipliers", "P02", to=math.nan), "is no usable number for P02"),
    "a multiplier that is infinite": (amend(*BRANCH, "multipliers", "P02", to=math.inf), "is no usable number for P02"),
    "a multiplier in words": (amend(*BRANCH, "multipliers", "P02", to="1e9"), "is no usable number for P02"),
    "a multiplier so large that pence are lost": (amend(*BRANCH, "multipliers", "P02", to=1e18), "is no usable number"),
    "a whole number too large for any sum": (amend(*BRANCH, "multipliers", "P02", to=10**400), "is no usable number"),
    "more bodies than practices": (amend(*OTHER, "fewest", to=99), "99 to 10 is no range of numbers of bodies"),
    "no multiplier": (amend(*BRANCH, "multipliers", "P02", to=None), "is no usable number for P02"),
    "a bound that is nan": (amend(*BRANCH, "bound", to=math.nan), "branch 1: the bound is no usable number"),
    "a number of bodies left out": (amend(*OTHER, "fewest", to=3), "no branch covers the number of bodies 2"),
    "the first branch left out": (amend(*EVIDENCE, "branches", to=lambda x: x[1:]), "covers the number of bodies 1"),
    "the last branch left out": (amend(*EVIDENCE, "branches", to=lambda x: x[:1]), "covers the number of bodies 2"),
    "no branch at all": (amend(*EVIDENCE, "branches", to=[]), "no branch covers the number of bodies 1"),
    "a range turned round": (amend(*BRANCH, "fewest", to=9), "9 to 1 is no range of numbers of bodies"),
    "a range in halves": (amend(*BRANCH, "most", to=1.5), "1 to 1.5 is no range of numbers of bodies"),
    "a triple of two": (
        amend(*BRANCH, "triples", to=[{"practices": ["P01", "P01", "P04"], "charge": 1.0}]),
        "consortium, branch 1: P01, P04 may not be charged as a triple",
    ),
    "another relaxation": (amend(*EVIDENCE, "relaxation", to="none"), "consortium: the relaxation 'none' is not known"),
    "touching where none is asked for": (
        amend("certificate.json", "scales", "locality", "evidence", "relaxation", to="connected sets"),
        "locality: the bound is for bodies whose members touch, which is no rule here",
    ),
}  # fmt: skip


TRIPLES: dict[str, tuple[list[str], object, str]] = {
    "a charge below zero": (["P01", "P03", "P04"], -5.0, "the charge on P01, P03, P04 is no usable number"),
    "a charge that is infinite": (["P01", "P03", "P04"], math.inf, "the charge on P01, P03, P04 is no usable number"),
    "two practices": (["P01", "P03"], 5.0, "P01, P03 may not be charged as a triple"),
    "a practice twice": (["P01", "P03", "P03"], 5.0, "P01, P03 may not be charged as a triple"),
    "four practices": (["P01", "P03", "P04", "P05"], 5.0, "P01, P03, P04, P05 may not be charged as a triple"),
    "a practice that names no unit": (["P01", "P02", "P06"], 5.0, "P01, P02, P06 may not be charged as a triple"),
}


@pytest.mark.parametrize("name", TRIPLES)
def test_only_triples_of_units_may_be_charged_and_never_less_than_nothing(name, tmp_path):
    practices, charge, message = TRIPLES[name]
    publish(plan(dataset(), **MADE["localities over connected sets"]), tmp_path)
    branch = ("certificate.json", "scales", "locality", "evidence", "branches", "1", "triples")
    amend(*branch, to=lambda x: [*x, {"practices": practices, "charge": charge}])(tmp_path)
    sign(tmp_path)
    code, text = verify(tmp_path, "--scale", "locality")
    assert code == 8 and f"locality, branch 2: {message}" in text, text


@pytest.mark.parametrize("name", FORGED)
def test_forged_evidence_is_refused_in_one_plain_line(run, name):
    change, message = FORGED[name]
    change(run)
    sign(run)
    code, text = verify(run)
    assert code == 8, text
    assert re.search(message, text), text
    assert text.startswith("NOT verified: 1 problem in"), text


def test_a_bound_raised_everywhere_it_is_stated_is_refused_still(run):
    """Scale, total, gaps, certificate and summary all agree with one another: only pricing shows it."""
    certificate = json.loads((run / "certificate.json").read_text(encoding="utf-8"))
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    parts = [*certificate["scales"].values(), certificate["placement"]]
    proof = certificate["scales"]["consortium"]
    proof["bound"] = 0.5 * (proof["bound"] + proof["objective"])
    certificate["bound"] = summary["bound"] = sum(part["bound"] for part in parts)
    for held, prefix in ((parts, ""), (parts[:-1], "structure_")):
        cost, lost = (sum(part[key] for part in held) for key in ("objective", "unavoidable"))
        above = cost - sum(part["bound"] for part in held)
        summary[prefix + "gap"], summary[prefix + "gap_avoidable"] = above / cost, above / (cost - lost)
    above = proof["objective"] - proof["bound"]
    proof["gap"], proof["gap_avoidable"] = (
        above / proof["objective"],
        above / (proof["objective"] - proof["unavoidable"]),
    )
    summary["scales"]["consortium"].update({key: proof[key] for key in ("bound", "gap", "gap_avoidable")})
    for name, document in (("certificate.json", certificate), ("summary.json", summary)):
        (run / name).write_text(json.dumps(document), encoding="utf-8")
    sign(run)
    code, text = verify(run)
    assert (code, text.splitlines()[0][:24]) == (8, "NOT verified: 1 problem "), text
    assert re.search(r"consortium: the bound is stated as [\d,.]+, priced again: ", text)
    code, text = verify(run, "--no-bounds")
    assert code == 0 and "that the bounds of these scales hold: locality, consortium, alliance" in text


def test_a_cheaper_place_lowers_the_bound(run):
    """P12 is moved beside P11: what the multipliers proved no longer holds."""
    edit("attributes.csv", put(11, easting="370000.0"))(run)
    sign(run)
    code, text = verify(run)
    assert code == 8 and re.search(r"locality, branch 2: the bound is stated as .* priced again", text), text


def test_one_scale_may_be_priced_alone(run):
    amend(*BRANCH, "bound", to=raised)(run)
    sign(run)
    code, text = verify(run, "--scale", "locality")
    assert code == 0 and "✓ locality: within" in text and "✓ consortium: within" not in text
    assert "that the bounds of these scales hold: consortium, alliance" in text
    assert verify(run, "--scale", "consortium")[0] == 8
    assert verify(run, "--scale", "parish")[0] == 2


def test_several_processors_say_the_same(tmp_path):
    """520 practices on a grid, localities of four in a row; the multipliers are the cheapest size per head."""
    base, scenario = plans.dataset(), load_scenario("base", {"scales_used": ["locality"], "scale.locality.reach_km": 9})
    people = tuple(
        Practice(f"Q{i:03d}", f"Surgery {i}", 8_000 + 37 * (i % 11), 2e3 * (i % 26), 2e3 * (i // 26), "L", "U")
        for i in range(520)
    )
    nobody = np.empty((0, 2), np.int32)
    data = replace(base, practices=people, relationships=(), flows=base.flows.none(), adjacency=nobody)
    built = assemble(data, scenario, {"locality": np.arange(520) // 26 * 7 + np.arange(520) % 26 // 4})
    terms = structure_terms(data, scenario, built)
    problem, cost = scale_problem(data, scenario, scenario.scale("locality")).problem, sum(terms["locality"].values())
    pi = problem.weights * problem.cheapest_per_head()
    branch = {"fewest": 1, "most": 520, "bound": float(pi.sum()),
              "multipliers": {p.code: x for p, x in zip(people, pi.tolist(), strict=True)}}  # fmt: skip
    evidence = {"un_nested_objective": cost, "relaxation": "sets", "branches": [branch]}
    proof = Certificate("locality", cost, float(pi.sum()), problem.unavoidable(), "", "feasible", evidence)
    made = plans.plan(dataset=data, scenario=scenario, structure=built, placement=None, structure_terms=terms,
                      certificates={"locality": proof}, scorecard=plans.scorecard(built.bodies), baseline=None,
                      price_of_nesting=0.0, nesting_interval=(0.0, 0.0), sensitivity=())  # fmt: skip
    publish(made, tmp_path)
    alone, together = verify(tmp_path, "--processes", "1"), verify(tmp_path, "--processes", "2")
    assert alone[0] == 0, alone[1]
    assert alone == together
