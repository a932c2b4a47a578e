"""Importing English open data: a make-believe bundle whose answers are known, and the real one."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pytest

from geodata.official.england_dataset import ImportReport
from geodata.official.england_open import import_england_open
from geodata.official.england_services import provider_kind
from geodata.official.tables import readable
from geodata.read import read_dataset
from optimiser.domain import EVIDENCE
from optimiser.errors import DataError, OutputError
from tests.geodata.england_bundle import collection, district_features, practice_rows, write_bundle
from tests.worlds import csv_text

NO_TYPE_1 = "NHS trust (general & acute beds, no type 1 A&E)"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "bundle")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def spend(folder: Path, **wanted: str) -> float:
    flows = rows_of(folder / "flows.csv")
    return sum(float(row["spend"]) for row in flows if all(row[key] == value for key, value in wanted.items()))


def share_west(folder: Path, service: str, practices: range) -> float:
    codes = {f"Z{i:05d}" for i in practices}
    flows = [row for row in rows_of(folder / "flows.csv") if row["practice"] in codes and row["service"] == service]
    west = sum(float(row["spend"]) for row in flows if row["provider"] == "RWW")
    return west / sum(float(row["spend"]) for row in flows)


def test_the_bundle_becomes_a_dataset_that_reads(source: Path, tmp_path: Path):
    report = import_england_open(source, tmp_path / "out")
    ground = read_dataset(tmp_path / "out")
    dataset = ground.dataset
    assert report.practices == len(dataset.practices) == 12
    assert report.patients == dataset.patients.sum()
    assert set(report.flows) == set(EVIDENCE) - {"observed"}
    assert {p.code: p.kind for p in dataset.providers} == {
        "RWW": "acute", "REE": "acute", "RMM": "mental_health", "RCC": "community", "RAA": "ambulance",
        "NEYE": "independent",
    }  # fmt: skip
    first = dataset.practices[0]
    assert (first.name, first.lower_authority, first.upper_authority) == (
        "The Westland Surgery", "E07000001", "E10000001",
    )  # fmt: skip
    assert first.existing == {"locality": "U0", "consortium": "AA1", "alliance": "QAA"}
    assert (first.need_index, first.rural, first.prescribing_index) == (1.2, 0.6, 1.0)


def test_the_documents_say_what_must_travel_with_the_data(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "out", region="Y01")
    about = tomllib.loads((tmp_path / "out" / "dataset.toml").read_text(encoding="utf-8"))
    assert (about["name"], about["price_year"], about["list_year"]) == ("Gridland", "2010/11", "2025")
    assert about["geography_year"] == "2025 (authorities 2023)"
    assert "Open Government Licence" in about["licence"]
    assert "Contains National Statistics data" in about["attribution"]
    assert any("BB1" in note for note in about["notes"])
    assert not any(str(tmp_path) in note for note in about["notes"])


def test_observed_totals_hold_for_each_sub_icb(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "out")
    assert share_west(tmp_path / "out", "S10", range(4)) == pytest.approx(0.75, abs=0.001)
    assert share_west(tmp_path / "out", "S10", range(4, 8)) == pytest.approx(0.5, abs=0.001)


def test_within_a_sub_icb_the_near_practices_use_a_provider_more(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "out")
    assert share_west(tmp_path / "out", "S10", range(4, 5)) > share_west(tmp_path / "out", "S10", range(6, 7)) + 0.1


def test_labels_follow_what_is_known(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "out")
    label = {(row["practice"], row["service"]): row["label"] for row in rows_of(tmp_path / "out" / "flows.csv")}
    assert label["Z00000", "S10"] == "disaggregated"
    assert label["Z00000", "S17"] == "proxy service"
    assert label["Z00000", "S40"] == "distance only"
    assert label["Z00008", "S10"] == label["Z00008", "S17"] == "distance only"


def test_spend_is_catalogue_rate_times_patients_times_need(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "out")
    assert spend(tmp_path / "out", practice="Z00000", service="S10") == pytest.approx(
        45 / 1000 * 200 * 5000 * 1.2, abs=3
    )


def test_a_clipped_provider_keeps_its_whole_income(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "all")
    import_england_open(source, tmp_path / "west", icbs=["QAA"])
    whole = {row["code"]: float(row["income"]) for row in rows_of(tmp_path / "all" / "providers.csv")}
    clipped = {row["code"]: float(row["income"]) for row in rows_of(tmp_path / "west" / "providers.csv")}
    assert clipped == {code: whole[code] for code in clipped}
    assert spend(tmp_path / "west", provider="REE") < 0.8 * clipped["REE"]


def test_commissioners_without_practices_are_income_from_elsewhere(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "with")
    pathways = source / "flows.csv"
    pathways.write_text("\n".join(line for line in pathways.read_text().splitlines() if "99X" not in line) + "\n")
    import_england_open(source, tmp_path / "without")
    income = [
        next(float(row["income"]) for row in rows_of(tmp_path / name / "providers.csv") if row["code"] == "RWW")
        for name in ("with", "without")
    ]
    assert income[1] == pytest.approx(spend(tmp_path / "without", provider="RWW"), abs=1)
    assert income[0] > 1.1 * spend(tmp_path / "with", provider="RWW")


@pytest.mark.parametrize(
    ("without", "labels"),
    [
        (("flows.csv",), {"proxy service", "distance only"}),
        (("flows.csv", "providers.csv"), {"distance only"}),
        (("provider_sites.csv",), set(EVIDENCE) - {"observed"}),
        (("providers.csv",), set(EVIDENCE) - {"observed"}),
        (("providers.csv", "provider_sites.csv", "utla_boundaries.geojson"), {"disaggregated", "proxy service"}),
        (("flows.csv", "providers.csv", "provider_sites.csv", "la_boundaries.geojson"), set()),
        (("flows.csv", "providers.csv", "provider_sites.csv", "utla_boundaries.geojson"), set()),
    ],
)
def test_any_part_of_the_bundle_works(tmp_path: Path, without: tuple[str, ...], labels: set[str]):
    report = import_england_open(write_bundle(tmp_path / "bundle", *without), tmp_path / "out")
    assert set(report.flows) <= labels
    assert bool(report.flows) == bool(labels)
    dataset = read_dataset(tmp_path / "out").dataset
    assert len(dataset.practices) == 12
    assert all(p.lower_authority and p.upper_authority for p in dataset.practices)


def test_without_pathways_nothing_claims_to_be_disaggregated(tmp_path: Path):
    report = import_england_open(write_bundle(tmp_path / "bundle", "flows.csv"), tmp_path / "out")
    assert report.decay_exponent is None and report.r_squared is None
    assert "disaggregated" not in report.flows
    assert share_west(tmp_path / "out", "S10", range(1)) > share_west(tmp_path / "out", "S10", range(9, 10))


def test_an_island_gets_a_ferry_and_icbs_apart_a_link(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "out")
    links = rows_of(tmp_path / "out" / "links.csv")
    assert [(row["from"], row["kind"]) for row in links] == [("Z00011", "ferry")]
    assert "derived" in links[0]["note"]
    shutil.rmtree(tmp_path / "out")
    rows = practice_rows()
    for row in rows[4:8]:
        row["icb_code"] = "QCC"
    (source / "practices.csv").write_text(csv_text(rows), encoding="utf-8")
    report = import_england_open(source, tmp_path / "out", icbs=["QAA", "QBB"])
    assert {row["kind"] for row in rows_of(tmp_path / "out" / "links.csv")} == {"ferry", "gap"}
    assert report.links == 2
    assert len(read_dataset(tmp_path / "out").dataset.practices) == 8


def with_hole(features: list[dict], size: float) -> list[list[float]]:
    """Cut a square hole, `size` degrees wide, in the middle of Eastland; its ring."""
    (x, y) = np.mean(features[2]["geometry"]["coordinates"][0][:4], axis=0).tolist()
    hole = [[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]
    features[2]["geometry"]["coordinates"].append(hole)
    return hole


def areas_of(folder: Path) -> dict[str, dict]:
    written = json.loads((folder / "areas.geojson").read_text(encoding="utf-8"))
    return {feature["properties"]["code"]: feature for feature in written["features"]}


def test_a_hole_left_by_generalising_is_filled(source: Path, tmp_path: Path):
    features = district_features()
    with_hole(features, 0.003)
    (source / "la_boundaries.geojson").write_text(collection(features), encoding="utf-8")
    report = import_england_open(source, tmp_path / "out")
    assert any("hole" in note for note in report.notes)
    assert len(areas_of(tmp_path / "out")["E06000003"]["geometry"]["coordinates"]) == 1


def test_an_enclosed_authority_without_practices_comes_along(source: Path, tmp_path: Path):
    features = district_features()
    ring = with_hole(features, 0.05)
    properties = {"lad_code": "E06000009", "lad_name": "Enclave", "utla_code": "E06000009"}
    features.append(
        {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    )
    (source / "la_boundaries.geojson").write_text(collection(features), encoding="utf-8")
    (source / "utla_boundaries.geojson").unlink()
    import_england_open(source, tmp_path / "out", icbs=["QBB"])
    assert set(areas_of(tmp_path / "out")) == {"E06000003", "E06000004", "E06000009"}
    assert len(read_dataset(tmp_path / "out").dataset.practices) == 4


def test_existing_bodies_can_be_others(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "out", existing={"consortium": "ccg_code"})
    practices = read_dataset(tmp_path / "out").dataset.practices
    assert practices[0].existing["consortium"] == "00001"
    assert practices[0].existing_names["consortium"] == "Old North Ccg"
    assert practices[0].existing["locality"] == "U0"


@pytest.mark.parametrize(
    ("options", "where", "mend"),
    [
        ({"icbs": ["QAB"]}, "--icb", "QAA"),
        ({"icbs": ["qaa"]}, "--icb", "Write QAA"),
        ({"region": "Y02"}, "--region", "Y01"),
        ({"existing": {"consortium": "cgc_code"}}, "practices.csv:1:cgc_code", "ccg_code"),
        ({"icbs": ["QAA"], "region": "Y01"}, "--icb, --region", "one of them"),
    ],
)
def test_what_nobody_has_is_answered_with_the_nearest(source: Path, tmp_path: Path, options, where: str, mend: str):
    with pytest.raises(DataError) as caught:
        import_england_open(source, tmp_path / "out", **options)
    (problem,) = caught.value.problems
    assert problem.where == where
    assert mend in problem.mend
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("file", "column"),
    [
        ("practices.csv", "list_size"),
        ("practices.csv", "code"),
        ("practices.csv", "lat"),
        ("providers.csv", "name"),
        ("provider_sites.csv", "parent_code"),
        ("flows.csv", "new_pathways"),
    ],
)
def test_a_missing_column_is_named_with_its_place(source: Path, tmp_path: Path, file: str, column: str):
    text = (source / file).read_text(encoding="utf-8")
    header, rest = text.split("\n", 1)
    cells = [f"old_{name}" if name == column else name for name in header.split(",")]
    (source / file).write_text(",".join(cells) + "\n" + rest, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        import_england_open(source, tmp_path / "out")
    assert caught.value.problems[0].where == f"{file}:1:{column}"
    assert f"old_{column}" in caught.value.problems[0].mend


def test_text_where_a_number_belongs_and_a_double_code_are_named_by_row(source: Path, tmp_path: Path):
    rows = practice_rows()
    rows[3]["list_size"] = "5,000"
    (source / "practices.csv").write_text(csv_text(rows), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        import_england_open(source, tmp_path / "out")
    assert [p.where for p in caught.value.problems] == ["practices.csv:5:list_size"]
    rows = practice_rows()
    rows[3]["code"] = rows[1]["code"]
    (source / "practices.csv").write_text(csv_text(rows), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        import_england_open(source, tmp_path / "out")
    assert [p.where for p in caught.value.problems] == ["practices.csv:3:code", "practices.csv:5:code"]


def test_unusable_practices_are_left_out_with_a_reason(source: Path, tmp_path: Path):
    rows = practice_rows()
    rows[0]["list_size"] = ""
    rows[1]["lat"] = ""
    rows[2]["code"] = ""
    rows[8]["list_size"] = "0"
    (source / "practices.csv").write_text(csv_text(rows), encoding="utf-8")
    report = import_england_open(source, tmp_path / "out", icbs=["QAA"])
    assert report.practices == 5
    assert [(code, row) for code, _, row, _ in report.excluded] == [("Z00000", "2"), ("Z00001", "3"), ("", "4")]
    written = rows_of(tmp_path / "out" / "excluded.csv")
    assert [row["reason"] for row in written] == ["no list size", "no coordinates in Great Britain", "no code"]


def test_an_authority_the_boundaries_lack_is_found_by_place(source: Path, tmp_path: Path):
    rows = practice_rows()
    rows[0]["lad_code"] = "E07999999"
    (source / "practices.csv").write_text(csv_text(rows), encoding="utf-8")
    import_england_open(source, tmp_path / "out")
    assert rows_of(tmp_path / "out" / "practices.csv")[0]["lower_authority"] == "E07000001"


def test_no_boundaries_are_refused(tmp_path: Path):
    source = write_bundle(tmp_path / "bundle", "la_boundaries.geojson", "utla_boundaries.geojson")
    with pytest.raises(DataError, match="no authority boundary file"):
        import_england_open(source, tmp_path / "out")


def test_a_dataset_is_only_replaced_when_asked_and_other_folders_never(source: Path, tmp_path: Path):
    out = tmp_path / "out"
    import_england_open(source, out, icbs=["QAA"])
    with pytest.raises(OutputError, match="already holds a dataset"):
        import_england_open(source, out)
    assert len(rows_of(out / "practices.csv")) == 8
    import_england_open(source, out, overwrite=True)
    assert len(rows_of(out / "practices.csv")) == 12
    other = tmp_path / "other"
    other.mkdir()
    (other / "letter.txt").write_text("keep me")
    with pytest.raises(OutputError, match="not empty"):
        import_england_open(source, other, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "other", "out"]


def test_the_same_source_gives_the_same_bytes(source: Path, tmp_path: Path):
    import_england_open(source, tmp_path / "one")
    import_england_open(source, tmp_path / "two")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


@pytest.mark.parametrize(
    ("published", "read"),
    [
        ("NORTH BRISTOL NHS TRUST", "North Bristol NHS Trust"),
        ("ST GEORGE'S (UPON-TYNE) SURGERY", "St George's (Upon-Tyne) Surgery"),
        ("Already Written", "Already Written"),
        ("THE HEALTH CENTRE ON THE HILL", "The Health Centre on the Hill"),
    ],
)
def test_names_in_capitals_are_made_readable(published: str, read: str):
    assert readable(published) == read


@pytest.mark.parametrize(
    ("code", "name", "published", "acute", "mental", "kind"),
    [
        ("RYF", "SOUTH WESTERN AMBULANCE SERVICE NHS FOUNDATION TRUST", "NHS trust (other)", 0, 0, "ambulance"),
        ("RT5", "LEICESTERSHIRE PARTNERSHIP NHS TRUST", "NHS trust (other)", 0, 0, "mental_health"),
        ("RP6", "MOORFIELDS EYE HOSPITAL NHS FOUNDATION TRUST", NO_TYPE_1, 10, 0, "acute"),
        ("R1A", "HEREFORDSHIRE HEALTH AND CARE NHS TRUST", NO_TYPE_1, 36, 141, "mental_health"),
        ("RYW", "BIRMINGHAM COMMUNITY HEALTHCARE NHS FOUNDATION TRUST", "NHS trust (other)", 242, 0, "community"),
        ("RT4", "WELSH AMBULANCE SERVICES NHS TRUST", "NHS trust (other)", 0, 0, "other"),
        ("NLX", "SIRONA CARE & HEALTH", "Other provider", 0, 0, "community"),
        ("AAV", "COMMUNITY HEALTH AND EYECARE LIMITED", "Other provider", 0, 0, "independent"),
        ("REN", "THE CLATTERBRIDGE CANCER CENTRE NHS FOUNDATION TRUST", "NHS mental health trust", 0, 0, "acute"),
        ("RX9", "A HEALTHCARE NHS FOUNDATION TRUST", "NHS mental health trust", 0, 0, "mental_health"),
    ],
)  # fmt: skip
def test_kinds_of_provider(code: str, name: str, published: str, acute: float, mental: float, kind: str):
    assert provider_kind(code, name, published, acute, mental) == kind


@pytest.fixture(scope="module")
def bristol(england_source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ImportReport]:
    out = tmp_path_factory.mktemp("england") / "quy"
    return out, import_england_open(england_source, out, icbs=["QUY"])


@pytest.mark.england
def test_bristol_is_seventy_practices_with_labelled_flows(bristol: tuple[Path, ImportReport]):
    out, report = bristol
    assert (report.practices, report.areas) == (70, 6)
    assert set(report.flows) == set(EVIDENCE) - {"observed"}
    assert report.r_squared is not None and report.r_squared > 0.85
    assert report.raked_r_squared is not None and report.raked_r_squared > 0.98
    dataset = read_dataset(out).dataset
    assert {p.existing["alliance"] for p in dataset.practices} == {"QUY"}
    assert not dataset.warnings or all("years differ" in warning for warning in dataset.warnings)


@pytest.mark.england
def test_bristol_does_not_own_its_hospitals(bristol: tuple[Path, ImportReport]):
    out, _ = bristol
    for trust in ("RA7", "RVJ"):
        income = next(float(row["income"]) for row in rows_of(out / "providers.csv") if row["code"] == trust)
        assert 0.65 < spend(out, provider=trust) / income < 0.8


@pytest.mark.england
def test_scilly_is_reached_by_ferry(england_source: Path, tmp_path: Path):
    source = tmp_path / "part"
    source.mkdir()
    for name in ("practices.csv", "la_boundaries.geojson"):
        (source / name).symlink_to(england_source / name)
    report = import_england_open(source, tmp_path / "out", icbs=["QT6"])
    assert report.practices == 55
    (link,) = rows_of(tmp_path / "out" / "links.csv")
    assert (link["from"], link["kind"]) == ("L82017", "ferry")
    assert len(read_dataset(tmp_path / "out").links) == 1
