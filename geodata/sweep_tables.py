"""A sweep as a table: one row a case, and the parent above them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from geodata.plan_tables import Column, Table
from geodata.sweep_record import Record

if TYPE_CHECKING:
    from geodata.sweep_record import Sweep

WAYS = {
    "": "the plan without variations",
    "parent": "searched on from the parent",
    "parent, mended": "searched on from the parent, which breaks rules of this case",
    "anew": "built anew: its scales are others than the parent's",
}


def sweep(found: Sweep) -> Table:
    """Case 0 is the parent; then every case that is done. Values of keys stand under their own names, and every measure
    of the region under its own."""
    keys = list(found.asked.varied)
    rows = (found.parent, *found.records)
    measures: dict[str, Mapping[str, Any]] = {}
    for record in rows:
        for name, measure in record.figures["region"].items():
            measures.setdefault(name, measure)
    columns = [Column("case", "Case", "whole")]
    columns += [Column(key, key) for key in keys]
    columns += [
        Column("status", "Status"),
        Column("reason", "Why there is no plan"),
        Column("start", "Searched from", note="; ".join(f"{word}: {what}" for word, what in WAYS.items() if word)),
        Column("cut_short", "Cut short by a clock"),
        Column("objective", "£ a year", "money"),
        Column("services", "of it services, £ a year", "money"),
        Column("moved_share", "Patients moved against the parent", "share"),
    ]
    columns += [Column(name, str(m["label"]), "number", str(m["unit"])) for name, m in measures.items()]
    made = []
    for record in rows:
        figures = record.figures
        made.append(
            (
                record.number, *(plain_value(value_of(found, record, key)) for key in keys), figures["status"],
                figures["reason"], figures["start"], bool(figures["cut_short"]), figures["objective"],
                figures["services"], figures["moved_share"], *(record.measure(name) for name in measures),
            )
        )  # fmt: skip
    return Table("sweep", "Sweep", tuple(columns), tuple(made))


def value_of(found: Sweep, record: Record, key: str) -> object:
    """A key's value in a case; in the parent, the scenario's own; None where that has none."""
    if key in record.values:
        return record.values[key]
    here: Any = found.asked.scenario.document()
    for part in key.split("."):
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def plain_value(value: object) -> object:
    """A value as one cell: numbers and text as they are, the rest as JSON."""
    return value if value is None or isinstance(value, int | float | str) else json.dumps(value, ensure_ascii=False)
