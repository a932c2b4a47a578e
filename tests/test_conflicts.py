"""Why no plan exists, against trying everything: the set returned conflicts, nothing of it is superfluous, and each
cure cures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from optimiser.conflicts import Conflict, explain, smallest
from optimiser.domain import Dataset
from optimiser.errors import Infeasible, ScenarioError
from optimiser.partition.pieces import bare
from optimiser.pins import check_pins
from optimiser.questions import Cure, Row
from optimiser.scenario import Scenario, load_scenario
from optimiser.units import scale_problem
from tests.ascii_map import region
from tests.test_possible import can_be_placed

pytestmark = pytest.mark.usefixtures("one_thread")
NOTHING = {
    "min_patients": 0, "max_patients": None, "reach_km": None, "contiguous": False, "authority_rule": "off",
    "min_bodies": None, "max_bodies": None,
}  # fmt: skip
SCALE, SMALL = "consortium", "locality"


def can(dataset: Dataset, scenario: Scenario, practices: set[int], scale: str = SCALE) -> bool:
    """Whether all those practices can be placed at a scale, by trying everything."""
    made = scale_problem(dataset, scenario, scenario.scale(scale))
    need = np.zeros(made.problem.units, bool)
    need[made.unit[sorted(practices)]] = True
    return can_be_placed(bare(made.problem), need)


def under(scenario: Scenario, rows: set[str]) -> Scenario:
    """The scenario with those rows only."""
    tables = dict(scenario.scale_tables)
    for name in scenario.scales_used:
        lifted = {k: v for k, v in NOTHING.items() if f"scale.{name}.{k}" not in rows}
        tables[name] = tables[name].model_copy(update=lifted)
    pins = tuple(p for n, p in enumerate(scenario.pins, start=1) if f"pins[{n}]" in rows)
    return scenario.model_copy(update={"scale_tables": tables, "pins": pins})


def after(dataset: Dataset, scenario: Scenario, cure: Cure) -> tuple[Dataset, Scenario]:
    """Dataset and scenario with a cure applied."""
    if cure.link:
        i, j = sorted(cure.link)
        edges = np.vstack([dataset.adjacency, [(i, j)]]).astype(np.int32)
        return replace(dataset, adjacency=edges, links=(*dataset.links, cure.link)), scenario
    if cure.row.key.isdigit():
        n = int(cure.row.key) - 1
        pin = scenario.pins[n]
        left = tuple(code for code in pin.practices if code != cure.without) if cure.without else ()
        changed = (pin.model_copy(update={"practices": left}),) if left else ()
        return dataset, scenario.model_copy(update={"pins": (*scenario.pins[:n], *changed, *scenario.pins[n + 1 :])})
    return dataset, valued(scenario, cure.row, cure.value)


def valued(scenario: Scenario, row: Row, value: object) -> Scenario:
    scale = scenario.scale(row.scale).model_copy(update={row.key: value})
    return scenario.model_copy(update={"scale_tables": {**scenario.scale_tables, row.scale: scale}})


def world(seed: int) -> tuple[Dataset, Scenario]:
    """Seven practices in two rows with a river between some of them, and rules that are hard to keep."""
    rng = np.random.default_rng(seed)
    letters = rng.choice(list("AB~"), size=(2, 5), p=(0.4, 0.3, 0.3))
    while (letters != "~").sum() > 7:
        letters.flat[rng.integers(10)] = "~"
    letters[0, 0] = "A"
    data = region("\n".join(" ".join(row) for row in letters), patients=lambda _: int(rng.integers(4, 31)) * 1000)
    codes = [p.code for p in data.practices]
    low = int(rng.integers(6, 45)) * 1000

    def sometimes(value: object, otherwise: object, chance: float = 0.5) -> object:
        return value if rng.random() < chance else otherwise

    rules = {
        "scales_used": [SCALE],
        f"scale.{SCALE}.min_patients": low,
        f"scale.{SCALE}.max_patients": sometimes(int(low * rng.uniform(1.0, 2.5)), "none"),
        f"scale.{SCALE}.contiguous": bool(rng.random() < 0.7),
        f"scale.{SCALE}.reach_km": sometimes(float(rng.uniform(2, 8)), "none", 0.4),
        f"scale.{SCALE}.authority_rule": sometimes("inside_one", "off", 0.3),
        f"scale.{SCALE}.min_bodies": sometimes(int(rng.integers(1, 3)), "none", 0.3),
        f"scale.{SCALE}.max_bodies": sometimes(int(rng.integers(1, 4)), "none", 0.3),
        "pins": [],
    }
    if seed % 3 == 0:  # a smaller scale, whose rules reach up
        rules |= {
            "scales_used": [SMALL, SCALE],
            f"scale.{SMALL}.min_patients": 4_000,
            f"scale.{SMALL}.max_patients": "none",
            f"scale.{SMALL}.reach_km": "none",
            f"scale.{SMALL}.authority_rule": "whole",
        }
    for kind in ("together", "apart", "frozen"):
        if len(codes) >= 3 and rng.random() < 0.4:
            some = rng.choice(codes, size=int(rng.integers(2, 4)), replace=False).tolist()
            where = str(rng.choice(rules["scales_used"]))
            rules["pins"] = [*rules["pins"], {"kind": kind, "scale": where, "practices": some}]
    try:
        chosen = load_scenario("base", rules)
        check_pins(data, chosen)
        for name in chosen.scales_used:
            scale_problem(data, chosen, chosen.scale(name))
        return data, chosen
    except (ScenarioError, Infeasible):
        return world(seed + 999)


WORLDS = [world(seed) for seed in range(100)]


@cache
def explained(k: int) -> Conflict | None:
    """The conflict of the k-th world."""
    found = explain(*WORLDS[k])
    return found[0] if found else None


def conflicts() -> Iterator[tuple[int, Dataset, Scenario, Conflict]]:
    """The worlds that cannot be planned."""
    for k, (dataset, scenario) in enumerate(WORLDS):
        if (conflict := explained(k)) is not None:
            yield k, dataset, scenario, conflict


def test_a_conflict_is_found_wherever_nothing_can_be_planned_and_nowhere_else():
    found = {True: 0, False: 0}
    for k, (dataset, scenario) in enumerate(WORLDS):
        everyone = set(range(len(dataset.practices)))
        impossible = not all(can(dataset, scenario, everyone, name) for name in scenario.scales_used)
        assert (explained(k) is not None) is impossible, k
        found[impossible] += 1
    assert min(found.values()) > 20, found


def test_rows_and_practices_conflict_and_none_of_them_is_superfluous():
    rows_seen: set[str] = set()
    checked = 0
    for k, dataset, scenario, conflict in conflicts():
        rows, practices = {row.place for row in conflict.rows}, set(conflict.practices)
        assert conflict.smallest, k
        assert not can(dataset, under(scenario, rows), practices, conflict.scale), k
        for row in rows:
            assert can(dataset, under(scenario, rows - {row}), practices, conflict.scale), (k, row)
        for practice in practices:
            assert can(dataset, under(scenario, rows), practices - {practice}, conflict.scale), (k, practice)
        assert practices <= set(conflict.company)
        rows_seen |= rows
        checked += 1
    assert checked > 40
    for key in NOTHING:
        assert f"scale.{SCALE}.{key}" in rows_seen, key
    assert any(row.startswith("pins") for row in rows_seen)
    assert f"scale.{SMALL}.authority_rule" in rows_seen


def test_each_cure_cures_and_a_number_moved_by_less_does_not():
    cured = uncured = 0
    for k, dataset, scenario, conflict in conflicts():
        everyone = set(range(len(dataset.practices)))
        uncured += not conflict.cures
        for cure in conflict.cures:
            assert can(*after(dataset, scenario, cure), everyone, conflict.scale), (k, cure.said)
            cured += 1
            if isinstance(cure.value, bool) or not isinstance(cure.value, int | float):
                continue
            now, step = getattr(scenario.scale(cure.row.scale), cure.row.key), 0.1 if cure.row.key == "reach_km" else 1
            less = cure.value - step if cure.value > now else cure.value + step
            if cure.row.key != "max_patients" and (less - now) * (cure.value - now) > 0:
                assert not can(dataset, valued(scenario, cure.row, less), everyone, conflict.scale), (k, cure.said)
    assert cured > 40 and uncured < cured


def test_of_many_things_those_that_cannot_be_missed_are_kept():
    guilty = {3, 17, 18}
    asked: list[int] = []

    def impossible(some: list[int]) -> bool:
        asked.append(len(some))
        return guilty <= set(some)

    assert smallest(range(64), impossible) == ([3, 17, 18], True)
    assert len(asked) < 64
    assert smallest([], lambda some: True) == ([], True)


def test_what_cannot_be_told_is_kept_and_said():
    assert smallest(range(4), lambda some: True if 2 in some and len(some) > 1 else None) == ([2, 3], False)


def test_the_work_ends_when_asked_with_what_is_proved():
    _, dataset, scenario, _ = next(conflicts())
    (conflict,) = explain(dataset, scenario, stop=lambda: True)
    assert not conflict.smallest and not conflict.cures
    assert not can(dataset, under(scenario, {row.place for row in conflict.rows}), set(conflict.practices))


def test_what_no_arithmetic_shows_is_proved_by_an_integer_programme():
    """A comb of fifteen: each tooth of two takes the practice below it, and what is left of the back is in bits."""
    comb = """
        A . A . A . A
        A . A . A . A
        A A A A A A A
    """
    rules = {"scales_used": [SCALE], f"scale.{SCALE}.min_patients": 60_000, f"scale.{SCALE}.max_patients": 60_000}
    (conflict,) = explain(region(comb), load_scenario("base", rules))
    assert {row.key for row in conflict.rows} == {"min_patients", "max_patients", "contiguous"}
    assert [cure.said for cure in conflict.cures if cure.row.key == "min_patients"] == [
        f"scale.{SCALE}.min_patients = 40_000"
    ]
