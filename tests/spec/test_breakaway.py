"""Would anybody be better off next door, or alone? Drawn by hand, priced by hand."""

from __future__ import annotations

import pytest

from geodata.maps.report import render_report
from optimiser.breakaway import Move, best, breakaway, verdict
from optimiser.breakaway_scale import Change
from optimiser.forces import STRUCTURE_FORCES
from optimiser.given import membership_structure
from optimiser.scenario import load_scenario
from tests import plans
from tests.ascii_map import region, rows

DRAWING = "A A A A B B B B"
PAIRS = "1 1 2 2 3 3 4 4"  # localities of two practices, 40,000 people
RULES = {
    "scales_used": ["locality", "consortium"],
    "scale.consortium.min_patients": 40_000,
    "scale.consortium.max_patients": 120_000,
    "rates.authority.value": {"consortium": 8.0},
    "rates.distance.value": {"consortium": 0.0},
    "rates.management.value": {"consortium": 300_000.0},
}


def scenario(*forces: str, rules: dict | None = None):
    """Nothing charged but the forces named."""
    off = [force for force in STRUCTURE_FORCES if force not in forces]
    return load_scenario("base", {**RULES, "forces_off": off, **(rules or {})})


def checked(consortia: str, *forces: str, rules: dict | None = None, drawing: str = DRAWING, **about):
    """(moves, verdict) of a map drawn by hand."""
    data, chosen = region(drawing, **about), scenario(*forces, rules=rules)
    codes = [p.code for p in data.practices]
    maps = {"locality": rows(PAIRS)[0], "consortium": rows(consortia)[0]}
    drawn = {code: {s: f"{s}{found[k]}" for s, found in maps.items()} for k, code in enumerate(codes)}
    structure = membership_structure(data, chosen, drawn)
    moves = breakaway(data, chosen, structure)
    return moves, verdict(moves, chosen, structure)


def one(moves, code: str, to: str):
    """The move of a locality to a consortium ("" alone), both by number."""
    where = f"consortium-0{to}" if to else ""
    return next(m for m in moves if m.code == f"locality-0{code}" and m.to == where)


def test_a_locality_on_the_wrong_side_of_a_council_border_would_be_better_off_across_it():
    """Locality 3 lies in B and belongs to A's consortium: £8 for each of its 40,000 patients, and nobody else's."""
    moves, said = checked("1 1 1 1 1 1 2 2", "authority")
    across = one(moves, "3", "2")
    assert across.change.own == across.change.total == pytest.approx(-8.0 * 40_000)
    assert across.better_off and across.welcome and across.broken == ()
    assert [m.code for m in best(moves, alone=False)] == ["locality-03"]
    assert said == (
        "1 of 4 localities would be better off next door by their own share, 1 of them where those they join would pay "
        "no more; 1 alone. Most of all locality3 of consortium1, £320,000 a year by joining consortium2. 2 such moves "
        "would also lower the total of the structure: the search left them."
    )


def test_running_costs_fall_a_head_where_a_locality_joins_and_rise_where_it_leaves():
    """£300,000 a year each: 120,000 people pay £2.50, 40,000 pay £7.50; after the move both are 80,000: £3.75."""
    moves, _ = checked("1 1 1 1 1 1 2 2", "management")
    move = one(moves, "3", "2").change
    assert move.own == pytest.approx(40_000 * (3.75 - 2.5))
    assert move.joined == pytest.approx(40_000 * (3.75 - 7.5))
    assert move.left == pytest.approx(80_000 * (3.75 - 2.5))
    assert move.total == pytest.approx(0)


def test_standing_alone_costs_a_body_more_and_is_the_total_s_loss():
    moves, _ = checked("1 1 1 1 2 2 2 2", "management")
    alone = one(moves, "2", "").change
    assert alone.total == pytest.approx(300_000)
    assert alone.own == pytest.approx(40_000 * (7.5 - 3.75)) and alone.joined == 0


def test_nobody_is_better_off_where_councils_and_consortia_agree():
    moves, said = checked("1 1 1 1 2 2 2 2", "authority", "management")
    assert not best(moves, alone=False) and not best(moves, alone=True)
    assert said == "None of 4 localities would be better off next door; none alone."


@pytest.mark.parametrize(
    ("consortia", "code", "to", "rules", "wrong"),
    [
        ("1 1 1 1 1 1 2 2", "3", "2", {"scale.consortium.max_patients": 60_000}, "consortium2 of 80,000 patients"),
        ("1 1 1 1 2 2 2 2", "2", "2", {"scale.consortium.min_patients": 60_000}, "consortium1 with 40,000 patients"),
        ("1 1 1 1 2 2 2 2", "2", "", {"scale.consortium.min_patients": 60_000}, "a consortium of 40,000 patients"),
        ("1 1 1 1 1 1 2 2", "2", "", {}, "leaves consortium1 in 2 parts that do not touch"),
        ("1 1 1 1 2 2 2 2", "2", "2", {"scale.consortium.authority_rule": "inside_one"}, "across A-shire and B-shire"),
        ("1 1 1 1 2 2 2 2", "2", "2", {"scale.consortium.authority_rule": "whole"}, "must stay together"),
        ("1 1 1 1 2 2 2 2", "2", "2", {"scale.consortium.reach_km": 4.0}, "without a centre within 4 km of all"),
        ("1 1 1 1 2 2 2 2", "2", "", {"scale.consortium.max_bodies": 2}, "makes 3 consortia, more than 2"),
        ("1 1 1 1 2 2 3 3", "3", "1", {"scale.consortium.min_bodies": 3}, "leaves 2 consortia, fewer than 3"),
        (
            "1 1 1 1 2 2 2 2", "2", "2",
            {"pins": [{"kind": "apart", "scale": "consortium", "practices": ["d1", "e1"]}]},
            "joins practices in consortium2 that must be kept apart",
        ),
        (
            "1 1 1 1 2 2 2 2", "2", "2",
            {"pins": [{"kind": "frozen", "scale": "consortium", "practices": ["e1", "f1", "g1", "h1"]}]},
            "consortium2 was agreed beforehand: nobody joins it",
        ),
    ],
)  # fmt: skip
def test_a_move_that_breaks_a_rule_says_which(consortia, code, to, rules, wrong):
    moves, _ = checked(consortia, "authority", rules=rules)
    move = one(moves, code, to)
    assert any(wrong in broken for broken in move.broken), move.broken
    assert not move.better_off


def test_an_unwelcome_guest_is_told_apart_from_a_welcome_one():
    """Joining costs the hosts engagement, and saves the guest its council's charge."""
    moves, _ = checked("1 1 1 1 1 1 2 2", "authority", "engagement")
    across = one(moves, "3", "2")
    assert across.better_off and not across.welcome
    assert across.change.joined > 0


def test_practices_move_by_themselves_where_no_smaller_scale_is_planned():
    data = region(DRAWING)
    chosen = scenario("authority", rules={"scales_used": ["consortium"], "scale.consortium.min_patients": 20_000})
    consortia = rows("1 1 1 1 1 2 2 2")[0]
    made = membership_structure(
        data, chosen, {p.code: {"consortium": f"c{k}"} for p, k in zip(data.practices, consortia, strict=True)}
    )
    (first, *_) = best(breakaway(data, chosen, made), alone=False)
    assert first.code == "e1" and first.change.own == pytest.approx(-8.0 * 20_000)


def test_the_report_names_who_would_leave_where_to_and_for_how_much():
    bodies = plans.plan().structure.bodies["locality"]
    saved = Change(own=-85_013.0, joined=-399_304.0, left=424_222.0, others=0.0)
    barred = ("would make it too large",)
    moves = [Move(b.code, b.name, b.patients, "consortium-01", "consortium-02", saved, ()) for b in bodies[:1]]
    moves += [Move(b.code, b.name, b.patients, "consortium-01", "", saved, barred) for b in bodies[1:]]
    plan = plans.plan(breakaway=tuple(moves))
    page = render_report(plan, plans.ground(plan.dataset))
    section = page.partition('id="elsewhere"')[2].partition("</section>")[0]
    assert "1 of 4 localities would be better off next door by their own share, 1 of them" in section
    assert all(figure in section for figure in ("Brent Knoll locality", "Huish consortium", "−85,013", "−60,095"))
    assert "Dunster locality" not in section, "a rule forbids it"
    assert 'id="elsewhere"' not in render_report(plans.plan(breakaway=()), plans.ground(plan.dataset))
