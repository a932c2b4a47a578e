"""The independent check of bounds over sets that touch: it believes no separator that does not part, and no charge."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimiser.hierarchy import _charged
from optimiser.partition.bound import price, pricing
from optimiser.partition.branches import Branch
from optimiser.partition.lines import Line
from optimiser.partition.oversize import set_aside
from optimiser.partition.problem import PartitionProblem
from optimiser.partition.state import flatten
from optimiser.scenario import load_scenario
from optimiser.units import scale_problem
from tests.bound_worlds import with_charges
from tests.checked import MAPS, RULES, amend, dataset, least_values, plan, publish, sign, verify
from tests.checked_worlds import as_checked, script, worlds
from tests.test_partition_separators import parts

TOUCHING = {
    **RULES,
    "scale.locality.contiguous": True,
    "scale.locality.reach_km": 6.0,
    "scale.consortium.contiguous": False,
}
EVIDENCE = ("certificate.json", "scales", "locality", "evidence")
BRANCH = (*EVIDENCE, "branches", "0")


def held_together():
    """A plan whose localities must touch, with a bound that rests on separators: charges as the optimiser finds them,
    the bound by trying every set with them."""
    data, scenario = dataset(), load_scenario("base", TOUCHING)
    made = plan(data, TOUCHING, MAPS)
    whole = scale_problem(data, scenario, scenario.scale("locality"))
    core, fixed, restore = set_aside(whole.problem)
    assert core is not None
    pi = core.weights * core.cheapest_per_head() * np.random.default_rng(82).uniform(0.5, 1.6, core.units).round(1)
    charges = price(pricing(core, flatten(core).curve), pi, 0.0).lines()
    lower = float(pi.sum() + np.cumsum(least_values(with_charges(core, charges), pi)).min())
    names = [data.practices[whole.first[u]].code for u in restore.kept]
    branch = {"fewest": 1, "most": core.units, "bound": lower,
              "multipliers": dict(zip(names, pi.tolist(), strict=True)),
              **_charged(data, whole, restore.kept, Branch(1, core.units, pi, lower, lines=charges))}  # fmt: skip
    proof = made.certificates["locality"]
    evidence = {**proof.evidence, "relaxation": "touching sets", "branches": [branch]}
    proof = replace(proof, bound=fixed + lower, evidence=evidence)
    return replace(made, certificates={**made.certificates, "locality": proof})


@pytest.fixture(scope="module")
def checker():
    return script()


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return publish(held_together(), tmp_path_factory.mktemp("published"))


def separators(published: Path) -> list[dict]:
    certificate = json.loads((published / "certificate.json").read_text(encoding="utf-8"))
    return certificate["scales"]["locality"]["evidence"]["branches"][0]["separators"]


def test_a_true_certificate_over_touching_sets_is_verified(published):
    assert separators(published)
    code, text = verify(published)
    assert code == 0, text
    assert "✓ locality: within" in text


def put_first(**values) -> Callable[[list[dict]], list[dict]]:
    return lambda all_: [{**all_[0], **values}, *all_[1:]]


def change_all(**values) -> Callable[[list[dict]], list[dict]]:
    return lambda all_: [{**due, **values} for due in all_]


AGAIN = "locality, branch 1: the bound is stated as .* priced again: "
NOT_ALLOWED = "locality, branch 1: .* may not be charged for "
NO_NUMBER = "locality, branch 1: the charge on P.. for P.. is no usable number"
FORGED: dict[str, tuple[tuple, object, str]] = {
    "a bound too high": ((*BRANCH, "bound"), lambda x: x + 2e-6 * abs(x), AGAIN),
    "no separator": ((*BRANCH, "separators"), [], AGAIN),
    "charges too high": ((*BRANCH, "separators"), change_all(charge=1e9), AGAIN),
    "charges of nothing": ((*BRANCH, "separators"), change_all(charge=0.0), AGAIN),
    "separators of nobody, which part nothing": ((*BRANCH, "separators"), change_all(without=[]), AGAIN),
    "a unit that is none": ((*BRANCH, "separators"), put_first(unit="P99"), NOT_ALLOWED),
    "a separator of what is no unit": ((*BRANCH, "separators"), put_first(without=["P99"]), NOT_ALLOWED),
    "a centre that is none": ((*BRANCH, "separators"), put_first(centre="P99"), NOT_ALLOWED + "P99"),
    "a charge below zero": ((*BRANCH, "separators"), put_first(charge=-1.0), NO_NUMBER),
    "a charge that is infinite": ((*BRANCH, "separators"), put_first(charge=math.inf), NO_NUMBER),
    "a charge that is nan": ((*BRANCH, "separators"), put_first(charge=math.nan), NO_NUMBER),
    "a charge in words": ((*BRANCH, "separators"), put_first(charge="5.0"), NO_NUMBER),
    "separators where any set will do": ((*EVIDENCE, "relaxation"), "sets", NOT_ALLOWED),
    "separators where every set is met": ((*EVIDENCE, "relaxation"), "connected sets", NOT_ALLOWED),
    "touching where none is asked for": (
        ("certificate.json", "scales", "consortium", "evidence", "relaxation"), "touching sets",
        "consortium: the bound is for bodies whose members touch, which is no rule here",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_forged_separators_are_refused(name, published, tmp_path):
    keys, to, message = FORGED[name]

    run = Path(shutil.copytree(published, tmp_path / "run"))
    amend(*keys, to=to)(run)
    if name.startswith("separators where"):
        amend(*BRANCH, "separators", to=lambda all_: all_[:1])(run)
    sign(run)
    code, text = verify(run)
    assert code == 8, text
    assert text.startswith("NOT verified: 1 problem in"), text
    assert re.search(message, text), text


# --- priced as defined -----------------------------------------------------------------------------------------------


def light(core: PartitionProblem, centre: int) -> PartitionProblem:
    """Without what is too heavy for any body of the centre."""
    own = int(core.owner[centre])
    heavy = (core.weights > core.hi - core.weights[own]) & (np.arange(core.units) != own)
    costs = core.costs.copy()
    costs[heavy, centre] = np.inf
    return replace(core, costs=costs)


def lower(checker, core: PartitionProblem, pi, charges: list[Line]) -> float:
    made = as_checked(checker, core, connected=False)
    most = core.units if core.max_bodies is None else core.max_bodies
    due = [{"centre": c.centre, "unit": c.units[0], "without": list(c.held), "charge": c.charge} for c in charges]
    stated = {"fewest": core.min_bodies or 0, "most": most, "multipliers": dict(enumerate(pi[: core.units])),
              "authorities": dict(enumerate(pi[core.units :])), "separators": due}  # fmt: skip
    (found,) = checker.lower_bounds(made, [checker.branch_of(made, stated)])
    return found


def by_definition(core: PartitionProblem, pi, charges: list[Line]) -> float:
    """The bound by trying every set, with the charges that count: those whose units part the one from the other."""
    counted = [due for due in charges if parts(light(core, due.centre), due)]
    sums = np.concatenate(([0.0], np.cumsum(least_values(with_charges(core, counted), pi))))
    most = core.units if core.max_bodies is None else core.max_bodies
    return float(core.in_range(pi).sum() + sums[core.min_bodies or 0 : most + 1].min())


def test_separators_are_priced_as_the_bound_is_defined_and_those_that_part_nothing_are_left_out(checker):
    """Charges found by the optimiser, and any others, large enough to change which sizes of bodies matter."""
    rng = np.random.default_rng(1)
    found = left_out = moved = 0
    for core, start in worlds(2):
        if not core.contiguous:
            continue
        priced = price(pricing(core, flatten(core).curve), start, 0.0).lines()
        found += len(priced)
        anything = [
            Line(
                int(rng.integers(len(core.owner))),
                (int(u),),
                tuple(map(int, rest[:many])),
                float(rng.uniform(0, 1_500)),
                -1,
            )
            for u, *rest in (rng.permutation(core.units) for _ in range(12))
            if (many := int(rng.integers(1, 4)))
        ]
        left_out += sum(not parts(light(core, due.centre), due) for due in anything)
        nothing = np.zeros(core.multipliers)  # whatever is below zero then is so by charges alone
        for pi, charges in (
            (start, list(priced)),
            (start, anything),
            (start, [*priced, *anything]),
            (nothing, anything),
        ):
            expected = by_definition(core, pi, charges)
            assert lower(checker, core, pi, charges) == pytest.approx(expected, rel=1e-9)
            moved += abs(expected - by_definition(core, pi, [])) > 1.0
    assert found > 50
    assert left_out > 500
    assert moved > 100
