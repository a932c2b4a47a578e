"""Runs whose every figure is true, made without the engine's search, and what it takes to tamper with them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from geodata.write import write_csv, write_documents, write_json, write_tables, write_verification
from optimiser.domain import Certificate, Relationship
from optimiser.forces import PairCharges, structure_terms
from optimiser.given import centre_of
from optimiser.partition.oversize import set_aside
from optimiser.runs import digest, write_manifest
from optimiser.scenario import load_scenario
from optimiser.scorecard import existing_structure, score
from optimiser.units import scale_problem
from tests import plans
from tests.bound_worlds import spared
from tests.oracle import in_one_piece

SCRIPT = Path(__file__).parents[1] / "scripts" / "verify_plan.py"
PINS = [
    {"kind": "together", "scale": "locality", "practices": ["P02", "P06"]},
    {"kind": "apart", "scale": "consortium", "practices": ["P01", "P04"]},
    {"kind": "fixed", "scale": "consortium", "practices": ["P05"], "with": "P10"},
    {"kind": "forbidden", "scale": "consortium", "practices": ["P01"], "body": "5QB"},
]
RULES = {
    "scales_used": ["locality", "consortium", "alliance"],
    "scale.alliance.min_patients": 60_000,
    "scale.alliance.min_members": 1,
    "scale.alliance.authority_tier": "lower",
    "scale.locality.reach_km": 12,
    "rates.coordination.value": {"alliance": 4.0, "consortium": 1.0},
    "engagement.power": 1.3,
    "pins": PINS,
}
MAPS = {"locality": plans.LOCALITIES, "consortium": plans.CONSORTIA, "alliance": "AABB AABB AABB"}
EMPTY: Mapping[tuple[int, int, int], float] = MappingProxyType({})
OUT_OF_REACH = 1e15  # £: stands for infinity where a set that holds it must not matter


def dataset():
    """Every force has something to do: P03 and P08 lie in the east under western councils, wishes go both ways."""
    data = plans.dataset()
    practices = tuple(
        replace(
            p,
            pct_65plus=None if i == 7 else 15.0 + i % 5,
            upper_authority="U1" if i in (2, 7) else p.upper_authority,
            lower_authority="L1" if i in (2, 7) else p.lower_authority,
        )
        for i, p in enumerate(data.practices)
    )
    said = (
        Relationship("P01", "P06", 0.4, False), Relationship("P06", "P01", 0.9, False),
        Relationship("P02", "P06", -0.7, False), Relationship("P04", "P03", -1.0, True),
    )  # fmt: skip
    return replace(data, practices=practices, relationships=said)


def centred(data, scenario, scale: str, bodies):
    """Bodies with a centre that may be one."""
    charges = PairCharges(data, scenario, scenario.scale(scale))
    for body in bodies:
        if not charges.may_be_centre[body.centre]:
            centre = centre_of(charges, np.array(body.members), data.patients)
            body = replace(body, centre=centre, home_authority=data.practices[centre].upper_authority)
        yield body


def plan(data, rules=RULES, maps=MAPS, connected: Sequence[str] = ()):
    """A plan whose figures are true: structure priced by the optimiser's own forces, services by made-up rows, bounds
    by trying every set of units. connected: scales whose bound is over connected sets."""
    scenario = load_scenario("base", rules)
    built = plans.structure(data, maps)
    limits = {s.name: s.max_patients or np.inf for s in scenario.scales}
    held = {s: bool(scenario.around(s)[1:]) for s in built.scales}
    bodies = {
        s: tuple(
            replace(b, oversize=b.patients > limits[s], parent=b.parent if held[s] else "")
            for b in centred(data, scenario, s, found)
        )
        for s, found in built.bodies.items()
    }
    built = replace(built, bodies=bodies)
    by_scale = structure_terms(data, scenario, built)
    placed = plans.placement(data, built)
    codes = [body.code for body in built.bodies["consortium"]]
    here = {c.consortium: c.consortium if c.consortium in codes else codes[0] for c in placed.commissions}
    commissions = tuple(
        replace(c, consortium=here[c.consortium], terms={**c.terms, "insurance": 250_000.0}) for c in placed.commissions
    )
    functions = tuple(replace(f, consortium=here.get(f.consortium, codes[0])) for f in placed.functions)
    placed = replace(placed, functions=functions)
    rows = {**placed.terms, "insurance": 250_000.0 * len(commissions)}
    instead = {"leverage": by_scale["alliance"]["leverage"], "insurance": by_scale["consortium"]["insurance"]}
    terms = {force: pounds - instead.get(force, 0.0) for force, pounds in rows.items()}
    cost = sum(terms.values())
    back = -sum(instead.values())
    proof = Certificate("placement", cost, cost - 1_000.0, 0.0, "integer programme", "feasible", refunds=back)
    placed = replace(placed, commissions=commissions, terms=terms, certificate=proof)
    today = existing_structure(data, scenario)
    return plans.plan(
        dataset=data,
        scenario=scenario,
        structure=built,
        placement=placed,
        structure_terms=by_scale,
        certificates={
            scale: certificate(data, scenario, scale, sum(terms.values()), scale in connected)
            for scale, terms in by_scale.items()
        },
        scorecard=score(data, scenario, built, placed),
        baseline=score(data, scenario, today) if today else None,
    )


def certificate(data, scenario, scale: str, objective: float, connected: bool = False) -> Certificate:
    """A proof with two branches, one body and more, at multipliers somewhat above the cheapest size per head."""
    whole = scale_problem(data, scenario, scenario.scale(scale))
    core, fixed, restore = set_aside(whole.problem)
    evidence = {
        "un_nested_objective": objective,
        "relaxation": "connected sets" if connected else "sets",
        "branches": [],
    }
    if core is not None:
        pi = core.weights * core.cheapest_per_head() * np.linspace(1.0, 1.1, core.units)
        charges = {(0, 1, 2): 900.0, (1, 3, core.units - 1): 2_500.0} if connected else {}
        least = least_values(core, pi, connected, charges)
        names = [data.practices[whole.first[u]].code for u in restore.kept]
        cuts = sorted({0, 1, core.units})
        evidence["branches"] = [
            {
                "fewest": a + 1,
                "most": b,
                "bound": float(pi.sum() - sum(charges.values()) + np.cumsum(least)[a:b].min()),
                "multipliers": dict(zip(names, pi.tolist(), strict=True)),
            }
            | (
                {
                    "triples": [
                        {"practices": [names[u] for u in three], "charge": charge} for three, charge in charges.items()
                    ]
                }
                if charges
                else {}
            )
            for a, b in pairwise(cuts)
        ]
    bound = fixed + min((b["bound"] for b in evidence["branches"]), default=0.0)
    return Certificate(scale, objective, bound, whole.problem.unavoidable(), "every set tried", "feasible", evidence)


def least_values(
    problem, pi: NDArray[np.float64], connected: bool = False, charges: Mapping[tuple[int, int, int], float] = EMPTY
) -> NDArray[np.float64]:
    """r of every unit, ascending, by trying every set of at most twelve units with every centre. pi: by unit, and by
    label where it has more. charges: £ by three units, due where a set holds two of them."""
    n = problem.units
    assert n <= 12, "too many units to enumerate"
    sets = (np.arange(1, 2**n)[:, None] >> np.arange(n)) & 1 > 0
    patients = sets @ problem.weights
    allowed = (patients >= problem.lo) & (patients <= problem.hi)
    if connected:
        allowed &= np.array([in_one_piece(problem, tuple(np.flatnonzero(s))) for s in sets])
    sets, size = sets[allowed], problem.size_cost(patients[allowed])
    for three, charge in charges.items():
        size = size + charge * (sets[:, list(three)].sum(axis=1) >= 2)
    if len(pi) > n:
        size = size + spared(problem, sets, pi)
    least = np.full(n, np.inf)
    for j, owner in enumerate(problem.owner):
        value = sets @ (np.minimum(problem.costs[:, j], OUT_OF_REACH) - pi[:n]) + size
        mine = value[sets[:, owner] & (value < OUT_OF_REACH / 2)]
        least[owner] = min(least[owner], mine.min(initial=np.inf))
    return np.sort(least)


def publish(made, folder: Path) -> Path:
    """The text files of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    for step in (write_tables, write_documents, write_verification):
        step(made, folder)
    write_manifest(folder, inputs=made.dataset.sources, seed=1, options={}, solver={})
    return folder


def verify(folder: Path, *options: str) -> tuple[int, str]:
    """Exit code and all that it printed. Isolated (-I) and without site packages (-S): the standard library alone."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), str(folder), *options],
        capture_output=True, text=True, encoding="utf-8", env={"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"},
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def sign(folder: Path) -> None:
    """Write the hashes anew, as one who tampers would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["outputs"] = {name: digest(folder / name) for name in manifest["outputs"]}
    write_json(path, manifest)


def edit(name: str, change: Callable[[list[dict[str, str]]], object]) -> Callable[[Path], None]:
    """Change the rows of a CSV of a run."""

    def apply(folder: Path) -> None:
        with (folder / name).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        change(rows)
        write_csv(folder / name, list(rows[0]), (list(row.values()) for row in rows))

    return apply


def amend(name: str, *keys: str, to: object) -> Callable[[Path], None]:
    """Change one value of a JSON file of a run, to what is no number if need be; `to` may be a function of what stands
    there."""

    def apply(folder: Path) -> None:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        place = document
        for key in keys[:-1]:
            place = place[int(key)] if isinstance(place, list) else place[key]
        place[keys[-1]] = to(place[keys[-1]]) if callable(to) else to
        (folder / name).write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    return apply


def put(row: int, **values: str) -> Callable[[list[dict[str, str]]], object]:
    """Set values of one row."""
    return lambda rows: rows[row].update(values)
