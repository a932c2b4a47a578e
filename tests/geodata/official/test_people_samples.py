"""The published files of people and measures as downloaded: each is what it is and nothing else, holds what its
publisher says, and spoiled copies are refused, not known, or read as far as they are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.official.format import Read
from geodata.official.found import Unread, look
from geodata.official.recognise import Unknown
from optimiser.errors import ConsortiaError
from tests.geodata.official.corrupt import HARMLESS, corruptions, outcomes, shortened
from tests.geodata.official.tables import read

SAMPLES = {
    "gp-reg-pat-prac-all_2021-01.csv": [("lists", 6658, "2021-01-01")],
    "gp-reg-pat-prac-all_2026-02_HEAD-transcribed.csv": [("lists", 14, "2026-02-01")],
    "gp-reg-patients-prac-quin_2014-10_GP_Practice_counts.csv": [("lists", 7875, "2014-10")],
    "gp-reg-pat-prac-map_2025-10.csv": [("geographies", 6202, "2025-10-01")],
    "MAPPING_NHS_GEOGRAPHIES_2021.csv": [("geographies", 6571, "2021-03-31")],
    "ePCN_2022.xlsx": [("pcns", 1318, "2022-05-01"), ("pcn_members", 7359, "2022-06-29")],
    "RECONSTRUCTED_gp-reg-pat-prac-lsoa-all_Staffs_2025-10.csv": [("lsoa_lists", 16600, "2025-10-01")],
    "ONS_LSOA11_CCG21_LAD21_lookup.csv": [("lsoa_areas", 32844, "2021")],
    "ONS_LSOA21_population_weighted_centroids.csv": [("lsoa_places", 33755, "2021")],
    "NHSE_ICB_allocation_tool_2025_2026.csv": [("need", 6348, "2025")],
    "fingertips_93553_IMD2019_GP.csv": [("deprivation", 6545, "2019")],
    "PREVALENCE_2021_v2.csv": [("prevalence", 137991, "2021-03-31")],
    "qof-1415-prac-asthma.xlsx": [("prevalence", 7779, "2015-03-31")],
    "ccg-running-cost-allowance_2012.csv": [("allowances", 211, "2012")],
}
TOTALS = {
    "gp-reg-pat-prac-all_2021-01.csv": ("patients", 60_702_166),
    "gp-reg-patients-prac-quin_2014-10_GP_Practice_counts.csv": ("patients", 56_793_829),
    "NHSE_ICB_allocation_tool_2025_2026.csv": ("patients", 63_849_324),
    "RECONSTRUCTED_gp-reg-pat-prac-lsoa-all_Staffs_2025-10.csv": ("patients", 1_210_000),
    "ccg-running-cost-allowance_2012.csv": ("allowance_gbp", 1.345e9),
}


def readings(samples: Path, folder: Path, name: str) -> list[Read]:
    (folder / name).symlink_to(samples / name)
    tables, unread = look(folder)
    assert not unread
    return [read(table, key) for table, (key, _, _) in zip(tables, SAMPLES[name], strict=True)]


@pytest.mark.england
@pytest.mark.parametrize("name", SAMPLES)
def test_each_is_what_it_is(samples: Path, tmp_path: Path, name: str) -> None:
    found = readings(samples, tmp_path, name)
    assert [(len(got.frame), got.vintage) for got in found] == [(rows, vintage) for _, rows, vintage in SAMPLES[name]]
    if name in TOTALS:
        column, total = TOTALS[name]
        assert found[0].frame[column].sum() == pytest.approx(total, rel=0.002)


@pytest.mark.england
def test_shares_by_age_are_those_of_england(samples: Path, tmp_path: Path) -> None:
    (got,) = readings(samples, tmp_path, "gp-reg-patients-prac-quin_2014-10_GP_Practice_counts.csv")
    weights = got.frame["patients"] / got.frame["patients"].sum()
    means = {name: float((got.frame[name] * weights).sum()) for name in ("pct_65plus", "pct_under5", "pct_5_19")}
    # Mid-2014 estimates of the ONS for England: 17.6, 6.3 and 17.7 per cent.
    assert means == {
        "pct_65plus": pytest.approx(17.0, abs=0.6),
        "pct_under5": pytest.approx(6.1, abs=0.3),
        "pct_5_19": pytest.approx(17.2, abs=0.5),
    }


@pytest.mark.england
def test_need_is_one_over_all_of_england(samples: Path, tmp_path: Path) -> None:
    (got,) = readings(samples, tmp_path, "NHSE_ICB_allocation_tool_2025_2026.csv")
    weighted = got.frame["need_index"] * got.frame["patients"]
    assert weighted.sum() / got.frame["patients"].sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.england
@pytest.mark.parametrize("name", [name for name in SAMPLES if "HEAD" not in name])
def test_spoiled_copies(samples: Path, tmp_path: Path, name: str) -> None:
    whole = outcomes(shortened(samples / name), name, tmp_path)
    tried = 0
    for what, raw, spoilt in corruptions(samples / name, seed=1):
        tried += 1
        found = outcomes(raw, spoilt, tmp_path)
        for after in found:
            assert isinstance(after, Read | Unknown | Unread | ConsortiaError), what
            if isinstance(after, ConsortiaError):
                assert name in str(after), what
        for before, after in zip(whole, found, strict=False) if what in HARMLESS else ():
            if isinstance(after, Read):
                assert isinstance(before, Read)
                assert after.frame.reset_index(drop=True).equals(before.frame.reset_index(drop=True)), what
    assert tried >= 20
