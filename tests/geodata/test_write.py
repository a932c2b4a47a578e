"""The text files of a run: what they hold, what they must never hold, and that numbers survive the journey."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from geodata import disclosure, summary, write
from optimiser.domain import Relationship
from optimiser.errors import DisclosureError
from optimiser.five_questions import question_of
from tests import plans


@pytest.fixture(scope="module")
def plan():
    return plans.plan()


@pytest.fixture(scope="module")
def folder(plan, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    for step in (write.write_tables, write.write_documents, write.write_verification):
        step(plan, folder)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def document(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_csv_has_a_byte_order_mark_and_one_kind_of_line_end(folder):
    files = sorted(folder.glob("*.csv"))
    assert len(files) == 31
    for path in files:
        content = path.read_bytes()
        assert content.startswith(b"\xef\xbb\xbf") and content.count(b"\xef\xbb\xbf") == 1
        assert b"\r" not in content


def test_practices_csv_names_the_body_of_every_practice_at_every_scale(plan, folder):
    found = rows(folder / "practices.csv")
    assert [r["code"] for r in found] == [p.code for p in plan.dataset.practices]
    for scale in plan.structure.scales:
        for i, row in enumerate(found):
            body = plan.structure.body_of(scale, i)
            assert (row[scale], row[f"{scale}_name"]) == (body.code, body.name)
    assert found[0]["existing_consortium_name"] == "Old West PCT"


def test_bodies_csv_holds_every_body_with_every_measure_and_its_evidence(plan, folder):
    found = rows(folder / "bodies.csv")
    assert len(found) == 4 + 2 + 1
    assert {"cash_per_head", "outside_home", "leverage", "leverage_evidence"} <= set(found[0])
    assert "cash_per_head_evidence" not in found[0]
    first = plan.scorecard.bodies["locality"][0]
    assert float(found[0]["cash_per_head"]) == first.measures["cash_per_head"].value
    assert sum(int(r["patients"]) for r in found if r["scale"] == "locality") == plan.dataset.patients.sum()
    assert {r["parent"] for r in found if r["scale"] == "alliance"} == {""}


def test_the_summary_adds_up(plan, folder):
    found = document(folder / "summary.json")
    assert sum(found["terms"].values()) == pytest.approx(found["objective"], rel=1e-12)
    assert found["cash"] + found["expected"] + found["notional"] == pytest.approx(found["objective"], rel=1e-12)
    assert sum(found["avoidable_shares"].values()) == pytest.approx(1.0)
    assert found["gap"] == pytest.approx(0.02)
    assert found["status"] == "feasible (bound conditional)"
    for key in (
        "bound",
        "gap_avoidable",
        "price_of_nesting",
        "seconds",
        "estimated",
        "assumptions",
        "warnings",
        "vintages",
    ):
        assert key in found
    for scale in plan.structure.scales:
        assert found["scales"][scale]["bodies"] == len(plan.structure.bodies[scale])
        assert {"objective", "bound", "gap", "gap_avoidable"} <= set(found["scales"][scale])
    assert {"objective", "bound", "gap"} <= set(found["placement"])
    assert found["baseline"]["cash_per_head"]["value"] == 25.9
    assert found["estimated"]["flows"]["disaggregated"]["share"] > 0
    assert [a["rate"] for a in found["assumptions"]] == ["engagement", "management"]
    assert [c["change"] for c in found["assumptions"][0]["changes"]] == [-0.5, 0.5]


def test_a_plan_that_a_clock_cut_is_no_longer_called_the_best(plan):
    assert replace(plan, cut=("sensitivity",)).claim == "Best for these assumptions", "the plan itself was finished"
    assert summary.headline(replace(plan, cut=("locality",))).startswith("Best found in the time allowed: 1 alliance")
    assert replace(plan, cut=("services",), interrupted=True).claim.startswith("Unfinished")


def test_the_headline_says_for_these_assumptions_and_never_optimal_without_proof(plan):
    assert summary.headline(plan).startswith("Best for these assumptions: 1 alliance, 2 consortia and 4 localities.")
    assert "The structure is proved within 2.0 % of the best possible" in summary.headline(plan)
    assert "for this structure" in summary.headline(plan)
    proved = replace(
        plan, placement=None, certificates={s: replace(c, bound=c.objective) for s, c in plan.certificates.items()}
    )
    assert summary.status(proved) == "optimal"
    assert "The structure is proved the best possible for the costs it is charged." in summary.headline(proved)


def test_a_plan_without_placement_or_baseline_is_written_too(plan, tmp_path):
    bare = replace(plan, placement=None, baseline=None)
    for step in (write.write_tables, write.write_documents, write.write_verification):
        step(bare, tmp_path)
    found = document(tmp_path / "summary.json")
    assert found["placement"] is None and found["baseline"] is None
    assert not (tmp_path / "bodies_today.csv").exists()
    assert rows(tmp_path / "placement.csv") == []


def test_verification_files_give_the_numbers_back_bit_by_bit(plan, tmp_path):
    odd = replace(plan.dataset.practices[0], easting=362000.1, northing=1 / 3 * 1e6, deprivation=0.1 + 0.2)
    changed = replace(plan, dataset=replace(plan.dataset, practices=(odd, *plan.dataset.practices[1:])))
    write.write_verification(changed, tmp_path)
    first, *_ = found = rows(tmp_path / "attributes.csv")
    assert (float(first["easting"]), float(first["northing"])) == (362000.1, 1 / 3 * 1e6)
    assert float(first["deprivation"]) == 0.1 + 0.2
    assert found[4]["deprivation"] == ""
    assert list(first)[:7] == [
        "code",
        "easting",
        "northing",
        "patients",
        "lower_authority",
        "upper_authority",
        "existing_consortium",
    ]
    pairs = {(r["a"], r["b"]) for r in rows(tmp_path / "adjacency.csv")}
    codes = [p.code for p in plan.dataset.practices]
    assert pairs == {(codes[i], codes[j]) for i, j in plan.dataset.adjacency}
    certificate = document(tmp_path / "certificate.json")
    assert certificate["objective"] == plan.objective
    assert certificate["scales"]["locality"]["evidence"] == {"pi": [0.0, 1.0, 2.0]}
    assert set(certificate["placement"]) == {*certificate["scales"]["locality"], "terms"}
    assert certificate["placement"]["terms"] == dict(plan.placement.terms)


def test_every_service_answers_one_of_the_five_questions(folder):
    found = rows(folder / "five_questions.csv")
    answers = {(r["item_name"], r["question"]) for r in found if r["kind"] == "service"}
    assert answers == {
        ("District nursing", "1"), ("Outpatient care", "2"), ("Emergency admissions", "3"), ("Rare disorders", "4"),
    }  # fmt: skip
    for body in ("consortium-01", "consortium-02"):
        own = [r for r in found if r["consortium"] == body]
        assert [r["question"] for r in own] == sorted(r["question"] for r in own)
        assert [r["item"] for r in own if r["kind"] == "service"] == ["S04", "S01", "S02", "S03"]
    bought = next(r for r in found if r["question"] == "5")
    assert (bought["consortium"], bought["item"], bought["scale"], bought["mode"]) == (
        "consortium-01", "F02", "market", "buy",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scale", "question"),
    [("practice", 1), ("locality", 1), ("consortium", 2), ("footprint", 3), ("alliance", 3), ("authority", 3),
     ("agency", 4), ("region", 4), ("condition_group", 4)],
)  # fmt: skip
def test_which_question_a_commission_answers(plan, scale, question):
    assert question_of(scale, plan.structure.scales, "consortium") == question


def test_why_here_holds_every_service_at_every_scale_with_its_forces(plan, folder):
    found = rows(folder / "why_here.csv")
    assert len(found) == len(plan.why_here)
    for row in found:
        forces = sum(float(v) for k, v in row.items() if k.startswith("term_"))
        assert forces == pytest.approx(float(row["total"]))
        assert (row["break_even"] == "") == (row["scale"] == row["scale_now"])
    shared = [r for r in found if r["service"] == "S02"]
    assert {r["members"] for r in shared} == {"consortium-01;consortium-02"}
    assert {(r["scale"], r["break_even"], float(r["difference"])) for r in shared} == {
        ("footprint", "", 0.0), ("consortium", "150000", 2_000.0),
    }  # fmt: skip
    assert {r["break_even"] for r in found if r["scale_now"] == "region" != r["scale"]} == {"never"}


def test_wishes_answered_holds_every_wish_and_its_price(plan, folder):
    kept, not_kept, unheard = rows(folder / "wishes_answered.csv")
    assert (kept["who_name"], kept["strength"], kept["wished"], kept["given"]) == (
        "Old West PCT", "firm", "footprint", "footprint",
    )  # fmt: skip
    assert (kept["kept"], kept["binds"], kept["price_is"]) == ("yes", "yes", "saved by dropping it, at least")
    assert (not_kept["kept"], not_kept["price"], not_kept["price_is"]) == ("no", "12345.0", "to grant it, at most")
    assert (unheard["consortium"], unheard["kept"], unheard["price"]) == ("", "", "")
    found = document(folder / "summary.json")["wishes"]
    assert found["firm"] == {"kept": 1, "in_part": 0, "not_kept": 0, "binding": 1}
    assert found["soft"] == {"kept": 0, "in_part": 0, "not_kept": 1, "binding": 0}
    assert found["kept_share"] == pytest.approx(108_000 / 117_000)


def test_spend_that_would_give_away_a_small_count_is_hidden(plan, folder):
    for row in rows(folder / "placement.csv"):
        assert (row["spend"] == "*") == (row["service"] == "S03")  # 0.05 cases in 1,000 people: three or four a body
    assert {r["amount"] for r in rows(folder / "five_questions.csv") if r["item"] == "S03"} == {"*"}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")'])
def test_text_that_a_spreadsheet_would_run_stays_text(text):
    assert write.cell(text) == f"'{text}"


def test_numbers_are_not_mistaken_for_formulas():
    assert write.cell(-1.5) == "-1.5"
    assert write.cell(float("nan")) == ""
    assert write.cell(None) == ""
    assert write.cell(True) == "yes"


@pytest.mark.parametrize(
    ("cases", "shown"),
    [
        (0, 0),
        (0.2, "*"),
        (1, "*"),
        (7, "*"),
        (7.4, "*"),
        (7.5, 10),
        (8, 10),
        (12, 10),
        (12.5, 15),
        (13, 15),
        (1002.4, 1000),
    ],
)
def test_small_counts_are_hidden_and_others_rounded(plan, cases, shown):
    assert disclosure.suppress(cases, plan.scenario.disclosure) == shown


@pytest.mark.parametrize("cases", [-1, float("nan")])
def test_an_impossible_count_is_refused(plan, cases):
    with pytest.raises(ValueError, match="count of cases"):
        disclosure.suppress(cases, plan.scenario.disclosure)


def test_confidential_relationships_are_nowhere_in_the_run(plan, folder):
    disclosure.gate(plan, folder)
    assert [(r["practice"], r["other"]) for r in rows(folder / "relationships.csv")] == [("P01", "P02")]
    for path in folder.iterdir():
        assert "0.8125" not in path.read_text(encoding="utf-8"), path.name


def test_a_planted_confidential_row_stops_publication(plan, folder, tmp_path):
    (tmp_path / "relationships.csv").write_text("practice,other,strength\nP12,P03,-0.8125\n", encoding="utf-8-sig")
    with pytest.raises(DisclosureError, match=r"relationships\.csv:2") as found:
        disclosure.gate(plan, tmp_path)
    assert found.value.exit_code == 9
    assert "P03" not in str(found.value) and "P12" not in str(found.value)


@pytest.mark.parametrize("sentence", ["P03 would rather not work with P12", "Corfe Surgery is kept from Lyme Surgery"])
def test_a_sentence_that_names_a_confidential_pair_stops_publication(plan, folder, sentence):
    told = plan.placement.commissions[0]
    reasons = replace(plan.placement, commissions=(replace(told, reason=sentence), *plan.placement.commissions[1:]))
    for leaking in (replace(plan, placement=reasons), replace(plan, warnings=(sentence,))):
        with pytest.raises(DisclosureError, match="named together"):
            disclosure.gate(leaking, folder)


def test_a_longer_code_is_not_taken_for_a_confidential_one(plan, folder):
    disclosure.gate(replace(plan, warnings=("P033 and P12 share a building", "P03a, P12")), folder)


def test_a_pair_that_is_also_declared_publicly_is_published_once(plan, tmp_path):
    both = (*plan.dataset.relationships, Relationship("P12", "P03", 0.25, False))
    declared = replace(plan, dataset=replace(plan.dataset, relationships=both))
    write.write_verification(declared, tmp_path)
    disclosure.gate(declared, tmp_path)
    assert [r["strength"] for r in rows(tmp_path / "relationships.csv")] == ["0.5", "0.25"]


def test_no_local_path_leaves_with_the_scenario(plan, tmp_path):
    written = replace(plan, scenario=plan.scenario.model_copy(update={"dataset": str(tmp_path / "north")}))
    write.write_documents(written, tmp_path)
    assert document(tmp_path / "scenario.json")["dataset"] == "north"
    assert str(tmp_path) not in (tmp_path / "scenario.json").read_text()


def test_writing_twice_gives_the_same_bytes(plan, folder, tmp_path):
    for step in (write.write_tables, write.write_documents, write.write_verification):
        step(plans.plan(), tmp_path)
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes(), path.name
