"""Wishes: who speaks for whom, what binds, what is refused, and prices against every placement there is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from optimiser.domain import Wish
from optimiser.errors import ScenarioError
from optimiser.placement import place
from optimiser.placement_costs import survey
from optimiser.placement_options import may
from optimiser.placement_reasons import explained
from optimiser.scenario import load_scenario
from optimiser.wishes import check_wishes, meant, settle, voices
from tests import tiny
from tests.slow_placement import Slow, placements
from tests.test_placement import THREE, TWO, catalogue_world, random_world

BASE = load_scenario("base")


def wish(who, service, scale, firm=True, row=0):
    return Wish(who, service, scale, firm, row=row)


def with_wishes(data, *wishes):
    return replace(data, wishes=wishes)


def belonging(data, **bodies):
    """Practices by position → the body of today that they are in, at the consortium scale."""
    of = {i: code for code, members in bodies.items() for i in members}
    practices = tuple(
        replace(p, existing={"consortium": of[i]} if i in of else {}, existing_names={"consortium": f"Old {of.get(i)}"})
        for i, p in enumerate(data.practices)
    )
    return replace(data, practices=practices)


def settled(data, made):
    options = survey(data, BASE, made, 1).options
    return settle(data, BASE, made.membership["consortium"], options, data.wishes)


def test_every_wish_that_no_plan_can_grant_is_refused_at_once_before_any_work():
    data, _ = catalogue_world()
    asked = with_wishes(
        data,
        wish("P00", "referral", "region", row=2),
        wish("P00", "acute", "authority", row=3),
        wish("P01", "acute", "agency", row=4),
        wish("P01", "nursing", "localty", row=5),
        wish("P02", "dentistry", "region", row=6),
        wish("P02", "nursing", "condition_group", row=7),
        wish("P03", "referral", "region", firm=False, row=8),
        wish("P04", "nursing", "authority", row=9),
        wish("P99", "nursing", "region", row=10),
    )
    with pytest.raises(ScenarioError) as caught:
        check_wishes(asked, BASE)
    told = {str(p).partition(":scale")[0]: str(p) for p in caught.value.problems}
    assert list(told) == [f"wishes.csv:{row}" for row in (2, 3, 4, 5, 6, 7, 10)], "soft ones and good ones pass"
    assert "members' own behaviour" in told["wishes.csv:2"]
    assert "authority link of 3 or more; it has 0" in told["wishes.csv:3"]
    assert "agency supports others" in told["wishes.csv:4"]
    assert "Did you mean 'locality'?" in told["wishes.csv:5"]
    assert caught.value.exit_code == 2


def test_a_scale_that_the_scenario_declares_and_does_not_plan_is_refused():
    data, _ = catalogue_world()
    small = load_scenario("base", {"scales_used": ["locality", "consortium"]})
    with pytest.raises(ScenarioError, match="alliance is not planned in scenario base: there are practice, locality"):
        check_wishes(with_wishes(data, wish("P00", "acute", "alliance")), small)


def test_the_smallest_group_that_wishes_speaks_for_a_practice():
    data, _ = catalogue_world()
    grouped = belonging(data, BIG=[0, 1, 2, 3], SMALL=[4])
    wishes = [wish("P01", "acute", "practice"), wish("BIG", "acute", "region"), wish("SMALL", "acute", "consortium")]
    assert voices(grouped, wishes)["acute"].tolist() == [1, 0, 1, 1, 2, -1]
    assert set(voices(grouped, wishes)) == {"acute"}


def test_a_firm_wish_binds_where_most_patients_of_those_who_wish_hold_it():
    data, made = catalogue_world()  # three consortia of two practices, 60,000 patients each
    practices = [replace(p, patients=40_000) if i == 1 else p for i, p in enumerate(data.practices)]
    data = replace(data, practices=tuple(practices))
    found = settled(
        with_wishes(
            data,
            wish("P00", "acute", "consortium"),
            wish("P01", "acute", "practice"),  # 40,000 against 60,000
            wish("P02", "acute", "consortium"),  # P03 says nothing
            wish("P04", "nursing", "consortium"),
            wish("P05", "nursing", "practice", firm=False),  # as many wish otherwise, if softly
        ),
        made,
    )
    assert dict(found.firm) == {(0, "acute"): "consortium", (1, "acute"): "consortium"}
    assert found.yielded[0, "acute", "practice"].startswith("outvoted: 40,000 of the 100,000 patients")
    assert (2, "nursing", "consortium") in found.yielded


def test_nobody_is_made_to_share_against_a_binding_wish():
    data, made = catalogue_world()
    found = settled(with_wishes(data, wish("P00", "acute", "region"), wish("P02", "acute", "consortium")), made)
    assert dict(found.firm) == {(1, "acute"): "consortium"}
    assert found.yielded == {
        (0, "acute", "region"): "1 of those who would have to share hold firmly to consortium",
    }  # fmt: skip
    together = settled(with_wishes(data, wish("P00", "acute", "region"), wish("P02", "acute", "region")), made)
    assert together.yielded == {} and len(together.firm) == 2


def test_a_footprint_that_the_flows_do_not_suggest_cannot_bind():
    data, made = catalogue_world()
    alone = with_wishes(data, wish("P00", "referral", "practice"), wish("P00", "acute", "footprint"))
    options = tuple(o for o in survey(alone, BASE, made, 1).options if o.kind != "footprint")
    found = settle(alone, BASE, made.membership["consortium"], options, alone.wishes)
    assert found.yielded[0, "acute", "footprint"] == "no footprint that the flows suggest covers it in this plan"


def test_the_region_is_the_alliance_that_holds_everybody_and_an_alliance_of_one_is_the_consortium():
    data, _ = catalogue_world()
    groups = {"consortium": [[0, 1], [2, 3], [4, 5]], "alliance": [[0, 1, 2, 3], [4, 5]]}
    options = survey(data, BASE, tiny.structure(data, groups), 1).options
    assert meant("alliance", 0, options, BASE) == "alliance"
    assert meant("alliance", 2, options, BASE) == "consortium"
    assert meant("region", 2, options, BASE) == "region"
    whole = survey(data, BASE, tiny.structure(data, {**groups, "alliance": [list(range(6))]}), 1).options
    assert meant("region", 0, whole, BASE) == "alliance"


def test_soft_wishes_never_change_a_plan():
    data, made = random_world(3, TWO, 3)
    soft = with_wishes(data, *(wish(p.code, "S0", "consortium", firm=False) for p in data.practices))
    assert place(soft, BASE, made, 1, 20) == place(data, BASE, made, 1, 20)


def drawn(seed):
    """A random world where a few practices wish, firmly or softly, for what some plan could grant."""
    groups, count = (TWO, 3) if seed % 2 else (THREE, 2)
    data, made = random_world(seed, groups, count)
    rng = np.random.default_rng(1_000 + seed)
    scales = ["practice", "consortium", "footprint", "region", *(["alliance"] if groups is TWO else ["locality"])]
    wishes = []
    for practice in data.practices:
        for service in data.services:
            if rng.random() < 0.6:
                scale = str(rng.choice(scales if service.delegable else ["practice", "locality"]))
                wishes.append(wish(practice.code, service.id, scale, firm=bool(rng.random() < 0.7)))
    return with_wishes(data, *wishes), made


def cheapest(data, slow, options, firm, anchors):
    """The least cost of every placement that keeps the wishes that bind; None where there is none."""
    best = None
    for placed in placements(options, data.services, anchors):
        if all(may(options[o], data.services[s], firm) for s, chosen in enumerate(placed) for o in chosen):
            cost = sum(slow.cost(placed).values())
            best = cost if best is None else min(best, cost)
    return best


@pytest.mark.parametrize("seed", range(8))
def test_binding_wishes_are_kept_at_the_least_cost_and_prices_hold_against_every_placement(seed):
    data, made = drawn(seed)
    found = place(data, BASE, made, 1, 20)
    ground = survey(data, BASE, made, 1)
    anchors = len(ground.anchors)
    slow = Slow(data, BASE, made, ground.options)
    bound = settle(data, BASE, made.membership["consortium"], ground.options, data.wishes).firm
    codes = [a.code for a in ground.anchors]
    given = {(codes.index(c.consortium), c.service): c.scale for c in found.commissions}
    assert {key: given[key] for key in bound} == dict(bound)
    best = cheapest(data, slow, ground.options, bound, anchors)
    cost = found.certificate.objective
    assert cost >= best - 0.01 and found.certificate.bound <= best + 0.01
    assert cost - best <= 0.0051 * (found.certificate.objective - found.certificate.refunds) + 1

    for answer in explained(data, BASE, made, found, 1).wishes:
        where = [codes.index(code) for code in answer.consortia]
        service, scale = answer.wish.service, answer.wish.scale
        assert answer.given == tuple(given[c, service] for c in where)
        if answer.how == "at most":
            asked = {(c, service): meant(scale, c, ground.options, BASE) for c in where}
            granted = cheapest(data, slow, ground.options, {**bound, **asked}, anchors)
            assert granted is not None and answer.price >= granted - cost - 0.01
        elif answer.how == "at least":
            rest = tuple(w for w in data.wishes if w is not answer.wish)
            others = settle(data, BASE, made.membership["consortium"], ground.options, rest).firm
            freed = {(c, service) for c in where if others.get((c, service)) != bound.get((c, service))}
            free = {key: at for key, at in bound.items() if key not in freed}
            without = cheapest(data, slow, ground.options, free, anchors)
            assert 0 <= answer.price <= max(0.0, cost - without) + 0.01
        elif answer.price is None and where:
            asked = {(c, service): meant(scale, c, ground.options, BASE) for c in where}
            assert (
                answer.reason.startswith("no way found")
                or cheapest(data, slow, ground.options, {**bound, **asked}, anchors) is None
            ), answer
        elif where:
            assert answer.price == 0 and (all(answer.kept) or answer.wish.firm)


def test_with_one_service_a_price_is_the_difference_of_the_two_best_placements():
    """Nothing else can move, so the best change of that service is the best plan with the wish."""
    priced = 0
    for seed in range(12):
        data, made = random_world(seed, TWO, 2)
        data = replace(data, services=(replace(data.services[0], delegable=True),))
        ground = survey(data, BASE, made, 1)
        slow = Slow(data, BASE, made, ground.options)
        for scale in ("practice", "consortium", "alliance", "footprint"):
            asked = with_wishes(data, wish("P00", "S0", scale, firm=False))
            found = place(asked, BASE, made, 1, 20, gap=0.0)
            (answer,) = explained(asked, BASE, made, found, 1).wishes
            best = cheapest(data, slow, ground.options, {}, 2)
            granted = cheapest(data, slow, ground.options, {(0, "S0"): scale}, 2)
            assert found.certificate.objective == pytest.approx(best, abs=0.5)
            if granted is None:
                assert answer.price is None
                continue
            assert answer.price == pytest.approx(granted - best, abs=0.5)
            priced += answer.price > 1
            firm = with_wishes(data, wish("P00", "S0", scale))
            held = place(firm, BASE, made, 1, 20, gap=0.0)
            (kept,) = explained(firm, BASE, made, held, 1).wishes
            assert all(kept.kept) and kept.price == pytest.approx(granted - best, abs=0.5)
    assert priced > 12


def test_a_wish_that_speaks_for_nobody_any_more_says_so():
    data, made = catalogue_world()
    grouped = belonging(data, OLD=[0])
    asked = with_wishes(grouped, wish("OLD", "acute", "region", firm=False), wish("P00", "acute", "practice", False))
    told = explained(asked, BASE, made, place(asked, BASE, made, 1, 20), 1).wishes
    assert (told[0].name, told[0].consortia, told[0].price) == ("Old OLD", (), None)
    assert "speak for themselves" in told[0].reason
    assert told[1].name == "Surgery 0" and told[1].consortia == ("consortium-01",)


def test_a_firm_wish_is_the_reason_of_its_answer():
    data, made = catalogue_world()
    asked = with_wishes(data, wish("P00", "nursing", "practice"), wish("P02", "acute", "region"))
    told = explained(asked, BASE, made, place(asked, BASE, made, 1, 20), 1).placement
    why = {(c.consortium, c.service): c.reason for c in told.commissions}
    assert why["consortium-01", "nursing"] == why["consortium-02", "acute"] == "a firm wish"
    assert why["consortium-03", "nursing"] != "a firm wish"
