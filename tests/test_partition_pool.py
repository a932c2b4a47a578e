"""The pool refuses bodies that break a rule; over a full pool the programme is exact, and it reads as written here."""

from __future__ import annotations

import ast
import inspect
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from optimiser import highs
from optimiser.clock import Clock
from optimiser.partition import pool
from optimiser.partition.problem import PartitionProblem, SplitCharge
from tests import oracle
from tests.partition_worlds import random_problem

pytestmark = pytest.mark.usefixtures("one_thread")
GOLDEN = Path(__file__).parent / "golden"
BODIES = [(0,), (0, 1), (1, 2), (2,)]
COSTS = [10.0, 15.0, 14.0, 11.0]


def three(**more) -> PartitionProblem:
    """Three units in a row of 20 patients each, who may form bodies of 20 to 40."""
    fields = {
        "name": "consortium",
        "labels": ("a", "b", "c"),
        "weights": np.array([20, 20, 20]),
        "owner": np.arange(3, dtype=np.int32),
        "costs": np.abs(np.arange(3)[:, None] - np.arange(3)[None, :]).astype(float),
        "curve": lambda p: np.full(np.shape(p), 10.0),
        "lo": 20,
        "hi": 40,
        "edges": np.array([(0, 1), (1, 2)], dtype=np.int32),
        "contiguous": True,
    }
    return PartitionProblem(**{**fields, **more})


def offered(problem: PartitionProblem, *bodies) -> list:
    made = pool.Pool(problem)
    made.add(bodies)
    return made.columns(None, np.inf, 100, [])[0]


@pytest.mark.parametrize(
    ("rule", "body"),
    [
        ({}, (0, 1, 2)),
        ({"lo": 30}, (1,)),
        ({}, (0, 2)),
        ({"apart": ((0, 1),)}, (0, 1)),
        ({"costs": np.where(np.eye(3) > 0, 0.0, np.inf)}, (0, 1)),
    ],
    ids=["too large", "too small", "in two pieces", "kept apart", "out of reach"],
)
def test_a_body_that_breaks_a_rule_is_refused(rule, body):
    problem = three(**rule)
    assert oracle.broken_by_body(problem, body)
    good = (1, 2) if "costs" not in rule else (2,)
    assert offered(problem, body, good, body) == [good]


def test_bodies_are_kept_once_with_the_oracles_costs():
    problem = random_problem((700, 1), contiguous=True, apart=True, several_centres=True)
    made = pool.Pool(problem)
    made.add_every_body()
    made.add_every_body()
    bodies, costs = made.columns(None, np.inf, 1_000, [])
    assert bodies == sorted(oracle.allowed_bodies(problem)) and len(made) == len(bodies)
    assert costs == pytest.approx([oracle.body_cost(problem, b) for b in bodies])


def test_columns_are_the_cheapest_under_the_multipliers_and_those_to_keep():
    made = pool.Pool(three())
    made.add(BODIES)
    pi = np.array([10.0, 0.0, 3.0])
    assert made.columns(pi, 9.0, 2, [(1, 2)])[0] == [(0,), (0, 1), (1, 2)]
    assert made.columns(pi, 0.5, 2, [(1, 2)])[0] == [(0,), (1, 2)]


def test_recombining_every_body_is_the_oracles_answer():
    exact = impossible = 0
    for k in range(48):
        rules = dict(zip(("contiguous", "apart", "counts", "splits"), (k & 1, k & 2, k & 4, k & 8), strict=True))
        problem = random_problem((701, k), units=7, **{name: bool(on) for name, on in rules.items()})
        least, answer = oracle.best(problem)
        made = pool.Pool(problem)
        made.add_every_body()
        found = pool.recombine(problem, *made.columns(None, np.inf, 10_000, []), Clock(10))
        if answer is None:
            assert found is None
            impossible += 1
        else:
            assert found is not None
            bodies = oracle.as_bodies(found)
            assert not oracle.broken_by(problem, bodies)
            assert oracle.cost(problem, bodies) == pytest.approx(least, rel=1e-5)
            exact += 1
    assert exact >= 30 and impossible >= 1


def test_columns_hold_no_more_memberships_than_the_programme_can_weigh(monkeypatch):
    monkeypatch.setattr(pool, "MEMBERSHIPS", 3)
    made = pool.Pool(three())
    made.add(BODIES)
    kept = [(0,), (1, 2)]
    bodies, _ = made.columns(np.zeros(3), np.inf, 100, kept)
    assert set(kept) <= set(bodies)
    assert 0 < sum(len(m) for m in bodies if m not in kept) <= 3


def test_the_programme_begins_with_the_partition_it_is_given(monkeypatch):
    begun = []
    monkeypatch.setattr(highs, "run", lambda model, clock: begun.append(list(model.getSolution().col_value)))
    pool.recombine(three(), BODIES, COSTS, Clock(5), known=[(0, 1), (2,)])
    assert begun == [[0.0, 1.0, 0.0, 1.0]]


def test_recombining_bodies_that_leave_a_unit_out_gives_nothing():
    assert pool.recombine(three(), [(0, 1)], [11.0], Clock(5)) is None


# --- the programme, read as text -------------------------------------------------------------------------------------

COUNCILS = SplitCharge(2.0, np.array([[20.0, 0.0], [5.0, 15.0], [0.0, 20.0]]), ("A", "B"))
FAMILIES = {
    "once": {},
    "keeps": {"splits": COUNCILS},
    "one_keeper": {"splits": COUNCILS},
    "fewest": {"min_bodies": 2},
    "most": {"max_bodies": 2},
}


def written(rule: dict, folder: Path) -> str:
    path = folder / "model.lp"
    pool.model(three(**rule), BODIES, COSTS).writeLP(str(path))
    return path.read_text()


def family_text(family: str, lp: str) -> str:
    """The objective and the rows of one family, in the words of an LP file."""
    objective, rest = lp.split("Subject To\n")
    rows = re.split(r"\n(?=\w+:)", rest.split("\nBounds")[0].split("\nBinaries")[0])
    own = [row for row in rows if re.fullmatch(rf"{family}(_\d+)*", row.split(":")[0])]
    return "\n".join([objective.strip(), "Subject To", *own]) + "\n"


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_of_constraints_reads_as_its_golden_file(family, tmp_path):
    assert family_text(family, written(FAMILIES[family], tmp_path)) == (GOLDEN / f"pool_{family}.lp").read_text()


def test_no_family_of_constraints_is_without_a_golden_file():
    """Names of constraints as the source writes them, up to their first number."""
    tree = ast.parse(inspect.getsource(pool.model))
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.value, ast.Tuple):
            name = node.value.elts[1]
            text = name.values[0].value if isinstance(name, ast.JoinedStr) else name.value
            named.add(text.rstrip("_"))
    assert named == set(FAMILIES) == {path.stem.removeprefix("pool_") for path in GOLDEN.glob("pool_*.lp")}


def test_rows_of_a_model_all_belong_to_a_named_family(tmp_path):
    everything = {"splits": COUNCILS, "min_bodies": 1, "max_bodies": 3}
    names = pool.model(three(**everything), BODIES, COSTS).constraints
    assert {re.sub(r"(_\d+)+$", "", name) for name in names} == set(FAMILIES)


def test_the_charge_for_splits_is_part_of_the_programmes_objective():
    """{a, b} {c}: the second council keeps c's 20 and loses b's 15; £2 each."""
    problem = replace(three(), splits=COUNCILS)
    found = pool.recombine(problem, [(0, 1), (2,)], [11.0, 10.0], Clock(5))
    assert found is not None and found.tolist() == [0, 0, 1]
    assert problem.split_costs(found).sum() == oracle.split_cost(problem, [(0, 1), (2,)]) == 30.0
