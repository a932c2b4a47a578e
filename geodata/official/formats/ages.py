"""What lists of patients by age have in common, whether ages stand in rows or in columns."""

from __future__ import annotations

import pandas as pd

from geodata.official.columns import Column
from geodata.official.format import Read
from geodata.official.found import Found
from geodata.official.rows import Sifted
from optimiser.errors import DataError, Problem, raise_all

MOST = 1e6
"""Patients of a practice: the largest, in London and online, has 150,000."""
EXACT = 0.001
"""Part of a total by which numbers that make it up may miss it."""
LOOSE = 0.02
"""The same where people of unknown sex are in the total and not among the sexes."""
UNCOUNTED = "no number of patients"
CONTRACT = ["practice", "commissioner", "postcode", "patients", "pct_65plus", "pct_under5", "pct_5_19"]
COMMISSIONER = Column(
    "commissioner", (r"(ccg|sub_icb_location|sub_icb|parent_organisation)_code",), required=False, shown="CCG_CODE"
)
POSTCODE = Column("postcode", ("(practice_)?post_?code",), required=False)
PEOPLE = "how many people each practice looks after, and how old they are"


def add_up(table: Found, totals: pd.Series, parts: pd.Series, within: float = EXACT) -> None:
    """DataError naming each practice whose sexes or ages do not add up to its total; those without parts are passed."""
    apart = (parts.reindex(totals.index) - totals).abs() > (within * totals).clip(lower=2)
    raise_all(
        DataError,
        [
            Problem(
                f"{' '.join(key) if isinstance(key, tuple) else key}: sexes or ages add up to {parts[key]:,.0f}, "
                f"the total is {totals[key]:,.0f}",
                table.name,
                "They make up the total.",
                "The file may be cut short or changed: download it again.",
            )
            for key in totals.index[apart]
        ],
    )


def people_aged(bands: pd.DataFrame) -> dict[str, pd.Series]:
    """People aged 65 and over, under 5, 5 to 19, of bands by their first year; NaN where a band straddles these."""
    first = list(bands.columns)
    split = {0, 5, 20, 65} <= set(first)
    groups = {
        "65plus": [age for age in first if age >= 65],
        "under5": [age for age in first if age < 5],
        "5_19": [age for age in first if 5 <= age < 20],
    }
    return {
        name: bands[ages].sum(axis=1) if split else pd.Series(float("nan"), bands.index)
        for name, ages in groups.items()
    }


def percent(part: pd.Series, whole: pd.Series) -> pd.Series:
    """NaN where there is no whole."""
    return (100 * part / whole.where(whole > 0)).astype(float)


def lists(found: pd.DataFrame, bands: pd.DataFrame, vintage: str, notes: tuple[str, ...], sifted: Sifted) -> Read:
    """The frame of the contract. found: commissioner, postcode and patients by practice. bands: people by practice and
    first year of age."""
    of = bands.sum(axis=1).reindex(found.index)
    shares = {f"pct_{name}": percent(among.reindex(found.index), of) for name, among in people_aged(bands).items()}
    frame = found.assign(**shares).reset_index()[CONTRACT]
    if len(bands.columns) and frame["pct_65plus"].isna().all():
        notes += ("The ages are in ranges that do not part at 5, 20 and 65: shares by age are unknown.",)
    return Read(frame, vintage, notes, sifted.dropped)
