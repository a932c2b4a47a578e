"""A small folder of files as publishers give them: an invented county of two towns, with every usual quirk."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.geodata.official.ods_rows import practice, row27

WEST, EAST = "E06000901", "E06000902"
LISTS = ("PUBLICATION", "EXTRACT_DATE", "TYPE", "SUB_ICB_LOCATION_CODE", "ONS_SUB_ICB_LOCATION_CODE", "CODE",
         "POSTCODE", "SEX", "AGE", "NUMBER_OF_PATIENTS")  # fmt: skip
PRACTICES = {  # code: name, postcode, easting, northing, patients, PCN, sub-ICB
    "A81001": ("THE MILL SURGERY", "TS1 1AA", 412_000, 512_000, 5_903, "U11111", "00L"),
    "A81002": ("BRIDGE STREET PRACTICE", "TS1 1AB", 414_000, 513_000, 14_738, "U11111", "00L"),
    "A81003": ("CASTLE MEDICAL CENTRE", "TS1 1AD", 416_500, 511_500, 8_104, "U11111", "00L"),
    "A81004": ("DR O'NEIL AND PARTNERS", "TS2 2AA", 424_000, 512_500, 9_250, "U22222", "00M"),
    "A81005": ("QUAYSIDE HEALTH CENTRE", "TS2 2AB", 427_000, 513_500, 11_020, "U22222", "00M"),
    "A81006": ("MOORVIEW SURGERY", "TS2 2AD", 428_500, 510_500, 6_433, "", "00M"),
}


def write_folder(folder: Path) -> Path:
    """Lists, register, map, postcodes, boundaries, trusts, sites, A&E, RTT, need, deprivation and LSOAs."""
    folder.mkdir()
    write(folder / "epraccur.csv", [
        *(_registered(code, p) for code, p in PRACTICES.items()),
        practice("A81007", name="SHUT SURGERY", status="C", closed="20190331", postcode="TS1 1AA"),
        practice("A81008", name="WALK-IN CENTRE", setting="1", postcode="TS1 1AA"),
        practice("A81009", name="SPECIAL ALLOCATION SCHEME", postcode="TS1 1AA"),
    ])  # fmt: skip
    lists = [(c, p[6], p[1], p[4]) for c, p in PRACTICES.items()]
    lists += [("A81007", "00L", "TS1 1AA", 3_000), ("A81008", "00L", "TS1 1AA", 50), ("A81009", "00L", "TS1 1AA", 80)]
    write(folder / "patients.csv", [
        LISTS,
        *(("GP_PRAC_PAT_LIST", "01Oct2025", "GP", ccg, "E38000130", code, postcode, "ALL", "ALL", n)
          for code, ccg, postcode, n in lists),
    ])  # fmt: skip
    write(folder / "map.csv", [
        ("PUBLICATION", "EXTRACT_DATE", "PRACTICE_CODE", "PRACTICE_NAME", "PRACTICE_POSTCODE", "PCN_CODE", "PCN_NAME",
         "ONS_SUB_ICB_LOCATION_CODE", "SUB_ICB_LOCATION_CODE", "SUB_ICB_LOCATION_NAME", "ONS_ICB_CODE", "ICB_CODE",
         "ICB_NAME", "ONS_COMM_REGION_CODE", "COMM_REGION_CODE", "COMM_REGION_NAME", "SUPPLIER_NAME"),
        *(("GP_PRAC_PAT_LIST", "01Oct2025", code, p[0], p[1], p[5] or "U", f"{p[5]} PCN" if p[5] else "Unallocated",
           "E38000130", p[6], f"NHS Small ICB - {p[6]}", "E54000050", "QHM", "NHS Small Integrated Care Board",
           "E40000012", "Y63", "North East", "TPP") for code, p in PRACTICES.items()),
    ])  # fmt: skip
    write(folder / "Data" / "CSV" / "ts.csv", [
        *((p[1].replace(" ", "  "), 10, p[2], p[3], "E92000001", "E19000001", "E18000001", "",
           WEST if p[6] == "00L" else EAST, "E05009866") for p in PRACTICES.values()),
        ("TS1 1ZZ", 90, 0, 0, "E92000001", "E19000001", "E18000001", "", "", ""),
        ("TS3 3AA", 10, 413_000, 512_000, "E92000001", "E19000001", "E18000001", "", WEST, "E05009866"),
        ("TS4 4AA", 10, 426_000, 512_000, "E92000001", "E19000001", "E18000001", "", EAST, "E05009866"),
    ], quoted=True)  # fmt: skip
    (folder / "councils.geojson").write_text(json.dumps(councils()), encoding="utf-8")
    write(folder / "etr.csv", [
        row27("RAA", "WEST TOWN NHS FOUNDATION TRUST", postcode="TS3 3AA"),
        row27("RBB", "EAST COAST NHS TRUST", postcode="TS4 4AA"),
    ], quoted=True)  # fmt: skip
    write(folder / "ae.csv", [
        ("Period", "Org Code", "Parent Org", "Org name", "A&E attendances Type 1", "A&E attendances Type 2",
         "A&E attendances Other A&E Department"),
        ("MSitAE-OCTOBER-2025", "RAA", "NHS ENGLAND", "WEST TOWN NHS FOUNDATION TRUST", 800, 0, 120),
        ("MSitAE-OCTOBER-2025", "RBB", "NHS ENGLAND", "EAST COAST NHS TRUST", 700, 0, 90),
        ("TOTAL", "TOTAL", "TOTAL", "TOTAL", 1_500, 0, 210),
    ])  # fmt: skip
    _write_rtt(folder)
    write(folder / "lsoa.csv", [
        ("PUBLICATION", "EXTRACT_DATE", "PRACTICE_CODE", "PRACTICE_NAME", "LSOA_CODE", "SEX", "NUMBER_OF_PATIENTS"),
        *(("GP_PRAC_PAT_LIST", "01Oct2025", "A81001", "THE MILL SURGERY", lsoa, "ALL", n)
          for lsoa, n in (("E01000001", 1_200), ("E01000002", 300), ("EMPTY", 5), ("W01000001", 4))),
        ("GP_PRAC_PAT_LIST", "01Oct2025", "A81002", "BRIDGE STREET PRACTICE", "E01000002", "ALL", 1_400),
    ])  # fmt: skip
    write(folder / "centroids.csv", [
        ("FID", "LSOA21CD", "GlobalID", "x", "y"),
        (1, "E01000001", "a", 411_000, 514_500), (2, "E01000002", "b", 414_500, 512_500),
    ])  # fmt: skip
    (folder / "README.txt").write_text("Downloaded on a Monday.\n", encoding="utf-8")
    return folder


def _registered(code: str, p: tuple) -> list[str]:
    return practice(code, name=p[0], postcode=p[1], commissioner=p[6], icb="QHM", status="ACTIVE", setting="RO76|RO87")


def _write_rtt(folder: Path) -> None:
    """A pathway file in a ZIP, with the totals and the Apple files that real ones have."""
    header = ["Period", "Provider Parent Org Code", "Provider Parent Name", "Provider Org Code", "Provider Org Name",
              "Commissioner Parent Org Code", "Commissioner Parent Name", "Commissioner Org Code",
              "Commissioner Org Name", "RTT Part Type", "RTT Part Description", "Treatment Function Code",
              "Treatment Function Name", "Gt 00 To 01 Weeks SUM 1", "Gt 104 Weeks SUM 1", "Total",
              "Patients with unknown clock start date", "Total All"]  # fmt: skip
    rows = []
    for commissioner, provider, n in (("00L", "RAA", 400), ("00L", "RBB", 40), ("00M", "RAA", 60), ("00M", "RBB", 380)):
        for part, share in (("Part_1A", 0.2), ("Part_1B", 0.6), ("Part_2", 3.0), ("Part_3", 1.0)):
            for function, name, of in (
                ("C_110", "Trauma", 0.6),
                ("C_130", "Ophthalmology", 0.4),
                ("C_999", "Total", 1),
            ):
                count = round(n * share * of)
                rows.append(["RTT-October-2025", "QHM", "NHS SMALL", provider, f"{provider} TRUST", "QHM", "NHS SMALL",
                             commissioner, f"NHS SMALL - {commissioner}", part, part, function, name, count, 0,
                             count, 0, count])  # fmt: skip
    plain = folder / "rtt.csv"
    write(plain, [header, *rows])
    with zipfile.ZipFile(folder / "rtt.csv.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(plain, "rtt.csv")
        archive.writestr("__MACOSX/._rtt.csv", b"\x00\x05\x16\x07")
    plain.unlink()


def councils() -> dict:
    """Two councils side by side, in degrees, one with a bow-tie where it was simplified."""
    west = [[-1.86, 54.44], [-1.70, 54.44], [-1.70, 54.56], [-1.86, 54.56], [-1.86, 54.44]]
    east = [[-1.70, 54.44], [-1.52, 54.44], [-1.52, 54.56], [-1.60, 54.57], [-1.59, 54.56], [-1.60, 54.56],
            [-1.70, 54.56], [-1.70, 54.44]]  # fmt: skip
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": {"LAD25CD": code, "LAD25NM": name},
             "geometry": {"type": "Polygon", "coordinates": [ring]}}
            for code, name, ring in ((WEST, "West Town", west), (EAST, "East Coast", east))
        ],
    }  # fmt: skip


def write(path: Path, rows: Sequence[Sequence[object]], quoted: bool = False) -> None:
    """A CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(rows)
