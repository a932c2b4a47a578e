"""Codes of local authorities that were replaced, and what replaced them.

The Office for National Statistics gives an authority a new code whenever its boundary changes by law, however little,
and whenever authorities merge. Files of different years therefore name one place differently. From its published code
history (Code History Database), for England since codes of nine characters began in 2011, and for Scotland.

An authority that was divided has no single successor and is not here: the counties of Northamptonshire (E10000021, two
authorities since 2021) and Cumbria (E10000006, two since 2023), and Dorset (E10000009), smaller since 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Year from April of which the new code holds: (new code, what it is): old codes.
_CHANGES = {
    2012: {
        ("E07000240", "St Albans"): "E07000100",
        ("E07000241", "Welwyn Hatfield"): "E07000104",
    },
    2013: {
        ("E06000057", "Northumberland"): "E06000048",
        ("E07000242", "East Hertfordshire"): "E07000097",
        ("E07000243", "Stevenage"): "E07000101",
        ("E08000037", "Gateshead"): "E08000020",
    },
    2018: {
        ("S12000047", "Fife"): "S12000015",
        ("S12000048", "Perth and Kinross"): "S12000024",
    },
    2019: {
        ("S12000049", "Glasgow City"): "S12000046",
        ("S12000050", "North Lanarkshire"): "S12000044",
        ("E06000058", "Bournemouth, Christchurch and Poole"): "E06000028 E06000029 E07000048",
        ("E06000059", "Dorset"): "E07000049 E07000050 E07000051 E07000052 E07000053",
        ("E07000244", "East Suffolk"): "E07000205 E07000206",
        ("E07000245", "West Suffolk"): "E07000201 E07000204",
        ("E07000246", "Somerset West and Taunton"): "E07000190 E07000191",
    },
    2020: {
        ("E06000060", "Buckinghamshire"): "E10000002 E07000004 E07000005 E07000006 E07000007",
    },
    2021: {
        ("E06000061", "North Northamptonshire"): "E07000150 E07000152 E07000153 E07000156",
        ("E06000062", "West Northamptonshire"): "E07000151 E07000154 E07000155",
    },
    2023: {
        ("E06000063", "Cumberland"): "E07000026 E07000028 E07000029",
        ("E06000064", "Westmorland and Furness"): "E07000027 E07000030 E07000031",
        ("E06000065", "North Yorkshire"): (
            "E10000023 E07000163 E07000164 E07000165 E07000166 E07000167 E07000168 E07000169"
        ),
        ("E06000066", "Somerset"): "E10000027 E07000187 E07000188 E07000189 E07000246",
    },
    2025: {
        ("E08000038", "Barnsley"): "E08000016",
        ("E08000039", "Sheffield"): "E08000019",
    },
}
NAMES: Mapping[str, str] = MappingProxyType({code: name for year in _CHANGES.values() for code, name in year})
"""New code → the authority's name."""
SUCCESSORS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        old: (new, year)
        for year, changes in _CHANGES.items()
        for (new, _), olds in changes.items()
        for old in olds.split()
    }
)
"""Old code → the code that replaced it, and the year."""


def current(code: str) -> str:
    """The code that holds today for the ground of an authority, or the code itself where nothing replaced it."""
    while code in SUCCESSORS:
        code = SUCCESSORS[code][0]
    return code
