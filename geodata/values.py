"""One cell: its text turned into a value by the rule of its column; and codes spoilt by a spreadsheet, recognised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from geodata.schema import Column

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
WHOLE = re.compile(r"[+-]?[0-9]+(\.0*)?")
THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?")
DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")
MISSING = frozenset({"nan", "na", "n/a", "#n/a", "null", "none", "-", "inf", "-inf", "infinity"})
# 1200000.0 (a code read as a number and written again), 1.2E+06 (a spreadsheet shows it so), 01-Mar (taken for a date).
SPOILT = re.compile(r"[0-9]+\.0|[0-9]\.[0-9]+E\+[0-9]+|[0-9]{1,2}-[A-Z][a-z]{2}|[A-Z][a-z]{2}-[0-9]{2}")

Value = str | int | float | bool | tuple[str, ...] | None


class Wrong(Exception):
    """The cell breaks the rule of its column. mend: what to do about it."""

    def __init__(self, what: str, mend: str = ""):
        super().__init__(what)
        self.what, self.mend = what, mend


def value_of(column: Column, cell: str) -> Value:
    """The value of a cell; None where an optional cell is blank. Raises Wrong."""
    cell = cell.strip()
    if not cell:
        if column.required:
            raise Wrong("is blank")
        return None
    match column.type:
        case "whole":
            return _whole(column, cell)
        case "number":
            return _number(column, cell)
        case "yes/no":
            if cell.lower() not in ("yes", "no"):
                raise Wrong(f"{cell!r} is neither yes nor no")
            return cell.lower() == "yes"
        case "choice":
            return _choice(column, cell)
        case "codes":
            parts = tuple(part.strip() for part in cell.split(";") if part.strip())
            return tuple(_choice(column, part) for part in parts) if column.choices else parts
        case _:
            return cell


def _whole(column: Column, cell: str) -> int:
    number = _number(column, cell)
    if number != int(number):
        raise Wrong(f"{cell!r} is not whole")
    if not WHOLE.fullmatch(cell):
        raise Wrong(f"{cell!r} is not a whole number written out", "write all its digits")
    return int(number)


def _number(column: Column, cell: str) -> float:
    if not NUMBER.fullmatch(cell):
        raise Wrong(*_why_no_number(cell))
    number = float(cell)
    if number in (float("inf"), float("-inf")):
        raise Wrong(f"{cell!r} is too large")
    if column.low is not None and number < column.low:
        raise Wrong(f"{cell!r} is {'negative' if column.low == 0 else f'less than {column.low:g}'}")
    if column.high is not None and number > column.high:
        raise Wrong(f"{cell!r} is more than {column.high:g}")
    return number


def _why_no_number(cell: str) -> tuple[str, str]:
    if THOUSANDS.fullmatch(cell):
        return f"{cell!r} has a thousands separator", f"write {cell.replace(',', '')}"
    if DECIMAL_COMMA.fullmatch(cell):
        return f"{cell!r} has a decimal comma", f"write {cell.replace(',', '.')}"
    if cell.lower() in MISSING:
        return f"{cell!r} is not a number", "leave the cell blank if the value is optional and unknown, else find it"
    return f"{cell!r} is text, not a number", ""


def _choice(column: Column, cell: str) -> str:
    if cell not in column.choices:
        near = next((choice for choice in column.choices if choice.lower() == cell.lower().replace(" ", "_")), "")
        raise Wrong(f"{cell!r} is not known", f"write {near}" if near else "")
    return cell


def spoilt(code: str) -> bool:
    """Whether a code looks like one that a spreadsheet took for a number or a date."""
    return bool(SPOILT.fullmatch(code))


def numeric_keys(codes: Iterable[str]) -> Mapping[float, str]:
    """Number → the first code that a spreadsheet would turn into that number ("00123" → 123, "12E05" → 1200000)."""
    keys: dict[float, str] = {}
    for code in codes:
        if NUMBER.fullmatch(code):
            keys.setdefault(float(code), code)
    return keys


def original_of(code: str, numbers: Mapping[float, str]) -> str:
    """The known code that a spreadsheet may have spoilt into this one, or ""."""
    return numbers.get(float(code), "") if NUMBER.fullmatch(code) else ""
