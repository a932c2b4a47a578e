"""Patients registered with each practice, as NHS England publishes them every month."""

from __future__ import annotations

from geodata.official.columns import Column
from geodata.official.dates import latest
from geodata.official.format import Format, Read, by_header, numbers, text_frame
from geodata.official.found import Found

PRACTICE = Column("practice", ("(gp_)?practice_code", "org_code", "code"))
TOTALS = (
    PRACTICE,
    Column("patients", ("number_of_patients", "total_all")),
    Column("sex", ("sex",)),
    Column("age", ("age",)),
    Column("date", ("extract_date",), required=False),
    Column("commissioner", ("(ccg|sub_icb_location)_code",), required=False),
    Column("postcode", ("(practice_)?postcode",), required=False),
)


def read_totals(table: Found) -> Read:
    """gp-reg-pat-prac-all: practice, commissioner, postcode, patients."""
    frame = text_frame(table, TOTALS)
    frame = frame[(frame["sex"].str.upper() == "ALL") & (frame["age"].str.upper() == "ALL")]
    frame = frame.assign(patients=numbers(table, frame, "patients"))
    return Read(frame[["practice", "commissioner", "postcode", "patients"]], latest(frame["date"], table.name))


FORMATS = (
    Format(
        "lists",
        "Patients registered with each practice (gp-reg-pat-prac-all)",
        "how many people each practice looks after",
        read_totals,
        by_header(TOTALS),
        TOTALS,
    ),
)
