"""Benchmark records as text: the table, and how the time to a gap grows with size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import log
from statistics import linear_regression
from typing import Any

Record = Mapping[str, Any]
COLUMNS = ("case", "method", "bodies", "objective", "bound", "gap", "over the bound", "seconds", "peak MB", "notes")
LEAST_GROWING = 800  # practices: in smaller cases fixed work hides the growth


def table(records: Sequence[Record]) -> str:
    """A Markdown table, a line a record."""
    return _markdown(COLUMNS, [_row(record) for record in records], left=("case", "method", "notes"))


def scaling(records: Sequence[Record]) -> str:
    """Seconds to the same gap by number of generated practices, and the exponent e of seconds ~ practices^e."""
    reached = {
        int(match[1]): record.get("seconds_to_gap") or {}
        for record in records
        if (match := re.fullmatch(r"generated-(\d+)", record["name"])) and record["method"] == "consortia"
    }
    sizes = sorted(size for size in reached if size >= LEAST_GROWING)
    if len(sizes) < 2:
        return f"Growth needs two or more generated cases of at least {LEAST_GROWING} practices."
    gaps = [gap for gap in reached[sizes[0]] if all(gap in reached[size] for size in sizes)]
    if not gaps:
        return "No gap was reached at every size: give the larger cases more --seconds."
    rows = []
    for gap in sorted(gaps, key=lambda text: -float(text.rstrip("%"))):
        seconds = [max(0.01, reached[size][gap]) for size in sizes]
        exponent = linear_regression([log(size) for size in sizes], [log(s) for s in seconds]).slope
        rows.append([gap, *(f"{s:.1f}" for s in seconds), f"{exponent:.2f}"])
    return _markdown(["gap", *(f"{size:,} practices, s" for size in sizes), "exponent"], rows)


def _row(record: Record) -> list[str]:
    return [
        record["name"],
        record["method"],
        _text(record["bodies"], "{:,}"),
        _amount(record["objective"]),
        _amount(record["bound"]),
        _text(record["gap"], "{:.3%}"),
        _text(record["excess"], "{:.2%}"),
        _text(record["seconds"], "{:,.1f}"),
        _text(record["peak_mb"], "{:,}"),
        "; ".join(_notes(record)),
    ]


def _notes(record: Record) -> Iterator[str]:
    if record.get("seconds_to_gap"):
        last = list(record["seconds_to_gap"].items())[-3:]
        yield ", ".join(f"{gap} in {seconds:g} s" for gap, seconds in last)
    if record["notes"]:
        yield record["notes"].replace("|", "/").replace("\n", " ")


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else form.format(value)


def _amount(value: float | None) -> str:
    return _text(value, "{:,.0f}" if value is not None and abs(value) >= 1e7 else "{:,.2f}")


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str] = ()) -> str:
    lines = [heads, ["---" if head in left else "--:" for head in heads], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
