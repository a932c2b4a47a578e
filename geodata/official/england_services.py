"""What English open data says about each service of the catalogue: facts and proxies, every choice in a table.

Services without a row get no flows: S01–S04 and S54 stay with practices, S46 is bought from care homes, which the
source does not list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Rule = Literal[
    "pathways", "like pathways", "emergency", "walk-in", "mental health", "community", "ambulance", "specialised"
]


@dataclass(frozen=True)
class Basis:
    """How a service's providers are found.

    rule: "pathways": observed elective pathways of the service itself · "like pathways": those of a related specialty ·
    "emergency": A&E attendances and elective ties · "walk-in": attendances other than type 1 · "mental health",
    "community", "specialised": size and distance · "ambulance": the statutory area.
    functions: treatment function codes; () means all. measure: the column counted. nhs_only: trusts alone deliver it.
    """

    rule: Rule
    functions: tuple[str, ...] = ()
    measure: Literal["new_pathways", "completed_admitted"] = "new_pathways"
    nhs_only: bool = False


SURGERY = ("C_100", "C_101", "C_120", "C_140", "C_150", "C_160", "C_170", "C_502", "X05")
SEEN_ELSEWHERE = ("C_130", "C_330")
OUTPATIENTS = (
    *("C_100", "C_101", "C_110", "C_120", "C_140", "C_150", "C_160", "C_170", "C_300", "C_301", "C_320", "C_340"),
    *("C_400", "C_410", "C_430", "C_502", "X02", "X04", "X05", "X06"),
)

_EMERGENCY = Basis("emergency")
_MENTAL = Basis("mental health")
_COMMUNITY = Basis("community")
_AMBULANCE = Basis("ambulance")
_SPECIALISED = Basis("specialised")

BASES: Mapping[str, Basis] = {
    "S05": _COMMUNITY,
    "S06": _COMMUNITY,
    "S07": _COMMUNITY,
    "S08": _COMMUNITY,
    "S09": _MENTAL,
    "S10": Basis("pathways", ("C_330",)),
    "S11": Basis("pathways", ("C_130",)),
    "S12": Basis("like pathways", ("C_130",), "completed_admitted"),
    "S13": Basis("like pathways", nhs_only=True),
    "S14": _COMMUNITY,
    "S15": _AMBULANCE,
    "S16": Basis("walk-in"),
    "S17": _EMERGENCY,
    "S18": _AMBULANCE,
    "S19": _AMBULANCE,
    "S20": _EMERGENCY,
    "S21": _EMERGENCY,
    "S22": Basis("pathways", ("C_110",), "completed_admitted"),
    "S23": Basis("pathways", SURGERY, "completed_admitted"),
    "S24": Basis("pathways", OUTPATIENTS),
    "S25": Basis("like pathways", ("C_502",), nhs_only=True),
    "S26": Basis("like pathways", ("X04",), nhs_only=True),
    "S27": Basis("like pathways", ("X04",), nhs_only=True),
    "S28": _EMERGENCY,
    "S29": Basis("like pathways", ("C_170",), nhs_only=True),
    "S30": _SPECIALISED,
    "S31": Basis("like pathways", ("C_100", "C_101", "C_502"), "completed_admitted", nhs_only=True),
    "S32": _SPECIALISED,
    "S33": _SPECIALISED,
    "S34": _SPECIALISED,
    "S35": _SPECIALISED,
    "S36": _SPECIALISED,
    "S37": Basis("like pathways", ("C_150",), nhs_only=True),
    "S38": Basis("like pathways", ("C_150",), nhs_only=True),
    "S39": _EMERGENCY,
    "S40": _MENTAL,
    "S41": _MENTAL,
    "S42": _MENTAL,
    "S43": _MENTAL,
    "S44": _MENTAL,
    "S45": _MENTAL,
    "S47": _COMMUNITY,
    "S48": _COMMUNITY,
    "S49": _MENTAL,
    "S50": Basis("like pathways", ("C_502",), nhs_only=True),
    "S51": Basis("like pathways", ("C_400",), nhs_only=True),
    "S52": Basis("like pathways", ("C_301", "C_410"), nhs_only=True),
    "S53": _SPECIALISED,
}

EXPONENTS: Mapping[str, float] = {"mental health": 5.0, "community": 2.0, "walk-in": 5.0, "specialised": 2.0}
"""Distance exponents assumed where nothing can be fitted. Community staff travel, so their office says little."""

COMMUNITY_WEIGHTS: Mapping[str, float] = {"community": 1.0, "combined": 0.5, "acute": 0.02}
"""Attraction for community services: community providers, then combined trusts, then hospitals that run them alone."""
COMBINED_TRUSTS = frozenset({"RDY", "RPG", "RT5", "RTQ", "RV9", "RW4", "RW5"})
"""Mental health trusts that run community services though the source lists no general beds for them."""

LARGE_ACUTE_BEDS = 700
"""General and acute beds from which a trust is taken to offer specialised services when nothing better says so."""

AMBULANCE_AREAS: Mapping[str, tuple[str, ...]] = {
    "RX6": ("QHM",),
    "RX7": ("QE1", "QOP", "QYG", "01H"),
    "RX8": ("QF7", "QOQ", "QWO"),
    "RX9": ("QJ2", "QJM", "QK1", "QPM", "QT1", "03H", "03K"),
    "RYA": ("QGH", "QHL", "QNC", "QOC", "QUA", "QWU"),
    "RYC": ("QH8", "QHG", "QJG", "QM7", "QMM", "QUE"),
    "RRU": ("QKK", "QMF", "QMJ", "QRV", "QWE"),
    "RYD": ("QKS", "QNX", "QXU"),
    "RYE": ("QNQ", "QRL", "QU9"),
    "RYF": ("QJK", "QOX", "QR1", "QSL", "QT6", "QUY", "QVV"),
}
"""Ambulance trust → ICBs it serves; a sub-ICB code overrules its ICB (north Cumbria, northern Lincolnshire)."""

SUCCESSORS: Mapping[str, str] = {
    "R1J": "RTQ",
    "RA3": "RA7",
    "RA4": "RH5",
    "RBA": "RH5",
    "RBZ": "RH8",
    "RC1": "RC9",
    "RD3": "R0D",
    "RDD": "RAJ",
    "RDZ": "R0D",
    "RE9": "R0B",
    "RJF": "RTG",
    "RLN": "R0B",
    "RNL": "RNN",
    "RQ8": "RAJ",
    "RVY": "RBN",
    "RXH": "RYR",
}
"""Trusts that merged after the list of sites was drawn up → the trust that runs their sites now."""

# Community interest companies and the like that run an area's community services.
_COMMUNITY_COMPANIES = frozenset({"NLX", "NNF", "NQX", "NR5", "NDJ", "NL8", "NAX", "NHM"})
_NOT_ENGLISH = re.compile(r"\b(WALES|WELSH|VELINDRE|ONLINE)\b")
_MENTAL_NAMES = re.compile(r"MENTAL HEALTH|PARTNERSHIP NHS|PARTNERSHIP UNIVERSITY|MAUDSLEY|NORTH LONDON NHS")
_COMMUNITY_NAMES = re.compile(r"COMMUNITY (INTEREST|HEALTH|PARTNERSHIP|NHS)|\bC\.?I\.?C\b")


def provider_kind(code: str, name: str, published: str, acute_beds: float, mental_beds: float) -> str:
    """The kind (domain.Provider) of an English provider.

    published: the source's derived type, or the sector of its sites, "" when neither is known. Beds are 0 when unknown.
    Combined trusts are called by what most of their beds are for.
    """
    title, source = name.upper(), published.upper()
    if _NOT_ENGLISH.search(title):
        return "other"
    if "AMBULANCE" in title:
        return "ambulance"
    if "HOSPICE" in title:
        return "third_sector"
    if not _is_trust(code, title, source):
        # Eye clinics call themselves "community" too: only companies known to run community services count.
        return "community" if code in _COMMUNITY_COMPANIES else "independent"
    if "TYPE 1 A&E" in source and "NO TYPE 1" not in source:
        return "acute"
    if _COMMUNITY_NAMES.search(title):
        return "community"
    if "CANCER" in title:  # it may neither operate nor have an emergency department
        return "acute"
    if mental_beds > acute_beds or "MENTAL HEALTH" in source or _MENTAL_NAMES.search(title):
        return "mental_health"
    return "acute" if acute_beds > 0 or "NHS TRUST (" not in source else "other"


def _is_trust(code: str, title: str, source: str) -> bool:
    if "NHS TRUST" in title or "NHS FOUNDATION TRUST" in title or source.startswith("NHS"):
        return True
    return not title and len(code) == 3 and code.startswith("R")
