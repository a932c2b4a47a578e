"""A centre's best body against trying every set: exact where it says so, below everywhere, whatever the size curve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numba
import numpy as np
import pytest

from optimiser.partition.bound import SLOTS, Priced, price
from optimiser.partition.problem import PartitionProblem
from tests.bound_worlds import below, least_by_trying, some_multipliers, some_triples, tables_of, value_of, worlds
from tests.connected_worlds import grid

INF = np.inf
NEAR = 2e-6  # £: the tolerance of pricing, and rounding


def assert_exact(core: PartitionProblem, found: Priced, pi, where: object = None) -> None:
    """Every least is the least of every set, and the body that comes with it costs that much."""
    expected = least_by_trying(core, pi)
    assert found.least == pytest.approx(expected, rel=1e-9, abs=NEAR), where
    for j in np.flatnonzero(np.isfinite(expected)):
        assert value_of(core, j, found.body(j), pi) == pytest.approx(found.least[j], rel=1e-9, abs=NEAR), where
    for j in np.flatnonzero(np.isinf(expected)):
        assert not len(found.body(j)), where


# --- random worlds ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_thread")
def test_every_best_body_is_the_cheapest_set_that_its_centre_can_reach():
    rng = np.random.default_rng(1)
    none = 0
    for k, w in worlds():
        for pi in some_multipliers(w.core, w.best, rng):
            found = price(w.tables, pi)
            assert_exact(w.core, found, pi, k)
            assert found.lines() == (), "nothing is charged where no value is aimed at"
            none += int(np.isinf(found.least).sum())
    assert none > 100, "some units should be too far from enough patients to be a centre"


@pytest.mark.usefixtures("one_thread")
def test_few_nodes_cost_tightness_and_never_truth():
    rng = np.random.default_rng(2)
    priced = loose = 0
    for k, w in worlds(1, 2):
        for pi in some_multipliers(w.core, w.best, rng):
            expected = least_by_trying(w.core, pi)
            for nodes in (1, 3, 9):
                least = price(w.tables, pi, nodes=nodes).least
                assert below(least, expected), (k, nodes)
                priced, loose = priced + len(least), loose + int((least < expected - 1.0).sum())
    assert priced / 10 < loose < priced, "a search that never runs short, or always does, tests nothing"


@pytest.mark.usefixtures("one_thread")
def test_what_is_no_cheaper_than_the_cut_is_bounded_by_the_cut():
    rng = np.random.default_rng(3)
    cut_short = 0
    for k, w in worlds(0, 2):
        if w.core.contiguous:
            continue
        for pi in some_multipliers(w.core, w.best, rng):
            expected = least_by_trying(w.core, pi)
            middle = np.median(expected[np.isfinite(expected)]) if np.isfinite(expected).any() else 0.0
            for cut in (0.0, float(middle), -1_000.0):
                least = price(w.tables, pi, cut).least
                assert (least >= np.minimum(cut, expected) - NEAR).all(), (k, cut)
                cheap = expected < cut
                assert least[cheap] == pytest.approx(expected[cheap], rel=1e-9, abs=NEAR), (k, cut)
                cut_short += int((least < expected - 1.0).sum())
    assert cut_short > 1_000, "a cut that spares no search tests nothing"


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(("cuts", "tolerance"), [((0.0, 40.0, -450.0), 1e-6), ((INF,), 50.0)])
def test_no_cut_and_no_tolerance_lift_a_least_above_every_set(cuts, tolerance):
    rng = np.random.default_rng(4)
    above = [
        (k, cut)
        for k, w in worlds()
        for pi in some_multipliers(w.core, w.best, rng)
        for cut in cuts
        if not below(price(w.tables, pi, cut, tolerance).least, least_by_trying(w.core, pi, w.core.contiguous) + 1e-6)
    ]
    assert not above


@pytest.mark.usefixtures("one_thread")
def test_units_without_patients_join_where_they_are_worth_it():
    rng = np.random.default_rng(5)
    joined = stayed = 0
    for k, w in worlds(3, 4):
        weights = w.core.weights.copy()
        empty = rng.choice(w.core.units, size=min(w.core.units, int(rng.integers(1, 3))), replace=False)
        weights[empty] = 0
        core = replace(w.core, weights=weights)
        pi = rng.normal(60, 60, core.multipliers)
        found = price(tables_of(core), pi)
        assert_exact(core, found, pi, k)
        some = np.flatnonzero(np.isfinite(found.least) & ~np.isin(core.owner, empty))
        held = [len(np.intersect1d(found.body(j), empty)) for j in some]
        joined, stayed = joined + np.count_nonzero(held), stayed + held.count(0)
    assert min(joined, stayed) > 100


# --- size curves of every shape --------------------------------------------------------------------------------------

SHAPES: dict[str, Callable[[np.random.Generator, int], Callable]] = {
    "a dip at the size of one body": lambda rng, at: lambda p: 30_000 + 2.0 * p - 25_000 * (p == at),
    "a ridge at the size of one body": lambda rng, at: lambda p: 30_000 + 2.0 * p + 25_000 * (p == at),
    "stairs, with one deep step down": lambda rng, at: lambda p: 9_000 * np.ceil(p / 5_000) - 14_000 * (p >= at),
    "teeth that rise and fall at once": lambda rng, at: lambda p: 20_000 + 15.0 * (p % 997),
    "waves of a few slots": lambda rng, at: _waves(float(rng.integers(30, 3_000))),
    "another cost at every size": lambda rng, at: lambda p: _hash(p) * 30_000,
    "economies of scale alone": lambda rng, at: lambda p: 300 * np.sqrt(p),
    "falling": lambda rng, at: lambda p: 500_000 - 0.1 * p,
}


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("thousands", [20, 60])
def test_a_size_curve_of_any_shape_is_taken_to_the_patient(shape, thousands):
    rng = np.random.default_rng(7)
    loose = 0
    for window in ("wide", "narrow", "any", "brim") * 3:
        core = heavy(rng, shape, thousands, window)
        tables, fair = tables_of(core), core.weights * core.cheapest_per_head()
        assert tables.width > 20, "slots of a few patients test nothing"
        for pi in (fair, fair * rng.uniform(0.5, 1.8, core.multipliers), rng.normal(0, 40_000, core.multipliers)):
            found = price(tables, pi)
            assert_exact(core, found, pi, window)
            least = price(tables, pi, nodes=2).least
            assert below(least, found.least), window
            loose += int((least < found.least - 1.0).sum())
    assert loose > 20


def heavy(rng: np.random.Generator, shape: str, thousands: int, window: str) -> PartitionProblem:
    """Eleven units of thousands of patients, some out of one another's reach; sizes allowed as the window says."""
    n = 11
    weights = rng.integers(1_000 * thousands, 4_000 * thousands, n)
    size = int(weights[rng.permutation(n)[: int(rng.integers(3, 7))]].sum())
    total = int(weights.sum())
    lo, hi = {
        "wide": (int(weights.min()), total // 2),
        "narrow": (size - 40, size + 40),
        "any": (0, total),
        "brim": (size // 2, size),
    }[window]
    at = rng.random((n, 2)) * 10
    km = np.hypot(*np.moveaxis(at[:, None] - at[None], -1, 0))
    curve = SHAPES[shape](rng, size)
    return PartitionProblem(
        name="consortium",
        labels=tuple(f"Practice {i + 1}" for i in range(n)),
        weights=weights.astype(np.int64),
        owner=np.arange(n, dtype=np.int32),
        costs=np.where(km > 9, INF, weights[:, None] * km * 0.3),
        curve=lambda patients: np.asarray(curve(np.asarray(patients, dtype=float)), dtype=float),
        lo=max(1, lo),
        hi=max(hi, int(weights.max())),
        edges=np.empty((0, 2), dtype=np.int32),
        contiguous=False,
    )


def _waves(length: float) -> Callable:
    return lambda p: 20_000 + p / 2 + 8_000 * np.sin(p / length)


def _hash(patients) -> np.ndarray:
    """0 … 1, unlike for neighbouring sizes and the same for equal ones."""
    return np.modf(np.sin(np.asarray(patients) * 12.9898) * 43_758.5453)[0] ** 2


# --- charges on triples -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_thread")
def test_charges_on_triples_never_lift_a_least_above_every_set_and_mostly_reach_it():
    """Units without patients are taken wherever that saves money, so triples that hold one must not count."""
    rng = np.random.default_rng(8)
    near = total = 0
    for k, w in worlds(0, 3):
        if w.core.contiguous:
            continue
        triples = some_triples(w.core, rng, 300.0)
        borne = (w.core.weights[triples.units] > 0).all(axis=1)
        for pi in some_multipliers(w.core, w.best, rng):
            expected = least_by_trying(w.core, pi, triples=triples)
            for cut in (0.0, 500.0):
                least = price(w.tables, pi, cut, nodes=20_000, triples=triples).least
                assert (least <= np.where(least < cut, expected, INF) + 2e-6).all(), (k, cut)
                if borne.all():
                    reached = np.minimum(expected, cut)
                    near, total = near + int((least >= reached - 1e-4).sum()), total + len(least)
    assert near > 0.99 * total > 500


# --- many units, many threads ----------------------------------------------------------------------------------------


def test_any_number_of_threads_gives_the_same_bytes():
    problem = grid(8, side=9, hi=400_000)
    tables, rng = tables_of(problem), np.random.default_rng(9)
    assert tables.width == -(-400_000 // SLOTS)
    pi = problem.weights * problem.cheapest_per_head() * rng.uniform(0.9, 1.3, problem.units)
    before, answers = numba.get_num_threads(), []
    try:
        for threads in (1, 2):
            numba.set_num_threads(min(threads, before))
            answers.append([price(tables, pi, cut, nodes=n) for n in (100, 3_000) for cut in (INF, 0.0)])
    finally:
        numba.set_num_threads(before)
    for one, two in zip(*answers, strict=True):
        assert (one.least.tobytes(), one.chosen.tobytes()) == (two.least.tobytes(), two.chosen.tobytes())
        assert one.lines() == two.lines()
    few, _, many, held = answers[0]
    assert held.lines()
    assert (few.least <= many.least + NEAR).all()
    assert (few.least < many.least - 1.0).any()
