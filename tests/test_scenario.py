"""A scenario file says what a planner assumes; every mistake in it is answered with its place and its cure."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from optimiser.errors import ConsortiaError, Infeasible, ScenarioError
from optimiser.scenario import Scenario, bundled_names, load_scenario, parse_override

PRESETS = (
    "base", "demo", "engagement-led", "risk-averse", "gpc-500k", "whole-authority", "pooled", "standalone", "merged",
    "thin-18.76", "rural", "inner-city", "neighbourhoods-2026", "icb-clusters-2026",
)  # fmt: skip


def written(folder: Path, text: str, name: str = "mine.toml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def complaint(source: str | Path, kind: type[ConsortiaError] = ScenarioError, **overrides: object) -> str:
    with pytest.raises(kind) as caught:
        load_scenario(source, {key.replace("__", "."): value for key, value in overrides.items()})
    assert type(caught.value) is kind
    return str(caught.value)


def test_every_promised_preset_is_bundled() -> None:
    assert sorted(PRESETS) == sorted(bundled_names())


@pytest.mark.parametrize("name", PRESETS)
def test_preset_loads_asks_a_question_and_leaves_no_share_uncharged(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.question.endswith("?")
    assert scenario.anchor_scale in scenario.scales_used
    assert scenario.warnings == ()
    text = Path(__file__).parents[1].joinpath("scenarios", f"{name}.toml").read_text(encoding="utf-8")
    assert text.startswith("# ") and "?" in text.splitlines()[0]


def test_presets_differ_from_base_where_they_say() -> None:
    base = load_scenario("base")
    assert load_scenario("engagement-led").rate("engagement") == 2 * base.rate("engagement") == 144
    assert load_scenario("risk-averse").rate("insurance") == 0.25
    assert load_scenario("gpc-500k").scale("consortium").min_patients == 500_000
    assert load_scenario("whole-authority").scale("consortium").authority_rule == "whole"
    assert load_scenario("pooled").risk_held_at == "alliance"
    assert load_scenario("merged").scale("consortium").max_patients is None
    assert not load_scenario("inner-city").scale("consortium").contiguous
    for scale in base.scales_used:
        assert load_scenario("rural").rate("distance", scale) == 2 * base.rate("distance", scale)
    new = load_scenario("neighbourhoods-2026")
    assert [s.label for s in new.scales][:2] == ["neighbourhood", "place"]
    assert (new.scales[0].min_patients, new.scales[0].max_patients) == (30_000, 50_000)


def test_support_agencies_serve_a_million_or_more() -> None:
    assert load_scenario("base").scale("agency").min_patients == 1_000_000


def test_every_rate_says_its_unit_kind_provenance_and_reason() -> None:
    scenario = load_scenario("base")
    assert scenario.price_year == "2010/11"
    for name, rate in scenario.rates.items():
        assert rate.unit and rate.why and rate.kind and rate.provenance, name


def test_each_force_is_charged_once_in_every_preset() -> None:
    for name in PRESETS:
        scenario = load_scenario(name)
        for force in ("engagement", "insurance", "leverage", "tailoring"):
            charged = sum(scenario.share(force, place) for place in (*scenario.scales_used, "placement"))
            assert charged == pytest.approx(1.0 if scenario.on(force) else 0.0), (name, force)


def test_rates_shares_and_stand_ins_answer_by_force_and_scale() -> None:
    base = load_scenario("base")
    assert base.rate("engagement") == 72 and base.rate("engagement", "locality") == 72
    assert base.rate("management", "consortium") == 1_100_000
    assert base.rate("coordination", "locality") == 0
    assert base.rate("leverage", 3) == base.rate("leverage", "3") == 0.015
    assert (base.share("engagement", "locality"), base.share("engagement", "alliance")) == (0.6, 0)
    assert (base.share("insurance", "consortium"), base.share("insurance", "locality")) == (1, 0)
    assert (base.share("management", "agency"), base.share("management", "placement")) == (1, 0)
    assert (base.stand_in("leverage"), base.stand_in("engagement")) == ("alliance", None)
    with pytest.raises(TypeError, match="a key is needed"):
        base.rate("management")


def test_a_force_switched_off_costs_nothing_anywhere() -> None:
    off = load_scenario("base", {"forces_off": ["engagement", "leverage"]})
    assert not off.on("engagement") and off.on("distance")
    assert off.rate("engagement") == off.rate("leverage", 1) == off.share("engagement", "locality") == 0
    assert off.stand_in("leverage") is None


def test_moving_a_rate_moves_every_number_of_its_value_and_nothing_else() -> None:
    base = load_scenario("base")
    half = base.with_rate("management", 0.5)
    assert all(half.rate("management", s) == base.rate("management", s) / 2 for s in base.scales_used)
    assert half.rate("engagement") == base.rate("engagement")
    assert base.rate("management", "consortium") == 1_100_000
    assert base.with_rate("engagement", 1.5).rate("engagement") == 108


def test_the_resolved_document_is_plain_json_and_gives_the_scenario_back() -> None:
    for name in ("base", "merged", "neighbourhoods-2026"):
        scenario = load_scenario(name)
        assert Scenario.model_validate(json.loads(json.dumps(scenario.document(), allow_nan=False))) == scenario


def test_a_scenario_cannot_be_changed_after_it_is_made() -> None:
    scenario = load_scenario("base")
    with pytest.raises(ValidationError, match="frozen"):
        scenario.seed = 2  # type: ignore[misc]


def test_a_plan_of_one_scale_is_anchored_there_and_says_what_is_left_out() -> None:
    alone = load_scenario("base", {"scales_used": ["alliance"]})
    assert alone.anchor_scale == "alliance" and len(alone.scales) == 1
    assert any("engagement is charged at consortium" in note for note in alone.warnings)
    assert load_scenario("base", {"risk_held_at": "region"}).share("insurance", "region") == 1


# Extending and overriding


def test_own_file_extends_a_bundled_scenario_and_a_file_beside_it(tmp_path: Path) -> None:
    written(tmp_path, 'extends = "rural"\n[rates.engagement]\nvalue = 50\n', "shared/ours.toml")
    top = written(tmp_path, 'extends = "shared/ours.toml"\ntitle = "Top"\n[scale.consortium]\nmin_patients = 90_000\n')
    scenario = load_scenario(top)
    assert (scenario.title, scenario.name) == ("Top", "mine")
    assert scenario.rate("engagement") == 50
    assert scenario.rate("distance", "locality") == 0.40
    assert scenario.scale("consortium").min_patients == 90_000
    assert scenario.scale("consortium").max_patients == 700_000
    assert load_scenario(str(top)) == scenario


def test_overrides_win_over_files_and_reach_any_depth() -> None:
    scenario = load_scenario("engagement-led", {"rates.engagement.value": 36, "scale.consortium.max_patients": None})
    assert scenario.rate("engagement") == 36
    assert scenario.scale("consortium").max_patients is None


def test_where_a_force_is_charged_replaces_what_is_inherited(tmp_path: Path) -> None:
    top = written(tmp_path, 'extends = "base"\n[charged]\nengagement = { consortium = 1.0 }\n')
    assert load_scenario(top).share("engagement", "locality") == 0


def test_none_lifts_an_inherited_bound(tmp_path: Path) -> None:
    top = written(tmp_path, 'extends = "base"\n[scale.locality]\nmax_patients = "none"\nreach_km = "none"\n')
    assert load_scenario(top).scale("locality").max_patients is None


@pytest.mark.parametrize(
    ("typed", "value"),
    [("seed=3", 3), ("title=two words", "two words"), ('scales_used=["consortium"]', ["consortium"]), ("a.b=0.5", 0.5)],
)
def test_typed_overrides_are_read_as_toml(typed: str, value: object) -> None:
    assert parse_override(typed) == (typed.split("=")[0], value)
    with pytest.raises(ScenarioError, match="KEY=VALUE"):
        parse_override("seed")


@pytest.mark.parametrize(
    "wanted", ["../other.toml", "/etc/other.toml", "C:\\other.toml", "a/../../other.toml", "~/x.toml"]
)
def test_extends_may_not_leave_its_folder(tmp_path: Path, wanted: str) -> None:
    written(tmp_path, 'extends = "base"\n', "other.toml")
    top = written(tmp_path, f"title = 'x'\nextends = '{wanted}'\n", "inner/mine.toml")
    said = complaint(top)
    assert "leaves the folder" in said and "mine.toml:2:extends" in said


def test_extends_may_not_follow_a_link_out_of_its_folder(tmp_path: Path) -> None:
    other = written(tmp_path, 'extends = "base"\n', "other.toml")
    top = written(tmp_path, 'extends = "link.toml"\n', "inner/mine.toml")
    (top.parent / "link.toml").symlink_to(other)
    assert "link that leaves the folder" in complaint(top)


def test_extends_may_not_go_round_in_a_circle(tmp_path: Path) -> None:
    written(tmp_path, 'extends = "mine.toml"\n', "other.toml")
    top = written(tmp_path, 'extends = "other.toml"\n')
    assert "mine.toml → other.toml → mine.toml" in complaint(top)


def test_a_file_that_is_not_there_or_not_toml_is_named(tmp_path: Path) -> None:
    assert "Did you mean rural?" in complaint("rurall")
    assert "no scenario file" in complaint(tmp_path / "absent.toml")
    assert "gone.toml, which does not exist" in complaint(written(tmp_path, 'extends = "gone.toml"\n'))
    assert 'extends = "base"' in complaint(written(tmp_path, 'extends = "base.toml"\n'))
    assert "mine.toml:2:" in complaint(written(tmp_path, "seed = 1\nseed = = 2\n"))
    (tmp_path / "latin.toml").write_bytes("# ok\ntitle = 'caf\xe9'\n".encode("latin-1"))
    assert "latin.toml:2: is not UTF-8" in complaint(tmp_path / "latin.toml")
    (tmp_path / "bom.toml").write_bytes(b"\xef\xbb\xbf" + b'extends = "base"\n')
    assert load_scenario(tmp_path / "bom.toml").name == "bom"
    assert "bytes" in complaint(written(tmp_path, "#" * 1_000_001))
    assert "nested too deep" in complaint(written(tmp_path, "a = " + "[" * 5000 + "]" * 5000))


def test_a_file_that_says_too_little_is_told_to_extend_base(tmp_path: Path) -> None:
    said = complaint(written(tmp_path, "seed = 2\n"))
    assert 'extends = "base"' in said and len(said.splitlines()) == 1


# Mistakes


def test_a_misspelt_key_is_answered_with_the_nearest_its_file_and_line(tmp_path: Path) -> None:
    top = written(tmp_path, 'extends = "base"\n\n[scale.consortium]\nmin_patient = 60_000\n')
    assert "mine.toml:4:scale.consortium.min_patient: unknown key min_patient. Did you mean min_patients?" in complaint(
        top
    )
    assert "Did you mean engagement?" in complaint("base", rates__engagment__value=1)
    assert "Did you mean coordination?" in complaint("base", charged__cordination="each scale")
    assert "Did you mean consortium?" in complaint("base", scale__consortum__min_patients=1)
    assert "Did you mean scales_used?" in complaint("base", scale_used=["consortium"])
    assert "It belongs under [scale.<name>]." in complaint("base", reach_km=3)


def test_all_mistakes_come_in_one_report_those_between_keys_included(tmp_path: Path) -> None:
    top = written(
        tmp_path,
        'extends = "base"\nsede = 3\nrisk_held_at = "county"\n'
        "[charged]\nengagement = { locality = 0.6, consortium = 0.6 }\n"
        "[scale.consortium]\nmin_patients = -5\nmax_patients = 20_000\n[rates.insurance]\nvalue = nan\n",
    )
    said = complaint(top)
    for part in ("sede", "risk_held_at = county", "come to 1.2", "min_patients = -5", "nan"):
        assert part in said
    assert len(said.splitlines()) == 5, "a rule that rests on a bad value is not reported on top of it"


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, True, "12", {"consortium": -1.0}, {}])
def test_a_rate_that_is_no_amount_is_refused(value: object) -> None:
    with pytest.raises(ScenarioError, match="finite and not negative"):
        load_scenario("base", {"rates.engagement.value": value})


@pytest.mark.parametrize("value", [-1, 1.5, math.nan, math.inf, True, "50000"])
def test_a_size_that_is_no_number_of_patients_is_refused(value: object) -> None:
    assert "scale.consortium.min_patients" in complaint("base", scale__consortium__min_patients=value)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize(
    "key", ["allowances.mine", "scale.locality.reach_km", "leverage.stand_in_per_head", "risk.cv_person"]
)
def test_no_number_may_be_negative_or_endless(key: str, value: float) -> None:
    with pytest.raises(ScenarioError, match=key.split(".")[-1]):
        load_scenario("base", {key: value})


def test_rates_know_their_entries() -> None:
    assert "Did you mean lead?" in complaint("base", rates__contracts__value__leed=1.0)
    assert "rate leverage has no entry 4" in complaint("base", rates__leverage__value={"4": 0.1})
    assert "no entry county" in complaint("base", rates__distance__value__county=0.1)
    assert "It takes a single number" in complaint("base", rates__footprints__value={"consortium": 1.0})
    assert "It takes a table of lead" in complaint("base", rates__contracts__value=1.0)
    assert "low 200 exceeds high 144" in complaint("base", rates__engagement__low=200.0)


def test_shares_of_a_force_must_sum_to_one_and_name_scales() -> None:
    said = complaint("base", charged__engagement__locality=0.7)
    assert "shares of engagement come to 1.1 (0.7 + 0.4)" in said
    assert "charged at county" in complaint("base", charged__engagement={"county": 1.0})
    assert "stands in at county" in complaint("base", charged__leverage={"placement": 1.0, "stand_in": "county"})
    assert "come to 0 (nothing)" in complaint("base", charged__leverage={"stand_in": "alliance"})
    assert '"each scale"' in complaint("base", charged__engagement="everywhere")


def test_scales_are_known_distinct_and_run_from_small_to_large() -> None:
    assert "Did you mean alliance?" in complaint("base", scales_used=["consortium", "aliance"])
    assert "twice" in complaint("base", scales_used=["consortium", "consortium"])
    assert "puts consortium before locality" in complaint("base", scales_used=["consortium", "locality"])
    assert "anchor_scale = consortium, which is not planned" in complaint("base", scales_used=["locality", "alliance"])
    assert "risk_held_at = county" in complaint("base", risk_held_at="county")


def test_scales_that_cannot_nest_are_refused_with_their_sizes() -> None:
    said = complaint("base", scale__locality__min_patients=750_000, scale__locality__max_patients=800_000)
    assert "locality (at least 750,000) cannot nest in consortium (at most 700,000)" in said


def test_a_size_that_no_body_can_have_is_proved_impossible() -> None:
    said = complaint("base", Infeasible, scale__consortium__min_patients=800_000)
    assert "at least 800,000 and at most 700,000" in said and "exceeds the most by 100,000" in said
    assert "max_patients" in said and "base.toml:" in said
    assert "nest" not in complaint("base", Infeasible, scale__consortium__min_patients=3_000_000)
    complaint("base", Infeasible, scale__consortium__min_bodies=4, scale__consortium__max_bodies=3)


# Pins

TOGETHER = '[[pins]]\nkind = "together"\nscale = "locality"\npractices = ["A", "B"]\n'


def test_pins_are_read_and_kept(tmp_path: Path) -> None:
    text = (
        'extends = "base"\n'
        + TOGETHER
        + '[[pins]]\nkind = "fixed"\nscale = "consortium"\npractices = ["C"]\nwith = "A"\n'
    )
    first, second = load_scenario(written(tmp_path, text)).pins
    assert (first.kind, first.practices, first.with_, first.body) == ("together", ("A", "B"), "", "")
    assert (second.kind, second.with_) == ("fixed", "A")


@pytest.mark.parametrize(
    ("other", "over"),
    [
        ('kind = "apart"\nscale = "locality"\npractices = ["B", "A"]', "over B and A at locality"),
        ('kind = "apart"\nscale = "alliance"\npractices = ["X", "A", "B"]', "over A and B at alliance"),
        ('kind = "forbidden"\nscale = "consortium"\npractices = ["B"]\nwith = "A"', "over B and A at consortium"),
    ],
)
def test_contradictory_pins_name_both_entries_and_their_lines(tmp_path: Path, other: str, over: str) -> None:
    said = complaint(written(tmp_path, 'extends = "base"\n' + TOGETHER + "[[pins]]\n" + other + "\n"))
    assert over in said and "mine.toml:2:pins.0" in said and "mine.toml:6:pins.1" in said


def test_pins_contradict_through_a_chain_and_through_bodies() -> None:
    tie = [{"kind": "together", "scale": "locality", "practices": pair} for pair in (["A", "B"], ["B", "C"])]
    said = complaint("base", pins=[*tie, {"kind": "apart", "scale": "consortium", "practices": ["A", "C"]}])
    assert all(f"pin {n} " in said for n in (1, 2, 3))
    fixed = [{"kind": "fixed", "scale": "locality", "practices": [p], "body": b} for p, b in (("A", "Q1"), ("B", "Q2"))]
    assert "body Q1" in complaint("base", pins=[tie[0], *fixed])
    forbidden = {"kind": "forbidden", "scale": "locality", "practices": ["A"], "body": "Q1"}
    assert "pin 2 (forbidden" in complaint("base", pins=[fixed[0], forbidden])


def test_pins_apart_below_may_be_together_above() -> None:
    pins = [
        {"kind": "apart", "scale": "locality", "practices": ["A", "B"]},
        {"kind": "together", "scale": "consortium", "practices": ["A", "B"]},
    ]
    assert len(load_scenario("base", {"pins": pins}).pins) == 2


def test_a_pin_is_complete_and_at_a_planned_scale() -> None:
    one = {"kind": "together", "scale": "consortium", "practices": ["A"]}
    assert "two or more practices" in complaint("base", pins=[one])
    assert "either with" in complaint("base", pins=[one | {"kind": "fixed"}])
    assert "either with" in complaint("base", pins=[one | {"kind": "fixed", "with": "B", "body": "Q"}])
    assert "Did you mean consortium?" in complaint("base", pins=[one | {"practices": ["A", "B"], "scale": "consortia"}])
    assert "together" in complaint("base", pins=[one | {"kind": "tied"}])


def test_only_scales_over_the_anchor_can_be_asked_for_smaller_bodies() -> None:
    said = complaint("base", **{"scale.consortium.min_members": 3})
    assert "scale.consortium.min_members" in said and "cannot be asked for 3 smaller bodies" in said
    load_scenario("base", {"scales_used": ["alliance"], "anchor_scale": "alliance", "risk_held_at": "alliance"})


def test_the_rubric_for_suppliers_weighs_all_five_criteria_and_a_score_has_a_range() -> None:
    assert "come to 1.6 over" in complaint("base", suppliers__weights__cost=0.9)
    assert "less than or equal to 3" in complaint("base", suppliers__kinds__own__control=4.0)
    assert "Did you mean control?" in complaint("base", suppliers__kinds__own__controll=1.0)


def test_options_one_and_three_employ_a_team_for_everything_and_base_shares_one() -> None:
    teams = {name: load_scenario(name).costing.support_team for name in ("base", "pooled", "standalone", "merged")}
    assert teams == {"base": "joint", "pooled": "joint", "standalone": "own", "merged": "own"}
