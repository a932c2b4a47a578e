"""Bodies of one map found again in another: what became of each, who moves, and names and numbers that stay."""

from __future__ import annotations

import numpy as np

from optimiser.domain import NO_BODY, Dataset, Structure
from optimiser.matching import matched, stable_names, threads
from tests import tiny

SIZES = (9, 8, 7, 6, 5, 4, 3, 2)  # thousands: patients of eight practices on a line


def line() -> Dataset:
    return tiny.dataset([tiny.practice(i, 1_000 * size) for i, size in enumerate(SIZES)], [])


def drawn(*groups: tuple[int, ...]) -> Structure:
    return tiny.structure(line(), {"consortium": groups})


def fates(one: Structure, other: Structure) -> list[str]:
    return [change.fate for change in matched(line(), one, other, "consortium").changed]


def moved(one: Structure, other: Structure) -> list[int]:
    return np.flatnonzero(matched(line(), one, other, "consortium").moved).tolist()


def test_the_same_map_keeps_everybody_whatever_the_order():
    one, other = drawn((0, 1), (2, 3), (4, 5, 6, 7)), drawn((4, 5, 6, 7), (0, 1), (2, 3))
    assert fates(one, other) == ["kept"] * 3
    assert moved(one, other) == []
    assert matched(line(), one, other, "consortium").heir == (2, 0, 1)


def test_a_body_cut_in_two_lives_on_as_the_larger_part():
    one, other = drawn((0, 1, 2, 3), (4, 5, 6, 7)), drawn((0,), (1, 2, 3), (4, 5, 6, 7))
    found = matched(line(), one, other, "consortium")
    assert [c.fate for c in found.changed] == ["split", "split", "kept"]
    assert found.heir == (-1, 0, 1)
    assert moved(one, other) == [0]


def test_two_whole_bodies_make_one_and_the_smaller_is_gone():
    one, other = drawn((0, 1), (2, 3), (4, 5, 6, 7)), drawn((0, 1, 2, 3), (4, 5, 6, 7))
    found = matched(line(), one, other, "consortium")
    assert [c.fate for c in found.changed] == ["merged", "kept", "gone"]
    assert found.changed[0].parts == ((0, 17_000), (1, 13_000))
    gone = found.changed[2]
    assert (gone.before, gone.after, gone.parts) == (1, -1, ((0, 13_000),))
    assert moved(one, other) == [2, 3]


def test_a_body_that_takes_a_part_of_another_has_grown_and_that_is_split():
    one, other = drawn((0, 1), (2, 3, 4), (5, 6, 7)), drawn((0, 1, 2), (3, 4), (5, 6, 7))
    assert fates(one, other) == ["grown", "split", "kept"]
    assert moved(one, other) == [2]


def test_an_exchange_is_redrawn_and_a_body_of_scraps_is_new():
    one = drawn((0, 1, 2), (3, 4, 5), (6, 7))
    assert fates(one, drawn((0, 1, 3), (2, 4, 5), (6, 7))) == ["redrawn", "redrawn", "kept"]
    assert fates(one, drawn((0, 1), (3, 4), (6, 7), (2, 5))) == ["split", "split", "kept", "new"]


def test_practices_in_no_body_join_or_leave_but_do_not_move():
    one = drawn((0, 1), (2, 3), (4, 5, 6, 7))
    gathered = one.bodies["consortium"]
    named = (*gathered[:2], type(gathered[2])(**{**vars(gathered[2]), "name": NO_BODY}))
    partial = Structure(one.scales, {"consortium": named}, one.membership)
    other = drawn((0, 1, 4), (2, 3), (5, 6, 7))
    found = matched(line(), partial, other, "consortium")
    assert not found.moved.any()
    assert [(c.fate, c.joined) for c in found.changed] == [("grown", 5_000), ("kept", 0), ("new", 9_000)]
    assert [c.fate for c in matched(line(), other, partial, "consortium").changed] == ["split", "kept", "gone"]
    assert threads(line(), [partial, other], "consortium") == [[0, 1, -1], [0, 1, 2]]


def test_a_thread_runs_through_every_plan_and_is_taken_up_again():
    plans = [
        drawn((0, 1, 2, 3), (4, 5, 6, 7)),
        drawn((0, 1), (2, 3), (4, 5, 6, 7)),
        drawn((4, 5, 6, 7), (2, 3), (0, 1)),
    ]
    found = threads(line(), plans, "consortium")
    assert found == [[0, 1], [0, 2, 1], [1, 2, 0]]


def test_a_name_is_kept_while_two_thirds_of_both_are_common():
    plans = [drawn((0, 1, 2, 3), (4, 5, 6, 7)), drawn((0, 1, 2), (3, 4, 5, 6, 7)), drawn((0,), (1, 2, 3, 4, 5, 6, 7))]
    found = stable_names(line(), plans, "consortium", threads(line(), plans, "consortium"))
    assert found[0] == ["consortium 1", "consortium 2"]
    assert found[1] == ["consortium 1", "consortium 2"]
    assert sorted(set(found[2])) == sorted(found[2])  # no two alike, whatever they are called


def test_a_name_that_another_body_carries_on_is_not_given_twice():
    plans = [drawn((0, 1, 2, 3), (4, 5, 6, 7)), drawn((4, 5, 6, 7), (0, 1), (2, 3))]
    names = stable_names(line(), plans, "consortium", threads(line(), plans, "consortium"))[1]
    assert names[0] == "consortium 2" and len(set(names)) == 3
