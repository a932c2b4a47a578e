"""Which network, sub-ICB location (once CCG), ICB (once STP) and region each practice is in.

Published files. gp-reg-pat-prac-map, monthly since 2017: CCG_CODE and STP_CODE until June 2022, SUB_ICB_LOCATION_CODE
and ICB_CODE since; networks (PCN_CODE) since 2019, SUPPLIER_NAME since 2023. Of some months of 2017 and 2018 the
columns read CODE, NAME, CCG_ONS_CODE, STP_ONS_CODE, REGIONAL_LOCAL_OFFICE_CODE, and REGON_NAME for the region's name;
STPs have only their ONS code there. MAPPING_NHS_GEOGRAPHIES, yearly with the QOF: CCG_ODS_CODE, STP_ODS_CODE, no
postcode. A practice outside a network has PCN_CODE U and PCN_NAME Unallocated.

The ePCN workbook of ODS: a sheet of the networks, a sheet of the practices in them with the days each joined and left
(a practice that changed network stands in two rows). Its headers hold line breaks and double spaces. The same as CSV
(epcn, epcncorepartnerdetails), usually without a header: told by what their columns hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import pandas as pd

from geodata.official.columns import Column
from geodata.official.dates import iso, qof_year
from geodata.official.format import Format, Read, by_header, text_frame
from geodata.official.found import Found
from geodata.official.rows import BODY, NETWORK, PRACTICE, Sifted, codes, days, each, names, postcodes, together

LOCAL = "sub_?icb(_loc(ation)?)?|ccg"
SYSTEM = "icb|stp|ics"
REGION = "comm(issioning)?_region|nhs(e|_england)?_region|region"
GEOGRAPHIES = (
    Column("practice", ("(gp_)?practice_code", "code"), shown="PRACTICE_CODE"),
    Column("name", ("(gp_)?practice_name", "name"), shown="PRACTICE_NAME"),
    Column("sub_icb_code", (f"({LOCAL})(_ods)?_code",), shown="SUB_ICB_LOCATION_CODE or CCG_CODE"),
    Column("sub_icb_name", (f"({LOCAL})_name",), shown="SUB_ICB_LOCATION_NAME or CCG_NAME"),
    Column(
        "nhs_region_code", ("comm_region_code", f"({REGION})(_ods)?_code"), shown="COMM_REGION_CODE or REGION_ODS_CODE"
    ),
    Column("nhs_region_name", ("comm_region_name", f"({REGION})_name", "regon_name"), required=False),
    Column("icb_code", (f"({SYSTEM})(_ods)?_code", f"({SYSTEM})_ons_code", f"ons_({SYSTEM})_code"), required=False),
    Column("icb_name", (f"({SYSTEM})_name",), required=False),
    Column("pcn_code", ("pcn(_ods)?_code",), required=False),
    Column("pcn_name", ("pcn_name",), required=False),
    Column("postcode", ("(practice_)?post_?code",), required=False),
    Column("date", ("extract_date",), required=False),
)
PARENT = "(clinical_commissioning_group|ccg|sub_icb(_loc(ation)?)?)"
MEMBERS = (
    Column("practice", ("partner_organi[sz]ation_code",), shown="Partner Organisation Code"),
    Column("pcn_code", ("pcn_code",), shown="PCN Code"),
    Column("start", ("practice_to_pcn_relationship_start_date",), shown="Practice to PCN Relationship Start Date"),
    Column("end", ("practice_to_pcn_relationship_end_date",), shown="Practice to PCN Relationship End Date"),
    Column("name", ("partner_name",), required=False),
    Column("pcn_name", ("pcn_name",), required=False),
    Column("commissioner", (f"practice_parent_{PARENT}_code",), required=False),
)
NETWORKS = (
    Column("code", ("pcn_code",), shown="PCN Code"),
    Column("name", ("pcn_name",), shown="PCN Name"),
    Column("commissioner", (f"(current_)?{PARENT}_code",), shown="Current Sub ICB Location Code"),
    Column("opened", ("open_date",), shown="Open Date"),
    Column("closed", ("close_date",), shown="Close Date"),
    Column("street", ("address_line_1",), required=False),
    Column("town", ("address_line_4", "town"), required=False),
    Column("postcode", ("post_?code",), required=False),
    Column("commissioner_name", (f"(current_)?{PARENT}_name",), required=False),
)
DAY = r"\d{8}|\d{4}-\d\d-\d\d|"
BARE_MEMBERS = {0: "practice", 1: "name", 2: "commissioner", 4: "pcn_code", 5: "pcn_name", 8: "start", 9: "end"}
BARE_MEMBERS_SHAPES = {0: rf"{PRACTICE}|[A-Z0-9]+", 2: rf"{BODY}|", 4: NETWORK, 6: rf"{BODY}|", 8: DAY, 9: DAY}
BARE_NETWORKS = {0: "code", 1: "name", 2: "commissioner", 4: "opened", 5: "closed"}
BARE_NETWORKS_SHAPES = {0: NETWORK, 2: rf"{BODY}|", 4: DAY, 5: DAY}
FITTING = 0.9
"""Part of the first rows whose cells must look as expected for a file without a header to be taken for one."""
ELSEWHERE = "partner outside England, or no practice"


def read_geographies(table: Found) -> Read:
    """A row a practice with the codes and names of its network, sub-ICB, ICB and region."""
    sifted = Sifted(table, text_frame(table, GEOGRAPHIES))
    vintage = sifted.newest("date") or qof_year(table.called) or iso(table.called)
    sifted.leave_totals_out("practice")
    frame = sifted.rest()
    shapes = {"pcn_code": NETWORK, "sub_icb_code": BODY, "icb_code": BODY, "nhs_region_code": BODY}
    sifted.frame = pd.DataFrame(
        together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "name": lambda: names(frame["name"]),
                "postcode": lambda: postcodes(frame["postcode"]),
                **{
                    name: lambda name=name: codes(table, frame, name, shapes[name], blank=name != "sub_icb_code")
                    for name in shapes
                },
                **{
                    name: lambda name=name: names(frame[name])
                    for name in ("pcn_name", "sub_icb_name", "icb_name", "nhs_region_name")
                },
            }
        )
    )
    sifted.leave_repeats_out(["practice"])
    found = sifted.rest().reset_index(drop=True)
    notes = sifted.doubts()
    alone = int((found["pcn_code"] == "").sum())
    if alone == len(found):
        notes += ("No practice is in a network; maps from before July 2019 have none.",)
    elif alone:
        notes += (f"{alone} practices are in no network.",)
    if found["icb_code"].str.startswith("E54").any():
        notes += ("ICBs (then STPs) carry ONS codes: the file gives no others.",)
    return Read(found, vintage, notes, sifted.dropped)


def read_members(table: Found) -> Read:
    """A row for each time a practice was in a network: start, and end where it has left."""
    return _members(table, text_frame(table, MEMBERS))


def read_bare_members(table: Found) -> Read:
    """The same from a CSV file without a header."""
    return _members(table, table.frame(None, BARE_MEMBERS))


def read_networks(table: Found) -> Read:
    """A row a network, closed ones too."""
    return _networks(table, text_frame(table, NETWORKS))


def read_bare_networks(table: Found) -> Read:
    """The same from a CSV file without a header."""
    return _networks(table, table.frame(None, BARE_NETWORKS))


def _members(table: Found, frame: pd.DataFrame) -> Read:
    sifted = Sifted(table, frame)
    # Welsh practices and, lately, community pharmacies and care homes are partners too.
    sifted.leave_out(each(frame["practice"], _elsewhere).astype(bool), ELSEWHERE)
    frame = sifted.rest()
    sifted.frame = pd.DataFrame(
        together(
            {
                "practice": lambda: codes(table, frame, "practice", PRACTICE),
                "name": lambda: names(frame["name"]),
                "pcn_code": lambda: codes(table, frame, "pcn_code", NETWORK),
                "pcn_name": lambda: names(frame["pcn_name"]),
                "commissioner": lambda: codes(table, frame, "commissioner", BODY, blank=True),
                "start": lambda: days(table, frame, "start"),
                "end": lambda: days(table, frame, "end"),
            }
        )
    )
    sifted.leave_repeats_out(["practice", "pcn_code", "start"])
    return Read(sifted.rest().reset_index(drop=True), _latest(sifted.frame, table), sifted.doubts(), sifted.dropped)


def _networks(table: Found, frame: pd.DataFrame) -> Read:
    sifted = Sifted(table, frame)
    sifted.rest()
    sifted.frame = pd.DataFrame(
        together(
            {
                "code": lambda: codes(table, frame, "code", NETWORK),
                "name": lambda: names(frame["name"]),
                "commissioner": lambda: codes(table, frame, "commissioner", BODY, blank=True),
                "opened": lambda: days(table, frame, "opened"),
                "closed": lambda: days(table, frame, "closed"),
            }
        )
    )
    sifted.leave_repeats_out(["code"])
    return Read(sifted.frame.reset_index(drop=True), _latest(sifted.frame, table), sifted.doubts(), sifted.dropped)


def _elsewhere(code: str) -> bool:
    """Whether a partner's code is well formed and not that of an English practice: W91016, FA123, 8J123."""
    tidy = code.strip().upper()
    return bool(re.fullmatch(r"(?=.*[A-Z])[A-Z0-9]{3,9}", tidy)) and (
        not re.fullmatch(PRACTICE, tidy) or tidy[0] in "WSZ"
    )


def _latest(frame: pd.DataFrame, table: Found) -> str:
    """The date in the file's name, else the newest in its columns of dates."""
    named = iso(table.called)
    return named or max(
        (frame[name].max() for name in ("start", "end", "opened", "closed") if name in frame), default=""
    )


def shaped(width: int, shapes: Mapping[int, str]) -> Callable[[Found], float]:
    """Likeness of a file without a header: of its first rows, the part of so many cells of these shapes, counted as a
    likeness of 1 from FITTING on."""

    def alike(table: Found) -> float:
        rows = [row for row in table.head if any(row)]
        if table.kind != "csv" or not rows:
            return 0.0
        fitting = sum(
            len(row) == width and all(re.fullmatch(shape, row[i].strip().upper()) for i, shape in shapes.items())
            for row in rows
        )
        return 1.0 if fitting >= FITTING * len(rows) else 0.0

    return alike


TIERS = "which network, commissioner and ICB each practice is in"
NETWORK_OF = "which network each practice is in, and since when"
FORMATS = (
    Format(
        "geographies",
        "Practices by network, sub-ICB, ICB and region (gp-reg-pat-prac-map, MAPPING_NHS_GEOGRAPHIES)",
        TIERS,
        read_geographies,
        by_header(GEOGRAPHIES, foreign=("(disease_)?register(_size)?", "lsoa.*", "population", ".*_wp"), common=True),
        GEOGRAPHIES,
    ),
    Format(
        "pcn_members",
        "Practices in networks (ePCN, core partners)",
        NETWORK_OF,
        read_members,
        by_header(MEMBERS),
        MEMBERS,
    ),
    Format(
        "pcn_members",
        "Practices in networks (epcncorepartnerdetails, without a header)",
        NETWORK_OF,
        read_bare_members,
        shaped(11, BARE_MEMBERS_SHAPES),
    ),
    Format(
        "pcns",
        "Primary care networks (ePCN, details)",
        "what networks there are",
        read_networks,
        by_header(NETWORKS, foreign=("(gp_)?practice_code",), common=True),
        NETWORKS,
    ),
    Format(
        "pcns",
        "Primary care networks (epcn, without a header)",
        "what networks there are",
        read_bare_networks,
        shaped(12, BARE_NETWORKS_SHAPES),
    ),
)
